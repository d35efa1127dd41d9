// Tensors in host memory: what the tools read from and write to NumPy's files.
#pragma once

#include "base/DataType.h"
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

/// Float32 to narrower floats and back; rounds to nearest even, keeps NaN and infinities.
uint16_t toBFloat16(float value);
float fromBFloat16(uint16_t bits);
uint16_t toFloat16(float value);
float fromFloat16(uint16_t bits);
/// The value of an 8-bit float: Float8E4M3FN or Float8E5M2.
float fromFloat8(uint8_t bits, DataType dtype);

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
