// Kernels in an engine: how a compiled kernel is written, and engines that hold one kernel and
// nothing else, which a runtime device can load and launch.
#pragma once

#include "base/Status.h"
#include "compiler/driver/CompileKernels.h"
#include "engine/EngineLayout.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace inlay {

/// The schema's form of a kernel; the code of its images is appended to `segments`.
std::unique_ptr<fb::KernelT> writeKernel(const CompiledKernel &kernel, const std::string &source,
                                         std::vector<MaybeOwnedBytes> &segments);

/// Compiles the only kernel of a tile module for one target and gives the bytes of an engine
/// without inputs, outputs and steps that holds it. Errors: those of Target::compile.
Result<std::vector<std::byte>> compileKernelEngine(mlir::ModuleOp module, const Target &target);

} // namespace inlay
