#include "compiler/operators/GroupLines.h"

#include "base/Error.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"

#include <algorithm>

namespace inlay {
namespace {

/// A view's access, broadcast to a loop.
StridedAccess viewAccess(const StridedView &view, std::span<const Expr> domain) {
  const size_t first = domain.size() - view.shape.size();
  StridedAccess access{view.offset, std::vector<Expr>(domain.size(), Expr(0))};
  for (size_t dim = 0; dim < view.shape.size(); ++dim)
    if (view.shape[dim] != Expr(1) || domain[first + dim] == Expr(1))
      access.strides[first + dim] = view.strides[dim];
  return access;
}

std::string textOf(uint32_t input, const StridedAccess &access) {
  std::string text = fmt::format("{}:{}", input, access.offset.toString());
  for (const Expr &stride : access.strides)
    text += "," + stride.toString();
  return text;
}

} // namespace

void GroupLines::define(GroupValue value, std::string variable) {
  known_.emplace_back(value, std::move(variable));
}

Result<std::string> GroupLines::load(uint32_t input, StridedAccess access) {
  auto [known, isNew] = loads_.try_emplace(textOf(input, access));
  if (isNew) {
    known->second = fmt::format("x{}_{}", input, loads_.size());
    kernel_.load(known->second, input, std::move(access));
  }
  return known->second;
}

Result<std::string> GroupLines::variableOf(GroupValue value) {
  for (const auto &[known, variable] : known_)
    if (known == value)
      return variable;
  if (!value.member)
    return load(value.index, broadcastAccess(group_.inputs[value.index].shape, domain_));
  const GroupMember &member = group_.members[*value.member];
  if (!member.plugin->traits()->views || member.inputs[0].member)
    return internalError("node {} of a group is used before it is computed", member.node.nodeName);
  INLAY_ASSIGN(StridedViews views, member.plugin->traits()->views(member.node));
  StridedView &view = views.views[value.index];
  // The model may know a size to be 1, of which the operator only has an expression.
  view.shape = member.node.outputs[value.index].shape;
  return load(member.inputs[0].index, viewAccess(view, domain_));
}

Result<OperandVariables>
GroupLines::operandsOf(const GroupMember &member,
                       const std::function<bool(std::string_view)> &isUsed) {
  OperandVariables variables;
  for (size_t i = 0; i < member.inputs.size(); ++i) {
    if (!isUsed(member.node.inputNames[i]))
      continue; // it matters for types or shapes only
    INLAY_ASSIGN(variables[member.node.inputNames[i]], variableOf(member.inputs[i]));
  }
  return variables;
}

Status GroupLines::addMember(uint32_t index) {
  const GroupMember &member = group_.members[index];
  const OperatorTraits &traits = *member.plugin->traits();
  const std::string prefix = fmt::format("v{}_", index), variable = fmt::format("v{}", index);
  std::string value;
  if (traits.line) {
    INLAY_ASSIGN(const LineOperation operation, traits.line(member.node));
    INLAY_ASSIGN(const OperandVariables operands,
                 operandsOf(member, [](std::string_view) { return true; }));
    value = operation.write(kernel_, operands, prefix);
  } else if (traits.element) {
    INLAY_ASSIGN(const PointwiseExpression expression, traits.element(member.node));
    INLAY_ASSIGN(const OperandVariables operands, operandsOf(member, [&](std::string_view name) {
                   return usesOperand(expression, name);
                 }));
    kernel_.setOfLines(group_.kind == GroupKind::Lines && member.node.outputs[0].shape != domain_);
    value = addPointwiseLines(kernel_, member.node, expression, operands, prefix);
    kernel_.setOfLines(false);
  } else if (member.inputs[0].member) { // a view of all elements in their order
    INLAY_ASSIGN(value, variableOf(member.inputs[0]));
    define({index, 0}, value);
    return {};
  } else {
    return {};
  }
  kernel_.line(fmt::format("{} = {}", variable, value));
  define({index, 0}, variable);
  return {};
}

} // namespace inlay
