// Products of one input with several constant weights become one product, of which each gets a
// slice.
//
//   %q = linear(%x, Q); %k = linear(%x, K); …   →   %m = linear(%x, [Q; K]); %q = slice(%m, …); …
//
// A slice is copied, so that this gains nothing by itself: each result must be read by views alone
// that are copied anyway, and that compose-views makes views of the product (heads of attention).
// What is multiplied elementwise, as the halves of a gated layer are, is no gain either: there
// fuse-epilogues makes one of the product and what follows it. Weights are copied when they are put
// together, so that there are limits: of what is large, reading takes much longer than launches.
// Requires that weights are constants that nothing else uses, and are not to be replaced later.
#include "compiler/operators/Shapes.h"
#include "compiler/transforms/graph/ConstantData.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewComposition.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

constexpr int64_t kMostBytes = int64_t{64} << 20;     // of weights put together
constexpr int64_t kMostBytesInAll = int64_t{1} << 30; // of a model

TensorSpec specOfConstant(ConstantOp constant) { return specOf(constant.getResult()); }

/// Names of a product's tensors, and how its weight is stored.
struct ProductForm {
  llvm::StringLiteral op, input, weight, bias;
  bool isTransposed; // [columns, depth]
};
constexpr ProductForm kForms[] = {{"aten::linear", "input", "weight", "bias", true},
                                  {"aten::mm", "self", "mat2", "", false},
                                  {"aten::addmm", "mat1", "mat2", "self", false}};

struct Product {
  CallOp call;
  const ProductForm *form;
  mlir::Value input, root; // root: what the input is a view of, without its shape
  ConstantOp weight, bias; // bias may be null
  int64_t columns, depth;
};

class ProductMerger {
public:
  explicit ProductMerger(PassContext &context) : context_(context) {}

  void run() {
    std::vector<std::vector<Product>> sets;
    for (auto call : context_.model().getBlock().getOps<CallOp>())
      if (const std::optional<Product> product = read(call)) {
        const auto set = llvm::find_if(sets, [&](const std::vector<Product> &others) {
          return areAlike(others.front(), *product);
        });
        if (set == sets.end())
          sets.push_back({*product});
        else
          set->push_back(*product);
      }
    for (std::vector<Product> &set : sets)
      if (set.size() > 1)
        tryMerge(set);
  }

private:
  /// A product with a constant matrix; nullopt for others.
  std::optional<Product> read(CallOp call) {
    const auto *form = llvm::find_if(
        kForms, [&](const ProductForm &candidate) { return candidate.op == call.getOp(); });
    if (form == std::end(kForms) || !context_.findStandard(call))
      return std::nullopt;
    for (llvm::StringRef factor : {"alpha", "beta"})
      if (auto literal = call.getArguments().get(factor))
        if (auto number = llvm::dyn_cast<mlir::IntegerAttr>(literal);
            !number || number.getInt() != 1)
          return std::nullopt;
    Product product{call, form, findOperand(call, form->input), {}, {}, {}, 0, 0};
    product.root = product.input;
    for (auto view = product.root.getDefiningOp<CallOp>(); view && isWholeView(context_, view);
         view = product.root.getDefiningOp<CallOp>())
      product.root = view.getInputs()[0];
    product.weight = ownConstant(findOperand(call, form->weight));
    const mlir::Value bias = form->bias.empty() ? mlir::Value() : findOperand(call, form->bias);
    product.bias = bias ? ownConstant(bias) : ConstantOp();
    if (!product.weight || (bias && !product.bias))
      return std::nullopt;
    const std::vector<Expr> shape = specOfConstant(product.weight).shape;
    if (shape.size() != 2 || specOf(product.input).shape.empty())
      return std::nullopt;
    product.columns = *shape[form->isTransposed ? 0 : 1].constantValue();
    product.depth = *shape[form->isTransposed ? 1 : 0].constantValue();
    if (bias && specOf(bias).shape != std::vector<Expr>{Expr(product.columns)})
      return std::nullopt;
    return product;
  }

