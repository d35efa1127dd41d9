#include "compiler/operators/Groups.h"

#include "base/Error.h"
#include "compiler/operators/GroupLines.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Tails.h"
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

/// "mul_add_relu": what a kernel of members is called after.
std::string kernelName(std::span<const GroupMember> members) {
  constexpr size_t kMost = 4;
  std::string name;
  for (const GroupMember &member : members.first(std::min(kMost, members.size())))
    name += (name.empty() ? "" : "_") + std::string(shortName(member.node.opName));
  return members.size() > kMost ? fmt::format("{}_and_{}", name, members.size() - kMost) : name;
}

Result<PluginImplementation> implementPointwise(const OperatorGroup &group,
                                                const PluginNode &node) {
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(node, kernelName(group.members), domain);
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
  LoopKernel kernel(node, kernelName(group.members), domain);
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
      return implementTail(group_, node, kernelName(std::span(group_.members).subspan(1)));
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
  if (group.kind == GroupKind::Tail)
    return checkTail(group);
  const std::vector<Expr> domain = specOf(group, group.results[0]).shape;
  for (const GroupValue &result : group.results)
    if (!result.member || specOf(group, result).shape != domain)
      return invalidArgument("a result of a group is no member's, or not of the shape {}",
                             shapeText(domain));
  for (const GroupMember &member : group.members)
    INLAY_TRY(checkPointwise(member, domain));
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

} // namespace inlay
