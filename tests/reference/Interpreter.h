// The reference interpreter's state and the functions that run each kind of operation; one file per
// theme defines them.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/tile/Tile.h"
#include "tests/reference/Cell.h"
#include "tests/reference/TileInterpreter.h"

#include "llvm/ADT/DenseMap.h"

#include <string>

namespace inlay::reference {

/// What a block ended with: the operands of its terminator.
struct BlockEnd {
  mlir::Operation *terminator = nullptr;
  std::vector<Cells> values;
};

/// Runs one program after the other. The `run…` functions that return bool say whether they know
/// the operation.
class Interpreter {
public:
  Interpreter(std::array<uint32_t, 3> grid, std::span<const MemoryRange> memory,
              std::string *printed)
      : grid_(grid), memory_(memory), printed_(printed) {}

  Status runProgram(mlir::func::FuncOp kernel, std::span<const void *const> arguments,
                    std::array<uint32_t, 3> program);

private:
  // Control.cpp
  Result<BlockEnd> runBlock(mlir::Block &block, const std::vector<Cells> &arguments);
  Status runOperation(mlir::Operation &op);
  Status runIf(mlir::scf::IfOp op);
  Status runFor(mlir::scf::ForOp op);
  Status runWhile(mlir::scf::WhileOp op);
  void runConstant(mlir::arith::ConstantOp op);
  // Elementwise.cpp
  bool runElementwise(mlir::Operation &op);
  // Conversions.cpp
  bool runConversion(mlir::Operation &op);
  // Shapes.cpp
  bool runShape(mlir::Operation &op);
  // Memory.cpp
  Status runMemory(mlir::Operation &op, bool &isKnown);
  Status checkAccess(mlir::Operation &op, uint64_t address, uint64_t sizeBytes);
  Result<Cell> loadCell(mlir::Operation &op, uint64_t address, mlir::Type element);
  Status storeCell(mlir::Operation &op, uint64_t address, const Cell &value, mlir::Type element);
  Status runLoad(tile::LoadOp op);
  Status runStore(tile::StoreOp op);
  Status runDescriptorLoad(tile::DescriptorLoadOp op);
  Status runDescriptorStore(tile::DescriptorStoreOp op);
  /// The address of an element of a described tensor, or nothing where it is outside.
  std::optional<uint64_t> describedAddress(uint64_t base, uint64_t elementBytes,
                                           mlir::ValueRange sizes, mlir::ValueRange strides,
                                           mlir::ValueRange offsets, llvm::ArrayRef<int64_t> at);
  Status runAtomicRmw(tile::AtomicRmwOp op);
  Status runAtomicCas(tile::AtomicCasOp op);
  // Collectives.cpp
  Status runCollective(mlir::Operation &op, bool &isKnown);
  Status runReduce(tile::ReduceOp op);
  Status runScan(tile::ScanOp op);
  /// Runs a region that combines `earlier` with `later`, one cell per operand each.
  Result<Cells> combine(mlir::Region &region, const Cells &earlier, const Cells &later);
  Status runDot(tile::DotOp op);
  Status runGather(tile::GatherOp op);
  Status runHistogram(tile::HistogramOp op);
  // Debug.cpp
  Status runDebug(mlir::Operation &op, bool &isKnown);
  void runPrint(tile::PrintOp op);
  Status runAssert(tile::AssertOp op);
  // InlineAssembly.cpp
  Status runInlineAsm(tile::InlineAsmOp op);

  /// "tile.load at loc(…) in program (1, 0, 0)", for messages.
  std::string placeOf(mlir::Operation &op);

  const Cells &of(mlir::Value value) { return values_[value]; }
  /// Element `i` of a value; a scalar stands for all.
  const Cell &at(mlir::Value value, size_t i) {
    const Cells &cells = of(value);
    return cells.size() == 1 ? cells[0] : cells[i];
  }
  bool isTrue(mlir::Value mask, size_t i) { return !mask || (at(mask, i).bits & 1) != 0; }
  int64_t signedScalar(mlir::Value value) {
    return signedOf(of(value)[0].bits, widthOf(value.getType()));
  }
  template <typename Function>
  bool forEach(mlir::Operation &op, Function function) {
    Cells result(countOf(op.getResult(0).getType()));
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = function(i);
    values_[op.getResult(0)] = std::move(result);
    return true;
  }

  std::array<uint32_t, 3> grid_;
  std::array<uint32_t, 3> program_{};
  std::span<const MemoryRange> memory_;
  std::string *printed_; // borrowed, may be null
  llvm::DenseMap<mlir::Value, Cells> values_;
};

} // namespace inlay::reference
