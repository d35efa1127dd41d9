// Dots of groups of warps as `wgmma`: one piece of inline PTX begins all instructions of a dot.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/MmaEmission.h"
#include "compiler/conversions/tile-to-gpu/PtxText.h"
#include "compiler/transforms/tile/WarpgroupMma.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::MmaInstruction;
using tile::MmaType;
using tile::WarpgroupPlan;
using tile::WarpgroupStep;

namespace {

constexpr unsigned kThreadsPerGroup = 128;

/// What one warp has of an instruction for operands of a type; none if there is no such
/// instruction.
std::optional<MmaInstruction> fragmentFor(Type lhs, Type acc) {
  if (lhs.isInteger(8))
    return acc.isInteger(32) ? std::optional(MmaInstruction{MmaType::Int8, 16, 8, 32})
                             : std::nullopt;
  if (!acc.isF32())
    return std::nullopt;
  if (lhs.isF16())
    return MmaInstruction{MmaType::F16, 16, 8, 16};
  if (lhs.isBF16())
    return MmaInstruction{MmaType::BF16, 16, 8, 16};
  if (lhs.isF32())
    return MmaInstruction{MmaType::TF32, 16, 8, 8};
  if (isa<Float8E4M3FNType, Float8E5M2Type>(lhs))
    return MmaInstruction{MmaType::Float8, 16, 8, 32};
  return std::nullopt;
}

Type elementTypeOf(Type type) {
  auto buffer = dyn_cast<tile::SharedType>(type);
  return buffer ? buffer.getElementType() : tile::elementTypeOf(type);
}

bool isZero(Value value) {
  return matchPattern(value, m_Zero()) || matchPattern(value, m_AnyZeroFloat());
}

/// The text of all instructions of one dot.
class WarpgroupText {
public:
  WarpgroupText(const MmaInstruction &fragment, const WarpgroupPlan &plan, Type lhsType,
                Type rhsType, unsigned numSums)
      : fragment_(fragment), plan_(plan), lhsName_(operandName(fragment, lhsType)),
        rhsName_(operandName(fragment, rhsType)), numSums_(numSums) {}

  /// The left operand is in registers: operands of the text from the first behind the sums.
  void setLhsRegisters() { lhs_ = nullptr; }
  void setLhs(const MatrixOperand &lhs) { lhs_ = &lhs; }
  void setRhs(const MatrixOperand &rhs, unsigned number) {
    rhs_ = &rhs;
    rhsNumber_ = number;
  }

  /// `isFresh`: the sums begin as zero, whatever the registers hold.
  std::string print(bool isFresh) {
    stream_ << "{\n.reg .b64 lhs, rhs;\nwgmma.fence.sync.aligned;\n";
    for (const WarpgroupStep &step : plan_.steps)
      printStep(step, isFresh && step.k == 0);
    stream_ << "wgmma.commit_group.sync.aligned;\n}";
    return text_;
  }

private:
  void printRegisters(unsigned first, unsigned count) {
    stream_ << "{";
    for (unsigned i = 0; i < count; ++i)
      stream_ << (i ? ", $" : "$") << first + i;
    stream_ << "}";
  }
  void printDescriptor(const char *name, unsigned number, uint32_t offset) {
    stream_ << "add.s64 " << name << ", $" << number << ", " << offset / kDescriptorUnitBytes
            << ";\n";
  }

  void printStep(const WarpgroupStep &step, bool isFirst) {
    if (lhs_)
      printDescriptor("lhs", numSums_, lhs_->partOffset(step.row, step.k));
    printDescriptor("rhs", rhsNumber_, rhs_->partOffset(step.column, step.k));
    const bool isInteger = fragment_.type == MmaType::Int8;
    stream_ << "wgmma.mma_async.sync.aligned.m" << tile::kWarpgroupRows << "n" << plan_.columns
            << "k" << fragment_.k << (isInteger ? ".s32." : ".f32.") << lhsName_ << "." << rhsName_
            << " ";
    printRegisters(step.acc, plan_.accRegisters);
    if (lhs_) {
      stream_ << ", lhs";
    } else {
      stream_ << ", ";
      printRegisters(numSums_ + step.lhs / fragment_.perWord(),
                     fragment_.lhsElements() / fragment_.perWord());
    }
    stream_ << ", rhs, " << (isFirst ? 0 : 1);
    if (!isInteger)
      stream_ << ", 1, 1";
    if (fragment_.type == MmaType::F16 || fragment_.type == MmaType::BF16) {
      if (lhs_)
        stream_ << ", " << (lhs_->isKMajor() ? 0 : 1);
      stream_ << ", " << (rhs_->isKMajor() ? 0 : 1);
    }
    stream_ << ";\n";
  }

  MmaInstruction fragment_;
  const WarpgroupPlan &plan_;
  StringRef lhsName_, rhsName_;
  unsigned numSums_, rhsNumber_ = 0;
  const MatrixOperand *lhs_ = nullptr, *rhs_ = nullptr;
  std::string text_;
  llvm::raw_string_ostream stream_{text_};
};

/// "=f,=r": registers that are written; and "0,1": those that begin as those.
std::string outputConstraints(ArrayRef<Type> types) {
  std::string text;
  for (Type type : types)
    text += type.isF32() ? "=f," : "=r,";
  return text;
}
std::string tiedConstraints(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += std::to_string(i) + ",";
  return text;
}

} // namespace

