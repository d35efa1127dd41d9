// Expressions, read back from the evaluation program.
#include "engine/EngineText.h"

namespace inlay {
namespace {

int arityOf(ExprKind kind) {
  switch (kind) {
#define INLAY_EXPR_KIND(name, value, arity, spelling)                                              \
  case ExprKind::name:                                                                             \
    return arity;
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
  }
  return 0;
}

} // namespace

std::vector<Expr> engineExpressions(const EngineFile &file) {
  std::vector<Expr> expressions;
  for (const ExprInstruction &step : file.expressions()) {
    if (step.kind == ExprKind::Constant) {
      expressions.emplace_back(step.value);
      continue;
    }
    if (step.kind == ExprKind::Symbol) {
      expressions.push_back(Expr::symbol(
          file.engine().symbols()->Get(static_cast<uint32_t>(step.value))->name()->str()));
      continue;
    }
    std::vector<Expr> operands;
    const uint32_t indices[] = {step.a, step.b, step.c};
    for (int i = 0; i < arityOf(step.kind); ++i) {
      const Expr &operand = expressions[indices[i]];
      operands.push_back(operand.toString().size() <= kMaxInlineExpressionBytes
                             ? operand
                             : Expr::symbol("e" + std::to_string(indices[i])));
    }
    expressions.push_back(Expr::make(step.kind, std::move(operands)));
  }
  return expressions;
}

std::vector<FloatExpr> engineFloatExpressions(const EngineFile &file,
                                              std::span<const Expr> integers) {
  std::vector<FloatExpr> expressions;
  if (!file.engine().float_expressions())
    return expressions;
  // A hostile file may name one step over and over: texts would grow without bound.
  std::vector<uint64_t> sizes;
  constexpr uint64_t kMaxSteps = 1000;
  for (const fb::FloatInstruction *step : *file.engine().float_expressions()) {
    const auto kind = static_cast<FloatKind>(step->kind());
    const std::string name = "f" + std::to_string(expressions.size());
    uint64_t size = 1;
    if (kind == FloatKind::Constant) {
      expressions.emplace_back(step->value());
    } else if (kind == FloatKind::Integer) {
      expressions.emplace_back(integers[step->a()]);
    } else {
      std::vector<FloatExpr> operands;
      const uint32_t indices[] = {step->a(), step->b(), step->c()};
      for (int i = 0; i < floatArity(kind); ++i) {
        operands.push_back(expressions[indices[i]]);
        size += sizes[indices[i]];
      }
      // The condition of a select is an integer.
      const bool isPrintable = kind != FloatKind::Select ||
                               operands[0].kind() == FloatKind::Integer ||
                               operands[0].kind() == FloatKind::Constant;
      if (size > kMaxSteps || !isPrintable) {
        expressions.emplace_back(Expr::symbol(name));
        size = 1;
      } else {
        expressions.push_back(FloatExpr::make(kind, std::move(operands)));
      }
    }
    sizes.push_back(size);
  }
  return expressions;
}

} // namespace inlay
