// Convolutions on GPUs whose windows move by single elements, as products that read a copy of the
// input at a shift for each tap.
#pragma once

#include "compiler/operators/ConvolutionForm.h"
#include "compiler/operators/Tails.h"

#include <optional>

namespace inlay {

/// The input is copied once for each column of the window, between zeros where it has padding. The
/// elements that all pixels see through one tap are then a run of the copy, which begins at a whole
/// row: a product copies it to shared memory by 16 bytes, out of a copy as much smaller than all
/// that the pixels see as the window has rows. Nothing where it cannot be or does not pay: steps,
/// unknown sizes, small inputs, rows or planes of which too much would be padding. `tail` may be
/// null.
std::optional<PluginImplementation>
implementShifted(const PluginNode &node, const ConvolutionForm &form, const GroupTail *tail);

} // namespace inlay
