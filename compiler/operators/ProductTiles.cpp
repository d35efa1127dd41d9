#include "compiler/operators/ProductTiles.h"

#include "compiler/operators/Arguments.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <limits>
#include <span>

namespace inlay {

namespace {

/// A tile that a GPU may take, and what it costs there.
struct Candidate {
  int64_t m, n, k;
  int warps;
  int64_t residents; // programs that one multiprocessor holds at a time
  int64_t stepNs;    // one step along k where the program has a multiprocessor to itself
  int64_t busyNs;    // how long it keeps the multiprocessor busy
};

/// What products of one width of elements cost.
struct Costs {
  std::span<const Candidate> tiles;
  int64_t programNs; // to begin and end a program
  int64_t finishNs;  // to put parts of sums together
};

// Fitted to some 500 times measured on an H200; docs/rationale/12-conv-and-matmul.md.
constexpr Candidate kFloat32Tiles[] = {
    {128, 64, 32, 4, 1, 961, 961}, {64, 64, 32, 4, 2, 1003, 500}, {32, 64, 32, 4, 3, 827, 270},
    {64, 32, 32, 4, 3, 761, 250},  {32, 32, 32, 4, 6, 480, 130},
};
constexpr Candidate kTf32Tiles[] = {
    {128, 256, 32, 8, 1, 1346, 1346}, {128, 128, 32, 4, 1, 679, 679}, {128, 64, 32, 4, 1, 392, 392},
    {64, 64, 32, 4, 2, 430, 215},     {64, 32, 32, 4, 3, 400, 150},   {32, 32, 32, 4, 6, 300, 90},
};
constexpr Candidate kNarrowTiles[] = {
    {128, 256, 64, 8, 1, 790, 770}, {128, 128, 64, 8, 2, 510, 507}, {128, 64, 64, 4, 3, 317, 273},
    {64, 128, 64, 4, 3, 330, 290},  {64, 64, 64, 4, 4, 231, 179},   {64, 32, 64, 4, 6, 260, 170},
    {32, 32, 64, 4, 8, 270, 70},
};
constexpr Costs kFloat32Costs{kFloat32Tiles, 600, 4500};
constexpr Costs kTf32Costs{kTf32Tiles, 1000, 3200};
constexpr Costs kNarrowCosts{kNarrowTiles, 2800, 2150};

constexpr int64_t kProcessors = 132;
// Parts of sums stay in the cache, as many as there is room for.
constexpr int64_t kPartBytesPerNs = 8000, kCachedPartBytes = 32 << 20, kFarPartBytesPerNs = 2500;
constexpr int kStages = 3;

/// A product whose sizes are known, or taken for something.
struct Numbers {
  int64_t count, m, n, k;
};

/// Nanoseconds that the product takes.
int64_t estimate(const Costs &costs, const Candidate &tile, const Numbers &size, int64_t splits) {
  const int64_t programs =
      size.count * divideUp(size.m, tile.m) * divideUp(size.n, tile.n) * splits;
  const int64_t perProcessor = divideUp(programs, kProcessors);
  const int64_t residents = std::clamp<int64_t>(perProcessor, 1, tile.residents);
  const int64_t steps = divideUp(divideUp(size.k, tile.k), splits);
  const int64_t stepNs = std::max(tile.stepNs, residents * tile.busyNs);
  const int64_t ns = divideUp(perProcessor, residents) * (steps * stepNs + costs.programNs);
  if (splits == 1)
    return ns;
  constexpr int64_t kSumBytes = 4;
  const int64_t partBytes = splits * size.count * size.m * size.n * kSumBytes;
  const int64_t bytesPerNs = partBytes <= kCachedPartBytes ? kPartBytesPerNs : kFarPartBytesPerNs;
  return ns + costs.finishNs + 2 * partBytes / bytesPerNs;
}

ProductTiles fromCandidate(const Candidate &tile, int64_t k, int64_t splits) {
  ProductTiles tiles{tile.m, tile.n, tile.k, tile.warps, kStages};
  if (splits > 1) {
    tiles.splitDepth = divideUp(divideUp(k, tile.k), splits) * tile.k;
    tiles.splits = divideUp(k, tiles.splitDepth);
  }
  return tiles;
}

/// Bytes of shared memory that a program may have on all GPUs of the build; kinds that are not
/// named have the least.
int64_t sharedBytesOf(const PluginNode &node) {
  constexpr int64_t kLeast = 99 << 10, kLarge = 163 << 10;
  for (const std::string &target : node.targets)
    if (isTargetOf(target, "cuda") && target != "cuda:sm_80" && target != "cuda:sm_90" &&
        target != "cuda:sm_90a" && !target.starts_with("cuda:sm_100"))
      return kLeast;
  return kLarge;
}

/// A tile no larger than what is left of a dimension.
void trim(ProductTiles &tiles, const ProductSize &size) {
  tiles.m = std::min(tiles.m, tileFor(size.m, 1, tiles.m, tiles.m));
  tiles.n = std::min(tiles.n, tileFor(size.n, 16, tiles.n, tiles.n));
  tiles.k = std::min(tiles.k, tileFor(size.k, 16, tiles.k, tiles.k));
}

} // namespace

Expr ProductTiles::programs(const ProductSize &size) const {
  return size.count * ceilDiv(size.m, m) * ceilDiv(size.n, n) * Expr(splits);
}

ProductTiles tilesForGpu(const ProductSize &size, int64_t sharedBytes, bool allowsTf32,
                         bool canSplit) {
  if (size.dtype == DataType::Float64) {
    ProductTiles tiles{32, 32, 16, 4, 2};
    trim(tiles, size);
    return tiles;
  }
  constexpr int64_t kUnknown = 256, kMostSplits = 64;
  const auto numberOf = [](const Expr &value, int64_t unknown) {
    return value.constantValue().value_or(unknown);
  };
  const Numbers numbers{numberOf(size.count, 1), numberOf(size.m, kUnknown),
                        numberOf(size.n, kUnknown), numberOf(size.k, kUnknown)};
  const bool isKnown =
      size.count.isConstant() && size.m.isConstant() && size.n.isConstant() && size.k.isConstant();
  const Costs &costs = size.dtype != DataType::Float32 ? kNarrowCosts
                       : allowsTf32                    ? kTf32Costs
                                                       : kFloat32Costs;
  ProductTiles best{};
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Candidate &tile : costs.tiles) {
    const int64_t ring = kStages * (tile.m + tile.n) * tile.k * dataTypeSizeBytes(size.dtype);
    if (ring > sharedBytes)
      continue;
    for (int64_t splits = 1; splits <= (isKnown && canSplit ? kMostSplits : 1); splits *= 2) {
      if (splits > 1 && splits > divideUp(numbers.k, tile.k))
        break;
      const int64_t ns = estimate(costs, tile, numbers, splits);
      if (ns < least) {
        least = ns;
        best = fromCandidate(tile, numbers.k, splits);
      }
    }
  }
  trim(best, size);
  return best;
}

