#include "compiler/conversions/tile-to-gpu/SharedAccess.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::PlacePart;

namespace {

constexpr unsigned kMatrixRowBytes = 16, kWordBytes = 4, kMostMatrices = 4;

/// Whether a basis moves by `step` along one dimension only.
bool isStep(const LinearLayout::Coordinates &basis, unsigned dimension, int64_t step) {
  return basis[dimension] == step && basis[1 - dimension] == 0;
}

/// An exclusive or of the offsets whose bits are set in the thread's number.
Value combineThreadBits(OpBuilder &builder, Location location, ArrayRef<uint32_t> offsets) {
  Type i32 = builder.getI32Type();
  auto constant = [&](int64_t value) { return integerConstant(builder, location, i32, value); };
  Value thread = threadId(builder, location), result;
  for (size_t i = 0; i < offsets.size();) {
    if (offsets[i] == 0) {
      ++i;
      continue;
    }
    // Bits whose offsets double are one field of the thread's number, if multiplying it carries
    // nothing from one bit of the product to another.
    size_t length = 1;
    uint32_t bits = offsets[i], sum = offsets[i];
    while (i + length < offsets.size() && offsets[i + length] == offsets[i] << length &&
           (bits | offsets[i + length]) == sum + offsets[i + length]) {
      bits |= offsets[i + length];
      sum += offsets[i + length];
      ++length;
    }
    Value field = thread;
    if (i > 0)
      field = arith::ShRUIOp::create(builder, location, field, constant(static_cast<int64_t>(i)));
    if (i + length < offsets.size())
      field = arith::AndIOp::create(builder, location, field, constant((1 << length) - 1));
    if (offsets[i] != 1)
      field = arith::MulIOp::create(builder, location, field, constant(offsets[i]));
    result = result ? arith::XOrIOp::create(builder, location, result, field) : field;
    i += length;
  }
  return result ? result : constant(0);
}

} // namespace

/// Addresses of a layout's registers: one part that depends on the thread, one on the register.
class SharedAccess::Addresses {
public:
  Addresses(SharedAccess &access, const LinearLayout &layout) : access_(access), layout_(layout) {
    SmallVector<uint32_t> offsets;
    for (PlacePart part : {PlacePart::Lane, PlacePart::Warp})
      for (const LinearLayout::Coordinates &basis : layout.bases(part))
        offsets.push_back(access.place_.offset(basis));
    threadBits_ = std::accumulate(offsets.begin(), offsets.end(), 0u, std::bit_or<>());
    thread_ = combineThreadBits(access.builder_, access.location_, offsets);
  }

  Value of(unsigned registerIndex) {
    OpBuilder &builder = access_.builder_;
    Location location = access_.location_;
    const uint32_t offset = access_.place_.offset(layout_.registerOffset(registerIndex));
    // Bits that no thread's part has are added, which the access itself does for nothing.
    const uint32_t mixed = offset & threadBits_, apart = offset & ~threadBits_;
    Value bytes = thread_;
    if (mixed)
      bytes = arith::XOrIOp::create(
          builder, location, bytes,
          integerConstant(builder, location, builder.getI32Type(), static_cast<int32_t>(mixed)));
    Value address = at(access_.base_, bytes);
    return apart ? at(address, integerConstant(builder, location, builder.getI32Type(),
                                               static_cast<int32_t>(apart)))
                 : address;
  }

private:
  Value at(Value base, Value bytes) {
    return LLVM::GEPOp::create(access_.builder_, access_.location_, base.getType(),
                               access_.builder_.getI8Type(), base, ValueRange{bytes});
  }

  SharedAccess &access_;
  const LinearLayout &layout_;
  Value thread_;
  uint32_t threadBits_ = 0;
};

unsigned SharedAccess::runLength(const LinearLayout &layout) const {
  return std::min(layout.contiguousRegisters(place_.fastest()), place_.runElements());
}

