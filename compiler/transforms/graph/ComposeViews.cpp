// A view that is copied and the views in front of it become one view of what the first is of.
//
//   %t = permute(%x, …); %s = select(%t, 0, 1); %v = view(%s, …); %y = transpose(%v, 1, 2)
//     →   %y = as_strided(%x, …)
//
// Views in the order of their memory cost nothing and stay; of those that are copied, one copy is
// made in place of several. Requires that every dimension of the outer view lies within one of the
// inner one.
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

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

/// Where the elements of `outer` lie, a view of the dense result of `inner`, in the tensor that
/// this is a view of. A dimension may become several, which follow each other.
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

class ViewComposer {
public:
  explicit ViewComposer(PassContext &context) : context_(context) {}

  void compose(CallOp call) {
    if (isWholeView(context_, call))
      return;
    std::optional<StridedView> view = viewOf(call);
    if (!view)
      return;
    mlir::Value source = call.getInputs()[0];
    std::string skipped;
    mlir::Value best; // behind the last view that is copied
    StridedView bestView;
    while (auto before = source.getDefiningOp<CallOp>()) {
      const std::optional<StridedView> inner = viewOf(before);
      std::optional<StridedView> both = inner ? composed(*view, *inner) : std::nullopt;
      if (!both)
        break;
      view = std::move(both);
      source = before.getInputs()[0];
      if (isWholeView(context_, before))
        continue;
      skipped += (skipped.empty() ? "" : ", ") + before.getNode().str();
      best = source;
      bestView = *view;
    }
    if (best)
      replace(call, best, bestView, skipped);
  }

private:
  /// The only result of a call as a view of its first input, on no condition.
  std::optional<StridedView> viewOf(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice || call.getNumResults() != 1 || !choice->plugin->traits()->views)
      return std::nullopt;
    Result<StridedViews> views = choice->plugin->traits()->views(choice->node);
    if (!views.isOk() || views->views.size() != 1 ||
        !llvm::all_of(views->requirements, [&](const PluginRequirement &requirement) {
          return knowledgeOf(choice->node, requirement.condition) == Knowledge::Always;
        }))
      return std::nullopt;
    return std::move(views->views[0]);
  }

  mlir::Attribute attributeOf(const Expr &size) {
    mlir::Builder builder(context_.model().getContext());
    if (const std::optional<int64_t> constant = size.constantValue())
      return builder.getI64IntegerAttr(*constant);
    return ExprAttr::get(builder.getContext(), builder.getStringAttr(size.toString()));
  }

  void replace(CallOp call, mlir::Value source, const StridedView &view,
               const std::string &skipped) {
    mlir::OpBuilder builder(call);
    const auto type = llvm::cast<TensorType>(call.getResult(0).getType());
    const auto viewType = TensorType::of(builder.getContext(), {type.getSpec().dtype, view.shape});
    const auto named = [&](llvm::StringRef name, mlir::Attribute value) {
      return builder.getNamedAttr(name, value);
    };
    const std::string node = call.getNode().str();
    auto strided = CallOp::create(
        builder, call.getLoc(), mlir::TypeRange(viewType),
        builder.getStringAttr("aten::as_strided"),
        builder.getStringAttr(viewType == type ? node : node + ".strided"), source,
        builder.getStrArrayAttr({"self"}),
        builder.getDictionaryAttr({named("size", listOf(view.shape)),
                                   named("stride", listOf(view.strides)),
                                   named("storage_offset", attributeOf(view.offset))}));
    const bool isServed = context_.findStandard(strided) != nullptr;
    if (isServed && viewType == type) {
      call.getResult(0).replaceAllUsesWith(strided.getResult(0));
      context_.erase(call);
    } else if (!isServed ||
               !replaceCall(
                   context_, call, "aten::reshape", strided.getResult(0), {"self"},
                   builder.getDictionaryAttr(named("shape", listOf(type.getSpec().shape))))) {
      return context_.erase(strided);
    }
    context_.applied(node, fmt::format("takes its elements from in front of {}", skipped));
  }

  mlir::ArrayAttr listOf(const std::vector<Expr> &sizes) {
    llvm::SmallVector<mlir::Attribute> attributes;
    for (const Expr &size : sizes)
      attributes.push_back(attributeOf(size));
    return mlir::ArrayAttr::get(context_.model().getContext(), attributes);
  }

  PassContext &context_;
};

} // namespace

Status composeViews(PassContext &context) {
  ViewComposer composer(context);
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
    if (auto call = llvm::dyn_cast<CallOp>(op))
      composer.compose(call);
  return {};
}

} // namespace inlay::graph
