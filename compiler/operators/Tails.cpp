#include "compiler/operators/Tails.h"

#include "base/Error.h"
#include "compiler/operators/GroupLines.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"
#include "compiler/operators/VendorTactics.h"
#include "compiler/operators/Views.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr GroupValue kProduct{0, 0}; // what the first member computes

/// The first member's node as it is in this build.
PluginNode anchorNode(const OperatorGroup &group, const PluginNode &node) {
  PluginNode anchor = group.members[0].node;
  anchor.targets = node.targets;
  anchor.libraries = node.libraries;
  return anchor;
}

/// Turns the places of the first member's inputs, and of the group's behind them, into those of the
/// group.
class InputPlaces {
public:
  /// `left` is an input of the first member that it does not have here.
  explicit InputPlaces(const OperatorGroup &group, std::optional<uint32_t> left = std::nullopt) {
    const std::vector<GroupValue> &inputs = group.members[0].inputs;
    for (uint32_t i = 0; i < inputs.size(); ++i)
      if (i != left)
        places_.push_back(inputs[i].index);
    for (uint32_t i = 0; i < group.inputs.size(); ++i)
      places_.push_back(i);
  }

  void apply(PluginImplementation &implementation) const {
    for (PluginLaunch &launch : implementation.launches)
      for (LaunchArgument &argument : launch.arguments)
        if (argument.kind == LaunchArgument::Kind::Input)
          argument.index = places_.at(argument.index);
    for (PluginTactic &tactic : implementation.tactics)
      for (TensorAlignment &alignment : tactic.alignments)
        if (!alignment.isOfOutput)
          alignment.index = places_.at(alignment.index);
  }

private:
  std::vector<uint32_t> places_;
};

/// Writes all members but the first, of whose result the variable `product` holds elements. Gives
/// the variable of the group's result.
Result<std::string> writeMembers(const OperatorGroup &group, LoopKernel &kernel,
                                 const std::string &product, const std::vector<Expr> &domain) {
  GroupLines lines(group, kernel, domain);
  lines.define(kProduct, product);
  for (uint32_t i = 1; i < group.members.size(); ++i)
    INLAY_TRY(lines.addMember(i));
  return lines.variableOf(group.results[0]);
}

Result<PluginImplementation> implementInKernel(const OperatorGroup &group, const PluginNode &node) {
  const GroupMember &anchor = group.members[0];
  LoopKernel kernel(node, "tail", node.outputs[0].shape);
  kernel.line(fmt::format("v0 = value.to({})", tritonType(anchor.node.outputs[0].dtype)));
  INLAY_ASSIGN(const std::string result, writeMembers(group, kernel, "v0", node.outputs[0].shape));
  INLAY_ASSIGN(GroupTail tail, kernel.tailFunction(result));
  for (LaunchArgument &argument : tail.arguments)
    if (argument.kind == LaunchArgument::Kind::Input)
      argument.index += static_cast<uint32_t>(anchor.inputs.size());
  return anchor.plugin->traits()->implementWithTail(anchorNode(group, node), tail);
}

/// A kernel of all members but the first, which takes that one's result from a workspace; without a
/// bias that the kernel is to add.
Result<PluginLaunch> launchBehind(const OperatorGroup &group, const PluginNode &node,
                                  const std::optional<ChannelBias> &bias, uint32_t workspace,
                                  const std::string &kernelName) {
  PluginNode behind = node;
  const auto product = static_cast<uint32_t>(behind.inputs.size());
  behind.inputs.push_back(group.members[0].node.outputs[0]);
  behind.inputNames.emplace_back("product");
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(behind, kernelName, domain);
  kernel.load("v0", product, denseAccess(domain));
  if (bias)
    addChannelBias(kernel, "v0", group.members[0].inputs[bias->input].index, domain, bias->dim,
                   group.members[0].node.outputs[0].dtype);
  INLAY_ASSIGN(std::string result, writeMembers(group, kernel, "v0", domain));
  kernel.store(0, denseAccess(domain), std::move(result));
  PluginImplementation made;
  INLAY_TRY(kernel.appendTo(made));
  if (made.launches.empty())
    return internalError("a product without elements has a tactic of a library");
  readWorkspace(made.launches[0], product, workspace, group.members[0].node.outputs[0].dtype);
  return std::move(made.launches[0]);
}

