#include "compiler/conversions/graph-to-plan/GraphToPlan.h"

#include "compiler/dialects/plan/Plan.h"
#include "compiler/plugins/Manifest.h"

#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace inlay {

namespace {

class GraphToPlanPass : public PassWrapper<GraphToPlanPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GraphToPlanPass)

  GraphToPlanPass() = default;
  GraphToPlanPass(const GraphToPlanPass &other) : PassWrapper(other) {
    for (const std::string &path : other.plugins_)
      plugins_.addValue(path);
  }

  StringRef getArgument() const override { return "graph-to-plan"; }
  StringRef getDescription() const override {
    return "Turn plugin calls into launches of their kernels on buffers";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<plan::PlanDialect>();
  }
  void runOnOperation() override {
    PluginRegistry registry;
    for (const std::string &path : plugins_)
      if (Status status = addManifest(registry, path); !status.isOk())
        return fail(status);
    Result<PlanConversion> plan = convertGraphToPlan(getOperation(), registry);
    if (!plan.isOk())
      return fail(plan.status());
    Block *body = getOperation().getBody();
    body->clear();
    body->getOperations().splice(body->end(), plan->module->getBody()->getOperations());
  }

private:
  void fail(const Status &status) {
    getOperation().emitError(status.message());
    signalPassFailure();
  }

  ListOption<std::string> plugins_{*this, "plugins", llvm::cl::desc("Plugin manifests (.toml)")};
};

} // namespace

void registerGraphToPlanPass() {
  registerPass([] { return std::make_unique<GraphToPlanPass>(); });
}

} // namespace inlay
