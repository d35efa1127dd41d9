// reduce and associative_scan: a jit function becomes the region that combines two elements.
#include "compiler/frontends/triton/Builtins.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace inlay::triton {

namespace {

/// The operands of a reduction: a tensor or a tuple of tensors of one shape.
std::optional<std::vector<Tensor>> operandsOf(Emitter &emitter, const BoundArguments &arguments) {
  Value::Elements single{arguments[0]};
  const Value::Elements &values = arguments[0].asTuple() ? *arguments[0].asTuple() : single;
  std::vector<Tensor> operands;
  for (const Value &value : values) {
    Value tensor = emitter.semantics().toTensor(value, "what is combined");
    if (tensor.isPoison())
      return std::nullopt;
    operands.push_back(*tensor.asTensor());
  }
  if (operands.empty()) {
    emitter.errorAt(arguments.span(0), "there is nothing to combine in an empty tuple");
    return std::nullopt;
  }
  for (const Tensor &operand : operands)
    if (operand.type.shape != operands[0].type.shape) {
      emitter.errorAt(arguments.span(0),
                      fmt::format("what is combined together must have one shape, not {} and {}",
                                  toString(operands[0].type), toString(operand.type)));
      return std::nullopt;
    }
  return operands;
}

/// The region knows no branches: both sides are computed and one is selected.
void flattenConditionals(Region &region, OpBuilder &builder) {
  OpBuilder::InsertionGuard guard(builder);
  region.walk([&](scf::IfOp ifOp) {
    Operation *yields[2] = {ifOp.thenBlock()->getTerminator(),
                            ifOp.elseBlock() ? ifOp.elseBlock()->getTerminator() : nullptr};
    SmallVector<mlir::Value> selected;
    for (Block *block : {ifOp.thenBlock(), ifOp.elseBlock()})
      if (block)
        for (Operation &op : llvm::make_early_inc_range(block->without_terminator()))
          op.moveBefore(ifOp);
    builder.setInsertionPoint(ifOp);
    for (size_t i = 0; i < ifOp.getNumResults(); ++i)
      selected.push_back(arith::SelectOp::create(builder, ifOp.getLoc(), ifOp.getCondition(),
                                                 yields[0]->getOperand(i),
                                                 yields[1]->getOperand(i)));
    ifOp.replaceAllUsesWith(selected);
    ifOp.erase();
  });
}

/// Takes out what nothing uses: a helper may make a tensor only to ask for its dtype.
void eraseUnused(Region &region) {
  for (Block &block : region)
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
}

/// Only scalar arithmetic can combine elements; false after an error about anything else.
bool checkCombination(Emitter &emitter, Region &region) {
  bool isGood = true;
  region.walk([&](Operation *op) {
    bool isScalar = llvm::none_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
    if (isGood && (!isScalar || op->getNumRegions() != 0 || !isMemoryEffectFree(op))) {
      emitter.error("a function that combines elements can only compute with its arguments, but "
                    "this one contains {}",
                    op->getName().getStringRef().str());
      isGood = false;
    }
  });
  return isGood;
}

/// Fills the region of a reduction or scan; false after an error.
bool emitCombination(Emitter &emitter, Region &region, const std::vector<Tensor> &operands,
                     const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  OpBuilder::InsertionGuard guard(semantics.builder);
  Block *block = semantics.builder.createBlock(&region);
  CallArguments call;
  call.span = emitter.span();
  for (int side = 0; side < 2; ++side)
    for (const Tensor &operand : operands) {
      Type element = operand.type.element();
      mlir::Value argument =
          block->addArgument(irType(semantics.builder.getContext(), element), semantics.location);
      call.positional.push_back(Value::tensor({element, argument}));
      call.positionalSpans.push_back(emitter.span());
    }
  Value result = emitter.call(arguments[2], std::move(call));
  if (result.containsPoison())
    return false;
  Value::Elements single{result};
  const Value::Elements &results = result.asTuple() ? *result.asTuple() : single;
  bool fits = results.size() == operands.size();
  SmallVector<mlir::Value> yielded;
  for (size_t i = 0; fits && i < results.size(); ++i) {
    Value tensor = semantics.toTensor(results[i], "what is combined");
    fits = tensor.asTensor() && tensor.asTensor()->type == operands[i].type.element();
    if (fits)
      yielded.push_back(tensor.asTensor()->handle);
  }
  if (!fits) {
    std::string expected;
    for (const Tensor &operand : operands)
      expected += (expected.empty() ? "" : ", ") + toString(operand.type.element());
    emitter.errorAt(arguments.span(2),
                    fmt::format("the function that combines elements of type ({}) must return the "
                                "same types, not {}",
                                expected, describe(result)));
    return false;
  }
  tile::YieldOp::create(semantics.builder, semantics.location, yielded);
  flattenConditionals(region, semantics.builder);
  eraseUnused(region);
  return checkCombination(emitter, region);
}

Value asGiven(const BoundArguments &arguments, Value::Elements results) {
  return arguments[0].asTuple() ? Value::tuple(std::move(results)) : results[0];
}

Value reduce(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  std::optional<std::vector<Tensor>> operands = operandsOf(emitter, arguments);
  auto keepsDims = arguments.boolean(emitter, 3);
  if (!operands || !keepsDims)
    return Value::poison();
  size_t rank = (*operands)[0].type.shape.size();
  bool isFlat = arguments[1].isNone();
  int64_t axis = 0;
  if (isFlat) {
    int64_t count = numElements((*operands)[0].type.shape);
    for (Tensor &operand : *operands)
      operand =
          *semantics.reshape(operand, {count}, /*allowReorder=*/operands->size() == 1).asTensor();
  } else {
    auto given = arguments.integer(emitter, 1);
    std::optional<int64_t> checked =
        given ? semantics.axisIn(*given, (*operands)[0].type) : std::nullopt;
    if (!checked)
      return Value::poison();
    axis = *checked;
  }
  Region region;
  if (!emitCombination(emitter, region, *operands, arguments))
    return Value::poison();
  std::vector<int64_t> shape = (*operands)[0].type.shape;
  shape.erase(shape.begin() + axis);
  SmallVector<mlir::Value> sources;
  SmallVector<mlir::Type> types;
  for (const Tensor &operand : *operands) {
    sources.push_back(operand.handle);
    types.push_back(irType(semantics.builder.getContext(), operand.type.withShape(shape)));
  }
  auto op = tile::ReduceOp::create(semantics.builder, semantics.location, types, sources,
                                   static_cast<int32_t>(axis));
  op.getCombine().takeBody(region);
  Value::Elements results;
  for (size_t i = 0; i < operands->size(); ++i) {
    Tensor result{(*operands)[i].type.withShape(shape), op.getResult(i)};
    size_t missing = !*keepsDims ? 0 : isFlat ? std::max<size_t>(rank, 1) : 1;
    for (size_t k = 0; k < missing; ++k)
      result = *semantics.expandDims(result, axis).asTensor();
    results.push_back(Value::tensor(result));
  }
  return asGiven(arguments, std::move(results));
}

Value scan(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  std::optional<std::vector<Tensor>> operands = operandsOf(emitter, arguments);
  auto given = arguments.integer(emitter, 1);
  auto isReversed = arguments.boolean(emitter, 3);
  if (!operands || !given || !isReversed)
    return Value::poison();
  std::optional<int64_t> axis = semantics.axisIn(*given, (*operands)[0].type);
  Region region;
  if (!axis || !emitCombination(emitter, region, *operands, arguments))
    return Value::poison();
  SmallVector<mlir::Value> sources;
  for (const Tensor &operand : *operands)
    sources.push_back(operand.handle);
  auto op =
      tile::ScanOp::create(semantics.builder, semantics.location, ValueRange(sources).getTypes(),
                           sources, static_cast<int32_t>(*axis), *isReversed);
  op.getCombine().takeBody(region);
  Value::Elements results;
  for (size_t i = 0; i < operands->size(); ++i)
    results.push_back(Value::tensor({(*operands)[i].type, op.getResult(i)}));
  return asGiven(arguments, std::move(results));
}

constexpr Builtin kBuiltins[] = {
    {"reduce", "input, axis, combine_fn, keep_dims=False", reduce, true},
    {"associative_scan", "input, axis, combine_fn, reverse=False", scan, true},
};

} // namespace

std::span<const Builtin> reduceBuiltins() { return kBuiltins; }

} // namespace inlay::triton
