#include "compiler/transforms/graph/Partition.h"

#include "base/Error.h"
#include "base/SegmentNames.h"
#include "compiler/conversions/graph-to-plan/CallBinding.h"
#include "compiler/conversions/graph-to-plan/OperatorCoverage.h"
#include "compiler/transforms/graph/CallGroups.h"

#include <algorithm>
#include <set>

namespace inlay::graph {
namespace {

constexpr llvm::StringLiteral kDefaultOverload = ".default";

/// True if an entry names the call: its operator, with or without overload, or its node.
bool isNamed(llvm::StringRef entry, CallOp call) {
  const llvm::StringRef op = call.getOp();
  entry.consume_back(kDefaultOverload); // which is left out in op
  return entry == op || entry == op.take_front(op.find('.')) || entry == call.getNode();
}

/// Refuses names that the model does not have: what was to leave the engine would stay in it.
Status checkExcluded(ModelOp model, const PartitionOptions &options) {
  std::set<std::string> names;
  for (auto call : model.getBlock().getOps<CallOp>()) {
    names.insert(call.getOp().str());
    names.insert(call.getOp().take_front(call.getOp().find('.')).str());
    names.insert(call.getNode().str());
  }
  for (const std::string &entry : options.excluded) {
    const bool isKnown = llvm::any_of(model.getBlock().getOps<CallOp>(),
                                      [&](CallOp call) { return isNamed(entry, call); });
    if (isKnown)
      continue;
    const std::string nearest =
        nearestPlugin(entry, std::vector<std::string>(names.begin(), names.end()));
    return invalidArgument(
        "'{}' is to be excluded, but the model has no such operator and no such node{}; operators "
        "are named as in aten::mul (all overloads) or aten::mul.Tensor, nodes as in the build "
        "report",
        entry, nearest.empty() ? "" : fmt::format("; it has '{}'", nearest));
  }
  return {};
}

Status checkOptions(const PartitionOptions &options) {
  if (options.allowsHostSegments)
    return {};
  if (!options.excluded.empty())
    return invalidArgument("'{}' is to be excluded, but the engine is required to be full; allow "
                           "host segments (--allow-host-segments)",
                           options.excluded.front());
  if (options.minBlockCalls > 1)
    return invalidArgument("blocks of fewer than {} calls are to leave the engine, but it is "
                           "required to be full; allow host segments (--allow-host-segments)",
                           options.minBlockCalls);
  return {};
}

class Partitioner {
public:
  Partitioner(ModelOp model, const PluginRegistry &plugins, const ImplementationPolicies &policies,
              std::span<const std::string> targets, const PartitionOptions &options)
      : model_(model), plugins_(plugins), policies_(policies), targets_(targets), options_(options),
        symbols_(shapeSymbolsOf(model)) {}

  Partition divide() {
    for (auto call : model_.getBlock().getOps<CallOp>())
      partition_.services[call] = serviceOf(call);
    findDead();
    while (growOnce()) {
    }
    nameBlocks();
    return std::move(partition_);
  }

private:
  CallService serviceOf(CallOp call) const {
    CallService service;
    Result<const PluginDefinition *> plugin =
        lookupServer(call, plugins_, symbols_, policies_, targets_);
    if (plugin.isOk())
      service.plugin = (*plugin)->origin();
    else
      service.reason = plugin.status().message();
    if (!options_.allowsHostSegments)
      return service;
    if (!plugin.isOk())
      service.cause = HostCause::NotServed;
    for (const std::string &entry : options_.excluded)
      if (isNamed(entry, call)) {
        service.cause = HostCause::Excluded;
        service.reason = fmt::format("'{}' is excluded", entry);
      }
    return service;
  }

  bool isHost(CallOp call) const { return partition_.services.lookup(call).isHost(); }

  /// Operators of users may do more than compute their results; standard ones do not.
  void findDead() {
    llvm::DenseSet<mlir::Operation *> dead;
    for (mlir::Operation &op : llvm::reverse(model_.getBlock())) {
      auto call = llvm::dyn_cast<CallOp>(op);
      if (!call || !isHost(call) || !call.getOp().starts_with("aten::") ||
          call.getNumResults() == 0 || !llvm::all_of(call->getUsers(), [&](mlir::Operation *user) {
            return dead.contains(user);
          }))
        continue;
      dead.insert(call);
      partition_.dead.push_back(call);
    }
    dead_ = std::move(dead);
  }

