// What a nest evaluates.
#pragma once

#include "compiler/conversions/tile-to-cpu/Nest.h"

namespace inlay::tile_to_cpu {

/// Every tile value a nest evaluates, with the coordinates it is evaluated at, operands before
/// users.
class Closure {
public:
  Closure(ProgramValues &values, llvm::ArrayRef<Root> roots, const Coordinates &coordinates)
      : values_(values) {
    for (Root root : roots) {
      if (root.reduce)
        for (mlir::Value source : root.reduce.getSources())
          visit(source, coordinates);
      if (root.tile)
        visit(root.tile, coordinates);
      if (root.interleaved)
        visit(root.interleaved, coordinates);
      if (!root.store)
        continue;
      for (mlir::Value operand : root.store->getOperands())
        visit(operand, coordinates);
      addMask(root.store.getMask(), coordinates);
      accesses_.push_back({root.store.getPtr(), coordinates});
    }
  }

  struct Element {
    mlir::Value value;
    Coordinates coordinates;
  };
  llvm::ArrayRef<Element> elements() const { return elements_; }
  /// Pointers of loads and stores.
  llvm::ArrayRef<Element> accesses() const { return accesses_; }
  llvm::ArrayRef<Element> masks() const { return masks_; }
  /// False for the coordinates under a reshape that mixes dimensions, which only the evaluator
  /// computes.
  static bool hasReal(const Coordinates &coordinates) {
    return llvm::none_of(coordinates, [](const Coordinate &coordinate) {
      return coordinate.kind == Coordinate::Kind::Vector && !coordinate.value;
    });
  }

private:
  void addMask(mlir::Value mask, const Coordinates &coordinates) {
    if (mask)
      masks_.push_back({mask, coordinates});
  }

  void visit(mlir::Value value, const Coordinates &coordinates) {
    if (!mlir::isa<mlir::RankedTensorType>(value.getType()) ||
        !seen_.insert({value.getAsOpaquePointer(), coordinates}).second)
      return;
    mlir::Operation *op = value.getDefiningOp();
    if (op && !values_.bufferOf(value)) {
      if (isShapeOp(op)) {
        // Under a reshape that mixes dimensions, coordinates are unknown here: take none for
        // uniform.
        Coordinates mixed(mlir::cast<mlir::RankedTensorType>(op->getOperand(0).getType()).getRank(),
                          {Coordinate::Kind::Vector, {}, 0});
        visit(op->getOperand(0), sourceCoordinates(op, coordinates).value_or(mixed));
      } else if (mlir::isa<tile::SplitOp>(op)) {
        Coordinates source = coordinates;
        source.push_back({Coordinate::Kind::Vector, {}, 0});
        visit(op->getOperand(0), source);
      } else {
        for (mlir::Value operand : op->getOperands())
          visit(operand, coordinates);
      }
      if (auto load = mlir::dyn_cast<tile::LoadOp>(op)) {
        addMask(load.getMask(), coordinates);
        accesses_.push_back({load.getPtr(), coordinates});
      }
    }
    elements_.push_back({value, coordinates});
  }

  ProgramValues &values_;
  std::set<ElementKey> seen_;
  llvm::SmallVector<Element> elements_, accesses_, masks_;
};

} // namespace inlay::tile_to_cpu
