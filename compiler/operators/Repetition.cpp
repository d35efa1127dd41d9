// Operators whose elements are those of their input, taken repeatedly or in another order.
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"

#include "base/Error.h"

namespace inlay {
namespace {

Result<PluginDescription> describeRepeat(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  std::vector<Expr> shape = sizesOf(node, "repeats");
  if (shape.size() < self.shape.size())
    return invalidArgument("repeats has {} entries for a tensor of rank {}", shape.size(),
                           self.shape.size());
  const size_t first = shape.size() - self.shape.size();
  for (size_t dim = 0; dim < self.shape.size(); ++dim)
    shape[first + dim] = shape[first + dim] * self.shape[dim];
  PluginDescription description;
  description.outputs = {{self.dtype, std::move(shape)}};
  return description;
}

/// A copy of the first input whose element along each dimension is found by `at(dim, coordinate)`.
template <typename At>
Result<PluginImplementation> implementGathered(const PluginNode &node, std::string name, At at) {
  const std::vector<Expr> &shape = node.inputs[0].shape, &domain = node.outputs[0].shape;
  const std::vector<Expr> strides = denseStrides(shape);
  const size_t first = domain.size() - shape.size();
  LoopKernel kernel(node, std::move(name), domain);
  std::string index;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    index +=
        fmt::format("{}{} * {}", index.empty() ? "" : " + ",
                    at(kernel, dim, kernel.coordinate(first + dim)), kernel.integer(strides[dim]));
  kernel.loadAt("x", 0, index.empty() ? "offsets * 0" : index);
  kernel.store(0, denseAccess(domain), "x");
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<PluginImplementation> implementRepeat(const PluginNode &node) {
  return implementGathered(
      node, "repeat", [&](LoopKernel &kernel, size_t dim, const std::string &coordinate) {
        return fmt::format("({} % {})", coordinate, kernel.integer(node.inputs[0].shape[dim]));
      });
}

/// As repeat, but dimensions that `dims` does not name are not repeated.
PluginNode asRepeat(const PluginNode &node) {
  PluginNode repeat = node;
  std::vector<Expr> repeats = sizesOf(node, "dims");
  const size_t rank = inputOf(node, "self").shape.size();
  if (repeats.size() < rank)
    repeats.insert(repeats.begin(), rank - repeats.size(), Expr(1));
  repeat.sizeAttributes["repeats"] = std::move(repeats);
  return repeat;
}

Result<PluginDescription> describeTile(const PluginNode &node) {
  return describeRepeat(asRepeat(node));
}

Result<PluginDescription> describeLikeSelf(const PluginNode &node) {
  PluginDescription description;
  description.outputs = {inputOf(node, "self")};
  return description;
}

/// How far each dimension is rolled; a tensor rolled along no dimension is rolled as if it were
/// flat.
Result<std::vector<Expr>> shiftsOf(const PluginNode &node, std::span<const Expr> shape) {
  const std::vector<Expr> shifts = sizesOf(node, "shifts");
  std::vector<int64_t> given = integersOf(node, "dims");
  if (given.empty() && shape.size() == 1)
    given = {0};
  INLAY_ASSIGN(const std::vector<size_t> dims, dimensionsOf(given, shape.size()));
  if (dims.size() != shifts.size())
    return invalidArgument("shifts has {} entries, dims {}", shifts.size(), dims.size());
  std::vector<Expr> result(shape.size(), Expr(0));
  for (size_t i = 0; i < dims.size(); ++i)
    result[dims[i]] =
        shape[dims[i]] == Expr(0) ? Expr(0) : mod(shifts[i], max(Expr(1), shape[dims[i]]));
  return result;
}

Result<PluginImplementation> implementRoll(const PluginNode &node) {
  PluginNode flat = node;
  if (integersOf(node, "dims").empty())
    flat.inputs[0].shape = flat.outputs[0].shape = {inputOf(node, "self").numel()};
  INLAY_ASSIGN(const std::vector<Expr> shifts, shiftsOf(flat, flat.inputs[0].shape));
  return implementGathered(
      flat, "roll", [&](LoopKernel &kernel, size_t dim, const std::string &coordinate) {
        if (shifts[dim] == Expr(0))
          return coordinate;
        const Expr &size = flat.inputs[0].shape[dim];
        return fmt::format("(({} + {}) % {})", coordinate, kernel.integer(size - shifts[dim]),
                           kernel.integer(size));
      });
}

// -- each element several times in a row

/// The dimension along which elements are repeated; nullopt for a tensor that is repeated as if it
/// were flat.
Result<std::optional<size_t>> interleavedDimension(const PluginNode &node) {
  if (isNone(node, "dim"))
    return std::optional<size_t>();
  INLAY_ASSIGN(const size_t dim,
               dimensionOf(integerOf(node, "dim"), inputOf(node, "self").shape.size()));
  return std::optional(dim);
}

Result<PluginDescription> describeInterleave(const PluginNode &node) {
  INLAY_ASSIGN(const std::optional<size_t> dim, interleavedDimension(node));
  const TensorSpec &self = inputOf(node, "self");
  const Expr repeats = *findSize(node, "repeats");
  TensorSpec output{self.dtype, {self.numel()}};
  if (dim)
    output.shape = self.shape;
  Expr &size = output.shape[dim.value_or(0)];
  size = size * repeats;
  PluginDescription description;
  description.requirements.push_back(
      {lessEqual(Expr(0), repeats),
       fmt::format("'repeats' is 0 or more, but it is {}", repeats.toString())});
  if (const std::optional<Expr> asked = findSize(node, "output_size"); asked && !(*asked == size))
    description.requirements.push_back(
        {equal(*asked, size), fmt::format("'output_size' is {}, and the result has {}",
                                          asked->toString(), size.toString())});
  description.outputs = {std::move(output)};
  return description;
}

Result<PluginImplementation> implementInterleave(const PluginNode &node) {
  INLAY_ASSIGN(const std::optional<size_t> dim, interleavedDimension(node));
  PluginNode flat = node;
  if (!dim)
    flat.inputs[0].shape = {inputOf(node, "self").numel()};
  const Expr repeats = *findSize(node, "repeats");
  return implementGathered(
      flat, "repeat_interleave",
      [&](LoopKernel &kernel, size_t at, const std::string &coordinate) -> std::string {
        return at == dim.value_or(0)
                   ? fmt::format("({} // {})", coordinate, kernel.integer(repeats))
                   : coordinate;
      });
}

// -- several tensors, each repeated

/// Which dimension of a grid a tensor lies along: with the indexing "xy" the first two change
/// places.
Result<size_t> gridDimension(const PluginNode &node, size_t input) {
  const std::string indexing = hasAttribute(node, "indexing") ? textOf(node, "indexing") : "ij";
  if (indexing != "ij" && indexing != "xy")
    return invalidArgument("indexing is '{}'; expected 'ij' or 'xy'", indexing);
  return indexing == "xy" && node.inputs.size() > 1 && input < 2 ? 1 - input : input;
}

Result<PluginDescription> describeGrid(const PluginNode &node) {
  std::vector<Expr> shape(node.inputs.size(), Expr(1));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].shape.size() > 1)
      return invalidArgument("tensor {} has the shape {}; expected rank 0 or 1", i,
                             shapeText(node.inputs[i].shape));
    INLAY_ASSIGN(const size_t dim, gridDimension(node, i));
    shape[dim] = node.inputs[i].numel();
  }
  PluginDescription description;
  for (const TensorSpec &input : node.inputs)
    description.outputs.push_back({input.dtype, shape});
  return description;
}

