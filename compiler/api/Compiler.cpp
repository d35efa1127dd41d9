#include "base/Error.h"
#include "compiler/driver/Build.h"
#include "compiler/driver/TimingCache.h"
#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/plugins/CppPlugin.h"
#include "compiler/plugins/PluginAbi.h"
#include "compiler/plugins/PluginFiles.h"

#include <inlay/compiler_abi.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <optional>

using namespace inlay;

namespace {

/// A file of a result: in pieces until someone asks for its bytes.
struct ResultFile {
  FilePieces pieces;
  mutable std::once_flag isAsked;
  mutable std::vector<std::byte> bytes;

  const void *inMemory(size_t *sizeBytes) const {
    std::call_once(isAsked, [&] { bytes = pieces.toBytes(); });
    *sizeBytes = bytes.size();
    return bytes.empty() ? nullptr : bytes.data();
  }
};

} // namespace

struct inlay_build_result_t {
  std::unique_ptr<Model> model; // in which weights of the files lie, so it is destroyed last
  std::unique_ptr<llvm::MemoryBuffer> cacheEntry; // likewise
  ResultFile engine, weights;
  std::string message, weightsFile, report;
};

namespace {

/// A list of texts of the interface. Errors: InvalidArgument for a null list or text.
Result<std::vector<std::string>> textsOf(const char *const *texts, size_t count,
                                         std::string_view what) {
  std::vector<std::string> result;
  if (!texts && count != 0)
    return invalidArgument("{} is null; {} texts were announced", what, count);
  for (size_t i = 0; i < count; ++i) {
    INLAY_ASSIGN(std::string text, textFromAbi(texts[i], what));
    result.push_back(std::move(text));
  }
  return result;
}

Status addPlugins(PluginRegistry &registry, const inlay_build_options_v1 &given) {
  INLAY_ASSIGN(auto paths, textsOf(given.plugin_paths, given.num_plugin_paths, "plugin_paths"));
  for (const std::string &path : paths)
    INLAY_TRY(addPluginFile(registry, path));
  // The program's come last, so that they may remove plugins of files.
  if (given.register_plugins)
    INLAY_TRY(addCppPlugins(registry,
                            [&](const inlay_plugin_host_v1 *host) {
                              given.register_plugins(given.register_user, host);
                            },
                            {"the calling program", {}, nullptr}));
  return addBuiltinPlugins(registry);
}

/// A timer of the program that builds.
class CallersTimer final : public EngineTimer {
public:
  static Result<std::unique_ptr<CallersTimer>> create(const inlay_build_timer_v1 &given) {
    auto timer = std::make_unique<CallersTimer>();
    timer->given_ = given;
    INLAY_ASSIGN(timer->family_, textFromAbi(given.family, "family of a timer"));
    INLAY_ASSIGN(timer->target_, textFromAbi(given.target, "target of a timer"));
    INLAY_ASSIGN(timer->device_, textFromAbi(given.device, "device of a timer"));
    return timer;
  }
  std::string family() const override { return family_; }
  std::string target() const override { return target_; }
  std::string deviceName() const override { return device_; }
  Result<double> measureUs(std::span<const std::byte> engine) override {
    double us = 0;
    const char *message = nullptr;
    if (given_.measure(given_.user, engine.data(), engine.size(), &us, &message) != 0)
      return invalidArgument("measuring on '{}': {}", device_,
                             message ? message : "the timer gives no reason");
    if (!std::isfinite(us) || us < 0)
      return invalidArgument("measuring on '{}' gave {} microseconds", device_, us);
    return us;
  }

private:
  inlay_build_timer_v1 given_{};
  std::string family_, target_, device_;
};

/// A program that builds and compares engines itself.
class CallersMeter final : public PrecisionMeter {
public:
  explicit CallersMeter(const inlay_build_meter_v1 &given) : given_(given) {}
  Result<std::vector<OutputError>> compare(std::span<const std::byte> reference,
                                           std::span<const std::byte> engine) override {
    const inlay_output_error_v1 *errors = nullptr;
    size_t numErrors = 0;
    const char *message = nullptr;
    if (given_.compare(given_.user, reference.data(), reference.size(), engine.data(),
                       engine.size(), &errors, &numErrors, &message) != 0)
      return invalidArgument("{}", message ? message : "the precision meter gives no reason");
    if (!errors && numErrors != 0)
      return invalidArgument("the precision meter gave no array for {} errors", numErrors);
    std::vector<OutputError> result;
    for (size_t i = 0; i < numErrors; ++i)
      result.push_back({errors[i].name ? errors[i].name : "", errors[i].max_abs_error,
                        errors[i].max_rel_error, errors[i].max_abs_value,
                        errors[i].num_not_finite});
    return result;
  }

private:
  inlay_build_meter_v1 given_;
};

/// The timers of a build, and the cache that they use.
class BuildTimers {
public:
  Status add(const inlay_build_options_v1 &given) {
    if (given.timing_cache) {
      INLAY_ASSIGN(TimingCache cache, TimingCache::open(given.timing_cache));
      cache_.emplace(std::move(cache));
    }
    if (!given.timers && given.num_timers != 0)
      return invalidArgument("timers is null; {} were announced", given.num_timers);
    for (size_t i = 0; i < given.num_timers; ++i)
      INLAY_TRY(add(given.timers[i]));
    return {};
  }
  const std::vector<EngineTimer *> &used() const { return used_; }
  Status save() { return cache_ ? cache_->save() : Status(); }

private:
  Status add(const inlay_build_timer_v1 &given) {
    INLAY_ASSIGN(std::unique_ptr<CallersTimer> timer, CallersTimer::create(given));
    std::unique_ptr<EngineTimer> last;
    if (!given.measure) {
      if (!cache_)
        return invalidArgument("timer of '{}' measures nothing, and there is no timing cache",
                               timer->deviceName());
      INLAY_ASSIGN(RecordedTimer recorded, RecordedTimer::create(*cache_, timer->deviceName()));
      last = std::make_unique<RecordedTimer>(std::move(recorded));
    } else if (cache_) {
      last = std::make_unique<CachingTimer>(*cache_, *timer);
      owned_.push_back(std::move(timer));
    } else {
      last = std::move(timer);
    }
    used_.push_back(owned_.emplace_back(std::move(last)).get());
    return {};
  }

