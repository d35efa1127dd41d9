#include "tests/reference/PtxMachine.h"

#include "tests/reference/Cell.h"

namespace inlay::reference {

using ptx::Instruction;
using ptx::Modifier;
using ptx::Opcode;
using ptx::Operand;

uint64_t PtxMachine::read(const Operand &operand) const {
  switch (operand.kind) {
  case Operand::Kind::Register: {
    uint64_t bits = registers_[operand.index];
    return operand.isNegated ? ~bits & 1 : bits;
  }
  case Operand::Kind::Vector: {
    uint64_t bits = 0;
    for (size_t i = operand.elements.size(); i-- > 0;)
      bits = bits << operand.elements[i].type.width() | read(operand.elements[i]);
    return bits;
  }
  case Operand::Kind::GridIndex:
    return operand.isCount ? grid_[operand.axis] : index_[operand.axis];
  default:
    return operand.bits;
  }
}

void PtxMachine::write(const Operand &result, uint64_t bits) {
  if (result.kind == Operand::Kind::Register)
    registers_[result.index] = bits & maskOf(program_.registers[result.index].type.width());
  for (const Operand &element : result.elements) {
    write(element, bits);
    bits >>= element.type.width();
  }
}

void PtxMachine::step(const Instruction &instruction) {
  const std::vector<Operand> &operands = instruction.operands;
  auto set = [&](uint64_t bits) { write(instruction.results[0], bits); };
  switch (instruction.opcode) {
  case Opcode::Barrier:
  case Opcode::Nothing:
    return;
  case Opcode::Mov:
    return set(read(operands[0]));
  case Opcode::Set: {
    bool holds = ptxCompare(instruction, instruction.source, read(operands[0]), read(operands[1]));
    return set(!holds ? 0 : instruction.type.isFloat() ? 0x3f800000 : 0xffffffff);
  }
  case Opcode::Setp: {
    bool holds = ptxCompare(instruction, instruction.type, read(operands[0]), read(operands[1]));
    for (const Operand &result : instruction.results) {
      bool value = holds;
      if (instruction.has(Modifier::And))
        value = value && isTrue(operands[2]);
      if (instruction.has(Modifier::Or))
        value = value || isTrue(operands[2]);
      if (instruction.has(Modifier::Xor))
        value = value != isTrue(operands[2]);
      write(result, value);
      holds = !holds; // for the second result
    }
    return;
  }
  case Opcode::Selp:
    return set(read(operands[isTrue(operands[2]) ? 0 : 1]));
  case Opcode::Slct: {
    bool isFirst = instruction.source.isFloat() ? ptxIsPositive(instruction, read(operands[2]))
                                                : signedOf(read(operands[2]), 32) >= 0;
    return set(read(operands[isFirst ? 0 : 1]));
  }
  case Opcode::Testp:
    return set(ptxTest(instruction, read(operands[0])));
  default:
    break;
  }
  // Lane by lane; conversions of two operands have the first as upper lane.
  const unsigned bits = instruction.type.bits;
  uint64_t result = 0;
  for (unsigned lane = 0; lane < instruction.type.lanes; ++lane) {
    std::vector<uint64_t> a;
    for (const Operand &operand : operands)
      a.push_back(read(operand) >> (lane * operand.type.bits) & maskOf(operand.type.bits));
    uint64_t value = 0;
    if (instruction.opcode == Opcode::Cvt) {
      bool hasTwo = operands.size() == 2;
      value = ptxConvert(instruction, hasTwo ? read(operands[1 - lane]) & maskOf(32) : a[0]);
      // A wider register holds the value extended.
      if (instruction.type.isSigned())
        return set(static_cast<uint64_t>(signedOf(value, bits)));
    } else {
      value = instruction.type.isFloat() ? ptxFloatLane(instruction, a)
                                         : ptxIntegerLane(instruction, a);
    }
    result |= value << (lane * bits);
  }
  set(result);
}

void PtxMachine::run() {
  for (const Instruction &instruction : program_.instructions)
    if (!instruction.guard || isTrue(*instruction.guard))
      step(instruction);
}

} // namespace inlay::reference
