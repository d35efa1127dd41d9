// Registers, operands and results of inline PTX; what the instructions compute is in PtxIntegers,
// PtxFloats and PtxConversions.
#include "compiler/conversions/tile-to-cpu/PtxEmitter.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

using ptx::Instruction;
using ptx::Modifier;
using ptx::Opcode;
using ptx::Operand;

namespace {

unsigned widthOf(const RegisterPart &part) { return ElementBuilder::widthOf(part.value); }

bool isZero(Value value) { return matchPattern(value, m_Zero()); }

} // namespace

Type PtxEmitter::elementTypeOf(ptx::Type lane) {
  Builder &builder = e_.builder();
  if (lane.kind == ptx::Kind::BFloat)
    return builder.getBF16Type();
  if (lane.kind == ptx::Kind::Float)
    return lane.bits == 16   ? Type(builder.getF16Type())
           : lane.bits == 32 ? Type(builder.getF32Type())
                             : Type(builder.getF64Type());
  return builder.getIntegerType(lane.bits);
}

Value PtxEmitter::bitsOf(const RegisterPart &part) {
  Value bits = e_.bits(part.value);
  Type element = getElementTypeOrSelf(part.value);
  if (!part.isComputed || !isa<FloatType>(element) || element.isF64())
    return bits;
  return e_.select(e_.isNan(part.value), canonicalNanBits(element), bits);
}

Value PtxEmitter::extract(const RegisterParts &parts, unsigned offset, unsigned bits) {
  Value result;
  unsigned begin = 0;
  for (const RegisterPart &part : parts) {
    unsigned width = widthOf(part), end = begin + width;
    if (end > offset && begin < offset + bits) {
      Value value = bitsOf(part);
      if (begin < offset)
        value = e_.shru(value, offset - begin);
      value = e_.resize(value, bits);
      if (begin > offset)
        value = e_.shl(value, begin - offset);
      if (!result || isZero(result))
        result = value;
      else if (!isZero(value))
        result = e_.bitOr(result, value);
    }
    begin = end;
  }
  return result ? result : e_.integer(bits, 0);
}

Value PtxEmitter::registerBits(uint32_t index, unsigned offset, unsigned bits) {
  return extract(registers_[index], offset, bits);
}

Value PtxEmitter::registerAs(uint32_t index, unsigned offset, Type element) {
  unsigned begin = 0;
  for (const RegisterPart &part : registers_[index]) {
    if (begin == offset && getElementTypeOrSelf(part.value) == element)
      return part.value;
    begin += widthOf(part);
  }
  return e_.bitcast(registerBits(index, offset, element.getIntOrFloatBitWidth()), element);
}

RegisterParts PtxEmitter::partsOf(const Operand &operand) {
  if (operand.kind == Operand::Kind::Register) {
    const RegisterParts &parts = registers_[operand.index];
    return parts.empty()
               ? RegisterParts{{e_.integer(program_.registers[operand.index].type.width(), 0)}}
               : parts;
  }
  if (operand.kind == Operand::Kind::Vector) {
    RegisterParts parts;
    for (const Operand &element : operand.elements)
      parts.append(partsOf(element));
    return parts;
  }
  if (operand.kind == Operand::Kind::GridIndex)
    return {{gridIndex(operand)}};
  return {{e_.integer(operand.type.width(), operand.bits)}};
}

Value PtxEmitter::gridIndex(const Operand &operand) {
  OpBuilder &builder = e_.builder();
  Type i32 = builder.getI32Type();
  Value index = operand.isCount
                    ? Value(tile::NumProgramsOp::create(builder, e_.location(), i32, operand.axis))
                    : Value(tile::ProgramIdOp::create(builder, e_.location(), i32, operand.axis));
  if (auto type = dyn_cast<RankedTensorType>(e_.like(i32)))
    return tile::SplatOp::create(builder, e_.location(), type, index);
  return index;
}

Value PtxEmitter::predicate(const Operand &operand) {
  Value value = operand.kind == Operand::Kind::Register && !registers_[operand.index].empty()
                    ? registers_[operand.index][0].value
                    : e_.integer(1, 0);
  return operand.isNegated ? e_.bitNot(value) : value;
}

