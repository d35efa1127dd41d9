// Scaled dot product attention: one kernel that never stores the scores.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace inlay {
namespace {

/// The size of a dimension counted from the end; 1 for one that is not there.
Expr fromEnd(const TensorSpec &tensor, size_t dim) {
  return dim > tensor.shape.size() ? Expr(1) : tensor.shape[tensor.shape.size() - dim];
}

/// q [outer, heads, queries, head], k [outer, keyHeads, keys, head], v [outer, keyHeads, keys,
/// value].
struct Attention {
  Expr outer, heads, keyHeads, queries, keys;
  int64_t head = 0, value = 0;
  std::vector<Expr> maskStrides; // outer, head, query, key
  std::vector<PluginRequirement> requirements;
};

Result<int64_t> constantSize(const TensorSpec &tensor, std::string_view name) {
  const std::optional<int64_t> size = fromEnd(tensor, 1).constantValue();
  if (!size || *size < 1 || *size > 512)
    return unimplemented("the last size of '{}' is {}; expected one from 1 to 512, known when the "
                         "engine is built",
                         name, fromEnd(tensor, 1).toString());
  return *size;
}

void require(Attention &attention, const Expr &a, const Expr &b, std::string_view what) {
  if (!(a == b))
    attention.requirements.push_back(
        {equal(a, b), fmt::format("{} are equal: {} and {}", what, a.toString(), b.toString())});
}

/// The mask's name, which depends on the operator.
std::string_view maskName(const PluginNode &node) {
  return findInput(node, "attn_bias") ? "attn_bias" : "attn_mask";
}

Status readMask(const PluginNode &node, const TensorSpec &mask, Attention &attention) {
  const size_t rank = inputOf(node, "query").shape.size();
  if (mask.dtype != DataType::Bool && !isFloat(mask.dtype))
    return invalidArgument("'{}' is {}; expected bool or a float", maskName(node),
                           dataTypeName(mask.dtype));
  if (mask.shape.size() > std::max<size_t>(rank, 2) || mask.shape.size() > 4)
    return invalidArgument("the mask has rank {}; expected at most that of 'query', which is "
                           "{}, and 4",
                           mask.shape.size(), rank);
  attention.maskStrides = broadcastStrides(mask.shape, 4);
  const Expr wanted[] = {attention.outer, attention.heads, attention.queries, attention.keys};
  for (size_t dim = 1; dim <= mask.shape.size(); ++dim)
    if (!isOne(fromEnd(mask, dim)))
      require(attention, fromEnd(mask, dim), wanted[4 - dim], "sizes of the mask and the scores");
  return {};
}

Status checkTensors(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "query"));
  const TensorSpec &query = inputOf(node, "query");
  for (std::string_view name : {"query", "key", "value"}) {
    const TensorSpec &tensor = inputOf(node, name);
    if (tensor.dtype != query.dtype)
      return invalidArgument("'{}' is {}, but 'query' is {}", name, dataTypeName(tensor.dtype),
                             dataTypeName(query.dtype));
    if (tensor.shape.size() < 2 || tensor.shape.size() != query.shape.size())
      return invalidArgument("'{}' has rank {}, and 'query' {}; expected the same, at least 2",
                             name, tensor.shape.size(), query.shape.size());
  }
  if (floatOf(node, "dropout_p") != 0)
    return unimplemented("dropout_p is {}; attention with dropout is not supported",
                         floatOf(node, "dropout_p"));
  return {};
}

Result<Attention> readAttention(const PluginNode &node) {
  INLAY_TRY(checkTensors(node));
  const TensorSpec &query = inputOf(node, "query"), &key = inputOf(node, "key"),
                   &value = inputOf(node, "value");
  Attention attention;
  const size_t rank = query.shape.size();
  if (rank > 3)
    attention.outer = productOf(std::span(query.shape).first(rank - 3));
  else
    attention.outer = 1;
  attention.heads = fromEnd(query, 3);
  attention.keyHeads = fromEnd(key, 3);
  attention.queries = fromEnd(query, 2);
  attention.keys = fromEnd(key, 2);
  INLAY_ASSIGN(attention.head, constantSize(query, "query"));
  INLAY_ASSIGN(attention.value, constantSize(value, "value"));
  require(attention, fromEnd(query, 1), fromEnd(key, 1), "the last sizes of 'query' and 'key'");
  require(attention, attention.keys, fromEnd(value, 2), "numbers of keys and values");
  require(attention, attention.keyHeads, fromEnd(value, 3), "numbers of heads of keys and values");
  for (size_t dim = 4; dim <= rank; ++dim) {
    require(attention, fromEnd(query, dim), fromEnd(key, dim), "sizes of 'query' and 'key'");
    require(attention, fromEnd(query, dim), fromEnd(value, dim), "sizes of 'query' and 'value'");
  }
  if (hasAttribute(node, "enable_gqa") && boolOf(node, "enable_gqa"))
    attention.requirements.push_back({equal(mod(attention.heads, attention.keyHeads), 0),
                                      "the heads of queries are a multiple of those of keys"});
  else if (!isOne(attention.keyHeads)) // one head of keys is broadcast to all of the queries
    require(attention, attention.heads, attention.keyHeads, "numbers of heads");
  if (const TensorSpec *mask = findInput(node, maskName(node)))
    INLAY_TRY(readMask(node, *mask, attention));
  return attention;
}

