#include "compiler/targets/cuda/PtxGeneration.h"

#include "base/Error.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/OptBisect.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"

#include <mutex>

namespace inlay {

namespace {

constexpr const char *kTriple = "nvptx64-nvidia-cuda";
constexpr unsigned kMaxReducedInstructions = 1500;

/// Leaves out straight-line strength reduction, whose time grows with the square of a kernel's
/// additions: in a product of large tiles it takes three quarters of the back end's time.
class WithoutStrengthReduction : public llvm::OptPassGate {
public:
  bool shouldRunPass(llvm::StringRef pass, llvm::StringRef) const override {
    return pass != "slsr"; // LLVM gives the name that its options have
  }
  bool isEnabled() const override { return true; }
};

} // namespace

Result<std::unique_ptr<llvm::TargetMachine>>
createPtxMachine(const CudaArchitecture &architecture) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  std::string message;
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return internalError("LLVM has no code generator for {}: {}", kTriple, message);
  const std::string features = "+ptx" + std::to_string(architecture.ptxVersion);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, llvm::StringRef(architecture.name), features, llvm::TargetOptions(), std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return internalError("LLVM cannot generate code for {}", architecture.name);
  return machine;
}

void optimizeForGpu(llvm::Module &module, llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  // The code is that of one thread already: there are no vectors to find.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

Result<std::string> generatePtx(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream stream(code);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return internalError("LLVM's NVPTX back end cannot write assembly");
  WithoutStrengthReduction gate;
  llvm::OptPassGate &usual = module.getContext().getOptPassGate();
  if (module.getInstructionCount() > kMaxReducedInstructions)
    module.getContext().setOptPassGate(gate);
  passes.run(module);
  module.getContext().setOptPassGate(usual);
  return std::string(code.begin(), code.end());
}

} // namespace inlay
