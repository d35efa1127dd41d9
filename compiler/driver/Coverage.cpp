#include "compiler/driver/Coverage.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/CallBinding.h"
#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/driver/CompileKernels.h"
#include "compiler/transforms/graph/Partition.h"

#include <algorithm>
#include <map>

namespace inlay {
namespace {

std::string typeText(mlir::Type type) {
  const TensorSpec spec = mlir::cast<graph::TensorType>(type).getSpec();
  std::string sizes;
  for (const Expr &size : spec.shape)
    sizes += (sizes.empty() ? "" : ", ") + size.toString();
  return fmt::format("{}[{}]", dataTypeName(spec.dtype), sizes);
}

std::string typesText(graph::CallOp call) {
  std::string inputs, outputs;
  for (auto [name, input] :
       llvm::zip(call.getArgNames().getAsRange<mlir::StringAttr>(), call.getInputs()))
    inputs += fmt::format("{}{}: {}", inputs.empty() ? "" : ", ", name.getValue().str(),
                          typeText(input.getType()));
  for (mlir::Value output : call.getOutputs())
    outputs += (outputs.empty() ? "" : ", ") + typeText(output.getType());
  return fmt::format("({}) -> {}", inputs, outputs.empty() ? "()" : outputs);
}

/// What would serve an operator of which some calls are not served.
std::string helpFor(const OperatorCoverage &coverage, const PluginRegistry &plugins) {
  const std::string nearest = nearestPlugin(coverage.op, plugins.opNames());
  if (!nearest.empty())
    return fmt::format("there is a plugin for {}: is the name right?", nearest);
  if (!coverage.unserved.front().reason.empty())
    return fmt::format("a plugin of yours for {} takes the place of the built-in one", coverage.op);
  if (coverage.op.starts_with("aten::"))
    return "call run_decompositions() before the model is saved, which may replace it by operators "
           "that there are, or give it a plugin (--plugin FILE.toml)";
  return "give it a plugin (--plugin FILE.toml)";
}

std::vector<CoverageTensor> tensorsOf(mlir::ArrayAttr names, mlir::ValueRange values) {
  std::vector<CoverageTensor> tensors;
  for (auto [name, value] : llvm::zip(names.getAsRange<mlir::StringAttr>(), values))
    tensors.push_back(
        {name.getValue().str(), typeText(value.getType()), false, graph::nameOf(value)});
  return tensors;
}

CoverageTensor tensorOf(mlir::Value value) {
  return {graph::nameOf(value), typeText(value.getType()),
          value.getDefiningOp<graph::ConstantOp>() != nullptr, ""};
}

CoverageNode nodeOf(mlir::Operation &op, const graph::Partition &partition) {
  CoverageNode node;
  node.place = placeOf(op.getLoc());
  for (mlir::Value result : op.getResults())
    node.results.push_back(tensorOf(result));
  auto call = llvm::dyn_cast<graph::CallOp>(op);
  std::vector<std::string> names(op.getNumOperands());
  if (call) {
    const graph::CallService service = partition.services.lookup(call);
    node.node = call.getNode().str();
    node.op = call.getOp().str();
    node.plugin = service.plugin;
    node.reason = service.reason;
    node.cause = service.cause;
    names = tensorNamesOf(call);
  } else if (auto group = llvm::dyn_cast<graph::GroupOp>(op)) {
    node.node = group.getNode().str();
    node.op = fmt::format("group \"{}\"", group.getKind().str());
    node.plugin = "the plugins of its calls";
  } else {
    node.node = node.op = llvm::cast<graph::SegmentOp>(op).getFunction().str();
    node.cause = HostCause::NotServed;
    node.reason = "it is a host segment of the graph that was read";
  }
  for (auto [name, operand] : llvm::zip(names, op.getOperands()))
    node.operands.emplace_back(name, tensorOf(operand));
  return node;
}

/// What would take the calls of a host segment to the device.
std::vector<std::string> helpFor(const CoverageBlock &block, const CoverageReport &report) {
  std::set<std::string> help;
  for (size_t index : block.nodes) {
    const CoverageNode &node = report.nodes[index];
    const auto coverage = std::ranges::find(report.operators, node.op, &OperatorCoverage::op);
    if (node.plugin.empty() && coverage != report.operators.end())
      help.insert(fmt::format("{}: {}", node.op, coverage->help));
    else if (node.cause == HostCause::Excluded)
      help.insert("leave out --exclude: a plugin serves what it names");
    else if (node.cause == HostCause::SmallBlock)
      help.insert("a smaller --min-block-size: plugins serve the calls of small blocks");
  }
  return {help.begin(), help.end()};
}

void addBlocks(CoverageReport &report, graph::ModelOp graph, const graph::Partition &partition) {
  llvm::DenseMap<mlir::Operation *, size_t> indices;
  for (mlir::Operation &op : graph.getBlock())
    if (llvm::isa<graph::CallOp, graph::GroupOp, graph::SegmentOp>(op)) {
      indices[&op] = report.nodes.size();
      report.nodes.push_back(nodeOf(op, partition));
    }
  for (const graph::PartitionBlock &from : partition.blocks) {
    CoverageBlock &block = report.blocks.emplace_back();
    block.function = from.function;
    for (graph::CallOp call : from.calls) {
      block.nodes.push_back(indices.lookup(call));
      report.nodes[block.nodes.back()].block = report.blocks.size() - 1;
    }
    for (mlir::Value input : from.inputs)
      block.inputs.push_back(tensorOf(input));
    for (mlir::Value output : from.outputs)
      block.outputs.push_back(tensorOf(output));
    if (!block.function.empty())
      block.help = helpFor(block, report);
  }
}

} // namespace

size_t CoverageReport::numCalls() const {
  size_t count = 0;
  for (const OperatorCoverage &coverage : operators)
    count += coverage.numCalls;
  return count;
}

size_t CoverageReport::numUnserved() const {
  size_t count = 0;
  for (const OperatorCoverage &coverage : operators)
    count += coverage.unserved.size();
  return count;
}

size_t CoverageReport::numHostSegments() const {
  return static_cast<size_t>(std::ranges::count_if(
      blocks, [](const CoverageBlock &block) { return !block.function.empty(); }));
}

Result<CoverageReport> coverOperators(const Model &model, const PluginRegistry &plugins,
                                      const BuildOptions &options) {
  if (model.stage() == Stage::Plan)
    return invalidArgument("'{}' is a plan, whose operators are kernels already; expected a .pt2 "
                           "or the text of stage graph",
                           model.name());
  INLAY_ASSIGN(const std::vector<std::unique_ptr<Target>> targets,
               createBuildTargets(options.targets));
  std::vector<std::string> targetNames;
  for (const std::unique_ptr<Target> &target : targets)
    targetNames.push_back(target->name());
  graph::ModelOp graph = *model.module().getOps<graph::ModelOp>().begin();
  CoverageReport report;
  report.model = model.name();
  report.inputs = tensorsOf(graph.getInputNames(), graph.getBlock().getArguments());
  report.outputs = tensorsOf(graph.getOutputNames(), graph.getResultTensors());
  for (auto constant : graph.getBlock().getOps<graph::ConstantOp>()) {
    const TensorSpec spec = mlir::cast<graph::TensorType>(constant.getResult().getType()).getSpec();
    ++report.numConstants;
    report.constantBytes += static_cast<uint64_t>(spec.numel().constantValue().value_or(0) *
                                                  dataTypeSizeBytes(spec.dtype));
  }
  const ShapeSymbols symbols = shapeSymbolsOf(graph);
  std::map<std::string, OperatorCoverage> operators;
  graph.getBlock().walk([&](graph::CallOp call) {
    OperatorCoverage &coverage = operators[call.getOp().str()];
    coverage.op = call.getOp().str();
    ++coverage.numCalls;
    const bool hasPlugin = plugins.find(coverage.op) != nullptr;
    const Result<const PluginDefinition *> plugin =
        lookupServer(call, plugins, symbols, options.policies, targetNames);
    if (plugin.isOk())
      coverage.plugins.insert((*plugin)->origin());
    else
      coverage.unserved.push_back({call.getNode().str(), placeOf(call.getLoc()), typesText(call),
                                   hasPlugin ? plugin.status().message() : ""});
  });
  for (auto &[op, coverage] : operators) {
    if (!coverage.unserved.empty())
      coverage.help = helpFor(coverage, plugins);
    report.operators.push_back(std::move(coverage));
  }
  PartitionOptions divided = options.partition;
  report.allowsHostSegments = divided.allowsHostSegments;
  divided.allowsHostSegments |= divided.isDefault(); // to show what it could be
  INLAY_ASSIGN(const graph::Partition partition,
               graph::partitionCalls(graph, plugins, options.policies, targetNames, divided),
               "dividing the model between device and host");
  addBlocks(report, graph, partition);
  return report;
}

} // namespace inlay
