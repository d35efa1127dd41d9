#include "compiler/conversions/graph-to-plan/GraphToPlan.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/CallBinding.h"
#include "compiler/conversions/graph-to-plan/ComputedSizes.h"
#include "compiler/conversions/graph-to-plan/GraphLimits.h"
#include "compiler/conversions/graph-to-plan/HostSegments.h"
#include "compiler/conversions/graph-to-plan/KernelInstances.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"
#include "compiler/conversions/graph-to-plan/NodeLaunches.h"
#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"
#include "compiler/conversions/graph-to-plan/PlanBuilder.h"
#include "compiler/conversions/graph-to-plan/SizeOutputs.h"
#include "compiler/conversions/graph-to-plan/UpdatedInputs.h"
#include "compiler/conversions/graph-to-plan/ValueStorage.h"
#include "compiler/dialects/graph/Graph.h"

#include "mlir/IR/Verifier.h"

#include <algorithm>
#include <set>

namespace inlay {

namespace {

/// Bytes of a dense tensor.
Expr sizeBytes(const TensorSpec &spec) {
  return spec.numel() * Expr(dataTypeSizeBytes(spec.dtype));
}

TensorSpec specOf(mlir::Value value) {
  return mlir::cast<graph::TensorType>(value.getType()).getSpec();
}

llvm::StringRef textAt(mlir::ArrayAttr texts, size_t index) {
  return mlir::cast<mlir::StringAttr>(texts[index]).getValue();
}

/// Converts one graph.model.
class GraphConverter {
public:
  GraphConverter(graph::ModelOp model, const PluginRegistry &plugins,
                 const ImplementationPolicies &policies, std::span<const std::string> targets,
                 const LibraryUse &libraries)
      : model_(model), plugins_(plugins), policies_(policies), targets_(targets),
        libraries_(libraries), plan_(*model.getContext()), kernels_(*model.getContext()) {}

  Result<PlanConversion> convert() {
    INLAY_TRY(checkOperatorsSupported(model_, plugins_));
    INLAY_TRY(checkLowerable(model_, plugins_));
    symbols_ = shapeSymbolsOf(model_);
    addInputs();
    for (mlir::Operation &op : model_.getBlock())
      if (auto call = llvm::dyn_cast<graph::CallOp>(op))
        INLAY_TRY(describeCall(call));
      else if (auto group = llvm::dyn_cast<graph::GroupOp>(op))
        INLAY_TRY(describeGroup(group));
    reserveOutputs();
    INLAY_TRY(addModelChecks());
    size_t next = 0;
    for (mlir::Operation &op : model_.getBlock()) {
      if (auto constant = llvm::dyn_cast<graph::ConstantOp>(op))
        addConstant(constant);
      if (auto segment = llvm::dyn_cast<graph::SegmentOp>(op))
        INLAY_TRY(convertSegment(segment));
      if (llvm::isa<graph::CallOp, graph::GroupOp>(op))
        INLAY_TRY(convertNode(described_[next++]));
    }
    addOutputs();
    INLAY_TRY(addSizeOutputs());
    addUpdates();
    for (mlir::OwningOpRef<plan::KernelOp> &kernel : kernels_.take())
      plan_.addKernel(std::move(kernel));
    return finish();
  }

private:
  /// Inputs bind the symbols: each symbol at the first dimension that is the bare symbol.
  void addInputs() {
    for (auto [i, argument] : llvm::enumerate(model_.getBlock().getArguments())) {
      TensorSpec spec = specOf(argument);
      llvm::StringRef name = textAt(model_.getInputNames(), i);
      std::string buffer =
          plan_.addBuffer(model_.getLoc(), name, plan::BufferKind::Input, sizeBytes(spec));
      plan_.addInput(model_.getLoc(), name, spec.dtype, spec.shape, buffer,
                     textAt(model_.getInputPaths(), i));
      buffers_[argument] = buffer;
      for (size_t dim = 0; dim < spec.shape.size(); ++dim)
        bindSymbol(spec.shape[dim], static_cast<uint32_t>(i), static_cast<uint32_t>(dim));
    }
  }

