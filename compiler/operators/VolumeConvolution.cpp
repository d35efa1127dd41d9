// Convolutions of three dimensions, and transposed ones of one to three, with groups. Those of one
// and two dimensions that are not transposed have kernels of their own: Convolution.cpp.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Tails.h"

namespace inlay {
namespace {

constexpr size_t kMostDims = 3;
constexpr std::string_view kLetters = "DHW";
/// One value for each dimension; those that a node does not have are in front.
using Triple = std::array<int64_t, kMostDims>;

struct VolumeConvolution {
  size_t dims = 0;
  bool isBatched = true, isTransposed = false;
  Expr images;
  int64_t groups = 1;
  Expr channels, filters; // of one group
  std::array<Expr, kMostDims> size{Expr(1), Expr(1), Expr(1)}, out{Expr(1), Expr(1), Expr(1)};
  Triple kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1}, extra{0, 0, 0};
  std::vector<PluginRequirement> requirements;

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

bool isTransposed(const PluginNode &node) {
  return node.opName.find("conv_transpose") != std::string::npos ||
         (hasAttribute(node, "transposed") && boolOf(node, "transposed"));
}

Status checkTensors(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  const size_t weight = inputOf(node, "weight").shape.size(),
               input = inputOf(node, "input").shape.size();
  if (weight < 3 || weight > kMostDims + 2)
    return unimplemented("'weight' has rank {}; expected 3 to {}", weight, kMostDims + 2);
  if (input != weight && input + 1 != weight)
    return invalidArgument("'input' has rank {}; expected {} or {}", input, weight - 1, weight);
  return checkOneType(node);
}

/// The window's sizes, which are those of the weights.
Status readKernel(const std::vector<Expr> &weight, VolumeConvolution &result) {
  for (size_t i = 0; i < result.dims; ++i) {
    const std::optional<int64_t> size = weight[2 + i].constantValue();
    if (!size || *size < 1)
      return unimplemented("size {} of 'weight' is {}; the window's size must be known when the "
                           "engine is built, and be at least 1",
                           2 + i, weight[2 + i].toString());
    result.kernel[kMostDims - result.dims + i] = *size;
  }
  return {};
}

Status readPadding(const PluginNode &node, VolumeConvolution &result) {
  if (!std::holds_alternative<std::string>(node.attributes.find("padding")->second))
    return readDimensions(node, "padding", result.dims, 0, result.padding);
  const std::string &text = textOf(node, "padding");
  if (text != "same" && text != "valid")
    return invalidArgument("padding is '{}'; expected 'same' or 'valid'", text);
  for (size_t dim = 0; text == "same" && dim < kMostDims; ++dim) {
    const int64_t total = result.dilation[dim] * (result.kernel[dim] - 1);
    result.padding[dim] = total / 2;
    result.extra[dim] = total % 2;
  }
  return {};
}

Expr outputSize(const VolumeConvolution &read, size_t dim) {
  const int64_t reach = read.dilation[dim] * (read.kernel[dim] - 1) + 1;
  const int64_t change = read.extra[dim] - reach;
  if (read.isTransposed)
    return (read.size[dim] - Expr(1)) * Expr(read.stride[dim]) +
           Expr(reach + read.extra[dim] - 2 * read.padding[dim]);
  return floorDiv(read.size[dim] + Expr(2 * read.padding[dim] + change), read.stride[dim]) +
         Expr(1);
}

Result<VolumeConvolution> readVolume(const PluginNode &node) {
  INLAY_TRY(checkTensors(node));
  VolumeConvolution result;
  const std::vector<Expr> &weight = inputOf(node, "weight").shape;
  result.dims = weight.size() - 2;
  result.isTransposed = isTransposed(node);
  std::vector<Expr> input = inputOf(node, "input").shape;
  result.isBatched = input.size() == weight.size();
  if (!result.isBatched)
    input.insert(input.begin(), Expr(1));
  result.images = input[0];
  INLAY_ASSIGN(result.groups, constantOf(node, "groups"));
  if (result.groups < 1)
    return invalidArgument("groups is {}; expected at least 1", result.groups);
  result.channels = floorDiv(input[1], result.groups);
  result.filters = result.isTransposed ? weight[1] : floorDiv(weight[0], result.groups);
  INLAY_TRY(readKernel(weight, result));
  INLAY_TRY(readDimensions(node, "stride", result.dims, 1, result.stride));
  INLAY_TRY(readDimensions(node, "dilation", result.dims, 1, result.dilation));
  INLAY_TRY(readPadding(node, result));
  if (result.isTransposed)
    INLAY_TRY(readDimensions(node, "output_padding", result.dims, 0, result.extra));
  for (size_t i = 0; i < result.dims; ++i)
    result.size[kMostDims - result.dims + i] = input[2 + i];
  for (size_t dim = kMostDims - result.dims; dim < kMostDims; ++dim) {
    if (result.isTransposed && result.extra[dim] >= result.stride[dim] &&
        result.extra[dim] >= result.dilation[dim])
      return invalidArgument("output_padding {} must be smaller than stride {} or dilation {}",
                             result.extra[dim], result.stride[dim], result.dilation[dim]);
    result.out[dim] = outputSize(result, dim);
    result.requirements.push_back(
        {lessEqual(1, result.out[dim]), "the padded input is at least as large as the window"});
  }
  const Expr &wanted = result.isTransposed ? weight[0] : weight[1] * Expr(result.groups);
  result.requirements.push_back(
      {equal(input[1], wanted), fmt::format("'input' has {} channels, as many as 'weight' for {} "
                                            "groups",
                                            wanted.toString(), result.groups)});
  result.requirements.push_back(
      {equal(mod(weight[0], result.groups), 0), "size 0 of 'weight' is a multiple of groups"});
  return result;
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_ASSIGN(VolumeConvolution read, readVolume(node));
  PluginDescription description;
  TensorSpec out{inputOf(node, "input").dtype, {}};
  if (read.isBatched)
    out.shape.push_back(read.images);
  out.shape.push_back(read.filters * Expr(read.groups));
  out.shape.insert(out.shape.end(), read.out.end() - static_cast<ptrdiff_t>(read.dims),
                   read.out.end());
  description.outputs.push_back(std::move(out));
  description.requirements = std::move(read.requirements);
  return description;
}

void addWindow(LaunchBuilder &launch, const VolumeConvolution &read) {
  for (const auto &[name, values] :
       {std::pair("KERNEL", &read.kernel), std::pair("STRIDE", &read.stride),
        std::pair("PADDING", &read.padding), std::pair("DILATION", &read.dilation)})
    for (size_t dim = 0; dim < kMostDims; ++dim)
      launch.constant(fmt::format("{}_{}", name, kLetters[dim]), (*values)[dim]);
}

/// `tail` may be null.
Result<PluginImplementation> implement(const PluginNode &node, const GroupTail *tail) {
  INLAY_ASSIGN(const VolumeConvolution read, readVolume(node));
  const DataType dtype = inputOf(node, "input").dtype;
  const Expr taps(read.taps());
  const Expr depth = read.channels * taps, pixels = productOf(read.out);
  const int64_t side = dtype == DataType::Float64 ? 32 : 64;
  const int64_t tileM = tileFor(read.filters, 1, side, side);
  const int64_t tileN = tileFor(pixels, 16, side, side);
  LaunchBuilder launch("volumes.py", "volume_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "weight"))
      .optionalInput("bias_ptr", findInputIndex(node, "bias"))
      .output(0)
      .sizes({Expr(read.groups), read.channels, read.filters, depth})
      .sizes({read.isTransposed ? taps : depth, read.isTransposed ? read.filters * taps : taps})
      .sizes({read.size[0], read.size[1], read.size[2], productOf(read.size)})
      .sizes({read.out[1], read.out[2], pixels});
  addWindow(launch, read);
  launch.constant("IS_TRANSPOSED", read.isTransposed)
      .constant("SUM", sumTypeOf(dtype))
      .constant("TILE_M", tileM)
      .constant("TILE_N", tileN)
      .constant("TILE_K", tileFor(depth, 16, 32, 32));
  PluginImplementation implementation = launch.over(
      read.images * Expr(read.groups) * ceilDiv(read.filters, tileM) * ceilDiv(pixels, tileN));
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

/// aten::convolution is served here where it is transposed or of three dimensions.
Status servesVolume(const PluginNode &node) {
  const TensorSpec *weight = findInput(node, "weight");
  if (isTransposed(node) || (weight && weight->shape.size() == kMostDims + 2))
    return {};
  return unimplemented("the convolution is not transposed and of fewer than three dimensions");
}

} // namespace

void addVolumeConvolutionOperators(OperatorDefinitions &definitions) {
  const auto plain = [](const PluginNode &node) { return implement(node, nullptr); };
  const OperatorTraits traits{
      .implementWithTail = [](const PluginNode &node, const GroupTail &tail) {
        return implement(node, &tail);
      }};
  for (std::string_view schema : {
           "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, "
           "1], SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> "
           "Tensor",
           "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] "
           "stride=[1, 1, 1], str padding=\"valid\", SymInt[3] dilation=[1, 1, 1], SymInt "
           "groups=1) -> Tensor",
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
    addOperator(definitions, schema, {describe, plain, "", {}, traits});
  addOperator(definitions,
              "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, "
              "SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, "
              "SymInt groups) -> Tensor",
              {describe, plain, "volume", servesVolume, traits});
}

} // namespace inlay
