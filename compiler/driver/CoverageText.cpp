#include "compiler/driver/Coverage.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace inlay {
namespace {

nlohmann::ordered_json jsonOf(const std::vector<CoverageTensor> &tensors) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CoverageTensor &tensor : tensors) {
    list.push_back({{"name", tensor.name}, {"type", tensor.type}});
    if (tensor.isConstant)
      list.back()["constant"] = true;
    if (!tensor.value.empty() && tensor.value != tensor.name)
      list.back()["value"] = tensor.value;
  }
  return list;
}

nlohmann::ordered_json jsonOf(const CoverageBlock &block, const CoverageReport &report) {
  nlohmann::ordered_json calls = nlohmann::ordered_json::array();
  for (size_t index : block.nodes)
    calls.push_back(report.nodes[index].node);
  nlohmann::ordered_json json = {{"side", block.function.empty() ? "device" : "host"},
                                 {"calls", std::move(calls)},
                                 {"inputs", jsonOf(block.inputs)},
                                 {"outputs", jsonOf(block.outputs)}};
  if (!block.function.empty()) {
    json["function"] = block.function;
    json["help"] = block.help;
  }
  return json;
}

nlohmann::ordered_json jsonOf(const CoverageNode &node) {
  nlohmann::ordered_json operands = nlohmann::ordered_json::array();
  for (const auto &[argument, tensor] : node.operands)
    operands.push_back({{"argument", argument},
                        {"name", tensor.name},
                        {"type", tensor.type},
                        {"constant", tensor.isConstant}});
  nlohmann::ordered_json json = {{"node", node.node},
                                 {"op", node.op},
                                 {"place", node.place},
                                 {"side", node.cause == HostCause::None ? "device" : "host"},
                                 {"plugin", node.plugin},
                                 {"reason", node.reason},
                                 {"operands", std::move(operands)},
                                 {"results", jsonOf(node.results)}};
  json["block"] = node.block ? nlohmann::ordered_json(*node.block) : nlohmann::ordered_json();
  return json;
}

/// Constants are inputs of a host function; of a block on the device they are only counted.
std::string blockText(const CoverageBlock &block, const CoverageReport &report) {
  const bool isHost = !block.function.empty();
  const CoverageNode &first = report.nodes[block.nodes.front()],
                     &last = report.nodes[block.nodes.back()];
  std::string text = fmt::format("  {}, {} call{}: {}{}\n",
                                 isHost ? "host segment " + block.function : "on the device",
                                 block.nodes.size(), block.nodes.size() == 1 ? "" : "s", first.node,
                                 block.nodes.size() == 1 ? "" : " … " + last.node);
  size_t numConstants = 0;
  for (const CoverageTensor &input : block.inputs)
    if (isHost || !input.isConstant)
      text += fmt::format("    input {}: {}{}\n", input.name, input.type,
                          input.isConstant ? ", a constant" : "");
    else
      ++numConstants;
  if (numConstants > 0)
    text += fmt::format("    and {} constant{}\n", numConstants, numConstants == 1 ? "" : "s");
  for (const CoverageTensor &output : block.outputs)
    text += fmt::format("    output {}: {}\n", output.name, output.type);
  if (!isHost)
    return text;
  for (size_t index : block.nodes) {
    const CoverageNode &node = report.nodes[index];
    text += fmt::format("    {} ({}){}{}: {}\n", node.node, node.op,
                        node.place.empty() ? "" : " at ", node.place, node.reason);
  }
  for (const std::string &help : block.help)
    text += fmt::format("    what would help: {}\n", help);
  return text;
}

std::string blocksText(const CoverageReport &report) {
  const size_t numHost = report.numHostSegments();
  std::string text = fmt::format(
      "\n{}{} block{} on the device, {} host segment{}\n",
      numHost > 0 && !report.allowsHostSegments ? "with --allow-host-segments the model would be: "
                                                : "",
      report.blocks.size() - numHost, report.blocks.size() - numHost == 1 ? "" : "s", numHost,
      numHost == 1 ? "" : "s");
  for (const CoverageBlock &block : report.blocks)
    text += blockText(block, report);
  return text;
}

} // namespace

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
  return text + blocksText(report);
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
  nlohmann::ordered_json blocks = nlohmann::ordered_json::array(),
                         nodes = nlohmann::ordered_json::array();
  for (const CoverageBlock &block : report.blocks)
    blocks.push_back(jsonOf(block, report));
  for (const CoverageNode &node : report.nodes)
    nodes.push_back(jsonOf(node));
  const nlohmann::ordered_json root = {
      {"model", report.model},
      {"inputs", jsonOf(report.inputs)},
      {"outputs", jsonOf(report.outputs)},
      {"constants", {{"count", report.numConstants}, {"bytes", report.constantBytes}}},
      {"calls", report.numCalls()},
      {"unserved", report.numUnserved()},
      {"operators", std::move(operators)},
      {"allows_host_segments", report.allowsHostSegments},
      {"blocks", std::move(blocks)},
      {"nodes", std::move(nodes)}};
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace inlay
