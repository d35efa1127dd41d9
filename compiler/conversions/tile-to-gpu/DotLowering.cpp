// tile.dot: on tensor cores where they multiply as asked, else element by element from shared
// memory.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/MmaEmission.h"
#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::MmaInstruction;
using tile::MmaStep;
using tile::MmaType;

namespace {

/// PTX ISA that knows fp8 as a type of mma, times ten.
constexpr int32_t kFloat8PtxVersion = 84;

LinearLayout layoutOf(Value tile) { return tile::layoutOf(cast<RankedTensorType>(tile.getType())); }

/// A dot on tensor cores in one thread.
class MmaDot {
public:
  MmaDot(OpBuilder &builder, tile::DotOp op, const MmaInstruction &mma, ArrayRef<Value> lhs,
         ArrayRef<Value> rhs)
      : builder_(builder), location_(op.getLoc()), mma_(mma),
        lhsType_(tile::elementTypeOf(op.getLhs().getType())),
        rhsType_(tile::elementTypeOf(op.getRhs().getType())),
        steps_(tile::planMmaSteps(mma, layoutOf(op.getLhs()), layoutOf(op.getAcc()))) {
    pack(lhs, mma.lhsElements(), lhs_);
    pack(rhs, mma.rhsElements(), rhs_);
  }

  /// acc + lhs · rhs with all parts.
  Registers run(Registers acc, unsigned maxNumImprecise) {
    if (mma_.parts > 1) {
      // Tensor cores cut sums off, which a long sum would feel: this tile's is added in fp32.
      addTo(acc, multiply(smallProducts(acc), 0, 0));
      return acc;
    }
    const unsigned kTiles = steps_.back().kTile + 1;
    if (mma_.type != MmaType::Float8 || maxNumImprecise > kTiles * mma_.k)
      return multiply(std::move(acc), 0, 0);
    return multiplyInPieces(std::move(acc), std::max(1u, maxNumImprecise / mma_.k));
  }

private:
  /// fragments[part] holds the words of a fragment at the number of its first element.
  using Fragments = SmallVector<std::map<unsigned, Registers>, 3>;

  void pack(ArrayRef<Value> elements, unsigned fragmentElements, Fragments &fragments) {
    fragments.resize(mma_.parts);
    SmallVector<Registers, 3> parts(mma_.parts);
    for (Value element : elements)
      for (auto [part, value] :
           llvm::zip_equal(parts, splitForMma(builder_, location_, mma_, element)))
        part.push_back(value);
    for (auto [part, words] : llvm::zip_equal(parts, fragments))
      for (unsigned first = 0; first < elements.size(); first += fragmentElements)
        words[first] = packFragment(builder_, location_, mma_,
                                    ValueRange(part).slice(first, fragmentElements));
  }

  void step(Registers &acc, const MmaStep &at, unsigned lhsPart, unsigned rhsPart) {
    const unsigned count = mma_.accElements();
    Registers result =
        emitMma(builder_, location_, mma_, lhsType_, rhsType_, lhs_[lhsPart].at(at.lhs),
                rhs_[rhsPart].at(at.rhs), ValueRange(acc).slice(at.acc, count));
    llvm::copy(result, acc.begin() + at.acc);
  }

  Registers multiply(Registers acc, unsigned lhsPart, unsigned rhsPart) {
    for (const MmaStep &at : steps_)
      step(acc, at, lhsPart, rhsPart);
    return acc;
  }

  Registers zeros(const Registers &like) {
    Value zero = arith::ConstantOp::create(builder_, location_,
                                           builder_.getZeroAttr(like.front().getType()));
    return Registers(like.size(), zero);
  }
  void addTo(Registers &acc, const Registers &sum) {
    for (auto [a, s] : llvm::zip_equal(acc, sum))
      a = arith::AddFOp::create(builder_, location_, a, s);
  }

  /// The products of all parts but the most significant two, smallest first, as many sums as `acc`
  /// has. Where an element is infinite, the product of the most significant parts says what is
  /// right: these are NaN or of its sign, since parts have the sign of their element, and NaN is
  /// replaced by what changes neither infinity nor NaN.
  Registers smallProducts(const Registers &acc) {
    Registers sum = zeros(acc);
    // Parts i and j make products of size 2^-(i+j) of a part's bits; those past the last part's
    // are below what the sum resolves.
    for (unsigned size = mma_.parts - 1; size > 0; --size)
      for (unsigned i = 0; i <= size; ++i)
        sum = multiply(std::move(sum), size - i, i);
    const APFloat lowest = APFloat::getLargest(APFloat::IEEEsingle(), /*Negative=*/true);
    Value least = arith::ConstantOp::create(builder_, location_,
                                            builder_.getFloatAttr(builder_.getF32Type(), lowest));
    for (Value &value : sum)
      value = arith::MaxNumFOp::create(builder_, location_, value, least);
    return sum;
  }

