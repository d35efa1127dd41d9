// How the product of two matrices is shared out to programs: tiles, warps, and parts of the sums.
#pragma once

#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Tails.h"

namespace inlay {

/// out[count, m, n] = A[count, m, k] · B[count, k, n].
struct ProductSize {
  Expr count, m, n, k;
  DataType dtype; // of the operands
};

/// What one program computes: m × n elements of the output, by steps of k, over one of `splits`
/// parts of the sum.
struct ProductTiles {
  int64_t m, n, k;
  int warps = 4, stages = 3;
  int64_t splits = 1;
  int64_t splitDepth = 0; // of k, a multiple of the tile's; 0 if splits is 1

  Expr programs(const ProductSize &size) const;
};

/// Tiles for a CPU: those with the least estimated time, on one thread and on several.
ProductTiles tilesForCpu(const ProductSize &size);

/// A product of filters, [m, k], and what the pixels of height × width see, for each of `count`.
struct WindowSize {
  Expr count, m, height, width, k;
  DataType dtype;
  bool isStrided; // what neighbours see are not neighbours
};
/// What one program computes: m filters of h × w pixels, by steps of k.
struct WindowTiles {
  int64_t m, h, w, k;
};
WindowTiles windowTilesForCpu(const WindowSize &size);
/// Tiles for a GPU: those with the least estimated time; large ones multiply faster, small ones and
/// parts of the sum keep more of the GPU busy. A program's tiles fit into `sharedBytes` of shared
/// memory. Sizes that are not known at build time count as a few hundred. float32 that may be
/// rounded to TF32 is multiplied once instead of three times.
ProductTiles tilesForGpu(const ProductSize &size, int64_t sharedBytes, bool allowsTf32 = false,
                         bool canSplit = true);
/// The former if no target is a GPU. Sums are in one part unless `canSplit`.
ProductTiles chooseTiles(const PluginNode &node, const ProductSize &size, bool canSplit = true);

/// What one program computes of a single row of the output: n elements, by steps of k.
struct RowTile {
  int64_t n, k;
};
/// `isBTransposed`: B is stored as [n, k].
RowTile chooseRowTile(const PluginNode &node, const ProductSize &size, bool isBTransposed);

/// How tl.dot multiplies: on GPUs float32 on tensor cores, in three products of parts, which is as
/// exact, or in one of TF32 where that is allowed; "ieee" otherwise.
std::string precisionOf(const PluginNode &node, DataType dtype);
/// Adds PRECISION and TF32_SCALE. Tensor cores cut what they multiply off to TF32, which would make
/// every product too small: operands are multiplied by TF32_SCALE, if it is not None, so that they
/// are right in the mean. What is a TF32 stays one: less than a unit of its last place is added.
void addPrecision(LaunchBuilder &launch, const std::string &precision);

/// C of a product, broadcast: steps between elements of three dimensions of batches, rows, columns.
struct ProductTerm {
  std::optional<uint32_t> input;
  std::array<Expr, 2> batchSizes{Expr(1), Expr(1)}; // of the inner two
  std::array<Expr, 3> batchSteps{Expr(0), Expr(0), Expr(0)};
  Expr row = 0, column = 0;
  double alpha = 1, beta = 1;
};
/// Adds a product's term, for the kernel's parameter of this name, and its output. Where sums are
/// in parts, workspace 0 is the output, and there is no term: finishLaunch adds it to all together.
void addTermAndOutput(LaunchBuilder &launch, const ProductTiles &tiles, std::string parameter,
                      std::optional<uint32_t> term, DataType dtype);
/// Adds the constants SPLITS, SPLIT_DEPTH, TILE_M, TILE_N and TILE_K to a launch and ends it. It
/// applies `tail`, which may be null, unless sums are in parts.
PluginLaunch productLaunch(LaunchBuilder &launch, const ProductTiles &tiles, const Expr &programs,
                           const GroupTail *tail);
/// Where sums are in parts: workspace 0, in which they are, and the launch that puts them together
/// and applies `tail`.
Workspace partsWorkspace(const ProductSize &size, const ProductTiles &tiles);
PluginLaunch finishLaunch(const ProductSize &size, const ProductTiles &tiles,
                          const ProductTerm &term, const GroupTail *tail);
/// All of these for a product of one launch, whose output must be workspace 0 where sums are in
/// parts.
PluginImplementation overProduct(LaunchBuilder &launch, const ProductSize &size,
                                 const ProductTiles &tiles, const ProductTerm &term,
                                 const GroupTail *tail);

} // namespace inlay
