// One tile kernel to the code of one thread: walks the kernel and keeps what each tile has become.
#pragma once

#include "compiler/conversions/tile-to-gpu/MatrixOperand.h"
#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"
#include "compiler/conversions/tile-to-gpu/SharedMemory.h"
#include "compiler/conversions/tile-to-gpu/ThreadCode.h"
#include "compiler/transforms/tile/Architecture.h"

#include "mlir/IR/BuiltinOps.h"

namespace inlay::tile_to_gpu {

class KernelLowering {
public:
  explicit KernelLowering(mlir::func::FuncOp kernel)
      : kernel_(kernel), module_(kernel->getParentOfType<mlir::ModuleOp>()),
        builder_(kernel.getContext()),
        sharedLimitBytes_(tile::sharedLimitBytes(tile::computeCapabilityOf(module_))) {}

  /// Replaces the kernel by a function of the same name.
  mlir::LogicalResult run();

private:
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lower(mlir::Operation *op);
  mlir::LogicalResult lowerArange(tile::ArangeOp op);
  mlir::LogicalResult lowerConstant(mlir::arith::ConstantOp op);
  mlir::LogicalResult lowerElementwise(mlir::Operation *op);
  mlir::LogicalResult lowerLoad(tile::LoadOp op);
  mlir::LogicalResult lowerStore(tile::StoreOp op);
  mlir::LogicalResult lowerConversion(tile::ConvertLayoutOp op);
  mlir::LogicalResult lowerDot(tile::DotOp op);
  /// A dot without tensor cores: each thread adds up its elements from shared memory.
  mlir::LogicalResult lowerDotByElements(tile::DotOp op);
  mlir::LogicalResult lowerAllocShared(tile::AllocSharedOp op);
  mlir::LogicalResult lowerFreeShared(tile::FreeSharedOp op);
  mlir::LogicalResult lowerAsyncCopy(tile::AsyncCopyOp op);
  mlir::LogicalResult lowerAsyncWait(tile::AsyncWaitOp op);
  mlir::LogicalResult lowerSharedLoad(tile::SharedLoadOp op);
  mlir::LogicalResult lowerSharedStore(tile::SharedStoreOp op);
  mlir::LogicalResult lowerWarpgroupDot(tile::WarpgroupDotOp op);
  mlir::LogicalResult lowerWarpgroupWait(tile::WarpgroupWaitOp op);
  mlir::LogicalResult lowerTensorMap(tile::TensorMapOp op);
  mlir::LogicalResult lowerTensorCopy(tile::TensorCopyOp op);
  mlir::LogicalResult lowerTensorStore(tile::TensorStoreOp op);
  mlir::LogicalResult lowerAllocBarriers(tile::AllocBarriersOp op);
  mlir::LogicalResult lowerFreeBarriers(tile::FreeBarriersOp op);
  mlir::LogicalResult lowerReduce(tile::ReduceOp op);
  mlir::LogicalResult lowerScan(tile::ScanOp op);
  mlir::LogicalResult lowerJoin(tile::JoinOp op);
  mlir::LogicalResult lowerSplit(tile::SplitOp op);
  mlir::LogicalResult lowerGather(tile::GatherOp op);
  mlir::LogicalResult lowerHistogram(tile::HistogramOp op);
  /// A constant whose elements differ.
  mlir::LogicalResult lowerTable(mlir::arith::ConstantOp op);
  mlir::LogicalResult lowerAtomicRmw(tile::AtomicRmwOp op);
  mlir::LogicalResult lowerAtomicCas(tile::AtomicCasOp op);
  /// `emit` does register r's atomic through a pointer where the predicate (null: always) holds and
  /// gives the old value.
  mlir::LogicalResult lowerAtomic(
      mlir::Operation *op, mlir::Value pointers, mlir::Value mask, tile::MemoryOrder order,
      llvm::function_ref<mlir::Value(mlir::Value pointer, unsigned r, mlir::Value predicate)> emit);
  mlir::LogicalResult lowerInlineAsm(tile::InlineAsmOp op);
  mlir::LogicalResult lowerPrint(tile::PrintOp op);
  mlir::LogicalResult lowerAssert(tile::AssertOp op);
  mlir::LogicalResult lowerFor(mlir::scf::ForOp op);
  mlir::LogicalResult lowerWhile(mlir::scf::WhileOp op);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  mlir::LogicalResult lowerTerminator(mlir::Operation *op);

