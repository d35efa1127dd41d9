// From a model and plugins to an engine.
#pragma once

#include "base/Cancellation.h"
#include "base/FilePieces.h"
#include "base/Status.h"
#include "compiler/driver/BuildReport.h"
#include "compiler/driver/EngineTimer.h"
#include "compiler/driver/PrecisionMeter.h"
#include "compiler/driver/Stages.h"
#include "compiler/plugins/PluginDefinition.h"
#include "compiler/transforms/graph/PartitionOptions.h"
#include "compiler/transforms/graph/PrecisionPolicy.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inlay {

/// Where a build stands, for a progress display.
struct BuildProgress {
  std::string_view phase; // "plan", "compile", "write"
  std::string item;       // "add_one_kernel for cuda:sm_90a"; empty if the phase is one step
  uint32_t done = 0;      // items finished in this phase
  uint32_t total = 0;
};

/// Where to keep whole engines between builds.
struct EngineCacheOptions {
  std::string folder;
  uint64_t maxBytes = uint64_t{4} << 30;
  /// Files that the plugins were read from; their bytes are part of an engine's key.
  std::vector<std::string> pluginFiles;
};

struct BuildOptions {
  /// Names as createTargets takes them; each kernel is compiled for all of them.
  std::vector<std::string> targets = {"cpu"};
  /// Name of the engine; the model's if empty.
  std::string engineName;
  /// Kernels in the engine, or functions of the process that runs it.
  ImplementationPolicies policies;
  /// Shape profiles as parseProfile takes them; the engine takes the shapes that enclose all of
  /// them, and is tuned for the first. None: all shapes that the model was exported for.
  std::vector<std::string> profiles;
  /// The passes over the graph to run, as selectGraphPasses takes them: "all", "none" or names with
  /// commas between; and those to leave out.
  std::string passes = "all";
  std::vector<std::string> disabledPasses;
  /// Devices to choose tactics on, at most one of a family; borrowed. None: the first tactic of a
  /// plugin that can be taken is.
  std::vector<EngineTimer *> timers;
  /// The file, by name without folder, that the weights go into (BuiltEngine::weights); empty: they
  /// are in the engine.
  std::string weightsFile;
  /// The engine's weights can be replaced later (engine/Refit.h): none is folded or converted.
  bool isRefittable = false;
  /// What may be left to functions of the process that runs the engine.
  PartitionOptions partition;
  /// In which the model's float32 computation is done.
  PrecisionOptions precision;
  /// Measures what that costs; borrowed, null: it is not measured.
  PrecisionMeter *precisionMeter = nullptr;
  /// An engine that was built from the same before is taken from there. With a dump, everything is
  /// built.
  std::optional<EngineCacheOptions> engineCache;
  /// Tactics of standard operators that call libraries of the machine on which the engine runs
  /// (cuBLASLt, cuDNN, oneDNN), where these are faster; the engine runs without them, too.
  bool usesVendorLibraries = true;
  /// Called on the thread that builds; may be empty.
  std::function<void(const BuildProgress &)> progress;
  /// Asked between phases, passes, kernels, tactics and parts of what is written.
  CancelCheck isCancelled;
  /// Receives every stage; may be empty.
  StageDump dump;
};

/// A model to build: the graph of a `.pt2`, or a dumped stage `graph` or `plan`. Not thread-safe.
class Model {
public:
  /// Reads a `.pt2`, or, if the file's name ends in ".mlir", the text of stage graph or plan.
  /// Errors: those of the importer; InvalidArgument with the diagnostics of bad IR.
  static Result<std::unique_ptr<Model>> load(const std::string &path);

  const std::string &name() const { return name_; }
  /// Stage::Graph or Stage::Plan.
  Stage stage() const { return stage_; }
  mlir::ModuleOp module() const { return *module_; }
  double loadMs() const { return loadMs_; }

private:
  Model() = default;
  std::unique_ptr<mlir::MLIRContext> context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::string name_;
  Stage stage_ = Stage::Graph;
  double loadMs_ = 0;
};

/// An engine file and what was done to make it. Its weights lie in the model, which outlives it.
struct BuiltEngine {
  FilePieces engine;
  FilePieces weights; // the weights file, if one was asked for
  BuildReport report;
  /// The entry of the engine cache that both lie in, if they come from there.
  std::unique_ptr<llvm::MemoryBuffer> cacheEntry;
};

/// Builds an engine: the same model, plugins, kernel files and options give the same bytes. The
/// model is left as it was. Errors: NotFound (operators without plugin, all of them),
/// InvalidArgument (plugin and model or kernel do not fit), Unimplemented (a target cannot do a
/// kernel); each names operator, node, plugin, kernel and target as far as they matter; Cancelled.
Result<BuiltEngine> buildEngine(const Model &model, const PluginRegistry &plugins,
                                const BuildOptions &options);

} // namespace inlay
