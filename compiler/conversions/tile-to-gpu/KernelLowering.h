// One tile kernel to the code of one thread: walks the kernel and keeps what each tile has become.
#pragma once

#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"
#include "compiler/conversions/tile-to-gpu/ThreadCode.h"

#include "mlir/IR/BuiltinOps.h"

namespace inlay::tile_to_gpu {

/// What a kernel may have of shared memory without asking for more at launch.
inline constexpr int64_t kStaticSharedBytes = 48 * 1024;

class KernelLowering {
public:
  explicit KernelLowering(mlir::func::FuncOp kernel)
      : kernel_(kernel), module_(kernel->getParentOfType<mlir::ModuleOp>()),
        builder_(kernel.getContext()) {}

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
  mlir::LogicalResult lowerFor(mlir::scf::ForOp op);
  mlir::LogicalResult lowerWhile(mlir::scf::WhileOp op);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  mlir::LogicalResult lowerTerminator(mlir::Operation *op);

  /// Lowers a region's only block into an emitted block, whose arguments it takes.
  mlir::LogicalResult lowerInto(mlir::Block &from, mlir::Block &to);
  /// Moves elements through shared memory.
  mlir::LogicalResult convertThroughMemory(tile::ConvertLayoutOp op, const tile::LinearLayout &from,
                                           const tile::LinearLayout &to);
  mlir::Value sharedAddress(mlir::Location location, const tile::LinearLayout &layout,
                            llvm::ArrayRef<int64_t> shape, mlir::Type memoryType,
                            unsigned registerIndex);
  mlir::Value sharedBase(mlir::Location location, int64_t sizeBytes);

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
  tile::AxisAnalysis axes_;
  llvm::DenseMap<mlir::Value, Registers> registers_;
  mlir::LLVM::GlobalOp shared_;
};

} // namespace inlay::tile_to_gpu