  void bindSymbol(const Expr &dimension, uint32_t input, uint32_t dim) {
    if (dimension.kind() != ExprKind::Symbol || !bound_.insert(dimension.symbolName()).second)
      return;
    const ShapeSymbol *symbol = symbols_.find(dimension.symbolName());
    plan_.addSymbol(model_.getLoc(), dimension.symbolName(), symbol->min, symbol->max, symbol->hint,
                    input, dim);
  }

  /// A value that is an output is computed right into the output's buffer, if it is computed at all
  /// and not an output before.
  void reserveOutputs() {
    for (auto [i, value] : llvm::enumerate(model_.getResultTensors())) {
      std::string buffer = plan_.addBuffer(model_.getLoc(), textAt(model_.getOutputNames(), i),
                                           plan::BufferKind::Output, sizeBytes(specOf(value)));
      outputBuffers_.push_back(buffer);
      if (llvm::isa_and_nonnull<graph::CallOp, graph::GroupOp, graph::SegmentOp>(
              value.getDefiningOp()))
        buffers_.try_emplace(storage_.first(value), buffer);
    }
  }

  Status addModelChecks() {
    for (auto entry : model_.getChecks().getAsRange<mlir::DictionaryAttr>()) {
      std::string text = entry.getAs<mlir::StringAttr>("condition").str();
      INLAY_ASSIGN(Expr condition, parseExpr(text), "reading a check of the model");
      plan_.addCheck(model_.getLoc(), condition,
                     entry.getAs<mlir::StringAttr>("message").getValue());
    }
    return {};
  }

  void addConstant(graph::ConstantOp constant) {
    const bool isState = llvm::any_of(constant.getResult().getUsers(), [&](mlir::Operation *user) {
      auto update = llvm::dyn_cast<graph::UpdateOp>(user);
      return update && update.getTarget() == constant.getResult();
    });
    // A parameter that nothing uses stays out of the engine.
    if (constant.getResult().use_empty())
      return;
    const TensorSpec spec = specOf(constant.getResult());
    std::string &buffer = buffers_[constant.getResult()];
    buffer = plan_.addBuffer(constant.getLoc(), constant.getName(),
                             isState ? plan::BufferKind::State : plan::BufferKind::Constant,
                             sizeBytes(spec), constant.getData());
    if (model_->hasAttr(graph::kRefittableAttribute))
      plan_.addWeight(constant.getLoc(), constant.getName(), spec, buffer);
  }

  void addOutputs() {
    for (auto [i, value] : llvm::enumerate(model_.getResultTensors())) {
      TensorSpec spec = specOf(value);
      const std::string &buffer = outputBuffers_[i], &computed = bufferOf(value);
      plan_.addOutput(model_.getLoc(), textAt(model_.getOutputNames(), i), spec.dtype, spec.shape,
                      buffer, textAt(model_.getOutputPaths(), i));
      if (computed != buffer)
        plan_.addCopy(model_.getLoc(), computed, buffer);
    }
  }

  /// Outputs of the model that are sizes stand behind its tensors: a kernel stores what its launch
  /// passes.
  Status addSizeOutputs() {
    INLAY_ASSIGN(const std::vector<SizeOutput> outputs, sizeOutputsOf(model_));
    for (const SizeOutput &output : outputs) {
      PluginNode node;
      node.nodeName = output.name;
      node.outputs.push_back({DataType::Int64, {}});
      NodeBuffers buffers;
      buffers.outputs.push_back(plan_.addBuffer(model_.getLoc(), output.name,
                                                plan::BufferKind::Output,
                                                Expr(dataTypeSizeBytes(DataType::Int64))));
      plan_.addOutput(model_.getLoc(), output.name, DataType::Int64, {}, buffers.outputs[0],
                      output.path);
      NodeLaunches launches(plan_, kernels_, symbols_, node, model_.getLoc());
      INLAY_TRY(launches.add(storeSize(output), nullptr, buffers),
                fmt::format("storing the output '{}', which is a size", output.name));
    }
    return {};
  }

