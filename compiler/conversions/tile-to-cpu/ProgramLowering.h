// One program of a kernel: scalar code as it is, tile code as loop nests.
#pragma once

#include "compiler/conversions/tile-to-cpu/Arena.h"
#include "compiler/conversions/tile-to-cpu/Nest.h"

namespace inlay::tile_to_cpu {

/// The grid values of the program that runs: x, y, z, each i32.
struct GridValues {
  mlir::Value programId[3];
  mlir::Value numPrograms[3];
};

/// True for ops that are emitted where they stand, because they have an effect, a region, or need
/// all elements of their operands at once; others are evaluated where they are used.
bool isEmittedInPlace(mlir::Operation *op);

struct ProductShape;
struct LeftOperand;

/// Emits one program.
///
/// Tile ops are not emitted where they stand: stores are gathered into groups of one shape, and
/// each group becomes one nest that evaluates what its stores need, element by element. A load is
/// evaluated again by every group that needs it, until a store could change its memory; before that
/// it is copied into a buffer on the stack. Loads and stores of different base pointers in one
/// group run in program order for each element, as they do in a GPU's threads: where elements of
/// other threads matter, a kernel must have a barrier, and a barrier ends the group. Under one base
/// pointer with different offsets even that is not relied on: the load is copied first.
class ProgramLowering {
public:
  /// `builder` stands inside the loop over programs; buffers are allocated in `entry`.
  ProgramLowering(mlir::OpBuilder &builder, mlir::Block *entry, const GridValues &grid,
                  const TileToCpuOptions &options)
      : builder_(builder), arena_(builder, entry), grid_(grid), options_(options) {}

  mlir::LogicalResult lower(mlir::func::FuncOp kernel, mlir::ValueRange arguments);

private:
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lowerOp(mlir::Operation *op);
  mlir::LogicalResult lowerScalar(mlir::Operation *op);
  mlir::LogicalResult addStore(tile::StoreOp store);
  /// Loads that are evaluated for the operands and may read what is written at the pointers for
  /// another element.
  mlir::SmallVector<tile::LoadOp> overlappingLoads(llvm::ArrayRef<mlir::Value> operands,
                                                   llvm::ArrayRef<mlir::Value> pointers);
  /// The address of a constant of different elements.
  mlir::Value constantAddress(mlir::arith::ConstantOp constant);
  mlir::LogicalResult lowerFor(mlir::scf::ForOp loop);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp branch);
  mlir::LogicalResult lowerWhile(mlir::scf::WhileOp loop);
  mlir::LogicalResult lowerReduce(tile::ReduceOp reduce);
  mlir::LogicalResult lowerScan(tile::ScanOp scan);
  /// tile.atomic_rmw or tile.atomic_cas.
  mlir::LogicalResult lowerAtomic(mlir::Operation *op);
  mlir::LogicalResult lowerHistogram(tile::HistogramOp histogram);
  mlir::LogicalResult lowerPrint(tile::PrintOp print);
  mlir::LogicalResult lowerAssert(tile::AssertOp assertion);
  mlir::LogicalResult lowerReshape(tile::ReshapeOp reshape);
  mlir::LogicalResult lowerJoin(tile::JoinOp join);
  mlir::LogicalResult lowerSplit(tile::SplitOp split);
  mlir::LogicalResult lowerGather(tile::GatherOp gather);
  mlir::LogicalResult lowerDot(tile::DotOp dot);
  /// The address of the operand of a dot as `element`s, row-major or in panels (see Root::panel),
  /// or null after an error. What is beyond `extents` (see Root) may be missing.
  mlir::Value pack(mlir::Value operand, mlir::Type element, int64_t panel,
                   llvm::ArrayRef<mlir::Value> extents, mlir::Value address = {});
  mlir::Value allocatePacked(mlir::Value operand, mlir::Type element);
  /// The address of the operand's copy, row-major, which is made where `arePlain` is false.
  mlir::FailureOr<mlir::Value> packUnlessPlain(mlir::Value operand, mlir::Value arePlain,
                                               llvm::ArrayRef<mlir::Value> extents);
  /// Where a product reads its left operand: in place, or packed.
  mlir::FailureOr<LeftOperand> leftOperand(mlir::Value operand, const ProductShape &shape,
                                           mlir::Value numRows,
                                           llvm::ArrayRef<mlir::Value> extents);

