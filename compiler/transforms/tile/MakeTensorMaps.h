// Accesses through tensor descriptors by the GPU's copy engine.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-make-tensor-maps".
///
/// Gives each described tensor that the copy engine can read a map, made at the kernel's beginning,
/// and turns its accesses into those of the engine:
///
///   x = descriptor_load p sizes m, n strides n, 1 offsets i, j
///     →  map = tensor_map p sizes m, n strides n, 1; …; x = reshape (tensor_load map[i, j])
///
/// The engine writes pieces of 16 bytes. A store into a tensor whose rows are not proved to end
/// with such a piece is made by the engine if they do, and as before otherwise.
///
/// Leaves     alone, with a remark: elements or padding that the engine does not know; a base,
///            strides or a last offset that are not proved to be multiples of 16 bytes; descriptors
///            made from values that exist only inside of a loop or branch; blocks of more than a
///            third of the shared memory or 64 boxes. tile-expand-descriptors turns those into
///            pointers, as on targets without maps.
std::unique_ptr<mlir::Pass> createMakeTensorMapsPass();

} // namespace inlay::tile
