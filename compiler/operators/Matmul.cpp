// Matrix products: linear, mm, bmm, addmm, baddbmm, matmul.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Products.h"
#include "compiler/operators/VendorTactics.h"

#include <algorithm>

namespace inlay {
namespace {

/// One dimension of batches, and how many elements each operand advances along it: 0 where it is
/// broadcast.
struct BatchDimension {
  Expr size, a, b, c;
};

/// out[batches, m, n] = A[batches, m, k] · B[batches, k, n]; B is stored as [n, k] if
/// isBTransposed.
struct Product {
  Expr m, n, k;
  bool isBTransposed = false;
  std::vector<Expr> outShape;
  std::vector<BatchDimension> batches;
  Expr cRow = 0, cColumn = 0;
  std::vector<PluginRequirement> requirements;
};

/// The size that two dimensions have together, as PyTorch broadcasts them.
Expr broadcast(const Expr &a, const Expr &b, std::vector<PluginRequirement> &requirements) {
  if (isOne(a))
    return b;
  if (!isOne(b) && !(a == b))
    requirements.push_back({equal(a, b), fmt::format("sizes {} and {} of the operands' batches are "
                                                     "equal",
                                                     a.toString(), b.toString())});
  return a;
}

/// The product of two tensors as aten::matmul defines it, or of a tensor and a transposed matrix.
Result<Product> matrixProduct(std::vector<Expr> a, std::vector<Expr> b, bool isBTransposed) {
  if (a.empty() || b.empty())
    return invalidArgument("an operand is a scalar; expected at least one dimension");
  Product product;
  product.isBTransposed = isBTransposed;
  const bool isAVector = a.size() == 1, isBVector = b.size() == 1;
  if (isAVector)
    a.insert(a.begin(), Expr(1));
  if (isBVector)
    b.insert(isBTransposed ? b.begin() : b.end(), Expr(1));
  product.m = a[a.size() - 2];
  product.k = a.back();
  product.n = isBTransposed ? b[b.size() - 2] : b.back();
  const Expr &depth = isBTransposed ? b.back() : b[b.size() - 2];
  if (!(product.k == depth))
    product.requirements.push_back(
        {equal(product.k, depth), fmt::format("the operands' inner sizes {} and {} are equal",
                                              product.k.toString(), depth.toString())});
  const size_t rank = std::max(a.size(), b.size()) - 2;
  const auto at = [&](const std::vector<Expr> &shape, size_t dim) {
    const size_t missing = rank + 2 - shape.size();
    return dim < missing ? Expr(1) : shape[dim - missing];
  };
  const std::vector<Expr> aStrides = broadcastStrides(a, rank + 2),
                          bStrides = broadcastStrides(b, rank + 2);
  for (size_t dim = 0; dim < rank; ++dim) {
    const Expr size = broadcast(at(a, dim), at(b, dim), product.requirements);
    product.outShape.push_back(size);
    product.batches.push_back({size, aStrides[dim], bStrides[dim], Expr(0)});
  }
  if (!isAVector)
    product.outShape.push_back(product.m);
  if (!isBVector)
    product.outShape.push_back(product.n);
  return product;
}

/// Adds C, which is broadcast to the output.
Status addTerm(Product &product, const std::vector<Expr> &c) {
  const size_t rank = product.batches.size() + 2;
  if (c.size() > rank)
    return invalidArgument("the tensor that is added has rank {}; the product has {}", c.size(),
                           rank);
  std::vector<Expr> shape;
  for (const BatchDimension &batch : product.batches)
    shape.push_back(batch.size);
  shape.push_back(product.m);
  shape.push_back(product.n);
  for (size_t i = 0; i < c.size(); ++i) {
    const Expr &size = c[i], &wanted = shape[rank - c.size() + i];
    if (!isOne(size) && !(size == wanted))
      product.requirements.push_back(
          {equal(size, wanted), fmt::format("size {} of the tensor that is added equals {} of the "
                                            "product",
                                            size.toString(), wanted.toString())});
  }
  const std::vector<Expr> strides = broadcastStrides(c, rank);
  for (size_t i = 0; i < product.batches.size(); ++i)
    product.batches[i].c = strides[i];
  product.cRow = strides[rank - 2];
  product.cColumn = strides[rank - 1];
  return {};
}

/// True if two neighbouring dimensions of batches are walked like one.
bool areOne(const BatchDimension &outer, const BatchDimension &inner) {
  return outer.a == inner.a * inner.size && outer.b == inner.b * inner.size &&
         outer.c == inner.c * inner.size;
}

/// Brings the batches to as few dimensions as possible; those over which only A advances, row by
/// row, become rows.
void mergeBatches(Product &product) {
  std::vector<BatchDimension> merged;
  for (const BatchDimension &batch : product.batches) {
    if (isOne(batch.size))
      continue;
    if (!merged.empty() && areOne(merged.back(), batch)) {
      merged.back() = {merged.back().size * batch.size, batch.a, batch.b, batch.c};
      continue;
    }
    merged.push_back(batch);
  }
  if (!merged.empty() && merged.back().b == Expr(0) && merged.back().a == product.m * product.k &&
      merged.back().c == Expr(0) && product.cRow == Expr(0)) {
    product.m = product.m * merged.back().size;
    merged.pop_back();
  }
  product.batches = std::move(merged);
}

/// Rows so few that reading B takes the time: each is computed by itself. A CPU has no tensor cores
/// that would be idle, and reads B once for several rows.
bool areFewRows(const Product &product, bool isGpu) {
  const int64_t most = isGpu ? 4 : 1;
  return product.m.isConstant() && *product.m.constantValue() <= most;
}

struct Operands {
  uint32_t a, b;
  std::optional<uint32_t> c;
  double alpha = 1, beta = 1;
};

/// Batches as the kernels take them, in three dimensions.
std::vector<BatchDimension> padBatches(const Product &product) {
  std::vector<BatchDimension> batches(3 - product.batches.size(), {Expr(1), 0, 0, 0});
  batches.insert(batches.end(), product.batches.begin(), product.batches.end());
  return batches;
}

void addSizes(LaunchBuilder &launch, const PluginNode &node, const Product &product,
              const Operands &operands) {
  const std::vector<BatchDimension> batches = padBatches(product);
  // A division by a constant is a multiplication, and what divides a constant is known.
  const bool isGpu = isForGpu(node);
  launch.size("m", product.m, isGpu)
      .size("n", product.n, isGpu)
      .size("k", product.k, isGpu)
      .size("size_1", batches[1].size, isGpu)
      .size("size_2", batches[2].size, isGpu);
  for (const BatchDimension &batch : batches)
    launch.wideSize(batch.a);
  for (const BatchDimension &batch : batches)
    launch.wideSize(batch.b);
  for (const BatchDimension &batch : batches)
    launch.wideSize(batch.c);
  launch.sizes({product.cRow, product.cColumn})
      .constant("ALPHA", operands.alpha)
      .constant("BETA", operands.beta)
      .constant("IS_B_TRANSPOSED", product.isBTransposed)
      .constant("SUM", sumTypeOf(node.inputs[operands.a].dtype));
}

/// Rows that are computed one by one.
PluginImplementation implementRows(const PluginNode &node, const Product &product,
                                   const Operands &operands, const ProductSize &size,
                                   const GroupTail *tail) {
  LaunchBuilder launch("matmul.py", "row_kernel");
  launch.input(operands.a).input(operands.b).optionalInput("c_ptr", operands.c).output(0);
  addSizes(launch, node, product, operands);
  const RowTile tile = chooseRowTile(node, size, product.isBTransposed);
  launch.constant("TILE_N", tile.n).constant("TILE_K", tile.k);
  PluginImplementation implementation = launch.over(size.count * size.m * ceilDiv(size.n, tile.n));
  addTailIfAny(implementation.launches[0], tail);
  return implementation;
}

PluginImplementation implementProduct(const PluginNode &node, Product product,
                                      const Operands &operands, const GroupTail *tail) {
  mergeBatches(product);
  const std::vector<BatchDimension> batches = padBatches(product);
  const ProductSize size{batches[0].size * batches[1].size * batches[2].size, product.m, product.n,
                         product.k, node.inputs[operands.a].dtype};
  if (areFewRows(product, isForGpu(node)))
    return implementRows(node, product, operands, size, tail);
  const ProductTiles tiles = chooseTiles(node, size);
  LaunchBuilder launch("matmul.py", "matmul_kernel");
  launch.input(operands.a).input(operands.b);
  Operands whole = operands;
  addTermAndOutput(launch, tiles, "c_ptr", operands.c, size.dtype);
  if (tiles.splits > 1)
    whole.alpha = whole.beta = 1;
  addSizes(launch, node, product, whole);
  launch.constant("WRAPS", isForGpu(node));
  addPrecision(launch, precisionOf(node, size.dtype));
  return overProduct(launch, size, tiles,
                     {operands.c,
                      {batches[1].size, batches[2].size},
                      {batches[0].c, batches[1].c, batches[2].c},
                      product.cRow,
                      product.cColumn,
                      operands.alpha,
                      operands.beta},
                     tail);
}

/// The product as libraries take it: one dimension of batches at most, and C one row at most.
std::optional<LibraryProduct> libraryProduct(Product product, const Operands &operands,
                                             DataType dtype) {
  mergeBatches(product);
  const bool isPlain = operands.alpha == 1 && (!operands.c || operands.beta == 1);
  const BatchDimension batch =
      product.batches.empty() ? BatchDimension{Expr(1), 0, 0, 0} : product.batches[0];
  const bool isBias = product.cRow == Expr(0) && product.cColumn == Expr(1) && batch.c == Expr(0);
  if (!isPlain || product.batches.size() > 1 || (operands.c && !isBias))
    return std::nullopt;
  LibraryProduct result{{}, operands.a, operands.b, operands.c, dtype};
  result.sizes.m = product.m;
  result.sizes.n = product.n;
  result.sizes.k = product.k;
  result.sizes.batch = batch.size;
  result.sizes.aRow = product.k;
  result.sizes.aColumn = 1;
  result.sizes.aBatch = batch.a;
  result.sizes.bRow = product.isBTransposed ? Expr(1) : product.n;
  result.sizes.bColumn = product.isBTransposed ? product.k : Expr(1);
  result.sizes.bBatch = batch.b;
  return result;
}

/// Names of a product's tensors in its schema.
struct ProductNames {
  std::string_view a, b, c;
  bool isBTransposed = false;
  std::optional<size_t> rank = {}; // that both operands must have
};

Status checkOperands(const PluginNode &node, const ProductNames &names) {
  INLAY_TRY(checkFloat(node, names.a));
  INLAY_TRY(checkOneType(node));
  for (std::string_view name : {names.a, names.b})
    if (names.rank && inputOf(node, name).shape.size() != *names.rank)
      return invalidArgument("'{}' has rank {}; expected {}", name,
                             inputOf(node, name).shape.size(), *names.rank);
  if (names.isBTransposed && inputOf(node, names.b).shape.size() > 2)
    return invalidArgument("'{}' has rank {}; expected 1 or 2", names.b,
                           inputOf(node, names.b).shape.size());
  return {};
}

Result<Product> readProduct(const PluginNode &node, const ProductNames &names) {
  INLAY_TRY(checkOperands(node, names));
  INLAY_ASSIGN(Product product, matrixProduct(inputOf(node, names.a).shape,
                                              inputOf(node, names.b).shape, names.isBTransposed));
  if (const TensorSpec *c = findInput(node, names.c))
    INLAY_TRY(addTerm(product, c->shape));
  Product merged = product;
  mergeBatches(merged);
  if (merged.batches.size() > 3)
    return unimplemented("the operands' batches are broadcast in a pattern of {} dimensions; at "
                         "most 3 are supported",
                         merged.batches.size());
  return product;
}

Result<PluginDescription> describe(const PluginNode &node, const ProductNames &names) {
  INLAY_ASSIGN(Product product, readProduct(node, names));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, names.a).dtype, product.outShape});
  description.requirements = std::move(product.requirements);
  return description;
}

