// Operators whose results are parts of their input along a dimension.
#include "compiler/operators/Views.h"

#include "base/Error.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

const TensorSpec &selfOf(const PluginNode &node) { return *findInput(node, "self"); }

/// More results than any model has, and fewer than memory has room for.
constexpr int64_t kMostParts = 65536;

/// The attribute dim of a node. Errors: also InvalidArgument for a tensor without dimensions.
Result<size_t> partedDimension(const PluginNode &node) {
  const size_t rank = selfOf(node).shape.size();
  if (rank == 0)
    return invalidArgument("a tensor of rank 0 has no parts");
  return dimensionOf(integerOf(node, "dim"), rank);
}

/// An index as Python counts it, from the back where it is negative, brought between 0 and the
/// size.
Expr clampedIndex(const PluginNode &node, const Expr &index, const Expr &size) {
  const Interval bounds = boundsIn(node, index);
  Expr counted = index;
  if (bounds.max && *bounds.max < 0)
    counted = size + index;
  else if (!bounds.min || *bounds.min < 0)
    counted = select(less(index, Expr(0)), size + index, index);
  if (const auto constant = index.constantValue(); constant && *constant == INT64_MAX)
    return size;
  if (knowledgeOf(node, lessEqual(Expr(0), counted)) != Knowledge::Always)
    counted = max(Expr(0), counted);
  if (bounds.max && *bounds.max < 0)
    return counted; // never beyond the size
  // How far it is from the end says more than its own bounds: both may have the same symbol.
  const Interval rest = boundsIn(node, size - counted);
  if (rest.min && *rest.min >= 0)
    return counted;
  return rest.max && *rest.max <= 0 ? size : min(counted, size);
}

/// The elements from `start` to `end`, of every `step`-th, along a dimension.
void narrow(const PluginNode &node, StridedView &view, size_t dim, const SliceRange &range) {
  const Expr length = sliceLength(node, range);
  view.offset = view.offset + range.start * view.strides[dim];
  view.shape[dim] = length;
  view.strides[dim] = view.strides[dim] * range.step;
}

Result<StridedViews> slice(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  INLAY_ASSIGN(const SliceRange range, sliceRangeOf(node, view.shape[dim]));
  narrow(node, view, dim, range);
  return StridedViews{{std::move(view)}, {}};
}

Result<StridedViews> narrowed(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const Expr size = view.shape[dim], length = *findSize(node, "length");
  const Expr start = clampedIndex(node, *findSize(node, "start"), size);
  StridedViews views{
      {},
      {{lessEqual(start + length, size),
        fmt::format("elements {} to {} are within dimension {} of size {}", start.toString(),
                    (start + length).toString(), dim, size.toString())}}};
  narrow(node, view, dim, {start, start + length, Expr(1), true});
  view.shape[dim] = length;
  views.views.push_back(std::move(view));
  return views;
}

Result<StridedViews> selectOne(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  std::vector<PluginRequirement> requirements;
  INLAY_ASSIGN(const Expr index, selectedIndex(node, view.shape[dim], requirements));
  view.offset = index * view.strides[dim];
  view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(dim));
  view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(dim));
  return StridedViews{{std::move(view)}, std::move(requirements)};
}

/// Parts of a dimension, one behind the other.
StridedViews partsOf(const PluginNode &node, size_t dim, std::span<const Expr> sizes) {
  StridedViews views;
  Expr start(0);
  for (const Expr &size : sizes) {
    StridedView view = wholeView(selfOf(node));
    view.offset = start * view.strides[dim];
    view.shape[dim] = size;
    views.views.push_back(std::move(view));
    start = start + size;
  }
  return views;
}

Result<StridedViews> splitWithSizes(const PluginNode &node) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const std::vector<Expr> sizes = sizesOf(node, "split_sizes");
  StridedViews views = partsOf(node, dim, sizes);
  Expr sum(0);
  for (const Expr &size : sizes)
    sum = sum + size;
  views.requirements.push_back(
      {equal(sum, shape[dim]), fmt::format("the sizes {} add up to {}, the size of dimension {}",
                                           shapeText(sizes), shape[dim].toString(), dim)});
  return views;
}