  std::optional<TimingCache> cache_;
  std::vector<std::unique_ptr<EngineTimer>> owned_;
  std::vector<EngineTimer *> used_;
};

Status build(const inlay_build_options_v1 *options, inlay_build_result_t &result) {
  inlay_build_options_v1 given{};
  INLAY_TRY(copySizedStruct(options, &given, sizeof(given),
                            offsetof(inlay_build_options_v1, implementations),
                            "inlay_build_options_v1"));
  INLAY_ASSIGN(const std::string path, textFromAbi(given.model_path, "model_path"));
  PluginRegistry registry;
  INLAY_TRY(addPlugins(registry, given));
  BuildOptions build;
  INLAY_ASSIGN(auto targets, textsOf(given.targets, given.num_targets, "targets"));
  if (!targets.empty())
    build.targets = std::move(targets);
  build.engineName = given.engine_name ? given.engine_name : "";
  INLAY_ASSIGN(build.profiles, textsOf(given.profiles, given.num_profiles, "profiles"));
  INLAY_ASSIGN(auto policies,
               textsOf(given.implementations, given.num_implementations, "implementations"));
  for (const std::string &policy : policies)
    INLAY_TRY(build.policies.add(policy), "reading implementations");
  if (given.passes)
    build.passes = given.passes;
  INLAY_ASSIGN(build.disabledPasses,
               textsOf(given.disabled_passes, given.num_disabled_passes, "disabled_passes"));
  build.usesVendorLibraries = given.no_vendor_libraries == 0;
  if (given.progress)
    build.progress = [&](const BuildProgress &at) {
      given.progress(given.progress_user, std::string(at.phase).c_str(), at.item.c_str(), at.done,
                     at.total);
    };
  if (given.cancelled)
    build.isCancelled = [&] { return given.cancelled(given.cancelled_user) != 0; };
  build.weightsFile = given.weights_file ? given.weights_file : "";
  build.isRefittable = given.refittable != 0;
  INLAY_ASSIGN(build.precision, parsePrecision(given.precision ? given.precision : ""));
  INLAY_ASSIGN(build.precision.keepFp32,
               textsOf(given.keep_fp32, given.num_keep_fp32, "keep_fp32"));
  build.partition.allowsHostSegments = given.allow_host_segments != 0;
  INLAY_ASSIGN(build.partition.excluded, textsOf(given.excluded, given.num_excluded, "excluded"));
  build.partition.minBlockCalls = std::max(1u, given.min_block_calls);
  std::optional<CallersMeter> meter;
  if (given.precision_meter) {
    if (!given.precision_meter->compare)
      return invalidArgument("the precision meter has no function to compare with");
    if (!build.precision.isOn())
      return invalidArgument("a precision meter was given for a build that keeps its precision");
    build.precisionMeter = &meter.emplace(*given.precision_meter);
  }
  if (given.engine_cache) {
    EngineCacheOptions &cache = build.engineCache.emplace();
    cache.folder = given.engine_cache;
    if (given.engine_cache_bytes)
      cache.maxBytes = given.engine_cache_bytes;
    INLAY_ASSIGN(cache.pluginFiles,
                 textsOf(given.plugin_paths, given.num_plugin_paths, "plugin_paths"));
  }
  BuildTimers timers;
  INLAY_TRY(timers.add(given));
  build.timers = timers.used();
  INLAY_ASSIGN(std::unique_ptr<Model> model, Model::load(path));
  Result<BuiltEngine> outcome = buildEngine(*model, registry, build);
  INLAY_TRY(timers.save()); // what was measured stays, whatever became of the build
  INLAY_ASSIGN(BuiltEngine built, std::move(outcome));
  result.model = std::move(model);
  result.cacheEntry = std::move(built.cacheEntry);
  result.engine.pieces = std::move(built.engine);
  result.weights.pieces = std::move(built.weights);
  result.weightsFile = build.weightsFile;
  result.report = reportJson(built.report);
  return {};
}

/// The weights first, so that an engine is never there without them.
Status save(const inlay_build_result_t &result, const char *path) {
  INLAY_ASSIGN(const std::string engine, textFromAbi(path, "path"));
  if (result.engine.pieces.isEmpty())
    return failedPrecondition("there is no engine to save: the build failed");
  if (!result.weights.pieces.isEmpty())
    INLAY_TRY(result.weights.pieces.save(
        std::filesystem::path(engine).replace_filename(result.weightsFile).string()));
  return result.engine.pieces.save(engine);
}

} // namespace