void SharedAccess::store(const LinearLayout &layout, ValueRange registers) {
  Addresses addresses(*this, layout);
  const SmallVector<unsigned> first = representatives(layout);
  const unsigned run = runLength(layout);
  for (unsigned r = 0; r < registers.size(); r += run) {
    if (first[r] != r)
      continue;
    Value value = toMemory(builder_, location_, registers[r]);
    if (run > 1) {
      Type type = VectorType::get({int64_t{run}}, value.getType());
      Value vector = LLVM::PoisonOp::create(builder_, location_, type);
      for (unsigned i = 0; i < run; ++i)
        vector = LLVM::InsertElementOp::create(
            builder_, location_, vector, toMemory(builder_, location_, registers[r + i]),
            integerConstant(builder_, location_, builder_.getI32Type(), i));
      value = vector;
    }
    LLVM::StoreOp::create(builder_, location_, value, addresses.of(r), run * place_.elementBytes());
  }
}

Registers SharedAccess::load(const LinearLayout &layout, Type elementType) {
  if (std::optional<MatrixLoadPlan> plan = planMatrixLoads(place_, layout))
    return loadMatrices(*plan, layout, elementType);
  Addresses addresses(*this, layout);
  const SmallVector<unsigned> first = representatives(layout);
  const unsigned run = runLength(layout);
  Type memory = memoryTypeOf(elementType);
  Registers values;
  for (unsigned r = 0; r < layout.numRegisters(); r += run) {
    if (first[r] != r) {
      for (unsigned i = 0; i < run; ++i)
        values.push_back(values[first[r + i]]);
      continue;
    }
    Type type = run > 1 ? Type(VectorType::get({int64_t{run}}, memory)) : memory;
    Value loaded = LLVM::LoadOp::create(builder_, location_, type, addresses.of(r),
                                        run * place_.elementBytes());
    for (unsigned i = 0; i < run; ++i) {
      Value element = run > 1 ? LLVM::ExtractElementOp::create(
                                    builder_, location_, loaded,
                                    integerConstant(builder_, location_, builder_.getI32Type(), i))
                                    .getResult()
                              : loaded;
      values.push_back(fromMemory(builder_, location_, element, elementType));
    }
  }
  return values;
}

std::optional<MatrixLoadPlan> planMatrixLoads(const SharedTile &place, const LinearLayout &layout) {
  const unsigned bytes = place.elementBytes();
  if (layout.rank() != 2 || bytes > kWordBytes || place.runElements() * bytes != kMatrixRowBytes)
    return std::nullopt;
  MatrixLoadPlan plan;
  plan.wordElements = kWordBytes / bytes;
  const unsigned wordBits = llvm::Log2_32(plan.wordElements);
  const LinearLayout::Bases &registers = layout.bases(PlacePart::Register),
                            &lanes = layout.bases(PlacePart::Lane);
  if (registers.size() < wordBits)
    return std::nullopt;
  // A lane's word is elements along `along`; so are the words of four neighbouring lanes.
  auto wordsLieAlong = [&](unsigned along) {
    for (unsigned i = 0; i < wordBits; ++i)
      if (!isStep(registers[i], along, int64_t{1} << i))
        return false;
    return isStep(lanes[0], along, plan.wordElements) &&
           isStep(lanes[1], along, 2 * plan.wordElements);
  };
  const unsigned fastest = place.fastest(), slow = 1 - fastest;
  LinearLayout::Bases rows;
  if (wordsLieAlong(fastest)) {
    rows = {lanes[2], lanes[3], lanes[4]};
  } else if (bytes == 2 && wordsLieAlong(slow) && isStep(lanes[2], fastest, 1) &&
             isStep(lanes[3], fastest, 2) && isStep(lanes[4], fastest, 4)) {
    plan.isTransposed = true;
    rows = {registers[0], lanes[0], lanes[1]};
  } else {
    return std::nullopt;
  }
  LinearLayout::Bases words(registers.begin() + wordBits, registers.end());
  // A row begins at a multiple of 16 bytes.
  auto startsRow = [&](const LinearLayout::Coordinates &basis) {
    return basis[fastest] % (kMatrixRowBytes / bytes) == 0;
  };
  for (const LinearLayout::Bases *bases :
       {&std::as_const(rows), &std::as_const(words), &layout.bases(PlacePart::Warp)})
    if (!llvm::all_of(*bases, startsRow))
      return std::nullopt;
  LinearLayout::Bases matrixLanes = rows;
  const unsigned matrixBits = std::min<unsigned>(words.size(), llvm::Log2_32(kMostMatrices));
  plan.numMatrices = 1u << matrixBits;
  matrixLanes.append(words.begin(), words.begin() + matrixBits);
  // Lanes past the matrices give addresses that nobody reads.
  matrixLanes.resize(tile::kLaneBits, LinearLayout::Coordinates(2, 0));
  words.erase(words.begin(), words.begin() + matrixBits);
  plan.addresses = LinearLayout(2, words, matrixLanes, layout.bases(PlacePart::Warp));
  return plan;
}

