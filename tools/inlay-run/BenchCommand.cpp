#include "tools/inlay-run/BenchCommand.h"

#include "base/Error.h"
#include "tools/inlay-run/EngineRun.h"
#include "tools/inlay-run/KernelProfile.h"
#include "tools/inlay-run/Trace.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <random>

namespace inlay::tools {
namespace {

constexpr int kWarmUpRuns = 20;
/// Events around each step make runs slower, and traces of many runs are large.
constexpr int kMaxProfiledRuns = 100;

struct BenchOptions {
  std::string engine;
  std::string weights;
  std::string against;
  v1::ContextOptions context;
  std::vector<std::string> hostLibraries;
  std::vector<std::string> shapes;
  std::string tracePath;
  int iterations = 1000;
  bool wantsProfile = false;
  bool wantsJson = false;
};

using Clock = std::chrono::steady_clock;

double usSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Reads "NAME=1024x16".
Result<std::pair<std::string, v1::Shape>> parseShape(const std::string &entry) {
  INLAY_ASSIGN(auto named, splitNamed(entry, "NAME=SIZExSIZE…"));
  v1::Shape shape;
  const char *at = named.second.data(), *end = at + named.second.size();
  while (at < end) {
    int64_t size = 0;
    const auto [stop, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0 || (stop != end && *stop != 'x'))
      return invalidArgument("'{}' is no shape; expected NAME=SIZExSIZE…, for example X=1024x16",
                             entry);
    shape.push_back(size);
    at = stop == end ? end : stop + 1;
  }
  return std::pair(named.first, shape);
}

/// Values that are harmless to any kernel: floats in [-1, 1), integers from 0 to 7.
NpyTensor randomTensor(DataType dtype, const v1::Shape &shape, std::mt19937 &random) {
  NpyTensor tensor{dtype, shape, {}};
  Result<int64_t> sizeBytes = computeSizeBytes(dtype, shape);
  tensor.data.resize(sizeBytes.isOk() ? static_cast<size_t>(*sizeBytes) : 0);
  const size_t elementBytes = static_cast<size_t>(dataTypeSizeBytes(dtype));
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (size_t at = 0; at < tensor.data.size(); at += elementBytes) {
    uint64_t bits = random() % 8;
    if (dtype == DataType::Bool)
      bits &= 1;
    const float value = uniform(random);
    const double wide = value;
    if (dtype == DataType::Float32)
      std::memcpy(&bits, &value, sizeof(value));
    else if (dtype == DataType::Float64)
      std::memcpy(&bits, &wide, sizeof(wide));
    else if (dtype == DataType::Float16)
      bits = toFloat16(value);
    else if (dtype == DataType::BFloat16)
      bits = toBFloat16(value);
    std::memcpy(&tensor.data[at], &bits, elementBytes);
  }
  return tensor;
}

/// Runs on memory of the device, so that no copy is measured.
class BenchCommand {
public:
  BenchCommand(const BenchOptions &options, v1::Engine engine)
      : options_(options), engine_(std::move(engine)),
        context_(engine_.createContext(options.context)) {}

  Status execute() {
    INLAY_TRY(readShapes());
    INLAY_TRY(bindInputs());
    bindOutputs();
    measure();
    return options_.wantsProfile || !options_.tracePath.empty() ? profile() : Status();
  }

  void printText() {
    fmt::print("engine '{}' on {}\n{}", engine_.name(), context_.deviceName(), described_);
    fmt::print("  latency, us: min {:.2f}, median {:.2f}, p90 {:.2f}, p99 {:.2f}, max {:.2f} ({} "
               "runs)\n",
               latency_.min, latency_.median, latency_.p90, latency_.p99, latency_.max,
               latency_.count);
    if (host_.count > 0)
      fmt::print("  host time to enqueue a run, us: min {:.2f}, median {:.2f}, p99 {:.2f}\n",
                 host_.min, host_.median, host_.p99);
    fmt::print("  device time of a run, us: {:.2f}; inputs and outputs {} bytes, {:.1f} GB/s\n",
               deviceUs_, numBytes_, static_cast<double>(numBytes_) / deviceUs_ / 1e3);
    fmt::print("  memory, bytes: planned {}, measured peak {} ({:+.1f}%)\n", plannedBytes(),
               stats_.peak_bytes,
               (static_cast<double>(stats_.peak_bytes) / static_cast<double>(plannedBytes()) - 1) *
                   100);
    if (options_.wantsProfile)
      fmt::print("{}", profile_.text());
  }

