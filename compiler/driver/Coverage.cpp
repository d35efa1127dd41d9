#include "compiler/driver/Coverage.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/CallBinding.h"
#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/driver/CompileKernels.h"

#include <nlohmann/json.hpp>

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

/// The plugin that serves a call, or why none does.
Result<const PluginDefinition *> pluginOf(graph::CallOp call, const PluginRegistry &plugins,
                                          const ShapeSymbols &symbols, const BuildOptions &options,
                                          std::span<const std::string> targets) {
  INLAY_ASSIGN(PluginChoice choice,
               choosePluginOf(call, plugins, symbols, options.policies, targets));
  PluginNode node = choice.node;
  node.outputs.clear(); // what the exporter recorded is no plugin's business here
  INLAY_ASSIGN([[maybe_unused]] const PluginDescription description, choice.plugin->describe(node));
  return choice.plugin;
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
    tensors.push_back({name.getValue().str(), typeText(value.getType())});
  return tensors;
}

nlohmann::ordered_json jsonOf(const std::vector<CoverageTensor> &tensors) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CoverageTensor &tensor : tensors)
    list.push_back({{"name", tensor.name}, {"type", tensor.type}});
  return list;
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
        hasPlugin ? pluginOf(call, plugins, symbols, options, targetNames)
                  : Result<const PluginDefinition *>(notFound("there is no plugin"));
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
  return report;
}

std::string coverageText(const CoverageReport &report) {
  std::string text = fmt::format("{}: {} of {} calls of {} operators are served\n", report.model,
                                 report.numCalls() - report.numUnserved(), report.numCalls(),
                                 report.operators.size());
  for (const auto &[what, tensors] :
       {std::pair("input", &report.inputs), std::pair("output", &report.outputs)})
    for (const CoverageTensor &tensor : *tensors)
      text += fmt::format("  {} {}: {}\n", what, tensor.name, tensor.type);
  text += fmt::format("  {} constants, {} bytes\n", report.numConstants, report.constantBytes);
  for (const OperatorCoverage &coverage : report.operators) {
    if (coverage.unserved.empty())
      continue;
    text += fmt::format("\nnot served: {} ({} of {} calls)\n", coverage.op,
                        coverage.unserved.size(), coverage.numCalls);
    for (const UnservedCall &call : coverage.unserved) {
      text += fmt::format("  node {}{}{}\n    {}\n", call.node, call.place.empty() ? "" : " at ",
                          call.place, call.types);
      if (!call.reason.empty())
        text += fmt::format("    {}\n", call.reason);
    }
    text += fmt::format("  {}\n", coverage.help);
  }
  text += "\nserved:\n";
  for (const OperatorCoverage &coverage : report.operators)
    if (coverage.numCalls > coverage.unserved.size())
      text += fmt::format("  {:>5}  {}  by {}\n", coverage.numCalls - coverage.unserved.size(),
                          coverage.op, fmt::join(coverage.plugins, ", "));
  return text;
}

std::string coverageJson(const CoverageReport &report) {
  nlohmann::ordered_json operators = nlohmann::ordered_json::array();
  for (const OperatorCoverage &coverage : report.operators) {
    nlohmann::ordered_json unserved = nlohmann::ordered_json::array();
    for (const UnservedCall &call : coverage.unserved)
      unserved.push_back({{"node", call.node},
                          {"place", call.place},
                          {"types", call.types},
                          {"reason", call.reason}});
    operators.push_back({{"op", coverage.op},
                         {"calls", coverage.numCalls},
                         {"plugins", coverage.plugins},
                         {"unserved", std::move(unserved)},
                         {"help", coverage.help}});
  }
  const nlohmann::ordered_json root = {
      {"model", report.model},
      {"inputs", jsonOf(report.inputs)},
      {"outputs", jsonOf(report.outputs)},
      {"constants", {{"count", report.numConstants}, {"bytes", report.constantBytes}}},
      {"calls", report.numCalls()},
      {"unserved", report.numUnserved()},
      {"operators", std::move(operators)}};
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace inlay
