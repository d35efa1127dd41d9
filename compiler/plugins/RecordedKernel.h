// Launches of Triton kernels that a model records itself.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

namespace inlay {

/// The operator by which PyTorch records a launch in an exported program, if it does not stay
/// behind an operator of the user's: torch._higher_order_ops.triton_kernel_wrap.
constexpr std::string_view kRecordedLaunchOp = "higher_order::triton_kernel_wrapper_functional";

/// What a model does not record of a kernel: its source, and its compile-time arguments.
struct RecordedKernelSource {
  TritonKernel kernel; // its numWarps is the model's
  std::string hash;    // how the hash begins that stands behind the kernel's name in the model;
                       // empty: any
  std::string origin;
};

/// The plugin for launches of one kernel: grid, arguments and warps are the model's. The tensors
/// that the kernel writes are results of their own: they begin as the model's tensors, which stay
/// as they were.
std::unique_ptr<PluginDefinition> makeRecordedKernelPlugin(RecordedKernelSource source);

/// "add_one_kernel" of "add_one_kernel_a06e1951…": the name without the hash that PyTorch adds.
std::string_view recordedKernelName(std::string_view name);

} // namespace inlay
