// Normalisation of channels by statistics that are constants becomes part of the weights of the
// convolution in front of it.
//
//   %t = conv2d(%x, W, b); %y = batch_norm(%t, w, β, μ, σ²)   →   %y = conv2d(%x, W·s, (b-μ)·s + β)
//
// with s = w / sqrt(σ² + ε). The new weights are computed in float64 and rounded once to the type
// of the old ones. In half precision that would cost too much: weights that were exact are rounded,
// all elements of a channel get the same error, and nothing averages it (nextvit_small, float16:
// 1.3e-2 of the output instead of 1.5e-3). There the convolution stays, and what is behind it is
//
//     %y = to_half(%t · s + (β - μ·s))
//
// in float32, which pointwise fusion makes part of the convolution's kernel. Requires that weights
// and statistics are constants, and no state, and that nothing else reads the result of the
// convolution.
#include "compiler/operators/StandardOperator.h"
#include "compiler/transforms/graph/ConstantData.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <cmath>
#include <fmt/format.h>

namespace inlay::graph {
namespace {

constexpr llvm::StringLiteral kConvolutions[] = {
    "aten::conv1d",         "aten::conv2d",         "aten::conv3d",     "aten::conv1d.padding",
    "aten::conv2d.padding", "aten::conv3d.padding", "aten::convolution"};
constexpr llvm::StringLiteral kNormalizations[] = {"aten::batch_norm",
                                                   "aten::_native_batch_norm_legit_no_training"};

/// The elements of an operand that is a constant, `otherwise` of each where there is none.
std::optional<std::vector<double>> channelNumbers(CallOp call, llvm::StringRef name,
                                                  size_t channels, double otherwise) {
  const mlir::Value operand = findOperand(call, name);
  if (!operand)
    return std::vector<double>(channels, otherwise);
  ConstantOp constant = findConstant(operand);
  std::optional<std::vector<double>> numbers = constant ? numbersOf(constant) : std::nullopt;
  return numbers && numbers->size() == channels ? numbers : std::nullopt;
}

class BatchNormFolder {
public:
  explicit BatchNormFolder(PassContext &context) : context_(context) {}

  void fold(CallOp norm) {
    if (std::string why = tryFold(norm); !why.empty())
      context_.missed(norm.getNode(), std::move(why));
  }

private:
  /// Gives why not; empty if it is done.
  std::string tryFold(CallOp norm) {
    const PluginChoice *choice = context_.findStandard(norm);
    if (!choice)
      return fmt::format("a plugin that is no standard operator serves {}", norm.getOp().str());
    if (choice->node.attributes.contains("training") && boolOf(choice->node, "training"))
      return "it normalises by statistics of the batch";
    for (mlir::Value other : norm.getOutputs().drop_front())
      if (!other.use_empty())
        return "its statistics are used";
    const mlir::Value input = findOperand(norm, "input");
    auto conv = input ? input.getDefiningOp<CallOp>() : CallOp();
    if (!conv || !llvm::is_contained(kConvolutions, conv.getOp()))
      return "its input is no result of a convolution";
    const std::string name = conv.getNode().str();
    const PluginChoice *convChoice = context_.findStandard(conv);
    if (!convChoice)
      return fmt::format("a plugin that is no standard operator serves {}", name);
    if (input.getType() != norm.getResult(0).getType())
      return fmt::format("its result is of another type than that of {}", name);
    if (!input.hasOneUse())
      return fmt::format("the result of {} is used elsewhere too", name);
    if (convChoice->node.attributes.contains("transposed") &&
        boolOf(convChoice->node, "transposed"))
      return fmt::format("{} is transposed", name);
    return foldInto(norm, conv, floatOf(choice->node, "eps"));
  }

  std::string foldInto(CallOp norm, CallOp conv, double epsilon) {
    const std::string name = conv.getNode().str();
    ConstantOp weight = findConstant(findOperand(conv, "weight"));
    if (!weight)
      return fmt::format("the weight of {} is no constant", name);
    const auto type = llvm::cast<TensorType>(weight.getResult().getType());
    const TensorSpec spec = type.getSpec();
    if (specOf(conv.getResult(0)).shape.size() != spec.shape.size())
      return fmt::format("{} is of one image, whose channels are its first dimension", name);
    const auto channels = static_cast<size_t>(spec.shape[0].constantValue().value_or(0));
    const auto biases = channelNumbers(conv, "bias", channels, 0);
    const auto scales = channelNumbers(norm, "weight", channels, 1);
    const auto shifts = channelNumbers(norm, "bias", channels, 0);
    const auto means = channelNumbers(norm, "running_mean", channels, 0);
    const auto variances = channelNumbers(norm, "running_var", channels, 1);
    if (!biases || !scales || !shifts || !means || !variances || channels == 0)
      return fmt::format("the bias of {}, or weights or statistics of this, are no constants",
                         name);
    std::vector<double> factors(channels), terms(channels);
    for (size_t c = 0; c < channels; ++c) {
      factors[c] = (*scales)[c] / std::sqrt((*variances)[c] + epsilon);
      terms[c] = (*shifts)[c] - (*means)[c] * factors[c];
    }
    if (spec.dtype == DataType::Float16 || spec.dtype == DataType::BFloat16) {
      replaceByElements(norm, conv, factors, terms);
      return "";
    }
    std::optional<std::vector<double>> weights = numbersOf(weight);
    if (!weights)
      return fmt::format("the weight of {} is {}", name, dataTypeName(spec.dtype));
    std::vector<double> newBiases(channels);
    const size_t perChannel = weights->size() / channels;
    for (size_t c = 0; c < channels; ++c) {
      newBiases[c] = (*biases)[c] * factors[c] + terms[c];
      for (size_t i = 0; i < perChannel; ++i)
        (*weights)[c * perChannel + i] *= factors[c];
    }
    const auto weightBytes = roundedTo(spec.dtype, *weights);
    const auto biasBytes = roundedTo(spec.dtype, newBiases);
    if (!weightBytes || !biasBytes)
      return fmt::format("the weight of {} is {}", name, dataTypeName(spec.dtype));
    replace(norm, conv, weight, *weightBytes, *biasBytes);
    return "";
  }