ProductTiles chooseTiles(const PluginNode &node, const ProductSize &size, bool canSplit) {
  return isForGpu(node) ? tilesForGpu(size, sharedBytesOf(node), node.allowsTf32, canSplit)
                        : tilesForCpu(size);
}

RowTile chooseRowTile(const PluginNode &node, const ProductSize &size, bool isBTransposed) {
  if (!isForGpu(node))
    return {tileFor(size.n, 1, 16, 16), tileFor(size.k, 1, 128, 128)};
  // Reading B takes the time: of every multiprocessor some 32 kB must be on their way.
  constexpr int64_t kStepBytes = 8192, kPrograms = 1024;
  const int64_t elements = kStepBytes / dataTypeSizeBytes(size.dtype);
  if (!isBTransposed)
    return {tileFor(size.n, 1, 32, 32), tileFor(size.k, 1, elements / 32, elements / 32)};
  const int64_t n = size.n.constantValue().value_or(4096);
  const int64_t rows = tileFor(Expr(divideUp(n, kPrograms)), 1, 16, 16);
  return {rows, tileFor(size.k, 1, elements / rows, elements / rows)};
}

std::string precisionOf(const PluginNode &node, DataType dtype) {
  if (dtype != DataType::Float32 || !isForGpu(node))
    return "ieee";
  return node.allowsTf32 ? "tf32" : "tf32x3";
}

