#include "compiler/frontends/triton/CallForms.h"

#include <algorithm>
#include <iterator>

namespace inlay::triton {

namespace {

struct NamedForm {
  std::string_view name;
  CallForm form;
};
constexpr NamedForm kForms[] = {
    {"load", CallForm::Load},
    {"store", CallForm::Store},
    {"atomic_add", CallForm::Atomic},
    {"atomic_max", CallForm::Atomic},
    {"atomic_min", CallForm::Atomic},
    {"atomic_and", CallForm::Atomic},
    {"atomic_or", CallForm::Atomic},
    {"atomic_xor", CallForm::Atomic},
    {"atomic_cas", CallForm::Atomic},
    {"atomic_xchg", CallForm::Atomic},
    {"make_block_ptr", CallForm::BlockPointer},
    {"make_tensor_descriptor", CallForm::Descriptor},
    {"_experimental_make_tensor_descriptor", CallForm::Descriptor},
    {"advance", CallForm::Advance},
    {"broadcast_to", CallForm::PassFirst},
    {"reshape", CallForm::PassFirst},
    {"view", CallForm::PassFirst},
    {"trans", CallForm::PassFirst},
    {"permute", CallForm::PassFirst},
    {"expand_dims", CallForm::PassFirst},
    {"ravel", CallForm::PassFirst},
    {"flip", CallForm::PassFirst},
    {"sort", CallForm::PassFirst},
    {"cast", CallForm::PassFirst},
    {"multiple_of", CallForm::PassFirst},
    {"max_contiguous", CallForm::PassFirst},
    {"max_constancy", CallForm::PassFirst},
    {"sum", CallForm::PassFirst},
    {"max", CallForm::PassFirst},
    {"min", CallForm::PassFirst},
    {"cumsum", CallForm::PassFirst},
    {"cumprod", CallForm::PassFirst},
    {"abs", CallForm::PassFirst},
    {"reduce", CallForm::PassFirst},
    {"to_tensor", CallForm::PassFirst},
    {"maximum", CallForm::PassAll},
    {"minimum", CallForm::PassAll},
    {"broadcast", CallForm::PassAll},
    {"join", CallForm::PassAll},
    {"interleave", CallForm::PassAll},
    {"cat", CallForm::PassAll},
    {"clamp", CallForm::PassAll},
    {"where", CallForm::Where},
    {"dot", CallForm::Dot},
    {"range", CallForm::Range},
    {"static_range", CallForm::StaticRange},
    {"arange", CallForm::StaticRange},
    {"zeros", CallForm::Shape},
    {"full", CallForm::Shape},
    {"program_id", CallForm::Integer},
    {"num_programs", CallForm::Integer},
    {"argmax", CallForm::Integer},
    {"argmin", CallForm::Integer},
    {"cdiv", CallForm::IndexMath},
    {"swizzle2d", CallForm::IndexMath},
};
constexpr std::string_view kFloatFunctions[] = {
    "exp",    "exp2",  "log",  "log2",  "sqrt",    "rsqrt", "sqrt_rn", "sin",
    "cos",    "erf",   "tanh", "fma",   "sigmoid", "pow",   "softmax", "fdiv",
    "div_rn", "floor", "ceil", "log1p", "expm1",   "isnan"};

} // namespace

CallForm formOf(std::string_view name) {
  for (const NamedForm &form : kForms)
    if (form.name == name)
      return form.form;
  return std::find(std::begin(kFloatFunctions), std::end(kFloatFunctions), name) !=
                 std::end(kFloatFunctions)
             ? CallForm::FloatFunction
             : CallForm::Unknown;
}

std::string dottedName(const Expr &expr) {
  if (expr.kind == ExprKind::Name)
    return expr.text;
  if (expr.kind != ExprKind::Attribute)
    return "";
  std::string object = dottedName(*expr.operands[0]);
  return object.empty() ? "" : object + "." + expr.text;
}

std::string calledName(const Expr &call) {
  const Expr &callee = *call.operands[0];
  return callee.kind == ExprKind::Attribute ? callee.text : dottedName(callee);
}

} // namespace inlay::triton
