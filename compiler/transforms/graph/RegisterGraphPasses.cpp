// The passes for inlay-opt.
#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/plugins/Manifest.h"
#include "compiler/transforms/graph/GraphPasses.h"

#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace inlay {
namespace {

class RegisteredGraphPass : public PassWrapper<RegisteredGraphPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RegisteredGraphPass)

  explicit RegisteredGraphPass(const GraphPass &pass)
      : pass_(pass), argument_("graph-" + std::string(pass.name)) {}
  RegisteredGraphPass(const RegisteredGraphPass &other)
      : PassWrapper(other), pass_(other.pass_), argument_(other.argument_) {
    for (const std::string &path : other.plugins_)
      plugins_.addValue(path);
  }

  StringRef getArgument() const override { return argument_; }
  StringRef getDescription() const override { return pass_.description; }
  void runOnOperation() override {
    PluginRegistry registry;
    for (const std::string &path : plugins_)
      if (Status status = addManifest(registry, path); !status.isOk())
        return fail(status);
    if (Status status = addBuiltinPlugins(registry); !status.isOk())
      return fail(status);
    const GraphPass *passes[] = {&pass_};
    Result<std::vector<graph::PassRemark>> remarks =
        runGraphPasses(getOperation(), passes, registry, {}, {});
    if (!remarks.isOk())
      return fail(remarks.status());
    for (const graph::PassRemark &remark : *remarks)
      getOperation().emitRemark() << remark.node << ": "
                                  << (remark.isApplied ? "" : "not applied, ") << remark.text;
  }

private:
  void fail(const Status &status) {
    getOperation().emitError(status.message());
    signalPassFailure();
  }

  const GraphPass &pass_;
  std::string argument_;
  ListOption<std::string> plugins_{*this, "plugins", llvm::cl::desc("Plugin manifests (.toml)")};
};

} // namespace

void registerGraphPasses() {
  for (const GraphPass &pass : graphPasses())
    registerPass([&pass] { return std::make_unique<RegisteredGraphPass>(pass); });
}

} // namespace inlay
