// Sorting along one dimension, and the largest or smallest elements in order.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

#include <bit>
#include <limits>

namespace inlay {
namespace {

/// The lines that are sorted, and how much of each is kept.
struct Sorting {
  Lines lines;
  size_t dim;
  Expr kept;
  bool isDescending;
  bool placesOnly;
};

Result<Sorting> readSorting(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  if (!isFloat(self.dtype) && self.dtype != DataType::Bool && self.dtype != DataType::UInt8 &&
      dataTypeKind(self.dtype) != DataTypeKind::Signed)
    return unimplemented("'self' is {}; sorting it is not supported", dataTypeName(self.dtype));
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), self.shape.size()));
  const Lines lines = linesAlong(self.shape, dim);
  const std::optional<Expr> count = hasAttribute(node, "k") ? findSize(node, "k") : std::nullopt;
  return Sorting{lines, dim, count.value_or(lines.length),
                 boolOf(node, hasAttribute(node, "largest") ? "largest" : "descending"),
                 node.opName.starts_with("aten::argsort")};
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_ASSIGN(const Sorting sorting, readSorting(node));
  PluginDescription description;
  TensorSpec out = inputOf(node, "self");
  if (!out.shape.empty())
    out.shape[sorting.dim] = sorting.kept;
  if (!sorting.placesOnly)
    description.outputs.push_back(out);
  description.outputs.push_back({DataType::Int64, out.shape});
  if (hasAttribute(node, "k"))
    description.requirements.push_back(
        {logicalAnd(lessEqual(0, sorting.kept), lessEqual(sorting.kept, sorting.lines.length)),
         fmt::format("k is from 0 to {}, the size of dimension {}", sorting.lines.length.toString(),
                     sorting.dim)});
  return description;
}

/// Launches of ops/sorting.py for the lines of a node.
class SortingBuilder {
public:
  SortingBuilder(const PluginNode &node, const Sorting &sorting)
      : node_(node), sorting_(sorting),
        key_(dataTypeSizeBytes(node.inputs[0].dtype) == 8 ? DataType::Int64 : DataType::Int32) {}

  PluginImplementation build() {
    const int64_t longestOfRanks = isForGpu(node_) ? 4096 : 128, mostOfChosen = 2048;
    const std::optional<int64_t> length = sorting_.lines.length.constantValue();
    const Interval kept = boundsIn(node_, sorting_.kept);
    const bool isShort = length ? *length <= longestOfRanks : isForGpu(node_);
    if (isShort)
      addRanks();
    else if (hasAttribute(node_, "k") && kept.max && *kept.max <= mostOfChosen)
      addChoice(*kept.max);
    else
      addMerges();
    return std::move(implementation_);
  }

private:
  static constexpr int64_t kBlock = 256;

  Expr count() const { return sorting_.lines.outer * sorting_.lines.inner; }

  uint32_t addWorkspace(std::string name, DataType dtype, const Expr &ofEachLine) {
    implementation_.workspaces.push_back(
        {std::move(name), dtype, count() * ofEachLine * Expr(dataTypeSizeBytes(dtype))});
    return static_cast<uint32_t>(implementation_.workspaces.size()) - 1;
  }

  void addResults(LaunchBuilder &launch) const {
    launch.optionalOutput("out_ptr", sorting_.placesOnly ? std::nullopt : std::optional(0u))
        .output(sorting_.placesOnly ? 0 : 1);
  }

  void addLaunch(LaunchBuilder &launch, const Expr &programs) {
    implementation_.launches.push_back(launch.launchOver(programs));
  }

  void addRanks() {
    const Lines &lines = sorting_.lines;
    const int64_t block = tileFor(lines.length, 1, 32, 32),
                  chunk = tileFor(lines.length, 1, 64, 64);
    LaunchBuilder launch("sorting.py", "rank_kernel");
    launch.input(0);
    addResults(launch);
    launch.sizes({lines.length, lines.inner, sorting_.kept})
        .constant("IS_DESCENDING", sorting_.isDescending)
        .constant("BLOCK", block)
        .constant("CHUNK", chunk);
    addLaunch(launch, count() * ceilDiv(lines.length, block));
  }

