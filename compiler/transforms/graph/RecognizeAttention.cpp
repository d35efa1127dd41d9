// Attention that a model writes out becomes one call, whose kernel never stores the scores.
//
//   %s = matmul(%q, transpose(%k)); %w = softmax(%s / 8 + %mask); %y = matmul(%w, %v)
//     →   %y = scaled_dot_product_attention(%q, %k, %v, %mask, scale = 0.125)
//
// Also where products are of three dimensions between views, scores are cast, and heads of keys and
// values are repeated for several of queries. Requires that nothing else reads the scores or the
// weights. Scores stay in the precision of sums; a query that may see no key gets 0, not NaN.
#include "compiler/operators/Shapes.h"
#include "compiler/operators/StandardOperator.h"
#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/AttentionPattern.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <cmath>
#include <fmt/format.h>

namespace inlay::graph {
namespace {

using Literals = llvm::SmallVector<mlir::NamedAttribute>;

class AttentionRecognizer {
public:
  explicit AttentionRecognizer(PassContext &context) : context_(context) {}

  void recognize(CallOp softmax) {
    AttentionPattern pattern;
    const std::string node = softmax.getNode().str();
    std::string why = findAttention(context_, softmax, pattern);
    if (why.empty())
      why = replace(pattern);
    if (!why.empty())
      context_.missed(node, "is not taken for attention: " + why);
  }

private:
  /// Gives why not; empty if it is done.
  std::string replace(const AttentionPattern &pattern) {
    CallOp product = pattern.product;
    mlir::OpBuilder builder(product);
    builder_ = &builder;
    made_.clear();
    node_ = product.getNode().str();
    location_ = builder.getFusedLoc(
        {pattern.scores->getLoc(), CallOp(pattern.softmax)->getLoc(), product->getLoc()});
    const std::vector<Expr> &lead = pattern.leading;
    double scale = pattern.scale;
    mlir::Value query = withoutFactor(pattern.query, scale);
    mlir::Value key = withoutFactor(transposed(pattern.keyTransposed), scale);
    mlir::Value value = pattern.value;
    const auto repeated = repeatedHeads(key, lead), repeatedValue = repeatedHeads(value, lead);
    const bool isGrouped =
        repeated && repeatedValue && specOf(*repeated).shape[1] == specOf(*repeatedValue).shape[1];
    key = isGrouped ? *repeated : withLeading(key, lead);
    value = isGrouped ? *repeatedValue : withLeading(value, lead);
    llvm::SmallVector<mlir::Value> operands = {withLeading(query, lead), key, value};
    llvm::SmallVector<mlir::StringRef> names = {"query", "key", "value"};
    if (pattern.mask) {
      operands.push_back(maskOf(pattern));
      names.push_back("attn_mask");
    }
    Literals literals = {builder.getNamedAttr("scale", builder.getF64FloatAttr(scale))};
    if (isGrouped)
      literals.push_back(builder.getNamedAttr("enable_gqa", builder.getBoolAttr(true)));
    TensorSpec result = specOf(operands[0]);
    result.shape.back() = specOf(value).shape.back();
    CallOp attention = make("aten::scaled_dot_product_attention", node_ + ".attention", operands,
                            names, literals, result);
    if (std::string why = whyNotServed(attention); !why.empty()) {
      undo();
      return why;
    }
    mlir::Value last = attention.getResult(0);
    if (last.getType() != product.getResult(0).getType())
      last = reshaped(last, specOf(product.getResult(0)).shape);
    product.getResult(0).replaceAllUsesWith(last);
    context_.applied(node_, fmt::format("{}, {} and {} are attention",
                                        CallOp(pattern.scores).getNode().str(),
                                        CallOp(pattern.softmax).getNode().str(), node_));
    eraseUnused(product);
    return "";
  }

