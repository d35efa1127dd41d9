#include "compiler/targets/cpu/MaskedAccesses.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PatternMatch.h"

#include <numeric>

using namespace llvm;

namespace inlay {
namespace {

constexpr unsigned kSmallestRegisterBytes = 16;

/// True if the lane of a vector of i1 is false whatever the run-time values in it. Masks are
/// shallow: what is deeper than `depth` is taken as unknown.
bool isKnownFalse(Value *mask, unsigned lane, unsigned depth = 6) {
  if (auto *constant = dyn_cast<Constant>(mask)) {
    Constant *element = constant->getAggregateElement(lane);
    return element && element->isNullValue();
  }
  Value *a, *b, *condition;
  if (depth == 0)
    return false;
  if (PatternMatch::match(mask,
                          PatternMatch::m_And(PatternMatch::m_Value(a), PatternMatch::m_Value(b))))
    return isKnownFalse(a, lane, depth - 1) || isKnownFalse(b, lane, depth - 1);
  if (PatternMatch::match(mask, PatternMatch::m_Select(PatternMatch::m_Value(condition),
                                                       PatternMatch::m_Value(a),
                                                       PatternMatch::m_Value(b))))
    return isKnownFalse(a, lane, depth - 1) && isKnownFalse(b, lane, depth - 1);
  return false;
}

/// One masked load or store of `numLanes` elements.
class MaskedAccess {
public:
  explicit MaskedAccess(IntrinsicInst &call)
      : builder_(&call), call_(call), isLoad_(call.getIntrinsicID() == Intrinsic::masked_load),
        pointer_(call.getArgOperand(isLoad_ ? 0 : 1)), mask_(call.getArgOperand(isLoad_ ? 1 : 2)),
        vector_(call.getArgOperand(isLoad_ ? 2 : 0)),
        type_(cast<FixedVectorType>(vector_->getType())),
        elementBytes_(type_->getScalarSizeInBits() / 8),
        alignment_(call.getParamAlign(isLoad_ ? 0 : 1).valueOrOne()) {
    for (unsigned lane = 0; lane < type_->getNumElements(); ++lane)
      isFalse_.push_back(isKnownFalse(mask_, lane));
  }

  /// Replaces the access, if there is a part to leave out.
  void split() {
    unsigned numLanes = type_->getNumElements();
    if (!isPowerOf2_32(numLanes) || elementBytes_ == 0 || !hasFalsePart(0, numLanes))
      return;
    Value *loaded = emit(0, numLanes);
    if (isLoad_)
      call_.replaceAllUsesWith(loaded);
    call_.eraseFromParent();
  }

private:
  bool isFalsePart(unsigned begin, unsigned end) const {
    return all_of(ArrayRef(isFalse_).slice(begin, end - begin),
                  [](bool isFalse) { return isFalse; });
  }
  /// Whether the lanes, or a half of them, or a half of a half … that fills a register, are false.
  bool hasFalsePart(unsigned begin, unsigned end) const {
    if ((end - begin) * elementBytes_ < kSmallestRegisterBytes)
      return false;
    unsigned middle = (begin + end) / 2;
    return isFalsePart(begin, end) ||
           (end - begin > 1 && (hasFalsePart(begin, middle) || hasFalsePart(middle, end)));
  }
  Value *lanes(Value *vector, unsigned begin, unsigned end) {
    SmallVector<int> indices(end - begin);
    std::iota(indices.begin(), indices.end(), static_cast<int>(begin));
    return builder_.CreateShuffleVector(vector, indices);
  }
  /// Emits the access of some lanes; what a load gives for them.
  Value *emit(unsigned begin, unsigned end) {
    if (isFalsePart(begin, end))
      return isLoad_ ? lanes(vector_, begin, end) : nullptr;
    if (hasFalsePart(begin, end)) {
      unsigned middle = (begin + end) / 2;
      Value *low = emit(begin, middle), *high = emit(middle, end);
      if (!isLoad_)
        return nullptr;
      SmallVector<int> both(end - begin);
      std::iota(both.begin(), both.end(), 0);
      return builder_.CreateShuffleVector(low, high, both);
    }
    Value *address =
        builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), pointer_, begin * elementBytes_);
    Align alignment = commonAlignment(alignment_, begin * elementBytes_);
    Value *mask = lanes(mask_, begin, end), *vector = lanes(vector_, begin, end);
    if (isLoad_)
      return builder_.CreateMaskedLoad(vector->getType(), address, alignment, mask, vector);
    builder_.CreateMaskedStore(vector, address, alignment, mask);
    return nullptr;
  }

  IRBuilder<> builder_;
  IntrinsicInst &call_;
  bool isLoad_;
  Value *pointer_, *mask_,
      *vector_; ///< what is stored, or what a load gives where the mask is false
  FixedVectorType *type_;
  unsigned elementBytes_;
  Align alignment_;
  SmallVector<bool> isFalse_; ///< by lane
};

} // namespace

void splitMaskedAccesses(Module &module) {
  for (Function &function : module)
    for (BasicBlock &block : function)
      for (Instruction &instruction : make_early_inc_range(block)) {
        auto *call = dyn_cast<IntrinsicInst>(&instruction);
        if (call && (call->getIntrinsicID() == Intrinsic::masked_load ||
                     call->getIntrinsicID() == Intrinsic::masked_store))
          MaskedAccess(*call).split();
      }
}

} // namespace inlay