Registers SharedAccess::loadMatrices(const MatrixLoadPlan &plan, const LinearLayout &layout,
                                     Type elementType) {
  Addresses addresses(*this, plan.addresses);
  Type i32 = builder_.getI32Type(), memory = memoryTypeOf(elementType);
  SmallVector<Type> words(plan.numMatrices, i32);
  Type type = plan.numMatrices == 1
                  ? i32
                  : Type(LLVM::LLVMStructType::getLiteral(builder_.getContext(), words));
  Registers values;
  for (unsigned i = 0; i < plan.addresses.numRegisters(); ++i) {
    Value loaded = NVVM::LdMatrixOp::create(
        builder_, location_, type, addresses.of(i), plan.numMatrices,
        plan.isTransposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(builder_.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
    for (unsigned m = 0; m < plan.numMatrices; ++m) {
      Value word = plan.numMatrices == 1 ? loaded
                                         : LLVM::ExtractValueOp::create(builder_, location_, loaded,
                                                                        static_cast<int64_t>(m))
                                               .getResult();
      if (plan.wordElements == 1) {
        values.push_back(fromMemory(builder_, location_,
                                    LLVM::BitcastOp::create(builder_, location_, memory, word),
                                    elementType));
        continue;
      }
      Value vector = LLVM::BitcastOp::create(
          builder_, location_, VectorType::get({int64_t{plan.wordElements}}, memory), word);
      for (unsigned e = 0; e < plan.wordElements; ++e)
        values.push_back(
            fromMemory(builder_, location_,
                       LLVM::ExtractElementOp::create(builder_, location_, vector,
                                                      integerConstant(builder_, location_, i32, e)),
                       elementType));
    }
  }
  assert(values.size() == layout.numRegisters());
  return values;
}

void SharedAccess::copyAsync(const LinearLayout &layout, ValueRange pointers, ValueRange masks,
                             unsigned width) {
  Addresses addresses(*this, layout);
  const SmallVector<unsigned> first = representatives(layout);
  const unsigned bytes = width * place_.elementBytes();
  Type i32 = builder_.getI32Type();
  for (unsigned r = 0; r < pointers.size(); r += width) {
    if (first[r] != r)
      continue;
    Value size;
    if (!masks.empty())
      size = arith::SelectOp::create(builder_, location_, masks[r],
                                     integerConstant(builder_, location_, i32, bytes),
                                     integerConstant(builder_, location_, i32, 0));
    // Only whole 16 bytes may pass by the first cache.
    NVVM::CpAsyncOp::create(
        builder_, location_, addresses.of(r), pointers[r], bytes,
        bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA, size);
  }
}

} // namespace inlay::tile_to_gpu
