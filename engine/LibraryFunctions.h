// Kernels that are functions of libraries on the machine: images without code.
#pragma once

#include "engine/EngineFile.h"

namespace inlay {

/// True for a kernel whose images are functions of libraries. It can be missing on a machine, so
/// that only tactics that stand before the last one launch it, or engines that are made to measure
/// it.
bool isLibraryFunction(const fb::Kernel &kernel);

/// Their images, and that the last tactic of every order calls none. Indices must have been
/// verified. Errors: DataLoss naming the row.
Status verifyLibraryFunctions(const fb::Engine &engine);

} // namespace inlay
