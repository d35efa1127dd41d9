#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"

#include "base/Error.h"
#include "compiler/plugins/RecordedKernel.h"

#include <map>

namespace inlay {

std::string placeOf(mlir::Location location) {
  std::string place;
  location->walk([&](mlir::Location part) {
    auto file = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file)
      return mlir::WalkResult::advance();
    place = fmt::format("{}:{}", file.getFilename().str(), file.getLine());
    return mlir::WalkResult::interrupt();
  });
  return place;
}

std::string nearestPlugin(const std::string &op, const std::vector<std::string> &known) {
  for (unsigned distance = 1; distance <= 2; ++distance)
    for (const std::string &name : known)
      if (llvm::StringRef(op).edit_distance(name, true, distance) <= distance)
        return name;
  return "";
}

namespace {

/// What a model says of a Triton kernel that it launches itself, and what it does not.
std::string recordedLaunchText(graph::CallOp call) {
  const auto name = call.getArguments().getAs<mlir::StringAttr>("name");
  if (call.getOp() != llvm::StringRef(kRecordedLaunchOp) || !name)
    return "";
  const std::string kernel(recordedKernelName(std::string_view(name.getValue())));
  return fmt::format("; it launches the Triton kernel '{}', of which the model holds neither "
                     "source nor constexprs. A manifest names them: [[triton_kernel]] kernel = "
                     "\"FILE.py:{}\", constexprs = {{ … }}",
                     kernel, kernel);
}

} // namespace

Status checkOperatorsSupported(graph::ModelOp model, const PluginRegistry &plugins) {
  std::map<std::string, std::string> unsupported;
  model.getBlock().walk([&](graph::CallOp call) {
    if (plugins.find(std::string_view(call.getOp())) || call->getParentOfType<graph::SegmentOp>())
      return;
    std::string place = placeOf(call.getLoc());
    unsupported[call.getOp().str()] +=
        fmt::format("\n    node {}{}{}{}", call.getNode().str(), place.empty() ? "" : " at ", place,
                    recordedLaunchText(call));
  });
  if (unsupported.empty())
    return {};
  std::string report =
      fmt::format("no plugin for {} of the model's operators:", unsupported.size());
  for (const auto &[op, nodes] : unsupported) {
    const std::string nearest = nearestPlugin(op, plugins.opNames());
    report += fmt::format(
        "\n  {}{}{}", op,
        nearest.empty() ? "" : fmt::format(" (there is a plugin for {})", nearest), nodes);
  }
  return notFound("{}\ngive each a plugin, with --plugin FILE.toml", report);
}

} // namespace inlay
