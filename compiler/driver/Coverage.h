// Which plugin would serve which operator of a model, and which operators none does: what
// `inlay build --dry-run` says.
#pragma once

#include "base/Status.h"
#include "compiler/driver/Build.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace inlay {

/// A call of an operator that no plugin serves.
struct UnservedCall {
  std::string node;   // "add_one_1"
  std::string place;  // in the Python source, "model.py:64"; may be empty
  std::string types;  // "(float32[s0, 8]) -> float32[s0, 8]"
  std::string reason; // why the plugins of the operator do not serve it; empty if there are none
};

/// All calls of one operator.
struct OperatorCoverage {
  std::string op; // "aten::add.Tensor"
  size_t numCalls = 0;
  std::set<std::string> plugins; // where those that serve it were defined
  std::vector<UnservedCall> unserved;
  std::string help; // what would serve it; empty if all calls are served
};

/// A tensor by its name in the model: of an input, a constant, or the node that computes it.
struct CoverageTensor {
  std::string name, type; // "float32[s0, 8]"
  bool isConstant = false;
  std::string value; // of an output of the model, which has a name to bind by: that of the tensor
};

/// A node of the graph: a call, or a group of an optimised graph.
struct CoverageNode {
  std::string node, op;
  std::string place;  // in the Python source; may be empty
  std::string plugin; // where the plugin that serves it was defined; empty: none does
  std::string reason; // why none does, or why it is on the host; else empty
  HostCause cause = HostCause::None;
  std::optional<size_t> block;                                  // absent: nothing uses it
  std::vector<std::pair<std::string, CoverageTensor>> operands; // with the arguments' names
  std::vector<CoverageTensor> results;
};

/// Calls that stay together, on the device or as a host segment.
struct CoverageBlock {
  std::string function; // of a host segment, "segment::mlp_0"; empty: on the device
  std::vector<size_t> nodes;
  std::vector<CoverageTensor> inputs, outputs;
  std::vector<std::string> help; // what would take a segment's calls to the device
};

struct CoverageReport {
  std::string model;
  std::vector<CoverageTensor> inputs, outputs;
  size_t numConstants = 0;
  uint64_t constantBytes = 0;
  std::vector<OperatorCoverage> operators; // by name
  std::vector<CoverageNode> nodes;         // in the model's order
  std::vector<CoverageBlock> blocks;       // by their first nodes
  /// False: the build would fail if there are host segments, and `blocks` is how it could be.
  bool allowsHostSegments = false;

  size_t numCalls() const;
  size_t numUnserved() const;
  size_t numHostSegments() const;
};

/// Looks for the plugin of each call, has it describe the call, and divides the model between
/// device and host; compiles nothing. Errors: InvalidArgument for a model that is a plan, or
/// targets that are none; those of partitionCalls.
Result<CoverageReport> coverOperators(const Model &model, const PluginRegistry &plugins,
                                      const BuildOptions &options);

/// For people: what is missing first.
std::string coverageText(const CoverageReport &report);
/// One JSON object: `model`, `inputs`, `outputs`, `constants`, `calls`, `unserved`, `operators`,
/// `allows_host_segments`, `blocks`, `nodes`.
std::string coverageJson(const CoverageReport &report);
/// One HTML page that needs nothing else, with the graph to look at.
std::string coverageHtml(const CoverageReport &report);

} // namespace inlay
