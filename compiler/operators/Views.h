// Elements of a tensor found at strides, and how operators name a part of a dimension.
#pragma once

#include "compiler/operators/StandardOperator.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// Element (i, j, …) is element offset + i·strides[0] + j·strides[1] … of a dense tensor.
struct StridedView {
  std::vector<Expr> shape;
  Expr offset;
  std::vector<Expr> strides;
};

/// All of a dense tensor.
StridedView wholeView(const TensorSpec &tensor);

/// The results of a view operator, of its first input.
struct StridedViews {
  std::vector<StridedView> views;
  std::vector<PluginRequirement> requirements;
  bool keepsOrder = false; // has all elements in their order, whatever the sizes are
};

/// Elements of an input, in their order, and where in a result they become those of a view.
struct Move {
  uint32_t input = 0;
  StridedView from;
  uint32_t output = 0;
  StridedView to;
};

struct Moves {
  std::vector<Move> list;
};

/// An operator that does nothing but such moves, and a launch for each; elements are converted to
/// the result's type. `name` is the kernel's.
OperatorFunctions copying(Result<PluginDescription> (*describe)(const PluginNode &),
                          Result<Moves> (*movesOf)(const PluginNode &), std::string name);

struct ViewOperator {
  std::string_view schema;
  Result<StridedViews> (*views)(const PluginNode &node);
};
/// Adds operators whose results are such views. Where all elements lie in the order of the input,
/// the result is the input's memory; elsewhere they are copied.
void addViews(OperatorDefinitions &definitions, std::span<const ViewOperator> operators);

/// The view that arguments "size", "stride" and "storage_offset" say.
Result<StridedViews> stridedView(const PluginNode &node);

/// Every `step`-th element from `start`, before `end`; both between 0 and the size.
struct SliceRange {
  Expr start, end, step;
  bool isOrdered = false; // start is known not to be behind end
};
Expr sliceLength(const PluginNode &node, const SliceRange &range);
/// The attributes start, end and step of a node, for a dimension of a size. Errors: InvalidArgument
/// for a step that is not known to be 1 or more.
Result<SliceRange> sliceRangeOf(const PluginNode &node, const Expr &size);
/// The attribute index of a node, counted from the front; that it is within the dimension is added
/// to `requirements`. Errors: InvalidArgument if it never is.
Result<Expr> selectedIndex(const PluginNode &node, const Expr &size,
                           std::vector<PluginRequirement> &requirements);

} // namespace inlay
