// Which calls of a model the engine computes and which a function of the process does, in blocks.
#pragma once

#include "compiler/dialects/graph/Graph.h"
#include "compiler/plugins/PluginDefinition.h"
#include "compiler/transforms/graph/PartitionOptions.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

#include <span>
#include <string>
#include <vector>

namespace inlay::graph {

/// Calls of one side, so many that no other of that side could be added to which or from which a
/// value goes: none of their values leaves and comes back through others.
struct PartitionBlock {
  bool isHost = false;
  std::string function;      // of a host segment: "segment::mlp_0"
  std::vector<CallOp> calls; // in their order
  llvm::SetVector<mlir::Value> inputs, outputs;
};

/// Who serves a call, and why it is on the host.
struct CallService {
  HostCause cause = HostCause::None;
  std::string plugin; // where the plugin that serves it was defined; empty: none does
  std::string reason; // why none does, or why it is on the host all the same; else empty

  bool isHost() const { return cause != HostCause::None; }
};

struct Partition {
  std::vector<PartitionBlock> blocks; // by their first calls
  llvm::DenseMap<mlir::Operation *, CallService> services;
  /// Calls of standard operators that no plugin serves and whose results nothing uses.
  std::vector<CallOp> dead;
};

/// Divides the calls of a model, which stays as it is. With `allowsHostSegments` those that no
/// plugin serves, those that are excluded, and small blocks beside them are on the host; without it
/// all are on the device, also those that fail a build. Groups of an optimised graph stay on the
/// device. Errors: InvalidArgument for an excluded name that the model does not have, and for
/// exclusions or a least size without host segments.
Result<Partition> partitionCalls(ModelOp model, const PluginRegistry &plugins,
                                 const ImplementationPolicies &policies,
                                 std::span<const std::string> targets,
                                 const PartitionOptions &options);

/// Puts the host blocks of a partition of this model into graph.segment ops, erases what is dead,
/// and leaves the block in an order in which values come before their uses.
void outlineHostSegments(ModelOp model, const Partition &partition);

/// The name of a value in the model: that of the input, the constant, or the node, with ".1" for
/// the second result of one that has several.
std::string nameOf(mlir::Value value);

} // namespace inlay::graph
