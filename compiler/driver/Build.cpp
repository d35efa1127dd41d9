#include "compiler/driver/Build.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/conversions/graph-to-plan/GraphToPlan.h"
#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/driver/CompileKernels.h"
#include "compiler/driver/Context.h"
#include "compiler/driver/EngineCache.h"
#include "compiler/driver/ModelWeights.h"
#include "compiler/driver/PlanToEngine.h"
#include "compiler/driver/Profiles.h"
#include "compiler/driver/Tactics.h"
#include "compiler/frontends/pt2/Pt2Import.h"
#include "compiler/transforms/graph/ConvertPrecision.h"
#include "compiler/transforms/graph/GraphPasses.h"
#include "compiler/transforms/graph/Partition.h"
#include "engine/Refit.h"

#include <chrono>
#include <filesystem>
#include <map>

namespace inlay {

namespace {

using Clock = std::chrono::steady_clock;

double msSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The stage that a module's text is of.
Result<Stage> stageOf(mlir::ModuleOp module, const std::string &path) {
  if (!module.getOps<plan::ProgramOp>().empty())
    return Stage::Plan;
  if (!module.getOps<graph::ModelOp>().empty())
    return Stage::Graph;
  return invalidArgument(
      "'{}' holds neither a graph nor a plan; a build starts from a .pt2 or from the text of "
      "stage graph or plan",
      path);
}

plan::ProgramOp programOf(mlir::ModuleOp module) {
  return *module.getOps<plan::ProgramOp>().begin();
}

/// False for launches of tactics that the plan has beside the first of a choice.
bool isOfFirstTactic(plan::LaunchOp launch) {
  if (!launch.getChoice())
    return true;
  auto choice =
      mlir::SymbolTable::lookupNearestSymbolFrom<plan::ChoiceOp>(launch, launch.getChoiceAttr());
  return choice.nameOf(0) == *launch.getTactic();
}

/// Which plugin serves which node, in the order of the steps.
std::vector<OperatorReport>
operatorsOf(plan::ProgramOp program, const std::map<std::string, std::string> &chosen,
            const std::map<std::string, NodeImplementation> &implementations) {
  std::vector<OperatorReport> operators;
  std::map<std::string, size_t> known;
  for (mlir::Operation &op : program.getBody().front()) {
    std::string opName, node;
    const auto call = llvm::dyn_cast<plan::HostCallOp>(op);
    if (auto launch = llvm::dyn_cast<plan::LaunchOp>(op)) {
      if (!isOfFirstTactic(launch))
        continue;
      opName = launch.getPlugin().value_or("").str();
      node = launch.getNode().value_or("").str();
    } else if (call) {
      opName = op.getAttrOfType<mlir::StringAttr>("function").str();
      node = llvm::cast<plan::HostCallOp>(op).getNode().value_or("").str();
    } else {
      continue;
    }
    auto [entry, isNew] = known.try_emplace(node + "\n" + opName, operators.size());
    if (isNew) {
      const auto plugin = chosen.find(node);
      const auto implementation = implementations.find(node);
      operators.push_back(
          {node, opName, plugin == chosen.end() ? "" : plugin->second, 0, call ? "jit" : "aot",
           implementation == implementations.end() ? "" : implementation->second.reason});
    }
    operators[entry->second].launches += !call;
  }
  return operators;
}

std::vector<KernelReport> kernelReports(plan::ProgramOp program,
                                        const std::vector<CompiledKernel> &compiled) {
  std::vector<KernelReport> reports;
  size_t next = 0;
  for (auto op : program.getBody().getOps<plan::KernelOp>()) {
    const CompiledKernel &kernel = compiled[next++];
    for (size_t i = 0; i < kernel.images.size(); ++i) {
      const KernelImage &image = kernel.images[i];
      KernelReport report;
      report.kernel = kernel.name;
      report.source = op.getSource();
      report.plugins = pluginsOfKernel(program, op.getSymName());
      report.target = image.target;
      report.format = image.format;
      report.compileMs = kernel.imageMs[i];
      report.sizeBytes = image.bytes.size();
      report.numWarps = image.numWarps;
      report.registers = image.registers;
      report.spillBytes = image.spillBytes;
      report.sharedBytes = image.sharedBytes;
      reports.push_back(std::move(report));
    }
  }
  return reports;
}

BuildRecord buildRecord(plan::ProgramOp program,
                        const std::vector<std::unique_ptr<Target>> &targets) {
  BuildRecord record;
  std::string names;
  for (const std::unique_ptr<Target> &target : targets)
    names += (names.empty() ? "" : ", ") + target->name();
  record.emplace_back("targets", names);
  for (auto kernel : program.getBody().getOps<plan::KernelOp>()) {
    std::string value;
    llvm::raw_string_ostream stream(value);
    stream << kernel.getSource();
    if (kernel.getSignature())
      stream << " signature " << kernel.getSignatureAttr();
    if (kernel.getConstexprs())
      stream << " constexprs " << kernel.getConstexprsAttr();
    if (kernel.getSourceHash())
      stream << " source " << *kernel.getSourceHash();
    std::string plugins;
    for (const std::string &plugin : pluginsOfKernel(program, kernel.getSymName()))
      plugins += (plugins.empty() ? "" : ", ") + plugin;
    record.emplace_back("kernel." + kernel.getSymName().str(), value);
    record.emplace_back("kernel." + kernel.getSymName().str() + ".plugins", plugins);
  }
  return record;
}

LibraryUse librariesOf(const BuildOptions &options) {
  LibraryUse libraries{options.usesVendorLibraries, {}};
  for (const EngineTimer *timer : options.timers)
    libraries.measured.push_back(timer->family());
  return libraries;
}

/// One build: holds what the phases share.
class Builder {
public:
  Builder(const Model &model, const PluginRegistry &plugins, const BuildOptions &options)
      : model_(model), plugins_(plugins), options_(options) {}

