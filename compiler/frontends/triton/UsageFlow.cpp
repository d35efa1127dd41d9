// How facts of a value flow to what it was made of.
#include "compiler/frontends/triton/CallForms.h"
#include "compiler/frontends/triton/FunctionUsage.h"

#include <algorithm>

namespace inlay::triton {

namespace {

/// Chains of assignments longer than this are not followed.
constexpr int kMaxChain = 40;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// How much a parameter's name looks like a pointer's (positive) or a number's (negative).
int nameScore(std::string_view name) {
  std::string lower;
  for (char c : name)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (contains(lower, "ptr") || contains(lower, "pointer"))
    return 4;
  for (std::string_view part : {"stride", "size", "num_", "offset", "offs", "idx", "index", "block",
                                "seqlen", "n_", "dim", "len", "step"})
    if (contains(lower, part))
      return -1;
  return 1;
}

} // namespace

int UsageAnalysis::FunctionUsage::pointerScore(const Expr &expr, int depth) {
  if (depth > kMaxChain)
    return 0;
  switch (expr.kind) {
  case ExprKind::Name: {
    auto found = names_.find(expr.text);
    if (found == names_.end())
      return -2;
    NameInfo &info = found->second;
    if (info.value.has(Use::Address))
      return 6;
    if (info.parameter)
      return isConstexprAnnotation(info.parameter->annotation.get()) ? -3 : nameScore(expr.text);
    int best = -3;
    for (const Definition &definition : info.definitions)
      best = std::max(best, pointerScore(*definition.value, depth + 8));
    return best;
  }
  case ExprKind::Binary:
    if (expr.text == "+" || expr.text == "-")
      return std::max(pointerScore(*expr.operands[0], depth + 1),
                      pointerScore(*expr.operands[1], depth + 1));
    return -4;
  case ExprKind::Conditional:
    return std::max(pointerScore(*expr.operands[1], depth + 1),
                    pointerScore(*expr.operands[2], depth + 1));
  case ExprKind::Subscript:
    return pointerScore(*expr.operands[0], depth + 1);
  case ExprKind::Call: {
    const std::string name = calledName(expr);
    if (name == "to" && expr.operands.size() > 1)
      return dottedName(expr.operands[1]->kind == ExprKind::Call ? *expr.operands[1]->operands[0]
                                                                 : *expr.operands[1])
                     .ends_with("pointer_type")
                 ? 6
                 : -4;
    switch (formOf(name)) {
    case CallForm::BlockPointer:
    case CallForm::Advance:
      return 6;
    case CallForm::Where:
      return expr.operands.size() > 3 ? std::max(pointerScore(*expr.operands[2], depth + 1),
                                                 pointerScore(*expr.operands[3], depth + 1))
                                      : -1;
    case CallForm::PassFirst:
      return expr.operands.size() > 1 && name != "sum" && name != "max" && name != "min"
                 ? pointerScore(*expr.operands[1], depth + 1)
                 : -2;
    case CallForm::Load:
      return -1;
    default:
      return -4;
    }
  }
  default:
    return -5;
  }
}

/// True for values that are integers by how they are made.
bool UsageAnalysis::FunctionUsage::isInteger(const Expr &expr, int depth) {
  if (depth > kMaxChain)
    return false;
  switch (expr.kind) {
  case ExprKind::Integer:
    return true;
  case ExprKind::Name: {
    auto found = names_.find(expr.text);
    if (found == names_.end())
      return false;
    const NameInfo &info = found->second;
    return std::any_of(info.definitions.begin(), info.definitions.end(),
                       [&](const Definition &d) { return isInteger(*d.value, depth + 8); });
  }
  case ExprKind::Binary:
    return expr.text != "/" && (expr.text == "//" ||
                                (expr.operands[0]->kind != ExprKind::Integer &&
                                 isInteger(*expr.operands[0], depth + 1)) ||
                                (expr.operands[1]->kind != ExprKind::Integer &&
                                 isInteger(*expr.operands[1], depth + 1)));
  case ExprKind::Subscript:
    return isInteger(*expr.operands[0], depth + 1);
  case ExprKind::Call: {
    const std::string name = calledName(expr);
    CallForm form = formOf(name);
    return name == "arange" || form == CallForm::Integer || form == CallForm::IndexMath ||
           form == CallForm::Range;
  }
  default:
    return false;
  }
}

void UsageAnalysis::FunctionUsage::demandBinary(std::string_view op, const Expr *left,
                                                const Expr &right, Uses value, Uses element,
                                                int depth) {
  bool isSum = op == "+" || op == "-";
  if (isSum && (value.has(Use::Address) || element.any())) {
    int leftScore = left ? pointerScore(*left) : 6;
    bool isRightBase = op == "+" && left && pointerScore(right) > leftScore;
    const Expr *base = isRightBase ? &right : left;
    const Expr *offset = isRightBase ? left : &right;
    if (base)
      demand(*base, value, element, depth + 1);
    demand(*offset, Use::Index, {}, depth + 1);
    return;
  }
  Uses passed;
  for (Use use : {Use::Index, Use::FloatMath, Use::IntMath, Use::Dot, Use::ConstantSize,
                  Use::Unrolled, Use::BitMath})
    if (value.has(use))
      passed |= use;
  if (op == "/")
    passed = Use::FloatMath;
  if (op == "&" || op == "|" || op == "^")
    passed = value.has(Use::Condition) ? Uses(Use::Condition) : passed;
  if (left)
    demand(*left, passed, {}, depth + 1);
  demand(right, passed, {}, depth + 1);
}

void UsageAnalysis::FunctionUsage::demandCall(const Expr &call, Uses value, Uses element,
                                              int depth) {
  const Expr &callee = *call.operands[0];
  const std::string name = calledName(call);
  auto pass = [&](size_t from, size_t to, Uses uses) {
    for (size_t i = from + 1; i < std::min(call.operands.size(), to + 1); ++i)
      demand(*call.operands[i], uses, element, depth + 1);
  };
  if (callee.kind == ExprKind::Attribute) {
    const Expr &object = *callee.operands[0];
    std::string objectName = dottedName(object);
    if (objectName.empty() || names_.contains(objectName.substr(0, objectName.find('.')))) {
      if (name == "to" || name == "cast")
        // A conversion hides the type behind it, but an index stays an integer.
        return demand(object, value.has(Use::Index) ? Uses(Use::Index) : Uses(), {}, depth + 1);
      return demand(object, value, element, depth + 1); // x.reshape(…), x.sum(…)
    }
  }
  switch (formOf(name)) {
  case CallForm::Load:
  case CallForm::Atomic: // gives what was there before
    if (const Expr *pointer = argument(call, 0, "pointer"))
      demand(*pointer, Use::Address, value, depth + 1);
    return;
  case CallForm::BlockPointer:
  case CallForm::Descriptor:
    if (const Expr *base = argument(call, 0, "base"))
      demand(*base, value.has(Use::Address) ? Uses(Use::Address) : Uses(), element, depth + 1);
    return;
  case CallForm::Advance:
  case CallForm::PassFirst:
    return pass(0, 1, value);
  case CallForm::PassAll:
    return pass(0, 8, value);
  case CallForm::Where:
    return pass(1, 3, value);
  case CallForm::IndexMath:
    return pass(0, 8, Use::Index);
  default:
    return;
  }
}

void UsageAnalysis::FunctionUsage::demand(const Expr &expr, Uses value, Uses element, int depth) {
  if (depth > kMaxChain || (!value.any() && !element.any()))
    return;
  switch (expr.kind) {
  case ExprKind::Name: {
    auto found = names_.find(expr.text);
    if (found == names_.end())
      return;
    NameInfo &info = found->second;
    Uses newValue = value.without(info.value), newElement = element.without(info.element);
    if (!newValue.any() && !newElement.any())
      return;
    info.value |= newValue;
    info.element |= newElement;
    for (const Definition &definition : info.definitions)
      if (definition.op.empty())
        demand(*definition.value, newValue, newElement, depth + 1);
      else
        demandBinary(definition.op, nullptr, *definition.value, newValue, newElement, depth + 1);
    return;
  }
  case ExprKind::Binary:
    return demandBinary(expr.text, expr.operands[0].get(), *expr.operands[1], value, element,
                        depth);
  case ExprKind::Unary:
    return demand(*expr.operands[0], value, element, depth + 1);
  case ExprKind::Conditional:
    demand(*expr.operands[1], value, element, depth + 1);
    return demand(*expr.operands[2], value, element, depth + 1);
  case ExprKind::Attribute:
    if (expr.text == "T")
      demand(*expr.operands[0], value, element, depth + 1);
    return;
  case ExprKind::Subscript:
    return demand(*expr.operands[0], value, element, depth + 1);
  case ExprKind::Tuple:
  case ExprKind::List:
    for (const ExprPtr &operand : expr.operands)
      demand(*operand, value, element, depth + 1);
    return;
  case ExprKind::Call:
    return demandCall(expr, value, element, depth);
  default:
    return;
  }
}

} // namespace inlay::triton
