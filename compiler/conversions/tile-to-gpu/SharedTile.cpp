#include "compiler/conversions/tile-to-gpu/SharedTile.h"

#include <algorithm>

namespace inlay::tile_to_gpu {

namespace {

constexpr int64_t kLongestRowBytes = 128;
constexpr uint32_t kPieceBytes = 16;
/// The lowest bit of an address that permutes pieces: eight rows of 16 bytes fill the banks.
constexpr unsigned kSwizzleShift = 3;

} // namespace

SharedTile::SharedTile(llvm::ArrayRef<int64_t> shape, unsigned elementBytes, unsigned fastest)
    : elementBytes_(elementBytes), fastest_(fastest) {
  const int64_t lineBytes = shape[fastest] * elementBytes;
  rowBytes_ = std::min(lineBytes, kLongestRowBytes);
  numRows_ = shape[1 - fastest];
  sizeBytes_ = lineBytes * numRows_;
  runElements_ = static_cast<unsigned>(std::min<int64_t>(rowBytes_, kPieceBytes) / elementBytes);
}

uint32_t SharedTile::offset(llvm::ArrayRef<int32_t> coordinates) const {
  const int64_t along = int64_t{coordinates[fastest_]} * elementBytes_;
  const int64_t row = coordinates[1 - fastest_];
  // All sizes are powers of two, so that the sum concatenates bits.
  const auto address = static_cast<uint32_t>((along / rowBytes_) * numRows_ * rowBytes_ +
                                             row * rowBytes_ + along % rowBytes_);
  const auto pieceBits = static_cast<uint32_t>(rowBytes_ - 1) & ~(kPieceBytes - 1);
  return address ^ ((address >> kSwizzleShift) & pieceBits);
}

} // namespace inlay::tile_to_gpu
