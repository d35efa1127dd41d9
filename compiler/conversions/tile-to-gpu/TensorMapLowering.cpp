// Maps of tensors that the kernel makes for the copy engine.
//
// A map is 128 bytes of global memory that only the copy engine understands. Each program writes
// its own, so it needs memory that no other running program has. The module has some for each
// multiprocessor: a word of bits says which of them are taken, and a program takes one at its
// beginning and gives it back at its end. There is memory for as many programs as can run at once.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/PtxText.h"
#include "compiler/transforms/tile/TensorBoxes.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

constexpr int64_t kMapBytes = 128;
constexpr unsigned kThreadsPerWarp = 32, kDefaultNumWarps = 4;
/// More than any GPU has multiprocessors; if one has more, its programs wait for each other.
constexpr unsigned kWords = 256;
constexpr int64_t kBitsPerWord = 32;
/// Warps and bytes of shared memory of a multiprocessor, which limit its programs. Source: CUDA C++
/// Programming Guide, table "Technical Specifications per Compute Capability".
constexpr int64_t kWarpsOfProcessor = 64, kSharedBytesOfProcessor = 228 * 1024;
/// The first version whose assemblers take strides in bytes; before, some took a 16th.
constexpr int32_t kPtxVersionOfMaps = 86;
constexpr int64_t kLargestSize = 0xffffffff;

/// Takes a bit that is 0 in a word of the multiprocessor, in the warp of thread 0, and gives the
/// word's address, the bit and the number of the bit among all words'. $3: the words; $4: how many
/// bits of a word may be taken; $5: warps of a program. The first try is what nobody else tries at
/// the same time.
constexpr const char *kClaim = R"({
.reg .pred taken, other;
.reg .b32 lane, word, bit, old, number, free, mask;
.reg .b64 address;
mov.u32 lane, %laneid;
setp.ne.u32 other, lane, 0;
@other bra SHARE;
mov.u32 word, %smid;
mov.u32 number, %warpid;
div.u32 number, number, $5;
rem.u32 number, number, $4;
mov.u32 bit, 1;
shl.b32 bit, bit, number;
mov.u32 mask, -1;
sub.u32 number, 32, $4;
shr.u32 mask, mask, number;
PROCESSOR:
and.b32 word, word, 255;
mul.wide.u32 address, word, 4;
add.s64 address, address, $3;
TRY:
atom.acquire.gpu.global.or.b32 old, [address], bit;
and.b32 free, old, bit;
setp.eq.u32 taken, free, 0;
@taken bra TAKEN;
not.b32 free, old;
and.b32 free, free, mask;
neg.s32 bit, free;
and.b32 bit, bit, free;
setp.ne.u32 taken, bit, 0;
@taken bra TRY;
add.u32 word, word, 1;
mov.u32 bit, 1;
bra PROCESSOR;
TAKEN:
bfind.u32 number, bit;
mad.lo.u32 number, word, $4, number;
mov.b64 $0, address;
mov.b32 $1, bit;
SHARE:
bar.warp.sync -1;
shfl.sync.idx.b32 $2, number, 0, 31, -1;
})";

/// Whether a size is known to be 1 or more.
bool isPositive(Value size) {
  IntegerAttr constant;
  return matchPattern(size, m_Constant(&constant)) && constant.getInt() >= 1;
}

} // namespace

void KernelLowering::findAsyncAccesses() {
  kernel_.walk([&](Operation *op) {
    usesWarpgroups_ |= isa<tile::WarpgroupDotOp>(op);
    usesAsyncCopies_ |= isa<tile::AsyncCopyOp>(op);
    numMaps_ += isa<tile::TensorMapOp>(op);
    const bool isAtomic = isa<tile::AtomicRmwOp, tile::AtomicCasOp>(op) ||
                          (isa<tile::InlineAsmOp>(op) && !isMemoryEffectFree(op));
    writesMemory_ |= isAtomic || isa<tile::StoreOp>(op);
    readsMemory_ |= isAtomic || isa<tile::LoadOp, tile::AsyncCopyOp>(op);
  });
  usesMaps_ = numMaps_ > 0;
}

void KernelLowering::emitProxyFence(Location location) {
  if (usesMaps_ && writesMemory_)
    emitAsm(builder_, location, {}, {}, "fence.proxy.async;", "");
  else if (usesMaps_ || usesWarpgroups_)
    emitAsm(builder_, location, {}, {}, "fence.proxy.async.shared::cta;", "");
}

