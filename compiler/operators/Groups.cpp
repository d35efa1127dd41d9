#include "compiler/operators/Groups.h"

#include "base/Error.h"
#include "compiler/operators/GroupLines.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"
#include "compiler/operators/Views.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr std::pair<GroupKind, std::string_view> kKinds[] = {
    {GroupKind::Pointwise, "pointwise"}, {GroupKind::Lines, "lines"}, {GroupKind::Tail, "tail"}};

const TensorSpec &specOf(const OperatorGroup &group, GroupValue value) {
  return value.member ? group.members[*value.member].node.outputs[value.index]
                      : group.inputs[value.index];
}

/// "mul" of "aten::mul.Tensor".
std::string_view shortName(std::string_view opName) {
  opName.remove_prefix(opName.find("::") + 2);
  return opName.substr(0, opName.find('.'));
}

/// "mul_add_relu": what a kernel is called after.
std::string kernelName(const OperatorGroup &group) {
  constexpr size_t kMost = 4;
  std::string name;
  for (size_t i = 0; i < std::min(kMost, group.members.size()); ++i)
    name += (name.empty() ? "" : "_") + std::string(shortName(group.members[i].node.opName));
  return group.members.size() > kMost ? fmt::format("{}_and_{}", name, group.members.size() - kMost)
                                      : name;
}

