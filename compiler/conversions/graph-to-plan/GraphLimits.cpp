#include "compiler/conversions/graph-to-plan/GraphLimits.h"

#include "base/Error.h"

#include <set>

namespace inlay {
namespace {

/// The text of the first expression in an argument's value; empty if there is none.
std::string expressionIn(mlir::Attribute value) {
  std::string text;
  value.walk([&](graph::ExprAttr expression) {
    text = expression.getText().str();
    return mlir::WalkResult::interrupt();
  });
  return text;
}

/// "indices" of "indices[1]", which names an element of a list; empty for other names.
llvm::StringRef listOf(llvm::StringRef name) {
  const size_t bracket = name.find('[');
  return bracket == llvm::StringRef::npos ? llvm::StringRef() : name.take_front(bracket);
}

class LimitFinder {
public:
  explicit LimitFinder(const PluginRegistry &plugins) : plugins_(plugins) {}

  Status check(graph::ModelOp model) {
    model.getBlock().walk([&](mlir::Operation *op) {
      auto call = llvm::dyn_cast<graph::CallOp>(op);
      if (call && !call->getParentOfType<graph::SegmentOp>())
        checkCall(call);
      if (auto update = llvm::dyn_cast<graph::UpdateOp>(op))
        checkUpdate(model, update);
    });
    if (auto outputs = model->getAttrOfType<mlir::ArrayAttr>("graph.plain_outputs"))
      for (auto output : outputs.getAsRange<mlir::DictionaryAttr>())
        checkOutput(output);
    if (problems_.empty())
      return {};
    std::string report =
        fmt::format("the model needs {} thing{} that cannot be compiled yet:", problems_.size(),
                    problems_.size() == 1 ? "" : "s");
    for (const std::string &problem : problems_)
      report += "\n  " + problem;
    return unimplemented("{}", report);
  }

private:
  /// The plugins that may serve a call.
  std::vector<const PluginDefinition *> pluginsOf(graph::CallOp call) const {
    std::vector<std::string> tensorNames;
    for (auto name : call.getArgNames().getAsRange<mlir::StringAttr>())
      tensorNames.push_back(name.str());
    return plugins_.candidates(std::string_view(call.getOp()), tensorNames);
  }

  /// True if a plugin declares the attribute as one that may depend on sizes.
  static bool takesSizes(const PluginDefinition &plugin, std::string_view name) {
    return llvm::any_of(plugin.attributes(), [&](const AttributeParameter &parameter) {
      return parameter.name == name &&
             (parameter.kind == AttributeKind::Size || parameter.kind == AttributeKind::SizeList ||
              parameter.kind == AttributeKind::SizeNumber);
    });
  }

  void checkCall(graph::CallOp call) {
    const auto plugins = pluginsOf(call);
    const std::string node = fmt::format("{} (node {})", call.getOp().str(), call.getNode().str());
    std::set<std::string> lists;
    for (auto name : call.getArgNames().getAsRange<mlir::StringAttr>())
      if (llvm::StringRef list = listOf(name.getValue()); !list.empty())
        lists.insert(list.str());
    for (mlir::NamedAttribute argument : call.getArguments()) {
      if (llvm::StringRef list = listOf(argument.getName().strref()); !list.empty())
        lists.insert(list.str());
      else if (std::string text = expressionIn(argument.getValue());
               !text.empty() && llvm::none_of(plugins, [&](const PluginDefinition *plugin) {
                 return takesSizes(*plugin, std::string_view(argument.getName().strref()));
               }))
        problems_.push_back(fmt::format("{}: argument '{}' depends on sizes ({})", node,
                                        argument.getName().str(), text));
    }
    const bool takesLists = llvm::any_of(
        plugins, [](const PluginDefinition *plugin) { return plugin->takesAllTensors(); });
    for (const std::string &list : takesLists ? std::set<std::string>() : lists)
      problems_.push_back(fmt::format("{}: argument '{}' is a list of tensors", node, list));
    if (call->hasAttr("graph.none_results"))
      problems_.push_back(fmt::format("{}: some of its results are None", node));
  }

  void checkUpdate(graph::ModelOp model, graph::UpdateOp update) {
    if (update.getTarget().getDefiningOp<graph::ConstantOp>())
      return; // state
    const unsigned index = llvm::cast<mlir::BlockArgument>(update.getTarget()).getArgNumber();
    problems_.push_back(
        fmt::format("the model changes its input '{}'",
                    llvm::cast<mlir::StringAttr>(model.getInputNames()[index]).getValue().str()));
  }

  void checkOutput(mlir::DictionaryAttr output) {
    auto path = output.getAs<mlir::StringAttr>("path");
    if (llvm::isa<graph::ExprAttr>(output.get("value")))
      return; // becomes a scalar
    if (std::string text = expressionIn(output.get("value")); !text.empty())
      problems_.push_back(fmt::format("the output at '{}' is a list with a size ({})",
                                      path ? path.str() : "", text));
  }

  const PluginRegistry &plugins_;
  std::vector<std::string> problems_;
};

} // namespace

Status checkLowerable(graph::ModelOp model, const PluginRegistry &plugins) {
  return LimitFinder(plugins).check(model);
}

} // namespace inlay
