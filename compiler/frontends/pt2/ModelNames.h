// What a model's inputs and outputs are called, and where they stand in what the model takes and
// returns.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace inlay::pt2 {

/// Names are unique and not empty, paths those of leafPaths.
struct ModelNames {
  /// An output of the graph that is no tensor, and its path.
  struct PlainOutput {
    size_t index;
    std::string path;
  };

  std::vector<std::string> inputNames, inputPaths; // of user inputs that are tensors
  /// Of outputs that are tensors, and behind them those of inputs that the model changes.
  std::vector<std::string> outputNames, outputPaths;
  std::vector<PlainOutput> plainOutputs;
  std::set<size_t> changedInputs; // outputs of the graph that are the new value of an input
  std::map<std::string, std::string, std::less<>> inputsInGuards; // name in guards → in the graph
};

/// An input is named by the forward argument, with the path inside it, an output by its key in a
/// dictionary; otherwise both are named as in the graph. Errors: as leafPaths.
Result<ModelNames> nameModel(const ExportedProgram &program);

} // namespace inlay::pt2
