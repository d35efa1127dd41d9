// From a model's graph to a plan: every plugin call becomes launches of its kernels on buffers.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// How a node of the model is computed.
struct NodeImplementation {
  bool isJit = false;
  std::string reason;
};

struct PlanConversion {
  mlir::OwningOpRef<mlir::ModuleOp> module; // holds one plan.program, verified
  std::vector<std::string> notes;           // what is worth knowing but is no error
  std::map<std::string, std::string>
      plugins; // by node: where its plugin was defined, which variant
  std::map<std::string, NodeImplementation> implementations; // by node
};

/// Converts the graph of a model; the graph is left as it was. Kernels are read from their files
/// and typed, and arguments, outputs and requirements checked, as far as that can be done before a
/// run. `targets` are the build's, for plugins that ask for them, and `libraries` what
/// they may use. Errors: NotFound (operators that
/// no plugin serves, all of them with their places in the Python source), InvalidArgument,
/// OutOfRange; each names node, operator, plugin and kernel as far as they matter.
Result<PlanConversion> convertGraphToPlan(mlir::ModuleOp graph, const PluginRegistry &plugins,
                                          const ImplementationPolicies &policies = {},
                                          std::span<const std::string> targets = {},
                                          const LibraryUse &libraries = {});

/// Registers `graph-to-plan`, whose option `plugins` lists manifests.
void registerGraphToPlanPass();

} // namespace inlay
