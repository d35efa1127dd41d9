// The launches of one node, and the choice between its tactics, as steps of a plan.
#pragma once

#include "compiler/conversions/graph-to-plan/KernelInstances.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"
#include "compiler/conversions/graph-to-plan/PlanBuilder.h"

#include <span>
#include <string>
#include <vector>

namespace inlay {

/// The buffers that one node's launches may name.
struct NodeBuffers {
  std::vector<std::string> inputs, outputs, workspaces, sizes;
  std::string choice; // of tactics; empty: none
};

/// Adds what a node launches to a plan. All that it is given outlives it.
class NodeLaunches {
public:
  NodeLaunches(PlanBuilder &plan, KernelInstances &kernels, const ShapeSymbols &symbols,
               const PluginNode &node, mlir::Location location)
      : plan_(plan), kernels_(kernels), symbols_(symbols), node_(node), location_(location) {}

  /// The choice between the node's tactics, if it has any; else nothing. Tactics that no size
  /// allows are left out, with a note.
  std::string addChoice(const PluginImplementation &implementation,
                        std::span<const DecidedTactic> decided, const NodeBuffers &buffers,
                        std::vector<std::string> &notes);
  /// `tactic` is the launch's, or null. Errors: those of KernelInstances::find.
  Status add(const PluginLaunch &launch, const PluginTactic *tactic, const NodeBuffers &buffers);

private:
  PlanBuilder &plan_;
  KernelInstances &kernels_;
  const ShapeSymbols &symbols_;
  const PluginNode &node_;
  mlir::Location location_;
};

} // namespace inlay
