#include "compiler/operators/ShiftedProduct.h"

#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

/// Less than this is unfolded: it stays in the cache.
constexpr int64_t kLeastUnfoldedBytes = 4 << 20;
/// For more filters it is unfolded too, unless that is done in parts: they read each element so
/// often that the shifts cost more than writing it. Where copies are of one column, nothing is
/// written more than once here.
constexpr int64_t kMostFilters = 128, kMostFiltersOfColumn = 256;

/// A convolution of known sizes, and the copy of its input.
struct Shifted {
  int64_t count, filters, channels; // images and groups; of one group
  int64_t deep, height, width;      // of the input
  int64_t outDeep, outHeight, outWidth;
  int64_t paddedDeep, paddedHeight, row; // of the copy

  int64_t plane() const { return paddedDeep * paddedHeight * row; }
  /// Elements over which a product goes: the output's planes, with rows and columns of padding.
  int64_t places() const { return outDeep * paddedHeight * row; }
};

std::optional<Shifted> readShifted(const ConvolutionForm &form, int64_t run) {
  if (form.stride != ConvolutionForm::Triple{1, 1, 1} || form.taps() == 1)
    return std::nullopt;
  std::array<int64_t, 9> values{};
  size_t next = 0;
  for (const Expr &size :
       {form.images * Expr(form.groups), form.filters, form.channels, form.size[0], form.size[1],
        form.size[2], form.out[0], form.out[1], form.out[2]}) {
    const std::optional<int64_t> known = size.constantValue();
    if (!known || *known < 1)
      return std::nullopt;
    values[next++] = *known;
  }
  Shifted result{values[0], values[1], values[2], values[3], values[4], values[5],
                 values[6], values[7], values[8], 0,         0,         0};
  result.paddedDeep = result.outDeep + (form.kernel[0] - 1) * form.dilation[0];
  result.paddedHeight = result.outHeight + (form.kernel[1] - 1) * form.dilation[1];
  result.row = roundUp(result.outWidth, run);
  return result;
}

bool pays(const Shifted &sizes, const ConvolutionForm &form, int64_t bytes) {
  constexpr double kMostPadding = 1.3;
  const int64_t pixels = sizes.outDeep * sizes.outHeight * sizes.outWidth;
  const double unfolded = static_cast<double>(sizes.count * sizes.channels * form.taps()) *
                          static_cast<double>(pixels * bytes);
  const bool hasFewFilters =
      sizes.filters <= (form.kernel[2] == 1 ? kMostFiltersOfColumn : kMostFilters);
  return static_cast<double>(sizes.places()) <= kMostPadding * static_cast<double>(pixels) &&
         unfolded >= static_cast<double>(hasFewFilters ? kLeastUnfoldedBytes
                                                       : kMostConvolutionWorkspaceBytes);
}

PluginLaunch widen(const PluginNode &node, const ConvolutionForm &form, const Shifted &sizes,
                   const Expr &firstImage, int64_t images, bool isOnly, uint32_t workspace) {
  constexpr int64_t kTile = 1024;
  LaunchBuilder launch("shifted_convolution.py", "widen_kernel");
  launch.input(inputIndex(node, "input"))
      .workspace(workspace, inputOf(node, "input").dtype)
      .constant("deep", sizes.deep)
      .constant("height", sizes.height)
      .constant("width", sizes.width)
      .constant("padded_deep", sizes.paddedDeep)
      .constant("padded_height", sizes.paddedHeight)
      .constant("row", sizes.row)
      .constant("channels", sizes.channels)
      .size("first_image", firstImage, isOnly)
      .constant("TILE", kTile);
  addWindow(launch, form);
  const int64_t tiles = divideUp(sizes.plane(), kTile);
  return launch.launchOver(Expr(images * sizes.channels * form.kernel[2] * tiles));
}

PluginLaunch multiply(const PluginNode &node, const ConvolutionForm &form, const Shifted &sizes,
                      const ProductSize &size, const ProductTiles &tiles, const Expr &firstImage,
                      bool isOnly, const GroupTail *tail) {
  LaunchBuilder launch("shifted_convolution.py", "shifted_kernel");
  launch.workspace(tiles.splits > 1 ? 1 : 0, size.dtype).input(inputIndex(node, "weight"));
  addTermAndOutput(launch, tiles, "bias_ptr", findInputIndex(node, "bias"), size.dtype);
  launch.constant("groups", form.groups)
      .constant("channels", sizes.channels)
      .constant("filters", sizes.filters)
      .constant("padded_deep", sizes.paddedDeep)
      .constant("padded_height", sizes.paddedHeight)
      .constant("row", sizes.row)
      .constant("out_deep", sizes.outDeep)
      .constant("out_height", sizes.outHeight)
      .constant("out_width", sizes.outWidth)
      .size("first_image", firstImage, isOnly)
      .constant("SUM", sumTypeOf(size.dtype));
  addWindow(launch, form);
  addPrecision(launch, precisionOf(node, size.dtype));
  return productLaunch(launch, tiles, tiles.programs(size), tail);
}

} // namespace

std::optional<PluginImplementation>
implementShifted(const PluginNode &node, const ConvolutionForm &form, const GroupTail *tail) {
  const DataType dtype = inputOf(node, "input").dtype;
  const int64_t bytes = dataTypeSizeBytes(dtype);
  if (!isForGpu(node) || dtype == DataType::Float64)
    return std::nullopt;
  const std::optional<Shifted> sizes = readShifted(form, kAccessBytes / bytes);
  if (!sizes || !pays(*sizes, form, bytes))
    return std::nullopt;
  const int64_t image = sizes->channels * form.kernel[2] * sizes->plane();
  // The last rows of the window look beyond the last plane, for places that are not stored.
  const int64_t behind = (form.kernel[1] - 1) * form.dilation[1] * sizes->row;
  const int64_t most = (kMostConvolutionWorkspaceBytes / bytes - behind) / image;
  if (most < 1)
    return std::nullopt;
  const int64_t parts = divideUp(sizes->count, most);
  const int64_t perPart = divideUp(sizes->count, parts);
  const auto sizeOf = [&](int64_t images, int64_t places) {
    return ProductSize{Expr(images), form.filters, Expr(places), form.channels * Expr(form.taps()),
                       dtype};
  };
  const ProductSize whole =
      sizeOf(sizes->count, sizes->outDeep * sizes->outHeight * sizes->outWidth);
  const ProductTiles tiles = chooseTiles(node, sizeOf(perPart, sizes->places()));
  PluginImplementation implementation;
  if (tiles.splits > 1)
    implementation.workspaces.push_back(partsWorkspace(whole, tiles));
  const auto widened = static_cast<uint32_t>(implementation.workspaces.size());
  implementation.workspaces.push_back({"widened", dtype, Expr((perPart * image + behind) * bytes)});
  for (int64_t first = 0; first < sizes->count; first += perPart) {
    const int64_t images = std::min(perPart, sizes->count - first);
    const bool isOnly = images == sizes->count;
    implementation.launches.push_back(
        widen(node, form, *sizes, Expr(first), images, isOnly, widened));
    implementation.launches.push_back(multiply(node, form, *sizes, sizeOf(images, sizes->places()),
                                               tiles, Expr(first), isOnly, tail));
  }
  if (tiles.splits > 1)
    implementation.launches.push_back(finishLaunch(whole, tiles, biasTerm(node, form), tail));
  return implementation;
}

} // namespace inlay