Value PtxEmitter::read(const Operand &operand, unsigned lane) {
  ptx::Type type = operand.type.lane();
  if (type.kind == ptx::Kind::Predicate)
    return predicate(operand);
  // 4-bit lanes are read as the byte that holds them.
  unsigned bits = std::max<unsigned>(8, type.bits), offset = lane * type.bits;
  Type element = type.isFloat() ? elementTypeOf(type) : Type(e_.integerType(bits));
  if (operand.kind == Operand::Kind::Register)
    return registerAs(operand.index, offset, element);
  return e_.bitcast(extract(partsOf(operand), offset, bits), element);
}

void PtxEmitter::write(const Instruction &instruction, const Operand &result, RegisterParts parts) {
  if (result.kind == Operand::Kind::Sink)
    return;
  RegisterParts &old = registers_[result.index];
  // Before its first write a register holds anything, so also the new value.
  if (!instruction.guard || old.empty()) {
    old = std::move(parts);
    return;
  }
  Value guard = predicate(*instruction.guard);
  bool haveSameParts = llvm::equal(old, parts, [](const RegisterPart &a, const RegisterPart &b) {
    return a.value.getType() == b.value.getType();
  });
  if (!haveSameParts) {
    unsigned width = program_.registers[result.index].type.width();
    old = {{extract(old, 0, width)}};
    parts = {{extract(parts, 0, width)}};
  }
  for (auto [before, after] : llvm::zip_equal(old, parts)) {
    // A computed NaN and one that was moved have different bits.
    if (before.isComputed != after.isComputed) {
      before = {e_.select(guard, bitsOf(after), bitsOf(before)), false};
      before.value = e_.bitcast(before.value, getElementTypeOrSelf(after.value));
      continue;
    }
    before.value = e_.select(guard, after.value, before.value);
  }
}

void PtxEmitter::writeScalar(const Instruction &instruction, Value value) {
  bool isComputed = isa<FloatType>(getElementTypeOrSelf(value));
  write(instruction, instruction.results[0], {{value, isComputed}});
}

void PtxEmitter::runMov(const Instruction &instruction) {
  const Operand &result = instruction.results[0];
  RegisterParts parts = instruction.type.kind == ptx::Kind::Predicate
                            ? RegisterParts{{predicate(instruction.operands[0])}}
                            : partsOf(instruction.operands[0]);
  if (result.kind != Operand::Kind::Vector)
    return write(instruction, result, std::move(parts));
  unsigned offset = 0;
  for (const Operand &element : result.elements) {
    unsigned width = element.type.width(), begin = 0;
    RegisterParts piece;
    for (const RegisterPart &part : parts) {
      if (begin == offset && widthOf(part) == width)
        piece = {part};
      begin += widthOf(part);
    }
    if (piece.empty())
      piece = {{extract(parts, offset, width)}};
    write(instruction, element, std::move(piece));
    offset += width;
  }
}

void PtxEmitter::runSetp(const Instruction &instruction) {
  Value holds = compare(instruction, instruction.type, read(instruction.operands[0]),
                        read(instruction.operands[1]));
  Value fails = e_.bitNot(holds);
  if (instruction.operands.size() == 3) {
    Value other = predicate(instruction.operands[2]);
    auto combine = [&](Value value) {
      return instruction.has(Modifier::And)  ? e_.bitAnd(value, other)
             : instruction.has(Modifier::Or) ? e_.bitOr(value, other)
                                             : e_.bitXor(value, other);
    };
    holds = combine(holds);
    fails = combine(fails);
  }
  write(instruction, instruction.results[0], {{holds}});
  if (instruction.results.size() == 2)
    write(instruction, instruction.results[1], {{fails}});
}