Result<Moves> movesOfGrid(const PluginNode &node) {
  Moves moves;
  for (uint32_t i = 0; i < node.inputs.size(); ++i) {
    INLAY_ASSIGN(const size_t dim, gridDimension(node, i));
    const std::vector<Expr> &shape = node.outputs[i].shape;
    StridedView from{shape, Expr(0), std::vector<Expr>(shape.size(), Expr(0))};
    from.strides[dim] = Expr(1);
    moves.list.push_back({i, std::move(from), i, wholeView(node.outputs[i])});
  }
  return moves;
}

Result<PluginDescription> describeBroadcast(const PluginNode &node) {
  std::vector<std::vector<Expr>> shapes;
  for (const TensorSpec &input : node.inputs)
    shapes.push_back(input.shape);
  PluginDescription description;
  INLAY_ASSIGN(const std::vector<Expr> shape,
               broadcastShapes(node, shapes, description.requirements));
  for (const TensorSpec &input : node.inputs)
    description.outputs.push_back({input.dtype, shape});
  return description;
}

Result<Moves> movesOfBroadcast(const PluginNode &node) {
  Moves moves;
  for (uint32_t i = 0; i < node.inputs.size(); ++i) {
    const std::vector<Expr> &shape = node.outputs[i].shape;
    StridedAccess from = broadcastAccess(node.inputs[i].shape, shape);
    moves.list.push_back({i,
                          {shape, std::move(from.offset), std::move(from.strides)},
                          i,
                          wholeView(node.outputs[i])});
  }
  return moves;
}

// -- channels and neighbours change places

struct Shuffle {
  Expr images, channels, height, width; // of the input
  int64_t factor;
};

Result<Shuffle> readShuffle(const PluginNode &node, std::string_view factor) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  if (shape.size() < 3)
    return invalidArgument("'self' has rank {}; expected 3 or more", shape.size());
  const size_t rank = shape.size();
  Shuffle shuffle{productOf(std::span(shape).first(rank - 3)), shape[rank - 3], shape[rank - 2],
                  shape[rank - 1], integerOf(node, factor)};
  if (shuffle.factor < 1)
    return invalidArgument("{} is {}; expected at least 1", factor, shuffle.factor);
  return shuffle;
}