inlay_status_code_t inlay_build(const inlay_build_options_v1 *options,
                                inlay_build_result_t **out_result) {
  if (!out_result)
    return INLAY_STATUS_INVALID_ARGUMENT;
  auto result = std::make_unique<inlay_build_result_t>();
  Status status = build(options, *result);
  if (!status.isOk())
    result->message = status.message();
  *out_result = result.release();
  return static_cast<inlay_status_code_t>(status.code());
}

const char *inlay_build_result_message(const inlay_build_result_t *result) {
  return result->message.c_str();
}

const void *inlay_build_result_engine(const inlay_build_result_t *result, size_t *out_size_bytes) {
  return result->engine.inMemory(out_size_bytes);
}

const void *inlay_build_result_weights(const inlay_build_result_t *result, size_t *out_size_bytes) {
  return result->weights.inMemory(out_size_bytes);
}

void inlay_build_result_sizes(const inlay_build_result_t *result, uint64_t *out_engine_bytes,
                              uint64_t *out_weights_bytes) {
  *out_engine_bytes = result->engine.pieces.sizeBytes();
  *out_weights_bytes = result->weights.pieces.sizeBytes();
}

inlay_status_code_t inlay_build_result_save(inlay_build_result_t *result, const char *path) {
  const Status status = save(*result, path);
  result->message = status.message();
  return static_cast<inlay_status_code_t>(status.code());
}

const char *inlay_build_result_report(const inlay_build_result_t *result) {
  return result->report.c_str();
}

void inlay_build_result_free(inlay_build_result_t *result) { delete result; }
