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
  Tail // the first member's kernel, which applies the others, pointwise ones, before it stores
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

/// Pointwise operators that a kernel applies to elements of its result before it stores them: a
/// function in the Triton language
///
///     def tail(value, offsets, in_range, PARAMETERS): → a tile of the type of the group's result
///
/// `value` is a tile of elements as the kernel computed them (any type; the function rounds it to
/// the operator's own first), `offsets` where each lies in the dense result (int32, or int64 if
/// `offsetsAreWide`), and `in_range` which there are. All three have one shape.
struct GroupTail {
  std::string text;                      // of the function and those that it calls
  std::string parameters;                // "x1_ptr, size0"; may be empty
  std::vector<LaunchArgument> arguments; // of the parameters
  DataType result;                       // its elements' type
  bool offsetsAreWide = false;
};
/// Puts a tail into a launch. The kernel's file has a function `tail(value, offsets, in_range,
/// TAIL: tl.constexpr)` that gives `value`; its kernel, and functions on the way, have the last
/// parameter `TAIL: tl.constexpr`, which they pass on. The arguments become the launch's last.
void addTail(PluginLaunch &launch, const GroupTail &tail);

} // namespace inlay