/// Lets a launch of `from` write to a workspace of `to` instead of its output; workspaces of its
/// own come along.
void moveLaunch(PluginLaunch &launch, const PluginImplementation &from, PluginImplementation &to,
                uint32_t result, DataType dtype) {
  for (LaunchArgument &argument : launch.arguments)
    if (argument.kind == LaunchArgument::Kind::Output) {
      argument.kind = LaunchArgument::Kind::Workspace;
      argument.index = result;
      argument.dtype = dtype;
    } else if (argument.kind == LaunchArgument::Kind::Workspace) {
      to.workspaces.push_back(from.workspaces[argument.index]);
      argument.index = static_cast<uint32_t>(to.workspaces.size() - 1);
    }
}

/// Puts tactics that call libraries for the first member by itself in front of an implementation's
/// own.
Status addLibraryTactics(PluginImplementation &implementation, const OperatorGroup &group,
                         const PluginNode &node, const std::string &kernelName) {
  PluginNode anchor = anchorNode(group, node);
  const OperatorTraits &traits = *group.members[0].plugin->traits();
  // A result that others view in another shape has its channels elsewhere there.
  const bool hasChannels = anchor.outputs[0].shape == node.outputs[0].shape;
  const std::optional<ChannelBias> bias =
      traits.channelBias && hasChannels ? traits.channelBias(anchor) : std::nullopt;
  if (bias) {
    anchor.inputs.erase(anchor.inputs.begin() + bias->input);
    anchor.inputNames.erase(anchor.inputNames.begin() + bias->input);
  }
  INLAY_ASSIGN(PluginImplementation plain, group.members[0].plugin->implement(anchor));
  InputPlaces(group, bias ? std::optional(bias->input) : std::nullopt).apply(plain);
  std::vector<uint32_t> tactics;
  for (uint32_t i = 0; i < plain.tactics.size(); ++i)
    if (!plain.libraryOf(i).empty())
      tactics.push_back(i);
  if (tactics.empty())
    return {};
  INLAY_CHECK(implementation.tactics.empty(), "a kernel with a tail has tactics");
  const auto own = static_cast<uint32_t>(tactics.size());
  for (PluginLaunch &launch : implementation.launches)
    launch.tactic = own;
  const TensorSpec &product = group.members[0].node.outputs[0];
  const auto result = static_cast<uint32_t>(implementation.workspaces.size());
  implementation.workspaces.push_back(
      {"product", product.dtype, product.numel() * Expr(dataTypeSizeBytes(product.dtype))});
  for (uint32_t i = 0; i < own; ++i) {
    implementation.tactics.push_back(plain.tactics[tactics[i]]);
    for (PluginLaunch &launch : plain.launches)
      if (launch.tactic == tactics[i]) {
        moveLaunch(launch, plain, implementation, result, product.dtype);
        implementation.launches.push_back(launch);
        implementation.launches.back().tactic = i;
      }
    INLAY_ASSIGN(PluginLaunch behind, launchBehind(group, node, bias, result, kernelName));
    behind.tactic = i;
    implementation.launches.push_back(std::move(behind));
  }
  implementation.tactics.push_back(plain.tactics.back());
  return {};
}

/// A view of another member's result, of all its elements in their order.
bool isWholeView(const GroupMember &member) {
  if (!member.plugin->traits() || !member.plugin->traits()->views || !member.inputs[0].member)
    return false;
  PluginNode undescribed = member.node;
  undescribed.outputs.clear();
  const Result<PluginDescription> description = member.plugin->describe(undescribed);
  return description.isOk() && description->sharedInputs.contains(0) &&
         description->sharedInputs.at(0) == 0;
}