/// Parts of `size` elements, the last of what is left. How many they are must be known.
Result<StridedViews> splitBy(const PluginNode &node, size_t dim, const Expr &size) {
  const Expr &whole = selfOf(node).shape[dim];
  if (const Interval sizes = boundsIn(node, size); !sizes.min || *sizes.min < 1)
    return invalidArgument("the size of a part is {}, expected 1 or more", size.toString());
  const Expr count = ceilDiv(whole, size);
  const Interval bounds = boundsIn(node, count);
  if (!bounds.max || bounds.min != bounds.max)
    return unimplemented(
        "dimension {} of size {} is split into a number of parts, {}, that changes "
        "between runs",
        dim, whole.toString(), count.toString());
  if (*bounds.max > kMostParts)
    return invalidArgument("there are {} parts, expected at most {}", *bounds.max, kMostParts);
  std::vector<Expr> sizes(static_cast<size_t>(std::max<int64_t>(1, *bounds.max)), size);
  sizes.back() = whole - Expr(static_cast<int64_t>(sizes.size()) - 1) * size;
  return partsOf(node, dim, sizes);
}

Result<StridedViews> split(const PluginNode &node) {
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  return splitBy(node, dim, *findSize(node, "split_size"));
}

Result<StridedViews> chunk(const PluginNode &node) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const int64_t chunks = integerOf(node, "chunks");
  if (chunks < 1 || chunks > kMostParts)
    return invalidArgument("chunks is {}, expected 1 to {}", chunks, kMostParts);
  const Expr &size = shape[dim];
  const Expr part = ceilDiv(size, Expr(chunks));
  if (size.isConstant())
    return size == Expr(0)
               ? partsOf(node, dim, std::vector<Expr>(static_cast<size_t>(chunks), Expr(0)))
               : splitBy(node, dim, part);
  // As many as were asked for, if the size is a multiple of them.
  StridedViews views = partsOf(
      node, dim, std::vector<Expr>(static_cast<size_t>(chunks), floorDiv(size, Expr(chunks))));
  views.requirements.push_back({equal(mod(size, Expr(chunks)), Expr(0)),
                                fmt::format("the size {} of dimension {}, which changes between "
                                            "runs, is a multiple of the number of chunks, {}",
                                            size.toString(), dim, chunks)});
  return views;
}

/// All parts of `size` neighbours whose starts are `step` apart; neighbours become the last
/// dimension.
Result<StridedViews> unfold(const PluginNode &node) {
  StridedView view = wholeView(selfOf(node));
  const Expr size = *findSize(node, "size"), step = *findSize(node, "step");
  if (view.shape.empty())
    return unimplemented("a tensor of rank 0 is unfolded; expected rank 1 or more");
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dimension"), view.shape.size()));
  if (const Interval bounds = boundsIn(node, step); !bounds.min || *bounds.min < 1)
    return invalidArgument("step is {}, expected 1 or more", step.toString());
  const Expr whole = view.shape[dim], stride = view.strides[dim];
  view.shape[dim] = floorDiv(whole - size, step) + Expr(1);
  view.strides[dim] = stride * step;
  view.shape.push_back(size);
  view.strides.push_back(stride);
  return StridedViews{{std::move(view)},
                      {{logicalAnd(lessEqual(Expr(0), size), lessEqual(size, whole)),
                        fmt::format("the size of a part, {}, is from 0 to {}, the size of "
                                    "dimension {}",
                                    size.toString(), whole.toString(), dim)}}};
}

/// Parts that begin at the start and at each index, as slices do.
Result<StridedViews> splitAt(const PluginNode &node) {
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const Expr &whole = selfOf(node).shape[dim];
  std::vector<Expr> ends = sizesOf(node, "indices");
  if (static_cast<int64_t>(ends.size()) >= kMostParts)
    return invalidArgument("there are {} parts, expected at most {}", ends.size() + 1, kMostParts);
  for (Expr &end : ends)
    end = clampedIndex(node, end, whole);
  ends.push_back(whole);
  StridedViews views;
  Expr start(0);
  for (const Expr &end : ends) {
    StridedView view = wholeView(selfOf(node));
    view.offset = start * view.strides[dim];
    const Expr length = end - start;
    const Interval bounds = boundsIn(node, length);
    view.shape[dim] = bounds.min && *bounds.min >= 0 ? length : max(Expr(0), length);
    views.views.push_back(std::move(view));
    start = end;
  }
  return views;
}