  Result<BuiltEngine> build() {
    auto start = Clock::now();
    INLAY_ASSIGN(std::vector<std::unique_ptr<Target>> targets,
                 createBuildTargets(options_.targets));
    report_.phases.push_back({"import", model_.loadMs()});
    INLAY_TRY(phase("plan", [&] { return makePlan(targets); }));
    report_.engineName = options_.engineName.empty() ? model_.name() : options_.engineName;
    if (options_.engineCache && !options_.dump) {
      INLAY_ASSIGN(std::optional<BuiltEngine> kept, findInCache(targets));
      if (kept) {
        kept->report.precision = std::move(report_.precision);
        INLAY_TRY(measurePrecision(*kept));
        kept->report.precisionErrors = std::move(report_.precisionErrors);
        kept->report.phases = std::move(report_.phases);
        kept->report.engineCache = std::move(report_.engineCache);
        kept->report.totalMs = model_.loadMs() + msSince(start);
        return std::move(*kept);
      }
    }
    plan::ProgramOp program = programOf(*plan_);
    if (!program.getBody().getOps<plan::ChoiceOp>().empty())
      INLAY_TRY(phase("tune", [&]() -> Status {
        INLAY_ASSIGN(report_.tactics, selectTactics(program, targets, options_));
        return {};
      }));
    if (options_.dump)
      INLAY_TRY(dump(Stage::Plan, printOperation(*plan_)));
    std::vector<CompiledKernel> kernels;
    INLAY_TRY(phase("compile", [&]() -> Status {
      INLAY_ASSIGN(kernels, compileKernels(program, targets, options_));
      return {};
    }));
    BuiltEngine built;
    INLAY_TRY(phase("write", [&]() -> Status {
      INLAY_ASSIGN(EnginePieces written,
                   planToEngine(program, kernels, report_.engineName, buildRecord(program, targets),
                                options_.weightsFile, options_.isCancelled),
                   "laying out the engine");
      built.engine = std::move(written.engine);
      built.weights = std::move(written.weights);
      return dumpEngine(built.engine);
    }));
    report_.operators = operatorsOf(program, chosen_, implementations_);
    report_.kernels = kernelReports(program, kernels);
    report_.engineBytes = built.engine.sizeBytes();
    report_.totalMs = model_.loadMs() + msSince(start);
    INLAY_TRY(measurePrecision(built));
    built.report = std::move(report_);
    if (built.report.engineCache && !built.report.engineCache->key.empty())
      EngineCache(*options_.engineCache, options_.isCancelled)
          .store(built.report.engineCache->key, built);
    INLAY_TRY(checkCancelled(options_.isCancelled), "keeping the engine in the cache");
    return built;
  }

private:
  /// Builds the model as it is, for the same targets, and has both run. Weights lie inside.
  Status measurePrecision(const BuiltEngine &built) {
    if (!options_.precisionMeter)
      return {};
    return phase("compare", [&]() -> Status {
      BuildOptions reference = options_;
      reference.precision = {};
      reference.precisionMeter = nullptr;
      reference.engineCache.reset();
      reference.dump = nullptr;
      reference.weightsFile.clear();
      INLAY_ASSIGN(const BuiltEngine exact, Builder(model_, plugins_, reference).build(),
                   "building the float32 engine to compare with");
      std::vector<std::byte> whole = built.engine.toBytes();
      if (!built.weights.isEmpty()) {
        INLAY_ASSIGN(const EngineFile file,
                     EngineFile::fromBytes({std::move(whole), built.weights.toBytes()}));
        INLAY_ASSIGN(const FilePieces inside, moveWeightsIn(file));
        whole = inside.toBytes();
      }
      INLAY_ASSIGN(report_.precisionErrors,
                   options_.precisionMeter->compare(exact.engine.toBytes(), whole),
                   "measuring the error of half precision");
      return {};
    });
  }

