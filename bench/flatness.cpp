// Thousands of runs with alternating shapes, then an engine loaded and freed many times: memory
// must stay the same, by the driver's own figures (cuMemGetInfo) and those of the kernel.
// Usage: flatness ENGINE DEVICE RUNS LOADS [MAX_GRAPHS]
// Prints one JSON object; exit status 1, with the reason, if memory grew.
#include <inlay/engine.h>

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

constexpr size_t kNumSizes = 8;
/// Growth that is no leak: the granularity of the driver and of malloc. Over 30,000 runs this is
/// 70 bytes a run.
constexpr int64_t kSlackBytes = int64_t{2} << 20;
/// What the driver may keep on the host of each module that came and went.
constexpr int64_t kHostBytesPerLoad = 4096;
constexpr int kWarmUpRounds = 8, kWarmUpLoads = 20, kNumSamples = 10;

/// The driver, asked beside Inlay. Keeps the primary context alive, so that it can be asked when
/// Inlay holds nothing, and so that what Inlay does not free is not freed for it.
class Driver {
public:
  explicit Driver(int ordinal) : library_(dlopen("libcuda.so.1", RTLD_NOW)) {
    if (!library_)
      throw inlay::Error(INLAY_STATUS_DEVICE_ERROR, std::string("no NVIDIA driver: ") + dlerror());
    int device = 0;
    void *context = nullptr;
    call("cuInit", 0u);
    call("cuDeviceGet", &device, ordinal);
    call("cuDevicePrimaryCtxRetain", &context, device);
    call("cuCtxSetCurrent", context);
    context_ = context;
  }
  int64_t usedBytes() const {
    size_t free = 0, total = 0;
    call("cuCtxSetCurrent", context_);
    call("cuCtxSynchronize");
    call("cuMemGetInfo_v2", &free, &total);
    return static_cast<int64_t>(total - free);
  }

private:
  template <typename... Args>
  void call(const char *name, Args... args) const {
    void *function = dlsym(library_, name);
    const int error = function ? reinterpret_cast<int (*)(Args...)>(function)(args...) : -1;
    if (error)
      throw inlay::Error(INLAY_STATUS_DEVICE_ERROR,
                         std::string(name) + " failed with " + std::to_string(error));
  }
  void *library_;
  void *context_ = nullptr;
};

