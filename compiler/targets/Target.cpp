#include "compiler/targets/Target.h"

#include "base/Error.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/cpu/CpuLevel.h"
#include "compiler/targets/cpu/CpuTarget.h"
#include "compiler/targets/cuda/CudaTarget.h"

namespace inlay {

namespace {

/// Element type of a parameter; nullopt for types that no launcher can pass.
std::optional<DataType> dataTypeOf(mlir::Type type, bool isUnsigned) {
  if (type.isInteger(1))
    return DataType::Bool;
  if (type.isIntOrIndex())
    return findDataType((isUnsigned ? "u" : "i") + std::to_string(type.getIntOrFloatBitWidth()));
  if (type.isF16())
    return DataType::Float16;
  if (type.isBF16())
    return DataType::BFloat16;
  if (type.isF32())
    return DataType::Float32;
  if (type.isF64())
    return DataType::Float64;
  if (mlir::isa<mlir::Float8E4M3FNType>(type))
    return DataType::Float8E4M3FN;
  if (mlir::isa<mlir::Float8E5M2Type>(type))
    return DataType::Float8E5M2;
  return std::nullopt;
}

} // namespace

Result<std::vector<KernelParameter>> kernelParameters(mlir::ModuleOp module) {
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (!function->hasAttr(tile::kKernelAttr))
      continue;
    std::vector<KernelParameter> parameters;
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
      KernelParameter parameter;
      const unsigned i = static_cast<unsigned>(index);
      if (auto name = function.getArgAttrOfType<mlir::StringAttr>(i, tile::kNameAttr))
        parameter.name = name.str();
      auto signedness = function.getArgAttrOfType<mlir::StringAttr>(i, tile::kSignednessAttr);
      auto pointer = mlir::dyn_cast<tile::PointerType>(type);
      parameter.isPointer = pointer != nullptr;
      mlir::Type element = pointer ? pointer.getElementType() : type;
      std::optional<DataType> dtype =
          dataTypeOf(element, signedness && signedness.getValue() == "unsigned");
      if (!dtype)
        return unimplemented("parameter {} ('{}') of kernel '{}' has type {}, which cannot be "
                             "passed to a kernel",
                             index, parameter.name, function.getName().str(), [&] {
                               std::string text;
                               llvm::raw_string_ostream(text) << type;
                               return text;
                             }());
      parameter.dtype = *dtype;
      parameters.push_back(std::move(parameter));
    }
    return parameters;
  }
  return invalidArgument("the module holds no kernel (func.func with tile.kernel)");
}

Result<std::vector<std::unique_ptr<Target>>> createTargets(std::string_view name) {
  std::vector<std::unique_ptr<Target>> targets;
  const size_t colon = name.find(':');
  const std::string_view family = name.substr(0, colon);
  const std::string_view member =
      colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
  if (family == "cpu" && colon == std::string_view::npos) {
    for (const CpuLevel &level : kCpuLevels) {
      INLAY_ASSIGN(std::unique_ptr<Target> target, createCpuTarget(level.name));
      targets.push_back(std::move(target));
    }
    return targets;
  }
  if (family == "cpu") {
    INLAY_ASSIGN(std::unique_ptr<Target> target, createCpuTarget(member));
    targets.push_back(std::move(target));
    return targets;
  }
  if (family == "cuda") {
    INLAY_ASSIGN(std::unique_ptr<Target> target,
                 createCudaTarget(colon == std::string_view::npos ? kCudaBaseline : member));
    targets.push_back(std::move(target));
    return targets;
  }
  return invalidArgument("unknown target '{}'; targets are cpu, cpu:LEVEL (for example "
                         "cpu:x86-64-v3), cuda and cuda:ARCHITECTURE (for example cuda:sm_90a)",
                         name);
}

} // namespace inlay
