// Operators whose results are elements of their input, found at strides: views, splits, flips.
// Where the elements lie in the order of the input the result is the input's memory; elsewhere they
// are copied.
#include "compiler/operators/Views.h"

#include "base/Error.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <numeric>

namespace inlay {
namespace {

using ViewFunction = decltype(ViewOperator::views);

const TensorSpec &selfOf(const PluginNode &node) { return *findInput(node, "self"); }

/// All elements in their order, under another shape.
StridedViews reshaped(std::vector<Expr> shape) {
  std::vector<Expr> strides = denseStrides(shape);
  return {{{std::move(shape), Expr(0), std::move(strides)}}, {}, true};
}

Result<StridedViews> same(const PluginNode &node) { return reshaped(node.inputs[0].shape); }

Result<StridedViews> evaluationDropout(const PluginNode &node) {
  if (boolOf(node, "train"))
    return unimplemented(
        "dropout in training mode is not supported; export the model in evaluation "
        "mode, after model.eval()");
  return same(node);
}

/// Sizes with one of them, -1, inferred so that there are as many elements.
Result<std::vector<Expr>> inferredSizes(std::vector<Expr> sizes, std::span<const Expr> from) {
  const auto isInferred = [](const Expr &size) { return size == Expr(-1); };
  const auto inferred = std::ranges::find_if(sizes, isInferred);
  if (inferred == sizes.end())
    return sizes;
  if (std::ranges::count_if(sizes, isInferred) != 1)
    return invalidArgument("the shape {} has more than one -1", shapeText(sizes));
  // Sizes that both have cancel, so that what is inferred stays a plain size.
  std::vector<Expr> numerator(from.begin(), from.end());
  Expr denominator(1);
  for (const Expr &size : sizes) {
    if (isInferred(size))
      continue;
    if (const auto equal = std::ranges::find(numerator, size);
        equal != numerator.end() && size != Expr(0))
      numerator.erase(equal);
    else
      denominator = denominator * size;
  }
  if (denominator == Expr(0))
    return invalidArgument("the -1 of the shape {} stands for no size, because the others have no "
                           "elements",
                           shapeText(sizes));
  *inferred =
      denominator == Expr(1) ? productOf(numerator) : floorDiv(productOf(numerator), denominator);
  return sizes;
}

Result<StridedViews> viewAs(const PluginNode &node, std::string_view attribute) {
  INLAY_ASSIGN(std::vector<Expr> shape,
               inferredSizes(sizesOf(node, attribute), selfOf(node).shape));
  const Expr from = selfOf(node).numel(), to = productOf(shape);
  if (knowledgeOf(node, equal(from, to)) == Knowledge::Never)
    return invalidArgument("the shape {} has {} elements, expected the {} of {}", shapeText(shape),
                           to.toString(), from.toString(), shapeText(selfOf(node).shape));
  return reshaped(std::move(shape));
}

Result<StridedViews> view(const PluginNode &node) { return viewAs(node, "size"); }
Result<StridedViews> reshape(const PluginNode &node) { return viewAs(node, "shape"); }
Result<StridedViews> asOther(const PluginNode &node) {
  return reshaped(findInput(node, "other")->shape);
}

Result<StridedViews> flatten(const PluginNode &node) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  INLAY_ASSIGN(const size_t first, dimensionOf(integerOf(node, "start_dim"), shape.size()));
  INLAY_ASSIGN(const size_t last, dimensionOf(integerOf(node, "end_dim"), shape.size()));
  if (shape.empty())
    return reshaped({Expr(1)});
  if (first > last)
    return invalidArgument("start_dim {} is behind end_dim {}", first, last);
  std::vector<Expr> flat(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(first));
  flat.push_back(productOf(std::span(shape).subspan(first, last - first + 1)));
  flat.insert(flat.end(), shape.begin() + static_cast<std::ptrdiff_t>(last) + 1, shape.end());
  return reshaped(std::move(flat));
}

Result<StridedViews> ravel(const PluginNode &node) { return reshaped({selfOf(node).numel()}); }

Result<StridedViews> unflatten(const PluginNode &node) {
  std::vector<Expr> shape = selfOf(node).shape;
  if (shape.empty())
    return invalidArgument("a tensor of rank 0 has no dimension to unflatten");
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), shape.size()));
  INLAY_ASSIGN(const std::vector<Expr> sizes,
               inferredSizes(sizesOf(node, "sizes"), std::span(shape).subspan(dim, 1)));
  const auto at = shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dim));
  shape.insert(at, sizes.begin(), sizes.end());
  return reshaped(std::move(shape));
}