  std::string whyNotServed(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice)
      return "a plugin that is no standard operator serves attention, or none does";
    PluginNode undescribed = choice->node;
    undescribed.outputs.clear();
    const Result<PluginDescription> description = choice->plugin->describe(undescribed);
    if (!description.isOk())
      return description.status().message();
    for (const PluginRequirement &requirement : description->requirements)
      if (knowledgeOf(choice->node, requirement.condition) == Knowledge::Never)
        return requirement.message + ": never";
    return "";
  }

  /// A new call in front of the product with the values.
  CallOp make(llvm::StringRef op, const std::string &node, mlir::ValueRange operands,
              mlir::ArrayRef<mlir::StringRef> names, const Literals &literals,
              const TensorSpec &result) {
    const auto type = TensorType::of(builder_->getContext(), result);
    made_.push_back(CallOp::create(*builder_, location_, mlir::TypeRange(type),
                                   builder_->getStringAttr(op), builder_->getStringAttr(node),
                                   operands, builder_->getStrArrayAttr(names),
                                   builder_->getDictionaryAttr(literals)));
    return made_.back();
  }

  std::string nextName() { return fmt::format("{}.operand{}", node_, made_.size()); }

  void undo() {
    for (CallOp call : llvm::reverse(made_))
      context_.erase(call);
  }

  mlir::Value reshaped(mlir::Value value, const std::vector<Expr> &shape) {
    TensorSpec spec = specOf(value);
    if (spec.shape == shape)
      return value;
    spec.shape = shape;
    const auto type = TensorType::of(builder_->getContext(), spec);
    return make("aten::reshape", nextName(), value, {"self"},
                {builder_->getNamedAttr("shape",
                                        sizesAttribute(type.getContext(), type.getSpec().shape))},
                spec)
        .getResult(0);
  }

  /// A value with other sizes in front of the last two.
  mlir::Value withLeading(mlir::Value value, const std::vector<Expr> &lead) {
    std::vector<Expr> shape = lead;
    const std::vector<Expr> own = specOf(value).shape;
    shape.insert(shape.end(), own.end() - 2, own.end());
    return reshaped(value, shape);
  }

  /// The call that gives a value, if a standard operator of one result serves it.
  CallOp standardCall(mlir::Value value) {
    auto call = value.getDefiningOp<CallOp>();
    return call && context_.findStandard(call) && call.getNumResults() == 1 ? call : CallOp();
  }

  /// A value with its last two dimensions exchanged: what is in front of such an exchange, if it is
  /// one of more than those or has a view of its leading dimensions behind it, too.
  mlir::Value transposed(mlir::Value value) {
    const TensorSpec spec = specOf(value);
    CallOp call = standardCall(value);
    if (call && isWholeView(context_, call)) {
      const std::vector<Expr> inner = specOf(call.getInputs()[0]).shape;
      CallOp before = standardCall(call.getInputs()[0]);
      if (inner.size() > 2 && inner.back() == spec.shape.back() &&
          inner[inner.size() - 2] == spec.shape[spec.shape.size() - 2] && before &&
          permutationOf(context_, before)) {
        std::vector<Expr> lead(spec.shape.begin(), spec.shape.end() - 2);
        return withLeading(transposed(call.getInputs()[0]), lead);
      }
    }
    mlir::Value source = value;
    std::vector<int64_t> dims;
    if (const auto permutation =
            call ? permutationOf(context_, call) : std::optional<std::vector<int64_t>>()) {
      source = call.getInputs()[0];
      dims = *permutation;
    } else {
      for (size_t dim = 0; dim < spec.shape.size(); ++dim)
        dims.push_back(static_cast<int64_t>(dim));
    }
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
    if (llvm::is_sorted(dims))
      return source;
    TensorSpec result = spec;
    std::swap(result.shape[dims.size() - 1], result.shape[dims.size() - 2]);
    return make("aten::permute", nextName(), source, {"self"},
                {builder_->getNamedAttr("dims", builder_->getI64ArrayAttr(dims))}, result)
        .getResult(0);
  }