/// Operations on bits, part by part, where the operands are cut alike or are constants.
bool PtxEmitter::runPartwise(const Instruction &instruction) {
  if (instruction.type.kind == ptx::Kind::Predicate)
    return false;
  SmallVector<RegisterParts, 3> operands;
  const RegisterParts *cut = nullptr;
  for (const Operand &operand : instruction.operands) {
    if (operand.type.width() != instruction.type.width() ||
        &operand - &instruction.operands[0] == 3)
      continue; // lop3's table
    operands.push_back(partsOf(operand));
  }
  for (const RegisterParts &parts : operands)
    if (parts.size() > 1)
      cut = &parts;
  if (!cut)
    return false;
  for (const RegisterParts &parts : operands) {
    bool isAlike = llvm::equal(parts, *cut, [](const RegisterPart &a, const RegisterPart &b) {
      return widthOf(a) == widthOf(b);
    });
    if (!isAlike && !(parts.size() == 1 && matchPattern(parts[0].value, m_Constant())))
      return false;
  }
  RegisterParts result;
  unsigned offset = 0;
  for (const RegisterPart &part : *cut) {
    SmallVector<Value> values;
    for (const RegisterParts &parts : operands)
      values.push_back(extract(parts, offset, widthOf(part)));
    result.push_back({integerLane(instruction, values)});
    offset += widthOf(part);
  }
  write(instruction, instruction.results[0], std::move(result));
  return true;
}

void PtxEmitter::runLanes(const Instruction &instruction) {
  RegisterParts parts;
  for (unsigned lane = 0; lane < instruction.type.lanes; ++lane) {
    SmallVector<Value> operands;
    for (const Operand &operand : instruction.operands)
      operands.push_back(read(operand, lane));
    Value value = instruction.type.isFloat() ? floatLane(instruction, operands)
                                             : integerLane(instruction, operands);
    parts.push_back({value, isa<FloatType>(getElementTypeOrSelf(value))});
  }
  write(instruction, instruction.results[0], std::move(parts));
}

void PtxEmitter::runInstruction(const Instruction &instruction) {
  switch (instruction.opcode) {
  case Opcode::Barrier:
    hasBarrier_ = true;
    return;
  case Opcode::Nothing:
    return;
  case Opcode::Mov:
    return runMov(instruction);
  case Opcode::Setp:
    return runSetp(instruction);
  case Opcode::Set: {
    Value holds = compare(instruction, instruction.source, read(instruction.operands[0]),
                          read(instruction.operands[1]));
    bool isFloat = instruction.type.isFloat();
    return write(
        instruction, instruction.results[0],
        {{e_.select(holds, e_.integer(32, isFloat ? 0x3f800000 : 0xffffffff), e_.integer(32, 0))}});
  }
  case Opcode::Selp: {
    Value condition = predicate(instruction.operands[2]);
    // Bits move as they are; also a NaN's.
    return write(instruction, instruction.results[0],
                 {{e_.select(condition, e_.bits(read(instruction.operands[0])),
                             e_.bits(read(instruction.operands[1])))}});
  }
  case Opcode::Slct: {
    Value c = read(instruction.operands[2]), isFirst;
    if (instruction.has(Modifier::Ftz))
      c = flush(c);
    if (instruction.source.isFloat())
      isFirst = e_.fcompare(arith::CmpFPredicate::OGE, c, e_.realLike(c, 0));
    else
      isFirst = e_.icompare(arith::CmpIPredicate::sge, c, e_.integerLike(c, 0));
    return write(instruction, instruction.results[0],
                 {{e_.select(isFirst, e_.bits(read(instruction.operands[0])),
                             e_.bits(read(instruction.operands[1])))}});
  }
  case Opcode::Cvt:
    return write(instruction, instruction.results[0], convert(instruction));
  case Opcode::Testp:
    return write(instruction, instruction.results[0],
                 {{testFloat(instruction, read(instruction.operands[0]))}});
  case Opcode::And:
  case Opcode::Or:
  case Opcode::Xor:
  case Opcode::Not:
  case Opcode::Lop3:
    if (runPartwise(instruction))
      return;
    return runLanes(instruction);
  default:
    return runLanes(instruction);
  }
}

void PtxEmitter::run() {
  for (const Instruction &instruction : program_.instructions)
    runInstruction(instruction);
}

} // namespace inlay::tile_to_cpu