  /// State gets its value when all else has been read. What lies in other state is put aside first,
  /// since that state may get its own value before.
  void addUpdates() {
    struct Update {
      graph::UpdateOp op;
      std::string from, to;
    };
    std::vector<Update> updates;
    for (auto op : model_.getBlock().getOps<graph::UpdateOp>()) {
      Update update{op, bufferOf(op.getValue()), bufferOf(op.getTarget())};
      if (update.from != update.to)
        updates.push_back(std::move(update));
    }
    const auto isOverwritten = [&](const std::string &buffer) {
      return llvm::any_of(updates, [&](const Update &update) { return update.to == buffer; });
    };
    for (Update &update : updates)
      if (isOverwritten(update.from)) {
        const std::string aside =
            plan_.addBuffer(update.op.getLoc(), update.to + ".next", plan::BufferKind::Intermediate,
                            sizeBytes(specOf(update.op.getValue())));
        plan_.addCopy(update.op.getLoc(), update.from, aside);
        update.from = aside;
      }
    for (Update &update : updates)
      plan_.addCopy(update.op.getLoc(), update.from, update.to);
  }

  /// The buffer that a value lies in; empty if it has none yet.
  std::string &bufferOf(mlir::Value value) { return buffers_[storage_.first(value)]; }

  /// A call or a group, the plugin that serves it, and what that says of its outputs.
  struct DescribedCall {
    mlir::Operation *call;
    PluginChoice choice;
    std::vector<std::string> tensorNames; // of the operands
    PluginDescription description;
    std::vector<PluginRequirement> runTime;
    std::vector<std::string> sizeSymbols; // of the computed sizes
  };

  Status describeCall(graph::CallOp call) {
    INLAY_ASSIGN(PluginChoice choice,
                 choosePluginOf(call, plugins_, symbols_, policies_, targets_));
    noteChoice(choice);
    described_.push_back({call, std::move(choice), tensorNamesOf(call), {}, {}, {}});
    return describeNode(described_.back());
  }

  /// What is checked of single calls is checked of those of a group; the plugin of the group is
  /// made here.
  Status describeGroup(graph::GroupOp op) {
    INLAY_ASSIGN(BoundGroup bound, bindGroup(op, plugins_, symbols_, policies_, targets_));
    DescribedCall described{op, {}, {}, {}, {}, {}};
    for (const PluginChoice &choice : bound.choices) {
      noteChoice(choice);
      DescribedCall member{nullptr, choice, {}, {}, {}, {}};
      INLAY_TRY(checkDescription(member));
      described.runTime.insert(described.runTime.end(), member.runTime.begin(),
                               member.runTime.end());
    }
    described.choice.node = groupNode(bound.group, op.getNode().str());
    described.choice.node.targets.assign(targets_.begin(), targets_.end());
    described.tensorNames = described.choice.node.inputNames;
    described.choice.plugin = groups_.emplace_back(makeGroupPlugin(std::move(bound.group))).get();
    noteChoice(described.choice);
    described_.push_back(std::move(described));
    return describeNode(described_.back());
  }

  void noteChoice(const PluginChoice &choice) {
    const std::string &variant = choice.plugin->variant();
    chosen_[choice.node.nodeName] = fmt::format(
        "{}{}{}", choice.plugin->origin(),
        variant.empty() ? "" : fmt::format(", variant '{}'", variant),
        plugins_.overridesBuiltin(*choice.plugin) ? ", in place of the built-in plugin" : "");
    for (const std::string &reason : choice.passedOver)
      notes_.push_back("passed over: " + reason);
  }

  Status describeNode(DescribedCall &described) {
    INLAY_TRY(checkDescription(described));
    const PluginNode &node = described.choice.node;
    for (const auto &[output, input] : described.description.aliasedInputs)
      if (std::optional<unsigned> operand = findOperand(described, node.inputNames[input]))
        storage_.alias(described.call, output, *operand);
    for (const auto &[output, input] : described.description.sharedInputs)
      if (std::optional<unsigned> operand = findOperand(described, node.inputNames[input]))
        storage_.share(described.call, output, *operand);
    return {};
  }

