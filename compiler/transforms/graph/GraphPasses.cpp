#include "compiler/transforms/graph/GraphPasses.h"

#include "base/Error.h"
#include "compiler/transforms/graph/Passes.h"

#include "mlir/IR/Verifier.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr GraphPass kPasses[] = {
#define INLAY_GRAPH_PASS(function, name, description) {name, description, graph::function},
#include "compiler/transforms/graph/GraphPasses.def"
#undef INLAY_GRAPH_PASS
};

Result<const GraphPass *> findPass(std::string_view name) {
  std::string known;
  for (const GraphPass &pass : kPasses) {
    if (pass.name == name)
      return &pass;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", pass.name);
  }
  return invalidArgument("there is no pass '{}' over the graph; there are {}", name, known);
}

Status verifyAfter(mlir::ModuleOp module, const GraphPass &pass) {
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    diagnostics += diagnostic.str() + "\n";
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(module)))
    return internalError("the graph does not verify after the pass {}:\n{}", pass.name,
                         diagnostics);
  return {};
}

} // namespace

std::span<const GraphPass> graphPasses() { return kPasses; }

Result<std::vector<const GraphPass *>> selectGraphPasses(std::string_view passes,
                                                         std::span<const std::string> disabled) {
  std::vector<const GraphPass *> wanted, left;
  if (passes == "all") {
    for (const GraphPass &pass : kPasses)
      wanted.push_back(&pass);
  } else if (passes != "none") {
    llvm::SmallVector<llvm::StringRef> names;
    llvm::StringRef(passes).split(names, ',');
    for (llvm::StringRef name : names) {
      INLAY_ASSIGN(wanted.emplace_back(), findPass(std::string_view(name.trim())),
                   "reading the passes to run ('all', 'none' or names)");
    }
  }
  for (const std::string &name : disabled)
    INLAY_TRY(findPass(name).status(), "reading the passes to leave out");
  for (const GraphPass &pass : kPasses)
    if (llvm::is_contained(wanted, &pass) &&
        std::ranges::find(disabled, pass.name) == disabled.end())
      left.push_back(&pass);
  return left;
}

Result<std::vector<graph::PassRemark>> runGraphPasses(mlir::ModuleOp module,
                                                      std::span<const GraphPass *const> passes,
                                                      const PluginRegistry &plugins,
                                                      const ImplementationPolicies &policies,
                                                      std::span<const std::string> targets) {
  auto models = module.getOps<graph::ModelOp>();
  if (!llvm::hasSingleElement(models))
    return invalidArgument("expected one graph.model, found {}",
                           std::distance(models.begin(), models.end()));
  graph::PassContext context(*models.begin(), plugins, policies, targets);
  for (const GraphPass *pass : passes) {
    context.beginPass(std::string(pass->name));
    INLAY_TRY(pass->run(context), fmt::format("running the pass {}", pass->name));
    INLAY_TRY(verifyAfter(module, *pass));
  }
  return context.remarks();
}

} // namespace inlay
