// The C++ interface of Inlay's compiler: a header-only layer over inlay/compiler_abi.h.
//
//   inlay::BuildOptions options{.model = "add_one.pt2", .targets = {"cpu", "cuda:sm_90a"}};
//   options.plugins.add("my::add_one").describe(…).aot(…);   // inlay/plugin.h
//   inlay::build(options).save("add_one.inlay");
//
// Whatever goes wrong is thrown as inlay::BuildError.
#pragma once

#include <inlay/compiler_abi.h>
#include <inlay/plugin.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace inlay {
inline namespace v1 {

/// Why no engine was built.
class BuildError : public std::runtime_error {
public:
  BuildError(inlay_status_code_t code, const std::string &message)
      : std::runtime_error(message), code_(code) {}
  inlay_status_code_t code() const { return code_; }

private:
  inlay_status_code_t code_;
};

/// Where a build stands: `done` of `total` items of a phase are finished; the next is `item`.
struct BuildProgress {
  std::string phase;
  std::string item;
  uint32_t done;
  uint32_t total;
};

/// A device to choose tactics on; inlay::deviceTimer of inlay/tuning.h makes one.
struct BuildTimer {
  std::string family; ///< "cuda" or "cpu": whose targets' code runs there
  std::string target; ///< the best target for it, "cuda:sm_90a"
  std::string device; ///< what it is, as a timing cache names it: "NVIDIA H200"
  /// The device's time of one run of an engine at the sizes that it is tuned for, in microseconds;
  /// throws if it cannot be measured. Empty: times come from the timing cache alone, and one that
  /// it lacks is an error.
  std::function<double(const void *engine, size_t sizeBytes)> measureUs = {};
};

/// How far an output of an engine is from the one that computes in float32; see
/// inlay_output_error_v1.
struct OutputError {
  std::string output;
  double maxAbsoluteError = 0, maxRelativeError = 0, maxAbsoluteValue = 0;
  uint64_t numNotFinite = 0;
};
/// Runs the engine that computes in float32 and the other on the same inputs, and compares them.
/// What it throws becomes the build's error.
using PrecisionMeter = std::function<std::vector<OutputError>(
    const void *reference, size_t referenceSizeBytes, const void *engine, size_t engineSizeBytes)>;

/// What to build, and for what.
struct BuildOptions {
  std::string model;                         ///< a .pt2 of torch.export, or a dumped graph or plan
  std::string engineName = {};               ///< empty: the model's
  std::vector<std::string> targets = {};     ///< none: "cpu"
  std::vector<std::string> pluginFiles = {}; ///< manifests (.toml) and libraries (.so)
  PluginRegistry plugins = {};               ///< the program's own
  /// Kernels in the engine or functions of the process: "prefer-aot" (default), "prefer-jit",
  /// "strict-aot", "strict-jit", or "ns::name=POLICY" for one operator.
  std::vector<std::string> implementations = {};
  /// Shape profiles, "X:0=1,64,1024 s1=8": INPUT:DIM or a symbol, then min, opt and max, or one
  /// size. None: all shapes of the model.
  std::vector<std::string> profiles = {};
  /// The passes over the model's graph to run: "all", "none", or names with commas between; and
  /// those of them to leave out.
  std::string passes = "all";
  std::vector<std::string> disabledPasses = {};
  /// Devices to choose tactics on, one of a family at most. None: the plugin's order counts.
  std::vector<BuildTimer> timers = {};
  std::string timingCache = {}; ///< a file of times, to take them from and to add them to
  /// A folder that keeps engines; one that was built from the same before is taken from it.
  std::string engineCache = {};
  /// Tactics that call cuBLASLt, cuDNN and oneDNN where these are installed; engines run without.
  bool usesVendorLibraries = true;
  /// Name, without folder, of the file that the weights go into (CompiledEngine::weights); empty:
  /// they are in the engine.
  std::string weightsFile = {};
  bool isRefittable = false; ///< weights can be replaced later; none is folded or converted
  /// Calls that no plugin serves become host segments, which functions of the process compute
  /// (inlay/host_function.h). False: the engine is full, or the build fails.
  bool allowsHostSegments = false;
  /// Operators ("aten::mul", "aten::mul.Tensor") and nodes that are in host segments though a
  /// plugin serves them.
  std::vector<std::string> excluded = {};
  uint32_t minBlockCalls = 1; ///< smaller blocks of calls go to the host segments beside them
  std::string precision = {}; ///< "keep" (also if empty), "fp16", "bf16" or "tf32"
  /// Operators ("aten::mul", "aten::mul.Tensor") and nodes that stay in float32, beside those that
  /// do by default.
  std::vector<std::string> keepFp32 = {};
  PrecisionMeter precisionMeter = {}; ///< of builds with a precision; empty: nothing is measured
  uint64_t engineCacheBytes = 0;      ///< what that folder may hold; 0: 4 GiB
  std::function<void(const BuildProgress &)> progress = {}; ///< may be empty; must not throw
  /// Asked on the thread that builds: true ends the build with BuildError CANCELLED, within the
  /// time that one kernel, pass or tactic takes. May be empty; must not throw.
  std::function<bool()> isCancelled = {};
};

/// A finished engine. Its weights stay in the model's file until they are asked for or saved.
class CompiledEngine {
public:
  /// The bytes of its file, in memory; inlay::Engine::fromMemory takes them too.
  const void *data() const {
    size_t size = 0;
    return inlay_build_result_engine(result_.get(), &size);
  }
  size_t sizeBytes() const { return sizes().engine; }
  /// The build report in JSON: each kernel's targets, times, registers and bytes.
  std::string report() const { return inlay_build_result_report(result_.get()); }
  /// The bytes of the weights file, in memory; null if none was asked for.
  const void *weights() const {
    size_t size = 0;
    return inlay_build_result_weights(result_.get(), &size);
  }
  size_t weightsSizeBytes() const { return sizes().weights; }
  /// Writes the engine file, and the weights file that was asked for into its folder, each whole or
  /// not at all; needs no memory for weights. Errors: BuildError if one cannot be written.
  void save(const std::string &path) const {
    if (const inlay_status_code_t code = inlay_build_result_save(result_.get(), path.c_str()))
      throw BuildError(code, inlay_build_result_message(result_.get()));
  }

private:
  friend CompiledEngine build(const BuildOptions &options);
  struct Sizes {
    size_t engine, weights;
  };
  Sizes sizes() const {
    uint64_t engine = 0, weights = 0;
    inlay_build_result_sizes(result_.get(), &engine, &weights);
    return {static_cast<size_t>(engine), static_cast<size_t>(weights)};
  }
  struct Free {
    void operator()(inlay_build_result_t *result) const { inlay_build_result_free(result); }
  };
  std::unique_ptr<inlay_build_result_t, Free> result_;
};

namespace compiler_detail {
/// What a meter gives or throws is kept until the next call.
struct Meter {
  const PrecisionMeter *function;
  std::vector<OutputError> errors;
  std::vector<inlay_output_error_v1> raw;
  std::string message;

  static int compare(void *user, const void *reference, size_t referenceSizeBytes,
                     const void *engine, size_t engineSizeBytes,
                     const inlay_output_error_v1 **errors, size_t *numErrors,
                     const char **message) {
    Meter &own = *static_cast<Meter *>(user);
    int failed = 1;
    plugin_detail::guarded(
        [&] {
          own.errors = (*own.function)(reference, referenceSizeBytes, engine, engineSizeBytes);
          own.raw.clear();
          for (const OutputError &error : own.errors)
            own.raw.push_back({error.output.c_str(), error.maxAbsoluteError, error.maxRelativeError,
                               error.maxAbsoluteValue, error.numNotFinite});
          failed = 0;
        },
        [&](const char *what) { own.message = what; });
    *errors = own.raw.data();
    *numErrors = own.raw.size();
    *message = own.message.c_str();
    return failed;
  }
};
} // namespace compiler_detail

/// Builds an engine. Threads: builds may run at once; the registry's functions are called on the
/// caller's thread.
inline CompiledEngine build(const BuildOptions &options) {
  std::vector<const char *> pluginPaths, targets;
  for (const std::string &path : options.pluginFiles)
    pluginPaths.push_back(path.c_str());
  for (const std::string &target : options.targets)
    targets.push_back(target.c_str());
  inlay_build_options_v1 view{};
  view.size_bytes = sizeof(view);
  view.model_path = options.model.c_str();
  view.engine_name = options.engineName.c_str();
  view.plugin_paths = pluginPaths.data();
  view.num_plugin_paths = pluginPaths.size();
  view.targets = targets.data();
  view.num_targets = targets.size();
  std::vector<const char *> implementations;
  for (const std::string &policy : options.implementations)
    implementations.push_back(policy.c_str());
  view.implementations = implementations.data();
  view.num_implementations = implementations.size();
  std::vector<const char *> profiles;
  for (const std::string &profile : options.profiles)
    profiles.push_back(profile.c_str());
  view.profiles = profiles.data();
  view.num_profiles = profiles.size();
  std::vector<const char *> disabledPasses;
  for (const std::string &pass : options.disabledPasses)
    disabledPasses.push_back(pass.c_str());
  view.passes = options.passes.c_str();
  view.disabled_passes = disabledPasses.data();
  view.num_disabled_passes = disabledPasses.size();
  // What a timer throws is kept until the next call.
  struct Timer {
    const BuildTimer *timer;
    std::string message;
  };
  std::vector<Timer> timers;
  timers.reserve(options.timers.size());
  std::vector<inlay_build_timer_v1> timerViews;
  for (const BuildTimer &timer : options.timers) {
    timers.push_back({&timer, ""});
    inlay_build_timer_v1 timerView{timer.family.c_str(), timer.target.c_str(), timer.device.c_str(),
                                   &timers.back(), nullptr};
    if (timer.measureUs)
      timerView.measure = [](void *user, const void *engine, size_t sizeBytes, double *us,
                             const char **message) {
        Timer &own = *static_cast<Timer *>(user);
        int failed = 1;
        plugin_detail::guarded(
            [&] {
              *us = own.timer->measureUs(engine, sizeBytes);
              failed = 0;
            },
            [&](const char *what) { own.message = what; });
        *message = own.message.c_str();
        return failed;
      };
    timerViews.push_back(timerView);
  }
  view.timers = timerViews.data();
  view.num_timers = timerViews.size();
  view.timing_cache = options.timingCache.empty() ? nullptr : options.timingCache.c_str();
  view.engine_cache = options.engineCache.empty() ? nullptr : options.engineCache.c_str();
  view.engine_cache_bytes = options.engineCacheBytes;
  view.no_vendor_libraries = options.usesVendorLibraries ? 0 : 1;
  view.weights_file = options.weightsFile.empty() ? nullptr : options.weightsFile.c_str();
  view.refittable = options.isRefittable;
  view.precision = options.precision.empty() ? nullptr : options.precision.c_str();
  std::vector<const char *> keepFp32;
  for (const std::string &name : options.keepFp32)
    keepFp32.push_back(name.c_str());
  view.keep_fp32 = keepFp32.data();
  view.num_keep_fp32 = keepFp32.size();
  view.allow_host_segments = options.allowsHostSegments;
  std::vector<const char *> excluded;
  for (const std::string &name : options.excluded)
    excluded.push_back(name.c_str());
  view.excluded = excluded.data();
  view.num_excluded = excluded.size();
  view.min_block_calls = options.minBlockCalls;
  compiler_detail::Meter meter{&options.precisionMeter, {}, {}, {}};
  const inlay_build_meter_v1 meterView{&meter, compiler_detail::Meter::compare};
  view.precision_meter = options.precisionMeter ? &meterView : nullptr;
  if (!options.plugins.isEmpty()) {
    view.register_user = const_cast<PluginRegistry *>(&options.plugins);
    view.register_plugins = [](void *user, const inlay_plugin_host_v1 *host) {
      plugin_detail::registerPlugins(host, [&](PluginRegistry &registry) {
        registry = *static_cast<const PluginRegistry *>(user);
      });
    };
  }
  if (options.progress) {
    view.progress_user = const_cast<BuildOptions *>(&options);
    view.progress = [](void *user, const char *phase, const char *item, uint32_t done,
                       uint32_t total) {
      static_cast<const BuildOptions *>(user)->progress({phase, item, done, total});
    };
  }
  if (options.isCancelled) {
    view.cancelled_user = const_cast<BuildOptions *>(&options);
    view.cancelled = [](void *user) -> int {
      return static_cast<const BuildOptions *>(user)->isCancelled();
    };
  }
  inlay_build_result_t *result = nullptr;
  const inlay_status_code_t code = inlay_build(&view, &result);
  CompiledEngine engine;
  engine.result_.reset(result);
  if (code != INLAY_STATUS_OK)
    throw BuildError(code, inlay_build_result_message(result));
  return engine;
}

} // namespace v1
} // namespace inlay