int64_t residentBytes() {
  long pages = 0;
  if (std::FILE *file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

struct Sample {
  int64_t deviceBytes = 0, hostBytes = 0;
};

/// Size `which` of a dimension between its bounds: small, large and odd ones in turn.
int64_t sizeOf(const inlay_dim_t &dim, int32_t numFree, size_t which) {
  constexpr std::array<int64_t, kNumSizes> kParts = {7, 0, 5, 2, 6, 1, 4, 3};
  const int64_t low = std::max<int64_t>(dim.min, 1);
  const int64_t high = std::max(low, std::min<int64_t>(dim.max, numFree > 1 ? 250 : 100'001));
  return low + (high - low) * kParts[which] / 7;
}

/// A context and tensors on its device that are large enough for all sizes.
class Runner {
public:
  Runner(const inlay::Engine &engine, const inlay::ContextOptions &options)
      : inputs_(engine.inputs()), outputs_(engine.outputs()),
        context_(engine.createContext(options)) {
    int32_t numFree = 0;
    for (const inlay_tensor_info_t &input : inputs_)
      for (int32_t d = 0; d < input.rank; ++d) {
        if (input.dims[d].size < 0 && !input.dims[d].symbol)
          throw inlay::Error(INLAY_STATUS_UNIMPLEMENTED,
                             std::string("a dimension of input '") + input.name +
                                 "' is computed from others; use an engine without such");
        numFree += input.dims[d].size < 0;
      }
    if (numFree == 0)
      throw inlay::Error(INLAY_STATUS_INVALID_ARGUMENT,
                         "all shapes of this engine are fixed; build one with a free dimension");
    for (size_t which = 0; which < kNumSizes; ++which)
      addShapes(numFree, which);
  }

  void run(size_t which) {
    const std::vector<inlay::Tensor> &tensors = tensors_[which % kNumSizes];
    for (size_t i = 0; i < tensors.size(); ++i)
      context_.bind(i < inputs_.size() ? inputs_[i].name : outputs_[i - inputs_.size()].name,
                    tensors[i]);
    context_.run();
  }
  inlay::Context &context() { return context_; }

private:
  /// Tensors of size `which`; the first size is the largest.
  void addShapes(int32_t numFree, size_t which) {
    std::vector<inlay::Tensor> &tensors = tensors_[which];
    for (const inlay_tensor_info_t &input : inputs_) {
      inlay::Shape shape;
      for (int32_t d = 0; d < input.rank; ++d)
        shape.push_back(input.dims[d].size >= 0 ? input.dims[d].size
                                                : sizeOf(input.dims[d], numFree, which));
      addTensor(input, shape, tensors);
      context_.bind(input.name, tensors.back());
    }
    for (const inlay_tensor_info_t &output : outputs_)
      addTensor(output, context_.outputShape(output.name), tensors);
  }
  void addTensor(const inlay_tensor_info_t &info, const inlay::Shape &shape,
                 std::vector<inlay::Tensor> &tensors) {
    const size_t index = tensors.size();
    const auto bytes = static_cast<size_t>(inlay::Tensor(nullptr, info.dtype, shape).sizeBytes());
    if (index == memory_.size())
      memory_.emplace_back(context_, bytes);
    else if (memory_[index].sizeBytes() < bytes)
      throw inlay::Error(INLAY_STATUS_UNIMPLEMENTED,
                         std::string("'") + info.name + "' grows where the inputs shrink");
    tensors.emplace_back(memory_[index].data(), info.dtype, shape, INLAY_MEMORY_DEVICE);
  }

  std::vector<inlay_tensor_info_t> inputs_, outputs_;
  inlay::Context context_;
  std::vector<inlay::DeviceMemory> memory_;
  std::array<std::vector<inlay::Tensor>, kNumSizes> tensors_;
};

class Flatness {
public:
  Flatness(std::string path, inlay::ContextOptions options)
      : path_(std::move(path)), options_(std::move(options)) {
    if (options_.device.starts_with("cuda"))
      driver_.emplace(options_.device.size() > 5 ? std::atoi(options_.device.c_str() + 5) : 0);
  }

  void runs(int count) {
    const inlay::Engine engine = inlay::Engine::load(path_);
    Runner runner(engine, options_);
    inlay::Context &context = runner.context();
    size_t at = 0;
    while (at < kWarmUpRounds * kNumSizes)
      runner.run(at++);
    samples_ = {sample(&context)};
    for (int i = 0; i < count; ++i) {
      runner.run(at++);
      if ((i + 1) % (count / kNumSamples) == 0)
        samples_.push_back(sample(&context));
    }
    const inlay_context_stats_t stats = context.stats();
    std::printf("{\"device\": \"%s\", \"runs\": %d, \"shapes\": %zu, \"plans\": %llu, "
                "\"graphs\": %llu, \"recordings\": %llu, ",
                context.deviceName().c_str(), count, kNumSizes,
                static_cast<unsigned long long>(stats.num_plans),
                static_cast<unsigned long long>(stats.num_graphs),
                static_cast<unsigned long long>(stats.num_recordings));
    report("runs", kSlackBytes);
  }

  void loads(int count) {
    samples_.clear();
    for (int i = 0; i < kWarmUpLoads + count; ++i) {
      {
        Runner runner(inlay::Engine::load(path_), options_);
        for (size_t which : {0, 1, 1, 2, 2})
          runner.run(which);
      }
      if (i + 1 == kWarmUpLoads ||
          (i >= kWarmUpLoads && (i + 1 - kWarmUpLoads) % (count / kNumSamples) == 0))
        samples_.push_back(sample(nullptr));
    }
    std::printf(", \"loads\": %d, ", count);
    report("loads", kSlackBytes + count * kHostBytesPerLoad);
  }

  /// What grew; empty if nothing did.
  const std::string &failure() const { return failure_; }

private:
  Sample sample(inlay::Context *context) {
    const int64_t own =
        context ? static_cast<int64_t>(context->stats().allocated_bytes) : int64_t{0};
    return {driver_ ? driver_->usedBytes() : own, residentBytes()};
  }

  void report(const char *what, int64_t hostLimit) {
    const auto print = [&](const char *name, int64_t Sample::*bytes, int64_t limit) {
      std::printf("\"%s_%s_bytes\": [", what, name);
      for (const Sample &sample : samples_)
        std::printf("%s%lld", &sample == samples_.data() ? "" : ", ",
                    static_cast<long long>(sample.*bytes));
      // From the second on: what driver and malloc set aside once has been set aside by then.
      const int64_t growth = samples_.back().*bytes - samples_[1].*bytes;
      std::printf("], \"%s_%s_growth\": %lld", what, name, static_cast<long long>(growth));
      if (growth > limit)
        failure_ += std::string(failure_.empty() ? "" : "; ") + name + " memory grew by " +
                    std::to_string(growth) + " bytes over the " + what + ", more than " +
                    std::to_string(limit);
    };
    print("device", &Sample::deviceBytes, kSlackBytes);
    std::printf(", ");
    print("host", &Sample::hostBytes, hostLimit);
  }

  std::string path_;
  inlay::ContextOptions options_;
  std::optional<Driver> driver_;
  std::vector<Sample> samples_;
  std::string failure_;
};

} // namespace

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) {
    std::fprintf(stderr, "usage: flatness ENGINE DEVICE RUNS LOADS [MAX_GRAPHS]\n");
    return 2;
  }
  try {
    inlay::ContextOptions options;
    options.device = argv[2];
    options.maxGraphs = argc == 6 ? static_cast<unsigned>(std::atoi(argv[5])) : 0;
    Flatness flatness(argv[1], options);
    flatness.runs(std::max(kNumSamples, std::atoi(argv[3])));
    flatness.loads(std::max(kNumSamples, std::atoi(argv[4])));
    std::printf(", \"passed\": %s}\n", flatness.failure().empty() ? "true" : "false");
    if (!flatness.failure().empty())
      std::fprintf(stderr, "flatness: %s\n", flatness.failure().c_str());
    return flatness.failure().empty() ? 0 : 1;
  } catch (const inlay::Error &error) {
    std::fprintf(stderr, "flatness: %s\n", error.what());
    return 1;
  }
}
