#include "compiler/conversions/tile-to-gpu/MatrixOperand.h"

#include <array>

namespace inlay::tile_to_gpu {

namespace {

/// Rows whose pieces are permuted together.
constexpr int64_t kRowsOfPattern = 8;

/// Fields of a descriptor. Source: PTX ISA, "Matrix-descriptor" of wgmma.
constexpr unsigned kLeadingShift = 16, kStrideShift = 32, kSwizzleShift = 62;

/// The code of a pattern by the bytes of its rows.
uint64_t swizzleMode(int64_t rowBytes) {
  switch (rowBytes) {
  case 128:
    return 1;
  case 64:
    return 2;
  case 32:
    return 3;
  default:
    return 0;
  }
}

} // namespace

uint32_t MatrixOperand::partOffset(unsigned outer, unsigned k) const {
  std::array<int32_t, 2> at{};
  at[kDimension_] = static_cast<int32_t>(k);
  at[1 - kDimension_] = static_cast<int32_t>(outer);
  return place_.offset(at);
}

uint64_t MatrixOperand::descriptor() const {
  // K-major: the stride is from eight rows to the next eight; the leading offset is not read.
  // Otherwise the stride is from eight of K to the next eight, and the leading offset from one
  // panel of columns (or rows of the left operand) to the next.
  const int64_t stride = kRowsOfPattern * place_.rowBytes(),
                leading = isKMajor() ? int64_t{kDescriptorUnitBytes} : place_.panelBytes();
  return static_cast<uint64_t>(leading / kDescriptorUnitBytes) << kLeadingShift |
         static_cast<uint64_t>(stride / kDescriptorUnitBytes) << kStrideShift |
         swizzleMode(place_.rowBytes()) << kSwizzleShift;
}

} // namespace inlay::tile_to_gpu