  /// One JSON object.
  std::string json() {
    return fmt::format("{{\"engine\": {}, \"device\": {}, \"runs\": {}, \"latency_us\": {}, "
                       "\"host_time_us\": {}, \"device_time_us\": {:.3f}, \"tensor_bytes\": {}, "
                       "\"memory_bytes\": {{\"planned\": {}, \"intermediates\": {}, "
                       "\"peak\": {}}}{}}}",
                       jsonString(engine_.name()), jsonString(context_.deviceName()),
                       latency_.count, json(latency_), json(host_), deviceUs_, numBytes_,
                       plannedBytes(), stats_.planned_bytes, stats_.peak_bytes,
                       options_.wantsProfile ? ", \"profile\": " + profile_.json() : "");
  }

  /// What the planner says that all need, and the tensors that are bound.
  uint64_t plannedBytes() const { return std::max<uint64_t>(1, stats_.needed_bytes + numBytes_); }
  const TimeSummary &latency() const { return latency_; }
  const TimeSummary &hostTime() const { return host_; }
  double deviceUs() const { return deviceUs_; }

private:
  Status readShapes() {
    for (const std::string &entry : options_.shapes) {
      INLAY_ASSIGN(auto shape, parseShape(entry));
      uint32_t index = 0;
      v1::detail::check(inlay_engine_find_input(engine_.get(), shape.first.c_str(), &index));
      shapes_[shape.first] = shape.second;
    }
    return {};
  }

  v1::Shape shapeOf(const inlay_tensor_info_t &input, uint32_t index) {
    if (auto found = shapes_.find(input.name); found != shapes_.end())
      return found->second;
    v1::Shape shape;
    for (int32_t i = 0; i < input.rank; ++i) {
      const inlay_dim_t dim = engine_.profileDim(options_.context.profile, index, i);
      shape.push_back(dim.size >= 0 ? dim.size : dim.opt);
    }
    return shape;
  }

  void bindTensor(const char *name, const NpyTensor &tensor, bool isInput) {
    memory_.emplace_back(context_, tensor.data.size());
    if (isInput && !tensor.data.empty())
      memory_.back().copyFrom(tensor.data.data());
    context_.bind(name, v1::Tensor(memory_.back().data(), static_cast<inlay_dtype_t>(tensor.dtype),
                                   tensor.shape, INLAY_MEMORY_DEVICE));
    numBytes_ += tensor.data.size();
  }

  Status bindInputs() {
    std::mt19937 random(1);
    uint32_t index = 0;
    for (const inlay_tensor_info_t &input : engine_.inputs()) {
      const v1::Shape shape = shapeOf(input, index++);
      INLAY_TRY(computeSizeBytes(static_cast<DataType>(input.dtype), shape).status());
      NpyTensor tensor = randomTensor(static_cast<DataType>(input.dtype), shape, random);
      bindTensor(input.name, tensor, true);
      described_ +=
          fmt::format("  input  {}: {}\n", input.name, describeTensor(tensor.dtype, tensor.shape));
    }
    return {};
  }

  void bindOutputs() {
    for (const inlay_tensor_info_t &output : engine_.outputs()) {
      NpyTensor tensor{static_cast<DataType>(output.dtype), context_.outputShape(output.name), {}};
      Result<int64_t> sizeBytes = computeSizeBytes(tensor.dtype, tensor.shape);
      tensor.data.resize(sizeBytes.isOk() ? static_cast<size_t>(*sizeBytes) : 0);
      bindTensor(output.name, tensor, false);
      described_ +=
          fmt::format("  output {}: {}\n", output.name, describeTensor(tensor.dtype, tensor.shape));
    }
  }

  void measure() {
    for (int i = 0; i < kWarmUpRuns; ++i)
      context_.run();
    std::vector<double> latencies, hostTimes;
    for (int i = 0; i < options_.iterations; ++i) {
      const auto start = Clock::now();
      context_.run();
      latencies.push_back(usSince(start));
    }
    // On a GPU the host's part of a run ends when the work is in the stream.
    if (void *stream = context_.stream())
      for (int i = 0; i < options_.iterations; ++i) {
        const auto start = Clock::now();
        context_.run(stream);
        hostTimes.push_back(usSince(start));
        if (i % 64 == 63)
          context_.synchronize();
      }
    context_.synchronize();
    deviceUs_ = context_.measureUs(static_cast<uint32_t>(options_.iterations));
    latency_ = summarize(std::move(latencies));
    stats_ = context_.stats();
    host_ = summarize(std::move(hostTimes));
  }

