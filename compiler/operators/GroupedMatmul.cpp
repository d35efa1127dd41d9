// Products of groups of rows with a matrix for each group: what mixtures of experts compute.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// Most groups that a program looks through at once.
constexpr int64_t kMostGroups = 4096;

/// What the tensors are called in a schema.
struct GroupedNames {
  std::string_view rows, matrices;
};

struct GroupedProduct {
  Expr m, n, k, groups;
  std::vector<PluginRequirement> requirements;
};

Status checkOptions(const PluginNode &node, DataType dtype) {
  if (findInput(node, "bias"))
    return unimplemented("a 'bias' is not supported, as in PyTorch");
  if (!hasAttribute(node, "out_dtype"))
    return {};
  const std::optional<DataType> asked = findDataTypeOf(node, "out_dtype");
  if (asked && *asked != dtype)
    return unimplemented("'out_dtype' is {}, and the operands are {}; they must be the same",
                         dataTypeName(*asked), dataTypeName(dtype));
  return {};
}

Result<GroupedProduct> readGrouped(const PluginNode &node, const GroupedNames &names) {
  INLAY_TRY(checkFloat(node, names.rows));
  const TensorSpec &a = inputOf(node, names.rows), &b = inputOf(node, names.matrices);
  INLAY_TRY(checkOptions(node, a.dtype));
  if (a.dtype != b.dtype)
    return invalidArgument("'{}' is {} and '{}' is {}; expected one type", names.rows,
                           dataTypeName(a.dtype), names.matrices, dataTypeName(b.dtype));
  if (a.shape.size() != 2 || b.shape.size() != 3)
    return unimplemented("'{}' has rank {} and '{}' rank {}; rows of rank 2 and a matrix for each "
                         "group, of rank 3, are supported",
                         names.rows, a.shape.size(), names.matrices, b.shape.size());
  const TensorSpec *offsets = findInput(node, "offs");
  if (!offsets)
    return invalidArgument("'offs', where each group ends, is missing");
  if (offsets->shape.size() != 1 ||
      (offsets->dtype != DataType::Int32 && offsets->dtype != DataType::Int64))
    return invalidArgument("'offs' is {}{}; expected one dimension of int32 or int64",
                           dataTypeName(offsets->dtype), shapeText(offsets->shape));
  GroupedProduct product{a.shape[0], b.shape[2], a.shape[1], b.shape[0], {}};
  product.requirements.push_back(
      {equal(product.k, b.shape[1]), fmt::format("the operands' inner sizes {} and {} are equal",
                                                 product.k.toString(), b.shape[1].toString())});
  product.requirements.push_back(
      {equal(product.groups, offsets->shape[0]),
       fmt::format("'offs' has an end for each of the {} groups", product.groups.toString())});
  if (!product.groups.isConstant() || *product.groups.constantValue() >= kMostGroups)
    return unimplemented("there are {} groups; a number below {} that is known is supported",
                         product.groups.toString(), kMostGroups);
  return product;
}

Result<PluginDescription> describe(const PluginNode &node, const GroupedNames &names) {
  INLAY_ASSIGN(GroupedProduct product, readGrouped(node, names));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, names.rows).dtype, {product.m, product.n}});
  description.requirements = std::move(product.requirements);
  return description;
}

Result<PluginImplementation> implement(const PluginNode &node, const GroupedNames &names) {
  INLAY_ASSIGN(const GroupedProduct product, readGrouped(node, names));
  const DataType dtype = inputOf(node, names.rows).dtype;
  const int64_t groups = *product.groups.constantValue();
  // Tiles as for groups of the same size.
  const ProductTiles tiles =
      chooseTiles(node, {product.groups, ceilDiv(product.m, std::max<int64_t>(groups, 1)),
                         product.n, product.k, dtype});
  const bool isGpu = isForGpu(node);
  LaunchBuilder launch("grouped_matmul.py", "grouped_matmul_kernel");
  launch.input(inputIndex(node, names.rows))
      .input(inputIndex(node, names.matrices))
      .input(inputIndex(node, "offs"))
      .output(0)
      .size("m", product.m, false)
      .size("n", product.n, isGpu)
      .size("k", product.k, isGpu)
      .size("groups", product.groups, isGpu)
      .constant("SUM", sumTypeOf(dtype))
      .constant("GROUPS", tileFor(Expr(groups + 1), 1, kMostGroups, 1))
      .constant("TILE_M", tiles.m)
      .constant("TILE_N", tiles.n)
      .constant("TILE_K", tiles.k)
      .warps(tiles.warps)
      .stages(tiles.stages);
  addPrecision(launch, precisionOf(node, dtype));
  // Each group but one, and the rows behind the last, may end in a tile that is not full.
  const Expr rowTiles = ceilDiv(product.m, tiles.m) + product.groups;
  return launch.over(rowTiles * ceilDiv(product.n, tiles.n));
}

} // namespace

void addGroupedMatmulOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, const GroupedNames &names) {
    addOperator(definitions, schema,
                {[names](const PluginNode &node) { return describe(node, names); },
                 [names](const PluginNode &node) { return implement(node, names); },
                 "",
                 {},
                 {.multipliesOnTensorCores = true}});
  };
  add("aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, "
      "ScalarType? out_dtype=None) -> Tensor",
      {"self", "mat2"});
  // What Hugging Face's transformers exports where aten::_grouped_mm does not take the type.
  add("transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor",
      {"input", "weight"});
}

} // namespace inlay