/// So many parts, of which the first have one element more than the last.
Result<StridedViews> splitEvenly(const PluginNode &node) {
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const Expr &whole = selfOf(node).shape[dim];
  const std::optional<int64_t> sections = findSize(node, "sections")->constantValue();
  if (!sections || *sections < 1 || *sections > kMostParts)
    return invalidArgument("sections is {}, expected a known number from 1 to {}",
                           findSize(node, "sections")->toString(), kMostParts);
  std::vector<Expr> sizes;
  for (int64_t i = 0; i < *sections; ++i)
    sizes.push_back(floorDiv(whole + Expr(*sections - 1 - i), *sections));
  return partsOf(node, dim, sizes);
}

Result<StridedViews> unbind(const PluginNode &node) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  INLAY_ASSIGN(const size_t dim, partedDimension(node));
  const std::optional<int64_t> count = shape[dim].constantValue();
  if (!count)
    return unimplemented("dimension {} is unbound into {} tensors, a number that changes between "
                         "runs",
                         dim, shape[dim].toString());
  if (*count > kMostParts)
    return invalidArgument("there are {} parts, expected at most {}", *count, kMostParts);
  StridedViews views = partsOf(node, dim, std::vector<Expr>(static_cast<size_t>(*count), Expr(1)));
  for (StridedView &view : views.views) {
    view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(dim));
    view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(dim));
  }
  return views;
}

constexpr ViewOperator kSlices[] = {
    {"aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt "
     "step=1) -> Tensor(a)",
     slice},
    {"aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)", narrowed},
    {"aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", selectOne},
    {"aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]", split},
    {"aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]",
     splitWithSizes},
    {"aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", chunk},
    {"aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]",
     splitAt},
    {"aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]",
     splitEvenly},
    {"aten::unfold(Tensor(a) self, int dimension, SymInt size, SymInt step) -> Tensor(a)", unfold},
    {"aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", unbind},
};

} // namespace

Expr sliceLength(const PluginNode &node, const SliceRange &range) {
  const Expr distance = range.end - range.start;
  const Expr length = range.step == Expr(1) ? distance : ceilDiv(distance, range.step);
  const Interval bounds = boundsIn(node, distance);
  const bool isOrdered = range.isOrdered || (bounds.min && *bounds.min >= 0);
  return isOrdered ? length : max(Expr(0), length);
}

Result<SliceRange> sliceRangeOf(const PluginNode &node, const Expr &size) {
  SliceRange range{Expr(0), size, *findSize(node, "step"), false};
  if (const std::optional<Expr> start = findSize(node, "start"))
    range.start = clampedIndex(node, *start, size);
  if (const std::optional<Expr> end = findSize(node, "end"))
    range.end = clampedIndex(node, *end, size);
  range.isOrdered = range.start == Expr(0) || range.end == size;
  if (const Interval bounds = boundsIn(node, range.step); !bounds.min || *bounds.min < 1)
    return invalidArgument("the step of a slice is {}, expected 1 or more", range.step.toString());
  return range;
}

Result<Expr> selectedIndex(const PluginNode &node, const Expr &size,
                           std::vector<PluginRequirement> &requirements) {
  const Expr index = *findSize(node, "index");
  const Interval bounds = boundsIn(node, index);
  Expr counted = index;
  if (bounds.max && *bounds.max < 0)
    counted = size + index;
  else if (!bounds.min || *bounds.min < 0)
    counted = select(less(index, Expr(0)), size + index, index);
  const Expr condition = logicalAnd(lessEqual(Expr(0), counted), less(counted, size));
  const std::string message =
      fmt::format("index {} is within a dimension of size {}", index.toString(), size.toString());
  if (knowledgeOf(node, condition) == Knowledge::Never)
    return invalidArgument("expected that {}", message);
  requirements.push_back({condition, message});
  return counted;
}

void addSliceOperators(OperatorDefinitions &definitions) { addViews(definitions, kSlices); }

} // namespace inlay
