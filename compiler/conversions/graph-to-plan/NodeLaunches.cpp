#include "compiler/conversions/graph-to-plan/NodeLaunches.h"

#include "base/Error.h"

#include <algorithm>
#include <map>

namespace inlay {
namespace {

/// A float argument's value, or its expression if that depends on sizes.
mlir::Attribute floatAttribute(mlir::OpBuilder &builder, const LaunchArgument &argument) {
  const FloatExpr expr = argument.floatExpression.value_or(FloatExpr(argument.value));
  if (std::optional<double> value = expr.constantValue())
    return builder.getF64FloatAttr(*value);
  return builder.getDictionaryAttr(
      builder.getNamedAttr("float", builder.getStringAttr(expr.toString())));
}

/// "eps = 1e-06, mode = 'fast'".
std::string attributesText(const PluginNode &node) {
  std::string text;
  for (const auto &[name, value] : node.attributes)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, attributeText(value));
  return text;
}

} // namespace

std::string NodeLaunches::addChoice(const PluginImplementation &implementation,
                                    std::span<const DecidedTactic> decided,
                                    const NodeBuffers &buffers, std::vector<std::string> &notes) {
  mlir::OpBuilder &builder = plan_.builder();
  llvm::SmallVector<mlir::Attribute> tactics;
  for (auto [tactic, known] : llvm::zip(implementation.tactics, decided)) {
    const std::string_view library =
        implementation.libraryOf(static_cast<uint32_t>(&tactic - &implementation.tactics[0]));
    if (known.isImpossible) {
      if (library.empty()) // which the written rule leaves small products without
        notes.push_back(fmt::format("node {}: tactic '{}' can be taken for no sizes",
                                    node_.nodeName, tactic.name));
      continue;
    }
    llvm::SmallVector<mlir::NamedAttribute> entries{
        builder.getNamedAttr("name", builder.getStringAttr(tactic.name))};
    if (known.condition)
      entries.push_back(builder.getNamedAttr("condition", plan_.text(*known.condition)));
    std::map<std::string, int64_t> bytes; // one buffer may be several tensors
    for (const TensorAlignment &alignment : tactic.alignments) {
      const std::string &buffer =
          (alignment.isOfOutput ? buffers.outputs : buffers.inputs)[alignment.index];
      if (!buffer.empty()) // an optional input that the node does not have
        bytes[buffer] = std::max(bytes[buffer], alignment.bytes);
    }
    llvm::SmallVector<mlir::NamedAttribute> alignments;
    for (const auto &[buffer, alignment] : bytes)
      alignments.push_back(builder.getNamedAttr(buffer, builder.getI64IntegerAttr(alignment)));
    if (!library.empty())
      entries.push_back(
          builder.getNamedAttr("library", builder.getStringAttr(llvm::StringRef(library))));
    if (!alignments.empty())
      entries.push_back(builder.getNamedAttr("aligned", builder.getDictionaryAttr(alignments)));
    tactics.push_back(builder.getDictionaryAttr(entries));
  }
  return tactics.empty() ? "" : plan_.addChoice(location_, tactics, node_.opName, node_.nodeName);
}

Status NodeLaunches::add(const PluginLaunch &launch, const PluginTactic *tactic,
                         const NodeBuffers &buffers) {
  const std::span<const Expr> conditions =
      tactic ? std::span<const Expr>(tactic->conditions) : std::span<const Expr>();
  INLAY_ASSIGN(KernelInstance kernel,
               kernels_.find(node_, launch, symbols_, conditions,
                             [&](llvm::StringRef wanted) { return plan_.uniqueName(wanted); }));
  llvm::SmallVector<mlir::Attribute> arguments;
  for (const LaunchArgument &argument : launch.arguments) {
    if (isKnownToBeOne(launch, argument))
      continue; // a constant in the kernel
    switch (argument.kind) {
    case LaunchArgument::Kind::Input:
      arguments.push_back(plan_.reference(buffers.inputs[argument.index]));
      break;
    case LaunchArgument::Kind::Output:
      arguments.push_back(plan_.reference(buffers.outputs[argument.index]));
      break;
    case LaunchArgument::Kind::Workspace:
      arguments.push_back(plan_.reference(buffers.workspaces[argument.index]));
      break;
    case LaunchArgument::Kind::Size:
      arguments.push_back(plan_.reference(buffers.sizes[argument.index]));
      break;
    case LaunchArgument::Kind::Integer:
      arguments.push_back(plan_.text(argument.expression));
      break;
    case LaunchArgument::Kind::Float:
      arguments.push_back(floatAttribute(plan_.builder(), argument));
      break;
    }
  }
  const Expr programs = launch.grid[0] * launch.grid[1] * launch.grid[2];
  for (uint64_t bytes : kernel.scratchBytes)
    arguments.push_back(plan_.reference(
        plan_.addBuffer(location_, node_.nodeName + ".scratch", plan::BufferKind::Workspace,
                        programs * Expr(static_cast<int64_t>(bytes)))));
  plan_.addLaunch(location_, kernel.op.getSymName(), launch.grid, arguments, node_.opName,
                  node_.nodeName, launch.block, launch.sharedBytes, attributesText(node_),
                  tactic ? llvm::StringRef(buffers.choice) : "",
                  tactic ? llvm::StringRef(tactic->name) : "");
  return {};
}

} // namespace inlay
