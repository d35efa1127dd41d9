#include "runtime/core/ShapeEvaluation.h"

#include "base/Error.h"
#include "engine/ComputedSizes.h"

namespace inlay {

std::string formatShape(std::span<const int64_t> shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

ShapeEvaluation::ShapeEvaluation(const Engine &engine)
    : engine_(engine), symbols_(engine.metadata().symbols()->size()),
      values_(engine.file().expressions().size()),
      lastSymbol_(lastComputedSymbols(engine.metadata())) {
  const uint32_t absent = fb::SymbolT().bound;
  for (uint32_t i = 0; i < symbols_.size(); ++i)
    if (const uint32_t bound = engine.metadata().symbols()->Get(i)->bound(); bound != absent)
      bounds_.push_back(makeBound(i, bound));
}

/// Takes the instructions that the expression needs out of the engine's program.
ShapeEvaluation::Bound ShapeEvaluation::makeBound(uint32_t symbol, uint32_t expression) const {
  const std::span<const ExprInstruction> all = engine_.file().expressions();
  std::vector<bool> isNeeded(expression + 1, false);
  isNeeded[expression] = true;
  const auto arityOf = [&](uint32_t i) {
    return expressionArity(static_cast<uint8_t>(all[i].kind));
  };
  for (uint32_t i = expression + 1; i-- > 0;) {
    const uint32_t operands[] = {all[i].a, all[i].b, all[i].c};
    for (int k = 0; isNeeded[i] && k < arityOf(i); ++k)
      isNeeded[operands[k]] = true;
  }
  Bound bound;
  bound.symbol = symbol;
  std::vector<uint32_t> place(expression + 1, 0);
  for (uint32_t i = 0; i <= expression; ++i) {
    if (!isNeeded[i])
      continue;
    ExprInstruction step = all[i];
    uint32_t *operands[] = {&step.a, &step.b, &step.c};
    for (int k = 0; k < arityOf(i); ++k)
      *operands[k] = place[*operands[k]];
    place[i] = static_cast<uint32_t>(bound.program.size());
    bound.program.push_back(step);
  }
  bound.values.resize(bound.program.size());
  return bound;
}

Result<int64_t> ShapeEvaluation::evaluateBound(Bound &bound) {
  INLAY_TRY(evaluateProgram(bound.program, symbols_, bound.values));
  return bound.values.back();
}

Result<int64_t> ShapeEvaluation::boundOf(uint32_t symbol) {
  for (Bound &bound : bounds_)
    if (bound.symbol == symbol)
      return evaluateBound(bound);
  return internalError("symbol {} is not computed", symbol);
}

/// Evaluates everything, with the bounds of the computed sizes from one on.
Status ShapeEvaluation::evaluateFrom(size_t firstBound) {
  for (size_t i = firstBound; i < bounds_.size(); ++i) {
    INLAY_ASSIGN(symbols_[bounds_[i].symbol], evaluateBound(bounds_[i]));
  }
  return evaluateProgram(engine_.file().expressions(), symbols_, values_);
}

Status ShapeEvaluation::resetComputedSizes() { return evaluateFrom(0); }

Status ShapeEvaluation::setComputedSize(uint32_t symbol, int64_t value) {
  symbols_[symbol] = value;
  size_t next = 0;
  while (next < bounds_.size() && bounds_[next].symbol <= symbol)
    ++next;
  if (Status status = evaluateFrom(next); !status.isOk())
    return std::move(status).withContext("computing sizes with " + describeSymbols());
  return testChecks(symbol + 1);
}

/// Tests the checks whose last computed size is this one, counted from 1.
Status ShapeEvaluation::testChecks(uint32_t lastSymbol) const {
  for (const fb::Check *check : *engine_.metadata().checks())
    if (lastSymbol_[check->condition()] == lastSymbol && values_[check->condition()] == 0)
      return invalidArgument("{} do not fit the engine: {} ({})",
                             lastSymbol ? "the sizes that it computes" : "the inputs' shapes",
                             check->message()->string_view(), describeSymbols());
  return {};
}

std::string ShapeEvaluation::describeSymbols() const {
  std::string text;
  for (uint32_t i = 0; i < symbols_.size(); ++i)
    text += fmt::format("{}{} = {}", i ? ", " : "",
                        engine_.metadata().symbols()->Get(i)->name()->string_view(), symbols_[i]);
  return text.empty() ? "no symbols" : text;
}

namespace {

/// Rebuilds expressions from an evaluation program; steps beyond the budget become "…".
struct ExpressionReader {
  const Engine &engine;
  int budget = 64;

  Expr read(uint32_t index) {
    const ExprInstruction &step = engine.file().expressions()[index];
    if (--budget < 0)
      return Expr::symbol("…");
    if (step.kind == ExprKind::Constant)
      return Expr(step.value);
    if (step.kind == ExprKind::Symbol)
      return Expr::symbol(
          engine.metadata().symbols()->Get(static_cast<uint32_t>(step.value))->name()->str());
    const uint32_t indices[] = {step.a, step.b, step.c};
    std::vector<Expr> operands;
    for (int i = 0; i < arityOf(step.kind); ++i)
      operands.push_back(read(indices[i]));
    return Expr::make(step.kind, std::move(operands));
  }

  static int arityOf(ExprKind kind) {
    switch (kind) {
#define INLAY_EXPR_KIND(name, value, arity, spelling)                                              \
  case ExprKind::name:                                                                             \
    return arity;
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
    }
    return 0;
  }
};

} // namespace

std::string ShapeEvaluation::describeExpression(uint32_t expression) const {
  return ExpressionReader{engine_}.read(expression).toString();
}

/// ": n*n", the first expression that has no value for these symbols; empty if all have.
std::string ShapeEvaluation::describeFailing() {
  const std::span<const ExprInstruction> program = engine_.file().expressions();
  const auto isGood = [&](size_t count) {
    return evaluateProgram(program.first(count), symbols_, values_).isOk();
  };
  size_t good = 0, bad = program.size();
  if (isGood(bad))
    return "";
  while (bad - good > 1) {
    const size_t middle = good + (bad - good) / 2;
    (isGood(middle) ? good : bad) = middle;
  }
  return ": " + describeExpression(static_cast<uint32_t>(bad - 1));
}

Status ShapeEvaluation::evaluateSymbols(std::span<const int64_t> symbols) {
  symbols_.assign(symbols.begin(), symbols.end());
  if (Status status = evaluateFrom(0); !status.isOk())
    return std::move(status).withContext(
        fmt::format("computing sizes with {}{}", describeSymbols(), describeFailing()));
  return {};
}

Status ShapeEvaluation::evaluate(std::span<const BoundShape> shapes) {
  const fb::Engine &metadata = engine_.metadata();
  for (uint32_t i = 0; i < symbols_.size(); ++i) {
    const fb::Symbol &symbol = *metadata.symbols()->Get(i);
    if (symbol.bound() == fb::SymbolT().bound)
      symbols_[i] = shapes[symbol.input()][symbol.dim()];
  }
  if (Status status = evaluateFrom(0); !status.isOk())
    return std::move(status).withContext(
        fmt::format("computing sizes with {}{}", describeSymbols(), describeFailing()));
  for (uint32_t i = 0; i < shapes.size(); ++i) {
    const fb::Tensor &tensor = *metadata.inputs()->Get(i);
    for (uint32_t d = 0; d < shapes[i].size(); ++d)
      if (const int64_t expected = values_[tensor.shape()->Get(d)]; shapes[i][d] != expected)
        return invalidArgument("input '{}' has shape {}: dimension {} is {}, expected {} ({})",
                               tensor.name()->string_view(), formatShape(shapes[i]), d,
                               shapes[i][d], expected, describeSymbols());
  }
  return testChecks(0);
}

} // namespace inlay