  static TensorSpec specOf(mlir::Value value) {
    return llvm::cast<TensorType>(value.getType()).getSpec();
  }

  /// result · factor + term of each channel, in float32.
  void replaceByElements(CallOp norm, CallOp conv, const std::vector<double> &factors,
                         const std::vector<double> &terms) {
    mlir::OpBuilder builder(norm);
    mlir::MLIRContext *context = builder.getContext();
    const mlir::Location location = norm.getLoc();
    const std::string node = norm.getNode().str();
    const TensorSpec result = specOf(norm.getResult(0));
    TensorSpec wide = result;
    wide.dtype = DataType::Float32;
    std::vector<Expr> shape(result.shape.size() - 1, Expr(1));
    shape[0] = Expr(static_cast<int64_t>(factors.size()));
    const auto channelType = TensorType::of(context, {DataType::Float32, shape});
    mlir::Value value = conv.getResult(0);
    for (const auto &[op, name, numbers] : {std::tuple("aten::mul.Tensor", ".scaled", &factors),
                                            std::tuple("aten::add.Tensor", ".shifted", &terms)}) {
      const mlir::Value other = makeConstant(builder, location, channelType, node + name + ".other",
                                             *roundedTo(DataType::Float32, *numbers))
                                    .getResult();
      value =
          CallOp::create(builder, location, mlir::TypeRange(TensorType::of(context, wide)), op,
                         node + name, mlir::ValueRange{value, other},
                         builder.getStrArrayAttr({"self", "other"}), builder.getDictionaryAttr({}))
              .getOutputs()[0];
    }
    const auto dtype = attributeOf(context, AttributeValue(result.dtype));
    auto narrow = CallOp::create(builder, location, mlir::TypeRange(norm.getResult(0).getType()),
                                 "aten::_to_copy", node, mlir::ValueRange(value),
                                 builder.getStrArrayAttr({"self"}),
                                 builder.getDictionaryAttr(builder.getNamedAttr("dtype", dtype)));
    norm.getResult(0).replaceAllUsesWith(narrow.getOutputs()[0]);
    context_.applied(
        node, fmt::format("is computed of elements of {}, in float32", conv.getNode().str()));
    context_.erase(norm);
  }

  void replace(CallOp norm, CallOp conv, ConstantOp weight, const std::vector<char> &weights,
               const std::vector<char> &biases) {
    mlir::OpBuilder builder(conv);
    const auto type = llvm::cast<TensorType>(weight.getResult().getType());
    const TensorSpec spec = type.getSpec();
    const auto biasType = TensorType::of(builder.getContext(), {spec.dtype, {spec.shape[0]}});
    const std::string prefix = conv.getNode().str() + ".folded";
    const mlir::Value newWeight =
        makeConstant(builder, weight.getLoc(), type, prefix + ".weight", weights).getResult();
    const mlir::Value newBias =
        makeConstant(builder, weight.getLoc(), biasType, prefix + ".bias", biases).getResult();
    llvm::SmallVector<mlir::NamedAttribute> literals;
    for (mlir::NamedAttribute literal : conv.getArguments())
      if (literal.getName() != "bias")
        literals.push_back(literal);
    auto folded = CallOp::create(builder, builder.getFusedLoc({conv.getLoc(), norm.getLoc()}),
                                 conv->getResultTypes(), conv.getOpAttr(), conv.getNodeAttr(),
                                 mlir::ValueRange{findOperand(conv, "input"), newWeight, newBias},
                                 builder.getStrArrayAttr({"input", "weight", "bias"}),
                                 builder.getDictionaryAttr(literals));
    norm.getResult(0).replaceAllUsesWith(folded.getResult(0));
    context_.applied(norm.getNode(),
                     fmt::format("is part of the weights of {}", conv.getNode().str()));
    context_.erase(norm);
    context_.erase(conv);
  }

  PassContext &context_;
};

} // namespace

Status foldBatchNorm(PassContext &context) {
  BatchNormFolder folder(context);
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
    if (auto call = llvm::dyn_cast<CallOp>(op);
        call && llvm::is_contained(kNormalizations, call.getOp()))
      folder.fold(call);
  return {};
}

} // namespace inlay::graph