Status checkTailMember(const OperatorGroup &group, const GroupMember &member,
                       const std::vector<Expr> &domain) {
  if (isWholeView(member))
    return {};
  const std::string name = fmt::format("node {} ({})", member.node.nodeName, member.node.opName);
  const OperatorTraits *traits = member.plugin->traits();
  if (!traits || !traits->element)
    return invalidArgument("{} is no pointwise operator, and no view in the order of a result",
                           name);
  if (member.node.outputs[0].shape != domain)
    return invalidArgument("{} has the shape {}, the group {}", name,
                           shapeText(member.node.outputs[0].shape), shapeText(domain));
  for (const GroupValue &input : member.inputs)
    if (input.member && group.members[*input.member].node.outputs[0].shape != domain)
      return invalidArgument("{} takes a value of shape {} from another of the group, expected {}",
                             name, shapeText(group.members[*input.member].node.outputs[0].shape),
                             shapeText(domain));
  return {};
}

} // namespace

void addTail(PluginLaunch &launch, const GroupTail &tail) {
  std::string &source = launch.kernel.source;
  const auto replaceAll = [&](std::string_view from, const std::string &to) {
    for (size_t at = source.find(from); at != std::string::npos; at = source.find(from, at)) {
      source.replace(at, from.size(), to);
      at += to.size();
    }
  };
  // The file's own function goes; its text ends where the next begins.
  const size_t begin = source.find("@triton.jit\ndef tail(");
  INLAY_CHECK(begin != std::string::npos, "a kernel's file has no function `tail`");
  const size_t end = source.find("\n@triton.jit", begin + 1);
  source.replace(begin, end == std::string::npos ? end : end + 1 - begin, tail.text);
  constexpr std::string_view kLibdevice = "from triton.language.extra import libdevice\n",
                             kLanguage = "import triton.language as tl\n";
  if (source.find(kLibdevice) == std::string::npos)
    source.insert(source.find(kLanguage) + kLanguage.size(), kLibdevice);
  const std::string names = tail.parameters.empty() ? "" : ", " + tail.parameters;
  replaceAll(", TAIL: tl.constexpr", names);
  replaceAll(", TAIL", names);
  INLAY_CHECK(source.find("TAIL") == std::string::npos, "a kernel's TAIL stands behind no comma");
  launch.kernel.constexprs.erase("TAIL");
  for (const LaunchArgument &argument : tail.arguments)
    launch.arguments.push_back(argument);
}

void addTailIfAny(PluginLaunch &launch, const GroupTail *tail) {
  if (tail)
    addTail(launch, *tail);
  else
    launch.kernel.constexprs["TAIL"] = std::monostate();
}

Status checkTail(const OperatorGroup &group) {
  const GroupMember &anchor = group.members[0];
  if (!anchor.plugin->traits() || !anchor.plugin->traits()->implementWithTail)
    return invalidArgument("node {} ({}) takes no tail", anchor.node.nodeName, anchor.node.opName);
  if (group.results.size() != 1 || anchor.node.outputs.size() != 1 ||
      std::ranges::any_of(anchor.inputs, [](GroupValue value) { return value.member.has_value(); }))
    return invalidArgument("node {} ({}) heads a group with more than one result",
                           anchor.node.nodeName, anchor.node.opName);
  const GroupValue result = group.results[0];
  if (!result.member || result.index != 0)
    return invalidArgument("the result of the group is no member's first");
  const std::vector<Expr> &domain = group.members[*result.member].node.outputs[0].shape;
  for (size_t i = 1; i < group.members.size(); ++i)
    INLAY_TRY(checkTailMember(group, group.members[i], domain));
  return {};
}

Result<PluginImplementation> implementTail(const OperatorGroup &group, const PluginNode &node,
                                           const std::string &kernelName) {
  INLAY_ASSIGN(PluginImplementation implementation, implementInKernel(group, node));
  InputPlaces(group).apply(implementation);
  INLAY_TRY(addLibraryTactics(implementation, group, node, kernelName));
  return implementation;
}

} // namespace inlay