  /// Asks the plugin what it says of the outputs, and checks that.
  Status checkDescription(DescribedCall &described) {
    const PluginDefinition &plugin = *described.choice.plugin;
    PluginNode &node = described.choice.node;
    // What the exporter recorded is no plugin's business while it describes.
    PluginNode undescribed = node;
    undescribed.outputs.clear();
    PluginDescription &description = described.description;
    INLAY_ASSIGN(description, plugin.describe(undescribed),
                 "converting " + inlay::describeNode(plugin, node));
    INLAY_ASSIGN(described.sizeSymbols,
                 bindComputedSizes(plugin, node, description, bound_, symbols_, described.runTime));
    bound_.insert(described.sizeSymbols.begin(), described.sizeSymbols.end());
    node.sizes = description.sizes;
    INLAY_TRY(checkOutputs(plugin, node, description, symbols_, described.runTime));
    INLAY_TRY(checkAliases(plugin, node, description));
    INLAY_TRY(checkViews(plugin, node, description, symbols_, described.runTime));
    return checkRequirements(plugin, node, description.requirements, symbols_, described.runTime);
  }

  /// The operand of a call that an input of its plugin is.
  static std::optional<unsigned> findOperand(const DescribedCall &described,
                                             const std::string &name) {
    const auto at = std::ranges::find(described.tensorNames, name);
    if (at == described.tensorNames.end())
      return std::nullopt;
    return static_cast<unsigned>(at - described.tensorNames.begin());
  }

  Status convertNode(const DescribedCall &described) {
    mlir::Operation *call = described.call;
    const PluginDefinition &plugin = *described.choice.plugin;
    const PluginNode &node = described.choice.node;
    const std::string context = "converting " + inlay::describeNode(plugin, node);
    for (const PluginRequirement &requirement : described.runTime)
      plan_.addCheck(call->getLoc(), requirement.condition, requirement.message);

    INLAY_ASSIGN(const ImplementationChoice choice, policies_.choose(plugin), context);
    implementations_[node.nodeName] = {choice.isJit, choice.reason};
    PluginImplementation implementation;
    if (choice.isJit) {
      INLAY_ASSIGN(const std::optional<Expr> bytes, plugin.hostWorkspace(node), context);
      if (bytes)
        implementation.workspaces.push_back({"workspace", DataType::UInt8, *bytes});
    } else {
      PluginNode implemented = node;
      implemented.libraries = libraries_;
      implemented.readAutotune = [&](const TritonKernel &kernel) {
        return kernels_.readAutotune(kernel);
      };
      INLAY_ASSIGN(implementation, plugin.implement(implemented), context);
    }
    INLAY_TRY(checkLaunchValues(plugin, node, implementation, symbols_));
    INLAY_TRY(checkSizesAreNotNeeded(plugin, node, implementation, described.sizeSymbols));
    INLAY_ASSIGN(const std::vector<DecidedTactic> decided,
                 decideTactics(plugin, node, implementation, symbols_));
    NodeBuffers buffers;
    for (const std::string &name : node.inputNames) {
      const std::optional<unsigned> operand = findOperand(described, name);
      buffers.inputs.push_back(operand ? bufferOf(call->getOperand(*operand)) : "");
    }
    addNodeBuffers(call, node, implementation, buffers);
    for (const auto &[output, input] : described.description.aliasedInputs)
      if (buffers.inputs[input] != buffers.outputs[output]) {
        plan_.addCopy(call->getLoc(), buffers.inputs[input], buffers.outputs[output]);
        buffers.inputs[input] = buffers.outputs[output];
      }
    addSizeBuffers(described, buffers);
    if (choice.isJit)
      addHostCall(call, plugin, node, buffers);
    NodeLaunches launches(plan_, kernels_, symbols_, node, call->getLoc());
    buffers.choice = launches.addChoice(implementation, decided, buffers, notes_);
    for (const PluginLaunch &launch : implementation.launches) {
      const PluginTactic *tactic =
          launch.tactic ? &implementation.tactics[*launch.tactic] : nullptr;
      if (tactic && decided[*launch.tactic].isImpossible)
        continue;
      INLAY_TRY(launches.add(launch, tactic, buffers), context);
    }
    for (auto [i, size] : llvm::enumerate(node.sizes))
      plan_.addReadSize(call->getLoc(), described.sizeSymbols[i], buffers.sizes[i], size.dtype,
                        node.opName, node.nodeName);
    return {};
  }

