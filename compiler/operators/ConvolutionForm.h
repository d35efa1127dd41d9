// What calls of convolutions say, of one to three dimensions, transposed or not: sizes, windows,
// groups.
#pragma once

#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/ProductTiles.h"

#include <array>

namespace inlay {

/// What a convolution keeps in a workspace at a time, in a copy of its input or in what elements of
/// the output are collected from, is at most this large; more is done in parts, or another way.
constexpr int64_t kMostConvolutionWorkspaceBytes = 256 << 20;
/// Copies to a GPU's shared memory of this many bytes are as fast as any.
constexpr int64_t kAccessBytes = 16;

/// A convolution over volumes; dimensions that it does not have are in front, with sizes of 1.
struct ConvolutionForm {
  static constexpr size_t kMostDims = 3;
  /// One value for each dimension: depth, height, width.
  using Triple = std::array<int64_t, kMostDims>;

  size_t dims = 0; // that it has
  bool isBatched = true, isTransposed = false;
  Expr images;
  int64_t groups = 1;
  Expr channels, filters; // of one group
  std::array<Expr, kMostDims> size{Expr(1), Expr(1), Expr(1)}, out{Expr(1), Expr(1), Expr(1)};
  Triple kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  Triple extra{0, 0, 0}; // padding behind beyond that in front; of transposed ones, output_padding
  std::vector<PluginRequirement> requirements;

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  Expr volume() const { return size[0] * size[1] * size[2]; }
  Expr pixels() const { return out[0] * out[1] * out[2]; }
};

bool isTransposedConvolution(const PluginNode &node);
/// Errors: InvalidArgument and Unimplemented, naming the tensor or the attribute.
Result<ConvolutionForm> readConvolution(const PluginNode &node);
Result<PluginDescription> describeConvolution(const PluginNode &node);
/// The bias, one element for each filter, as the term of a product [images and groups, filters,
/// pixels].
ProductTerm biasTerm(const PluginNode &node, const ConvolutionForm &form);
/// Adds KERNEL_D, KERNEL_H, KERNEL_W, STRIDE_D, …, and IS_VOLUME: it has three dimensions.
void addWindow(LaunchBuilder &launch, const ConvolutionForm &form);

} // namespace inlay