/// `tail` may be null; with one, libraries compute nothing.
Result<PluginImplementation> implement(const PluginNode &node, const ProductNames &names,
                                       const GroupTail *tail) {
  INLAY_ASSIGN(Product product, readProduct(node, names));
  Operands operands{inputIndex(node, names.a), inputIndex(node, names.b),
                    findInputIndex(node, names.c)};
  if (hasAttribute(node, "alpha")) {
    INLAY_ASSIGN(operands.alpha, constantNumber(node, "alpha"));
    INLAY_ASSIGN(operands.beta, constantNumber(node, "beta"));
  }
  // What is not read may hold NaN.
  if (operands.beta == 0)
    operands.c.reset();
  const std::optional<LibraryProduct> library =
      libraryProduct(product, operands, inputOf(node, names.a).dtype);
  PluginImplementation implementation = implementProduct(node, std::move(product), operands, tail);
  if (library && !tail)
    addProductLibraries(implementation, node, *library);
  return implementation;
}

constexpr ProductNames kLinear = {"input", "weight", "bias", true};

} // namespace

Result<PluginImplementation> implementLinear(const PluginNode &node) {
  return implement(node, kLinear, nullptr);
}

void addMatmulOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, const ProductNames &names) {
    addOperator(definitions, schema,
                {[names](const PluginNode &node) { return describe(node, names); },
                 [names](const PluginNode &node) { return implement(node, names, nullptr); },
                 "",
                 {},
                 {.implementWithTail =
                      [names](const PluginNode &node, const GroupTail &tail) {
                        return implement(node, names, &tail);
                      },
                  .multipliesOnTensorCores = true}});
  };
  add("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", kLinear);
  add("aten::matmul(Tensor self, Tensor other) -> Tensor", {"self", "other", ""});
  add("aten::mm(Tensor self, Tensor mat2) -> Tensor", {"self", "mat2", "", false, 2});
  add("aten::bmm(Tensor self, Tensor mat2) -> Tensor", {"self", "mat2", "", false, 3});
  add("aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor",
      {"mat1", "mat2", "self", false, 2});
  add("aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) "
      "-> Tensor",
      {"batch1", "batch2", "self", false, 3});
}

} // namespace inlay