Value KernelLowering::matrixDescriptor(Location location, Value buffer, Value slot,
                                       const MatrixOperand &operand,
                                       ArrayRef<uint32_t> groupOffsets) {
  Type i32 = builder_.getI32Type(), i64 = builder_.getI64Type();
  auto constant = [&](int64_t value) { return integerConstant(builder_, location, i32, value); };
  Value address =
      LLVM::PtrToIntOp::create(builder_, location, i32, slotAddress(location, buffer, slot));
  for (auto [bit, offset] : llvm::enumerate(groupOffsets)) {
    if (offset == 0)
      continue;
    Value group = arith::ShRUIOp::create(
        builder_, location, threadId(builder_, location),
        constant(llvm::Log2_32(kThreadsPerGroup) + static_cast<int64_t>(bit)));
    group = arith::AndIOp::create(builder_, location, group, constant(1));
    address =
        arith::AddIOp::create(builder_, location, address,
                              arith::MulIOp::create(builder_, location, group, constant(offset)));
  }
  address = arith::ShRUIOp::create(builder_, location, address,
                                   constant(llvm::Log2_32(kDescriptorUnitBytes)));
  return arith::OrIOp::create(
      builder_, location, arith::ExtUIOp::create(builder_, location, i64, address),
      integerConstant(builder_, location, i64, static_cast<int64_t>(operand.descriptor())));
}

LogicalResult KernelLowering::lowerWarpgroupDot(tile::WarpgroupDotOp op) {
  Location location = op.getLoc();
  Type lhsType = elementTypeOf(op.getLhs().getType()),
       rhsType = elementTypeOf(op.getRhs().getType()),
       accType = elementTypeOf(op.getAcc().getType());
  std::optional<MmaInstruction> fragment = fragmentFor(lhsType, accType);
  if (!fragment)
    return op.emitError("(C3) groups of warps do not multiply ")
           << lhsType << " by " << rhsType << " into " << accType;
  auto rhsBuffer = cast<tile::SharedType>(op.getRhs().getType());
  const unsigned rhsK = op.getRhsTransposed() ? 1 : 0;
  const int64_t k = rhsBuffer.getShape()[rhsK];
  const WarpgroupPlan plan = tile::planWarpgroupDot(
      *fragment, tile::layoutOf(cast<RankedTensorType>(op.getAcc().getType())), k);
  const Registers acc = get(op.getAcc());
  WarpgroupText text(*fragment, plan, lhsType, rhsType, static_cast<unsigned>(acc.size()));

  SmallVector<uint32_t> lhsOffsets, rhsOffsets;
  const MatrixOperand rhs(placeOf(rhsBuffer), rhsK);
  std::optional<MatrixOperand> lhs;
  Registers operands;
  const SmallVector<Type> sums(acc.size(), accType);
  std::string constraints = outputConstraints(sums);
  if (auto buffer = dyn_cast<tile::SharedType>(op.getLhs().getType())) {
    lhs.emplace(placeOf(buffer), op.getLhsTransposed() ? 0 : 1);
    for (const auto &[row, column] : plan.groups)
      lhsOffsets.push_back(lhs->partOffset(row, 0));
    operands.push_back(matrixDescriptor(location, op.getLhs(), op.getLhsSlot(), *lhs, lhsOffsets));
    constraints += "l,";
    text.setLhs(*lhs);
  } else {
    operands = packFragment(builder_, location, *fragment, get(op.getLhs()));
    for (size_t i = 0; i < operands.size(); ++i)
      constraints += "r,";
    text.setLhsRegisters();
  }
  for (const auto &[row, column] : plan.groups)
    rhsOffsets.push_back(rhs.partOffset(column, 0));
  text.setRhs(rhs, static_cast<unsigned>(acc.size() + operands.size()));
  operands.push_back(matrixDescriptor(location, op.getRhs(), op.getRhsSlot(), rhs, rhsOffsets));
  constraints += "l,";
  const bool isFresh = isZero(op.getAcc());
  if (!isFresh) {
    operands.append(acc);
    constraints += tiedConstraints(acc.size());
  }
  registers_[op.getResult()] =
      emitAsm(builder_, location, sums, operands, text.print(isFresh), constraints);
  return success();
}

LogicalResult KernelLowering::lowerWarpgroupWait(tile::WarpgroupWaitOp op) {
  const Registers values = flatten(op.getValues());
  const SmallVector<Type> types = flattenTypes(op.getValues().getTypes());
  bind(op.getResults(),
       emitAsm(builder_, op.getLoc(), types, values,
               "wgmma.wait_group.sync.aligned " + std::to_string(op.getPending()) + ";",
               outputConstraints(types) + tiedConstraints(types.size())));
  return success();
}

} // namespace inlay::tile_to_gpu
