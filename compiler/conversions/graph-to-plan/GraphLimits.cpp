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
  Status check(graph::ModelOp model) {
    for (mlir::Operation &op : model.getBlock()) {
      if (auto call = llvm::dyn_cast<graph::CallOp>(op))
        checkCall(call);
      if (auto update = llvm::dyn_cast<graph::UpdateOp>(op))
        checkUpdate(model, update);
    }
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
  void checkCall(graph::CallOp call) {
    const std::string node = fmt::format("{} (node {})", call.getOp().str(), call.getNode().str());
    std::set<std::string> lists;
    for (auto name : call.getArgNames().getAsRange<mlir::StringAttr>())
      if (llvm::StringRef list = listOf(name.getValue()); !list.empty())
        lists.insert(list.str());
    for (mlir::NamedAttribute argument : call.getArguments()) {
      if (llvm::StringRef list = listOf(argument.getName().strref()); !list.empty())
        lists.insert(list.str());
      else if (std::string text = expressionIn(argument.getValue()); !text.empty())
        problems_.push_back(fmt::format("{}: argument '{}' depends on sizes ({})", node,
                                        argument.getName().str(), text));
    }
    for (const std::string &list : lists)
      problems_.push_back(fmt::format("{}: argument '{}' is a list of tensors", node, list));
    if (call->hasAttr("graph.none_results"))
      problems_.push_back(fmt::format("{}: some of its results are None", node));
  }

  void checkUpdate(graph::ModelOp model, graph::UpdateOp update) {
    if (auto constant = update.getTarget().getDefiningOp<graph::ConstantOp>()) {
      problems_.push_back(
          fmt::format("the model changes its buffer '{}'", constant.getName().str()));
      return;
    }
    const unsigned index = llvm::cast<mlir::BlockArgument>(update.getTarget()).getArgNumber();
    problems_.push_back(
        fmt::format("the model changes its input '{}'",
                    llvm::cast<mlir::StringAttr>(model.getInputNames()[index]).getValue().str()));
  }

  void checkOutput(mlir::DictionaryAttr output) {
    auto path = output.getAs<mlir::StringAttr>("path");
    if (std::string text = expressionIn(output.get("value")); !text.empty())
      problems_.push_back(fmt::format("the output at '{}' is a size ({}), not a tensor",
                                      path ? path.str() : "", text));
  }

  std::vector<std::string> problems_;
};

} // namespace

Status checkLowerable(graph::ModelOp model) { return LimitFinder().check(model); }

} // namespace inlay
