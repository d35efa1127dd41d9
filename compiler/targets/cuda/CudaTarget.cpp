#include "compiler/targets/cuda/CudaTarget.h"

#include "base/Error.h"
#include "compiler/conversions/tile-to-gpu/TileToGpu.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/LowerToLlvm.h"
#include "compiler/targets/cuda/PtxAssembler.h"
#include "compiler/targets/cuda/PtxGeneration.h"
#include "compiler/targets/cuda/RefusedAssembly.h"
#include "compiler/transforms/tile/AssignLayouts.h"
#include "compiler/transforms/tile/CopyTensorLoads.h"
#include "compiler/transforms/tile/ExpandDescriptors.h"
#include "compiler/transforms/tile/MakeTensorMaps.h"
#include "compiler/transforms/tile/PipelineLoads.h"
#include "compiler/transforms/tile/WarpgroupDots.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace inlay {

namespace {

constexpr unsigned kDefaultNumWarps = 4;
constexpr unsigned kThreadsPerWarp = 32;
constexpr std::string_view kStages[] = {"tile", "llvm", "ll", "ptx", "cubin"};

constexpr CudaArchitecture kArchitectures[] = {
#define INLAY_CUDA_ARCHITECTURE(name, ptxVersion) {name, ptxVersion},
#include "compiler/targets/cuda/Architectures.def"
#undef INLAY_CUDA_ARCHITECTURE
};

uint32_t numWarpsOf(ModuleOp module) {
  auto attribute = module->getAttrOfType<IntegerAttr>(tile::kNumWarpsAttr);
  return attribute ? static_cast<uint32_t>(attribute.getInt()) : kDefaultNumWarps;
}

class CudaTarget : public Target {
public:
  explicit CudaTarget(const CudaArchitecture &architecture)
      : architecture_(architecture), name_("cuda:" + std::string(architecture.name)) {}
  const std::string &name() const override { return name_; }
  llvm::ArrayRef<std::string_view> stages() const override { return kStages; }
  Result<std::vector<KernelImage>> compile(ModuleOp module,
                                           const KernelCompileOptions &options) const override;

private:
  Status lower(ModuleOp module) const;
  Status appendCubin(std::vector<KernelImage> &images, ModuleOp module,
                     const KernelCompileOptions &options) const;

  CudaArchitecture architecture_;
  std::string name_;
};

Status CudaTarget::lower(ModuleOp module) const {
  const uint32_t numThreads = kThreadsPerWarp * numWarpsOf(module);
  ErrorCollector errors(module.getContext());
  PassManager toThread(module.getContext());
  toThread.addPass(tile::createMakeTensorMapsPass());
  toThread.addPass(tile::createExpandDescriptorsPass());
  toThread.addPass(createCanonicalizerPass());
  toThread.addPass(createCSEPass());
  toThread.addPass(tile::createAssignLayoutsPass());
  toThread.addPass(createCSEPass());
  toThread.addPass(tile::createPipelineLoadsPass());
  toThread.addPass(tile::createCopyTensorLoadsPass());
  toThread.addPass(tile::createWarpgroupDotsPass());
  toThread.addPass(createTileToGpuPass());
  if (failed(toThread.run(module)))
    return unimplemented("the kernel cannot be compiled for {}: {}", name_, errors.text());
  PassManager toLlvm(module.getContext());
  toLlvm.addPass(createCSEPass());
  toLlvm.addPass(createGpuMathExpansionPass());
  toLlvm.addPass(createLowerToLlvmPass());
  if (failed(toLlvm.run(module)))
    return internalError("lowering to LLVM for {} failed: {}", name_, errors.text());
  Builder builder(module.getContext());
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal())
      continue;
    function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                      builder.getDenseI32ArrayAttr({static_cast<int32_t>(numThreads)}));
  }
  return {};
}

/// `module` is what the PTX was made from.
Status CudaTarget::appendCubin(std::vector<KernelImage> &images, ModuleOp module,
                               const KernelCompileOptions &options) const {
  INLAY_ASSIGN(std::optional<std::string> ptxas, findPtxas());
  if (!ptxas)
    return {};
  KernelImage &ptx = images.front();
  std::string_view text{reinterpret_cast<const char *>(ptx.bytes.data()), ptx.bytes.size()};
  Result<std::optional<AssembledPtx>> result = assemblePtx(*ptxas, text, architecture_.name);
  if (!result.isOk())
    return explainRefusal(result.status(), text, architecture_.name, module)
        .withContext("assembling kernel '" + ptx.entry + "'");
  std::optional<AssembledPtx> assembled = std::move(*result);
  if (!assembled)
    return {};
  ptx.registers = assembled->registers;
  ptx.spillBytes = assembled->spillBytes;
  KernelImage cubin = ptx;
  cubin.format = ImageFormat::Cubin;
  cubin.bytes = std::move(assembled->cubin);
  if (options.wants("cubin"))
    options.stageSink("cubin",
                      {reinterpret_cast<const char *>(cubin.bytes.data()), cubin.bytes.size()});
  images.push_back(std::move(cubin));
  return {};
}

Result<std::vector<KernelImage>> CudaTarget::compile(ModuleOp module,
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
  const std::string entry = kernelName(*work);
  const uint32_t numWarps = numWarpsOf(*work);
  work.get()->setAttr(tile::kTargetAttr,
                      StringAttr::get(work->getContext(), std::string(architecture_.name)));
  INLAY_TRY(lower(*work));
  CudaArchitecture architecture = architecture_;
  if (auto version = work.get()->getAttrOfType<IntegerAttr>(kPtxVersionAttr))
    architecture.ptxVersion =
        std::max(architecture.ptxVersion, static_cast<unsigned>(version.getInt()));
  if (stage("llvm", [&] { return printed(*work.get()); }))
    return std::vector<KernelImage>();

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(*work, context, "kernel");
  if (!llvmModule)
    return internalError("translating kernel '{}' to LLVM IR failed", entry);
  INLAY_ASSIGN(std::unique_ptr<llvm::TargetMachine> machine, createPtxMachine(architecture));
  optimizeForGpu(*llvmModule, *machine);
  if (stage("ll", [&] { return printed(*llvmModule); }))
    return std::vector<KernelImage>();
  KernelImage image;
  image.target = name_;
  image.format = ImageFormat::Ptx;
  image.entry = entry;
  image.numWarps = numWarps;
  image.ptxVersion = architecture.ptxVersion;
  if (auto bytes = (*work)->getAttrOfType<IntegerAttr>(kDynamicSharedBytesAttr))
    image.sharedBytes = static_cast<uint32_t>(bytes.getInt());
  INLAY_ASSIGN(std::string ptx, generatePtx(*llvmModule, *machine));
  const auto *begin = reinterpret_cast<const std::byte *>(ptx.data());
  image.bytes.assign(begin, begin + ptx.size());
  std::vector<KernelImage> images;
  images.push_back(std::move(image));
  if (stage("ptx", [&] { return std::move(ptx); }))
    return images;
  INLAY_TRY(appendCubin(images, *work, options));
  return images;
}

} // namespace

Result<std::unique_ptr<Target>> createCudaTarget(std::string_view architecture) {
  std::string known;
  for (const CudaArchitecture &candidate : kArchitectures) {
    if (candidate.name == architecture)
      return std::unique_ptr<Target>(std::make_unique<CudaTarget>(candidate));
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  return invalidArgument("unknown GPU architecture '{}'; the architectures are {}", architecture,
                         known);
}

} // namespace inlay
