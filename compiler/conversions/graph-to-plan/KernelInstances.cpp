#include "compiler/conversions/graph-to-plan/KernelInstances.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace inlay {

namespace {

mlir::Attribute constexprAttribute(mlir::Builder &builder, const ConstexprValue &value) {
  struct Visitor {
    mlir::Builder &builder;
    mlir::Attribute operator()(std::monostate) { return builder.getUnitAttr(); }
    mlir::Attribute operator()(bool value) { return builder.getBoolAttr(value); }
    mlir::Attribute operator()(int64_t value) { return builder.getI64IntegerAttr(value); }
    mlir::Attribute operator()(double value) { return builder.getF64FloatAttr(value); }
    mlir::Attribute operator()(const std::string &value) { return builder.getStringAttr(value); }
    mlir::Attribute operator()(DataType value) {
      return builder.getStringAttr(llvm::StringRef(dataTypeName(value)));
    }
  };
  return std::visit(Visitor{builder}, value);
}

mlir::DictionaryAttr constexprDictionary(mlir::Builder &builder, const TritonKernel &kernel) {
  llvm::SmallVector<mlir::NamedAttribute> entries;
  for (const auto &[name, value] : kernel.constexprs)
    entries.push_back(builder.getNamedAttr(name, constexprAttribute(builder, value)));
  return builder.getDictionaryAttr(entries);
}

/// "add_one.py:add_one_kernel": no folder, so that the plan is the same wherever it is made.
std::string sourceName(const TritonKernel &kernel) {
  return kernel.path.substr(kernel.path.rfind('/') + 1) + ":" + kernel.function;
}

/// Equal texts mean equal kernels.
std::string kernelKey(mlir::Builder &builder, const TritonKernel &kernel,
                      const std::vector<std::string> &signature) {
  std::string key = kernel.path + "\n" + kernel.function + "\n" + std::to_string(kernel.numWarps) +
                    "\n" + std::to_string(kernel.numStages) + "\n";
  for (const std::string &entry : signature)
    key += entry + ",";
  // The kinds are part of the key: a dtype and its name are different constexprs with the same
  // text.
  for (const auto &[name, value] : kernel.constexprs) {
    llvm::raw_string_ostream stream(key);
    stream << "\n" << name << "=" << value.index() << ":" << constexprAttribute(builder, value);
  }
  return key;
}

/// "x_ptr = X.numel (i32), n_elements = X (*fp32)": which argument each parameter gets.
std::string describeArguments(const PluginLaunch &launch, const std::string &source,
                              const std::vector<std::string> &signature) {
  std::vector<std::string> names;
  if (auto kernels = triton::listKernels(launch.kernel.path, source); kernels.isOk())
    for (const triton::KernelDeclaration &kernel : *kernels)
      if (kernel.name == launch.kernel.function)
        for (const triton::KernelParameterDeclaration &parameter : kernel.parameters)
          if (!parameter.isConstexpr && !launch.kernel.constexprs.contains(parameter.name))
            names.push_back(parameter.name);
  std::string text;
  for (size_t i = 0; i < signature.size(); ++i)
    text += fmt::format("{}{} = {} ({})", text.empty() ? "" : ", ",
                        i < names.size() ? names[i] : "(no parameter)", launch.arguments[i].text,
                        signature[i]);
  return text.empty() ? "none" : text;
}

} // namespace

Result<const KernelInstances::SourceFile *>
KernelInstances::readSource(const TritonKernel &kernel) {
  auto [entry, isNew] = sources_.try_emplace(kernel.path);
  if (isNew) {
    Result<std::string> text = kernel.source.empty() ? readFile(kernel.path) : kernel.source;
    if (!text.isOk()) {
      sources_.erase(entry);
      return std::move(text).status();
    }
    entry->second.text = std::move(text).value();
    entry->second.hash =
        fmt::format("{:016x}", XXH64(entry->second.text.data(), entry->second.text.size(), 0));
  }
  return &entry->second;
}

Result<plan::KernelOp> KernelInstances::create(const PluginLaunch &launch,
                                               std::vector<std::string> signature,
                                               std::string name) {
  INLAY_ASSIGN(const SourceFile *source, readSource(launch.kernel));
  triton::KernelRequest request;
  request.path = launch.kernel.path;
  request.source = source->text;
  request.function = launch.kernel.function;
  request.signature = std::move(signature);
  request.constexprs = launch.kernel.constexprs;
  request.numWarps = launch.kernel.numWarps;
  request.numStages = launch.kernel.numStages;
  request.readModule = findFile;
  request.notes = [&](std::string_view note) {
    notes_.push_back(sourceName(launch.kernel) + ": " + std::string(note));
  };
  Result<mlir::OwningOpRef<mlir::ModuleOp>> imported = triton::importKernel(context_, request);
  if (!imported.isOk())
    return std::move(imported).status().withContext(
        fmt::format("reading kernel {} with the launch's arguments {}", sourceName(launch.kernel),
                    describeArguments(launch, source->text, request.signature)));
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(imported).value();

  mlir::OpBuilder builder(&context_);
  llvm::SmallVector<llvm::StringRef> entries(request.signature.begin(), request.signature.end());
  auto kernel = plan::KernelOp::create(
      builder, module->getLoc(), name, sourceName(launch.kernel), builder.getStrArrayAttr(entries),
      constexprDictionary(builder, launch.kernel), builder.getStringAttr(source->hash));
  kernel.getBody().emplaceBlock().push_back(module.release());
  kernels_.emplace_back(kernel);
  return kernel;
}

Result<plan::KernelOp>
KernelInstances::find(const PluginNode &node, const PluginLaunch &launch,
                      const ShapeSymbols &symbols,
                      llvm::function_ref<std::string(llvm::StringRef)> uniqueName) {
  mlir::Builder builder(&context_);
  std::vector<std::string> signature = launchSignature(node, launch, symbols);
  std::string key = kernelKey(builder, launch.kernel, signature);
  auto known = known_.find(key);
  if (known != known_.end())
    return known->second;
  INLAY_ASSIGN(plan::KernelOp kernel,
               create(launch, std::move(signature), uniqueName(launch.kernel.function)));
  known_.emplace(std::move(key), kernel);
  return kernel;
}

} // namespace inlay
