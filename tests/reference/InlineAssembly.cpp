// tile.inline_asm: elements packed into registers, the text run, and the results taken out again.
#include "base/Error.h"
#include "tests/reference/Interpreter.h"
#include "tests/reference/PtxMachine.h"

using namespace mlir;

namespace inlay::reference {

namespace {

unsigned storedBits(Type element) { return std::max(8u, widthOf(element)); }

/// How many elements lie in one register.
unsigned perRegister(Type element, unsigned pack) {
  return std::min(pack, std::max(1u, 32 / storedBits(element)));
}

} // namespace

Status Interpreter::runInlineAsm(tile::InlineAsmOp op) {
  const unsigned pack = op.getPack();
  INLAY_ASSIGN(auto constraints, ptx::parseConstraints(op.getConstraints().str()));
  std::vector<std::optional<int64_t>> immediates(constraints.size());
  for (unsigned i = 0, input = 0; i < constraints.size(); ++i) {
    if (constraints[i].isOutput || input >= op.getNumOperands())
      continue;
    Value operand = op.getOperand(input++);
    if (constraints[i].isImmediate())
      immediates[i] =
          signedOf(of(operand)[0].bits, widthOf(tile::elementTypeOf(operand.getType())));
  }
  INLAY_ASSIGN(ptx::Program program,
               ptx::parseProgram(op.getText().str(), op.getConstraints().str(), immediates));
  size_t count = 1;
  for (TypeRange types : {TypeRange(op.getOperandTypes()), TypeRange(op.getResultTypes())})
    for (Type type : types)
      count = std::max(count, countOf(type));
  for (Value result : op.getResults())
    values_[result] = Cells(countOf(result.getType()));
  for (size_t first = 0; first < count; first += pack) {
    PtxMachine machine(program, grid_, program_);
    size_t next = static_cast<size_t>(
        llvm::count_if(constraints, [](const ptx::Constraint &c) { return c.isOutput; }));
    for (Value operand : op.getOperands()) {
      Type element = tile::elementTypeOf(operand.getType());
      unsigned perWord = perRegister(element, pack);
      for (unsigned k = 0; k < pack; k += perWord, ++next) {
        uint64_t word = 0;
        for (unsigned i = 0; i < perWord; ++i) {
          const Cell &cell = at(operand, std::min(first + k + i, count - 1));
          word |= bitsOf(cell, element) << (i * storedBits(element));
        }
        if (next >= constraints.size())
          return invalidArgument("{}: the constraints name too few registers", placeOf(*op));
        if (program.bindings[next]) // immediates have no register
          machine.at(*program.bindings[next]) = word;
      }
    }
    machine.run();
    next = 0;
    for (Value result : op.getResults()) {
      Type element = tile::elementTypeOf(result.getType());
      unsigned perWord = perRegister(element, pack);
      for (unsigned k = 0; k < pack; k += perWord, ++next)
        for (unsigned i = 0; i < perWord && first + k + i < values_[result].size(); ++i)
          values_[result][first + k + i] =
              fromBits(machine.at(*program.bindings[next]) >> (i * storedBits(element)), element);
    }
  }
  return {};
}

} // namespace inlay::reference
