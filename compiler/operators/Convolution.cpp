// Convolutions of one to three dimensions, with groups. Transposed ones: TransposedConvolution.cpp.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ConvolutionForm.h"
#include "compiler/operators/Planes.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/ShiftedProduct.h"
#include "compiler/operators/VendorTactics.h"

#include <algorithm>

namespace inlay {
namespace {

/// Sizes of the input and the output, as convolution.py's kernels take them.
void addSizes(LaunchBuilder &launch, const ConvolutionForm &form, const Expr &area,
              bool isSpecialised) {
  launch.size("deep", form.size[0], form.dims < 3 || isSpecialised)
      .size("height", form.size[1], isSpecialised)
      .size("width", form.size[2], isSpecialised)
      .size("area", area, isSpecialised)
      .size("out_height", form.out[1], form.dims < 2 || isSpecialised)
      .size("out_width", form.out[2], true);
}

PluginImplementation implementDepthwise(const PluginNode &node, const ConvolutionForm &form,
                                        const GroupTail *tail) {
  LaunchBuilder launch("convolution.py", "depthwise_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0);
  const Expr filters = form.filters * Expr(form.groups);
  launch.sizes({filters, form.filters})
      .size("deep", form.size[0], form.dims < 3)
      .sizes({form.size[1], form.size[2]})
      .size("out_deep", form.out[0], form.dims < 3)
      .sizes({form.out[1], form.out[2]});
  addWindow(launch, form);
  launch.constant("SUM", sumTypeOf(inputOf(node, "input").dtype));
  PluginImplementation implementation =
      overPlanes(launch, form.images * filters * form.out[0], form.out[1], form.out[2]);
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

/// Sums over what each pixel sees: out[images and groups, filters, pixels].
ProductSize productSize(const PluginNode &node, const ConvolutionForm &form) {
  return {form.images * Expr(form.groups), form.filters, form.pixels(),
          form.channels * Expr(form.taps()), inputOf(node, "input").dtype};
}

/// A part of what is unfolded at a time: images and groups, and pixels of each.
struct UnfoldedPart {
  int64_t firstImage = 0, firstPixel = 0;
  Expr images, pixels;
};

/// What the kernel of a product multiplies the filters with: the convolution's input, or what the
/// pixels see of it, unfolded into a workspace for one part after the other.
struct ProductInput {
  std::vector<UnfoldedPart> parts; // none: it is not unfolded
  bool isGathered = false;         // in runs too short to be copied to shared memory
  Expr row;       // elements between those of two channels (times taps, if unfolded)
  Expr workspace; // elements, if unfolded
};

bool isPointwise(const ConvolutionForm &form) {
  constexpr ConvolutionForm::Triple ones{1, 1, 1}, zeros{0, 0, 0};
  return form.kernel == ones && form.stride == ones && form.padding == zeros;
}

/// Cuts what is unfolded so that each part has at most `mostElements`: whole images, or else pixels
/// of one. Nothing if sizes are not known, or it were too many parts.
std::optional<ProductInput> unfoldInParts(const ProductSize &size, int64_t run,
                                          int64_t mostElements) {
  constexpr int64_t kMostParts = 32, kPixelGranule = 512; // of which any tile is a part
  const std::optional<int64_t> count = size.count.constantValue(), k = size.k.constantValue(),
                               pixels = size.n.constantValue();
  if (!count || !k || !pixels)
    return std::nullopt;
  const auto inEqualParts = [](int64_t value, int64_t most) {
    const int64_t parts = divideUp(value, most);
    return parts == 0 ? 1 : divideUp(value, parts);
  };
  const int64_t image = std::max<int64_t>(*k * roundUp(*pixels, run), 1);
  const int64_t images = inEqualParts(*count, std::max<int64_t>(mostElements / image, 1));
  const int64_t perPart =
      image <= mostElements
          ? *pixels
          : roundUp(inEqualParts(*pixels, std::max(mostElements / *k, kPixelGranule)),
                    kPixelGranule);
  ProductInput input;
  input.row = Expr(roundUp(perPart, run));
  input.workspace = Expr(images) * size.k * input.row;
  for (int64_t first = 0; first < std::max<int64_t>(*count, 1); first += images)
    for (int64_t pixel = 0; pixel < std::max<int64_t>(*pixels, 1); pixel += perPart) {
      if (input.parts.size() == kMostParts)
        return std::nullopt;
      input.parts.push_back({first, pixel, Expr(std::min(images, *count - first)),
                             Expr(std::min(perPart, *pixels - pixel))});
    }
  return input;
}

/// Copies to shared memory, which run ahead of the product, move runs of four bytes at least, and
/// kAccessBytes as fast: on GPUs, inputs of windows are unfolded first if that is not too much, and
/// others of 16 bits that have no such runs.
ProductInput chooseInput(const PluginNode &node, const ConvolutionForm &form,
                         const ProductSize &size) {
  constexpr int64_t kLeastBytes = 4;
  const int64_t bytes = dataTypeSizeBytes(size.dtype);
  ProductInput plain{{}, false, form.volume(), {}};
  const std::optional<int64_t> pixels = size.n.constantValue();
  const bool hasRuns = isPointwise(form) && pixels && *pixels * bytes % kLeastBytes == 0;
  if (!isForGpu(node) || size.dtype == DataType::Float64 || hasRuns)
    return plain;
  if (auto unfolded =
          unfoldInParts(size, kAccessBytes / bytes, kMostConvolutionWorkspaceBytes / bytes))
    return *std::move(unfolded);
  plain.isGathered = bytes < kLeastBytes;
  return plain;
}

/// Where a part begins. Kernels for parts differ in numbers that they are given; a single part's
/// are known.
void addPart(LaunchBuilder &launch, const ProductInput &input, const UnfoldedPart &part) {
  const bool isOnly = input.parts.size() <= 1;
  launch.size("first_image", Expr(part.firstImage), isOnly)
      .size("first_pixel", Expr(part.firstPixel), isOnly);
}

PluginLaunch unfold(const PluginNode &node, const ConvolutionForm &form, const ProductSize &size,
                    const ProductInput &input, const UnfoldedPart &part, uint32_t workspace) {
  LaunchBuilder launch("convolution.py", "unfold_kernel");
  launch.input(inputIndex(node, "input")).workspace(workspace, size.dtype);
  launch.size("channels", form.channels, true).size("depth", size.k, true);
  addSizes(launch, form, form.volume(), true);
  launch.size("pixels", size.n, true).size("row", input.row, true);
  addPart(launch, input, part);
  addWindow(launch, form);
  const int64_t tileN = tileFor(input.row, 8, 128, 128),
                tileK = tileFor(size.k, 1, 2048 / tileN, 8);
  launch.constant("TILE_K", tileK).constant("TILE_N", tileN);
  return launch.launchOver(part.images * ceilDiv(size.k, tileK) * ceilDiv(input.row, tileN));
}

/// The product for one part of its input.
PluginLaunch multiply(const PluginNode &node, const ConvolutionForm &form, const ProductSize &size,
                      const ProductTiles &tiles, const ProductInput &input,
                      const UnfoldedPart &part, const GroupTail *tail) {
  const bool isUnfolded = !input.parts.empty();
  LaunchBuilder launch("convolution.py", "convolution_kernel");
  if (isUnfolded)
    launch.workspace(tiles.splits > 1 ? 1 : 0, size.dtype);
  else
    launch.input(inputIndex(node, "input"));
  launch.input(inputIndex(node, "weight"));
  addTermAndOutput(launch, tiles, "bias_ptr", findInputIndex(node, "bias"), size.dtype);
  // A division by a constant is a multiplication, and what divides a constant is known.
  const bool isGpu = isForGpu(node);
  launch.size("groups", Expr(form.groups), isGpu)
      .size("channels", isUnfolded ? size.k : form.channels, isGpu)
      .size("filters", size.m, isGpu)
      .size("depth", size.k, isGpu);
  addSizes(launch, form, input.row, isGpu);
  launch.size("pixels", size.n, isGpu);
  addPart(launch, input, part);
  if (input.parts.size() > 1)
    launch.sizes({part.pixels});
  else
    launch.constant("part_pixels", std::monostate());
  addWindow(launch, isUnfolded ? ConvolutionForm() : form);
  launch.constant("IS_TRANSPOSED", false)
      .constant("SUM", sumTypeOf(size.dtype))
      .constant("LOADS_AHEAD", input.isGathered);
  addPrecision(launch, precisionOf(node, size.dtype));
  const ProductSize partSize{part.images, size.m, part.pixels, size.k, size.dtype};
  return productLaunch(launch, tiles, tiles.programs(partSize), tail);
}

PluginImplementation implementProduct(const PluginNode &node, const ConvolutionForm &form,
                                      const GroupTail *tail) {
  if (auto shifted = implementShifted(node, form, tail))
    return *std::move(shifted);
  const ProductSize size = productSize(node, form);
  const ProductInput input = chooseInput(node, form, size);
  ProductSize largest = size;
  if (input.parts.size() > 1)
    largest = {input.parts[0].images, size.m, input.parts[0].pixels, size.k, size.dtype};
  const ProductTiles tiles = chooseTiles(node, largest);
  PluginImplementation implementation;
  if (tiles.splits > 1)
    implementation.workspaces.push_back(partsWorkspace(size, tiles));
  const auto unfolded = static_cast<uint32_t>(implementation.workspaces.size());
  if (!input.parts.empty())
    implementation.workspaces.push_back(
        {"unfolded", size.dtype, input.workspace * Expr(dataTypeSizeBytes(size.dtype))});
  for (const UnfoldedPart &part : input.parts) {
    implementation.launches.push_back(unfold(node, form, size, input, part, unfolded));
    implementation.launches.push_back(multiply(node, form, size, tiles, input, part, tail));
  }
  if (input.parts.empty())
    implementation.launches.push_back(
        multiply(node, form, size, tiles, input, {0, 0, size.count, size.n}, tail));
  if (tiles.splits > 1)
    implementation.launches.push_back(finishLaunch(size, tiles, biasTerm(node, form), tail));
  return implementation;
}

/// The same on CPUs, where a program's pixels are a rectangle.
PluginImplementation implementWindows(const PluginNode &node, const ConvolutionForm &form,
                                      const GroupTail *tail) {
  const ProductSize size = productSize(node, form);
  const Expr planes = size.count * form.out[0];
  const WindowTiles tiles = windowTilesForCpu(
      {planes, size.m, form.out[1], form.out[2], size.k, size.dtype, form.stride[2] != 1});
  LaunchBuilder launch("convolution.py", "window_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0)
      .sizes({Expr(form.groups), form.channels, size.m, size.k})
      .size("deep", form.size[0], form.dims < 3)
      .sizes({form.size[1], form.size[2]})
      .size("out_deep", form.out[0], form.dims < 3)
      .sizes({form.out[1], form.out[2]});
  addWindow(launch, form);
  launch.constant("SUM", sumTypeOf(size.dtype))
      .constant("TILE_M", tiles.m)
      .constant("TILE_H", tiles.h)
      .constant("TILE_W", tiles.w)
      .constant("TILE_K", tiles.k);
  PluginImplementation implementation =
      launch.over(planes * ceilDiv(size.m, tiles.m) * ceilDiv(form.out[1], tiles.h) *
                  ceilDiv(form.out[2], tiles.w));
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

size_t channelDim(const PluginNode &node) {
  const TensorSpec &out = node.outputs[0];
  return out.shape.size() - (inputOf(node, "weight").shape.size() - 2) - 1;
}

LibraryConvolution libraryConvolution(const PluginNode &node, const ConvolutionForm &form) {
  LibraryConvolution result;
  result.input = inputIndex(node, "input");
  result.weight = inputIndex(node, "weight");
  result.bias = findInputIndex(node, "bias");
  result.channelDim = channelDim(node);
  result.dtype = inputOf(node, "input").dtype;
  ConvolutionSizes<Expr> &sizes = result.sizes;
  sizes.numDims = std::max<size_t>(form.dims, 2);
  sizes.images = form.images;
  sizes.groups = Expr(form.groups);
  sizes.channels = form.channels;
  sizes.filters = inputOf(node, "weight").shape[0];
  for (size_t i = 0; i < sizes.dims.size(); ++i)
    sizes.dims[i] = {form.size[i],         form.out[i],           Expr(form.kernel[i]),
                     Expr(form.stride[i]), Expr(form.padding[i]), Expr(form.dilation[i])};
  return result;
}

/// `tail` may be null; with one, libraries compute nothing.
Result<PluginImplementation> implement(const PluginNode &node, const GroupTail *tail) {
  INLAY_ASSIGN(const ConvolutionForm form, readConvolution(node));
  const bool isDepthwise = isOne(form.channels) && form.groups > 1;
  const bool hasWindows = !isForGpu(node) && !isPointwise(form);
  PluginImplementation implementation = isDepthwise  ? implementDepthwise(node, form, tail)
                                        : hasWindows ? implementWindows(node, form, tail)
                                                     : implementProduct(node, form, tail);
  if (!tail)
    INLAY_TRY(addConvolutionLibraries(implementation, node, libraryConvolution(node, form)));
  return implementation;
}

std::optional<ChannelBias> channelBias(const PluginNode &node) {
  const std::optional<uint32_t> bias = findInputIndex(node, "bias");
  return bias ? std::optional(ChannelBias{*bias, channelDim(node)}) : std::nullopt;
}

/// Transposed ones are served by another definition.
Status servesForward(const PluginNode &node) {
  if (!isTransposedConvolution(node))
    return {};
  return unimplemented("the convolution is transposed");
}

} // namespace

void addConvolutionOperators(OperatorDefinitions &definitions) {
  const OperatorTraits traits{
      .implementWithTail = [](const PluginNode &node,
                              const GroupTail &tail) { return implement(node, &tail); },
      .channelBias = channelBias,
      .multipliesOnTensorCores = true};
  const auto plain = [](const PluginNode &node) { return implement(node, nullptr); };
  for (std::string_view schema : {
           "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
           "SymInt[1] padding=[0], SymInt[1] dilation=[1], SymInt groups=1) -> Tensor",
           "aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] "
           "stride=[1], str padding=\"valid\", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor",
           "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
           "SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor",
           "aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] "
           "stride=[1, 1], str padding=\"valid\", SymInt[2] dilation=[1, 1], SymInt groups=1) -> "
           "Tensor",
           "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, "
           "1], SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> "
           "Tensor",
           "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] "
           "stride=[1, 1, 1], str padding=\"valid\", SymInt[3] dilation=[1, 1, 1], SymInt "
           "groups=1) -> Tensor",
       })
    addOperator(definitions, schema, {describeConvolution, plain, "", {}, traits});
  addOperator(definitions,
              "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, "
              "SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, "
              "SymInt groups) -> Tensor",
              {describeConvolution, plain, "forward", servesForward, traits});
}

} // namespace inlay
