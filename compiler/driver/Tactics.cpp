#include "compiler/driver/Tactics.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/PlanBuilder.h"
#include "compiler/driver/CompileKernels.h"
#include "compiler/driver/PlanToEngine.h"
#include "compiler/driver/PrebuiltImages.h"
#include "compiler/driver/Profiles.h"
#include "compiler/plugins/PluginDefinition.h"
#include "symbolic/Expr.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

#include <algorithm>
#include <map>

namespace inlay {
namespace {

/// Sizes to tune for, by symbol.
using SymbolValues = std::map<std::string, int64_t, std::less<>>;

/// The sizes that a profile is tuned for, counted from 1; 0: the plan's whole range.
Result<SymbolValues> sizesToTuneFor(plan::ProgramOp program, uint32_t profile) {
  INLAY_ASSIGN(const auto profiles, profilesOf(program));
  SymbolValues values;
  size_t index = 0;
  for (auto symbol : program.getBody().getOps<plan::SymbolOp>()) {
    values[symbol.getName().str()] =
        profile ? profiles[profile - 1][3 * index + 1] : static_cast<int64_t>(symbol.getOpt());
    ++index;
  }
  for (auto symbol : program.getBody().getOps<plan::ComputedSymbolOp>())
    values[symbol.getName().str()] = static_cast<int64_t>(symbol.getOpt());
  return values;
}

/// True if the condition of a tactic holds for these sizes.
Result<bool> holds(plan::ChoiceOp choice, unsigned tactic, const SymbolValues &values) {
  if (choice.conditionOf(tactic).empty())
    return true;
  INLAY_ASSIGN(const Expr condition, parseExpr(std::string_view(choice.conditionOf(tactic))));
  INLAY_ASSIGN(const int64_t value,
               evaluate(condition, [&](std::string_view name) -> std::optional<int64_t> {
                 const auto found = values.find(name);
                 return found == values.end() ? std::nullopt : std::optional(found->second);
               }));
  return value != 0;
}

std::string describeCondition(plan::ChoiceOp choice, unsigned tactic) {
  std::string text = choice.conditionOf(tactic).str();
  if (mlir::DictionaryAttr alignments = choice.alignmentsOf(tactic))
    for (mlir::NamedAttribute entry : alignments)
      text += fmt::format("{}{} aligned to {}", text.empty() ? "" : ", ", entry.getName().str(),
                          llvm::cast<mlir::IntegerAttr>(entry.getValue()).getInt());
  return text;
}

/// The type of what a kernel's parameter points to.
DataType elementTypeOf(plan::KernelOp kernel, size_t parameter) {
  const auto parameters = kernelParameters(kernel.getModule());
  return parameters.isOk() ? (*parameters)[parameter].dtype : DataType::UInt8;
}

/// A program that does what one tactic does, at these sizes: tensors of the plan are its inputs,
/// with the types that kernels give them, and so are one byte for each unit of a symbol, which bind
/// the symbols.
class TacticProgram {
public:
  TacticProgram(plan::ProgramOp program, const SymbolValues &values)
      : program_(program), values_(values), builder_(*program.getContext()) {}

  Result<mlir::OwningOpRef<mlir::ModuleOp>> make(plan::ChoiceOp choice, llvm::StringRef tactic) {
    INLAY_TRY(addSymbols());
    for (auto launch : program_.getBody().getOps<plan::LaunchOp>())
      if (launch.getChoice() == choice.getSymName() && launch.getTactic() == tactic)
        INLAY_TRY(addLaunch(launch));
    return builder_.finish(program_.getLoc(), "tactic");
  }

private:
  Status addSymbols() {
    const mlir::Location loc = program_.getLoc();
    for (const auto &[name, value] : values_) {
      const Expr size = Expr::symbol(name);
      const std::string buffer =
          builder_.addBuffer(loc, "size." + name, plan::BufferKind::Input, size);
      builder_.addSymbol(loc, name, value, value, value, numInputs_++, 0);
      builder_.addInput(loc, "size." + name, DataType::UInt8, std::span(&size, 1), buffer, "");
    }
    return {};
  }

