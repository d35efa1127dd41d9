#include "compiler/transforms/graph/ConvertPrecision.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/CallBinding.h"
#include "compiler/operators/OperatorTraits.h"
#include "compiler/transforms/graph/HalfConstants.h"

#include "mlir/IR/Verifier.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace inlay {
namespace {

constexpr double kLargestFloat16 = 65504;

graph::TensorType typeOf(mlir::Value value) {
  return llvm::cast<graph::TensorType>(value.getType());
}

DataType dtypeOf(mlir::Value value) {
  return *findDataType(std::string_view(typeOf(value).getDtype().getValue()));
}

/// A name that fits nothing is a misspelling: the model would be less exact than was asked for.
Status checkNames(graph::ModelOp model, const PrecisionOptions &options) {
  for (const std::string &entry : options.keepFp32) {
    PrecisionOptions alone;
    alone.keepFp32 = {entry};
    // Also calls of host segments, which stay in any case.
    const mlir::WalkResult found = model.getBlock().walk([&](graph::CallOp call) {
      return findKeptEntry(alone, call.getOp(), call.getNode()) ? mlir::WalkResult::interrupt()
                                                                : mlir::WalkResult::advance();
    });
    if (!found.wasInterrupted())
      return invalidArgument("'{}' is to stay in float32, but the model has no such operator and "
                             "no such node; operators are named as in aten::mul or "
                             "aten::mul.Tensor, nodes as in the build report",
                             entry);
  }
  return {};
}

uint64_t weightBytes(graph::ModelOp model) {
  uint64_t sum = 0;
  for (auto constant : model.getBlock().getOps<graph::ConstantOp>())
    if (!constant.getResult().use_empty()) {
      const TensorSpec spec = typeOf(constant.getResult()).getSpec();
      sum += static_cast<uint64_t>(*spec.numel().constantValue() * dataTypeSizeBytes(spec.dtype));
    }
  return sum;
}

/// How many calls stay, by operator and reason.
using KeptCounts = std::map<std::pair<std::string, std::string>, uint32_t>;

std::vector<KeptOperator> keptOperators(const KeptCounts &counts) {
  std::vector<KeptOperator> kept;
  for (const auto &[key, count] : counts)
    kept.push_back({key.first, key.second, count});
  return kept;
}

/// Marks the calls whose products may be of TF32.
PrecisionOutcome allowTf32(graph::ModelOp model, const PluginRegistry &plugins,
                           const ImplementationPolicies &policies,
                           std::span<const std::string> targets, const PrecisionOptions &options) {
  PrecisionOutcome outcome;
  outcome.type = options.name();
  outcome.weightBytesBefore = outcome.weightBytesAfter = weightBytes(model);
  const ShapeSymbols symbols = shapeSymbolsOf(model);
  KeptCounts kept;
  for (auto call : model.getBlock().getOps<graph::CallOp>()) {
    if (llvm::none_of(call.getInputs(),
                      [](mlir::Value input) { return dtypeOf(input) == DataType::Float32; }))
      continue;
    // What no plugin serves is reported when the graph is converted.
    const Result<PluginChoice> choice = choosePluginOf(call, plugins, symbols, policies, targets);
    const OperatorTraits *traits = choice.isOk() ? choice->plugin->traits() : nullptr;
    if (!traits || !traits->multipliesOnTensorCores)
      continue;
    if (findKeptEntry(options, call.getOp(), call.getNode())) {
      ++kept[{call.getOp().str(), whyKept(options, call.getOp(), call.getNode())}];
      continue;
    }
    call->setAttr(graph::kTf32Attribute, mlir::UnitAttr::get(model.getContext()));
    ++outcome.numConverted;
  }
  outcome.kept = keptOperators(kept);
  return outcome;
}

class PrecisionConverter {
public:
  PrecisionConverter(graph::ModelOp model, const PluginRegistry &plugins,
                     const ImplementationPolicies &policies, std::span<const std::string> targets,
                     const PrecisionOptions &options)
      : model_(model), plugins_(plugins), policies_(policies), targets_(targets), options_(options),
        half_(*options.type), symbols_(shapeSymbolsOf(model)), builder_(model.getContext()) {}