  /// Asks for at least this version of PTX, times ten.
  void raisePtxVersion(int32_t version);
  /// Lowers a region's only block into an emitted block, whose arguments it takes.
  mlir::LogicalResult lowerInto(mlir::Block &from, mlir::Block &to);
  /// Moves elements through shared memory.
  mlir::LogicalResult convertThroughMemory(tile::ConvertLayoutOp op, const tile::LinearLayout &from,
                                           const tile::LinearLayout &to);
  /// The same for tiles of rank 2 and elements that are no pointers, without bank conflicts.
  mlir::LogicalResult convertThroughTile(tile::ConvertLayoutOp op, const tile::LinearLayout &from,
                                         const tile::LinearLayout &to);
  /// Where a slot of a ring begins.
  mlir::Value slotAddress(mlir::Location location, mlir::Value buffer, mlir::Value slot);
  /// The descriptor of a slot's first instruction for this thread's group of warps, i64, without
  /// the address of the tile's other parts.
  mlir::Value matrixDescriptor(mlir::Location location, mlir::Value buffer, mlir::Value slot,
                               const MatrixOperand &operand, llvm::ArrayRef<uint32_t> groupOffsets);
  /// Lets tensor cores and the copy engine see what this thread has written: to shared memory, and
  /// to all memory if the engine accesses memory that the kernel writes by itself.
  void emitProxyFence(mlir::Location location);
  /// Notes what of the kernel's memory the copy engine and tensor cores access.
  void findAsyncAccesses();
  /// Where this program has its maps; called before the first one is made.
  void claimMaps(mlir::Location location);
  /// Lets other programs have the memory of this one's maps, at the kernel's end.
  void releaseMaps(mlir::Location location);
  /// Sets how many programs of a multiprocessor may have maps, once all code is there.
  void finishMaps();
  /// i1: a described tensor has no elements; and the size, i32, that its map has for it.
  mlir::Value isEmptyTensor(tile::TensorMapOp op);
  mlir::Value mapSize(tile::TensorMapOp op, size_t dimension, mlir::Value isEmpty);
  /// The coordinates of a box in the engine's order, innermost first; all outside of an empty
  /// tensor.
  Registers boxCoordinates(mlir::Location location, mlir::Value map, mlir::ValueRange coordinates);
  mlir::Value barrierAddress(mlir::Location location, mlir::Value barriers, mlir::Value slot);
  mlir::Value isThread0(mlir::Location location);
  mlir::Value sharedAddress(mlir::Location location, const tile::LinearLayout &layout,
                            llvm::ArrayRef<int64_t> shape, mlir::Type memoryType,
                            unsigned registerIndex, int64_t offsetBytes);

  /// Takes bytes of shared memory that every thread may write, behind a barrier if it must be.
  SharedRegion acquireShared(mlir::Location location, int64_t sizeBytes,
                             int64_t alignmentBytes = 16);
  /// Gives back what was acquired and, since the last barrier, only read.
  void releaseShared(const SharedRegion &region);
  /// The address of element `index` (i32) of elements of this type that begin at a byte of the
  /// kernel's shared memory.
  mlir::Value sharedPointer(mlir::Location location, int64_t offsetBytes, mlir::Type memoryType,
                            mlir::Value index);
  /// Gives the kernel's shared memory its size, once all code is there.
  void finishShared();

  /// All threads of the block wait for each other. Branches and loops of a kernel depend on
  /// scalars, which are the same in all threads, so that all arrive; inside `emitWhere` they would
  /// not.
  void emitBarrier(mlir::Location location);
  /// Code that a thread runs only where `condition` (null: everywhere) holds; no barriers.
  void emitWhere(mlir::Location location, mlir::Value condition, llvm::function_ref<void()> body);

  /// The registers of the threads that own their elements, in all threads that hold copies.
  Registers shareFromOwners(mlir::Location location, const tile::LinearLayout &layout,
                            mlir::Value owner, const Registers &values);
  mlir::Value broadcastFromThread0(mlir::Location location, mlir::Value value);
  /// The address of a text in the module, with a 0 behind it.
  mlir::Value textPointer(mlir::Location location, llvm::StringRef text);
  /// C's printf; values are of 32 or 64 bits, floats are f64.
  void emitPrintf(mlir::Location location, llvm::StringRef format, mlir::ValueRange values);
  /// The row-major number of an element.
  mlir::Value rowMajorIndex(mlir::Location location, llvm::ArrayRef<int64_t> shape,
                            llvm::function_ref<mlir::Value(unsigned dimension)> coordinate);
  /// The coordinate along a dimension of this thread's register r.
  mlir::Value coordinateOf(mlir::Location location, const tile::LinearLayout &layout,
                           unsigned dimension, unsigned r);

  class AxisEmitter;
  /// One tuple for each register: its value in each operand.
  std::vector<Registers> gatherOperands(mlir::ValueRange operands);

  /// What a value has become: one SSA value for a scalar, one per register for a tile.
  const Registers &get(mlir::Value value) { return registers_.find(value)->second; }
  Registers flatten(mlir::ValueRange values);
  llvm::SmallVector<mlir::Type> flattenTypes(mlir::TypeRange types);
  /// Gives consecutive emitted values to values.
  void bind(mlir::ValueRange values, mlir::ValueRange emitted);
  /// The value's register r; a scalar stands for all registers.
  mlir::Value at(mlir::Value value, unsigned r);

  mlir::func::FuncOp kernel_;
  mlir::ModuleOp module_;
  mlir::OpBuilder builder_;
  int64_t sharedLimitBytes_;
  tile::AxisAnalysis axes_;
  llvm::DenseMap<mlir::Value, Registers> registers_;
  llvm::DenseMap<mlir::Value, SharedRegion> rings_;
  SharedMemory memory_;
  mlir::LLVM::GlobalOp shared_;
  /// Whether tensor cores read shared memory by themselves.
  bool usesWarpgroups_ = false;
  /// Whether the copy engine accesses memory, and threads by themselves write or read it too.
  bool usesMaps_ = false, writesMemory_ = false, readsMemory_ = false;
  bool usesAsyncCopies_ = false;
  /// Maps of tensors: how many there are, how many are made, and where this program has them: the
  /// address of the word and the bit that say so, and the address of its first map; in thread 0's
  /// warp.
  unsigned numMaps_ = 0, numMapsMade_ = 0;
  mlir::Value claimWord_, claimBit_, firstMap_;
  mlir::arith::ConstantOp slotsPerWord_;
  mlir::LLVM::GlobalOp maps_;
  bool isDivergent_ = false;
  unsigned numInlineAssemblies_ = 0; // lowered so far
  unsigned numTables_ = 0;
};

} // namespace inlay::tile_to_gpu
