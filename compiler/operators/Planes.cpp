#include "compiler/operators/Planes.h"

#include "base/Error.h"

namespace inlay {

Status checkWindow(const Window &window) {
  for (size_t dim = 0; dim < 2; ++dim) {
    if (window.kernel[dim] < 1 || window.stride[dim] < 1 || window.dilation[dim] < 1)
      return invalidArgument("a window of {} with stride {} and dilation {} in dimension {}; "
                             "expected at least 1 of each",
                             window.kernel[dim], window.stride[dim], window.dilation[dim], dim);
    if (window.padding[dim] < 0)
      return invalidArgument("the padding in dimension {} is {}; expected at least 0", dim,
                             window.padding[dim]);
  }
  return {};
}

void addWindow(LaunchBuilder &launch, const Window &window, bool hasDilation) {
  const auto add = [&](const std::string &name, const std::array<int64_t, 2> &values) {
    launch.constant(name + "_H", values[0]).constant(name + "_W", values[1]);
  };
  add("KERNEL", window.kernel);
  add("STRIDE", window.stride);
  add("PADDING", window.padding);
  if (hasDilation)
    add("DILATION", window.dilation);
}

PlaneTile planeTile(const Expr &height, const Expr &width) {
  constexpr int64_t kElements = 512;
  const int64_t columns = tileFor(width, 1, 64, 32);
  return {tileFor(height, 1, kElements / columns, kElements / columns), columns};
}

PluginImplementation overPlanes(LaunchBuilder &launch, const Expr &planes, const Expr &height,
                                const Expr &width) {
  const PlaneTile tile = planeTile(height, width);
  launch.constant("TILE_H", tile.rows).constant("TILE_W", tile.columns);
  launch.warps(tile.rows * tile.columns >= 256 ? 4 : 1);
  return launch.over(planes * ceilDiv(height, tile.rows) * ceilDiv(width, tile.columns));
}

} // namespace inlay