  /// One host call, whose function is told what it computes.
  Status convertSegment(graph::SegmentOp segment) {
    INLAY_TRY(checkSegment(segment, bound_));
    std::vector<std::string> inputs, outputs;
    std::vector<TensorSpec> tensors;
    for (mlir::Value input : segment.getInputs()) {
      inputs.push_back(bufferOf(input));
      tensors.push_back(specOf(input));
    }
    for (auto [i, output] : llvm::enumerate(segment.getOutputs())) {
      tensors.push_back(specOf(output));
      std::string &buffer = bufferOf(output);
      if (buffer.empty())
        buffer = plan_.addBuffer(segment.getLoc(), textAt(segment.getOutputNames(), i),
                                 plan::BufferKind::Intermediate, sizeBytes(tensors.back()));
      outputs.push_back(buffer);
    }
    const std::string node = segment.getFunction().split("::").second.str();
    chosen_[node] = "a function of the process";
    implementations_[node] = {true, "host segment"};
    plan_.addHostCall(segment.getLoc(), segment.getFunction(), inputs, outputs, tensors,
                      segmentAttributes(segment), "", node);
    return {};
  }

  /// Memory for the sizes that kernels compute: an output's, or their own. They begin as 0.
  void addSizeBuffers(const DescribedCall &described, NodeBuffers &buffers) {
    mlir::Operation *call = described.call;
    const PluginNode &node = described.choice.node;
    for (auto [i, size] : llvm::enumerate(node.sizes)) {
      const int64_t bytes = dataTypeSizeBytes(size.dtype);
      std::string buffer;
      for (const auto &[output, index] : described.description.sizeOutputs)
        if (index == i)
          buffer = buffers.outputs[output];
      if (buffer.empty())
        buffer = plan_.addBuffer(call->getLoc(), node.nodeName + "." + size.name,
                                 plan::BufferKind::Intermediate, Expr(bytes));
      plan_.addComputedSymbol(call->getLoc(), described.sizeSymbols[i], size.bound,
                              symbols_.find(described.sizeSymbols[i])->max,
                              symbols_.find(described.sizeSymbols[i])->hint);
      plan_.addCopy(call->getLoc(), zeros(bytes), buffer);
      buffers.sizes.push_back(std::move(buffer));
    }
  }

  /// A constant of so many bytes of 0.
  const std::string &zeros(int64_t bytes) {
    std::string &buffer = zeros_[bytes];
    if (buffer.empty()) {
      auto type = mlir::RankedTensorType::get({bytes}, plan_.builder().getI8Type());
      buffer = plan_.addBuffer(model_.getLoc(), "zeros", plan::BufferKind::Constant, Expr(bytes),
                               mlir::DenseElementsAttr::get(type, llvm::APInt(8, 0)));
    }
    return buffer;
  }

  void addNodeBuffers(mlir::Operation *call, const PluginNode &node,
                      const PluginImplementation &implementation, NodeBuffers &buffers) {
    for (auto [i, output] : llvm::enumerate(call->getResults())) {
      std::string &buffer = bufferOf(output);
      if (buffer.empty()) {
        std::string name =
            node.nodeName + (call->getNumResults() > 1 ? "." + std::to_string(i) : "");
        buffer = plan_.addBuffer(call->getLoc(), name, plan::BufferKind::Intermediate,
                                 sizeBytes(specOf(output)));
      }
      buffers.outputs.push_back(buffer);
    }
    for (const Workspace &workspace : implementation.workspaces)
      buffers.workspaces.push_back(
          plan_.addBuffer(call->getLoc(), node.nodeName + "." + workspace.name,
                          plan::BufferKind::Workspace, workspace.sizeBytes));
  }