  Result<PrecisionOutcome> convert() {
    outcome_.type = options_.name();
    outcome_.weightBytesBefore = weightBytes(model_);
    for (mlir::Operation &op : llvm::make_early_inc_range(model_.getBlock())) {
      if (auto call = llvm::dyn_cast<graph::CallOp>(op))
        convertCall(call);
      else if (auto update = llvm::dyn_cast<graph::UpdateOp>(op))
        update.getValueMutable().assign(asFloat(update.getValue()));
      else if (!llvm::isa<graph::ConstantOp>(op)) // outputs, and groups of an optimised graph
        for (mlir::OpOperand &operand : op.getOpOperands())
          operand.set(asFloat(operand.get()));
    }
    for (auto constant : llvm::make_early_inc_range(model_.getBlock().getOps<graph::ConstantOp>()))
      if (halves_.contains(constant.getResult()) && constant.getResult().use_empty())
        constant.erase();
    outcome_.weightBytesAfter = weightBytes(model_);
    outcome_.kept = keptOperators(kept_);
    if (mlir::failed(mlir::verify(model_)))
      return internalError("the graph does not verify after it was converted to {}", outcome_.type);
    return std::move(outcome_);
  }

private:
  void convertCall(graph::CallOp call) {
    const bool hasFloat = llvm::any_of(call.getInputs(), [&](mlir::Value input) {
      return dtypeOf(input) == DataType::Float32 || floats_.contains(input);
    });
    if (!hasFloat)
      return;
    std::string reason = whyKept(options_, call.getOp(), call.getNode());
    if (reason.empty())
      reason = whyNotRepresentable(call);
    llvm::SmallVector<DataType> types;
    if (reason.empty())
      reason = typesWithHalves(call, types);
    if (!reason.empty()) {
      ++kept_[{call.getOp().str(), reason}];
      for (mlir::OpOperand &operand : call.getInputsMutable())
        operand.set(asFloat(operand.get()));
      return;
    }
    ++outcome_.numConverted;
    for (mlir::OpOperand &operand : call.getInputsMutable())
      operand.set(asHalf(operand.get()));
    for (auto [result, dtype] : llvm::zip_equal(call.getOutputs(), types))
      retype(result, dtype);
  }

  /// Numbers of the call that half precision does not have.
  std::string whyNotRepresentable(graph::CallOp call) {
    for (mlir::NamedAttribute argument : call.getArguments())
      if (auto number = llvm::dyn_cast<mlir::FloatAttr>(argument.getValue());
          number && half_ == DataType::Float16 && std::isfinite(number.getValueAsDouble()) &&
          std::fabs(number.getValueAsDouble()) > kLargestFloat16)
        return fmt::format("its argument '{}' is {:g}, which float16 cannot be",
                           argument.getName().str(), number.getValueAsDouble());
    for (mlir::Value input : call.getInputs()) {
      auto constant = input.getDefiningOp<graph::ConstantOp>();
      if (!constant || dtypeOf(input) != DataType::Float32)
        continue;
      auto [entry, isNew] = unfit_.try_emplace(constant);
      if (isNew)
        entry->second = whyNotHalf(constant, half_);
      if (!entry->second.empty())
        return entry->second;
    }
    return "";
  }

  /// Asks the plugin that serves the call with its float32 inputs in half precision for the types
  /// of its outputs. Gives why it must stay, or nothing.
  std::string typesWithHalves(graph::CallOp call, llvm::SmallVectorImpl<DataType> &types) {
    llvm::SmallVector<mlir::Type> before(call->getOperandTypes());
    std::vector<TensorSpec> outputs;
    Result<PluginChoice> choice = [&] {
      // The call is changed for a moment: what binds it reads the types of its operands.
      llvm::SmallVector<mlir::Value> inputs(call.getInputs());
      for (mlir::Value input : inputs)
        if (dtypeOf(input) == DataType::Float32)
          setType(input, half_);
      Result<PluginChoice> made = choosePluginOf(call, plugins_, symbols_, policies_, targets_);
      for (auto [input, type] : llvm::zip_equal(inputs, before))
        input.setType(type);
      return made;
    }();
    if (!choice.isOk())
      return "no plugin of it takes " + std::string(dataTypeName(half_));
    choice->node.outputs.clear();
    Result<PluginDescription> description = choice->plugin->describe(choice->node);
    if (!description.isOk())
      return "its plugin does not take " + std::string(dataTypeName(half_));
    if (description->outputs.size() != call.getNumResults())
      return "its plugin describes other outputs";
    for (auto [output, result] : llvm::zip_equal(description->outputs, call.getOutputs())) {
      const DataType was = dtypeOf(result);
      if (output.dtype != was && !(was == DataType::Float32 && output.dtype == half_))
        return fmt::format("it would give {} for {}", dataTypeName(output.dtype),
                           dataTypeName(was));
      types.push_back(output.dtype);
    }
    return "";
  }

