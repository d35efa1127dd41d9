// Walking through the elements of tensors whose sizes are known.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace inlay::graph {

inline int64_t countOf(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

/// Calls `visit` with an element's number and its coordinates, for all of a shape in order.
template <typename Visit>
void forEachElement(const std::vector<int64_t> &shape, Visit visit) {
  std::vector<int64_t> coordinates(shape.size(), 0);
  for (size_t i = 0, count = static_cast<size_t>(countOf(shape)); i < count; ++i) {
    visit(i, std::as_const(coordinates));
    for (size_t dim = coordinates.size(); dim-- > 0;) {
      if (++coordinates[dim] < shape[dim])
        break;
      coordinates[dim] = 0;
    }
  }
}

/// Where the element of those coordinates lies, of which `strides` says how far it advances along
/// each dimension.
inline int64_t placeOf(const std::vector<int64_t> &coordinates,
                       const std::vector<int64_t> &strides) {
  int64_t place = 0;
  for (size_t dim = 0; dim < coordinates.size(); ++dim)
    place += coordinates[dim] * strides[dim];
  return place;
}

} // namespace inlay::graph