Result<StridedViews> unsqueeze(const PluginNode &node) {
  std::vector<Expr> shape = selfOf(node).shape;
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), shape.size() + 1));
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(dim), Expr(1));
  return reshaped(std::move(shape));
}

/// Without those of some dimensions whose size is 1. A size that changes between runs is not 1.
StridedViews squeezed(const PluginNode &node, std::span<const size_t> dims) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  std::vector<Expr> kept;
  std::vector<PluginRequirement> requirements;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    const bool isAsked = std::ranges::find(dims, dim) != dims.end();
    if (isAsked && shape[dim] == Expr(1))
      continue;
    kept.push_back(shape[dim]);
    const Expr condition = notEqual(shape[dim], Expr(1));
    if (isAsked && knowledgeOf(node, condition) != Knowledge::Always)
      requirements.push_back({condition, fmt::format("the size {} of dimension {}, which changes "
                                                     "between runs, is not 1: it is not squeezed",
                                                     shape[dim].toString(), dim)});
  }
  StridedViews views = reshaped(std::move(kept));
  views.requirements = std::move(requirements);
  return views;
}

Result<StridedViews> squeezeAll(const PluginNode &node) {
  std::vector<size_t> dims(selfOf(node).shape.size());
  std::iota(dims.begin(), dims.end(), size_t{0});
  return squeezed(node, dims);
}
Result<StridedViews> squeezeOne(const PluginNode &node) {
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), selfOf(node).shape.size()));
  return squeezed(node, std::vector{dim});
}
Result<StridedViews> squeezeSome(const PluginNode &node) {
  INLAY_ASSIGN(const std::vector<size_t> dims,
               dimensionsOf(integersOf(node, "dim"), selfOf(node).shape.size()));
  return squeezed(node, dims);
}

/// Dimension i of the result is dimension order[i] of the input.
StridedViews permuted(const PluginNode &node, std::span<const size_t> order) {
  const StridedView from = wholeView(selfOf(node));
  StridedView to{{}, Expr(0), {}};
  for (size_t dim : order) {
    to.shape.push_back(from.shape[dim]);
    to.strides.push_back(from.strides[dim]);
  }
  return {{std::move(to)}, {}};
}

Result<StridedViews> permute(const PluginNode &node) {
  const size_t rank = selfOf(node).shape.size();
  INLAY_ASSIGN(const std::vector<size_t> order, dimensionsOf(integersOf(node, "dims"), rank));
  if (order.size() != rank)
    return invalidArgument("dims has {} entries for a tensor of rank {}", order.size(), rank);
  return permuted(node, order);
}

Result<StridedViews> swapped(const PluginNode &node, std::string_view a, std::string_view b) {
  const size_t rank = selfOf(node).shape.size();
  INLAY_ASSIGN(const size_t first, dimensionOf(integerOf(node, a), rank));
  INLAY_ASSIGN(const size_t second, dimensionOf(integerOf(node, b), rank));
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  if (rank > 0)
    std::swap(order[first], order[second]);
  return permuted(node, order);
}

Result<StridedViews> transpose(const PluginNode &node) { return swapped(node, "dim0", "dim1"); }
Result<StridedViews> swapAxes(const PluginNode &node) { return swapped(node, "axis0", "axis1"); }

