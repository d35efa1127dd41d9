#include "compiler/targets/cpu/CodeGeneration.h"

#include "compiler/targets/cpu/MaskedAccesses.h"

#include "base/Error.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"

#include <mutex>

namespace inlay {

namespace {

constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

/// Each pass of LLVM's default pipeline that changes such kernels, once or twice instead of up to
/// eight times: the code is as small, in two thirds of the time.
constexpr llvm::StringLiteral kLargePipeline =
    "cgscc(inline),"
    "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,loop-rotate,licm),simplifycfg,loop(indvars),"
    "gvn,dse,loop-mssa(licm),instcombine<no-verify-fixpoint>,simplifycfg),globaldce";

/// Computes maxima and minima of f16 in f32. LLVM's optimizer narrows those of f32 between
/// conversions, and its code generator calls libm for the narrow ones.
void widenHalfExtrema(llvm::Module &module) {
  llvm::SmallVector<llvm::IntrinsicInst *> extrema;
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
          call && call->getType()->getScalarType()->isHalfTy() &&
          llvm::is_contained({llvm::Intrinsic::maxnum, llvm::Intrinsic::minnum,
                              llvm::Intrinsic::maximum, llvm::Intrinsic::minimum},
                             call->getIntrinsicID()))
        extrema.push_back(call);
  for (llvm::IntrinsicInst *call : extrema) {
    llvm::IRBuilder<> builder(call);
    llvm::Type *wide = call->getType()->getWithNewType(builder.getFloatTy());
    llvm::Value *result = builder.CreateBinaryIntrinsic(
        call->getIntrinsicID(), builder.CreateFPExt(call->getArgOperand(0), wide),
        builder.CreateFPExt(call->getArgOperand(1), wide));
    call->replaceAllUsesWith(builder.CreateFPTrunc(result, call->getType()));
    call->eraseFromParent();
  }
}

} // namespace

Result<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuLevel &level) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  std::string message;
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return internalError("LLVM has no code generator for {}: {}", kTriple, message);
  llvm::TargetOptions options;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, llvm::StringRef(level.name.data(), level.name.size()), "", options, llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    return internalError("LLVM cannot generate code for {} {}", kTriple, level.name);
  return machine;
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine, const CpuLevel &level) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    std::string bits = std::to_string(level.vectorBytes * 8);
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
    function.addFnAttr("target-cpu", llvm::StringRef(level.name.data(), level.name.size()));
    function.addFnAttr("no-builtins");
    function.addFnAttr("probe-stack", "inline-asm");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  // Code is already in vector steps: unrolling or vectorising it again costs compile time and code
  // size.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::TargetLibraryInfoImpl libraries(module.getTargetTriple());
  libraries.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(libraries); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::ModulePassManager passes;
  if (module.getInstructionCount() > kLargeInstructions)
    llvm::cantFail(builder.parsePassPipeline(passes, kLargePipeline));
  else
    passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3);
  passes.run(module, modules);
  widenHalfExtrema(module);
  splitMaskedAccesses(module);
}

Result<llvm::SmallVector<char, 0>> generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                                                llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream stream(code);
  llvm::legacy::PassManager passes;
  llvm::TargetLibraryInfoImpl libraries(module.getTargetTriple());
  libraries.disableAllFunctions();
  passes.add(new llvm::TargetLibraryInfoWrapperPass(libraries));
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return internalError("LLVM's x86-64 back end cannot write this kind of file");
  passes.run(module);
  return code;
}

} // namespace inlay
