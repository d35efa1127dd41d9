#include "compiler/transforms/tile/InlineAssembly.h"

using namespace mlir;

namespace inlay::tile {

namespace {

constexpr unsigned kWordBits = 32;

/// Compares constraint `at` with a register of packed elements.
LogicalResult checkRegister(InlineAsmOp op, ArrayRef<ptx::Constraint> constraints, size_t at,
                            bool isOutput, size_t number, Type element) {
  const RegisterPacking packing(element, op.getPack());
  const char *what = isOutput ? "result" : "operand";
  if (at >= constraints.size() || constraints[at].isOutput != isOutput)
    return op.emitError("inline assembly: ")
           << what << " " << number << " of type " << element << " needs " << packing.numRegisters
           << " registers with pack " << op.getPack() << ", but the constraints '"
           << op.getConstraints() << "' have too few " << (isOutput ? "outputs" : "inputs");
  const ptx::Constraint &constraint = constraints[at];
  bool isPredicate = constraint.letter == 'b' && element.isInteger(1);
  unsigned bits = packing.perRegister * registerBitsOf(element);
  if (constraint.isImmediate() || isPredicate || constraint.width() >= bits)
    return success();
  return op.emitError("inline assembly: ")
         << what << " " << number << " of type " << element << " passes " << bits
         << " bits at a time with pack " << op.getPack() << ", but constraint '"
         << std::string(1, constraint.letter) << "' is a register of " << constraint.width();
}

} // namespace

unsigned registerBitsOf(Type element) {
  return std::max(8u, element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64);
}

RegisterPacking::RegisterPacking(Type element, unsigned pack)
    : perRegister(std::min(pack, std::max(1u, kWordBits / registerBitsOf(element)))),
      numRegisters(pack / perRegister) {}

FailureOr<std::vector<ptx::Constraint>> checkedConstraints(InlineAsmOp op) {
  auto constraints = ptx::parseConstraints(op.getConstraints());
  if (!constraints.isOk())
    return op.emitError("inline assembly: ") << constraints.status().message();
  size_t at = 0;
  for (bool isOutput : {true, false}) {
    TypeRange types = isOutput ? TypeRange(op.getResultTypes()) : TypeRange(op.getOperandTypes());
    for (auto [number, type] : llvm::enumerate(types)) {
      Type element = elementTypeOf(type);
      for (unsigned i = 0; i < RegisterPacking(element, op.getPack()).numRegisters; ++i, ++at)
        if (failed(checkRegister(op, *constraints, at, isOutput, number, element)))
          return failure();
    }
  }
  if (at != constraints->size())
    return op.emitError("inline assembly: the constraints '")
           << op.getConstraints() << "' name " << constraints->size()
           << " registers, but results and operands need " << at << " with pack " << op.getPack();
  return std::move(*constraints);
}

} // namespace inlay::tile