Result<StridedViews> reversed(const PluginNode &node) {
  std::vector<size_t> order(selfOf(node).shape.size());
  std::iota(order.rbegin(), order.rend(), size_t{0});
  return permuted(node, order);
}

Result<StridedViews> transposeMatrix(const PluginNode &node) {
  if (selfOf(node).shape.size() > 2)
    return invalidArgument("a tensor of rank {} has no transpose, expected 2 or less",
                           selfOf(node).shape.size());
  return reversed(node);
}

/// The last two dimensions change places.
Result<StridedViews> transposeLast(const PluginNode &node) {
  const size_t rank = selfOf(node).shape.size();
  if (rank < 2)
    return invalidArgument("a tensor of rank {} is no matrix, expected 2 or more", rank);
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  std::swap(order[rank - 1], order[rank - 2]);
  return permuted(node, order);
}

Result<StridedViews> moved(const PluginNode &node, const std::vector<int64_t> &source,
                           const std::vector<int64_t> &destination) {
  const size_t rank = selfOf(node).shape.size();
  INLAY_ASSIGN(const std::vector<size_t> from, dimensionsOf(source, rank));
  INLAY_ASSIGN(const std::vector<size_t> to, dimensionsOf(destination, rank));
  if (from.size() != to.size())
    return invalidArgument("source has {} entries, destination {}", from.size(), to.size());
  std::vector<std::optional<size_t>> order(rank);
  for (size_t i = 0; i < from.size(); ++i)
    order[to[i]] = from[i];
  std::vector<size_t> result;
  size_t next = 0;
  for (const std::optional<size_t> &moved : order) {
    while (!moved && std::ranges::find(from, next) != from.end())
      ++next;
    result.push_back(moved ? *moved : next++);
  }
  return permuted(node, result);
}

Result<StridedViews> moveDimensions(const PluginNode &node) {
  return moved(node, integersOf(node, "source"), integersOf(node, "destination"));
}
Result<StridedViews> moveDimension(const PluginNode &node) {
  return moved(node, {integerOf(node, "source")}, {integerOf(node, "destination")});
}

Result<StridedViews> expanded(const PluginNode &node, std::vector<Expr> shape) {
  const StridedView from = wholeView(selfOf(node));
  if (shape.size() < from.shape.size())
    return invalidArgument("a tensor of rank {} cannot be expanded to {}", from.shape.size(),
                           shapeText(shape));
  const size_t first = shape.size() - from.shape.size();
  StridedViews views{{{std::move(shape), Expr(0), {}}}, {}};
  StridedView &to = views.views[0];
  to.strides.assign(to.shape.size(), Expr(0));
  for (size_t dim = 0; dim < from.shape.size(); ++dim) {
    const Expr &size = from.shape[dim];
    Expr &wanted = to.shape[first + dim];
    if (wanted == Expr(-1))
      wanted = size;
    if (size == Expr(1) && wanted != Expr(1))
      continue;
    const Expr condition = equal(size, wanted);
    if (size != wanted && knowledgeOf(node, condition) == Knowledge::Never)
      return invalidArgument("dimension {} of size {} cannot be expanded to {}", dim,
                             size.toString(), wanted.toString());
    if (size != wanted && knowledgeOf(node, condition) == Knowledge::DependsOnSizes)
      views.requirements.push_back(
          {condition, fmt::format("the size {} of dimension {} is {}; a size that changes between "
                                  "runs is not expanded",
                                  size.toString(), dim, wanted.toString())});
    to.strides[first + dim] = from.strides[dim];
  }
  for (const Expr &size : to.shape)
    if (size == Expr(-1))
      return invalidArgument("a new dimension has the size -1");
  return views;
}

Result<StridedViews> expand(const PluginNode &node) {
  return expanded(node, sizesOf(node, "size"));
}
Result<StridedViews> expandAs(const PluginNode &node) {
  return expanded(node, findInput(node, "other")->shape);
}

