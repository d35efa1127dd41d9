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

int64_t numWarpsOf(ModuleOp module) {
  auto attribute = module->getAttrOfType<IntegerAttr>(tile::kNumWarpsAttr);
  return attribute ? attribute.getInt() : int64_t{kDefaultNumWarps};
}

/// The code that writes a map, in the warp of thread 0: operands $0, the address of its image in
/// shared memory, $1, of the map, and others.
class MapFields {
public:
  /// The first three are the two addresses and that of the tensor.
  explicit MapFields(Registers operands) : operands_(std::move(operands)) {}

  /// The text that stands for a value.
  std::string operand(Value value, const char *constraint) {
    operands_.push_back(value);
    constraints_ += constraint;
    return "$" + std::to_string(operands_.size() - 1);
  }
  /// `value` is an operand or a number, behind the dimension's number if the field has many.
  void replace(const char *field, unsigned bits, const Twine &value) {
    fields_ += ("@first tensormap.replace.tile." + Twine(field) + ".shared::cta.b1024.b" +
                Twine(bits) + " [$0], " + value + ";\n")
                   .str();
  }

  const Registers &operands() const { return operands_; }
  const std::string &constraints() const { return constraints_; }
  std::string text() const {
    return "{\n.reg .pred first;\n.reg .b32 lane, word;\nmov.u32 lane, %laneid;\n"
           "shl.b32 word, lane, 2;\nadd.u32 word, word, $0;\nst.shared.b32 [word], 0;\n"
           "setp.eq.u32 first, lane, 0;\nbar.warp.sync -1;\n" +
           fields_ +
           "bar.warp.sync -1;\n"
           "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync."
           "aligned [$1], [$0], 128;\n"
           "fence.proxy.tensormap::generic.acquire.gpu [$1], 128;\nbar.warp.sync -1;\n}";
  }

private:
  Registers operands_;
  std::string constraints_ = "r,l,l,", fields_;
};

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
  Value wordsAddress = addressOf(words), mapsAddress = addressOf(maps_);
  Value warps = integerConstant(builder_, location, i32, numWarpsOf(module_));
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
  const int64_t slots = std::max<int64_t>(
      1, std::min({kBitsPerWord, kWarpsOfProcessor / numWarpsOf(module_),
                   kSharedBytesOfProcessor / std::max<int64_t>(1, memory_.peakBytes())}));
  slotsPerWord_.setValueAttr(builder_.getI32IntegerAttr(static_cast<int32_t>(slots)));
  Type type = LLVM::LLVMArrayType::get(
      builder_.getI8Type(), static_cast<uint64_t>(kWords * slots * kMapBytes) * numMaps_);
  maps_.setGlobalTypeAttr(TypeAttr::get(type));
  maps_.getInitializerRegion().front().front().getResult(0).setType(type);
}

LogicalResult KernelLowering::lowerTensorMap(tile::TensorMapOp op) {
  Location location = op.getLoc();
  auto map = cast<tile::TensorMapType>(op.getResult().getType());
  std::optional<unsigned> code = tile::tensorElementCode(map.getElementType(), map.getPadding());
  if (!code)
    return op.emitError("the copy engine does not know ") << map;
  if (numMapsMade_ == 0)
    claimMaps(location);
  Type i32 = builder_.getI32Type(), i64 = builder_.getI64Type();
  const SharedRegion image = acquireShared(location, kMapBytes, kMapBytes);
  Value imageAddress =
      LLVM::PtrToIntOp::create(builder_, location, i32,
                               sharedPointer(location, image.offset, builder_.getI8Type(),
                                             integerConstant(builder_, location, i32, 0)));
  Value address = arith::AddIOp::create(
      builder_, location, firstMap_,
      integerConstant(builder_, location, i64, kMapBytes * int64_t{numMapsMade_++}));
  Value base = LLVM::PtrToIntOp::create(builder_, location, i64, get(op.getBase()).front());

  const unsigned elementBytes = memoryBytesOf(map.getElementType());
  const tile::TensorBoxes boxes = tile::planTensorBoxes(map.getShape(), elementBytes);
  MapFields fields({imageAddress, address, base});
  fields.replace("global_address", 64, "$2");
  const size_t rank = map.getShape().size();
  fields.replace("rank", 32, Twine(rank - 1));
  Value isEmpty = isEmptyTensor(op);
  // The engine counts dimensions from the innermost.
  for (size_t d = rank; d-- > 0;) {
    const std::string ordinal = std::to_string(rank - 1 - d) + ", ";
    fields.replace("global_dim", 32, ordinal + fields.operand(mapSize(op, d, isEmpty), "r,"));
    fields.replace("box_dim", 32, ordinal + Twine(boxes.shape[d]));
    fields.replace("element_stride", 32, ordinal + "1");
    if (d + 1 == rank)
      continue;
    Value strideBytes =
        arith::MulIOp::create(builder_, location, get(op.getStrides()[d]).front(),
                              integerConstant(builder_, location, i64, elementBytes));
    fields.replace("global_stride", 64,
                   Twine(rank - 2 - d) + ", " + fields.operand(strideBytes, "l,"));
  }
  fields.replace("elemtype", 32, Twine(*code));
  fields.replace("interleave_layout", 32, "0");
  fields.replace("swizzle_mode", 32, Twine(boxes.swizzle));
  fields.replace("fill_mode", 32, map.getPadding() == tile::Padding::NaN ? "1" : "0");
  Value isFirstWarp = arith::CmpIOp::create(
      builder_, location, arith::CmpIPredicate::ult, threadId(builder_, location),
      integerConstant(builder_, location, i32, kThreadsPerWarp));
  emitWhere(location, isFirstWarp, [&] {
    emitAsm(builder_, location, {}, fields.operands(), fields.text(), fields.constraints());
  });
  releaseShared(image);
  registers_[op.getResult()] = {address, isEmpty};
  return success();
}

Value KernelLowering::isEmptyTensor(tile::TensorMapOp op) {
  Value isEmpty = integerConstant(builder_, op.getLoc(), builder_.getI1Type(), 0);
  Value one = integerConstant(builder_, op.getLoc(), builder_.getI64Type(), 1);
  for (Value size : op.getSizes())
    if (!isPositive(size))
      isEmpty = arith::OrIOp::create(builder_, op.getLoc(), isEmpty,
                                     arith::CmpIOp::create(builder_, op.getLoc(),
                                                           arith::CmpIPredicate::slt,
                                                           get(size).front(), one));
  return isEmpty;
}

Value KernelLowering::mapSize(tile::TensorMapOp op, size_t dimension, Value isEmpty) {
  Location location = op.getLoc();
  Type i64 = builder_.getI64Type();
  Value size = arith::MinSIOp::create(builder_, location, get(op.getSizes()[dimension]).front(),
                                      integerConstant(builder_, location, i64, kLargestSize));
  size = arith::SelectOp::create(builder_, location, isEmpty,
                                 integerConstant(builder_, location, i64, 1), size);
  return arith::TruncIOp::create(builder_, location, builder_.getI32Type(), size);
}

} // namespace inlay::tile_to_gpu
