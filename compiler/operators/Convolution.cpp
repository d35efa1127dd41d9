// Convolutions of one and two dimensions, with groups.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Planes.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/VendorTactics.h"

namespace inlay {
namespace {

/// A convolution over planes; one of one dimension has a single row.
struct Convolution {
  size_t dims = 2;
  bool isBatched = true;
  Expr images, height, width, outHeight, outWidth;
  int64_t groups = 1;
  Expr channels, filters; // of all groups
  Window window;
  std::vector<PluginRequirement> requirements;
};

/// Size of the output along one dimension, `extra` being the padding behind beyond that in front.
Expr outputSize(const Expr &size, const Window &window, size_t dim, int64_t extra) {
  const int64_t reach = window.dilation[dim] * (window.kernel[dim] - 1) + 1;
  return floorDiv(size + Expr(2 * window.padding[dim] + extra - reach), window.stride[dim]) +
         Expr(1);
}

Status checkTensors(const PluginNode &node, size_t dims) {
  INLAY_TRY(checkFloat(node, "input"));
  const TensorSpec &input = inputOf(node, "input"), &weight = inputOf(node, "weight");
  if (weight.shape.size() != dims + 2)
    return invalidArgument("'weight' has rank {}; expected {}", weight.shape.size(), dims + 2);
  if (input.shape.size() != dims + 2 && input.shape.size() != dims + 1)
    return invalidArgument("'input' has rank {}; expected {} or {}", input.shape.size(), dims + 1,
                           dims + 2);
  return checkOneType(node);
}

Result<Convolution> readConvolution(const PluginNode &node) {
  Convolution result;
  const std::vector<Expr> &weight = inputOf(node, "weight").shape;
  result.dims = weight.size() < 3 ? 0 : weight.size() - 2;
  if (result.dims != 1 && result.dims != 2)
    return unimplemented("'weight' has rank {}; convolutions of one and two dimensions are "
                         "supported, whose weights have rank 3 and 4",
                         weight.size());
  INLAY_TRY(checkTensors(node, result.dims));
  std::vector<Expr> input = inputOf(node, "input").shape;
  result.isBatched = input.size() == result.dims + 2;
  if (!result.isBatched)
    input.insert(input.begin(), Expr(1));
  result.images = input[0];
  result.channels = input[1];
  result.filters = weight[0];
  INLAY_ASSIGN(result.groups, constantOf(node, "groups"));
  result.height = result.dims == 2 ? input[2] : Expr(1);
  result.width = input.back();
  for (size_t i = 0; i < result.dims; ++i) {
    const std::optional<int64_t> size = weight[2 + i].constantValue();
    if (!size)
      return unimplemented("size {} of 'weight' is {}; the window's size must be known when the "
                           "engine is built",
                           2 + i, weight[2 + i].toString());
    result.window.kernel[2 - result.dims + i] = *size;
  }
  INLAY_TRY(readDimensions(node, "stride", result.dims, INT64_MIN, result.window.stride));
  INLAY_TRY(readDimensions(node, "dilation", result.dims, INT64_MIN, result.window.dilation));
  std::array<int64_t, 2> extra{0, 0};
  if (std::holds_alternative<std::string>(node.attributes.find("padding")->second)) {
    const std::string &text = textOf(node, "padding");
    if (text != "same" && text != "valid")
      return invalidArgument("padding is '{}'; expected 'same' or 'valid'", text);
    for (size_t dim = 0; text == "same" && dim < 2; ++dim) {
      const int64_t total = result.window.dilation[dim] * (result.window.kernel[dim] - 1);
      result.window.padding[dim] = total / 2;
      extra[dim] = total % 2;
    }
  } else {
    INLAY_TRY(readDimensions(node, "padding", result.dims, INT64_MIN, result.window.padding));
  }
  INLAY_TRY(checkWindow(result.window));
  if (result.groups < 1)
    return invalidArgument("groups is {}; expected at least 1", result.groups);
  result.outHeight = outputSize(result.height, result.window, 0, extra[0]);
  result.outWidth = outputSize(result.width, result.window, 1, extra[1]);
  result.requirements.push_back(
      {equal(result.channels, weight[1] * Expr(result.groups)),
       fmt::format("'input' has {} channels, as many as 'weight' for {} groups",
                   (weight[1] * Expr(result.groups)).toString(), result.groups)});
  result.requirements.push_back({equal(mod(result.filters, result.groups), 0),
                                 "the number of filters is a multiple of groups"});
  for (const Expr &size : {result.outHeight, result.outWidth})
    result.requirements.push_back(
        {lessEqual(1, size), "the padded input is at least as large as the window"});
  return result;
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_ASSIGN(Convolution read, readConvolution(node));
  PluginDescription description;
  TensorSpec out{inputOf(node, "input").dtype, {}};
  if (read.isBatched)
    out.shape.push_back(read.images);
  out.shape.push_back(read.filters);
  if (read.dims == 2)
    out.shape.push_back(read.outHeight);
  out.shape.push_back(read.outWidth);
  description.outputs.push_back(std::move(out));
  description.requirements = std::move(read.requirements);
  return description;
}

PluginImplementation implementDepthwise(const PluginNode &node, const Convolution &read,
                                        const Expr &perGroup, const GroupTail *tail) {
  LaunchBuilder launch("convolution.py", "depthwise_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0);
  launch.sizes({read.filters, perGroup, read.height, read.width, read.outHeight, read.outWidth});
  addWindow(launch, read.window, true);
  launch.constant("SUM", sumTypeOf(inputOf(node, "input").dtype));
  PluginImplementation implementation =
      overPlanes(launch, read.images * read.filters, read.outHeight, read.outWidth);
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

/// What the kernel of a product multiplies the filters with: the convolution's input, or what the
/// pixels see of it, unfolded into a workspace.
struct ProductInput {
  bool isUnfolded = false;
  bool isGathered = false; // in runs too short to be copied to shared memory
  Expr row;                // elements between those of two channels (times taps, if unfolded)
};

bool isPointwise(const Window &window) {
  constexpr std::array<int64_t, 2> ones{1, 1}, zeros{0, 0};
  return window.kernel == ones && window.stride == ones && window.padding == zeros;
}

/// Copies to shared memory, which run ahead of the product, move runs of four bytes at least, and
/// 16 bytes as fast: on GPUs, inputs of windows are unfolded first if memory allows, and others of
/// 16 bits that have no such runs.
ProductInput chooseInput(const PluginNode &node, const Convolution &read, const ProductSize &size) {
  constexpr int64_t kMostBytes = 256 << 20, kAccessBytes = 16, kLeastBytes = 4;
  const int64_t bytes = dataTypeSizeBytes(size.dtype), run = kAccessBytes / bytes;
  ProductInput plain{false, false, read.height * read.width};
  const std::optional<int64_t> pixels = size.n.constantValue();
  const bool hasRuns = isPointwise(read.window) && pixels && *pixels * bytes % kLeastBytes == 0;
  if (!isForGpu(node) || size.dtype == DataType::Float64 || hasRuns)
    return plain;
  const Expr row = ceilDiv(size.n, run) * Expr(run);
  const std::optional<int64_t> elements = (size.count * size.k * row).constantValue();
  if (elements && *elements <= kMostBytes / bytes)
    return {true, false, row};
  plain.isGathered = bytes < kLeastBytes;
  return plain;
}

PluginLaunch unfold(const PluginNode &node, const Convolution &read, const ProductSize &size,
                    const Expr &row, uint32_t workspace) {
  LaunchBuilder launch("convolution.py", "unfold_kernel");
  launch.input(inputIndex(node, "input")).workspace(workspace, size.dtype);
  launch.size("channels", inputOf(node, "weight").shape[1], true)
      .size("depth", size.k, true)
      .size("height", read.height, true)
      .size("width", read.width, true)
      .size("area", read.height * read.width, true)
      .size("out_width", read.outWidth, true)
      .size("pixels", size.n, true)
      .size("row", row, true);
  addWindow(launch, read.window, true);
  const int64_t tileN = tileFor(row, 8, 128, 128), tileK = tileFor(size.k, 1, 2048 / tileN, 8);
  launch.constant("TILE_K", tileK).constant("TILE_N", tileN);
  return launch.launchOver(size.count * ceilDiv(size.k, tileK) * ceilDiv(row, tileN));
}

PluginImplementation implementProduct(const PluginNode &node, const Convolution &read,
                                      const Expr &perGroup, const GroupTail *tail) {
  const Expr channels = inputOf(node, "weight").shape[1];
  const DataType dtype = inputOf(node, "input").dtype;
  const ProductSize size{read.images * Expr(read.groups), perGroup, read.outHeight * read.outWidth,
                         channels * Expr(read.window.kernel[0] * read.window.kernel[1]), dtype};
  const ProductTiles tiles = chooseTiles(node, size);
  const ProductInput input = chooseInput(node, read, size);
  const std::optional<uint32_t> bias = findInputIndex(node, "bias");
  const uint32_t unfolded = tiles.splits > 1 ? 1 : 0;
  LaunchBuilder launch("convolution.py", "convolution_kernel");
  if (input.isUnfolded)
    launch.workspace(unfolded, dtype);
  else
    launch.input(inputIndex(node, "input"));
  launch.input(inputIndex(node, "weight"));
  // Where sums are in parts, the bias is added to all of them together.
  if (tiles.splits == 1)
    launch.optionalInput("bias_ptr", bias).output(0);
  else
    launch.optionalInput("bias_ptr", {}).workspace(0, sumTypeOf(dtype));
  // A division by a constant is a multiplication, and what divides a constant is known.
  const bool isGpu = isForGpu(node);
  launch.size("groups", Expr(read.groups), isGpu)
      .size("channels", input.isUnfolded ? size.k : channels, isGpu)
      .size("filters", perGroup, isGpu)
      .size("depth", size.k, isGpu)
      .size("height", read.height, isGpu)
      .size("width", read.width, isGpu)
      .size("area", input.row, isGpu)
      .size("out_width", read.outWidth, true)
      .size("pixels", size.n, isGpu);
  addWindow(launch, input.isUnfolded ? Window() : read.window, true);
  launch.constant("SUM", sumTypeOf(dtype)).constant("LOADS_AHEAD", input.isGathered);
  addPrecision(launch, precisionOf(node, dtype));
  ProductTerm term{bias};
  term.batchSizes[1] = Expr(read.groups);
  term.batchSteps[2] = perGroup;
  term.row = Expr(1);
  PluginImplementation implementation = overProduct(launch, size, tiles, term, tail);
  if (input.isUnfolded) {
    implementation.workspaces.push_back(
        {"unfolded", dtype, size.count * size.k * input.row * Expr(dataTypeSizeBytes(dtype))});
    implementation.launches.insert(implementation.launches.begin(),
                                   unfold(node, read, size, input.row, unfolded));
  }
  return implementation;
}

/// The same on CPUs, where a program's pixels are a rectangle.
PluginImplementation implementWindows(const PluginNode &node, const Convolution &read,
                                      const Expr &perGroup, const GroupTail *tail) {
  const Expr channels = inputOf(node, "weight").shape[1];
  const DataType dtype = inputOf(node, "input").dtype;
  const Expr depth = channels * Expr(read.window.kernel[0] * read.window.kernel[1]);
  const WindowTiles tiles =
      windowTilesForCpu({read.images * Expr(read.groups), perGroup, read.outHeight, read.outWidth,
                         depth, dtype, read.window.stride[1] != 1});
  LaunchBuilder launch("convolution.py", "window_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0);
  launch.sizes({Expr(read.groups), channels, perGroup, depth, read.height, read.width,
                read.outHeight, read.outWidth});
  addWindow(launch, read.window, true);
  launch.constant("SUM", sumTypeOf(dtype))
      .constant("TILE_M", tiles.m)
      .constant("TILE_H", tiles.h)
      .constant("TILE_W", tiles.w)
      .constant("TILE_K", tiles.k);
  PluginImplementation implementation =
      launch.over(read.images * Expr(read.groups) * ceilDiv(perGroup, tiles.m) *
                  ceilDiv(read.outHeight, tiles.h) * ceilDiv(read.outWidth, tiles.w));
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

size_t channelDim(const PluginNode &node) {
  const TensorSpec &out = node.outputs[0];
  return out.shape.size() - (inputOf(node, "weight").shape.size() - 2) - 1;
}

LibraryConvolution libraryConvolution(const PluginNode &node, const Convolution &read) {
  LibraryConvolution result;
  result.input = inputIndex(node, "input");
  result.weight = inputIndex(node, "weight");
  result.bias = findInputIndex(node, "bias");
  result.channelDim = channelDim(node);
  result.dtype = inputOf(node, "input").dtype;
  const Window &window = read.window;
  ConvolutionSizes<Expr> &sizes = result.sizes;
  sizes.images = read.images;
  sizes.groups = Expr(read.groups);
  sizes.channels = inputOf(node, "weight").shape[1];
  sizes.filters = read.filters;
  sizes.height = read.height, sizes.width = read.width;
  sizes.outHeight = read.outHeight, sizes.outWidth = read.outWidth;
  sizes.kernelHeight = Expr(window.kernel[0]), sizes.kernelWidth = Expr(window.kernel[1]);
  sizes.strideHeight = Expr(window.stride[0]), sizes.strideWidth = Expr(window.stride[1]);
  sizes.paddingHeight = Expr(window.padding[0]), sizes.paddingWidth = Expr(window.padding[1]);
  sizes.dilationHeight = Expr(window.dilation[0]), sizes.dilationWidth = Expr(window.dilation[1]);
  return result;
}

/// `tail` may be null; with one, libraries compute nothing.
Result<PluginImplementation> implement(const PluginNode &node, const GroupTail *tail) {
  INLAY_ASSIGN(const Convolution read, readConvolution(node));
  const Expr perGroup = floorDiv(read.filters, read.groups);
  const bool isDepthwise = isOne(inputOf(node, "weight").shape[1]) && read.groups > 1;
  const bool hasWindows = !isForGpu(node) && !isPointwise(read.window);
  PluginImplementation implementation = isDepthwise ? implementDepthwise(node, read, perGroup, tail)
                                        : hasWindows ? implementWindows(node, read, perGroup, tail)
                                                     : implementProduct(node, read, perGroup, tail);
  if (!tail)
    INLAY_TRY(addConvolutionLibraries(implementation, node, libraryConvolution(node, read)));
  return implementation;
}

std::optional<ChannelBias> channelBias(const PluginNode &node) {
  const std::optional<uint32_t> bias = findInputIndex(node, "bias");
  return bias ? std::optional(ChannelBias{*bias, channelDim(node)}) : std::nullopt;
}

} // namespace

void addConvolutionOperators(OperatorDefinitions &definitions) {
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
           "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
           "padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) "
           "-> Tensor",
       })
    addOperator(definitions, schema,
                {describe,
                 [](const PluginNode &node) { return implement(node, nullptr); },
                 "",
                 {},
                 {.implementWithTail = [](const PluginNode &node,
                                          const GroupTail &tail) { return implement(node, &tail); },
                  .channelBias = channelBias,
                  .multipliesOnTensorCores = true}});
}

} // namespace inlay
