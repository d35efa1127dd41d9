// Which plugin would serve which operator of a model, and which operators none does: what
// `inlay build --dry-run` says.
#pragma once

#include "base/Status.h"
#include "compiler/driver/Build.h"

#include <cstdint>
#include <set>
#include <string>
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

/// A model's input or output.
struct CoverageTensor {
  std::string name, type; // "float32[s0, 8]"
};

struct CoverageReport {
  std::string model;
  std::vector<CoverageTensor> inputs, outputs;
  size_t numConstants = 0;
  uint64_t constantBytes = 0;
  std::vector<OperatorCoverage> operators; // by name

  size_t numCalls() const;
  size_t numUnserved() const;
};

/// Looks for the plugin of each call, and has it describe the call; compiles nothing. Errors:
/// InvalidArgument for a model that is a plan, or targets that are none.
Result<CoverageReport> coverOperators(const Model &model, const PluginRegistry &plugins,
                                      const BuildOptions &options);

/// For people: what is missing first.
std::string coverageText(const CoverageReport &report);
/// One JSON object: `model`, `inputs`, `outputs`, `constants`, `calls`, `unserved`, `operators`.
std::string coverageJson(const CoverageReport &report);

} // namespace inlay