  Status addLaunch(plan::LaunchOp launch) {
    auto kernel =
        mlir::SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr());
    if (known_.insert(kernel.getSymName()).second)
      builder_.addKernel(mlir::OwningOpRef<plan::KernelOp>(kernel.clone()));
    for (auto [i, argument] : llvm::enumerate(launch.getArguments()))
      if (auto name = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(argument))
        INLAY_TRY(addBuffer(launch, name, elementTypeOf(kernel, i)));
    plan::LaunchOp copy = launch.clone();
    copy.removeChoiceAttr();
    copy.removeTacticAttr();
    builder_.addStep(mlir::OwningOpRef<mlir::Operation *>(copy.getOperation()));
    return {};
  }

  Status addBuffer(plan::LaunchOp launch, mlir::FlatSymbolRefAttr name, DataType dtype) {
    if (!known_.insert(name.getValue()).second)
      return {};
    auto buffer = mlir::SymbolTable::lookupNearestSymbolFrom<plan::BufferOp>(launch, name);
    INLAY_ASSIGN(const Expr sizeBytes, parseExpr(std::string_view(buffer.getSizeBytes())));
    const bool isWorkspace = buffer.getKind() == plan::BufferKind::Workspace;
    (void)builder_.addBuffer(buffer.getLoc(), name.getValue(),
                             isWorkspace ? plan::BufferKind::Workspace : plan::BufferKind::Input,
                             sizeBytes);
    if (isWorkspace)
      return {};
    const Expr count = floorDiv(sizeBytes, Expr(dataTypeSizeBytes(dtype)));
    builder_.addInput(buffer.getLoc(), name.getValue(), dtype, std::span(&count, 1),
                      name.getValue(), "");
    ++numInputs_;
    return {};
  }

  plan::ProgramOp program_;
  const SymbolValues &values_;
  PlanBuilder builder_;
  llvm::StringSet<> known_;
  uint32_t numInputs_ = 0;
};

/// Decides one choice after the other.
class TacticSelector {
public:
  TacticSelector(plan::ProgramOp program, const std::vector<std::unique_ptr<Target>> &targets,
                 const BuildOptions &options)
      : program_(program), targets_(targets), options_(options) {}

  Result<std::vector<TacticReport>> select() {
    INLAY_ASSIGN(const auto profiles, profilesOf(program_));
    numProfiles_ = static_cast<uint32_t>(profiles.size());
    for (EngineTimer *timer : options_.timers)
      INLAY_TRY(addDevice(*timer));
    const llvm::SmallVector<plan::ChoiceOp> choices(program_.getBody().getOps<plan::ChoiceOp>());
    progress_.phase = "tune";
    progress_.total = static_cast<uint32_t>(choices.size());
    for (plan::ChoiceOp choice : choices) {
      INLAY_TRY(decide(choice),
                fmt::format("choosing a tactic for node {}", choice.getNode().value_or("").str()));
      ++progress_.done;
    }
    eraseUnused();
    return std::move(reports_);
  }

private:
  /// A device to measure on, and what code of the build runs there.
  struct TimedDevice {
    EngineTimer *timer;
    std::vector<std::unique_ptr<Target>> targets;
  };

  Status addDevice(EngineTimer &timer) {
    std::vector<std::string> names;
    for (const std::unique_ptr<Target> &target : targets_) {
      if (isTargetOf(target->name(), timer.family()))
        names.push_back(target->name());
      if (target->name() == timer.target()) {
        names = {target->name()}; // the code that a run there takes
        break;
      }
    }
    if (names.empty())
      return invalidArgument("tactics are to be measured on '{}', but the build has no target of "
                             "the family '{}'",
                             timer.deviceName(), timer.family());
    for (const TimedDevice &other : devices_)
      if (other.timer->family() == timer.family())
        return invalidArgument("tactics are to be measured on '{}' and on '{}', both of the family "
                               "'{}'; an engine keeps one order of a family",
                               other.timer->deviceName(), timer.deviceName(), timer.family());
    INLAY_ASSIGN(auto targets, createBuildTargets(names));
    devices_.push_back({&timer, std::move(targets)});
    return {};
  }

