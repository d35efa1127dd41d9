#include "compiler/targets/cpu/CpuTarget.h"

#include "base/Error.h"
#include "compiler/conversions/math/MathExpansion.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/LowerToLlvm.h"
#include "compiler/targets/cpu/CodeGeneration.h"
#include "compiler/targets/cpu/StreamingStores.h"
#include "compiler/transforms/tile/ExpandDescriptors.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;

namespace inlay {

namespace {

class CpuTarget : public Target {
public:
  explicit CpuTarget(const CpuLevel &level)
      : level_(level), name_("cpu:" + std::string(level.name)) {}
  const std::string &name() const override { return name_; }
  Result<std::vector<KernelImage>> compile(ModuleOp module,
                                           const KernelCompileOptions &options) const override;

private:
  Status lower(ModuleOp module) const;

  CpuLevel level_;
  std::string name_;
};

Status CpuTarget::lower(ModuleOp module) const {
  ErrorCollector errors(module.getContext());
  PassManager toLoops(module.getContext());
  toLoops.addPass(tile::createExpandDescriptorsPass());
  toLoops.addPass(createCanonicalizerPass());
  toLoops.addPass(createExpandOperationsForCpuPass());
  toLoops.addPass(createScalarizeRecurrencesPass());
  toLoops.addPass(createCanonicalizerPass());
  toLoops.addPass(createLoopInvariantCodeMotionPass());
  toLoops.addPass(createCSEPass());
  toLoops.addPass(createTileToCpuPass({level_.vectorBytes, level_.hasMaskedAccess}));
  if (failed(toLoops.run(module)))
    return unimplemented("the kernel cannot be compiled for {}: {}", name_, errors.text());
  PassManager toLlvm(module.getContext());
  toLlvm.addPass(createCSEPass());
  toLlvm.addPass(createMathExpansionPass({level_.hasFma, level_.hasF16Conversion}));
  toLlvm.addPass(createLowerToLlvmPass());
  if (failed(toLlvm.run(module)))
    return internalError("lowering to LLVM for {} failed: {}", name_, errors.text());
  return {};
}

Result<std::vector<KernelImage>> CpuTarget::compile(ModuleOp module,
                                                    const KernelCompileOptions &options) const {
  auto stage = [&](std::string_view name, llvm::function_ref<std::string()> text) {
    if (options.stageSink)
      options.stageSink(name, text());
  };
  stage("tile", [&] { return printed(module); });
  OwningOpRef<ModuleOp> work(module.clone());
  std::string entry = kernelName(*work);
  INLAY_TRY(lower(*work));
  stage("llvm", [&] { return printed(*work.get()); });

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(*work, context, "kernel");
  if (!llvmModule)
    return internalError("translating kernel '{}' to LLVM IR failed", entry);
  INLAY_ASSIGN(std::unique_ptr<llvm::TargetMachine> machine, createTargetMachine(level_));
  optimize(*llvmModule, *machine, level_);
  addStreamingVersion(*llvmModule, entry, storedBytesPerProgram(module), level_);
  stage("ll", [&] {
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvmModule->print(stream, nullptr);
    return text;
  });
  if (options.stageSink) {
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*llvmModule);
    INLAY_ASSIGN(auto assembly, generateCode(*copy, *machine, llvm::CodeGenFileType::AssemblyFile));
    options.stageSink("s", {assembly.data(), assembly.size()});
  }
  INLAY_ASSIGN(auto object, generateCode(*llvmModule, *machine, llvm::CodeGenFileType::ObjectFile));
  KernelImage image;
  image.target = name_;
  image.format = ImageFormat::X86SharedObject;
  image.entry = entry;
  INLAY_ASSIGN(image.bytes, linkSharedObject(object), "compiling kernel '" + entry + "'");
  if (options.stageSink)
    options.stageSink("so",
                      {reinterpret_cast<const char *>(image.bytes.data()), image.bytes.size()});
  std::vector<KernelImage> images;
  images.push_back(std::move(image));
  return images;
}

} // namespace

Result<std::unique_ptr<Target>> createCpuTarget(std::string_view level) {
  std::string known;
  for (const CpuLevel &candidate : kCpuLevels) {
    if (candidate.name == level)
      return std::unique_ptr<Target>(std::make_unique<CpuTarget>(candidate));
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  return invalidArgument("unknown CPU level '{}'; the levels are {}", level, known);
}

} // namespace inlay