  /// Runs on with every step measured, after the runs without.
  Status profile() {
    Trace trace;
    context_.setProfiler([&](const inlay_profiled_step_t &step) {
      profile_.add(step);
      trace.add(step);
    });
    for (int i = 0; i < std::min(options_.iterations, kMaxProfiledRuns); ++i)
      context_.run();
    context_.setProfiler(nullptr);
    return options_.tracePath.empty()
               ? Status()
               : trace.write(options_.tracePath, engine_.name(), context_.deviceName());
  }

  static std::string json(const TimeSummary &times) {
    if (times.count == 0)
      return "null";
    return fmt::format("{{\"min\": {:.3f}, \"median\": {:.3f}, \"p90\": {:.3f}, \"p99\": {:.3f}, "
                       "\"max\": {:.3f}}}",
                       times.min, times.median, times.p90, times.p99, times.max);
  }

  const BenchOptions &options_;
  v1::Engine engine_;
  v1::Context context_;
  std::vector<v1::DeviceMemory> memory_;
  std::map<std::string, v1::Shape> shapes_;
  std::string described_;
  uint64_t numBytes_ = 0;
  TimeSummary latency_, host_;
  double deviceUs_ = 0;
  KernelProfile profile_;
  inlay_context_stats_t stats_{};
};

/// Two engines on one device, one after the other.
void printComparison(const BenchCommand &first, const BenchCommand &second) {
  const auto line = [](const char *what, double a, double b) {
    fmt::print("  {:<28}{:>12.2f}{:>12.2f}{:>10.2f}\n", what, a, b, b / a);
  };
  fmt::print("{:<30}{:>12}{:>12}{:>10}\n", "side by side, us", "first", "second", "ratio");
  line("latency, median", first.latency().median, second.latency().median);
  line("latency, p99", first.latency().p99, second.latency().p99);
  if (first.hostTime().count > 0)
    line("host time, median", first.hostTime().median, second.hostTime().median);
  line("device time", first.deviceUs(), second.deviceUs());
}

Status runBench(const BenchOptions &options) {
  if (!options.tracePath.empty() && !options.against.empty())
    return invalidArgument("--trace writes the runs of one engine; found --against too: leave it "
                           "out, and trace '{}' by itself",
                           options.against);
  BenchCommand first(options, loadEngine(options.engine, options.weights));
  INLAY_TRY(first.execute());
  if (options.against.empty()) {
    options.wantsJson ? fmt::print("{}\n", first.json()) : first.printText();
    return {};
  }
  BenchCommand second(options, v1::Engine::load(options.against));
  INLAY_TRY(second.execute());
  if (options.wantsJson) {
    fmt::print("[{},\n {}]\n", first.json(), second.json());
    return {};
  }
  first.printText();
  second.printText();
  printComparison(first, second);
  return {};
}

} // namespace

void addBenchCommand(CLI::App &app, Status &outcome) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App *command = app.add_subcommand("bench", "Measure runs of an engine on random inputs");
  command->add_option("ENGINE", options->engine, "The engine file")->required();
  command->add_option("--device", options->context.device, "cpu or cuda:N")->capture_default_str();
  command
      ->add_option("--threads", options->context.numThreads, "Threads on the CPU; 0: one per core")
      ->check(CLI::Range(0, 4096));
  addGraphsOption(*command, options->context);
  addShapeProfileOption(*command, "--shape-profile", options->context);
  addWeightsOption(*command, options->weights);
  addHostLibraryOption(*command, options->hostLibraries);
  command
      ->add_option("--shapes", options->shapes,
                   "Shape of an input, NAME=SIZExSIZE…; may be repeated; default: the shapes "
                   "the engine is tuned for")
      ->allow_extra_args(false);
  command->add_option("--iterations", options->iterations, "Measured runs")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  command->add_option("--against", options->against,
                      "A second engine to measure in the same way, beside the first");
  command->add_flag("--profile", options->wantsProfile,
                    "Then run up to 100 times more with every step measured, and print the time of "
                    "each kernel");
  command->add_option(
      "--trace", options->tracePath,
      "Write these runs as a Chrome trace (for Perfetto), with or without --profile; "
      "not with --against");
  command->add_flag("--json", options->wantsJson, "Print one JSON object");
  command->callback([options, &outcome] {
    outcome = catchErrors([&] {
      loadHostLibraries(options->hostLibraries);
      return runBench(*options);
    });
  });
}

} // namespace inlay::tools