/// Which results an operator has beside the output itself.
enum class Extra : uint8_t {
  None,
  Logarithms, // of the sum of each query's exp(score)
  Training,   // the same, which must not be asked for, and a state of random numbers
};

Result<PluginDescription> describe(const PluginNode &node, Extra extra) {
  INLAY_ASSIGN(Attention attention, readAttention(node));
  PluginDescription description;
  TensorSpec out = inputOf(node, "query");
  out.shape.back() = Expr(attention.value);
  TensorSpec logarithms{sumTypeOf(out.dtype), out.shape};
  logarithms.shape.pop_back();
  description.outputs.push_back(std::move(out));
  if (extra == Extra::Training) {
    if (boolOf(node, "compute_log_sumexp"))
      return unimplemented("compute_log_sumexp is True; what only training needs is not computed");
    logarithms.shape.back() = Expr(0);
  }
  if (extra != Extra::None)
    description.outputs.push_back(std::move(logarithms));
  // Of random numbers that nobody draws.
  if (extra == Extra::Training)
    description.outputs.resize(4, {DataType::Int64, {}});
  description.requirements = std::move(attention.requirements);
  return description;
}

/// What one program holds of queries and results, and reads of keys and values at a time.
struct AttentionTiles {
  int64_t m, n, head, value;
  int warps = 4, stages = 1;
  std::string precision;
};

AttentionTiles chooseTiles(const PluginNode &node, const Attention &attention, DataType dtype) {
  const bool isNarrow = dataTypeSizeBytes(dtype) == 2, isGpu = isForGpu(node);
  AttentionTiles tiles{};
  tiles.head = tileFor(attention.head, 16, 512, 512);
  tiles.value = tileFor(attention.value, 16, 512, 512);
  const int64_t widest = std::max(tiles.head, tiles.value);
  const int64_t side = widest > 256 ? 16 : isNarrow ? 64 : 32;
  tiles.m = tileFor(attention.queries, 1, side, side);
  tiles.n = tileFor(attention.keys, 16, side, side);
  // Wide heads leave few registers.
  if (isGpu && widest == 256 && isNarrow)
    tiles.n = std::min<int64_t>(tiles.n, 32);
  if (isGpu && widest == 256 && !isNarrow)
    tiles.warps = 8;
  tiles.precision = widest > 256 ? "ieee" : precisionOf(node, dtype);
  // As many keys and values on their way as shared memory has room for.
  constexpr int64_t kMostBytes = 96 * 1024;
  const int64_t stageBytes = tiles.n * (tiles.head + tiles.value) * dataTypeSizeBytes(dtype);
  tiles.stages = static_cast<int>(std::clamp<int64_t>(kMostBytes / stageBytes, 1, 3));
  return tiles;
}

Result<PluginImplementation> implement(const PluginNode &node, Extra extra) {
  INLAY_ASSIGN(Attention attention, readAttention(node));
  const DataType dtype = inputOf(node, "query").dtype;
  const AttentionTiles tiles = chooseTiles(node, attention, dtype);
  const TensorSpec *mask = findInput(node, maskName(node));
  const double scale = isNone(node, "scale") ? 1 / std::sqrt(static_cast<double>(attention.head))
                                             : floatOf(node, "scale");
  LaunchBuilder launch("attention.py", "attention_kernel");
  launch.input(inputIndex(node, "query"))
      .input(inputIndex(node, "key"))
      .input(inputIndex(node, "value"))
      .optionalInput("mask_ptr", findInputIndex(node, maskName(node)))
      .output(0)
      .optionalOutput("log_ptr", extra == Extra::Logarithms ? std::optional(1u) : std::nullopt)
      .sizes({attention.queries, attention.keys, attention.heads, attention.keyHeads});
  attention.maskStrides.resize(4, Expr(0));
  for (const Expr &stride : attention.maskStrides)
    launch.sizes({stride});
  launch.constant("SCALE", scale * std::numbers::log2e)
      .constant("HEAD", attention.head)
      .constant("VALUE", attention.value)
      .constant("IS_CAUSAL", boolOf(node, "is_causal"))
      .constant("IS_MASK_BOOL", mask && mask->dtype == DataType::Bool)
      .constant("SUM", sumTypeOf(dtype))
      .constant("TILE_M", tiles.m)
      .constant("TILE_N", tiles.n)
      .constant("TILE_D", tiles.head)
      .constant("TILE_V", tiles.value)
      .warps(tiles.warps)
      .stages(tiles.stages);
  addPrecision(launch, tiles.precision);
  return launch.over(attention.outer * attention.heads * ceilDiv(attention.queries, tiles.m));
}

} // namespace

void addAttentionOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, Extra extra) {
    addOperator(definitions, schema,
                {[extra](const PluginNode &node) { return describe(node, extra); },
                 [extra](const PluginNode &node) { return implement(node, extra); },
                 "",
                 {},
                 {.multipliesOnTensorCores = true}});
  };
  add("aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? "
      "attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool "
      "enable_gqa=False) -> Tensor",
      Extra::None);
  add("aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, "
      "float dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> "
      "(Tensor output, Tensor logsumexp)",
      Extra::Logarithms);
  add("aten::_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, "
      "Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0., bool is_causal=False, *, "
      "float? scale=None) -> (Tensor output, Tensor log_sumexp, Tensor philox_seed, Tensor "
      "philox_offset)",
      Extra::Training);
}

} // namespace inlay
