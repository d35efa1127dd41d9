// Loads of a loop's next iterations while one computes.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-pipeline-loads".
///
/// In an innermost scf.for with more than one stage (tile.num_stages of the loop, else of the
/// module, else 3), loads that feed a dot become copies into a ring in shared memory, begun `stages
/// - 1` iterations ahead; each iteration waits for its own copies and begins those of a later one:
///
///   for … { a = load p; dot(a, …); p += s }
///     →  copy p0 into r[0]; p1 = p0 + s; copy p1 into r[1]; …
///        for … { wait; a = shared_load r[i % n]; copy p' into r[(i - 1) % n]; dot(a, …); p' += s }
///
/// Loads by maps of tensors become tile.tensor_copy, whose barriers the wait is for. A slot's phase
/// ends once for each iteration, also past the last one, where nothing is copied:
///
///   for … { async_wait … for b[i % n] parity (i / n) % 2; …; tensor_copy … if more into r, b[…] }
///
/// With tile.num_stages on the loop itself, loads that feed no dot are copied too. Copies past the
/// last iteration are masked off and touch no memory.
///
/// Requires   tile-assign-layouts has run.
/// Leaves     loads whose runs of 4 bytes or more are not proved aligned and under one mask, those
/// alone      whose address depends on another load or whose pointer the loop stores through, loops
///            with barriers or atomics, and loops whose rings do not fit into shared memory; a
///            remark says why. Different pointers are taken to address different memory.
std::unique_ptr<mlir::Pass> createPipelineLoadsPass();

} // namespace inlay::tile