  void addChoice(int64_t mostKept) {
    const Lines &lines = sorting_.lines;
    const bool isWide = key_ == DataType::Int64;
    const uint32_t keys = addWorkspace("keys", key_, lines.length),
                   places = addWorkspace("places", DataType::Int32, lines.length),
                   chosen = addWorkspace("chosen", DataType::Int32, sorting_.kept);
    LaunchBuilder select("sorting.py", "select_kernel");
    select.input(0)
        .workspace(keys, key_)
        .workspace(places, DataType::Int32)
        .workspace(chosen, DataType::Int32)
        .sizes({lines.length, lines.inner, sorting_.kept})
        .constant("IS_DESCENDING", sorting_.isDescending)
        .constant("KEY", key_)
        .constant("BITS", int64_t{isWide ? 64 : 32})
        .constant("FIRST", isWide ? std::numeric_limits<int64_t>::min()
                                  : int64_t{std::numeric_limits<int32_t>::min()})
        .constant("LAST", isWide ? std::numeric_limits<int64_t>::max()
                                 : int64_t{std::numeric_limits<int32_t>::max()})
        .constant("HAS_LANES", mostKept <= kBlock)
        .constant("BLOCK", kBlock);
    addLaunch(select, count());
    const int64_t block = tileFor(sorting_.kept, 1, 32, 32),
                  chunk = tileFor(sorting_.kept, 1, 64, 64);
    LaunchBuilder rank("sorting.py", "rank_chosen_kernel");
    rank.input(0).workspace(chosen, DataType::Int32);
    addResults(rank);
    rank.sizes({lines.length, lines.inner, sorting_.kept})
        .constant("IS_DESCENDING", sorting_.isDescending)
        .constant("BLOCK", block)
        .constant("CHUNK", chunk);
    addLaunch(rank, count() * ceilDiv(sorting_.kept, block));
  }

  /// So many times runs are merged; for lengths without a bound as often as places can ask for.
  int64_t numMerges() const {
    constexpr int64_t kLongest = int64_t{1} << 30;
    const int64_t longest =
        std::min(boundsIn(node_, sorting_.lines.length).max.value_or(kLongest), kLongest);
    int64_t merges = 1;
    while (kRun << merges < longest)
      ++merges;
    return merges;
  }

  void addMerges() {
    const Lines &lines = sorting_.lines;
    std::array<uint32_t, 2> keys{}, places{};
    for (size_t i = 0; i < 2; ++i) {
      keys[i] = addWorkspace(fmt::format("keys {}", i), key_, lines.length);
      places[i] = addWorkspace(fmt::format("places {}", i), DataType::Int32, lines.length);
    }
    LaunchBuilder tiles("sorting.py", "sort_tiles_kernel");
    tiles.input(0)
        .workspace(keys[0], key_)
        .workspace(places[0], DataType::Int32)
        .sizes({lines.length, lines.inner})
        .constant("IS_DESCENDING", sorting_.isDescending)
        .constant("RUN", kRun);
    addLaunch(tiles, count() * ceilDiv(lines.length, kRun));
    const int64_t merges = numMerges();
    for (int64_t i = 0; i < merges; ++i) {
      const size_t from = i % 2, to = 1 - from;
      const bool isLast = i + 1 == merges;
      LaunchBuilder merge("sorting.py", "merge_kernel");
      merge.workspace(keys[from], key_).workspace(places[from], DataType::Int32);
      if (isLast)
        merge.constant("out_keys_ptr", std::monostate())
            .constant("out_places_ptr", std::monostate());
      else
        merge.workspace(keys[to], key_).workspace(places[to], DataType::Int32);
      if (isLast) {
        merge.input(0);
        addResults(merge);
      } else {
        for (const char *name : {"x_ptr", "out_ptr", "index_ptr"})
          merge.constant(name, std::monostate());
      }
      merge.sizes({lines.length, lines.inner, sorting_.kept})
          .constant("RUN", kRun << i)
          .constant("STEPS", static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(kRun << i))))
          .constant("BLOCK", kBlock);
      addLaunch(merge, count() * ceilDiv(lines.length, kBlock));
    }
  }

  static constexpr int64_t kRun = 32;

  const PluginNode &node_;
  const Sorting &sorting_;
  DataType key_;
  PluginImplementation implementation_;
};

Result<PluginImplementation> implement(const PluginNode &node) {
  INLAY_ASSIGN(const Sorting sorting, readSorting(node));
  return SortingBuilder(node, sorting).build();
}

} // namespace

void addSortingOperators(OperatorDefinitions &definitions) {
  for (std::string_view schema :
       {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor "
        "indices)",
        "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
        "(Tensor values, Tensor indices)",
        "aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor",
        "aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> "
        "Tensor",
        "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
        "(Tensor values, Tensor indices)"})
    addOperator(definitions, schema, {describe, implement});
}

} // namespace inlay