PluginDescription shuffled(const PluginNode &node, const Expr &channels, const Expr &height,
                           const Expr &width, const Expr &isWhole, std::string message) {
  PluginDescription description;
  TensorSpec out = inputOf(node, "self");
  const size_t rank = out.shape.size();
  out.shape[rank - 3] = channels;
  out.shape[rank - 2] = height;
  out.shape[rank - 1] = width;
  description.outputs = {std::move(out)};
  description.requirements.push_back({isWhole, std::move(message)});
  return description;
}

Result<PluginDescription> describePixelShuffle(const PluginNode &node) {
  INLAY_ASSIGN(const Shuffle s, readShuffle(node, "upscale_factor"));
  const int64_t square = s.factor * s.factor;
  return shuffled(node, floorDiv(s.channels, square), s.height * Expr(s.factor),
                  s.width * Expr(s.factor), equal(mod(s.channels, square), 0),
                  fmt::format("the number of channels, {}, is a multiple of {}",
                              s.channels.toString(), square));
}

Result<PluginDescription> describePixelUnshuffle(const PluginNode &node) {
  INLAY_ASSIGN(const Shuffle s, readShuffle(node, "downscale_factor"));
  return shuffled(node, s.channels * Expr(s.factor * s.factor), floorDiv(s.height, s.factor),
                  floorDiv(s.width, s.factor),
                  logicalAnd(equal(mod(s.height, s.factor), 0), equal(mod(s.width, s.factor), 0)),
                  fmt::format("height {} and width {} are multiples of {}", s.height.toString(),
                              s.width.toString(), s.factor));
}

/// `index` makes the text of the place in the input of the coordinates [channel, row, column].
template <typename Index>
Result<PluginImplementation> implementShuffle(const PluginNode &node, std::string name,
                                              Index index) {
  const std::vector<Expr> &domain = node.outputs[0].shape;
  const size_t rank = domain.size();
  LoopKernel kernel(node, std::move(name), domain);
  std::string image = "0";
  for (size_t dim = 0; dim + 3 < rank; ++dim)
    image =
        fmt::format("(({}) * {} + {})", image, kernel.integer(domain[dim]), kernel.coordinate(dim));
  kernel.loadAt("x", 0,
                index(kernel, image, kernel.coordinate(rank - 3), kernel.coordinate(rank - 2),
                      kernel.coordinate(rank - 1)));
  kernel.store(0, denseAccess(domain), "x");
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<PluginImplementation> implementPixelShuffle(const PluginNode &node) {
  INLAY_ASSIGN(const Shuffle s, readShuffle(node, "upscale_factor"));
  return implementShuffle(
      node, "pixel_shuffle",
      [&](LoopKernel &kernel, const std::string &image, const std::string &channel,
          const std::string &row, const std::string &column) {
        return fmt::format("((({0} * {1} + ({2} * {3} + {4} % {3}) * {3} + {5} % {3}) * {6} + {4} "
                           "// {3}) * {7} + {5} // {3})",
                           image, kernel.integer(s.channels), channel, s.factor, row, column,
                           kernel.integer(s.height), kernel.integer(s.width));
      });
}

Result<PluginImplementation> implementPixelUnshuffle(const PluginNode &node) {
  INLAY_ASSIGN(const Shuffle s, readShuffle(node, "downscale_factor"));
  return implementShuffle(
      node, "pixel_unshuffle",
      [&](LoopKernel &kernel, const std::string &image, const std::string &channel,
          const std::string &row, const std::string &column) {
        return fmt::format("((({0} * {1} + {2} // {8}) * {6} + {4} * {3} + {2} // {3} % {3}) * {7} "
                           "+ {5} * {3} + {2} % {3})",
                           image, kernel.integer(s.channels), channel, s.factor, row, column,
                           kernel.integer(s.height), kernel.integer(s.width), s.factor * s.factor);
      });
}

} // namespace

void addRepetitionOperators(OperatorDefinitions &definitions) {
  addOperator(
      definitions, "aten::tile(Tensor self, SymInt[] dims) -> Tensor",
      {describeTile, [](const PluginNode &node) { return implementRepeat(asRepeat(node)); }});
  addOperator(definitions, "aten::meshgrid(Tensor[] tensors) -> Tensor[]",
              copying(describeGrid, movesOfGrid, "meshgrid"));
  addOperator(definitions, "aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]",
              copying(describeGrid, movesOfGrid, "meshgrid"));
  addOperator(definitions, "aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]",
              copying(describeBroadcast, movesOfBroadcast, "broadcast"));
  addOperator(definitions, "aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor",
              {describePixelShuffle, implementPixelShuffle});
  addOperator(definitions, "aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor",
              {describePixelUnshuffle, implementPixelUnshuffle});
  addOperator(definitions, "aten::repeat(Tensor self, SymInt[] repeats) -> Tensor",
              {describeRepeat, implementRepeat});
  addOperator(definitions,
              "aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, "
              "SymInt? output_size=None) -> Tensor",
              {describeInterleave, implementInterleave});
  addOperator(definitions, "aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor",
              {describeLikeSelf, implementRoll});
}

} // namespace inlay