  Status decide(plan::ChoiceOp choice) {
    llvm::SmallVector<mlir::Attribute> orders;
    llvm::StringSet<> kept;
    for (TimedDevice &device : devices_)
      for (uint32_t profile = numProfiles_ + 1; profile-- > 0;) {
        INLAY_ASSIGN(const TacticReport report, measure(choice, device, profile));
        addOrder(choice, report, device.timer->family(), orders, kept);
      }
    // What is built for measured devices alone needs no other order.
    const bool coversAll =
        std::ranges::all_of(targets_, [&](const std::unique_ptr<Target> &target) {
          return std::ranges::any_of(devices_, [&](const TimedDevice &device) {
            return isTargetOf(target->name(), device.timer->family());
          });
        });
    TacticReport written;
    for (unsigned i = 0; i < choice.getTactics().size(); ++i)
      written.kept.push_back({choice.nameOf(i).str(), describeCondition(choice, i), 0});
    if (coversAll)
      written.kept = reports_.back().kept; // that of the whole range
    cut(choice, written);
    addOrder(choice, written, "", orders, kept);
    // An order that fits less and says the same is not needed.
    const auto tacticsAt = [&](size_t index) {
      return llvm::cast<mlir::DictionaryAttr>(orders[index]).get("tactics");
    };
    while (orders.size() > 1 && tacticsAt(orders.size() - 2) == tacticsAt(orders.size() - 1))
      orders.erase(orders.end() - 2);
    if (devices_.empty()) {
      written.node = choice.getNode().value_or("");
      written.opName = choice.getPlugin().value_or("");
      written.numTactics = static_cast<uint32_t>(choice.getTactics().size());
      reports_.push_back(written);
    }
    keep(choice, kept, orders);
    return {};
  }

  /// Ends an order with the first tactic that can always be taken; the rest is passed over.
  static void cut(plan::ChoiceOp choice, TacticReport &report) {
    const auto end = std::ranges::find_if(report.kept, [&](const TacticReport::Entry &entry) {
      return choice.isUnconditional(*choice.findTactic(entry.name));
    });
    report.passedOver.assign(end + 1, report.kept.end());
    report.kept.erase(end + 1, report.kept.end());
  }

  Result<TacticReport> measure(plan::ChoiceOp choice, TimedDevice &device, uint32_t profile) {
    INLAY_ASSIGN(const SymbolValues values, sizesToTuneFor(program_, profile));
    TacticReport report{choice.getNode().value_or("").str(),
                        choice.getPlugin().value_or("").str(),
                        device.timer->deviceName(),
                        profile,
                        static_cast<uint32_t>(choice.getTactics().size()),
                        {},
                        {},
                        {}};
    std::vector<TacticReport::Entry> measured;
    Status lastFailure;
    for (unsigned i = 0; i < choice.getTactics().size(); ++i) {
      TacticReport::Entry entry{choice.nameOf(i).str(), describeCondition(choice, i), 0};
      INLAY_ASSIGN(const bool canBeTaken, holds(choice, i, values));
      if (!runsOn(choice, entry.name, device.timer->family()))
        continue;
      if (!canBeTaken) {
        report.kept.push_back(std::move(entry));
        continue;
      }
      progress_.item = fmt::format("{} of {} on {}", entry.name, report.node, report.device);
      if (options_.progress)
        options_.progress(progress_);
      INLAY_TRY(checkCancelled(options_.isCancelled), "measuring tactics");
      Result<double> us = measureTactic(choice, entry.name, device, values);
      // A library may be missing, or refuse the sizes.
      if (!us.isOk() && !device.timer->mayFail() && choice.libraryOf(i).empty())
        return std::move(us).status().withContext(
            fmt::format("finding the time of tactic '{}'", entry.name));
      if (us.isOk()) {
        entry.us = *us;
        measured.push_back(std::move(entry));
      } else {
        lastFailure = std::move(us).status();
        report.failures.push_back(fmt::format("{}: {}", entry.name, lastFailure.message()));
      }
    }
    std::ranges::sort(measured, {}, [&](const TacticReport::Entry &entry) {
      return std::pair(entry.us, *choice.findTactic(entry.name));
    });
    report.kept.insert(report.kept.end(), measured.begin(), measured.end());
    const bool hasLast = std::ranges::any_of(report.kept, [&](const TacticReport::Entry &entry) {
      return choice.isUnconditional(*choice.findTactic(entry.name));
    });
    if (!hasLast)
      return std::move(lastFailure)
          .withContext(
              fmt::format("measuring on '{}', where none of the tactics that can always be "
                          "taken works; the last one",
                          report.device));
    cut(choice, report);
    reports_.push_back(report);
    return report;
  }

  /// False for tactics that call libraries of another family of devices.
  bool runsOn(plan::ChoiceOp choice, llvm::StringRef tactic, const std::string &family) {
    for (auto launch : program_.getBody().getOps<plan::LaunchOp>()) {
      if (launch.getChoice() != choice.getSymName() || launch.getTactic() != tactic)
        continue;
      auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(
          launch, launch.getKernelAttr());
      if (const std::string_view own = libraryFamily(kernel); !own.empty() && own != family)
        return false;
    }
    return true;
  }

