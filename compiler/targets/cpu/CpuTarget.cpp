#include "compiler/targets/cpu/CpuTarget.h"

#include "base/Error.h"
#include "compiler/conversions/math/MathExpansion.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/LowerToLlvm.h"
#include "compiler/targets/cpu/CodeGeneration.h"
#include "compiler/targets/cpu/StreamingStores.h"
#include "compiler/transforms/tile/ExpandDescriptors.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;

namespace inlay {

namespace {

constexpr std::string_view kStages[] = {"tile", "llvm", "ll", "s", "so"};

class CpuTarget : public Target {
public:
  explicit CpuTarget(const CpuLevel &level)
      : level_(level), name_("cpu:" + std::string(level.name)) {}
  const std::string &name() const override { return name_; }
  llvm::ArrayRef<std::string_view> stages() const override { return kStages; }
  Result<std::vector<KernelImage>> compile(ModuleOp module,
                                           const KernelCompileOptions &options) const override;

private:
  /// Lowers to the LLVM dialect; the bytes of scratch memory the entry takes, 0 if none.
  static Result<uint64_t> lower(ModuleOp module, const CpuLevel &level);

  CpuLevel level_;
  std::string name_;
};

/// True for kernels that compute more than they move: with products of matrices, or functions that
/// are polynomials, of tiles.
bool isOfMuchArithmetic(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        const bool isFunction =
            isa<math::MathDialect>(op->getDialect()) &&
            !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::FloorOp, math::CeilOp, math::SqrtOp,
                 math::RsqrtOp, math::RoundEvenOp, math::TruncOp, math::CopySignOp>(op) &&
            isa<RankedTensorType>(op->getResult(0).getType());
        return isFunction || isa<tile::DotOp>(op) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The level as code for the kernel uses it.
CpuLevel levelFor(ModuleOp module, CpuLevel level) {
  if (isOfMuchArithmetic(module))
    level.vectorBytes = level.arithmeticVectorBytes;
  return level;
}

Result<uint64_t> CpuTarget::lower(ModuleOp module, const CpuLevel &level) {
  ErrorCollector errors(module.getContext());
  PassManager toLoops(module.getContext());
  toLoops.addPass(tile::createExpandDescriptorsPass());
  toLoops.addPass(createCanonicalizerPass());
  toLoops.addPass(createExpandOperationsForCpuPass());
  toLoops.addPass(createScalarizeRecurrencesPass());
  toLoops.addPass(createCanonicalizerPass());
  toLoops.addPass(createLoopInvariantCodeMotionPass());
  toLoops.addPass(createCSEPass());
  toLoops.addPass(createTileToCpuPass({level.vectorBytes, level.hasMaskedAccess}));
  if (failed(toLoops.run(module)))
    return unimplemented("the kernel cannot be compiled for cpu:{}: {}", level.name, errors.text());
  uint64_t scratchBytes = 0;
  for (auto function : module.getOps<func::FuncOp>())
    if (auto bytes = dyn_cast_or_null<IntegerAttr>(function->removeAttr(kScratchBytesAttr)))
      scratchBytes = static_cast<uint64_t>(bytes.getInt());
  PassManager toLlvm(module.getContext());
  toLlvm.addPass(createCSEPass());
  toLlvm.addPass(createMathExpansionPass({level.hasFma, level.hasF16Conversion}));
  toLlvm.addPass(createLowerToLlvmPass());
  if (failed(toLlvm.run(module)))
    return internalError("lowering to LLVM for cpu:{} failed: {}", level.name, errors.text());
  return scratchBytes;
}

Result<std::vector<KernelImage>> CpuTarget::compile(ModuleOp module,
                                                    const KernelCompileOptions &options) const {
  // True if there is nothing left to do.
  auto stage = [&](std::string_view name, llvm::function_ref<std::string()> text) {
    if (options.wants(name))
      options.stageSink(name, text());
    return options.onlyStage == name;
  };
  if (stage("tile", [&] { return printed(module); }))
    return std::vector<KernelImage>();
  OwningOpRef<ModuleOp> work(module.clone());
  std::string entry = kernelName(*work);
  const CpuLevel level = levelFor(module, level_);
  INLAY_ASSIGN(const uint64_t scratchBytes, lower(*work, level));
  if (stage("llvm", [&] { return printed(*work.get()); }))
    return std::vector<KernelImage>();

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(*work, context, "kernel");
  if (!llvmModule)
    return internalError("translating kernel '{}' to LLVM IR failed", entry);
  INLAY_ASSIGN(std::unique_ptr<llvm::TargetMachine> machine, createTargetMachine(level));
  optimize(*llvmModule, *machine, level);
  addStreamingVersion(*llvmModule, entry, storedBytesPerProgram(module), level);
  if (stage("ll", [&] { return printed(*llvmModule); }))
    return std::vector<KernelImage>();
  if (options.wants("s")) {
    // Code generation uses the module up.
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*llvmModule);
    INLAY_ASSIGN(auto assembly, generateCode(*copy, *machine, llvm::CodeGenFileType::AssemblyFile));
    if (stage("s", [&] { return std::string(assembly.begin(), assembly.end()); }))
      return std::vector<KernelImage>();
  }
  INLAY_ASSIGN(auto object, generateCode(*llvmModule, *machine, llvm::CodeGenFileType::ObjectFile));
  KernelImage image;
  image.target = name_;
  image.format = ImageFormat::X86SharedObject;
  image.entry = entry;
  image.scratchBytes = scratchBytes;
  INLAY_ASSIGN(image.bytes, linkSharedObject(object), "compiling kernel '" + entry + "'");
  if (options.wants("so"))
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
