// Elements of a tensor at places that tensors of indices name, to be taken or written.
#pragma once

#include "compiler/operators/LaunchBuilder.h"

namespace inlay {

/// One dimension of the elements that are moved, and how far each tensor advances along it: the
/// indexed tensor, then those of indices, then, if elements are written, the one they come from.
struct PlaceDimension {
  Expr size;
  std::vector<Expr> steps;
};

/// A tensor of indices: which of the inputs it is, and size and stride of the dimension that it
/// indexes.
struct PlaceIndex {
  uint32_t input;
  Expr size, step;
};

struct Places {
  std::vector<PlaceDimension> dimensions;
  std::vector<PlaceIndex> indices;
  std::vector<PluginRequirement> requirements;
  bool hasSource = false; // elements are written

  std::vector<Expr> shape() const;
  /// Adds the tensor that elements come from, which is broadcast to the shape.
  Status addSource(std::span<const Expr> source);
  /// Adds such a tensor by its strides.
  void addSourceSteps(std::span<const Expr> steps);
};

/// Errors: Unimplemented for a mask, InvalidArgument for what are no indices.
Status checkIndices(const PluginNode &node, uint32_t input);
/// The places of aten::index.Tensor and index_put: the dimensions of the indices, broadcast, stand
/// where the indexed dimensions were if those are neighbours, else in front.
Result<Places> readIndexList(const PluginNode &node);
/// Those of whole slices: `index` has one dimension.
Result<Places> readSlices(const PluginNode &node);
/// Those of aten::gather and scatter: `index` says of each element where it is along "dim".
Result<Places> readElements(const PluginNode &node);

/// Ends a launch whose kernel begins with the arguments in the builder: adds what a kernel of
/// ops/gather.py is told of places. Errors: Unimplemented for too many dimensions.
Result<PluginImplementation> overPlaces(LaunchBuilder &launch, const Places &places);
/// The same for a kernel whose programs take their elements in order, and share those dimensions
/// along which no two lead to one place.
Result<PluginImplementation> inOrderOfPlaces(LaunchBuilder &launch, const Places &places);

} // namespace inlay
