// Transposed convolutions of one to three dimensions, with groups.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ConvolutionForm.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// Each element of the output gathers what reaches it: many products with nothing, but no memory.
PluginImplementation implementGather(const PluginNode &node, const ConvolutionForm &form,
                                     const GroupTail *tail) {
  const DataType dtype = inputOf(node, "input").dtype;
  const Expr taps(form.taps());
  const Expr depth = form.channels * taps;
  const int64_t side = dtype == DataType::Float64 ? 32 : 64;
  const int64_t tileM = tileFor(form.filters, 1, side, side);
  const int64_t tileN = tileFor(form.pixels(), 16, side, side);
  LaunchBuilder launch("transposed_convolution.py", "gather_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0)
      .sizes({Expr(form.groups), form.channels, form.filters, depth})
      .sizes({form.size[0], form.size[1], form.size[2], form.volume()})
      .sizes({form.out[1], form.out[2], form.pixels()});
  addWindow(launch, form);
  launch.constant("SUM", sumTypeOf(dtype))
      .constant("TILE_M", tileM)
      .constant("TILE_N", tileN)
      .constant("TILE_K", tileFor(depth, 16, 32, 32));
  addPrecision(launch, precisionOf(node, dtype));
  PluginImplementation implementation =
      launch.over(form.images * Expr(form.groups) * ceilDiv(form.filters, tileM) *
                  ceilDiv(form.pixels(), tileN));
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

/// What every element of the input gives to all elements that it reaches:
/// spread[images and groups, filters and taps, elements].
ProductSize spreadSize(const PluginNode &node, const ConvolutionForm &form) {
  return {form.images * Expr(form.groups), form.filters * Expr(form.taps()), form.volume(),
          form.channels, inputOf(node, "input").dtype};
}

PluginLaunch multiply(const PluginNode &node, const ConvolutionForm &form, const ProductSize &size,
                      const ProductTiles &tiles) {
  const DataType sum = sumTypeOf(size.dtype);
  const bool isGpu = isForGpu(node);
  LaunchBuilder launch("convolution.py", "convolution_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", {})
      .workspace(0, sum)
      .size("groups", Expr(form.groups), isGpu)
      .size("channels", size.k, isGpu)
      .size("filters", size.m, isGpu)
      .size("depth", size.k, isGpu)
      .size("deep", Expr(1), true)
      .size("height", Expr(1), true)
      .size("width", size.n, isGpu)
      .size("area", size.n, isGpu)
      .size("out_height", Expr(1), true)
      .size("out_width", size.n, isGpu)
      .size("pixels", size.n, isGpu)
      .constant("first_image", 0)
      .constant("first_pixel", 0)
      .constant("part_pixels", std::monostate());
  addWindow(launch, ConvolutionForm());
  launch.constant("IS_TRANSPOSED", true).constant("SUM", sum).constant("LOADS_AHEAD", false);
  addPrecision(launch, precisionOf(node, size.dtype));
  return productLaunch(launch, tiles, tiles.programs(size), nullptr);
}

/// Adds up what reaches each element of the output.
PluginLaunch collect(const PluginNode &node, const ConvolutionForm &form, const GroupTail *tail) {
  constexpr int64_t kTile = 512;
  const DataType sum = sumTypeOf(inputOf(node, "input").dtype);
  const int64_t tile = tileFor(form.pixels(), 16, kTile, kTile);
  LaunchBuilder launch("transposed_convolution.py", "collect_kernel");
  launch.workspace(0, sum)
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0)
      .size("filters", form.filters * Expr(form.groups), true)
      .size("deep", form.size[0], true)
      .size("height", form.size[1], true)
      .size("width", form.size[2], true)
      .size("out_height", form.out[1], true)
      .size("out_width", form.out[2], true)
      .size("pixels", form.pixels(), true);
  addWindow(launch, form);
  launch.constant("SUM", sum).constant("TILE", tile);
  PluginLaunch result = launch.launchOver(form.images * form.filters * Expr(form.groups) *
                                          ceilDiv(form.pixels(), tile));
  addTailIfAny(result, tail);
  return result;
}

/// A product without a wasted multiplication, and a sum of few terms for each element; nothing if
/// what lies between is not known to fit into a workspace.
std::optional<PluginImplementation>
implementProduct(const PluginNode &node, const ConvolutionForm &form, const GroupTail *tail) {
  const ProductSize size = spreadSize(node, form);
  const DataType sum = sumTypeOf(size.dtype);
  const Expr bytes = size.count * size.m * size.n * Expr(dataTypeSizeBytes(sum));
  if (const auto known = bytes.constantValue(); !known || *known > kMostConvolutionWorkspaceBytes)
    return std::nullopt;
  ProductTiles tiles = chooseTiles(node, size, false);
  PluginImplementation implementation;
  implementation.workspaces.push_back({"spread", sum, bytes});
  implementation.launches.push_back(multiply(node, form, size, tiles));
  implementation.launches.push_back(collect(node, form, tail));
  return implementation;
}

/// `tail` may be null.
Result<PluginImplementation> implement(const PluginNode &node, const GroupTail *tail) {
  INLAY_ASSIGN(const ConvolutionForm form, readConvolution(node));
  // Of one channel a product would be nothing but copies.
  if (!isOne(form.channels))
    if (auto product = implementProduct(node, form, tail))
      return *std::move(product);
  return implementGather(node, form, tail);
}

Status servesTransposed(const PluginNode &node) {
  if (isTransposedConvolution(node))
    return {};
  return unimplemented("the convolution is not transposed");
}

} // namespace

void addTransposedConvolutionOperators(OperatorDefinitions &definitions) {
  const auto plain = [](const PluginNode &node) { return implement(node, nullptr); };
  const OperatorTraits traits{
      .implementWithTail = [](const PluginNode &node,
                              const GroupTail &tail) { return implement(node, &tail); },
      .multipliesOnTensorCores = true};
  for (std::string_view schema : {
           "aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] "
           "stride=[1], SymInt[1] padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, "
           "SymInt[1] dilation=[1]) -> Tensor",
           "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] "
           "stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt "
           "groups=1, SymInt[2] dilation=[1, 1]) -> Tensor",
           "aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] "
           "stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], "
           "SymInt groups=1, SymInt[3] dilation=[1, 1, 1]) -> Tensor",
       })
    addOperator(definitions, schema, {describeConvolution, plain, "", {}, traits});
  addOperator(definitions,
              "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, "
              "SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, "
              "SymInt groups) -> Tensor",
              {describeConvolution, plain, "transposed", servesTransposed, traits});
}

} // namespace inlay
