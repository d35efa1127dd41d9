// Sorting along one dimension, and the largest or smallest elements in order.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// The lines that are sorted, and how much of each is kept.
struct Sorting {
  Lines lines;
  size_t dim;
  Expr kept;
  bool isDescending;
  bool placesOnly;
};

Result<Sorting> readSorting(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  if (!isFloat(self.dtype) && self.dtype != DataType::Bool && self.dtype != DataType::UInt8 &&
      dataTypeKind(self.dtype) != DataTypeKind::Signed)
    return unimplemented("'self' is {}; sorting it is not supported", dataTypeName(self.dtype));
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), self.shape.size()));
  const Lines lines = linesAlong(self.shape, dim);
  const std::optional<Expr> count = hasAttribute(node, "k") ? findSize(node, "k") : std::nullopt;
  return Sorting{lines, dim, count.value_or(lines.length),
                 boolOf(node, hasAttribute(node, "largest") ? "largest" : "descending"),
                 node.opName.starts_with("aten::argsort")};
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_ASSIGN(const Sorting sorting, readSorting(node));
  PluginDescription description;
  TensorSpec out = inputOf(node, "self");
  if (!out.shape.empty())
    out.shape[sorting.dim] = sorting.kept;
  if (!sorting.placesOnly)
    description.outputs.push_back(out);
  description.outputs.push_back({DataType::Int64, out.shape});
  if (hasAttribute(node, "k"))
    description.requirements.push_back(
        {logicalAnd(lessEqual(0, sorting.kept), lessEqual(sorting.kept, sorting.lines.length)),
         fmt::format("k is from 0 to {}, the size of dimension {}", sorting.lines.length.toString(),
                     sorting.dim)});
  return description;
}

Result<PluginImplementation> implement(const PluginNode &node) {
  INLAY_ASSIGN(const Sorting sorting, readSorting(node));
  const Lines &lines = sorting.lines;
  const int64_t block = tileFor(lines.length, 1, 32, 32), chunk = tileFor(lines.length, 1, 64, 64);
  LaunchBuilder launch("sorting.py", "rank_kernel");
  launch.input(inputIndex(node, "self"))
      .optionalOutput("out_ptr", sorting.placesOnly ? std::nullopt : std::optional(0u))
      .output(sorting.placesOnly ? 0 : 1)
      .sizes({lines.length, lines.inner, sorting.kept})
      .constant("IS_DESCENDING", sorting.isDescending)
      .constant("BLOCK", block)
      .constant("CHUNK", chunk);
  return launch.over(lines.outer * lines.inner * ceilDiv(lines.length, block));
}

} // namespace

void addSortingOperators(OperatorDefinitions &definitions) {
  for (std::string_view schema :
       {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor "
        "indices)",
        "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
        "(Tensor values, Tensor indices)",
        "aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor",
        "aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> "
        "Tensor",
        "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
        "(Tensor values, Tensor indices)"})
    addOperator(definitions, schema, {describe, implement});
}

} // namespace inlay
