// Builtins that move elements between places of tiles: join, split, gather, histogram, item.
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <bit>

using namespace mlir;

namespace inlay::triton {

namespace {

/// The element of a tile that has only one.
Tensor onlyElement(Semantics &semantics, const Tensor &input) {
  Tensor flat = *semantics.reshape(input, {1}, /*allowReorder=*/false).asTensor();
  Type element = input.type.element();
  mlir::Type type = irType(semantics.builder.getContext(), element);
  auto op = tile::ReduceOp::create(semantics.builder, semantics.location, type, flat.handle, 0);
  OpBuilder::InsertionGuard guard(semantics.builder);
  Block *block = semantics.builder.createBlock(&op.getCombine(), {}, {type, type},
                                               {semantics.location, semantics.location});
  tile::YieldOp::create(semantics.builder, semantics.location, block->getArgument(0));
  return {element, op.getResult(0)};
}

Value item(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  if (!input)
    return Value::poison();
  if (numElements(input->type.shape) != 1)
    return emitter.error("item needs a tensor of one element, not {}", toString(input->type));
  return input->type.isBlock() ? Value::tensor(onlyElement(emitter.semantics(), *input))
                               : Value::tensor(*input);
}

Value join(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto a = arguments.tensor(emitter, 0), b = arguments.tensor(emitter, 1);
  if (!a || !b || !semantics.broadcast(*a, *b))
    return Value::poison();
  if (a->type.element() != b->type.element())
    return emitter.error("join needs one element type, not {} and {}", toString(a->type),
                         toString(b->type));
  bool areScalars = !a->type.isBlock();
  if (areScalars) {
    a = semantics.splat(*a, {1});
    b = semantics.splat(*b, {1});
  }
  std::vector<int64_t> shape = a->type.shape;
  shape.push_back(2);
  if (std::string reason = checkBlockShape(shape); !reason.empty())
    return emitter.error("{}", reason);
  Tensor joined = semantics.make<tile::JoinOp>(a->type.withShape(shape), a->handle, b->handle);
  return areScalars ? semantics.reshape(joined, {2}, /*allowReorder=*/false)
                    : Value::tensor(joined);
}

Value split(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto input = arguments.tensor(emitter, 0);
  if (!input)
    return Value::poison();
  if (!input->type.isBlock() || input->type.shape.back() != 2)
    return emitter.error("split needs a tensor whose last dimension is 2, not {}",
                         toString(input->type));
  Tensor whole = *input;
  bool givesScalars = whole.type.shape.size() == 1;
  if (givesScalars)
    whole = *semantics.expandDims(whole, 0).asTensor();
  std::vector<int64_t> shape = whole.type.shape;
  shape.pop_back();
  Type type = whole.type.withShape(shape);
  mlir::Type ir = irType(semantics.builder.getContext(), type);
  auto op = tile::SplitOp::create(semantics.builder, semantics.location, ir, ir, whole.handle);
  Tensor parts[2] = {{type, op.getLhs()}, {type, op.getRhs()}};
  if (givesScalars)
    for (Tensor &part : parts)
      part = onlyElement(semantics, part);
  return Value::tuple({Value::tensor(parts[0]), Value::tensor(parts[1])});
}

Value gather(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto source = arguments.tensor(emitter, 0), indices = arguments.tensor(emitter, 1);
  auto given = arguments.integer(emitter, 2);
  if (!source || !indices || !given)
    return Value::poison();
  if (!indices->type.isInteger() || indices->type.isBool())
    return emitter.errorAt(arguments.span(1), fmt::format("indices must be integers, not {}",
                                                          toString(indices->type)));
  std::optional<int64_t> axis = semantics.axisIn(*given, source->type);
  if (!axis)
    return Value::poison();
  bool fits = source->type.shape.size() == indices->type.shape.size();
  for (size_t d = 0; fits && d < source->type.shape.size(); ++d)
    fits = static_cast<int64_t>(d) == *axis || source->type.shape[d] == indices->type.shape[d];
  if (!fits)
    return emitter.error("gather along axis {} needs indices of the source's shape in all other "
                         "dimensions, not {} for {}",
                         *axis, toString(indices->type), toString(source->type));
  return semantics.makeValue<tile::GatherOp>(source->type.withShape(indices->type.shape),
                                             source->handle, indices->handle,
                                             static_cast<int32_t>(*axis));
}

Value histogram(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto input = arguments.tensor(emitter, 0);
  auto bins = arguments.integer(emitter, 1);
  if (!input || !bins)
    return Value::poison();
  if (input->type.shape.size() != 1 || !input->type.isInteger())
    return emitter.errorAt(arguments.span(0),
                           fmt::format("histogram counts a block of integers of rank 1, not {}",
                                       toString(input->type)));
  if (std::string reason = checkBlockShape({*bins}); !reason.empty())
    return emitter.errorAt(arguments.span(1), reason);
  mlir::Value maskHandle;
  if (!arguments[2].isNone()) {
    auto mask = arguments.tensor(emitter, 2);
    if (!mask)
      return Value::poison();
    if (!mask->type.isBool())
      return emitter.errorAt(arguments.span(2),
                             fmt::format("a mask must be int1, not {}", toString(mask->type)));
    Value broadcasted = semantics.broadcastTo(*mask, input->type.shape);
    if (broadcasted.isPoison())
      return broadcasted;
    maskHandle = broadcasted.asTensor()->handle;
  }
  return semantics.makeValue<tile::HistogramOp>({Scalar::Int32, false, false, {*bins}},
                                                input->handle, maskHandle);
}

/// x[i] for i = part, part + pack, … of the flattened tensor.
std::vector<Tensor> splitByPack(Semantics &semantics, const Tensor &tensor, int64_t pack) {
  if (pack == 1)
    return {tensor};
  const int64_t half = numElements(tensor.type.shape) / 2;
  Tensor pairs = *semantics.reshape(tensor, {half, 2}, /*allowReorder=*/false).asTensor();
  Type type = tensor.type.withShape({half});
  mlir::Type ir = irType(semantics.builder.getContext(), type);
  auto op = tile::SplitOp::create(semantics.builder, semantics.location, ir, ir, pairs.handle);
  std::vector<Tensor> even = splitByPack(semantics, {type, op.getLhs()}, pack / 2),
                      odd = splitByPack(semantics, {type, op.getRhs()}, pack / 2), parts;
  // Halving takes every second element: the parts of the two halves alternate.
  for (size_t i = 0; i < even.size(); ++i) {
    parts.push_back(even[i]);
    parts.push_back(odd[i]);
  }
  return parts;
}

/// The reverse of splitByPack, in rank 1.
Tensor joinByPack(Semantics &semantics, std::span<const Tensor> parts) {
  if (parts.size() == 1)
    return parts[0];
  std::vector<Tensor> even, odd;
  for (size_t i = 0; i < parts.size(); ++i)
    (i % 2 ? odd : even).push_back(parts[i]);
  Tensor a = joinByPack(semantics, even), b = joinByPack(semantics, odd);
  const int64_t count = a.type.shape[0];
  Tensor joined = semantics.make<tile::JoinOp>(a.type.withShape({count, 2}), a.handle, b.handle);
  return *semantics.reshape(joined, {2 * count}, /*allowReorder=*/false).asTensor();
}

/// What the function of map_elementwise gave as tensors, `pack` in turn for each result.
Value collectMapped(Emitter &emitter, const Value &given, int64_t pack,
                    const std::vector<int64_t> &shape) {
  Semantics &semantics = emitter.semantics();
  Value::Elements single{given};
  const Value::Elements &values = given.asTuple() ? *given.asTuple() : single;
  if (values.size() % static_cast<size_t>(pack) != 0)
    return emitter.error("the function of map_elementwise with pack={} must give {} values for "
                         "each result, not {} in all",
                         pack, pack, values.size());
  Value::Elements results;
  for (size_t first = 0; first < values.size(); first += static_cast<size_t>(pack)) {
    std::vector<Tensor> parts;
    for (size_t i = first; i < first + static_cast<size_t>(pack); ++i) {
      Value part = semantics.toTensor(values[i], "a result of map_elementwise's function");
      if (!part.isPoison())
        part = semantics.broadcastTo(*part.asTensor(),
                                     pack == 1 ? shape : std::vector{numElements(shape) / pack});
      if (part.isPoison())
        return part;
      parts.push_back(*part.asTensor());
      if (!(parts.back().type == parts[0].type))
        return emitter.error("the values of one result of map_elementwise must have one type, not "
                             "{} and {}",
                             toString(parts[0].type), toString(parts.back().type));
    }
    results.push_back(
        pack == 1 ? Value::tensor(parts[0])
                  : semantics.reshape(joinByPack(semantics, parts), shape, /*allowReorder=*/false));
  }
  return results.size() == 1 ? results[0] : Value::tuple(std::move(results));
}

/// The function sees whole tiles, which gives each element what it would get by itself.
Value mapElementwise(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto pack = arguments.integer(emitter, 2);
  if (!pack)
    return Value::poison();
  std::vector<Tensor> tensors;
  for (const Value &value : *arguments[1].asTuple()) {
    Value tensor = semantics.toTensor(value, "an argument of map_elementwise");
    if (tensor.isPoison())
      return tensor;
    tensors.push_back(*tensor.asTensor());
  }
  if (tensors.empty())
    return emitter.error("map_elementwise needs at least one tensor");
  for (int round = 0; round < 2; ++round)
    for (Tensor &tensor : tensors)
      if (!semantics.broadcast(tensors[0], tensor))
        return Value::poison();
  const std::vector<int64_t> shape = tensors[0].type.shape;
  if (*pack < 1 || !std::has_single_bit(static_cast<uint64_t>(*pack)) || *pack > numElements(shape))
    return emitter.errorAt(arguments.span(2),
                           fmt::format("'pack' must be a power of two of at most the number of "
                                       "elements, {}, not {}",
                                       numElements(shape), *pack));
  CallArguments call;
  call.span = emitter.span();
  for (const Tensor &tensor : tensors)
    for (const Tensor &part : splitByPack(semantics, tensor, *pack)) {
      call.positional.push_back(Value::tensor(part));
      call.positionalSpans.push_back(emitter.span());
    }
  Value given = emitter.callElementwise(arguments[0], std::move(call));
  return given.containsPoison() ? Value::poison() : collectMapped(emitter, given, *pack, shape);
}

constexpr Builtin kBuiltins[] = {
    {"item", "x", item, true},
    {"join", "a, b", join},
    {"split", "a", split, true},
    {"gather", "src, index, axis", gather, true},
    {"histogram", "input, num_bins, mask=None", histogram, true},
    {"map_elementwise", "scalar_fn, *args, pack=1", mapElementwise},
};

} // namespace

std::span<const Builtin> rearrangeBuiltins() { return kBuiltins; }

} // namespace inlay::triton