  /// The engine of an earlier build from the same; notes in the report what was looked for.
  Result<std::optional<BuiltEngine>>
  findInCache(const std::vector<std::unique_ptr<Target>> &targets) {
    std::optional<BuiltEngine> kept;
    EngineCacheReport &found = report_.engineCache.emplace();
    found.reason = whyNotCached(*plan_);
    if (!found.reason.empty())
      return kept;
    INLAY_TRY(phase("look up", [&]() -> Status {
      std::vector<std::string> names;
      for (const std::unique_ptr<Target> &target : targets)
        names.push_back(target->name());
      INLAY_ASSIGN(found.key, engineKey(*plan_, names, report_.engineName, options_));
      kept = EngineCache(*options_.engineCache, options_.isCancelled).find(found.key);
      found.isHit = kept.has_value();
      return {};
    }));
    return kept;
  }

  template <typename Function>
  Status phase(const char *name, Function run) {
    if (options_.progress)
      options_.progress(BuildProgress{name, "", 0, 1});
    INLAY_TRY(checkCancelled(options_.isCancelled),
              fmt::format("building, before phase '{}'", name));
    auto start = Clock::now();
    Status status = run();
    report_.phases.push_back({name, msSince(start)});
    return status;
  }

  Status dump(Stage stage, std::string_view bytes) {
    return options_.dump ? options_.dump(StageText{stage, "", "", bytes}) : Status();
  }
  Status dumpEngine(const FilePieces &engine) {
    return options_.dump ? dump(Stage::Engine, textOf(engine.toBytes())) : Status();
  }

  Status makePlan(const std::vector<std::unique_ptr<Target>> &targets) {
    std::vector<std::string> targetNames;
    for (const std::unique_ptr<Target> &target : targets)
      targetNames.push_back(target->name());
    std::vector<ShapeProfile> profiles;
    for (const std::string &text : options_.profiles) {
      INLAY_ASSIGN(profiles.emplace_back(), parseProfile(text));
    }
    INLAY_ASSIGN(const std::vector<const GraphPass *> passes,
                 selectGraphPasses(options_.passes, options_.disabledPasses));
    if (model_.stage() == Stage::Plan && options_.precision.isOn())
      return invalidArgument("precision {} was asked for, but '{}' is a plan, whose kernels are "
                             "fixed; build from the .pt2 or the dumped stage graph",
                             options_.precision.name(), model_.name());
    if (model_.stage() == Stage::Plan && options_.partition.allowsHostSegments)
      return invalidArgument("host segments were allowed, but '{}' is a plan, whose steps are "
                             "fixed; build from the .pt2 or the dumped stage graph",
                             model_.name());
    if (model_.stage() == Stage::Plan) {
      if (options_.isRefittable &&
          programOf(model_.module()).getBody().getOps<plan::WeightOp>().empty())
        return invalidArgument("a refittable engine was asked for, but plan '{}' was dumped by a "
                               "build without --refittable, and has no weights with names",
                               model_.name());
      plan_ = mlir::OwningOpRef<mlir::ModuleOp>(model_.module().clone());
    } else {
      mlir::ModuleOp module = model_.module();
      mlir::OwningOpRef<mlir::ModuleOp> changed;
      if (!profiles.empty() || !passes.empty() || options_.isRefittable ||
          options_.partition.allowsHostSegments ||
          options_.precision.isOn()) { // constants stay where they are: they are shared
        changed = mlir::OwningOpRef<mlir::ModuleOp>(module.clone());
        module = *changed;
      }
      graph::ModelOp graph = *module.getOps<graph::ModelOp>().begin();
      if (options_.isRefittable)
        graph->setAttr(graph::kRefittableAttribute, mlir::UnitAttr::get(graph.getContext()));
      if (!profiles.empty())
        INLAY_TRY(applyProfiles(graph, profiles));
      if (options_.dump)
        INLAY_TRY(dump(Stage::Graph, printOperation(module)));
      INLAY_TRY(partition(graph, targetNames));
      INLAY_TRY(transform(module, passes, targetNames));
      INLAY_ASSIGN(PlanConversion conversion,
                   convertGraphToPlan(module, plugins_, options_.policies, targetNames,
                                      librariesOf(options_)));
      plan_ = std::move(conversion.module);
      if (options_.isRefittable)
        addUnusedWeights(*model_.module().getOps<graph::ModelOp>().begin(), programOf(*plan_));
      report_.notes.insert(report_.notes.end(), conversion.notes.begin(), conversion.notes.end());
      chosen_ = std::move(conversion.plugins);
      implementations_ = std::move(conversion.implementations);
    }
    if (!profiles.empty())
      INLAY_TRY(applyProfiles(programOf(*plan_), profiles));
    return {};
  }

