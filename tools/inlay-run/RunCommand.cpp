#include "tools/inlay-run/RunCommand.h"

#include "base/Error.h"
#include "tools/inlay-run/EngineRun.h"
#include "tools/inlay-run/Trace.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>

namespace inlay::tools {
namespace {

struct RunOptions {
  std::string engine;
  std::string weights;
  v1::ContextOptions context;
  std::vector<std::string> hostLibraries;
  std::vector<std::string> inputs;
  std::string inputsPath;
  std::vector<std::string> outputs;
  std::string outputsPath;
  std::string checkPath;
  std::string tracePath;
  std::optional<double> rtol, atol;
  int repeat = 1;
  bool wantsJson = false;
};

struct Tolerance {
  double rtol, atol;
};

/// Those of torch.testing.assert_close.
Tolerance defaultTolerance(DataType dtype) {
  switch (dtype) {
  case DataType::Float16:
    return {1e-3, 1e-5};
  case DataType::BFloat16:
    return {1.6e-2, 1e-5};
  case DataType::Float32:
    return {1.3e-6, 1e-5};
  case DataType::Float64:
    return {1e-7, 1e-7};
  default:
    return {0, 0};
  }
}

struct CheckedOutput {
  std::string name;
  Comparison comparison;
  Tolerance tolerance;
};

class RunCommand {
public:
  explicit RunCommand(const RunOptions &options)
      : options_(options), run_(loadEngine(options.engine, options.weights), options.context) {}

  Status execute() {
    INLAY_TRY(bindInputs());
    measure();
    INLAY_TRY(run_.shrinkOutputs());
    INLAY_TRY(writeOutputs());
    if (!options_.tracePath.empty())
      INLAY_TRY(
          trace_.write(options_.tracePath, run_.engine().name(), run_.context().deviceName()));
    Status outcome;
    if (!options_.checkPath.empty())
      outcome = check();
    if (outcome.isOk() || outcome.code() == StatusCode::OutOfRange)
      options_.wantsJson ? printJson() : printText();
    return outcome;
  }

private:
  Status bindInputs() {
    TensorsByName inputs;
    if (!options_.inputsPath.empty()) {
      INLAY_ASSIGN(inputs, readTensors(options_.inputsPath, run_.engine().inputs(), "in"));
    }
    for (const std::string &entry : options_.inputs)
      INLAY_TRY(readNamed(entry, run_.engine().inputs(), "input", inputs));
    return run_.bind(std::move(inputs));
  }

  void measure() {
    if (!options_.tracePath.empty())
      run_.context().setProfiler([this](const inlay_profiled_step_t &step) { trace_.add(step); });
    std::vector<double> times;
    for (int i = 0; i < options_.repeat; ++i) {
      const auto start = std::chrono::steady_clock::now();
      run_.context().run();
      times.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
              .count());
    }
    times_ = summarize(std::move(times));
  }

  Status writeOutputs() {
    NamedTensors all;
    size_t i = 0;
    for (const inlay_tensor_info_t &output : run_.engine().outputs())
      all.emplace_back(output.name, run_.outputs()[i++]);
    for (const std::string &entry : options_.outputs) {
      INLAY_ASSIGN(auto named, splitNamed(entry, "NAME=FILE.npy"));
      auto found = std::find_if(all.begin(), all.end(),
                                [&](const auto &output) { return output.first == named.first; });
      if (found == all.end()) {
        uint32_t index = 0;
        v1::detail::check(
            inlay_engine_find_output(run_.engine().get(), named.first.c_str(), &index));
      }
      INLAY_TRY(writeNpy(named.second, found->second));
    }
    return options_.outputsPath.empty() ? Status() : writeNpz(options_.outputsPath, all);
  }

  Status check() {
    INLAY_ASSIGN(TensorsByName expected,
                 readTensors(options_.checkPath, run_.engine().outputs(), "out"));
    std::string wrong;
    size_t i = 0;
    for (const inlay_tensor_info_t &output : run_.engine().outputs()) {
      const NpyTensor &actual = run_.outputs()[i++];
      auto found = expected.find(output.name);
      if (found == expected.end())
        return notFound("'{}' has no recorded output '{}' (member {} or out_{})",
                        options_.checkPath, output.name, output.name, i - 1);
      Tolerance tolerance = defaultTolerance(actual.dtype);
      tolerance.rtol = options_.rtol.value_or(tolerance.rtol);
      tolerance.atol = options_.atol.value_or(tolerance.atol);
      INLAY_ASSIGN(Comparison comparison,
                   compareTensors(actual, found->second, tolerance.rtol, tolerance.atol),
                   fmt::format("checking output '{}' against {}", output.name, options_.checkPath));
      if (comparison.numMismatches > 0)
        wrong += fmt::format("{}output '{}' differs from {} in {} elements, the first at {}",
                             wrong.empty() ? "" : "; ", output.name, options_.checkPath,
                             comparison.numMismatches, comparison.firstMismatch);
      checked_.push_back({output.name, comparison, tolerance});
    }
    return wrong.empty() ? Status() : outOfRange("{}", wrong);
  }

