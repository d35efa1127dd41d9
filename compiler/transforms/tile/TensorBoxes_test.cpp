#include "compiler/transforms/tile/TensorBoxes.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

#include <set>

using namespace mlir;

namespace inlay::tile {
namespace {

using Coordinates = llvm::SmallVector<int64_t>;

/// The byte at which an element stands in the tile, by the rule of SharedTile without permutation.
int64_t place(llvm::ArrayRef<int64_t> block, llvm::ArrayRef<int64_t> at, int64_t elementBytes) {
  int64_t row = 0, numRows = 1;
  for (size_t d = 0; d + 1 < block.size(); ++d) {
    row = row * block[d] + at[d];
    numRows *= block[d];
  }
  const int64_t rowBytes = std::min<int64_t>(block.back() * elementBytes, 128);
  const int64_t along = at.back() * elementBytes;
  return along / rowBytes * numRows * rowBytes + row * rowBytes + along % rowBytes;
}

/// Copies a block as the engine does, box by box, and checks that each element comes once to its
/// place.
void expectWholeBlock(llvm::ArrayRef<int64_t> block, unsigned elementBytes) {
  const TensorBoxes boxes = planTensorBoxes(block, elementBytes);
  std::set<int64_t> places;
  int64_t numElements = 1;
  for (int64_t size : block)
    numElements *= size;
  EXPECT_LE(boxes.shape.back() * elementBytes, 128u);
  for (const TensorBoxes::Part &part : boxes.parts) {
    EXPECT_EQ(part.offsetBytes % (boxes.parts.size() > 1 ? 128 : 1), 0);
    int64_t count = 1;
    for (int64_t size : boxes.shape) {
      EXPECT_LE(size, 256);
      count *= size;
    }
    ASSERT_EQ(boxes.sizeBytes, count * elementBytes);
    // The engine writes a box densely, the innermost dimension fastest.
    for (int64_t i = 0; i < count; ++i) {
      Coordinates at(part.coordinates);
      int64_t rest = i;
      for (size_t d = block.size(); d-- > 0;) {
        at[d] += rest % boxes.shape[d];
        rest /= boxes.shape[d];
      }
      const int64_t byte = part.offsetBytes + i * elementBytes;
      ASSERT_EQ(byte, place(block, at, elementBytes));
      EXPECT_TRUE(places.insert(byte).second);
    }
  }
  EXPECT_EQ(static_cast<int64_t>(places.size()), numElements);
}

TEST(TensorBoxes, CoverBlocksAsSharedTilesLie) {
  expectWholeBlock({128, 64}, 2);    // one box, rows of 128 bytes
  expectWholeBlock({64, 256}, 2);    // four panels
  expectWholeBlock({16, 8}, 2);      // rows of 16 bytes
  expectWholeBlock({512, 16}, 4);    // more rows than a box has
  expectWholeBlock({2, 512, 64}, 2); // and a dimension around them
  expectWholeBlock({4, 8, 32}, 4);
  expectWholeBlock({2, 2, 2, 4, 16}, 1);
  expectWholeBlock({1024}, 4);
  expectWholeBlock({16}, 1);
}

TEST(TensorBoxes, SwizzleFollowsRows) {
  EXPECT_EQ(planTensorBoxes({8, 8}, 2).swizzle, 0u);
  EXPECT_EQ(planTensorBoxes({8, 16}, 2).swizzle, 1u);
  EXPECT_EQ(planTensorBoxes({8, 16}, 4).swizzle, 2u);
  EXPECT_EQ(planTensorBoxes({8, 64}, 2).swizzle, 3u);
  EXPECT_EQ(planTensorBoxes({8, 256}, 2).swizzle, 3u);
}

TEST(TensorBoxes, ElementCodes) {
  MLIRContext context;
  Type i8 = IntegerType::get(&context, 8), f16 = Float16Type::get(&context);
  EXPECT_EQ(tensorElementCode(i8, Padding::Zero), 0u);
  EXPECT_EQ(tensorElementCode(i8, Padding::NaN), std::nullopt);
  EXPECT_EQ(tensorElementCode(f16, Padding::NaN), 6u);
  EXPECT_EQ(tensorElementCode(Float8E5M2Type::get(&context), Padding::Zero), 0u);
  EXPECT_EQ(tensorElementCode(Float8E5M2Type::get(&context), Padding::NaN), std::nullopt);
  EXPECT_EQ(tensorElementCode(BFloat16Type::get(&context), Padding::Zero), 10u);
  EXPECT_EQ(tensorElementCode(IntegerType::get(&context, 1), Padding::Zero), std::nullopt);
}

} // namespace
} // namespace inlay::tile
