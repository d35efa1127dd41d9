#include "compiler/conversions/graph-to-plan/KernelInstances.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"
#include "compiler/conversions/graph-to-plan/PrebuiltKernels.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace inlay {

namespace {

struct ConstexprWriter {
  mlir::Builder &builder;
  mlir::Attribute operator()(std::monostate) { return builder.getUnitAttr(); }
  mlir::Attribute operator()(bool value) { return builder.getBoolAttr(value); }
  mlir::Attribute operator()(int64_t value) { return builder.getI64IntegerAttr(value); }
  mlir::Attribute operator()(double value) { return builder.getF64FloatAttr(value); }
  mlir::Attribute operator()(const std::string &value) { return builder.getStringAttr(value); }
  mlir::Attribute operator()(DataType value) {
    return builder.getStringAttr(llvm::StringRef(dataTypeName(value)));
  }
  template <typename T>
  mlir::Attribute operator()(const std::vector<T> &values) {
    llvm::SmallVector<mlir::Attribute> elements;
    for (const T &value : values)
      elements.push_back((*this)(value));
    return builder.getArrayAttr(elements);
  }
};

mlir::Attribute constexprAttribute(mlir::Builder &builder, const ConstexprValue &value) {
  return std::visit(ConstexprWriter{builder}, value);
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

/// The same of a launch's first file if it has no source.
std::string sourceName(const PluginLaunch &launch) {
  if (launch.library)
    return launch.name();
  if (!launch.kernel.function.empty())
    return sourceName(launch.kernel);
  const KernelFile &file = launch.files.front();
  return file.path.substr(file.path.rfind('/') + 1) + (file.entry.empty() ? "" : ":") + file.entry;
}

mlir::Type elementType(mlir::Builder &builder, DataType type) {
  switch (type) {
  case DataType::Float16:
    return builder.getF16Type();
  case DataType::BFloat16:
    return builder.getBF16Type();
  case DataType::Float32:
    return builder.getF32Type();
  case DataType::Float64:
    return builder.getF64Type();
  case DataType::Float8E4M3FN:
    return builder.getType<mlir::Float8E4M3FNType>();
  case DataType::Float8E5M2:
    return builder.getType<mlir::Float8E5M2Type>();
  case DataType::Bool:
    return builder.getI1Type();
  default:
    return builder.getIntegerType(static_cast<unsigned>(8 * dataTypeSizeBytes(type)));
  }
}

/// A function that has the parameters of a launch and does nothing: what stands for a kernel of
/// which there are images only.
mlir::OwningOpRef<mlir::ModuleOp> declareKernel(mlir::MLIRContext &context, const PluginNode &node,
                                                const PluginLaunch &launch) {
  mlir::OpBuilder builder(&context);
  mlir::Location location = builder.getUnknownLoc();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(location);
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<mlir::DictionaryAttr> attributes;
  for (const LaunchArgument &argument : launch.arguments) {
    const bool isInput = argument.kind == LaunchArgument::Kind::Input,
               isOutput = argument.kind == LaunchArgument::Kind::Output,
               isPointer = isInput || isOutput ||
                           argument.kind == LaunchArgument::Kind::Workspace ||
                           argument.kind == LaunchArgument::Kind::Size;
    const DataType dtype = isInput    ? node.inputs[argument.index].dtype
                           : isOutput ? node.outputs[argument.index].dtype
                                      : argument.dtype;
    mlir::Type element = elementType(builder, dtype);
    types.push_back(isPointer ? tile::PointerType::get(element) : element);
    llvm::SmallVector<mlir::NamedAttribute> entries{
        builder.getNamedAttr(tile::kNameAttr, builder.getStringAttr(argument.text))};
    if (dataTypeKind(dtype) == DataTypeKind::Unsigned)
      entries.push_back(
          builder.getNamedAttr(tile::kSignednessAttr, builder.getStringAttr("unsigned")));
    attributes.push_back(builder.getDictionaryAttr(entries));
  }
  builder.setInsertionPointToEnd(module->getBody());
  auto function = mlir::func::FuncOp::create(builder, location, launch.name(),
                                             builder.getFunctionType(types, {}));
  function->setAttr(tile::kKernelAttr, builder.getUnitAttr());
  function.setAllArgAttrs(attributes);
  builder.setInsertionPointToEnd(function.addEntryBlock());
  mlir::func::ReturnOp::create(builder, location);
  return module;
}

/// What stands for the code of a library's function.
mlir::ArrayAttr libraryImages(mlir::OpBuilder &builder, LibraryFunctionId id) {
  const LibraryFunction &function = libraryFunction(id);
  auto text = [&](std::string_view value) { return builder.getStringAttr(llvm::StringRef(value)); };
  auto none = mlir::RankedTensorType::get({0}, builder.getI8Type());
  return builder.getArrayAttr(builder.getDictionaryAttr(
      {builder.getNamedAttr("format", text("library")),
       builder.getNamedAttr("target", text(function.family)),
       builder.getNamedAttr("entry", text(function.name)),
       builder.getNamedAttr("code",
                            mlir::DenseElementsAttr::get(none, llvm::ArrayRef<int8_t>()))}));
}

/// Adds pointers to scratch memory after the parameters, so that all code of a kernel is called in
/// one way.
void addScratchParameters(plan::KernelOp kernel, size_t count) {
  mlir::Builder builder(kernel.getContext());
  mlir::func::FuncOp function = kernel.getFunction();
  constexpr llvm::StringLiteral kNames[] = {"global_scratch", "profile_scratch"};
  for (size_t i = 0; i < count; ++i)
    (void)function.insertArgument(
        function.getNumArguments(), tile::PointerType::get(builder.getI8Type()),
        builder.getDictionaryAttr(
            {builder.getNamedAttr(tile::kNameAttr, builder.getStringAttr(kNames[i]))}),
        function.getLoc());
}

/// Equal texts mean equal kernels.
std::string kernelKey(mlir::Builder &builder, const PluginLaunch &launch,
                      const std::vector<std::string> &signature) {
  const TritonKernel &kernel = launch.kernel;
  std::string key = kernel.path + "\n" + kernel.source + "\n" + kernel.function + "\n" +
                    std::to_string(kernel.numWarps) + "\n" + std::to_string(kernel.numStages) +
                    "\n";
  for (const std::string &entry : signature)
    key += entry + ",";
  if (launch.library)
    key += "\n" + launch.name();
  for (const KernelFile &file : launch.files)
    key += "\n" + file.path + ":" + file.entry + " for " + file.target;
  key += fmt::format("\n{} {} {}", fmt::join(launch.cluster, " "), launch.isCooperative,
                     launch.isProgrammatic);
  // What a file says of blocks is compared with the launch's.
  if (launch.block && !launch.files.empty())
    for (const Expr &extent : *launch.block)
      key += " " + extent.toString();
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
  // Text without a file may be another one under the same path.
  auto [entry, isNew] = sources_.try_emplace(kernel.path + "\n" + kernel.source);
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

Result<mlir::OwningOpRef<mlir::ModuleOp>>
KernelInstances::importSource(const PluginLaunch &launch, const std::vector<std::string> &signature,
                              std::string &hash) {
  INLAY_ASSIGN(const SourceFile *source, readSource(launch.kernel));
  triton::KernelRequest request;
  request.path = launch.kernel.path;
  request.source = source->text;
  request.function = launch.kernel.function;
  request.signature = signature;
  request.constexprs = launch.kernel.constexprs;
  request.numWarps = launch.kernel.numWarps;
  request.numStages = launch.kernel.numStages;
  request.readModule = findFile;
  request.notes = [&](std::string_view note) {
    std::string text = sourceName(launch.kernel) + ": " + std::string(note);
    if (std::ranges::find(notes_, text) == notes_.end()) // a kernel may be read several times
      notes_.push_back(std::move(text));
  };
  Result<mlir::OwningOpRef<mlir::ModuleOp>> imported = triton::importKernel(context_, request);
  if (!imported.isOk())
    return std::move(imported).status().withContext(
        fmt::format("reading kernel {} with the launch's arguments {}", sourceName(launch.kernel),
                    describeArguments(launch, source->text, request.signature)));
  hash = source->hash;
  return std::move(imported).value();
}

Result<std::vector<KernelConfigValues>> KernelInstances::readAutotune(const TritonKernel &kernel) {
  INLAY_ASSIGN(const SourceFile *source, readSource(kernel));
  triton::KernelRequest request;
  request.path = kernel.path;
  request.source = source->text;
  request.function = kernel.function;
  request.readModule = findFile;
  INLAY_ASSIGN(triton::KernelTuning tuning, triton::readTuning(context_, request));
  if (tuning.configs.empty())
    return invalidArgument("kernel {} has no configurations of an autotuner{}{}",
                           sourceName(kernel), tuning.notes.empty() ? "" : ": ",
                           fmt::join(tuning.notes, "; "));
  for (const std::string &note : tuning.notes)
    notes_.push_back(sourceName(kernel) + ": " + note);
  std::vector<KernelConfigValues> configs;
  for (triton::KernelConfig &config : tuning.configs)
    configs.push_back({std::move(config.values), config.numWarps, config.numStages});
  return configs;
}

Result<KernelInstance> KernelInstances::create(const PluginNode &node, const PluginLaunch &launch,
                                               std::vector<std::string> signature,
                                               std::string name) {
  mlir::OpBuilder builder(&context_);
  PrebuiltKernel prebuilt;
  if (!launch.files.empty()) {
    INLAY_ASSIGN(prebuilt, readPrebuiltKernel(builder, node, launch));
  }
  if (launch.library)
    prebuilt.images = libraryImages(builder, *launch.library);
  const bool isExternal = launch.kernel.function.empty();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string hash;
  if (isExternal) {
    module = declareKernel(context_, node, launch);
  } else {
    INLAY_ASSIGN(module, importSource(launch, signature, hash));
  }
  llvm::SmallVector<llvm::StringRef> entries(signature.begin(), signature.end());
  auto kernel = plan::KernelOp::create(
      builder, module->getLoc(), name, sourceName(launch), builder.getStrArrayAttr(entries),
      isExternal ? nullptr : constexprDictionary(builder, launch.kernel),
      isExternal ? nullptr : builder.getStringAttr(hash), prebuilt.images, isExternal,
      launch.isCooperative, launch.isProgrammatic,
      isExternal || launch.cluster[0] == 0
          ? nullptr
          : builder.getDenseI32ArrayAttr({static_cast<int32_t>(launch.cluster[0]),
                                          static_cast<int32_t>(launch.cluster[1]),
                                          static_cast<int32_t>(launch.cluster[2])}));
  kernel.getBody().emplaceBlock().push_back(module.release());
  addScratchParameters(kernel, prebuilt.scratchBytes.size());
  kernels_.emplace_back(kernel);
  return KernelInstance{kernel, std::move(prebuilt.scratchBytes)};
}

Result<KernelInstance>
KernelInstances::find(const PluginNode &node, const PluginLaunch &launch,
                      const ShapeSymbols &symbols, std::span<const Expr> conditions,
                      llvm::function_ref<std::string(llvm::StringRef)> uniqueName) {
  mlir::Builder builder(&context_);
  std::vector<std::string> signature = launchSignature(node, launch, symbols, conditions);
  std::string key = kernelKey(builder, launch, signature);
  auto known = known_.find(key);
  if (known != known_.end())
    return known->second;
  INLAY_ASSIGN(KernelInstance kernel,
               create(node, launch, std::move(signature), uniqueName(launch.name())));
  known_.emplace(std::move(key), kernel);
  return kernel;
}

} // namespace inlay
