#include "tools/inlay/Commands.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/Build.h"
#include "compiler/driver/Coverage.h"
#include "compiler/driver/TimingCache.h"
#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/plugins/PluginFiles.h"
#include "tools/inlay/DeviceTimer.h"
#include "tools/inlay/EngineOutput.h"
#include "tools/inlay/Interruption.h"
#include "tools/inlay/NpzMeter.h"
#include "tools/inlay/Progress.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>

namespace inlay::tools {
namespace {

struct BuildCommandOptions {
  std::string model;
  std::vector<std::string> plugins;
  std::vector<std::string> targets;
  std::vector<std::string> profiles;
  std::string output;
  std::string name;
  std::string passes = BuildOptions().passes;
  std::vector<std::string> disabledPasses;
  bool hasRemarks = false;
  std::string dumpFolder;
  std::string reportPath;
  std::vector<std::string> implementations;
  std::vector<std::string> tune;
  std::string timingCache;
  bool isTimingCacheRequired = false;
  bool isWithoutVendorLibraries = false;
  std::string weights = "inside";
  bool isRefittable = false;
  bool isFull = true;
  std::vector<std::string> excluded;
  uint32_t minBlockSize = PartitionOptions().minBlockCalls;
  std::string precision = "keep";
  std::vector<std::string> keepFp32;
  std::string precisionInputs;
  std::string precisionDevice;
  std::string engineCache;
  uint64_t engineCacheMegabytes = EngineCacheOptions().maxBytes >> 20;
  bool isQuiet = false;
  bool isDryRun = false, isJson = false;
  std::string htmlPath; // of a dry run
};

Status addPlugins(PluginRegistry &registry, const std::vector<std::string> &paths) {
  for (const std::string &path : paths)
    INLAY_TRY(addPluginFile(registry, path));
  return addBuiltinPlugins(registry);
}

Status writeReport(const BuildCommandOptions &options, const BuildReport &report) {
  if (options.hasRemarks)
    fmt::print("{}", remarksText(report));
  if (options.reportPath == "-") {
    fmt::print("{}", reportJson(report));
    return {};
  }
  if (!options.reportPath.empty())
    INLAY_TRY(writeFileAtomically(options.reportPath, reportJson(report)));
  if (!options.isQuiet)
    fmt::print("{}wrote {} ({} bytes)\n", reportText(report), options.output, report.engineBytes);
  return {};
}

/// The devices that a build measures tactics on, and the cache of their times.
class BuildTimers {
public:
  static Result<std::unique_ptr<BuildTimers>> create(const BuildCommandOptions &options) {
    auto timers = std::make_unique<BuildTimers>();
    if (!options.timingCache.empty()) {
      INLAY_ASSIGN(TimingCache cache,
                   TimingCache::open(options.timingCache, options.isTimingCacheRequired));
      timers->cache_.emplace(std::move(cache));
    } else if (options.isTimingCacheRequired) {
      return invalidArgument("--timing-cache-required needs --timing-cache FILE");
    }
    if (timers->cache_ && options.tune.empty())
      return invalidArgument("--timing-cache needs --tune DEVICE; with --timing-cache-required the "
                             "device is one whose times the file has: {}",
                             fmt::join(timers->cache_->devices(), ", "));
    for (const std::string &device : options.tune)
      INLAY_TRY(timers->add(device, options.isTimingCacheRequired));
    return timers;
  }

  std::vector<EngineTimer *> all() const { return used_; }
  Status save() { return cache_ ? cache_->save() : Status(); }

private:
  Status add(const std::string &device, bool isRecorded) {
    if (isRecorded) {
      INLAY_ASSIGN(RecordedTimer timer, RecordedTimer::create(*cache_, device));
      used_.push_back(owned_.emplace_back(std::make_unique<RecordedTimer>(std::move(timer))).get());
      return {};
    }
    INLAY_ASSIGN(std::unique_ptr<DeviceTimer> timer, DeviceTimer::create(device), "reading --tune");
    EngineTimer *last = owned_.emplace_back(std::move(timer)).get();
    if (cache_)
      last = owned_.emplace_back(std::make_unique<CachingTimer>(*cache_, *last)).get();
    used_.push_back(last);
    return {};
  }