  Result<double> measureTactic(plan::ChoiceOp choice, llvm::StringRef tactic, TimedDevice &device,
                               const SymbolValues &values) {
    INLAY_ASSIGN(const mlir::OwningOpRef<mlir::ModuleOp> module,
                 TacticProgram(program_, values).make(choice, tactic));
    auto program = *(*module).getOps<plan::ProgramOp>().begin();
    INLAY_ASSIGN(const std::vector<CompiledKernel> kernels,
                 compileKernels(program, device.targets, BuildOptions{}));
    INLAY_ASSIGN(const EnginePieces written, planToEngine(program, kernels, "tactic", {}));
    return device.timer->measureUs(written.engine.toBytes());
  }

  void addOrder(plan::ChoiceOp choice, const TacticReport &report, const std::string &family,
                llvm::SmallVectorImpl<mlir::Attribute> &orders, llvm::StringSet<> &kept) const {
    mlir::Builder builder(choice.getContext());
    llvm::SmallVector<mlir::Attribute> names;
    for (const TacticReport::Entry &entry : report.kept) {
      names.push_back(builder.getStringAttr(entry.name));
      kept.insert(entry.name);
    }
    llvm::SmallVector<mlir::NamedAttribute> entries{
        builder.getNamedAttr("tactics", builder.getArrayAttr(names))};
    if (!family.empty())
      entries.push_back(builder.getNamedAttr("target", builder.getStringAttr(family)));
    if (report.profile)
      entries.push_back(builder.getNamedAttr("profile", builder.getI64IntegerAttr(report.profile)));
    orders.push_back(builder.getDictionaryAttr(entries));
  }

  /// Leaves the plan what is kept of a choice.
  void keep(plan::ChoiceOp choice, const llvm::StringSet<> &kept,
            llvm::ArrayRef<mlir::Attribute> orders) {
    mlir::Builder builder(choice.getContext());
    llvm::SmallVector<mlir::Attribute> tactics;
    for (unsigned i = 0; i < choice.getTactics().size(); ++i)
      if (kept.contains(choice.nameOf(i)))
        tactics.push_back(choice.getTactics()[i]);
    const bool isDecided = tactics.size() == 1;
    for (plan::LaunchOp launch :
         llvm::make_early_inc_range(program_.getBody().getOps<plan::LaunchOp>())) {
      if (launch.getChoice() != choice.getSymName())
        continue;
      if (!kept.contains(*launch.getTactic())) {
        launch.erase();
      } else if (isDecided) {
        launch.removeChoiceAttr();
        launch.removeTacticAttr();
      }
    }
    if (isDecided)
      return choice.erase();
    choice.setTacticsAttr(builder.getArrayAttr(tactics));
    choice.setOrdersAttr(builder.getArrayAttr(orders));
  }

  /// Removes kernels and workspaces that only tactics used which are gone.
  void eraseUnused() {
    llvm::StringSet<> used;
    for (mlir::Operation &op : program_.getBody().front())
      if (plan::isStep(op))
        op.getAttrDictionary().walk(
            [&](mlir::FlatSymbolRefAttr name) { used.insert(name.getValue()); });
    for (mlir::Operation &op : llvm::make_early_inc_range(program_.getBody().front())) {
      auto buffer = llvm::dyn_cast<plan::BufferOp>(op);
      const bool isRemovable = llvm::isa<plan::KernelOp>(op) ||
                               (buffer && buffer.getKind() == plan::BufferKind::Workspace);
      if (isRemovable && !used.contains(mlir::SymbolTable::getSymbolName(&op).getValue()))
        op.erase();
    }
  }

  plan::ProgramOp program_;
  const std::vector<std::unique_ptr<Target>> &targets_;
  const BuildOptions &options_;
  std::vector<TimedDevice> devices_;
  uint32_t numProfiles_ = 0;
  std::vector<TacticReport> reports_;
  BuildProgress progress_;
};

} // namespace

Result<std::vector<TacticReport>> selectTactics(plan::ProgramOp program,
                                                const std::vector<std::unique_ptr<Target>> &targets,
                                                const BuildOptions &options) {
  return TacticSelector(program, targets, options).select();
}

} // namespace inlay
