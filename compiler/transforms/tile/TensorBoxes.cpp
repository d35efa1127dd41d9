#include "compiler/transforms/tile/TensorBoxes.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace inlay::tile {

namespace {

constexpr int64_t kLongestRowBytes = 128, kPieceBytes = 16;
constexpr int64_t kLongestBox = 256;

} // namespace

std::optional<unsigned> tensorElementCode(Type elementType, Padding padding) {
  constexpr unsigned kU8 = 0, kU16 = 1, kU32 = 2, kU64 = 4, kF16 = 6, kF32 = 7, kF64 = 9,
                     kBF16 = 10;
  if (elementType.isF16())
    return kF16;
  if (elementType.isBF16())
    return kBF16;
  if (elementType.isF32())
    return kF32;
  if (elementType.isF64())
    return kF64;
  if (!elementType.isIntOrFloat() || padding == Padding::NaN)
    return std::nullopt;
  switch (elementType.getIntOrFloatBitWidth()) {
  case 8:
    return kU8;
  case 16:
    return kU16;
  case 32:
    return kU32;
  case 64:
    return kU64;
  default:
    return std::nullopt;
  }
}

TensorBoxes planTensorBoxes(ArrayRef<int64_t> block, unsigned elementBytes) {
  TensorBoxes boxes;
  const size_t last = block.size() - 1;
  const int64_t rowBytes = std::min(block[last] * elementBytes, kLongestRowBytes);
  boxes.swizzle = llvm::Log2_64(static_cast<uint64_t>(rowBytes / kPieceBytes));
  // Rows of a box follow one another in the panel, so nothing is around a dimension that is cut.
  boxes.shape.assign(block.size(), 1);
  boxes.shape[last] = rowBytes / elementBytes;
  for (size_t d = last; d-- > 0;) {
    boxes.shape[d] = std::min(block[d], kLongestBox);
    if (block[d] > kLongestBox)
      break;
  }
  boxes.sizeBytes = elementBytes;
  for (int64_t size : boxes.shape)
    boxes.sizeBytes *= size;
  int64_t numRows = 1, numParts = 1;
  for (size_t d = 0; d <= last; ++d) {
    numRows *= d < last ? block[d] : 1;
    numParts *= block[d] / boxes.shape[d];
  }
  for (int64_t i = 0; i < numParts; ++i) {
    TensorBoxes::Part part{SmallVector<int64_t>(block.size(), 0), 0};
    int64_t rest = i, rowsBelow = 1;
    for (size_t d = last + 1; d-- > 0;) {
      const int64_t count = block[d] / boxes.shape[d];
      part.coordinates[d] = rest % count * boxes.shape[d];
      rest /= count;
      if (d == last) {
        part.offsetBytes = part.coordinates[d] / boxes.shape[d] * numRows * rowBytes;
      } else {
        part.offsetBytes += part.coordinates[d] * rowsBelow * rowBytes;
        rowsBelow *= block[d];
      }
    }
    boxes.parts.push_back(std::move(part));
  }
  return boxes;
}

} // namespace inlay::tile