void KernelLowering::claimMaps(Location location) {
  raisePtxVersion(kPtxVersionOfMaps);
  Type i8 = builder_.getI8Type(), i32 = builder_.getI32Type(), i64 = builder_.getI64Type();
  auto global = [&](Type type, const char *name) {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(module_.getBody());
    auto op =
        LLVM::GlobalOp::create(builder_, location, type, /*isConstant=*/false,
                               LLVM::Linkage::Internal, name, Attribute(), kMapBytes, kGlobalSpace);
    builder_.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(builder_, location, LLVM::ZeroOp::create(builder_, location, type));
    return op;
  };
  auto addressOf = [&](LLVM::GlobalOp op) -> Value {
    return LLVM::PtrToIntOp::create(builder_, location, i64,
                                    LLVM::AddressOfOp::create(builder_, location, op));
  };
  LLVM::GlobalOp words = global(LLVM::LLVMArrayType::get(i32, kWords), "inlay_tensor_maps_taken");
  maps_ = global(LLVM::LLVMArrayType::get(i8, 0), "inlay_tensor_maps");
  // How many bits may be taken is known once all code is there.
  slotsPerWord_ = arith::ConstantOp::create(builder_, location, builder_.getI32IntegerAttr(1));
  auto numWarps = module_->getAttrOfType<IntegerAttr>(tile::kNumWarpsAttr);
  Value wordsAddress = addressOf(words), mapsAddress = addressOf(maps_);
  Value warps = integerConstant(builder_, location, i32,
                                numWarps ? numWarps.getInt() : int64_t{kDefaultNumWarps});
  Value isFirstWarp = arith::CmpIOp::create(
      builder_, location, arith::CmpIPredicate::ult, threadId(builder_, location),
      integerConstant(builder_, location, i32, kThreadsPerWarp));
  Type results[] = {i64, i32, i32};
  auto branch = scf::IfOp::create(builder_, location, TypeRange(results), isFirstWarp,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder_, location,
                         emitAsm(builder_, location, results, {wordsAddress, slotsPerWord_, warps},
                                 kClaim, "=&l,=&r,=&r,l,r,r,"));
    builder_.setInsertionPointToStart(branch.elseBlock());
    Value none = integerConstant(builder_, location, i32, 0);
    scf::YieldOp::create(builder_, location,
                         ValueRange{integerConstant(builder_, location, i64, 0), none, none});
  }
  claimWord_ = branch.getResult(0);
  claimBit_ = branch.getResult(1);
  Value number = arith::ExtUIOp::create(builder_, location, i64, branch.getResult(2));
  firstMap_ = arith::AddIOp::create(
      builder_, location, mapsAddress,
      arith::MulIOp::create(builder_, location, number,
                            integerConstant(builder_, location, i64, kMapBytes * numMaps_)));
}

void KernelLowering::releaseMaps(Location location) {
  if (numMapsMade_ == 0)
    return;
  Value others =
      arith::XOrIOp::create(builder_, location, claimBit_,
                            integerConstant(builder_, location, builder_.getI32Type(), -1));
  emitWhere(location, isThread0(location), [&] {
    emitAsm(builder_, location, {}, {claimWord_, others},
            "cp.async.bulk.wait_group 0;\nred.release.gpu.global.and.b32 [$0], $1;", "l,r,");
  });
}

void KernelLowering::finishMaps() {
  if (numMapsMade_ == 0)
    return;
  auto numWarps = module_->getAttrOfType<IntegerAttr>(tile::kNumWarpsAttr);
  const int64_t slots = std::max<int64_t>(
      1, std::min({kBitsPerWord,
                   kWarpsOfProcessor / (numWarps ? numWarps.getInt() : int64_t{kDefaultNumWarps}),
                   kSharedBytesOfProcessor / std::max<int64_t>(1, memory_.peakBytes())}));
  slotsPerWord_.setValueAttr(builder_.getI32IntegerAttr(static_cast<int32_t>(slots)));
  Type type = LLVM::LLVMArrayType::get(
      builder_.getI8Type(), static_cast<uint64_t>(kWords * slots * kMapBytes) * numMaps_);
  maps_.setGlobalTypeAttr(TypeAttr::get(type));
  maps_.getInitializerRegion().front().front().getResult(0).setType(type);
}

