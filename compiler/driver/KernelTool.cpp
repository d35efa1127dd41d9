#include "compiler/driver/KernelTool.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/driver/BuildReport.h"
#include "compiler/driver/Context.h"
#include "compiler/driver/KernelEngine.h"
#include "compiler/driver/Stages.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

namespace inlay {

namespace {

Result<mlir::OwningOpRef<mlir::ModuleOp>> readKernel(mlir::MLIRContext &context,
                                                     const KernelToolRequest &request) {
  INLAY_ASSIGN(std::string source, readFile(request.path));
  if (request.path.ends_with(".mlir"))
    return parseModule(context, request.path, source);
  triton::KernelRequest kernel;
  kernel.path = request.path;
  kernel.source = std::move(source);
  kernel.function = request.function;
  kernel.signature = triton::splitSignature(request.signature);
  INLAY_ASSIGN(kernel.constexprs, parseConstexprs(request.constexprs));
  kernel.numWarps = request.numWarps;
  kernel.readModule = findFile;
  kernel.includeRoots = request.includeRoots;
  kernel.numStages = request.numStages;
  kernel.isDebug = request.isDebug;
  return triton::importKernel(context, kernel);
}

Result<std::unique_ptr<Target>> createOneTarget(const std::string &name) {
  INLAY_ASSIGN(std::vector<std::unique_ptr<Target>> targets, createTargets(name));
  if (targets.size() == 1)
    return std::move(targets.front());
  std::string names;
  for (const std::unique_ptr<Target> &target : targets)
    names += (names.empty() ? "" : ", ") + target->name();
  return invalidArgument("target '{}' stands for several; a kernel is compiled for one: {}", name,
                         names);
}

std::string typeText(const KernelParameter &parameter) {
  return (parameter.isPointer ? "*" : "") + std::string(dataTypeTritonName(parameter.dtype));
}

std::string interfaceJson(const KernelImage &image,
                          const std::vector<KernelParameter> &parameters) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("name", image.entry);
    json.attribute("abi_version", kKernelAbiVersion);
    json.attributeArray("parameters", [&] {
      for (const KernelParameter &parameter : parameters)
        json.object([&] {
          json.attribute("name", parameter.name);
          json.attribute("type", typeText(parameter));
        });
    });
    json.attribute("target", image.target);
    json.attribute("format", llvm::StringRef(imageFormatName(image.format)));
    json.attribute("size_bytes", static_cast<int64_t>(image.bytes.size()));
    json.attribute("num_warps", image.numWarps);
    json.attribute("shared_bytes", image.sharedBytes);
    json.attribute("registers", image.registers);
    json.attribute("spill_bytes", image.spillBytes);
    json.attribute("ptx_version", image.ptxVersion);
    json.attribute("scratch_bytes", image.scratchBytes);
  });
  return text + "\n";
}

Status checkStage(const std::string &emit) {
  std::string names;
  for (const StageInfo &info : allStages()) {
    if (info.scope == StageScope::Model)
      continue;
    if (info.name == emit)
      return {};
    names += std::string(info.name) + ", ";
  }
  if (emit == "json")
    return {};
  return invalidArgument("there is no kernel stage '{}'; the stages are {}json", emit, names);
}

} // namespace

Result<std::string> compileKernelFile(KernelToolRequest request) {
  INLAY_TRY(checkStage(request.emit));
  INLAY_TRY(applyKernelConfig(request));
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  INLAY_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module, readKernel(*context, request));
  if (request.emit == "tile")
    return printOperation(*module);
  INLAY_ASSIGN(std::vector<KernelParameter> parameters, kernelParameters(*module),
               "reading the kernel's parameters in " + request.path);
  INLAY_ASSIGN(std::unique_ptr<Target> target, createOneTarget(request.target));

  if (request.emit == "json") {
    INLAY_ASSIGN(std::vector<KernelImage> images, target->compile(*module, {}),
                 "compiling " + request.path + " for " + target->name());
    if (images.empty())
      return internalError("target {} made no image of {}", target->name(), request.path);
    return interfaceJson(images.back(), parameters);
  }
  if (!llvm::is_contained(target->stages(), request.emit))
    return invalidArgument("target {} has no stage '{}'; its stages are {}", target->name(),
                           request.emit, llvm::join(target->stages(), ", "));
  std::optional<std::string> found;
  KernelCompileOptions options;
  options.onlyStage = request.emit;
  options.stageSink = [&](std::string_view, std::string_view bytes) { found = bytes; };
  INLAY_TRY(target->compile(*module, options).status(),
            "compiling " + request.path + " for " + target->name());
  if (!found)
    return invalidArgument("target {} gave no stage '{}'{}", target->name(), request.emit,
                           request.emit == "cubin" ? "; a cubin needs ptxas: is it installed?"
                                                   : "");
  return std::move(*found);
}

Result<std::vector<std::byte>> compileKernelFileToEngine(KernelToolRequest request) {
  INLAY_TRY(applyKernelConfig(request));
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  INLAY_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module, readKernel(*context, request));
  INLAY_ASSIGN(std::unique_ptr<Target> target, createOneTarget(request.target));
  return compileKernelEngine(*module, *target);
}

} // namespace inlay