  void printText() {
    fmt::print("engine '{}' on {}\n", run_.engine().name(), run_.context().deviceName());
    size_t i = 0;
    for (const inlay_tensor_info_t &output : run_.engine().outputs()) {
      const NpyTensor &tensor = run_.outputs()[i++];
      fmt::print("  output {}: {}\n", output.name, describeTensor(tensor.dtype, tensor.shape));
    }
    for (const CheckedOutput &output : checked_)
      fmt::print("  check  {}: {}; largest error {:g} (relative {:g}), allowed {:g} + {:g} * "
                 "|expected|\n",
                 output.name, output.comparison.numMismatches ? "DIFFERS" : "agrees",
                 output.comparison.maxAbsoluteError, output.comparison.maxRelativeError,
                 output.tolerance.atol, output.tolerance.rtol);
    fmt::print("  {} launches; host time per run {:.1f} us (median of {}; fastest {:.1f})\n",
               run_.context().stats().num_launches, times_.median, times_.count, times_.min);
  }

  void printJson() {
    std::string outputs;
    for (const CheckedOutput &output : checked_)
      outputs += fmt::format("{}{{\"name\": {}, \"mismatches\": {}, \"max_absolute_error\": {}, "
                             "\"max_relative_error\": {}}}",
                             outputs.empty() ? "" : ", ", jsonString(output.name),
                             output.comparison.numMismatches, output.comparison.maxAbsoluteError,
                             output.comparison.maxRelativeError);
    fmt::print("{{\"engine\": {}, \"device\": {}, \"launches\": {}, \"runs\": {}, "
               "\"host_time_us\": {{\"min\": {:.3f}, \"median\": {:.3f}, \"max\": {:.3f}}}, "
               "\"checked\": [{}]}}\n",
               jsonString(run_.engine().name()), jsonString(run_.context().deviceName()),
               run_.context().stats().num_launches, times_.count, times_.min, times_.median,
               times_.max, outputs);
  }

  const RunOptions &options_;
  EngineRun run_;
  Trace trace_;
  TimeSummary times_;
  std::vector<CheckedOutput> checked_;
};

} // namespace

void addRunOptions(CLI::App &command, Status &outcome) {
  auto options = std::make_shared<RunOptions>();
  command.add_option("ENGINE", options->engine, "The engine file")->required();
  command.add_option("--device", options->context.device, "cpu, cuda:N or null")
      ->capture_default_str();
  command
      .add_option("--threads", options->context.numThreads,
                  "Threads on the CPU; 0: INLAY_NUM_THREADS, or one per core")
      ->check(CLI::Range(0, 4096));
  addGraphsOption(command, options->context);
  addShapeProfileOption(command, "--shape-profile,--profile", options->context);
  addWeightsOption(command, options->weights);
  addHostLibraryOption(command, options->hostLibraries);
  command.add_flag("--debug", options->context.isDebug,
                   "Wait for each launch; find and name writes beyond buffers or to inputs");
  command.add_option("--input", options->inputs, "An input, NAME=FILE.npy; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--inputs", options->inputsPath,
                     "Inputs in one .npz, by name or as in_0, in_1, …");
  command
      .add_option("--output", options->outputs,
                  "Where to write an output, NAME=FILE.npy; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--outputs", options->outputsPath, "Write all outputs into one .npz");
  command.add_option("--check", options->checkPath,
                     "Compare the outputs with those in this .npz (by name or out_0, …); fail if "
                     "they differ");
  command.add_option("--rtol", options->rtol,
                     "Relative tolerance of --check; default as torch.testing, by dtype");
  command.add_option("--atol", options->atol,
                     "Absolute tolerance of --check; default as torch.testing, by dtype");
  command.add_option("--trace", options->tracePath,
                     "Write the times of all steps as a Chrome trace (for Perfetto)");
  command.add_option("--repeat", options->repeat, "Run this often, and report the median time")
      ->check(CLI::Range(1, 100000000));
  command.add_flag("--json", options->wantsJson, "Print one JSON object");
  command.callback([options, &outcome] {
    outcome = catchErrors([&] {
      loadHostLibraries(options->hostLibraries);
      return RunCommand(*options).execute();
    });
  });
}

void addRunCommand(CLI::App &app, Status &outcome) {
  addRunOptions(*app.add_subcommand("run", "Run an engine once on NumPy arrays"), outcome);
}

} // namespace inlay::tools