Result<StridedViews> flip(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  INLAY_ASSIGN(const std::vector<size_t> dims,
               dimensionsOf(integersOf(node, "dims"), view.shape.size()));
  for (size_t dim : dims) {
    view.offset = view.offset + (view.shape[dim] - Expr(1)) * view.strides[dim];
    view.strides[dim] = -view.strides[dim];
  }
  return StridedViews{{std::move(view)}, {}};
}

Result<StridedViews> diagonal(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  INLAY_ASSIGN(const std::vector<size_t> dims,
               dimensionsOf(std::array{integerOf(node, "dim1"), integerOf(node, "dim2")},
                            view.shape.size()));
  const int64_t offset = integerOf(node, "offset");
  const size_t first = dims[0], second = dims[1];
  view.offset =
      offset >= 0 ? Expr(offset) * view.strides[second] : Expr(-offset) * view.strides[first];
  const Expr rows = view.shape[first] + Expr(std::min<int64_t>(offset, 0)),
             columns = view.shape[second] - Expr(std::max<int64_t>(offset, 0));
  view.shape.push_back(max(min(rows, columns), 0));
  view.strides.push_back(view.strides[first] + view.strides[second]);
  for (size_t dim : {std::max(first, second), std::min(first, second)}) {
    view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(dim));
    view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(dim));
  }
  return StridedViews{{std::move(view)}, {}};
}

constexpr ViewOperator kViews[] = {
    {"aten::alias(Tensor(a) self) -> Tensor(a)", same},
    {"aten::detach(Tensor(a) self) -> Tensor(a)", same},
    {"aten::lift_fresh(Tensor(a) self) -> Tensor(a)", same},
    {"aten::lift_fresh_copy(Tensor self) -> Tensor", same},
    {"aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", same},
    {"aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=contiguous_format) -> "
     "Tensor(a)",
     same},
    {"aten::dropout(Tensor input, float p, bool train) -> Tensor", evaluationDropout},
    {"aten::feature_dropout(Tensor input, float p, bool train) -> Tensor", evaluationDropout},
    {"aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor", evaluationDropout},
    {"aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", view},
    {"aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", reshape},
    {"aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)", asOther},
    {"aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)", asOther},
    {"aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)",
     flatten},
    {"aten::ravel(Tensor(a) self) -> Tensor(a)", ravel},
    {"aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)", unflatten},
    {"aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", unsqueeze},
    {"aten::squeeze(Tensor(a) self) -> Tensor(a)", squeezeAll},
    {"aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", squeezeOne},
    {"aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", squeezeSome},
    {"aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", permute},
    {"aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)", swapAxes},
    {"aten::t(Tensor(a) self) -> Tensor(a)", transposeMatrix},
    {"aten::mT(Tensor(a) self) -> Tensor(a)", transposeLast},
    {"aten::numpy_T(Tensor(a) self) -> Tensor(a)", reversed},
    {"aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)",
     moveDimensions},
    {"aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)", moveDimension},
    {"aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)", expand},
    {"aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)", expand},
    {"aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", expandAs},
    {"aten::flip(Tensor self, int[] dims) -> Tensor", flip},
    {"aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)", diagonal},
    {"aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", diagonal},
    {"aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? "
     "storage_offset=None) -> Tensor(a)",
     stridedView},
};

/// True if a view has all elements in their order.
bool isWhole(const StridedViews &views, size_t index, const TensorSpec &from) {
  if (views.keepsOrder)
    return true;
  const StridedView &view = views.views[index];
  const std::vector<Expr> dense = denseStrides(view.shape);
  if (view.offset != Expr(0) || productOf(view.shape) != from.numel())
    return false;
  for (size_t dim = 0; dim < dense.size(); ++dim)
    if (view.shape[dim] != Expr(1) && view.strides[dim] != dense[dim])
      return false;
  return true;
}

