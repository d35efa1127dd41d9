// Values of expressions: by tree, and by evaluation program.
#include "base/CheckedMath.h"
#include "base/Error.h"
#include "symbolic/Expr.h"

#include <algorithm>

namespace inlay {
namespace {

Status overflow(ExprKind kind) {
  static constexpr std::string_view names[] = {
#define INLAY_EXPR_KIND(name, value, arity, spelling) #name,
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
  };
  return outOfRange("{} overflows 64-bit integers", names[static_cast<size_t>(kind)]);
}

/// Applies an operation with operands to values; allocates only for an error.
Status applyKind(ExprKind kind, int64_t a, int64_t b, int64_t c, int64_t &result) {
  switch (kind) {
  case ExprKind::Add:
    return checkedAdd(a, b, result) ? Status() : overflow(kind);
  case ExprKind::Mul:
    return checkedMul(a, b, result) ? Status() : overflow(kind);
  case ExprKind::FloorDiv:
  case ExprKind::CeilDiv:
    if (b == 0)
      return invalidArgument("{} divided by zero", a);
    return (kind == ExprKind::FloorDiv ? checkedFloorDiv(a, b, result)
                                       : checkedCeilDiv(a, b, result))
               ? Status()
               : overflow(kind);
  case ExprKind::Mod:
    if (b == 0)
      return invalidArgument("{} modulo zero", a);
    result = floorMod(a, b);
    return {};
  case ExprKind::Min:
    result = std::min(a, b);
    return {};
  case ExprKind::Max:
    result = std::max(a, b);
    return {};
  case ExprKind::Equal:
    result = a == b;
    return {};
  case ExprKind::NotEqual:
    result = a != b;
    return {};
  case ExprKind::Less:
    result = a < b;
    return {};
  case ExprKind::LessEqual:
    result = a <= b;
    return {};
  case ExprKind::And:
    result = a != 0 && b != 0;
    return {};
  case ExprKind::Or:
    result = a != 0 || b != 0;
    return {};
  case ExprKind::Not:
    result = a == 0;
    return {};
  case ExprKind::Select:
    result = a != 0 ? b : c;
    return {};
  case ExprKind::Constant:
  case ExprKind::Symbol:
    break;
  }
  return internalError("expression kind {} is no operation", static_cast<int>(kind));
}

} // namespace

Result<int64_t> evaluate(const Expr &expr, const SymbolLookup &symbols) {
  if (std::optional<int64_t> value = expr.constantValue())
    return *value;
  if (expr.kind() == ExprKind::Symbol) {
    if (std::optional<int64_t> value = symbols(expr.symbolName()))
      return *value;
    return notFound("symbol '{}' has no value", expr.symbolName());
  }
  int64_t values[3] = {};
  size_t count = 0;
  for (const Expr &operand : expr.operands()) {
    INLAY_ASSIGN(values[count], evaluate(operand, symbols));
    ++count;
  }
  int64_t result = 0;
  INLAY_TRY(applyKind(expr.kind(), values[0], values[1], values[2], result),
            "evaluating " + expr.toString());
  return result;
}

Status evaluateProgram(std::span<const ExprInstruction> program, std::span<const int64_t> symbols,
                       std::span<int64_t> values) {
  for (size_t i = 0; i < program.size(); ++i) {
    const ExprInstruction &step = program[i];
    if (step.kind == ExprKind::Constant)
      values[i] = step.value;
    else if (step.kind == ExprKind::Symbol)
      values[i] = symbols[static_cast<size_t>(step.value)];
    else
      INLAY_TRY(applyKind(step.kind, values[step.a], values[step.b], values[step.c], values[i]));
  }
  return {};
}

ExprProgramBuilder::ExprProgramBuilder(std::vector<std::string> symbolNames)
    : symbolNames_(std::move(symbolNames)) {}

Result<uint32_t> ExprProgramBuilder::add(const Expr &expr) {
  auto known = known_.find(expr.toString());
  if (known != known_.end())
    return known->second;
  ExprInstruction step{expr.kind()};
  if (std::optional<int64_t> value = expr.constantValue()) {
    step.value = *value;
  } else if (expr.kind() == ExprKind::Symbol) {
    auto it = std::find(symbolNames_.begin(), symbolNames_.end(), expr.symbolName());
    if (it == symbolNames_.end())
      return notFound("symbol '{}' is no dimension of an input", expr.symbolName());
    step.value = it - symbolNames_.begin();
  }
  uint32_t *operands[] = {&step.a, &step.b, &step.c};
  size_t count = 0;
  for (const Expr &operand : expr.operands()) {
    INLAY_ASSIGN(*operands[count], add(operand));
    ++count;
  }
  instructions_.push_back(step);
  const auto index = static_cast<uint32_t>(instructions_.size() - 1);
  known_.emplace(expr.toString(), index);
  return index;
}

} // namespace inlay
