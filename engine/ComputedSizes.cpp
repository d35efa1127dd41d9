#include "engine/ComputedSizes.h"

#include <algorithm>

namespace inlay {

int expressionArity(uint8_t kind) {
  switch (kind) {
#define INLAY_EXPR_KIND(name, value, arity, spelling)                                              \
  case value:                                                                                      \
    return arity;
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
  }
  return -1;
}

std::vector<uint32_t> lastComputedSymbols(const fb::Engine &engine) {
  const uint32_t absent = fb::SymbolT().bound;
  std::vector<uint32_t> last;
  for (const fb::ExprInstruction *step : *engine.expressions()) {
    uint32_t own = 0;
    const uint32_t operands[] = {step->a(), step->b(), step->c()};
    for (int i = 0; i < expressionArity(step->kind()); ++i)
      own = std::max(own, last[operands[i]]);
    if (step->kind() == static_cast<uint8_t>(ExprKind::Symbol)) {
      const auto symbol = static_cast<uint32_t>(step->value());
      own = engine.symbols()->Get(symbol)->bound() == absent ? 0 : symbol + 1;
    }
    last.push_back(own);
  }
  return last;
}

} // namespace inlay
