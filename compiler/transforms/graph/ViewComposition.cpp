#include "compiler/transforms/graph/ViewComposition.h"

#include "compiler/operators/Shapes.h"
#include "compiler/transforms/graph/ViewFacts.h"

namespace inlay::graph {
namespace {

/// A dimension of a view: how many elements, and how far apart.
struct Dimension {
  Expr size, stride;
};

/// The dimensions of a view without those of size 1; neighbours that are walked through as one are
/// one.
std::vector<Dimension> mergedDimensions(const StridedView &view) {
  std::vector<Dimension> merged;
  for (size_t dim = 0; dim < view.shape.size(); ++dim) {
    const Dimension next{view.shape[dim], view.strides[dim]};
    if (next.size == Expr(1))
      continue;
    if (!merged.empty() && merged.back().stride == next.stride * next.size)
      merged.back() = {merged.back().size * next.size, next.stride};
    else
      merged.push_back(next);
  }
  return merged;
}

/// A step of a view in the dense tensor of another view: along which of that one's dimensions, and
/// how many elements far.
struct Step {
  size_t dimension;
  Expr count;
};

std::optional<Step> findStep(const Expr &stride, std::span<const Expr> dense) {
  for (size_t dim = 0; dim < dense.size(); ++dim) {
    if (stride == dense[dim])
      return Step{dim, Expr(1)};
    const auto wanted = stride.constantValue(), run = dense[dim].constantValue();
    if (wanted && run && *run <= *wanted)
      return *wanted % *run == 0 ? std::optional(Step{dim, Expr(*wanted / *run)}) : std::nullopt;
    // Whole rows, as many as a size that is not known.
    if (!wanted && run && *run > 0 && floorDiv(stride, *run) * Expr(*run) == stride)
      return Step{dim, floorDiv(stride, *run)};
  }
  return std::nullopt;
}

/// Two dimensions in place of one that walks through a whole dimension of another view and on along
/// the one before it; nullopt where it does not, or where its runs are not of one length.
std::optional<std::pair<Dimension, Dimension>> splitDimension(const Dimension &outer,
                                                              const Step &step,
                                                              std::span<const Expr> sizes,
                                                              std::span<const Expr> dense) {
  const auto size = outer.size.constantValue(), count = step.count.constantValue(),
             limit = sizes[step.dimension].constantValue();
  if (!size || !count || !limit || step.dimension == 0 || (*size - 1) * *count < *limit ||
      *limit % *count != 0 || *size % (*limit / *count) != 0)
    return std::nullopt;
  const int64_t run = *limit / *count;
  return std::pair(Dimension{Expr(*size / run), dense[step.dimension - 1]},
                   Dimension{Expr(run), outer.stride});
}

/// True if places `first` to `first + last` are known to lie in a dimension.
bool liesWithin(const Expr &first, const Expr &last, const Expr &size) {
  const Expr end = first + last + Expr(1);
  const auto most = end.constantValue(), limit = size.constantValue();
  return end == size || (most && limit && *most <= *limit);
}

/// An operator of aten::as_strided's arguments.
CallOp makeServed(PassContext &context, mlir::OpBuilder &builder, mlir::Location location,
                  llvm::StringRef op, const std::string &node, mlir::ValueRange inputs,
                  mlir::ArrayRef<llvm::StringRef> names, const StridedView &view, TensorType type) {
  const mlir::ArrayAttr offset = sizesAttribute(builder.getContext(), view.offset);
  const std::pair<llvm::StringRef, mlir::Attribute> arguments[] = {
      {"size", sizesAttribute(builder.getContext(), view.shape)},
      {"stride", sizesAttribute(builder.getContext(), view.strides)},
      {"storage_offset", offset[0]}};
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  for (const auto &[name, value] : arguments)
    attributes.push_back(builder.getNamedAttr(name, value));
  auto call = CallOp::create(builder, location, mlir::TypeRange(type), builder.getStringAttr(op),
                             builder.getStringAttr(node), inputs, builder.getStrArrayAttr(names),
                             builder.getDictionaryAttr(attributes));
  if (context.findStandard(call))
    return call;
  context.erase(call);
  return {};
}

} // namespace

std::optional<StridedView> composed(const StridedView &outer, const StridedView &inner) {
  const std::vector<Dimension> dims = mergedDimensions(inner);
  std::vector<Expr> sizes, dense, first(dims.size(), Expr(0)), last(dims.size(), Expr(0));
  for (const Dimension &dim : dims)
    sizes.push_back(dim.size);
  dense = denseStrides(sizes);
  StridedView view{{}, inner.offset, {}};
  std::optional<int64_t> rest = outer.offset.constantValue();
  if (!rest || *rest < 0)
    return std::nullopt;
  for (size_t dim = 0; dim < dims.size(); ++dim)
    if (const auto run = dense[dim].constantValue(); run && *run > 0) {
      first[dim] = Expr(*rest / *run);
      view.offset = view.offset + first[dim] * dims[dim].stride;
      *rest %= *run;
    }
  if (*rest != 0)
    return std::nullopt;
  std::vector<Dimension> pending; // the next one last
  for (size_t dim = outer.shape.size(); dim-- > 0;)
    pending.push_back({outer.shape[dim], outer.strides[dim]});
  while (!pending.empty()) {
    const Dimension next = pending.back();
    pending.pop_back();
    Expr stride(0);
    if (next.size != Expr(1) && next.stride != Expr(0)) {
      const std::optional<Step> step = findStep(next.stride, dense);
      if (!step)
        return std::nullopt;
      if (auto split = splitDimension(next, *step, sizes, dense)) {
        pending.push_back(split->second);
        pending.push_back(split->first);
        continue;
      }
      last[step->dimension] = last[step->dimension] + (next.size - Expr(1)) * step->count;
      stride = dims[step->dimension].stride * step->count;
    }
    view.shape.push_back(next.size);
    view.strides.push_back(stride);
  }
  for (size_t dim = 0; dim < dims.size(); ++dim)
    if (!liesWithin(first[dim], last[dim], sizes[dim]))
      return std::nullopt;
  return view;
}

std::optional<StridedView> viewOf(PassContext &context, mlir::Value result) {
  auto call = result.getDefiningOp<CallOp>();
  const PluginChoice *choice = call ? context.findStandard(call) : nullptr;
  if (!choice || !choice->plugin->traits()->views)
    return std::nullopt;
  Result<StridedViews> views = choice->plugin->traits()->views(choice->node);
  if (!views.isOk() || views->views.size() != call.getNumResults() ||
      !llvm::all_of(views->requirements, [&](const PluginRequirement &requirement) {
        return knowledgeOf(choice->node, requirement.condition) == Knowledge::Always;
      }))
    return std::nullopt;
  return std::move(views->views[llvm::cast<mlir::OpResult>(result).getResultNumber()]);
}

CallOp makeStrided(PassContext &context, mlir::OpBuilder &builder, mlir::Location location,
                   const std::string &node, mlir::Value source, const StridedView &view) {
  return makeServed(context, builder, location, "aten::as_strided", node, source, {"self"}, view,
                    TensorType::of(builder.getContext(), {specOf(source).dtype, view.shape}));
}

CallOp makeStridedScatter(PassContext &context, mlir::OpBuilder &builder, mlir::Location location,
                          const std::string &node, mlir::Value tensor, mlir::Value written,
                          const StridedView &part) {
  return makeServed(context, builder, location, "aten::as_strided_scatter", node, {tensor, written},
                    {"self", "src"}, part, llvm::cast<TensorType>(tensor.getType()));
}

} // namespace inlay::graph