  /// A constant that nothing else uses and whose bytes are there; null for others.
  static ConstantOp ownConstant(mlir::Value value) {
    ConstantOp constant = findConstant(value);
    return constant && value.hasOneUse() && !mappedBytesOf(constant).empty() ? constant
                                                                             : ConstantOp();
  }

  static bool areAlike(const Product &a, const Product &b) {
    return a.form == b.form && a.root == b.root && a.input.getType() == b.input.getType() &&
           a.depth == b.depth && !a.bias == !b.bias &&
           specOfConstant(a.weight).dtype == specOfConstant(b.weight).dtype;
  }

  void tryMerge(std::vector<Product> &set) {
    int64_t columns = 0;
    for (const Product &product : set)
      columns += product.columns;
    std::vector<Product> kept;
    for (const Product &product : set)
      if (std::string why = whyCopied(product, columns); why.empty())
        kept.push_back(product);
      else
        miss(product, why);
    if (kept.size() < 2)
      return;
    if (context_.model()->hasAttr(kRefittableAttribute))
      return miss(kept.front(), "weights are to be replaceable");
    int64_t bytes = 0;
    for (const Product &product : kept)
      bytes += static_cast<int64_t>(mappedBytesOf(product.weight).size());
    if (bytes > kMostBytes)
      return miss(kept.front(), fmt::format("the weights have {} bytes together, more than {}",
                                            bytes, kMostBytes));
    if (bytes + bytesInAll_ > kMostBytesInAll)
      return miss(kept.front(),
                  fmt::format("more than {} bytes of weights would be copied", kMostBytesInAll));
    bytesInAll_ += bytes;
    merge(kept);
  }

  void miss(const Product &product, const std::string &why) {
    context_.missed(CallOp(product.call).getNode(),
                    "stays apart from products of the same input: " + why);
  }

  /// Why a slice of a product of so many columns would be copied, which a product of its own is
  /// not; empty if it would not be.
  std::string whyCopied(const Product &product, int64_t columns) {
    const mlir::Value result = CallOp(product.call).getResult(0);
    if (result.use_empty())
      return "nothing uses it";
    StridedView slice = wholeView(specOf(result));
    std::vector<Expr> whole = slice.shape;
    whole.back() = Expr(columns);
    slice.strides = denseStrides(whole);
    return whyCopied(result, slice);
  }

  std::string whyCopied(mlir::Value value, const StridedView &place) {
    for (mlir::Operation *user : value.getUsers()) {
      auto call = llvm::dyn_cast<CallOp>(user);
      if (call && call.use_empty() && context_.findStandard(call))
        continue; // it goes
      const std::optional<StridedView> view =
          call && call.getInputs()[0] == value && call.getNumResults() == 1
              ? viewOf(context_, call.getResult(0))
              : std::nullopt;
      if (!view)
        return fmt::format("its result is read by {}, which is no view that is copied anyway",
                           call ? call.getNode().str() : "the model's outputs");
      const std::optional<StridedView> both = composed(*view, place);
      if (!both)
        return fmt::format("{} would be no view of the product", call.getNode().str());
      if (isWholeView(context_, call))
        if (std::string why = whyCopied(call.getResult(0), *both); !why.empty())
          return why;
    }
    return "";
  }