  void setType(mlir::Value value, DataType dtype) {
    TensorSpec spec = typeOf(value).getSpec();
    spec.dtype = dtype;
    value.setType(graph::TensorType::of(model_.getContext(), spec));
  }

  void retype(mlir::Value result, DataType dtype) {
    if (dtypeOf(result) == dtype)
      return;
    setType(result, dtype);
    floats_.try_emplace(result); // no cast of it yet
  }

  /// The value in half precision, if it is float32.
  mlir::Value asHalf(mlir::Value value) {
    if (dtypeOf(value) != DataType::Float32)
      return value;
    mlir::Value &half = halves_[value];
    if (half)
      return half;
    auto constant = value.getDefiningOp<graph::ConstantOp>();
    const bool isState = llvm::any_of(value.getUsers(), [&](mlir::Operation *user) {
      auto update = llvm::dyn_cast<graph::UpdateOp>(user);
      return update && update.getTarget() == value;
    });
    if (constant && !isState && !model_->hasAttr(graph::kRefittableAttribute))
      return half = makeHalfConstant(constant, half_).getResult();
    return half = cast(value, half_);
  }

  /// A value that was float32 in the model, as such.
  mlir::Value asFloat(mlir::Value value) {
    const auto found = floats_.find(value);
    if (found == floats_.end())
      return value;
    if (!found->second) {
      const mlir::Value made = cast(value, DataType::Float32);
      floats_[value] = made;
      return made;
    }
    return found->second;
  }

  /// Casts a value where it is made, so that one cast serves all its users.
  mlir::Value cast(mlir::Value value, DataType dtype) {
    ++outcome_.numCasts;
    if (mlir::Operation *maker = value.getDefiningOp())
      builder_.setInsertionPointAfter(maker);
    else
      builder_.setInsertionPointToStart(&model_.getBlock());
    TensorSpec spec = typeOf(value).getSpec();
    spec.dtype = dtype;
    auto name = graph::attributeOf(model_.getContext(), AttributeValue(dtype));
    return graph::CallOp::create(builder_, value.getLoc(),
                                 mlir::TypeRange(graph::TensorType::of(model_.getContext(), spec)),
                                 "aten::_to_copy",
                                 fmt::format("to_{}_{}", dataTypeName(dtype), outcome_.numCasts),
                                 mlir::ValueRange(value), builder_.getStrArrayAttr({"self"}),
                                 builder_.getDictionaryAttr(builder_.getNamedAttr("dtype", name)))
        .getOutputs()[0];
  }

  graph::ModelOp model_;
  const PluginRegistry &plugins_;
  const ImplementationPolicies &policies_;
  std::span<const std::string> targets_;
  const PrecisionOptions &options_;
  DataType half_;
  ShapeSymbols symbols_;
  mlir::OpBuilder builder_;
  llvm::DenseMap<mlir::Value, mlir::Value> halves_; // of float32 values
  /// Values that were float32 and are not any more, with the casts back, if there are any.
  llvm::DenseMap<mlir::Value, mlir::Value> floats_;
  llvm::DenseMap<mlir::Operation *, std::string> unfit_; // constants: why they cannot be converted
  KeptCounts kept_;
  PrecisionOutcome outcome_;
};

} // namespace

Result<PrecisionOutcome> convertPrecision(graph::ModelOp model, const PluginRegistry &plugins,
                                          const ImplementationPolicies &policies,
                                          std::span<const std::string> targets,
                                          const PrecisionOptions &options) {
  INLAY_TRY(checkNames(model, options));
  if (options.allowsTf32)
    return allowTf32(model, plugins, policies, targets, options);
  return PrecisionConverter(model, plugins, policies, targets, options).convert();
}

} // namespace inlay
