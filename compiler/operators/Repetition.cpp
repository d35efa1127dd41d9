// Operators whose elements are those of their input, taken repeatedly or in another order.
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"

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

} // namespace

void addRepetitionOperators(OperatorDefinitions &definitions) {
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