Result<PluginDescription> describe(ViewFunction function, const PluginNode &node) {
  INLAY_ASSIGN(StridedViews views, function(node));
  PluginDescription description;
  description.requirements = std::move(views.requirements);
  const TensorSpec &from = node.inputs[0];
  for (uint32_t i = 0; i < views.views.size(); ++i) {
    if (isWhole(views, i, from))
      description.sharedInputs.emplace(i, 0);
    description.outputs.push_back({from.dtype, std::move(views.views[i].shape)});
  }
  return description;
}

Result<PluginImplementation> implement(ViewFunction function, const PluginNode &node) {
  INLAY_ASSIGN(const StridedViews views, function(node));
  const std::string_view name = std::string_view(node.opName).substr(node.opName.find("::") + 2);
  PluginImplementation implementation;
  for (uint32_t i = 0; i < views.views.size(); ++i) {
    const StridedView &view = views.views[i];
    if (isWhole(views, i, node.inputs[0]))
      continue;
    LoopKernel kernel(node, std::string(name.substr(0, name.find('.'))), view.shape);
    kernel.load("x", 0, {view.offset, view.strides});
    kernel.store(i, denseAccess(view.shape), "x");
    INLAY_TRY(kernel.appendTo(implementation));
  }
  return implementation;
}

Result<PluginImplementation> implementMoves(const PluginNode &node, const std::string &name,
                                            const Moves &moves) {
  PluginImplementation implementation;
  for (const Move &move : moves.list) {
    LoopKernel kernel(node, name, move.from.shape);
    kernel.load("x", move.input, {move.from.offset, move.from.strides});
    kernel.store(move.output, {move.to.offset, move.to.strides},
                 converted("x", node.inputs[move.input].dtype, node.outputs[move.output].dtype));
    INLAY_TRY(kernel.appendTo(implementation));
  }
  return implementation;
}

} // namespace

StridedView wholeView(const TensorSpec &tensor) {
  return {tensor.shape, Expr(0), denseStrides(tensor.shape)};
}

Result<StridedViews> stridedView(const PluginNode &node) {
  StridedView view{sizesOf(node, "size"), findSize(node, "storage_offset").value_or(Expr(0)),
                   sizesOf(node, "stride")};
  if (view.shape.size() != view.strides.size())
    return invalidArgument("size has {} entries, stride {}", view.shape.size(),
                           view.strides.size());
  Expr last = view.offset;
  for (size_t dim = 0; dim < view.shape.size(); ++dim)
    last = last + (view.shape[dim] - Expr(1)) * view.strides[dim];
  const Expr isInside =
      logicalOr(equal(productOf(view.shape), Expr(0)), less(0, selfOf(node).numel() - last));
  return StridedViews{
      {std::move(view)},
      {{isInside, fmt::format("the last element, {}, is one of the {} of the tensor, "
                              "which is dense",
                              last.toString(), selfOf(node).numel().toString())}}};
}

OperatorFunctions copying(Result<PluginDescription> (*describe)(const PluginNode &),
                          Result<Moves> (*movesOf)(const PluginNode &), std::string name) {
  const auto implement =
      [movesOf, name = std::move(name)](const PluginNode &node) -> Result<PluginImplementation> {
    INLAY_ASSIGN(const Moves moves, movesOf(node));
    return implementMoves(node, name, moves);
  };
  return {describe, implement, "", {}, {.moves = movesOf}};
}

void addViews(OperatorDefinitions &definitions, std::span<const ViewOperator> ops) {
  for (const ViewOperator &op : ops)
    addOperator(
        definitions, op.schema,
        {[function = op.views](const PluginNode &node) { return describe(function, node); },
         [function = op.views](const PluginNode &node) { return implement(function, node); },
         "",
         {},
         {.views = op.views}});
}

void addViewOperators(OperatorDefinitions &definitions) { addViews(definitions, kViews); }

} // namespace inlay