  /// Tensor cores add fp8 products in less than fp32: `piece` instructions along K, then an
  /// addition in fp32.
  Registers multiplyInPieces(Registers acc, unsigned piece) {
    const unsigned kTiles = steps_.back().kTile + 1;
    for (unsigned first = 0; first < kTiles; first += piece) {
      Registers sum = zeros(acc);
      for (const MmaStep &at : steps_)
        if (at.kTile >= first && at.kTile < first + piece)
          step(sum, at, 0, 0);
      addTo(acc, sum);
    }
    return acc;
  }

  OpBuilder &builder_;
  Location location_;
  MmaInstruction mma_;
  Type lhsType_, rhsType_;
  SmallVector<MmaStep> steps_;
  Fragments lhs_, rhs_;
};

/// Elements of one type as another, both integers or both floats.
void convertAll(OpBuilder &builder, Location location, Registers &values, Type type) {
  for (Value &value : values) {
    if (value.getType() == type)
      continue;
    if (isa<IntegerType>(type))
      value = arith::ExtSIOp::create(builder, location, type, value);
    else if (type.getIntOrFloatBitWidth() > value.getType().getIntOrFloatBitWidth())
      value = arith::ExtFOp::create(builder, location, type, value);
    else
      value = arith::TruncFOp::create(builder, location, type, value);
  }
}

/// Numbers among `unique` of the pair of coordinates (batch, other) of each register.
SmallVector<unsigned> groupRegisters(const LinearLayout &layout, unsigned other,
                                     SmallVectorImpl<unsigned> &unique) {
  std::map<std::pair<int32_t, int32_t>, unsigned> groups;
  SmallVector<unsigned> result;
  for (unsigned r = 0; r < layout.numRegisters(); ++r) {
    LinearLayout::Coordinates at = layout.registerOffset(r);
    const int32_t batch = layout.rank() == 3 ? at[0] : 0;
    auto [found, isNew] =
        groups.try_emplace({batch, at[other]}, static_cast<unsigned>(unique.size()));
    if (isNew)
      unique.push_back(r);
    result.push_back(found->second);
  }
  return result;
}

} // namespace

LogicalResult KernelLowering::lowerDot(tile::DotOp op) {
  std::optional<MmaInstruction> mma = tile::chooseMma(op, tile::computeCapabilityOf(module_));
  if (!mma)
    return lowerDotByElements(op);
  if (mma->type == MmaType::Float8)
    raisePtxVersion(kFloat8PtxVersion);
  Type accType = tile::elementTypeOf(op.getAcc().getType());
  Registers acc = get(op.getAcc());
  // f16 accumulators are for f16 operands.
  const bool widens = accType.isF16() && !tile::elementTypeOf(op.getLhs().getType()).isF16();
  if (widens)
    convertAll(builder_, op.getLoc(), acc, builder_.getF32Type());
  MmaDot dot(builder_, op, *mma, get(op.getLhs()), get(op.getRhs()));
  acc = dot.run(std::move(acc), op.getMaxNumImprecise());
  if (widens)
    convertAll(builder_, op.getLoc(), acc, accType);
  registers_[op.getResult()] = std::move(acc);
  return success();
}