Result<PluginImplementation> implementPointwise(const OperatorGroup &group,
                                                const PluginNode &node) {
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(node, kernelName(group), domain);
  GroupLines lines(group, kernel, domain);
  for (uint32_t i = 0; i < group.members.size(); ++i)
    INLAY_TRY(lines.addMember(i));
  for (uint32_t i = 0; i < group.results.size(); ++i) {
    INLAY_ASSIGN(std::string value, lines.variableOf(group.results[i]));
    kernel.store(i, denseAccess(domain), std::move(value));
  }
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

/// The shape whose lines the members of a group go along: that of the first input of the first
/// member that does; null if there is none.
const std::vector<Expr> *findLineDomain(const OperatorGroup &group) {
  for (const GroupMember &member : group.members)
    if (member.plugin->traits() && member.plugin->traits()->line)
      return &member.node.inputs[0].shape;
  return nullptr;
}

/// Where a result is stored: all of the domain, or an element for each line.
StridedAccess lineAccess(const std::vector<Expr> &shape, const std::vector<Expr> &domain) {
  if (shape.size() == domain.size())
    return broadcastAccess(shape, domain);
  StridedAccess access{Expr(0), denseStrides(shape)};
  access.strides.push_back(Expr(0));
  return access;
}

Result<PluginImplementation> implementLines(const OperatorGroup &group, const PluginNode &node) {
  const std::vector<Expr> domain = *findLineDomain(group);
  LoopKernel kernel(node, kernelName(group), domain);
  kernel.holdLines();
  GroupLines lines(group, kernel, domain);
  for (uint32_t i = 0; i < group.members.size(); ++i)
    INLAY_TRY(lines.addMember(i));
  for (uint32_t i = 0; i < group.results.size(); ++i) {
    INLAY_ASSIGN(std::string value, lines.variableOf(group.results[i]));
    kernel.store(i, lineAccess(node.outputs[i].shape, domain), std::move(value));
  }
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

/// The first member's launches, which apply the others.
Result<PluginImplementation> implementTail(const OperatorGroup &group, const PluginNode &node) {
  const GroupMember &anchor = group.members[0];
  // The operator's own inputs first, then all of the group: places in the group's are found again
  // below.
  PluginNode own = anchor.node;
  std::vector<uint32_t> places;
  for (const GroupValue &input : anchor.inputs)
    places.push_back(input.index);
  for (uint32_t i = 0; i < group.inputs.size(); ++i) {
    own.inputs.push_back(group.inputs[i]);
    own.inputNames.push_back(node.inputNames[i]);
    places.push_back(i);
  }
  LoopKernel kernel(node, "tail", node.outputs[0].shape);
  GroupLines lines(group, kernel, node.outputs[0].shape);
  kernel.line(fmt::format("v0 = value.to({})", tritonType(anchor.node.outputs[0].dtype)));
  lines.define({0, 0}, "v0");
  for (uint32_t i = 1; i < group.members.size(); ++i)
    INLAY_TRY(lines.addMember(i));
  INLAY_ASSIGN(const std::string value, lines.variableOf(group.results[0]));
  INLAY_ASSIGN(GroupTail tail, kernel.tailFunction(value));
  tail.result = node.outputs[0].dtype;
  for (LaunchArgument &argument : tail.arguments)
    if (argument.kind == LaunchArgument::Kind::Input)
      argument.index += static_cast<uint32_t>(anchor.inputs.size());
  INLAY_ASSIGN(PluginImplementation implementation,
               anchor.plugin->traits()->implementWithTail(own, tail));
  for (PluginLaunch &launch : implementation.launches)
    for (LaunchArgument &argument : launch.arguments)
      if (argument.kind == LaunchArgument::Kind::Input)
        argument.index = places.at(argument.index);
  for (PluginTactic &tactic : implementation.tactics)
    for (TensorAlignment &alignment : tactic.alignments)
      if (!alignment.isOfOutput)
        alignment.index = places.at(alignment.index);
  return implementation;
}

class GroupPlugin final : public PluginDefinition {
public:
  explicit GroupPlugin(OperatorGroup group) : group_(std::move(group)) {
    opName_ = groupOpName(group_);
    origin_ = "standard operators";
    for (size_t i = 0; i < group_.inputs.size(); ++i)
      inputNames_.push_back(fmt::format("x{}", i));
  }

  Result<PluginDescription> describe(const PluginNode &) const override {
    PluginDescription description;
    for (const GroupValue &result : group_.results)
      description.outputs.push_back(specOf(group_, result));
    return description;
  }
  Result<PluginImplementation> implement(const PluginNode &node) const override {
    INLAY_TRY(checkGroup(group_));
    switch (group_.kind) {
    case GroupKind::Pointwise:
      return implementPointwise(group_, node);
    case GroupKind::Tail:
      return implementTail(group_, node);
    case GroupKind::Lines:
      return implementLines(group_, node);
    }
    return internalError("a group of unknown kind");
  }

private:
  OperatorGroup group_;
};

/// A member that loops can compute: pointwise, or a view of an input.
Status checkPointwise(const GroupMember &member, const std::vector<Expr> &domain) {
  const OperatorTraits *traits = member.plugin->traits();
  if (traits && traits->views && !member.inputs[0].member)
    return {};
  if (!traits || !traits->element)
    return invalidArgument("node {} ({}) is no pointwise operator, and no view of an input",
                           member.node.nodeName, member.node.opName);
  if (member.node.outputs[0].shape != domain)
    return invalidArgument("node {} ({}) has the shape {}, the group {}", member.node.nodeName,
                           member.node.opName, shapeText(member.node.outputs[0].shape),
                           shapeText(domain));
  return {};
}

/// A member of a group of lines of a domain: pointwise of all of it or of what is the same along
/// lines, a view of an input, or along lines.
Status checkLineMember(const OperatorGroup &group, const GroupMember &member,
                       const std::vector<Expr> &domain) {
  const OperatorTraits *traits = member.plugin->traits();
  std::vector<Expr> ofLines = domain;
  ofLines.back() = Expr(1);
  for (const GroupValue &input : member.inputs)
    if (input.member && (input.index != 0 || (specOf(group, input).shape != domain &&
                                              specOf(group, input).shape != ofLines)))
      return invalidArgument("node {} ({}) takes a value of shape {} from another of the group, "
                             "expected {} or {}",
                             member.node.nodeName, member.node.opName,
                             shapeText(specOf(group, input).shape), shapeText(domain),
                             shapeText(ofLines));
  const std::vector<Expr> &shape = member.node.outputs[0].shape;
  const std::string name = fmt::format("node {} ({})", member.node.nodeName, member.node.opName);
  if (traits && traits->line) {
    INLAY_TRY(traits->line(member.node).status(), name);
    if (member.node.inputs[0].shape != domain)
      return invalidArgument("{} goes along lines of {}, the group along those of {}", name,
                             shapeText(member.node.inputs[0].shape), shapeText(domain));
    return {};
  }
  return traits && traits->element && shape == ofLines ? Status() : checkPointwise(member, domain);
}

Status checkLines(const OperatorGroup &group) {
  const std::vector<Expr> *domain = findLineDomain(group);
  if (!domain || domain->empty())
    return invalidArgument("no member of the group goes along lines");
  const int64_t length = domain->back().constantValue().value_or(0);
  if (length < 2 || length > kLongestLine)
    return invalidArgument("lines of {} elements are not held whole; those of 2 to {} are",
                           domain->back().toString(), kLongestLine);
  for (const GroupMember &member : group.members)
    INLAY_TRY(checkLineMember(group, member, *domain));
  for (const GroupValue &result : group.results)
    if (!result.member || result.index != 0)
      return invalidArgument("a result of the group is no member's first");
  return {};
}

} // namespace

std::string_view groupKindName(GroupKind kind) { return kKinds[static_cast<size_t>(kind)].second; }

std::optional<GroupKind> findGroupKind(std::string_view name) {
  for (const auto &[kind, text] : kKinds)
    if (text == name)
      return kind;
  return std::nullopt;
}

std::string groupOpName(const OperatorGroup &group) {
  constexpr size_t kMost = 4;
  std::string name;
  for (size_t i = 0; i < std::min(kMost, group.members.size()); ++i)
    name += (name.empty() ? "" : " + ") + group.members[i].node.opName;
  if (group.members.size() > kMost)
    name += fmt::format(" + {} more", group.members.size() - kMost);
  return name;
}

Status checkGroup(const OperatorGroup &group) {
  if (group.members.empty() || group.results.empty())
    return invalidArgument("a group has {} members and {} results, expected one of each at least",
                           group.members.size(), group.results.size());
  if (group.kind == GroupKind::Lines)
    return checkLines(group);
  const std::vector<Expr> domain = specOf(group, group.results[0]).shape;
  for (const GroupValue &result : group.results)
    if (!result.member || specOf(group, result).shape != domain)
      return invalidArgument("a result of a group is no member's, or not of the shape {}",
                             shapeText(domain));
  size_t first = 0;
  if (group.kind == GroupKind::Tail) {
    const GroupMember &anchor = group.members[0];
    if (!anchor.plugin->traits() || !anchor.plugin->traits()->implementWithTail)
      return invalidArgument("node {} ({}) takes no tail", anchor.node.nodeName,
                             anchor.node.opName);
    if (group.results.size() != 1 || anchor.node.outputs.size() != 1 ||
        std::ranges::any_of(anchor.inputs,
                            [](GroupValue value) { return value.member.has_value(); }))
      return invalidArgument("node {} ({}) heads a group with more than one result",
                             anchor.node.nodeName, anchor.node.opName);
    if (anchor.node.outputs[0].shape != domain)
      return invalidArgument("node {} ({}) has the shape {}, its tail {}", anchor.node.nodeName,
                             anchor.node.opName, shapeText(anchor.node.outputs[0].shape),
                             shapeText(domain));
    first = 1;
  }
  for (size_t i = first; i < group.members.size(); ++i)
    INLAY_TRY(checkPointwise(group.members[i], domain));
  return {};
}

std::unique_ptr<PluginDefinition> makeGroupPlugin(OperatorGroup group) {
  return std::make_unique<GroupPlugin>(std::move(group));
}

PluginNode groupNode(const OperatorGroup &group, std::string nodeName) {
  PluginNode node;
  node.opName = groupOpName(group);
  node.nodeName = std::move(nodeName);
  node.inputs = group.inputs;
  for (size_t i = 0; i < group.inputs.size(); ++i)
    node.inputNames.push_back(fmt::format("x{}", i));
  for (const GroupValue &result : group.results)
    node.outputs.push_back(specOf(group, result));
  node.symbolRanges = group.symbolRanges;
  return node;
}

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
  const std::string names = tail.parameters.empty() ? "" : ", " + tail.parameters;
  replaceAll(", TAIL: tl.constexpr", names);
  replaceAll(", TAIL", names);
  launch.kernel.constexprs.erase("TAIL");
  for (const LaunchArgument &argument : tail.arguments)
    launch.arguments.push_back(argument);
}

} // namespace inlay
