#include "compiler/transforms/graph/PassContext.h"

namespace inlay::graph {

const PluginChoice *PassContext::findStandard(CallOp call) {
  auto [known, isNew] = choices_.try_emplace(call);
  if (isNew && plugins_.find(std::string_view(call.getOp()))) {
    // What cannot be bound is reported when the graph is converted.
    Result<PluginChoice> choice = choosePluginOf(call, plugins_, symbols_, policies_, targets_);
    if (choice.isOk() && choice->plugin->traits() && !call->hasAttr("graph.none_results"))
      known->second = std::make_unique<PluginChoice>(std::move(*choice));
  }
  return known->second.get();
}

void PassContext::erase(CallOp call) {
  choices_.erase(call);
  call.erase();
}

} // namespace inlay::graph