  /// Before any pass: segments hold the model's own nodes, whatever passes do to the others.
  Status partition(graph::ModelOp graph, std::span<const std::string> targets) {
    if (options_.partition.isDefault())
      return {};
    INLAY_ASSIGN(
        const graph::Partition partition,
        graph::partitionCalls(graph, plugins_, options_.policies, targets, options_.partition),
        "dividing the model between device and host");
    for (const graph::PartitionBlock &block : partition.blocks)
      if (block.isHost)
        for (graph::CallOp call : block.calls)
          report_.notes.push_back(fmt::format(
              "{} ({}) is in host segment {}: {}", call.getNode().str(), call.getOp().str(),
              block.function, partition.services.lookup(call).reason));
    graph::outlineHostSegments(graph, partition);
    return {};
  }

  /// Folds while all is float32, which is exact; converts; then fuses, casts too.
  Status transform(mlir::ModuleOp module, std::span<const GraphPass *const> passes,
                   const std::vector<std::string> &targets) {
    std::vector<const GraphPass *> before, after;
    for (const GraphPass *pass : passes) {
      const bool changesWeights = pass->name.starts_with("fold-");
      if (options_.isRefittable && changesWeights)
        report_.notes.push_back(
            fmt::format("pass {} did not run: weights stay replaceable", pass->name));
      else
        (pass->name.starts_with("fuse-") ? after : before).push_back(pass);
    }
    INLAY_TRY(optimize(module, before, targets));
    if (options_.precision.isOn()) {
      graph::ModelOp graph = *module.getOps<graph::ModelOp>().begin();
      INLAY_TRY(checkOperatorsSupported(graph, plugins_));
      INLAY_ASSIGN(report_.precision, convertPrecision(graph, plugins_, options_.policies, targets,
                                                       options_.precision));
    }
    INLAY_TRY(optimize(module, after, targets));
    const bool isChanged =
        !passes.empty() || options_.precision.isOn() || options_.partition.allowsHostSegments;
    return options_.dump && isChanged ? dump(Stage::OptimizedGraph, printOperation(module))
                                      : Status();
  }

  Status optimize(mlir::ModuleOp module, std::span<const GraphPass *const> passes,
                  std::span<const std::string> targets) {
    for (const GraphPass *pass : passes) {
      INLAY_TRY(checkCancelled(options_.isCancelled), fmt::format("running pass {}", pass->name));
      INLAY_ASSIGN(
          std::vector<graph::PassRemark> remarks,
          runGraphPasses(module, std::span(&pass, 1), plugins_, options_.policies, targets));
      for (graph::PassRemark &remark : remarks)
        report_.remarks.push_back({std::move(remark.pass), std::move(remark.node), remark.isApplied,
                                   std::move(remark.text)});
    }
    return {};
  }

  const Model &model_;
  const PluginRegistry &plugins_;
  const BuildOptions &options_;
  mlir::OwningOpRef<mlir::ModuleOp> plan_;
  std::map<std::string, std::string> chosen_;                 // by node: its plugin
  std::map<std::string, NodeImplementation> implementations_; // by node
  BuildReport report_;
};

} // namespace

Result<std::unique_ptr<Model>> Model::load(const std::string &path) {
  auto start = Clock::now();
  std::unique_ptr<Model> model(new Model());
  model->context_ = createContext();
  model->name_ = std::filesystem::path(path).stem().string();
  if (path.ends_with(".mlir")) {
    INLAY_ASSIGN(std::string text, readFile(path));
    INLAY_ASSIGN(model->module_, parseModule(*model->context_, path, text));
    INLAY_ASSIGN(model->stage_, stageOf(*model->module_, path));
  } else {
    INLAY_ASSIGN(model->module_, importPt2(*model->context_, path));
  }
  model->loadMs_ = msSince(start);
  return model;
}

Result<BuiltEngine> buildEngine(const Model &model, const PluginRegistry &plugins,
                                const BuildOptions &options) {
  return Builder(model, plugins, options).build();
}

} // namespace inlay