  /// What a number multiplies to give a value; the number goes to `scale`.
  mlir::Value withoutFactor(mlir::Value value, double &scale) {
    CallOp call = standardCall(value);
    const std::optional<double> factor = call ? factorOf(context_, call) : std::nullopt;
    if (!factor || specOf(call.getInputs()[0]).dtype != specOf(value).dtype)
      return value;
    scale *= *factor;
    return call.getInputs()[0];
  }

  /// [outer, heads, keys, head] of which a value repeats each head for some of the queries' heads;
  /// nullopt if it does not.
  std::optional<mlir::Value> repeatedHeads(mlir::Value value, const std::vector<Expr> &lead) {
    const std::vector<Expr> rows = specOf(value).shape;
    CallOp expand = standardCall(value);
    while (expand && isWholeView(context_, expand))
      expand = standardCall(expand.getInputs()[0]);
    const PluginChoice *choice = expand ? context_.findStandard(expand) : nullptr;
    if (!choice || !choice->plugin->traits()->views)
      return std::nullopt;
    const std::vector<Expr> shape = specOf(expand.getResult(0)).shape;
    if (shape.size() != 5 || lead.size() != 2 || lead[0] != shape[0] ||
        lead[1] != shape[1] * shape[2] || shape[3] != rows[rows.size() - 2] ||
        shape[4] != rows.back())
      return std::nullopt;
    const Result<StridedViews> views = choice->plugin->traits()->views(choice->node);
    const std::vector<Expr> whole = {shape[0], shape[1], shape[3], shape[4]};
    const mlir::Value source = expand.getInputs()[0];
    if (!views.isOk() || views->views.size() != 1 || views->views[0].strides[2] != Expr(0) ||
        views->views[0].offset != Expr(0) || specOf(source).numel() != productOf(whole))
      return std::nullopt;
    std::vector<Expr> strides = views->views[0].strides;
    strides.erase(strides.begin() + 2);
    const std::vector<Expr> dense = denseStrides(whole);
    for (size_t dim = 0; dim < whole.size(); ++dim)
      if (strides[dim] != dense[dim] && whole[dim] != Expr(1))
        return std::nullopt;
    return reshaped(source, whole);
  }

  mlir::Value maskOf(const AttentionPattern &pattern) {
    const mlir::Value mask = pattern.mask;
    const bool isKept = pattern.maskKind == AttentionPattern::Mask::Kept;
    if (pattern.maskKind == AttentionPattern::Mask::Added || (isKept && std::isinf(pattern.fill)))
      return mask;
    TensorSpec spec = specOf(mask);
    if (std::isinf(pattern.fill))
      return make("aten::logical_not", node_ + ".mask", mask, {"self"}, {}, spec).getResult(0);
    spec.dtype = DataType::Float32;
    const auto number = [&](llvm::StringRef name, double value) {
      return builder_->getNamedAttr(name, builder_->getF64FloatAttr(value));
    };
    return make("aten::where.Scalar", node_ + ".mask", mask, {"condition"},
                {number("self", isKept ? 0 : pattern.fill),
                 number("other", isKept ? pattern.fill : 0)},
                spec)
        .getResult(0);
  }

  /// Erases a call that nothing uses, and what only it used.
  void eraseUnused(CallOp call) {
    const llvm::SmallVector<mlir::Value> inputs(call.getInputs());
    context_.erase(call);
    for (mlir::Value input : inputs)
      if (CallOp before = standardCall(input); before && before->use_empty())
        eraseUnused(before);
  }

  PassContext &context_;
  mlir::OpBuilder *builder_ = nullptr; // of the replacement in work
  mlir::Location location_ = mlir::UnknownLoc::get(context_.model().getContext());
  std::string node_;
  llvm::SmallVector<CallOp> made_;
};

} // namespace

Status recognizeAttention(PassContext &context) {
  llvm::SmallVector<CallOp> softmaxes;
  for (auto call : context.model().getBlock().getOps<CallOp>())
    if (isSoftmaxOfRows(context, call))
      softmaxes.push_back(call);
  AttentionRecognizer recognizer(context);
  for (CallOp softmax : softmaxes)
    recognizer.recognize(softmax);
  return {};
}

} // namespace inlay::graph