LogicalResult KernelLowering::lowerTensorMap(tile::TensorMapOp op) {
  Location location = op.getLoc();
  if (numMapsMade_ == 0)
    claimMaps(location);
  auto map = cast<tile::TensorMapType>(op.getResult().getType());
  Type i1 = builder_.getI1Type(), i32 = builder_.getI32Type(), i64 = builder_.getI64Type();
  const unsigned elementBytes = memoryBytesOf(map.getElementType());
  const tile::TensorBoxes boxes = tile::planTensorBoxes(map.getShape(), elementBytes);
  std::optional<unsigned> code = tile::tensorElementCode(map.getElementType(), map.getPadding());
  if (!code)
    return op.emitError("the copy engine does not know ") << map;

  const SharedRegion image = acquireShared(location, kMapBytes, kMapBytes);
  Value imageAddress =
      LLVM::PtrToIntOp::create(builder_, location, i32,
                               sharedPointer(location, image.offset, builder_.getI8Type(),
                                             integerConstant(builder_, location, i32, 0)));
  Value address = arith::AddIOp::create(
      builder_, location, firstMap_,
      integerConstant(builder_, location, i64, kMapBytes * int64_t{numMapsMade_++}));
  Value base = LLVM::PtrToIntOp::create(builder_, location, i64, get(op.getBase()).front());
  Registers operands = {imageAddress, address, base};
  std::string constraints = "r,l,l,", fields;
  llvm::raw_string_ostream text(fields);
  auto replace = [&](const char *field, unsigned bits, const Twine &value) {
    text << "@first tensormap.replace.tile." << field << ".shared::cta.b1024.b" << bits << " [$0], "
         << value << ";\n";
  };
  auto operand = [&](Value value, const char *constraint) {
    operands.push_back(value);
    constraints += constraint;
    return "$" + std::to_string(operands.size() - 1);
  };
  replace("global_address", 64, "$2");
  const size_t rank = map.getShape().size();
  replace("rank", 32, Twine(rank - 1));
  Value isEmpty;
  // The engine counts dimensions from the innermost.
  for (size_t d = rank; d-- > 0;) {
    const std::string ordinal = std::to_string(rank - 1 - d) + ", ";
    Value size = get(op.getSizes()[d]).front();
    if (!isPositive(op.getSizes()[d])) {
      Value one = integerConstant(builder_, location, i64, 1);
      Value isNone =
          arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::slt, size, one);
      isEmpty = isEmpty ? arith::OrIOp::create(builder_, location, isEmpty, isNone) : isNone;
      size = arith::MaxSIOp::create(builder_, location, size, one);
    }
    size = arith::MinSIOp::create(builder_, location, size,
                                  integerConstant(builder_, location, i64, kLargestSize));
    size = arith::TruncIOp::create(builder_, location, i32, size);
    replace("global_dim", 32, ordinal + operand(size, "r,"));
    replace("box_dim", 32, ordinal + std::to_string(boxes.shape[d]));
    replace("element_stride", 32, ordinal + "1");
    if (d + 1 == rank)
      continue;
    Value strideBytes =
        arith::MulIOp::create(builder_, location, get(op.getStrides()[d]).front(),
                              integerConstant(builder_, location, i64, elementBytes));
    replace("global_stride", 64, std::to_string(rank - 2 - d) + ", " + operand(strideBytes, "l,"));
  }
  replace("elemtype", 32, Twine(*code));
  replace("interleave_layout", 32, "0");
  replace("swizzle_mode", 32, Twine(boxes.swizzle));
  replace("fill_mode", 32, map.getPadding() == tile::Padding::NaN ? "1" : "0");
  Value isFirstWarp = arith::CmpIOp::create(
      builder_, location, arith::CmpIPredicate::ult, threadId(builder_, location),
      integerConstant(builder_, location, i32, kThreadsPerWarp));
  emitWhere(location, isFirstWarp, [&] {
    emitAsm(builder_, location, {}, operands,
            "{\n.reg .pred first;\n.reg .b32 lane, word;\nmov.u32 lane, %laneid;\n"
            "shl.b32 word, lane, 2;\nadd.u32 word, word, $0;\nst.shared.b32 [word], 0;\n"
            "setp.eq.u32 first, lane, 0;\nbar.warp.sync -1;\n" +
                fields +
                "bar.warp.sync -1;\n"
                "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync."
                "aligned [$1], [$0], 128;\n"
                "fence.proxy.tensormap::generic.acquire.gpu [$1], 128;\nbar.warp.sync -1;\n}",
            constraints);
  });
  releaseShared(image);
  registers_[op.getResult()] = {address,
                                isEmpty ? isEmpty : integerConstant(builder_, location, i1, 0)};
  return success();
}

} // namespace inlay::tile_to_gpu
