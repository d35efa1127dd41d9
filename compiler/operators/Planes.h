// Operators on planes: the last two dimensions of a tensor, of which a window is moved over.
#pragma once

#include "compiler/operators/LaunchBuilder.h"

namespace inlay {

/// A window and how it moves, by dimension: rows, columns.
struct Window {
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
};

/// Errors: InvalidArgument for strides, dilations or windows below 1 and a negative padding.
Status checkWindow(const Window &window);
/// Adds KERNEL_H, KERNEL_W, …; pools without dilation do not have DILATION_H.
void addWindow(LaunchBuilder &launch, const Window &window, bool hasDilation);

/// Rows and columns of the elements that one program computes.
struct PlaneTile {
  int64_t rows, columns;
};
PlaneTile planeTile(const Expr &height, const Expr &width);
/// Programs for so many planes; adds TILE_H and TILE_W.
PluginImplementation overPlanes(LaunchBuilder &launch, const Expr &planes, const Expr &height,
                                const Expr &width);

} // namespace inlay
