// Kernels that others compiled: files of code, read, compared with the launch and put into a plan.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inlay {

/// What a plan holds of a launch's files.
struct PrebuiltKernel {
  /// One dictionary per image: `format` ("ptx", "cubin", "cu", "o", "so"), `target` (what the
  /// author means it for: "cuda", "cuda:sm_90a", "cpu", "cpu:x86-64-v3"), `entry` and `code`; and
  /// as far as known `file` (its name), `architecture` ("sm_80"), `block`, `cluster`, `num_warps`,
  /// `shared`, `blocks_per_program`, `registers`, `ptx_version`, `cooperative`, `programmatic`.
  mlir::ArrayAttr images;
  /// Bytes for each program of the grid, of each scratch pointer that an image takes after the
  /// arguments: the most that any image asks for.
  std::vector<uint64_t> scratchBytes;
};

/// Reads the files of a launch and compares what they say of their parameters, blocks, clusters and
/// shared memory with it. What CUDA C++ says is known when it is compiled. Errors: NotFound (a
/// file), InvalidArgument or Unimplemented naming file, kernel, parameter, what was found and what
/// was expected.
Result<PrebuiltKernel> readPrebuiltKernel(mlir::Builder &builder, const PluginNode &node,
                                          const PluginLaunch &launch);

} // namespace inlay
