// Inline assembly, printing and run-time assertions.
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <bit>

using namespace mlir;

namespace inlay::triton {

namespace {

/// All tensors in one shape; types stay. False after an error.
bool broadcastAll(Semantics &semantics, std::vector<Tensor> &tensors) {
  // Twice: the first round finds the common shape in the first tensor.
  for (int round = 0; round < 2; ++round)
    for (size_t i = 1; i < tensors.size(); ++i)
      if (!semantics.broadcast(tensors[0], tensors[i]))
        return false;
  return true;
}

Value inlineAsm(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto text = arguments.string(emitter, 0), constraints = arguments.string(emitter, 1);
  auto isPure = arguments.boolean(emitter, 4);
  auto pack = arguments.integer(emitter, 5);
  if (!text || !constraints || !isPure || !pack)
    return Value::poison();
  if (*pack < 1 || *pack > 64 || !std::has_single_bit(static_cast<uint64_t>(*pack)))
    return emitter.errorAt(arguments.span(5),
                           fmt::format("'pack' must be a power of two, not {}", *pack));
  Value::Elements one{arguments[2]};
  std::vector<Tensor> operands;
  for (const Value &value : arguments[2].asTuple() ? *arguments[2].asTuple() : one) {
    Value tensor = semantics.toTensor(value, "an operand of inline assembly");
    if (tensor.isPoison())
      return tensor;
    operands.push_back(*tensor.asTensor());
  }
  Value::Elements single{arguments[3]};
  const Value::Elements &dtypes = arguments[3].asTuple() ? *arguments[3].asTuple() : single;
  if (dtypes.empty())
    return emitter.errorAt(arguments.span(3), "inline assembly needs at least one result type");
  if (!operands.empty() && !broadcastAll(semantics, operands))
    return Value::poison();
  std::vector<int64_t> shape = operands.empty() ? std::vector<int64_t>() : operands[0].type.shape;
  std::vector<Type> types;
  SmallVector<mlir::Type> resultTypes;
  SmallVector<mlir::Value> handles;
  for (const Value &dtype : dtypes) {
    if (!dtype.asDtype())
      return emitter.errorAt(arguments.span(3),
                             fmt::format("'dtype' must be dtypes, not {}", describe(dtype)));
    types.push_back(dtype.asDtype()->element().withShape(shape));
    resultTypes.push_back(irType(semantics.builder.getContext(), types.back()));
  }
  for (const Tensor &operand : operands)
    handles.push_back(operand.handle);
  auto op = tile::InlineAsmOp::create(semantics.builder, semantics.location, resultTypes, *text,
                                      *constraints, handles, *isPure, static_cast<int32_t>(*pack));
  Value::Elements results;
  for (size_t i = 0; i < types.size(); ++i)
    results.push_back(Value::tensor({types[i], op.getResult(static_cast<unsigned>(i))}));
  return arguments[3].asTuple() ? Value::tuple(std::move(results)) : results[0];
}

Value print(Emitter &emitter, const Value &prefix, std::span<const Value> values, bool isHex,
            Span prefixSpan) {
  Semantics &semantics = emitter.semantics();
  const std::string *text = prefix.asString();
  if (!text)
    return emitter.errorAt(
        prefixSpan,
        fmt::format("the prefix of what is printed must be a string, not {}", describe(prefix)));
  SmallVector<mlir::Value> handles;
  SmallVector<int32_t> isSignedFlags;
  for (const Value &value : values) {
    Value tensor = semantics.toTensor(value, "what is printed");
    if (tensor.isPoison())
      return tensor;
    const Type &type = tensor.asTensor()->type;
    handles.push_back(tensor.asTensor()->handle);
    isSignedFlags.push_back(type.isInteger() && isSigned(type.scalar) ? 1 : 0);
  }
  tile::PrintOp::create(semantics.builder, semantics.location, *text, isHex, handles,
                        isSignedFlags);
  return Value();
}

Value devicePrint(Emitter &emitter, const BoundArguments &arguments) {
  auto isHex = arguments.boolean(emitter, 2);
  if (!isHex)
    return Value::poison();
  return print(emitter, arguments[0], *arguments[1].asTuple(), *isHex, arguments.span(0));
}

/// Python's print is device_print; its first argument is the prefix if it is a string.
Value pythonPrint(Emitter &emitter, const BoundArguments &arguments) {
  std::span<const Value> values = *arguments[0].asTuple();
  bool hasPrefix = !values.empty() && values[0].asString();
  return print(emitter, hasPrefix ? values[0] : Value::string(""),
               values.subspan(hasPrefix ? 1 : 0),
               /*isHex=*/false, arguments.span(0));
}

/// Assertions exist in debug builds only.
Value deviceAssert(Emitter &emitter, const BoundArguments &arguments) {
  if (!emitter.options.isDebug)
    return Value();
  auto message = arguments.string(emitter, 1);
  if (!message)
    return Value::poison();
  return emitter.assertAtRunTime(arguments[0], *message, arguments[2]);
}

constexpr Builtin kBuiltins[] = {
    {"inline_asm_elementwise", "asm, constraints, args, dtype, is_pure, pack", inlineAsm},
    {"device_print", "prefix, *args, hex=False", devicePrint},
    {"builtins.print", "*args", pythonPrint},
    {"device_assert", "cond, msg='', mask=None", deviceAssert},
};

} // namespace

std::span<const Builtin> asmBuiltins() { return kBuiltins; }

Value Emitter::assertAtRunTime(const Value &condition, const std::string &message,
                               const Value &mask) {
  Value holds = semantics_.toTensor(condition, "the condition");
  if (!holds.isPoison())
    holds = semantics_.cast(*holds.asTensor(), {Scalar::Int1, false, false, {}});
  if (!holds.isPoison() && !mask.isNone()) {
    Value isOff = semantics_.toTensor(mask, "the mask");
    if (!isOff.isPoison())
      isOff = semantics_.unary("not", *isOff.asTensor());
    if (isOff.isPoison())
      return isOff;
    holds = semantics_.logical(false, holds, isOff);
  }
  if (holds.isPoison())
    return holds;
  tile::AssertOp::create(semantics_.builder, semantics_.location, holds.asTensor()->handle,
                         message);
  return Value();
}

} // namespace inlay::triton
