#include "compiler/targets/cpu/StreamingStores.h"

#include "compiler/dialects/tile/Tile.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace inlay {

namespace {

/// Stores of whole vectors; masked ones, at the ends of rows, stay as they are.
llvm::SmallVector<llvm::StoreInst *> vectorStores(llvm::Function &function, uint64_t leastBytes) {
  llvm::SmallVector<llvm::StoreInst *> stores;
  const llvm::DataLayout &layout = function.getParent()->getDataLayout();
  for (llvm::BasicBlock &block : function)
    for (llvm::Instruction &instruction : block)
      if (auto *store = llvm::dyn_cast<llvm::StoreInst>(&instruction))
        if (llvm::isa<llvm::FixedVectorType>(store->getValueOperand()->getType()) &&
            store->isSimple() &&
            // Arguments of the kernel are loaded; what is stored elsewhere is read again.
            llvm::isa<llvm::LoadInst>(llvm::getUnderlyingObject(store->getPointerOperand())) &&
            layout.getTypeStoreSize(store->getValueOperand()->getType()) % leastBytes == 0)
          stores.push_back(store);
  return stores;
}

/// if (address is aligned) non-temporal store; else the store.
void makeStreaming(llvm::StoreInst *store, unsigned alignment) {
  llvm::IRBuilder<> builder(store);
  llvm::Value *address = builder.CreatePtrToInt(store->getPointerOperand(), builder.getInt64Ty());
  llvm::Value *isAligned = builder.CreateICmpEQ(
      builder.CreateAnd(address, builder.getInt64(alignment - 1)), builder.getInt64(0));
  llvm::Instruction *aligned = nullptr, *other = nullptr;
  llvm::SplitBlockAndInsertIfThenElse(isAligned, store, &aligned, &other);
  auto *streaming = llvm::cast<llvm::StoreInst>(store->clone());
  streaming->insertBefore(aligned->getIterator());
  streaming->setAlignment(llvm::Align(alignment));
  llvm::LLVMContext &context = store->getContext();
  streaming->setMetadata(
      llvm::LLVMContext::MD_nontemporal,
      llvm::MDNode::get(context, llvm::ConstantAsMetadata::get(builder.getInt32(1))));
  store->moveBefore(other->getIterator());
}

/// Non-temporal stores are ordered with what other threads do afterwards by a fence alone (Intel
/// SDM volume 3, 11.2.2).
void fenceReturns(llvm::Function &function) {
  for (llvm::BasicBlock &block : function)
    if (auto *ret = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator()))
      llvm::IRBuilder<>(ret).CreateIntrinsic(llvm::Intrinsic::x86_sse_sfence, {});
}

} // namespace

uint64_t storedBytesPerProgram(mlir::ModuleOp tileModule) {
  uint64_t bytes = 0;
  tileModule.walk([&](tile::StoreOp store) {
    if (auto type = mlir::dyn_cast<mlir::RankedTensorType>(store.getValue().getType()))
      if (type.getElementType().isIntOrFloat())
        bytes += static_cast<uint64_t>(type.getNumElements()) *
                 ((type.getElementTypeBitWidth() + 7) / 8);
  });
  return bytes;
}

void addStreamingVersion(llvm::Module &module, llvm::StringRef entry, uint64_t bytesPerProgram,
                         const CpuLevel &level) {
  llvm::Function *kernel = module.getFunction(entry);
  if (!kernel || bytesPerProgram == 0 ||
      kernel->getInstructionCount() > kMaxStreamingInstructions ||
      vectorStores(*kernel, level.vectorBytes).empty())
    return;
  llvm::ValueToValueMapTy map;
  llvm::Function *streaming = llvm::CloneFunction(kernel, map);
  for (llvm::StoreInst *store : vectorStores(*streaming, level.vectorBytes))
    makeStreaming(store, level.vectorBytes);
  fenceReturns(*streaming);

  llvm::Function *choice =
      llvm::Function::Create(kernel->getFunctionType(), kernel->getLinkage(), "", module);
  choice->copyAttributesFrom(kernel);
  // The fence is more than access to the arguments' memory, and so is what calls it.
  choice->removeFnAttr(llvm::Attribute::Memory);
  streaming->removeFnAttr(llvm::Attribute::Memory);
  choice->takeName(kernel);
  kernel->setName(entry + ".cached");
  streaming->setName(entry + ".streaming");
  for (llvm::Function *version : {kernel, streaming}) {
    version->setLinkage(llvm::GlobalValue::InternalLinkage);
    version->setVisibility(llvm::GlobalValue::DefaultVisibility);
    version->addFnAttr(llvm::Attribute::NoInline);
  }

  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", choice));
  llvm::Value *grid = choice->getArg(1);
  llvm::Value *programs = builder.getInt64(1);
  for (unsigned axis = 0; axis < 3; ++axis) {
    llvm::Value *size = builder.CreateLoad(
        builder.getInt32Ty(), builder.CreateConstGEP1_64(builder.getInt32Ty(), grid, axis));
    programs = builder.CreateMul(programs, builder.CreateZExt(size, builder.getInt64Ty()));
  }
  const uint64_t threshold = (kStreamingBytes + bytesPerProgram - 1) / bytesPerProgram;
  llvm::Value *isLarge = builder.CreateICmpUGE(programs, builder.getInt64(threshold));
  auto *large = llvm::BasicBlock::Create(context, "", choice);
  auto *small = llvm::BasicBlock::Create(context, "", choice);
  builder.CreateCondBr(isLarge, large, small);
  for (auto [block, version] : {std::pair(large, streaming), {small, kernel}}) {
    builder.SetInsertPoint(block);
    llvm::SmallVector<llvm::Value *> arguments;
    for (llvm::Argument &argument : choice->args())
      arguments.push_back(&argument);
    llvm::CallInst *call = builder.CreateCall(version, arguments);
    call->setTailCallKind(llvm::CallInst::TCK_Tail);
    call->setCallingConv(version->getCallingConv());
    builder.CreateRetVoid();
  }
}

} // namespace inlay
