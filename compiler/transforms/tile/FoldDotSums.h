// Sums with dots become the dots' accumulators.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-fold-dot-sums": `acc += dot(a, b)` is `dot(a, b, acc)`.
///
///   %d = tile.dot %a, %b, %zero; %s = arith.addf %x, %d   →   %s = tile.dot %a, %b, %x
///
/// Guarantees  the sum is one of the dot's, whose order is unspecified.
/// Leaves alone  dots with other uses, or with an accumulator that is not known to be zero.
std::unique_ptr<mlir::Pass> createFoldDotSumsPass();

} // namespace inlay::tile