LogicalResult KernelLowering::lowerDotByElements(tile::DotOp op) {
  Location location = op.getLoc();
  auto lhsType = cast<RankedTensorType>(op.getLhs().getType()),
       rhsType = cast<RankedTensorType>(op.getRhs().getType());
  const LinearLayout acc = layoutOf(op.getAcc());
  const unsigned rank = acc.rank();
  Type element = lhsType.getElementType(), memory = memoryTypeOf(element),
       i32 = builder_.getI32Type();
  const int64_t k = lhsType.getShape().back(), m = lhsType.getShape()[rank - 2],
                n = rhsType.getShape().back();
  Type accType = tile::elementTypeOf(op.getAcc().getType());
  // Halves are added up in fp32.
  Type sumType = accType.isF16() ? Type(builder_.getF32Type()) : accType;
  auto constant = [&](int64_t value) { return integerConstant(builder_, location, i32, value); };

  // Both operands stand in shared memory with K before M and N, so that neighbouring threads read
  // neighbouring elements.
  const int64_t bytes = memoryBytesOf(element), rhsStart = lhsType.getNumElements();
  const int64_t sizeBytes = (rhsStart + rhsType.getNumElements()) * bytes;
  const SharedRegion region = acquireShared(location, sizeBytes);
  Value base = sharedPointer(location, region.offset, builder_.getI8Type(), constant(0));
  auto addressOf = [&](Value index) -> Value {
    return LLVM::GEPOp::create(builder_, location, base.getType(), memory, base, ValueRange{index});
  };
  // index = start + (batch * K + k) * size + i
  auto indexOf = [&](int64_t start, Value batch, Value kIndex, int64_t size, Value i) -> Value {
    Value index = kIndex;
    if (batch)
      index = arith::AddIOp::create(builder_, location,
                                    arith::MulIOp::create(builder_, location, batch, constant(k)),
                                    kIndex);
    index = arith::MulIOp::create(builder_, location, index, constant(size));
    index = arith::AddIOp::create(builder_, location, index, i);
    return start ? arith::AddIOp::create(builder_, location, index, constant(start)).getResult()
                 : index;
  };
  auto coordinate = [&](const LinearLayout &layout, unsigned d, unsigned r) {
    return registerCoordinate(builder_, location, layout, d,
                              threadCoordinate(builder_, location, layout, d), r);
  };
  auto put = [&](Value tile, int64_t start, unsigned kDimension, unsigned otherDimension,
                 int64_t size) {
    const LinearLayout layout = layoutOf(tile);
    const Registers values = get(tile);
    for (auto [r, first] : llvm::enumerate(representatives(layout)))
      if (first == r) {
        Value batch = rank == 3 ? coordinate(layout, 0, first) : Value();
        Value index = indexOf(start, batch, coordinate(layout, kDimension, first), size,
                              coordinate(layout, otherDimension, first));
        LLVM::StoreOp::create(builder_, location, toMemory(builder_, location, values[r]),
                              addressOf(index));
      }
  };
  put(op.getLhs(), 0, rank - 1, rank - 2, m);
  put(op.getRhs(), rhsStart, rank - 2, rank - 1, n);
  emitBarrier(location);

  const SmallVector<unsigned> first = representatives(acc);
  SmallVector<unsigned> rows, columns;
  const SmallVector<unsigned> rowOf = groupRegisters(acc, rank - 2, rows),
                              columnOf = groupRegisters(acc, rank - 1, columns);
  Registers sums = get(op.getAcc()), carried;
  convertAll(builder_, location, sums, sumType);
  for (unsigned r = 0; r < sums.size(); ++r)
    if (first[r] == r)
      carried.push_back(sums[r]);
  auto loop =
      scf::ForOp::create(builder_, location, constant(0), constant(k), constant(1), carried);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(loop.getBody());
  auto fetch = [&](ArrayRef<unsigned> registers, int64_t start, unsigned dimension, int64_t size) {
    Registers values;
    for (unsigned r : registers) {
      Value batch = rank == 3 ? coordinate(acc, 0, r) : Value();
      Value index =
          indexOf(start, batch, loop.getInductionVar(), size, coordinate(acc, dimension, r));
      Value loaded = LLVM::LoadOp::create(builder_, location, memory, addressOf(index));
      values.push_back(fromMemory(builder_, location, loaded, element));
    }
    convertAll(builder_, location, values, sumType);
    return values;
  };
  const Registers a = fetch(rows, 0, rank - 2, m), b = fetch(columns, rhsStart, rank - 1, n);
  Registers next;
  unsigned numSums = 0;
  for (unsigned r = 0; r < sums.size(); ++r) {
    if (first[r] != r)
      continue;
    Value x = a[rowOf[r]], y = b[columnOf[r]], sum = loop.getRegionIterArg(numSums++);
    if (isa<IntegerType>(sumType))
      next.push_back(arith::AddIOp::create(builder_, location,
                                           arith::MulIOp::create(builder_, location, x, y), sum));
    else
      next.push_back(math::FmaOp::create(builder_, location, x, y, sum));
  }
  scf::YieldOp::create(builder_, location, next);
  builder_.setInsertionPointAfter(loop);
  Registers results;
  numSums = 0;
  for (unsigned r = 0; r < sums.size(); ++r)
    results.push_back(first[r] == r ? loop.getResult(numSums++) : results[first[r]]);
  convertAll(builder_, location, results, accType);
  releaseShared(region);
  registers_[op.getResult()] = std::move(results);
  return success();
}

} // namespace inlay::tile_to_gpu
