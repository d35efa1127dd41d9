#include "compiler/transforms/graph/AttentionPattern.h"

#include "compiler/operators/StandardOperator.h"
#include "compiler/transforms/graph/ConstantData.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <cmath>
#include <fmt/format.h>

namespace inlay::graph {
namespace {

constexpr llvm::StringLiteral kProducts[] = {"aten::matmul", "aten::bmm", "aten::mm"};
constexpr llvm::StringLiteral kCasts[] = {"aten::to.dtype", "aten::to.dtype_layout",
                                          "aten::_to_copy", "aten::type_as"};
/// Scores that are filled with less than this have no weight, also where a row is filled as a whole
/// and its weights are equal.
constexpr double kMostFill = -1e9;

bool isFloatTensor(mlir::Value value) {
  return dataTypeKind(specOf(value).dtype) == DataTypeKind::Float;
}

/// The number that an argument is: a literal, or a constant of one element that stays what it is.
std::optional<double> numberOf(CallOp call, llvm::StringRef name) {
  if (mlir::Attribute literal = call.getArguments().get(name)) {
    if (auto number = llvm::dyn_cast<mlir::FloatAttr>(literal))
      return number.getValueAsDouble();
    if (auto number = llvm::dyn_cast<mlir::IntegerAttr>(literal))
      return static_cast<double>(number.getInt());
    return std::nullopt;
  }
  const mlir::Value operand = findOperand(call, name);
  ConstantOp constant = operand ? findConstant(operand) : ConstantOp();
  if (!constant || call->getParentOfType<ModelOp>()->hasAttr(kRefittableAttribute) ||
      specOf(operand).numel() != Expr(1))
    return std::nullopt;
  const std::optional<std::vector<double>> numbers = numbersOf(constant);
  return numbers ? std::optional(numbers->front()) : std::nullopt;
}

bool hasLastTwo(mlir::Value a, mlir::Value b) {
  const std::vector<Expr> x = specOf(a).shape, y = specOf(b).shape;
  return x.size() >= 2 && y.size() >= 2 && x.back() == y.back() &&
         x[x.size() - 2] == y[y.size() - 2];
}

/// The sizes in front of the last two.
std::vector<Expr> leading(mlir::Value value) {
  std::vector<Expr> shape = specOf(value).shape;
  shape.resize(shape.size() - 2);
  return shape;
}

/// Walks from softmax up to the product of queries and keys.
class ScoresFinder {
public:
  ScoresFinder(PassContext &context, AttentionPattern &pattern)
      : context_(context), pattern_(pattern) {}

  /// Gives why not; empty if the product is found.
  std::string find(mlir::Value value) {
    for (int steps = 0; steps < 16; ++steps) {
      auto call = value.getDefiningOp<CallOp>();
      if (!call || !context_.findStandard(call) || call.getNumResults() != 1)
        return "what softmax takes is no product of queries and keys";
      if (!value.hasOneUse())
        return fmt::format("the result of {} is used elsewhere too", call.getNode().str());
      if (llvm::is_contained(kProducts, call.getOp())) {
        pattern_.scores = call;
        pattern_.query = call.getInputs()[0];
        pattern_.keyTransposed = call.getInputs()[1];
        return "";
      }
      mlir::Value next = behindOne(call);
      if (!next)
        return why_.empty() ? fmt::format("{} ({}) stands between the product and softmax",
                                          call.getNode().str(), call.getOp().str())
                            : why_;
      value = next;
    }
    return "too much stands between the product and softmax";
  }

private:
  /// What one call takes of the scores; null if it is nothing that attention knows.
  mlir::Value behindOne(CallOp call) {
    const mlir::Value result = call.getResult(0);
    if (const std::optional<double> factor = factorOf(context_, call)) {
      pattern_.scale *= *factor;
      return call.getInputs()[0];
    }
    if (llvm::is_contained(kCasts, call.getOp()) && isFloatTensor(result) &&
        isFloatTensor(call.getInputs()[0]))
      return call.getInputs()[0];
    if (isWholeView(context_, call) && hasLastTwo(result, call.getInputs()[0]))
      return call.getInputs()[0];
    return behindMask(call);
  }

  /// The operand of two that leads to the product, as the first; null if none does.
  std::pair<mlir::Value, mlir::Value> scoresFirst(mlir::Value a, mlir::Value b) {
    if (a && leadsToProduct(a))
      return {a, b};
    return b && leadsToProduct(b) ? std::pair(b, a) : std::pair(mlir::Value(), mlir::Value());
  }

