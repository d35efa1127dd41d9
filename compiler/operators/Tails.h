// Pointwise operators that become part of the kernel whose result they take.
#pragma once

#include "compiler/operators/Groups.h"

namespace inlay {

/// Pointwise operators that a kernel applies to elements of its result before it stores them: a
/// function in the Triton language
///
///     def tail(value, offsets, in_range, PARAMETERS): → a tile of the type of the group's result
///
/// `value` is a tile of elements as the kernel computed them (any type; the function rounds it to
/// the operator's own first), `offsets` where each lies in the dense result (integers wide enough
/// to say so; the function makes them as narrow as it can), and `in_range` which there are. All
/// three have one shape.
struct GroupTail {
  std::string text;                      // of the function and those that it calls
  std::string parameters;                // "x1_ptr, size0"; may be empty
  std::vector<LaunchArgument> arguments; // of the parameters
};
/// Puts a tail into a launch. The kernel's file has a function `tail(value, offsets, in_range,
/// TAIL: tl.constexpr)` that gives `value`; its kernel, and functions on the way, have the last
/// parameter `TAIL: tl.constexpr`, which they pass on. The arguments become the launch's last.
void addTail(PluginLaunch &launch, const GroupTail &tail);
/// The same for a launch of LaunchBuilder; without a tail (null) TAIL is None.
void addTailIfAny(PluginLaunch &launch, const GroupTail *tail);

/// Errors: InvalidArgument naming the member that cannot be of a group of kind Tail.
Status checkTail(const OperatorGroup &group);
/// A group of kind Tail: the first member's launches, which apply the others. Where a library may
/// compute the first member, its tactics stand in front: the library's function, which takes no
/// tail, and a kernel of the others behind it.
Result<PluginImplementation> implementTail(const OperatorGroup &group, const PluginNode &node,
                                           const std::string &kernelName);

} // namespace inlay