  /// The inputs that the node has; optional ones that it does not have are left out.
  void addHostCall(mlir::Operation *call, const PluginDefinition &plugin, const PluginNode &node,
                   const NodeBuffers &buffers) {
    std::vector<std::string> inputs;
    std::vector<TensorSpec> tensors;
    for (size_t i = 0; i < buffers.inputs.size(); ++i)
      if (!buffers.inputs[i].empty()) {
        inputs.push_back(buffers.inputs[i]);
        tensors.push_back(node.inputs[i]);
      }
    for (mlir::Value output : call->getResults())
      tensors.push_back(specOf(output));
    // Sizes that are no results follow them: the function writes them too.
    std::vector<std::string> outputs = buffers.outputs;
    for (size_t i = 0; i < buffers.sizes.size(); ++i)
      if (std::ranges::find(outputs, buffers.sizes[i]) == outputs.end()) {
        outputs.push_back(buffers.sizes[i]);
        tensors.push_back({node.sizes[i].dtype, {}});
      }
    llvm::SmallVector<mlir::NamedAttribute> attributes;
    for (const auto &[name, value] : node.attributes)
      attributes.emplace_back(plan_.builder().getStringAttr(name),
                              graph::attributeOf(model_.getContext(), value));
    const std::string function = plugin.opName();
    plan_.addHostCall(call->getLoc(), function, inputs, outputs, tensors,
                      plan_.builder().getDictionaryAttr(attributes),
                      buffers.workspaces.empty() ? "" : buffers.workspaces[0], node.nodeName);
  }

  /// Refuses a plan whose expressions use symbols that no input gives a value to.
  Status checkSymbolsAreBound(plan::ProgramOp program) {
    for (mlir::Operation &op : program.getBody().front()) {
      Status status;
      plan::forEachExpression(op, [&](llvm::StringRef text) {
        Result<Expr> expr = parseExpr(std::string_view(text));
        for (const std::string &name : expr.isOk() ? symbolsOf(*expr) : std::vector<std::string>())
          if (!bound_.count(name) && status.isOk())
            status = unimplemented(
                "size '{}' depends on symbol '{}', which is not the size of any input dimension; "
                "symbols found only inside expressions are not supported, and a size that depends "
                "on data is declared by the plugin that computes it, among its 'sizes'",
                std::string_view(text), name);
      });
      INLAY_TRY(std::move(status));
    }
    return {};
  }

  Result<PlanConversion> finish() {
    PlanConversion conversion;
    conversion.module = plan_.finish(model_.getLoc(), model_.getSymName());
    conversion.notes = kernels_.takeNotes();
    conversion.notes.insert(conversion.notes.end(), notes_.begin(), notes_.end());
    conversion.plugins = std::move(chosen_);
    conversion.implementations = std::move(implementations_);
    auto program = *conversion.module->getOps<plan::ProgramOp>().begin();
    INLAY_TRY(checkSymbolsAreBound(program));
    markUpdatedInputs(program);
    std::string diagnostics;
    mlir::ScopedDiagnosticHandler handler(model_.getContext(), [&](mlir::Diagnostic &diagnostic) {
      diagnostics += diagnostic.str() + "\n";
      return mlir::success();
    });
    if (mlir::failed(mlir::verify(*conversion.module)))
      return internalError("the plan does not verify:\n{}", diagnostics);
    return conversion;
  }

  graph::ModelOp model_;
  const PluginRegistry &plugins_;
  const ImplementationPolicies &policies_;
  std::span<const std::string> targets_;
  const LibraryUse &libraries_;
  ShapeSymbols symbols_;
  std::set<std::string> bound_;
  std::vector<std::unique_ptr<PluginDefinition>> groups_;
  std::vector<DescribedCall> described_;
  ValueStorage storage_;
  std::map<std::string, std::string> chosen_; // by node: its plugin
  std::map<std::string, NodeImplementation> implementations_;
  std::vector<std::string> notes_;
  PlanBuilder plan_;
  KernelInstances kernels_;
  llvm::DenseMap<mlir::Value, std::string> buffers_;
  std::vector<std::string> outputBuffers_;
  std::map<int64_t, std::string> zeros_; // constants, by their bytes
};

} // namespace

Result<PlanConversion> convertGraphToPlan(mlir::ModuleOp module, const PluginRegistry &plugins,
                                          const ImplementationPolicies &policies,
                                          std::span<const std::string> targets,
                                          const LibraryUse &libraries) {
  auto models = module.getOps<graph::ModelOp>();
  if (!llvm::hasSingleElement(models))
    return invalidArgument("expected one graph.model, found {}",
                           std::distance(models.begin(), models.end()));
  return GraphConverter(*models.begin(), plugins, policies, targets, libraries).convert();
}

} // namespace inlay
