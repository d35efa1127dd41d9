// The lines of a kernel that compute the members of a group.
#pragma once

#include "compiler/operators/Groups.h"
#include "compiler/operators/LineOperation.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"

namespace inlay {

/// Writes the members of a group into a loop, one after another; the values that they pass to each
/// other are variables, each rounded to its tensor's type.
class GroupLines {
public:
  /// Both outlive this.
  GroupLines(const OperatorGroup &group, LoopKernel &kernel, std::vector<Expr> domain)
      : group_(group), kernel_(kernel), domain_(std::move(domain)) {}

  /// The variable that already holds a value.
  void define(GroupValue value, std::string variable);
  /// The variable of a value, of the tensor's own type; loads it where it is an input, or a view of
  /// one.
  Result<std::string> variableOf(GroupValue value);
  /// Computes a member; nothing for a view, which is read where it is used.
  Status addMember(uint32_t index);

private:
  Result<OperandVariables> operandsOf(const GroupMember &member,
                                      const std::function<bool(std::string_view)> &isUsed);
  Result<std::string> load(uint32_t input, StridedAccess access);

  const OperatorGroup &group_;
  LoopKernel &kernel_;
  std::vector<Expr> domain_;
  std::vector<std::pair<GroupValue, std::string>> known_;
  std::map<std::string, std::string> loads_; // input and place, as text: the variable
};

} // namespace inlay
