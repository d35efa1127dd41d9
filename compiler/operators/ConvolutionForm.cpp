#include "compiler/operators/ConvolutionForm.h"

#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

constexpr size_t kMostDims = ConvolutionForm::kMostDims;
constexpr std::string_view kLetters = "DHW";

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
Status readKernel(const std::vector<Expr> &weight, ConvolutionForm &result) {
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

Status readPadding(const PluginNode &node, ConvolutionForm &result) {
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

Expr outputSize(const ConvolutionForm &read, size_t dim) {
  const int64_t reach = read.dilation[dim] * (read.kernel[dim] - 1) + 1;
  const int64_t change = read.extra[dim] - reach;
  if (read.isTransposed)
    return (read.size[dim] - Expr(1)) * Expr(read.stride[dim]) +
           Expr(reach + read.extra[dim] - 2 * read.padding[dim]);
  return floorDiv(read.size[dim] + Expr(2 * read.padding[dim] + change), read.stride[dim]) +
         Expr(1);
}

} // namespace

bool isTransposedConvolution(const PluginNode &node) {
  return node.opName.find("conv_transpose") != std::string::npos ||
         (hasAttribute(node, "transposed") && boolOf(node, "transposed"));
}

Result<ConvolutionForm> readConvolution(const PluginNode &node) {
  INLAY_TRY(checkTensors(node));
  ConvolutionForm result;
  const std::vector<Expr> &weight = inputOf(node, "weight").shape;
  result.dims = weight.size() - 2;
  result.isTransposed = isTransposedConvolution(node);
  std::vector<Expr> input = inputOf(node, "input").shape;
  result.isBatched = input.size() == weight.size();
  if (!result.isBatched)
    input.insert(input.begin(), Expr(1));
  result.images = input[0];
  INLAY_ASSIGN(result.groups, constantOf(node, "groups"));
  if (result.groups < 1)
    return invalidArgument("groups is {}; expected at least 1", result.groups);
  result.channels = result.isTransposed ? floorDiv(weight[0], result.groups) : weight[1];
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

Result<PluginDescription> describeConvolution(const PluginNode &node) {
  INLAY_ASSIGN(ConvolutionForm read, readConvolution(node));
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

ProductTerm biasTerm(const PluginNode &node, const ConvolutionForm &form) {
  ProductTerm term{findInputIndex(node, "bias")};
  term.batchSizes[1] = Expr(form.groups);
  term.batchSteps[2] = form.filters;
  term.row = Expr(1);
  return term;
}

void addWindow(LaunchBuilder &launch, const ConvolutionForm &read) {
  for (const auto &[name, values] :
       {std::pair("KERNEL", &read.kernel), std::pair("STRIDE", &read.stride),
        std::pair("PADDING", &read.padding), std::pair("DILATION", &read.dilation)})
    for (size_t dim = 0; dim < kMostDims; ++dim)
      launch.constant(fmt::format("{}_{}", name, kLetters[dim]), (*values)[dim]);
  launch.constant("IS_VOLUME", read.dims == kMostDims);
}

} // namespace inlay