  void merge(const std::vector<Product> &set) {
    CallOp first = set.front().call;
    mlir::OpBuilder builder(first);
    const std::string name = first.getNode().str() + ".merged";
    std::string nodes;
    llvm::SmallVector<mlir::Location> locations;
    int64_t columns = 0;
    for (const Product &product : set) {
      CallOp call = product.call;
      nodes += (nodes.empty() ? "" : ", ") + call.getNode().str();
      locations.push_back(call.getLoc());
      columns += product.columns;
    }
    const mlir::Location location = builder.getFusedLoc(locations);
    const ProductForm &form = *set.front().form;
    llvm::SmallVector<mlir::Value> operands;
    for (mlir::Attribute argument : first.getArgNames()) {
      const llvm::StringRef text = llvm::cast<mlir::StringAttr>(argument).getValue();
      operands.push_back(text == form.weight ? mergedWeights(builder, set, columns, name)
                         : text == form.bias ? mergedBiases(builder, set, columns, name)
                                             : findOperand(first, text));
    }
    TensorSpec spec = specOf(first.getResult(0));
    spec.shape.back() = Expr(columns);
    auto merged = CallOp::create(builder, location,
                                 mlir::TypeRange(TensorType::of(builder.getContext(), spec)),
                                 first.getOpAttr(), builder.getStringAttr(name), operands,
                                 first.getArgNames(), first.getArguments());
    int64_t start = 0;
    for (const Product &product : set) {
      addSlice(builder, product, merged.getResult(0), start);
      start += product.columns;
    }
    for (const Product &product : set) {
      context_.erase(product.call);
      ConstantOp(product.weight).erase();
      if (product.bias)
        ConstantOp(product.bias).erase();
    }
    context_.applied(name, "computes " + nodes);
  }

  void addSlice(mlir::OpBuilder &builder, const Product &product, mlir::Value from, int64_t start) {
    CallOp call = product.call;
    const auto number = [&](llvm::StringRef name, int64_t value) {
      return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
    };
    const auto rank = static_cast<int64_t>(specOf(from).shape.size());
    auto slice = CallOp::create(
        builder, call.getLoc(), call->getResultTypes(), builder.getStringAttr("aten::slice.Tensor"),
        call.getNodeAttr(), from, builder.getStrArrayAttr({"self"}),
        builder.getDictionaryAttr({number("dim", rank - 1), number("start", start),
                                   number("end", start + product.columns)}));
    call.getResult(0).replaceAllUsesWith(slice.getResult(0));
  }

  /// Rows of a weight that is stored by columns of the product follow each other; else the rows of
  /// the new one have a part of each.
  mlir::Value mergedWeights(mlir::OpBuilder &builder, const std::vector<Product> &set,
                            int64_t columns, const std::string &name) {
    const Product &first = set.front();
    std::vector<llvm::ArrayRef<char>> pieces;
    for (int64_t row = 0; row < (first.form->isTransposed ? 1 : first.depth); ++row)
      for (const Product &product : set) {
        const llvm::ArrayRef<char> bytes = mappedBytesOf(product.weight);
        const size_t size = first.form->isTransposed
                                ? bytes.size()
                                : bytes.size() / static_cast<size_t>(first.depth);
        pieces.push_back(bytes.slice(static_cast<size_t>(row) * size, size));
      }
    TensorSpec spec = specOfConstant(first.weight);
    spec.shape[first.form->isTransposed ? 0 : 1] = Expr(columns);
    return makeWeight(builder, ConstantOp(first.weight).getLoc(),
                      TensorType::of(builder.getContext(), spec), name + ".weight", pieces)
        .getResult();
  }

  mlir::Value mergedBiases(mlir::OpBuilder &builder, const std::vector<Product> &set,
                           int64_t columns, const std::string &name) {
    std::vector<llvm::ArrayRef<char>> pieces;
    for (const Product &product : set)
      pieces.push_back(mappedBytesOf(product.bias));
    TensorSpec spec = specOfConstant(set.front().bias);
    spec.shape = {Expr(columns)};
    return makeWeight(builder, ConstantOp(set.front().bias).getLoc(),
                      TensorType::of(builder.getContext(), spec), name + ".bias", pieces)
        .getResult();
  }

  PassContext &context_;
  int64_t bytesInAll_ = 0;
};

} // namespace

Status mergeProducts(PassContext &context) {
  ProductMerger(context).run();
  return {};
}

} // namespace inlay::graph
