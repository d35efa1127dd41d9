// One engine on one device with host tensors bound, for the commands.
#pragma once

#include "tools/tensorio/Npy.h"

#include <CLI/CLI.hpp>
#include <inlay/engine.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace inlay::tools {

/// Runs a function that uses the C++ interface; what it throws becomes a Status.
template <typename Function>
Status catchErrors(Function function) {
  try {
    return function();
  } catch (const v1::Error &error) {
    return Status(static_cast<StatusCode>(error.code()), error.message());
  }
}

/// Tensors by name. Members of a .npz that are called in_0, in_1, … (or out_0, …) are given the
/// names of the engine's tensors in order.
using TensorsByName = std::map<std::string, NpyTensor>;

/// Reads a .npz for an engine's inputs ("in") or outputs ("out"). Members that are neither tensors'
/// names nor numbered are left out; in_… and out_… may share a file. Errors: those of readNpz;
/// NotFound if a numbered member has no tensor.
Result<TensorsByName> readTensors(const std::string &path,
                                  const std::vector<inlay_tensor_info_t> &tensors,
                                  const std::string &prefix);
/// Reads "NAME=FILE.npy". Errors: InvalidArgument for another form, NotFound for an unknown name.
Status readNamed(const std::string &entry, const std::vector<inlay_tensor_info_t> &tensors,
                 const std::string &what, TensorsByName &to);

/// Splits "NAME=REST". Errors: InvalidArgument naming the entry and `what` it should be.
Result<std::pair<std::string, std::string>> splitNamed(const std::string &entry,
                                                       const std::string &what);

/// Binds inputs, makes and binds outputs. Errors: NotFound naming an input without a tensor, those
/// of binding.
class EngineRun {
public:
  EngineRun(v1::Engine engine, const v1::ContextOptions &options);

  v1::Engine &engine() { return engine_; }
  v1::Context &context() { return context_; }
  Status bind(TensorsByName inputs);
  /// After the last run: gives outputs whose shapes depend on data the shapes that it computed.
  Status shrinkOutputs();
  /// After bind: the outputs in the engine's order, written by each run.
  const std::vector<NpyTensor> &outputs() const { return outputs_; }

private:
  v1::Engine engine_;
  v1::Context context_;
  TensorsByName inputs_;
  std::vector<NpyTensor> outputs_;
};

/// The option for the engine's shape profile, under these names ("--shape-profile").
void addShapeProfileOption(CLI::App &command, const std::string &names,
                           v1::ContextOptions &options);
/// The option --graphs[=N].
void addGraphsOption(CLI::App &command, v1::ContextOptions &options);

/// The option --weights, for loadEngine.
void addWeightsOption(CLI::App &command, std::string &path);
/// Loads an engine, with weights from `weightsPath` unless that is empty. Throws v1::Error.
v1::Engine loadEngine(const std::string &path, const std::string &weightsPath);

/// The option --host-library.
void addHostLibraryOption(CLI::App &command, std::vector<std::string> &paths);
/// Before an engine is loaded. Throws v1::Error.
void loadHostLibraries(const std::vector<std::string> &paths);

/// Times in microseconds.
struct TimeSummary {
  size_t count = 0;
  double min = 0, median = 0, p90 = 0, p99 = 0, max = 0;
};
TimeSummary summarize(std::vector<double> timesUs);

/// "float32 [1024, 1024]".
std::string describeTensor(DataType dtype, const std::vector<int64_t> &shape);
/// Text as a JSON string.
std::string jsonString(const std::string &text);

} // namespace inlay::tools