void addPrecision(LaunchBuilder &launch, const std::string &precision) {
  // What is cut off is 2^-11 of a number of mantissa 1 in the mean, and of others as much less as
  // the mantissa is larger; 1 / mantissa is 0.707 in the mean.
  constexpr double kScale = 1 + 0.707 / 2048;
  launch.constant("PRECISION", precision);
  if (precision == "tf32")
    launch.constant("TF32_SCALE", kScale);
  else
    launch.constant("TF32_SCALE", std::monostate());
}

void addTermAndOutput(LaunchBuilder &launch, const ProductTiles &tiles, std::string parameter,
                      std::optional<uint32_t> term, DataType dtype) {
  if (tiles.splits == 1)
    launch.optionalInput(std::move(parameter), term).output(0);
  else
    launch.optionalInput(std::move(parameter), {}).workspace(0, sumTypeOf(dtype));
}

PluginLaunch productLaunch(LaunchBuilder &launch, const ProductTiles &tiles, const Expr &programs,
                           const GroupTail *tail) {
  launch.constant("SPLITS", tiles.splits)
      .constant("SPLIT_DEPTH", tiles.splitDepth)
      .constant("TILE_M", tiles.m)
      .constant("TILE_N", tiles.n)
      .constant("TILE_K", tiles.k)
      .warps(tiles.warps)
      .stages(tiles.stages);
  PluginLaunch result = launch.launchOver(programs);
  addTailIfAny(result, tiles.splits == 1 ? tail : nullptr);
  return result;
}

Workspace partsWorkspace(const ProductSize &size, const ProductTiles &tiles) {
  const DataType sum = sumTypeOf(size.dtype);
  return {"parts", sum, size.count * size.m * size.n * Expr(tiles.splits * dataTypeSizeBytes(sum))};
}

PluginLaunch finishLaunch(const ProductSize &size, const ProductTiles &tiles,
                          const ProductTerm &term, const GroupTail *tail) {
  const DataType sum = sumTypeOf(size.dtype);
  const Expr elements = size.count * size.m * size.n;
  constexpr int64_t kBlock = 256;
  LaunchBuilder finish("matmul.py", "finish_kernel");
  finish.workspace(0, sum).optionalInput("c_ptr", term.input).output(0);
  finish.size("count", elements, true)
      .size("m", size.m, true)
      .size("n", size.n, true)
      .size("size_1", term.batchSizes[0], true)
      .size("size_2", term.batchSizes[1], true)
      .sizes({term.batchSteps[0], term.batchSteps[1], term.batchSteps[2], term.row, term.column})
      .constant("ALPHA", term.alpha)
      .constant("BETA", term.beta)
      .constant("SUM", sum)
      .constant("SPLITS", tiles.splits)
      .constant("BLOCK", kBlock);
  PluginLaunch result = finish.launchOver(ceilDiv(elements, kBlock));
  addTailIfAny(result, tail);
  return result;
}

PluginImplementation overProduct(LaunchBuilder &launch, const ProductSize &size,
                                 const ProductTiles &tiles, const ProductTerm &term,
                                 const GroupTail *tail) {
  PluginImplementation implementation;
  implementation.launches.push_back(productLaunch(launch, tiles, tiles.programs(size), tail));
  if (tiles.splits == 1)
    return implementation;
  implementation.workspaces.push_back(partsWorkspace(size, tiles));
  implementation.launches.push_back(finishLaunch(size, tiles, term, tail));
  return implementation;
}

} // namespace inlay
