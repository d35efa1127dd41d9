// Compiles one kernel by itself, from a Python file or a dumped tile module: what `inlay kernel
// compile` does.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// Version of the agreement between kernels and launchers: entry, parameters, launch shape. Printed
/// with every kernel.
inline constexpr int kKernelAbiVersion = 1;

struct KernelToolRequest {
  std::string
      path; // a Python file; a file named *.mlir is a tile module, as stage `tile` prints it
  std::string function;  // name of the @triton.jit function; may be empty for a tile module
  std::string signature; // "*fp32:16, i32, *fp32"; unused for a tile module
  std::vector<std::string> constexprs; // "BLOCK_SIZE=256"
  std::string config; // of the kernel's autotuner: an index, "NAME=VALUE,…", or empty for none
  std::vector<std::string> includeRoots; // folders with modules that the kernel's file imports
  int numWarps = 4;
  int numStages = 3;
  bool isDebug = false; // keep device_assert and assertions about run-time values
  std::string target;   // one target: "cuda:sm_90a", "cpu:x86-64-v3"
  std::string emit;     // "tile", "llvm", "ll", "ptx", "cubin", "s", "so" or "json"
};

/// Takes constants, warps and stages from the configuration that `request.config` chooses;
/// constants that are given already count more. Does nothing if it is empty. Errors:
/// InvalidArgument naming the configurations there are.
Status applyKernelConfig(KernelToolRequest &request);

/// The autotuner's configurations of a kernel by index, "BLOCK=64 num_warps=4 num_stages=3".
/// Errors: InvalidArgument if it has none, with what could not be read.
Result<std::vector<std::string>> listKernelConfigs(const std::string &path,
                                                   const std::string &function,
                                                   const std::vector<std::string> &includeRoots);

/// The autotuner's configurations of a kernel ("0: BLOCK=64 num_warps=4 num_stages=3") and its
/// heuristics, one a line, and notes of what could not be read; empty if it has none.
Result<std::vector<std::string>> describeTuning(const std::string &path,
                                                const std::string &function,
                                                const std::vector<std::string> &includeRoots);

/// Returns the text or bytes of the stage asked for, or the kernel's interface as JSON.
Result<std::string> compileKernelFile(KernelToolRequest request);

/// Compiles the kernel for `request.target` and gives the bytes of an engine that holds it alone,
/// for a device of the runtime to launch. `request.emit` is not used.
Result<std::vector<std::byte>> compileKernelFileToEngine(KernelToolRequest request);

/// Reads "NAME=VALUE" entries. A value is written as in Python: 256, 0x10, 1e-5, True, None,
/// 'relu', or a dtype: tl.float16. Errors: InvalidArgument naming the entry.
Result<std::map<std::string, ConstexprValue>>
parseConstexprs(const std::vector<std::string> &entries);

/// The value as parseConstexprs reads it.
std::string constexprText(const ConstexprValue &value);

} // namespace inlay
