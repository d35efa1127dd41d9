// How the reference interpreter holds values: one cell per element, and what element types mean.
#pragma once

#include "mlir/IR/BuiltinTypes.h"

#include <cstdint>
#include <vector>

namespace inlay::reference {

/// One element: integers and addresses in `bits` (zero-extended), floats in `real`.
struct Cell {
  uint64_t bits = 0;
  double real = 0;
};

/// A scalar (one cell) or a tile in row-major order.
using Cells = std::vector<Cell>;

/// Bits of an element; addresses and `index` have 64.
unsigned widthOf(mlir::Type element);
/// Bytes an element takes in memory; a bool takes one.
uint64_t sizeOf(mlir::Type element);
uint64_t maskOf(unsigned width);
/// The lowest `width` bits as a signed integer.
int64_t signedOf(uint64_t bits, unsigned width);

/// The value a float type holds for `value`, rounded to nearest even or toward zero.
double roundTo(double value, mlir::Type type, bool towardZero = false);
double toDouble(llvm::APFloat value);
llvm::APFloat toFormat(double value, mlir::FloatType type, bool towardZero = false);

/// An element's bits as they lie in memory, and back.
uint64_t bitsOf(const Cell &cell, mlir::Type type);
Cell fromBits(uint64_t bits, mlir::Type type);

/// Shape and number of elements; a scalar has rank 0 and one element.
std::vector<int64_t> shapeOf(mlir::Type type);
size_t countOf(mlir::Type type);

/// The steps in elements of a dense tile's dimensions.
std::vector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Calls `function(index, coordinates)` for every element of a shape in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape,
                  llvm::function_ref<void(size_t, llvm::ArrayRef<int64_t>)> function);

/// A tile seen along one dimension: element `i` of row (outer, inner) is at
/// `(outer * size + i) * numInner + inner`.
struct AxisView {
  int64_t numOuter, size, numInner;
  AxisView(llvm::ArrayRef<int64_t> shape, int64_t axis);
  size_t at(int64_t outer, int64_t i, int64_t inner) const {
    return static_cast<size_t>((outer * size + i) * numInner + inner);
  }
};

} // namespace inlay::reference