  /// Emits the pending group.
  mlir::LogicalResult flush();
  /// Emits the pending group and copies every load that is still needed after `op` into a buffer.
  mlir::LogicalResult settle(mlir::Operation *op);
  /// Copies loads before `op` in its block that something not yet emitted needs (not counting the
  /// pending stores).
  mlir::LogicalResult keepLoads(mlir::Operation *op);
  /// Copies what is costly to compute and used inside the region op.
  mlir::LogicalResult keepCostlyOperands(mlir::Operation *op);
  /// Copies the tile into a buffer unless it is in one: at `address`, or in place of a dead tile it
  /// is computed from, or a new one.
  mlir::LogicalResult keep(mlir::Value tile, mlir::Value address = {});
  /// Before an op that works element by element: operands that cost much are evaluated in lanes.
  mlir::LogicalResult keepForElements(mlir::Operation *op);
  /// Calls `body` once where it can emit code for each element of a tile, or for a scalar.
  void emitForElements(
      mlir::Location location, mlir::Value value,
      llvm::function_ref<void(mlir::Value element, const Coordinates &coordinates)> body);
  /// For a nest that evaluates the operands, tiles of its shape: what is costly in them and needed
  /// again by others is written to a buffer, by a further root of the nest or a nest of its own.
  mlir::LogicalResult addSharedValues(mlir::ValueRange operands, mlir::SmallVector<Root> &roots);
  /// Once the nest is emitted: the tiles of its roots are in buffers.
  void bindShared(llvm::ArrayRef<Root> roots);
  /// Writes each tile to the address beside it.
  void writeTiles(mlir::ValueRange tiles, mlir::ValueRange addresses);

  /// Memory of the arena, alive while one of the tiles in it is needed, or until the block that is
  /// being lowered ends.
  struct Memory {
    mlir::Value address;
    mlir::SmallVector<mlir::Value> tiles;
  };
  mlir::Value allocateBytes(mlir::Location location, uint64_t bytes);
  /// A buffer for a tile, or null after an error at `tile`.
  mlir::Value allocate(mlir::Value tile);
  /// The tile is in the buffer from now on, until the block at `depth` ends.
  void bindTile(mlir::Value tile, mlir::Value address, unsigned depth);
  /// Gives back the memory of the current block in which no tile is needed any more.
  void releaseDead();
  void releaseMemory(const Memory &memory);
  /// Ends what lowerBlock began, once what the terminator hands on has been written.
  void leaveBlock(mlir::Block &block, ProgramValues::Buffers outside);
  /// True if the tile's buffer may be overwritten: it and all others in it are dead, also for the
  /// next iteration of the loop around.
  bool canTake(mlir::Value tile, llvm::DenseMap<mlir::Value, bool> &known,
               bool countsCurrent = false);
  /// The buffer of a tile that can be taken while `tile` is computed from it, element by element,
  /// by a nest with further roots; only `wanted` if that is given. Null if there is none.
  mlir::Value findOverwritable(mlir::Value tile, llvm::ArrayRef<Root> roots,
                               mlir::Value wanted = {});
  /// True if something that is not emitted yet reads the tile and not a buffer in between. What is
  /// just being emitted counts as emitted, or not: its operands are read to the end of its nest.
  bool isNeededLater(mlir::Value tile, llvm::DenseMap<mlir::Value, bool> &known,
                     bool countsCurrent = false);

  struct Carried {
    mlir::SmallVector<mlir::Value> values; ///< scalars, or addresses of tiles
    mlir::SmallVector<mlir::Value>
        spare; ///< for each tile, in order, the address of a second buffer
  };
  /// Emitted scalars; tiles are copied to new buffers.
  mlir::FailureOr<Carried> carry(mlir::ValueRange values, bool withSpare);
  /// Binds results, or arguments of a region about to be lowered, to emitted scalars or buffer
  /// addresses.
  void bind(mlir::ValueRange values, mlir::ValueRange emitted, bool isInside = false);

  mlir::OpBuilder &builder_;
  Arena arena_;
  GridValues grid_;
  const TileToCpuOptions &options_;
  ProgramValues values_;
  mlir::SmallVector<tile::StoreOp> pending_;
  llvm::DenseSet<mlir::Operation *> emitted_; ///< stores and other effects already emitted
  llvm::DenseSet<mlir::Operation *>
      current_; ///< what is being emitted, perhaps in emitted_ already
  mlir::SmallVector<std::vector<std::unique_ptr<Memory>>> scopes_; ///< by block, outermost first
  llvm::DenseMap<mlir::Value, mlir::SmallVector<Memory *, 2>> memories_; ///< by address
  unsigned numConstants_ = 0;
  llvm::DenseMap<mlir::Value, unsigned> depths_; ///< number of blocks around a tile's buffer
};

} // namespace inlay::tile_to_cpu