  mlir::Value behindMask(CallOp call) {
    using Mask = AttentionPattern::Mask;
    mlir::Value scores, mask;
    auto kind = Mask::Added;
    std::optional<double> fill;
    const llvm::StringRef op = call.getOp();
    if (op == "aten::add.Tensor" && numberOf(call, "alpha").value_or(1) == 1) {
      std::tie(scores, mask) = scoresFirst(findOperand(call, "self"), findOperand(call, "other"));
      if (!mask || !isFloatTensor(mask))
        return {};
    } else if (op == "aten::masked_fill.Scalar" || op == "aten::masked_fill.Tensor") {
      scores = findOperand(call, "self");
      mask = findOperand(call, "mask");
      kind = Mask::Filled;
      fill = numberOf(call, "value");
    } else if (op.starts_with("aten::where.")) {
      const mlir::Value self = findOperand(call, "self");
      scores = scoresFirst(self, findOperand(call, "other")).first;
      mask = findOperand(call, "condition");
      kind = scores == self ? Mask::Kept : Mask::Filled;
      fill = numberOf(call, kind == Mask::Kept ? "other" : "self");
    }
    if (!scores)
      return {};
    if (pattern_.mask)
      return no("there is more than one mask");
    if (pattern_.scale != 1)
      return no("the mask is scaled with the scores");
    if (specOf(scores).shape != specOf(call.getResult(0)).shape)
      return no("the mask has more elements than the scores");
    if (kind != Mask::Added && (!fill || *fill > kMostFill))
      return no(fmt::format("scores are filled with {}; expected {:g} or less",
                            fill ? fmt::format("{:g}", *fill) : "what is no constant", kMostFill));
    pattern_.mask = mask;
    pattern_.maskKind = kind;
    pattern_.fill = fill.value_or(0);
    pattern_.leading = leading(scores);
    return scores;
  }

  /// True if calls that attention knows stand between a product and a value.
  bool leadsToProduct(mlir::Value value) {
    for (int steps = 0; steps < 16; ++steps) {
      auto call = value.getDefiningOp<CallOp>();
      if (!call || !context_.findStandard(call) || call.getInputs().empty())
        return false;
      if (llvm::is_contained(kProducts, call.getOp()))
        return true;
      if (!factorOf(context_, call) && !llvm::is_contained(kCasts, call.getOp()) &&
          !isWholeView(context_, call))
        return false;
      value = call.getInputs()[0];
    }
    return false;
  }

  mlir::Value no(std::string why) {
    why_ = std::move(why);
    return {};
  }

  PassContext &context_;
  AttentionPattern &pattern_;
  std::string why_;
};

/// Walks from softmax down to the product with the values.
std::string findProduct(PassContext &context, AttentionPattern &pattern) {
  mlir::Value value = pattern.softmax.getResult(0);
  for (int steps = 0; steps < 16; ++steps) {
    if (!value.hasOneUse())
      return "its weights are used elsewhere too";
    auto call = llvm::dyn_cast<CallOp>(*value.getUsers().begin());
    if (!call || !context.findStandard(call) || call.getNumResults() != 1)
      break;
    const bool isFirst = call.getInputs()[0] == value;
    if (llvm::is_contained(kProducts, call.getOp()) && isFirst) {
      pattern.product = call;
      pattern.value = call.getInputs()[1];
      return "";
    }
    const mlir::Value result = call.getResult(0);
    const bool isCast = llvm::is_contained(kCasts, call.getOp()) && isFloatTensor(result);
    if (!isFirst || (!isCast && !(isWholeView(context, call) && hasLastTwo(result, value))))
      break;
    value = result;
  }
  return "its weights are not multiplied with values";
}

} // namespace

std::optional<double> factorOf(PassContext &context, CallOp call) {
  if (!context.findStandard(call) || call.getNumResults() != 1 || call.getInputs().empty() ||
      !isFloatTensor(call.getInputs()[0]) || call.getInputs()[0] != findOperand(call, "self") ||
      specOf(call.getInputs()[0]).shape != specOf(call.getResult(0)).shape)
    return std::nullopt;
  const bool divides = call.getOp() == "aten::div.Tensor" || call.getOp() == "aten::div.Scalar";
  if (!divides && call.getOp() != "aten::mul.Tensor" && call.getOp() != "aten::mul.Scalar")
    return std::nullopt;
  const std::optional<double> number = numberOf(call, "other");
  return number && divides ? std::optional(1 / *number) : number;
}

bool isSoftmaxOfRows(PassContext &context, CallOp call) {
  if (call.getOp() != "aten::softmax.int" && call.getOp() != "aten::_softmax")
    return false;
  const PluginChoice *choice = context.findStandard(call);
  if (!choice)
    return false;
  const auto rank = static_cast<int64_t>(specOf(call.getResult(0)).shape.size());
  const int64_t dim = integerOf(choice->node, "dim");
  return rank >= 2 && (dim == -1 || dim == rank - 1);
}

std::string findAttention(PassContext &context, CallOp softmax, AttentionPattern &pattern) {
  pattern.softmax = softmax;
  pattern.leading = leading(softmax.getResult(0));
  if (std::string why = ScoresFinder(context, pattern).find(softmax.getInputs()[0]); !why.empty())
    return why;
  if (std::string why = findProduct(context, pattern); !why.empty())
    return why;
  for (CallOp product : {pattern.scores, pattern.product})
    for (mlir::Value operand : product.getInputs())
      if (specOf(operand).shape.size() < 2 || leading(operand) != leading(product.getResult(0)))
        return fmt::format("the operands of {} are broadcast, or vectors", product.getNode().str());
  const DataType type = specOf(pattern.query).dtype;
  for (mlir::Value other : {pattern.value, pattern.product.getResult(0)})
    if (specOf(other).dtype != type)
      return fmt::format("queries are {}, and values or results {}", dataTypeName(type),
                         dataTypeName(specOf(other).dtype));
  return "";
}

} // namespace inlay::graph
