// The parameters that an expression or a name of a function depends on.
#include "compiler/frontends/triton/FunctionUsage.h"

#include <algorithm>

namespace inlay::triton {

void UsageAnalysis::FunctionUsage::namesIn(const Expr &expr,
                                           std::vector<std::string> &names) const {
  if (expr.kind == ExprKind::Name && names_.contains(expr.text) &&
      std::find(names.begin(), names.end(), expr.text) == names.end())
    names.push_back(expr.text);
  for (const ExprPtr &operand : expr.operands)
    if (operand)
      namesIn(*operand, names);
  for (const Keyword &keyword : expr.keywords)
    if (keyword.value)
      namesIn(*keyword.value, names);
}

/// The names of the innermost expression that covers the span, then those of what is around it.
void UsageAnalysis::FunctionUsage::spansIn(const Expr &expr, Span span,
                                           std::vector<std::string> &names) const {
  if (expr.span.begin > span.begin || expr.span.end < span.end)
    return;
  for (const ExprPtr &operand : expr.operands)
    if (operand)
      spansIn(*operand, span, names);
  for (const Keyword &keyword : expr.keywords)
    if (keyword.value)
      spansIn(*keyword.value, span, names);
  namesIn(expr, names);
}

void UsageAnalysis::FunctionUsage::spansIn(const std::vector<StmtPtr> &statements, Span span,
                                           std::vector<std::string> &names) const {
  for (const StmtPtr &stmt : statements) {
    if (stmt->value)
      spansIn(*stmt->value, span, names);
    bool isCovered = stmt->span.begin <= span.begin && stmt->span.end >= span.end;
    if (isCovered && stmt->value)
      namesIn(*stmt->value, names);
    for (const ExprPtr &target : stmt->targets)
      if (isCovered)
        namesIn(*target, names);
    spansIn(stmt->body, span, names);
    spansIn(stmt->orElse, span, names);
  }
}

std::vector<size_t> UsageAnalysis::FunctionUsage::dependencies(Span span) {
  std::vector<std::string> queue;
  spansIn(function_.body, span, queue);
  return closure(std::move(queue), false);
}

std::vector<size_t> UsageAnalysis::FunctionUsage::dependencies(const std::string &name) {
  return names_.contains(name) ? closure({name}, true) : std::vector<size_t>();
}

/// The parameters that names are made of, the nearest first.
std::vector<size_t> UsageAnalysis::FunctionUsage::closure(std::vector<std::string> queue,
                                                          bool hasGuards) {
  std::vector<size_t> found;
  for (size_t i = 0; i < queue.size(); ++i) {
    const NameInfo &info = names_[queue[i]];
    if (info.parameter)
      found.push_back(static_cast<size_t>(info.parameter - function_.parameters.data()));
    for (const Definition &definition : info.definitions) {
      namesIn(*definition.value, queue);
      for (const Expr *guard : definition.guards)
        if (hasGuards)
          namesIn(*guard, queue);
    }
  }
  return found;
}

} // namespace inlay::triton
