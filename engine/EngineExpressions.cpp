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

} // namespace inlay