  /// Puts together what can be; true if small blocks went to the host, so that it is to be done
  /// again.
  bool growOnce() {
    CallGroups groups(model_);
    mergeSide(groups, true);
    mergeSide(groups, false);
    partition_.blocks.clear();
    llvm::DenseSet<mlir::Operation *> seen;
    for (auto call : model_.getBlock().getOps<CallOp>()) {
      if (dead_.contains(call) || seen.contains(call))
        continue;
      PartitionBlock &block = partition_.blocks.emplace_back();
      block.isHost = isHost(call);
      block.calls = groups.membersOf(call);
      seen.insert(block.calls.begin(), block.calls.end());
      findBorders(block);
    }
    return dissolveSmall();
  }

  /// One merge may make room for another: the value that came back through a call is then inside.
  void mergeSide(CallGroups &groups, bool ofHost) {
    for (bool isChanged = true; isChanged;) {
      isChanged = false;
      for (auto call : model_.getBlock().getOps<CallOp>())
        for (mlir::Value input : call.getInputs()) {
          auto maker = input.getDefiningOp<CallOp>();
          if (!maker || isHost(call) != ofHost || isHost(maker) != ofHost || dead_.contains(call) ||
              groups.areTogether(maker, call) || !groups.findCycle(maker, call).empty())
            continue;
          groups.merge(maker, call);
          isChanged = true;
        }
    }
  }

  void findBorders(PartitionBlock &block) const {
    const llvm::DenseSet<mlir::Operation *> members(block.calls.begin(), block.calls.end());
    for (CallOp call : block.calls) {
      for (mlir::Value input : call.getInputs())
        if (!members.contains(input.getDefiningOp()))
          block.inputs.insert(input);
      for (mlir::Value result : call.getOutputs())
        if (llvm::any_of(result.getUsers(), [&](mlir::Operation *user) {
              return !members.contains(user) && !dead_.contains(user);
            }))
          block.outputs.insert(result);
    }
  }

  /// True if a value goes between the block and a host call, either way.
  bool isBesideHost(const PartitionBlock &block) const {
    const auto isHostOp = [&](mlir::Operation *op) {
      auto call = llvm::dyn_cast_or_null<CallOp>(op);
      return call && isHost(call) && !dead_.contains(call);
    };
    return llvm::any_of(block.inputs,
                        [&](mlir::Value value) { return isHostOp(value.getDefiningOp()); }) ||
           llvm::any_of(block.outputs, [&](mlir::Value value) {
             return llvm::any_of(value.getUsers(), isHostOp);
           });
  }

  bool dissolveSmall() {
    bool isAny = false;
    for (const PartitionBlock &block : partition_.blocks) {
      if (block.isHost || block.calls.size() >= options_.minBlockCalls || !isBesideHost(block))
        continue;
      isAny = true;
      for (CallOp call : block.calls) {
        CallService &service = partition_.services[call];
        service.cause = HostCause::SmallBlock;
        service.reason =
            fmt::format("it is in a block of {} call{}, fewer than {}", block.calls.size(),
                        block.calls.size() == 1 ? "" : "s", options_.minBlockCalls);
      }
    }
    return isAny;
  }

  void nameBlocks() {
    size_t next = 0;
    for (PartitionBlock &block : partition_.blocks)
      if (block.isHost)
        block.function =
            fmt::format("{}{}_{}", kSegmentNamespace, model_.getSymName().str(), next++);
  }

  ModelOp model_;
  const PluginRegistry &plugins_;
  const ImplementationPolicies &policies_;
  std::span<const std::string> targets_;
  const PartitionOptions &options_;
  ShapeSymbols symbols_;
  Partition partition_;
  llvm::DenseSet<mlir::Operation *> dead_;
};

} // namespace

Result<Partition> partitionCalls(ModelOp model, const PluginRegistry &plugins,
                                 const ImplementationPolicies &policies,
                                 std::span<const std::string> targets,
                                 const PartitionOptions &options) {
  INLAY_TRY(checkOptions(options));
  INLAY_TRY(checkExcluded(model, options));
  return Partitioner(model, plugins, policies, targets, options).divide();
}

std::string nameOf(mlir::Value value) {
  if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(value)) {
    auto model = llvm::cast<ModelOp>(argument.getOwner()->getParentOp());
    return llvm::cast<mlir::StringAttr>(model.getInputNames()[argument.getArgNumber()]).str();
  }
  mlir::Operation *maker = value.getDefiningOp();
  if (auto constant = llvm::dyn_cast<ConstantOp>(maker))
    return constant.getName().str();
  const unsigned index = llvm::cast<mlir::OpResult>(value).getResultNumber();
  if (auto segment = llvm::dyn_cast<SegmentOp>(maker))
    return llvm::cast<mlir::StringAttr>(segment.getOutputNames()[index]).str();
  auto group = llvm::dyn_cast<GroupOp>(maker);
  const std::string node =
      group ? group.getNode().str() : llvm::cast<CallOp>(maker).getNode().str();
  return maker->getNumResults() > 1 ? fmt::format("{}.{}", node, index) : node;
}

} // namespace inlay::graph
