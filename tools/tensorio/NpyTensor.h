// Tensors in host memory: what the tools read from and write to NumPy's files.
#pragma once

#include "base/DataType.h"
#include "base/NarrowFloat.h"
#include "base/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A dense row-major tensor that owns its bytes; data.size() is the product of the shape times the
/// size of an element.
struct NpyTensor {
  DataType dtype = DataType::Float32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;
};

/// Bytes of a tensor. Errors: InvalidArgument for negative dimensions or a size beyond int64.
Result<int64_t> computeSizeBytes(DataType dtype, std::span<const int64_t> shape);

/// How far two tensors are apart.
struct Comparison {
  double maxAbsoluteError = 0; // over elements that are finite in both
  double maxRelativeError = 0; // |actual - expected| / |expected|, where expected is not 0
  int64_t numMismatches = 0;
  int64_t firstMismatch = -1; // flat index; -1: none
};

/// Compares element by element: equal if |actual - expected| <= atol + rtol * |expected|, if both
/// are NaN, or if both are the same infinity. Integers are compared exactly when both tolerances
/// are 0. Errors: InvalidArgument if dtypes or shapes differ, or a tensor's bytes do not fit its
/// shape.
Result<Comparison> compareTensors(const NpyTensor &actual, const NpyTensor &expected, double rtol,
                                  double atol);

} // namespace inlay
