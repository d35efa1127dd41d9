// Blocks, branches and loops, and which function runs which operation.
#include "tests/reference/Interpreter.h"

#include "base/Error.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace mlir;

namespace inlay::reference {

std::string Interpreter::placeOf(Operation &op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op.getName() << " at ";
  op.getLoc().print(stream);
  return fmt::format("{} in program ({}, {}, {})", text, program_[0], program_[1], program_[2]);
}

Status Interpreter::runIf(scf::IfOp op) {
  bool isTaken = of(op.getCondition())[0].bits & 1;
  Block *block = isTaken ? op.thenBlock() : op.elseBlock();
  if (!block)
    return {};
  INLAY_ASSIGN(BlockEnd end, runBlock(*block, {}));
  for (auto [result, value] : llvm::zip_equal(op.getResults(), end.values))
    values_[result] = value;
  return {};
}

Status Interpreter::runFor(scf::ForOp op) {
  unsigned width = widthOf(op.getInductionVar().getType());
  auto bound = [&](Value value) -> __int128 {
    uint64_t bits = of(value)[0].bits;
    return op.getUnsignedCmp() ? static_cast<__int128>(bits) : signedOf(bits, width);
  };
  __int128 end = bound(op.getUpperBound()), step = bound(op.getStep());
  if (step <= 0)
    return invalidArgument("{}: the step is {}, but must be positive", placeOf(*op),
                           static_cast<int64_t>(step));
  std::vector<Cells> carried;
  for (Value initial : op.getInitArgs())
    carried.push_back(of(initial));
  for (__int128 i = bound(op.getLowerBound()); i < end; i += step) {
    std::vector<Cells> arguments{{Cell{static_cast<uint64_t>(i) & maskOf(width), 0}}};
    arguments.insert(arguments.end(), carried.begin(), carried.end());
    INLAY_ASSIGN(BlockEnd blockEnd, runBlock(*op.getBody(), arguments));
    carried = std::move(blockEnd.values);
  }
  for (auto [result, value] : llvm::zip_equal(op.getResults(), carried))
    values_[result] = value;
  return {};
}

Status Interpreter::runWhile(scf::WhileOp op) {
  std::vector<Cells> carried;
  for (Value initial : op.getInits())
    carried.push_back(of(initial));
  while (true) {
    INLAY_ASSIGN(BlockEnd before, runBlock(op.getBefore().front(), carried));
    bool isDone = (before.values[0][0].bits & 1) == 0;
    carried.assign(before.values.begin() + 1, before.values.end());
    if (isDone)
      break;
    INLAY_ASSIGN(BlockEnd after, runBlock(op.getAfter().front(), carried));
    carried = std::move(after.values);
  }
  for (auto [result, value] : llvm::zip_equal(op.getResults(), carried))
    values_[result] = value;
  return {};
}

void Interpreter::runConstant(arith::ConstantOp op) {
  Type element = tile::elementTypeOf(op.getType());
  auto cell = [&](Attribute attribute) {
    if (auto real = dyn_cast<FloatAttr>(attribute))
      return Cell{0, toDouble(real.getValue())};
    return Cell{cast<IntegerAttr>(attribute).getValue().getZExtValue() & maskOf(widthOf(element)),
                0};
  };
  Cells result;
  if (auto dense = dyn_cast<DenseElementsAttr>(op.getValue()))
    for (Attribute attribute : dense.getValues<Attribute>())
      result.push_back(cell(attribute));
  else
    result.push_back(cell(op.getValue()));
  values_[op.getResult()] = std::move(result);
}

Status Interpreter::runOperation(Operation &op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    runConstant(constant);
    return {};
  }
  if (auto ifOp = dyn_cast<scf::IfOp>(op))
    return runIf(ifOp);
  if (auto forOp = dyn_cast<scf::ForOp>(op))
    return runFor(forOp);
  if (auto whileOp = dyn_cast<scf::WhileOp>(op))
    return runWhile(whileOp);
  if (runShape(op) || runConversion(op) || runElementwise(op))
    return {};
  for (auto run : {&Interpreter::runMemory, &Interpreter::runCollective, &Interpreter::runDebug}) {
    bool isKnown = true;
    INLAY_TRY((this->*run)(op, isKnown));
    if (isKnown)
      return {};
  }
  return unimplemented("the tile interpreter does not know {}", placeOf(op));
}

Result<BlockEnd> Interpreter::runBlock(Block &block, const std::vector<Cells> &arguments) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values_[argument] = value;
  for (Operation &op : block.without_terminator())
    INLAY_TRY(runOperation(op));
  BlockEnd end{block.getTerminator(), {}};
  for (Value operand : end.terminator->getOperands())
    end.values.push_back(of(operand));
  return end;
}

Status Interpreter::runProgram(func::FuncOp kernel, std::span<const void *const> arguments,
                               std::array<uint32_t, 3> program) {
  program_ = program;
  values_.clear();
  std::vector<Cells> cells;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    uint64_t bits = 0;
    std::memcpy(&bits, arguments[i], sizeOf(type));
    cells.push_back({fromBits(bits, type)});
  }
  INLAY_ASSIGN(BlockEnd end, runBlock(kernel.front(), cells));
  return {};
}

} // namespace inlay::reference
