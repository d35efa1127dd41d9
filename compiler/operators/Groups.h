// Operators of a model that are computed together: from bound nodes and their wiring to one plugin.
#pragma once

#include "compiler/operators/OperatorTraits.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inlay {

/// A value within a group: an input of the group, or a result of a member.
struct GroupValue {
  std::optional<uint32_t> member; // none: an input of the group
  uint32_t index = 0;             // which input, or which result

  bool operator==(const GroupValue &) const = default;
};

/// A node of a group, bound to its plugin, which is a standard operator.
struct GroupMember {
  const PluginDefinition *plugin = nullptr; // borrowed: outlives the group
  PluginNode node;                          // its outputs are known
  std::vector<GroupValue> inputs;           // of each input of the node
};

/// How the members are put together.
enum class GroupKind : uint8_t {
  Pointwise, // one loop over elements: all members are pointwise, or views of inputs of the group
  Lines,     // one loop over lines of the last dimension: some members go along lines
  Tail // the first member's kernel, which applies the others before it stores: pointwise ones,
       // behind views in the order of its result
};
std::string_view groupKindName(GroupKind kind);
std::optional<GroupKind> findGroupKind(std::string_view name);

/// Members come after those whose results they take. Every result is of a member.
struct OperatorGroup {
  GroupKind kind = GroupKind::Pointwise;
  std::vector<TensorSpec> inputs;
  std::vector<GroupMember> members;
  std::vector<GroupValue> results;
  std::map<std::string, Interval, std::less<>> symbolRanges;
};

/// "aten::mul.Tensor + aten::add.Tensor": the operators, the first of many.
std::string groupOpName(const OperatorGroup &group);
/// Errors: InvalidArgument naming the member and why the group cannot be computed as its kind says.
Status checkGroup(const OperatorGroup &group);
/// The plugin of a group, whose inputs are named "x0", "x1", …; its outputs are what the members'
/// nodes say.
std::unique_ptr<PluginDefinition> makeGroupPlugin(OperatorGroup group);
/// The node that this plugin serves.
PluginNode groupNode(const OperatorGroup &group, std::string nodeName);

} // namespace inlay
