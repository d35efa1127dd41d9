// Tactics of standard operators that call libraries on the machine that runs the engine.
#pragma once

#include "compiler/operators/LoopKernel.h"
#include "compiler/plugins/PluginDefinition.h"

#include <optional>

namespace inlay {

/// A matrix product as libraries compute it: d = a · b (+ bias), sizes as LibraryFunctions.def
/// tells them. The operands are inputs of the node, d is its first output.
struct LibraryProduct {
  MatmulSizes<Expr> sizes;
  uint32_t a = 0, b = 0;
  std::optional<uint32_t> bias; // one element for each column
  DataType dtype = DataType::Float32;
};

/// Puts tactics that call cuBLASLt and oneDNN in front of an implementation's own, as far as the
/// build allows them and is for their devices. Where they are not measured they are taken for sizes
/// for which a written rule says that they are faster (docs/vendor-libraries.md).
void addProductLibraries(PluginImplementation &implementation, const PluginNode &node,
                         LibraryProduct product);

/// A convolution as libraries compute it, sizes as LibraryFunctions.def tells them. The operands
/// are inputs of the node, the result is its first output.
struct LibraryConvolution {
  ConvolutionSizes<Expr> sizes;
  uint32_t input = 0, weight = 0;
  std::optional<uint32_t> bias; // one element for each filter
  size_t channelDim = 1;        // of the result
  DataType dtype = DataType::Float32;
};

/// The same for cuDNN, which adds no bias (a kernel behind it does), and oneDNN.
Status addConvolutionLibraries(PluginImplementation &implementation, const PluginNode &node,
                               const LibraryConvolution &convolution);

/// Adds to a loop over a result, of which `variable` holds an element, what adds to it the element
/// of its dimension `dim` of an input. The sum is rounded to the type, as PyTorch's is.
void addChannelBias(LoopKernel &kernel, const std::string &variable, uint32_t input,
                    std::span<const Expr> domain, size_t dim, DataType dtype);
/// Has a launch read a workspace of that type instead of an input.
void readWorkspace(PluginLaunch &launch, uint32_t input, uint32_t workspace, DataType dtype);

} // namespace inlay