  std::optional<TimingCache> cache_;
  std::vector<std::unique_ptr<EngineTimer>> owned_;
  std::vector<EngineTimer *> used_;
};

/// The precision of a build, and who measures what it costs.
Result<std::unique_ptr<NpzMeter>> setPrecision(const BuildCommandOptions &options,
                                               BuildOptions &build) {
  INLAY_ASSIGN(build.precision, parsePrecision(options.precision), "reading --precision");
  build.precision.keepFp32 = options.keepFp32;
  const bool isAsked = !options.keepFp32.empty() || !options.precisionInputs.empty();
  if (isAsked && !build.precision.isOn())
    return invalidArgument("{} needs --precision fp16, bf16 or tf32; found {}",
                           options.keepFp32.empty() ? "--precision-inputs" : "--keep-fp32",
                           options.precision);
  if (options.precisionInputs.empty())
    return std::unique_ptr<NpzMeter>();
  std::string device = options.precisionDevice;
  if (device.empty()) // where code of the first target runs
    device = build.targets.front().starts_with("cuda") ? "cuda:0" : "cpu";
  auto meter = std::make_unique<NpzMeter>(options.precisionInputs, device);
  build.precisionMeter = meter.get();
  return meter;
}

PartitionOptions partitionOf(const BuildCommandOptions &options) {
  return {!options.isFull, options.excluded, options.minBlockSize};
}

/// Says what a build would find plugins for, and how it would divide the model.
Status dryRun(const BuildCommandOptions &options) {
  PluginRegistry registry;
  INLAY_TRY(addPlugins(registry, options.plugins));
  INLAY_ASSIGN(const std::unique_ptr<Model> model, Model::load(options.model));
  BuildOptions build;
  if (!options.targets.empty())
    build.targets = options.targets;
  for (const std::string &policy : options.implementations)
    INLAY_TRY(build.policies.add(policy), "reading --implementation");
  build.partition = partitionOf(options);
  INLAY_ASSIGN(const CoverageReport report, coverOperators(*model, registry, build));
  if (!options.htmlPath.empty())
    INLAY_TRY(writeFileAtomically(options.htmlPath, coverageHtml(report)));
  fmt::print("{}", options.isJson ? coverageJson(report) : coverageText(report));
  if (report.numUnserved() > 0 && options.isFull)
    return notFound("{} of {} calls have no plugin that serves them", report.numUnserved(),
                    report.numCalls());
  return {};
}

Status build(const BuildCommandOptions &options) {
  const Interruption interruption;
  if (options.isDryRun)
    return dryRun(options);
  if (options.isJson)
    return invalidArgument("--json is for --dry-run; the report of a build is JSON with --report");
  if (!options.htmlPath.empty())
    return invalidArgument("--html is for --dry-run");
  if (options.output.empty())
    return invalidArgument("-o FILE is missing: where the engine is written to");
  INLAY_ASSIGN(const std::unique_ptr<BuildTimers> timers, BuildTimers::create(options));
  PluginRegistry registry;
  INLAY_TRY(addPlugins(registry, options.plugins));
  INLAY_ASSIGN(std::unique_ptr<Model> model, Model::load(options.model));
  if (interruptingSignal())
    return cancelled("cancelled before it was built");
  BuildOptions build;
  if (!options.targets.empty())
    build.targets = options.targets;
  build.engineName = options.name;
  build.profiles = options.profiles;
  build.passes = options.passes;
  build.disabledPasses = options.disabledPasses;
  build.usesVendorLibraries = !options.isWithoutVendorLibraries;
  for (const std::string &policy : options.implementations)
    INLAY_TRY(build.policies.add(policy), "reading --implementation");
  if (!options.dumpFolder.empty())
    build.dump = dumpToFolder(options.dumpFolder);
  build.timers = timers->all();
  build.isRefittable = options.isRefittable;
  build.partition = partitionOf(options);
  INLAY_ASSIGN(const std::unique_ptr<NpzMeter> meter, setPrecision(options, build));
  if (options.weights == "beside")
    build.weightsFile = weightsFileName(options.output);
  if (!options.engineCache.empty())
    build.engineCache = EngineCacheOptions{options.engineCache, options.engineCacheMegabytes << 20,
                                           options.plugins};
  Progress progress(!options.isQuiet);
  build.progress = [&](const BuildProgress &at) { progress.show(at); };
  build.isCancelled = [] { return interruptingSignal() != 0; };
  Result<BuiltEngine> built = buildEngine(*model, registry, build);
  INLAY_TRY(timers->save()); // what was measured stays, whatever became of the build
  INLAY_ASSIGN(const BuiltEngine engine, std::move(built));
  INLAY_TRY(writeEngine(options.output, engine.engine, engine.weights, build.isCancelled));
  progress.clear();
  return writeReport(options, engine.report);
}

} // namespace

void addBuildCommand(CLI::App &app, Status &outcome) {
  auto options = std::make_shared<BuildCommandOptions>();
  CLI::App *command = app.add_subcommand("build", "Compile a model and its kernels to an engine");
  command
      ->add_option("MODEL", options->model,
                   "A .pt2 file of torch.export, or a dumped stage graph or plan (.mlir)")
      ->required();
  command
      ->add_option("--plugin", options->plugins,
                   "A plugin manifest (.toml) or plugin library (.so); may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--target", options->targets,
                   "cuda:sm_80 … cuda:sm_121, cuda (PTX that newer GPUs run too), cpu, "
                   "cpu:x86-64-v3, …; may be repeated; default cpu")
      ->allow_extra_args(false);
  command
      ->add_option("--implementation", options->implementations,
                   "prefer-aot (default), prefer-jit, strict-aot or strict-jit: kernels in the "
                   "engine, or functions of the process; also NAMESPACE::NAME=POLICY; may be "
                   "repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--profile", options->profiles,
                   "Sizes to build for, \"DIM=MIN,OPT,MAX …\", where DIM is INPUT:DIM or a symbol, "
                   "for example \"X:0=1,64,1024\"; may be repeated: profiles are counted from 1")
      ->allow_extra_args(false);
  command
      ->add_option("--passes", options->passes,
                   "Passes over the graph to run: all, none, or names with commas between")
      ->capture_default_str();
  command
      ->add_option("--disable-pass", options->disabledPasses,
                   "A pass over the graph not to run; may be repeated; a wrong name lists all")
      ->allow_extra_args(false);
  command->add_flag("--remarks", options->hasRemarks,
                    "Print what each pass did, and why it did not where it could not");
  command
      ->add_option("--tune", options->tune,
                   "Choose tactics by measuring on this device, cuda:0 or cpu; one of each family; "
                   "without it the first tactic of a plugin that can be taken is")
      ->allow_extra_args(false);
  command->add_flag("--no-vendor-libraries", options->isWithoutVendorLibraries,
                    "No tactics that call cuBLASLt, cuDNN or oneDNN where these are installed");
  command->add_option("--timing-cache", options->timingCache,
                      "Take times from this file, and add those that it lacks");
  command->add_flag("--timing-cache-required", options->isTimingCacheRequired,
                    "Measure nothing: --tune names a device whose times the file has, and what it "
                    "lacks is an error");
  command
      ->add_option("--weights", options->weights,
                   "Where the model's weights go: inside the engine, or beside it into a file "
                   "NAME.weights for NAME.inlay")
      ->check(CLI::IsMember({"inside", "beside"}))
      ->capture_default_str();
  command->add_flag("--refittable", options->isRefittable,
                    "Keep the weights replaceable (inlay refit): none is folded or converted");
  command->add_flag("--require-full,!--allow-host-segments", options->isFull,
                    "All of the model is in the engine, or the build fails (default); or what no "
                    "plugin serves becomes host segments, computed by functions of the process");
  command
      ->add_option("--exclude", options->excluded,
                   "An operator (aten::mul, aten::mul.Tensor) or node that goes to a host segment "
                   "though a plugin serves it; may be repeated; needs --allow-host-segments")
      ->allow_extra_args(false);
  command
      ->add_option("--min-block-size", options->minBlockSize,
                   "Blocks of fewer calls go to the host segments beside them; needs "
                   "--allow-host-segments")
      ->check(CLI::Range(1u, UINT32_MAX))
      ->capture_default_str();
  command
      ->add_option("--precision", options->precision,
                   "In which the model's float32 computation is done: keep, fp16, bf16 or tf32")
      ->check(CLI::IsMember({"keep", "fp16", "bf16", "tf32"}))
      ->capture_default_str();
  command
      ->add_option(
          "--keep-fp32", options->keepFp32,
          "An operator (aten::mul, aten::mul.Tensor) or node that stays in float32, beside "
          "those that do by default; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--precision-inputs", options->precisionInputs,
                      "Inputs in a .npz: the report tells the error against float32 on them");
  command->add_option(
      "--precision-device", options->precisionDevice,
      "Where that is measured, cpu or cuda:N; default: where the first target runs");
  command->add_option("--engine-cache", options->engineCache,
                      "A folder that keeps engines: one that was built from the same before is "
                      "taken from it");
  command
      ->add_option("--engine-cache-mb", options->engineCacheMegabytes,
                   "Megabytes that the folder may hold; the least recently used engines leave")
      ->check(CLI::Range(uint64_t{1}, UINT64_MAX >> 20))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "The engine file to write");
  command->add_flag("--dry-run", options->isDryRun,
                    "Write nothing: say which plugin serves which operator, and what is missing");
  command->add_flag("--json", options->isJson, "With --dry-run: print one JSON object");
  command->add_option("--html", options->htmlPath,
                      "With --dry-run: write one HTML page with the graph to look at");
  command->add_option("--name", options->name, "Name of the engine; default: of the model's file");
  command->add_option("--dump-stages", options->dumpFolder, "Write every stage into this folder");
  command->add_option("--report", options->reportPath,
                      "Write the build report as JSON; - is standard output");
  command->add_flag("--quiet", options->isQuiet, "Print nothing but errors");
  command->callback([options, &outcome] { outcome = build(*options); });
}

} // namespace inlay::tools
