// What a function's statements say of the values in them.
#include "compiler/frontends/triton/CallForms.h"
#include "compiler/frontends/triton/FunctionUsage.h"

#include <algorithm>

namespace inlay::triton {

namespace {

constexpr size_t kMaxTuple = 64;    // larger indices say nothing about a tuple
constexpr size_t kUnknownTuple = 4; // for tuples that a loop indexes

bool isConstantNamed(const Expr &expr, std::string_view text) {
  return expr.kind == ExprKind::Constant && expr.text == text;
}

} // namespace

/// `expr` is indexed by a number or taken apart, as only tuples are.
void UsageAnalysis::FunctionUsage::noteTuple(const Expr &expr, size_t size) {
  if (auto found = names_.find(expr.text); expr.kind == ExprKind::Name && found != names_.end())
    found->second.tupleSize = std::max(found->second.tupleSize, size);
}

void UsageAnalysis::FunctionUsage::define(const Expr &target, const Expr &value,
                                          std::string_view op) {
  if (target.kind == ExprKind::Name) {
    names_[target.text].definitions.push_back({&value, op, guards_});
  } else if (target.kind == ExprKind::Tuple || target.kind == ExprKind::List) {
    bool isPairwise = (value.kind == ExprKind::Tuple || value.kind == ExprKind::List) &&
                      value.operands.size() == target.operands.size();
    if (value.kind == ExprKind::Name)
      noteTuple(value, target.operands.size());
    for (size_t i = 0; i < target.operands.size(); ++i)
      define(*target.operands[i], isPairwise ? *value.operands[i] : value, op);
  }
}

void UsageAnalysis::FunctionUsage::collect(const std::vector<StmtPtr> &statements) {
  for (const StmtPtr &stmt : statements) {
    if (stmt->kind == StmtKind::Assign || stmt->kind == StmtKind::AugmentedAssign ||
        (stmt->kind == StmtKind::AnnotatedAssign && stmt->value))
      for (const ExprPtr &target : stmt->targets)
        define(*target, *stmt->value,
               stmt->kind == StmtKind::AugmentedAssign ? std::string_view(stmt->text) : "");
    if (stmt->kind == StmtKind::If)
      guards_.push_back(stmt->value.get());
    collect(stmt->body);
    collect(stmt->orElse);
    if (stmt->kind == StmtKind::If)
      guards_.pop_back();
  }
}

void UsageAnalysis::FunctionUsage::visit(const std::vector<StmtPtr> &statements) {
  for (const StmtPtr &stmt : statements)
    visit(*stmt);
}

void UsageAnalysis::FunctionUsage::visit(const Stmt &stmt) {
  if (stmt.kind == StmtKind::If || stmt.kind == StmtKind::While)
    test(*stmt.value);
  if (stmt.value)
    visit(*stmt.value);
  if (stmt.kind == StmtKind::AugmentedAssign && !stmt.targets.empty()) {
    bool isBits = stmt.text == "//" || stmt.text == "%" || stmt.text == "&" || stmt.text == "|" ||
                  stmt.text == "^" || stmt.text == "<<" || stmt.text == ">>";
    if (isBits) {
      demand(*stmt.targets[0], Use::IntMath, {});
      demand(*stmt.value, Use::IntMath, {});
    }
  }
  visit(stmt.body);
  visit(stmt.orElse);
}

void UsageAnalysis::FunctionUsage::test(const Expr &expr) {
  if (expr.kind == ExprKind::BoolOp || (expr.kind == ExprKind::Unary && expr.text == "not"))
    for (const ExprPtr &operand : expr.operands)
      test(*operand);
  else
    demand(expr, Use::Condition, {});
}

void UsageAnalysis::FunctionUsage::visit(const Expr &expr) {
  if (expr.kind == ExprKind::Name)
    if (auto found = names_.find(expr.text); found != names_.end())
      found->second.isUsed = true;
  for (const ExprPtr &operand : expr.operands)
    if (operand)
      visit(*operand);
  for (const Keyword &keyword : expr.keywords)
    if (keyword.value)
      visit(*keyword.value);
  switch (expr.kind) {
  case ExprKind::Call:
    return visitCall(expr);
  case ExprKind::Subscript:
    if (const Expr &index = *expr.operands[1]; index.kind == ExprKind::Integer)
      noteTuple(*expr.operands[0],
                std::min<size_t>(std::strtoul(index.text.c_str(), nullptr, 0), kMaxTuple) + 1);
    else if (index.kind == ExprKind::Name)
      noteTuple(*expr.operands[0], kUnknownTuple);
    return;
  case ExprKind::Compare:
    return visitCompare(expr);
  case ExprKind::Conditional:
    return test(*expr.operands[0]);
  case ExprKind::BoolOp:
    return test(expr);
  case ExprKind::Unary:
    if (expr.text == "not")
      test(expr);
    return;
  case ExprKind::Binary: {
    const Expr &left = *expr.operands[0], &right = *expr.operands[1];
    std::string_view op = expr.text;
    bool isBits =
        op == "//" || op == "%" || op == "&" || op == "|" || op == "^" || op == "<<" || op == ">>";
    if (isBits || op == "/") {
      bool isOfBits = isBits && op != "//" && op != "%";
      Uses use =
          isOfBits ? Use::IntMath | Use::BitMath : Uses(isBits ? Use::IntMath : Use::FloatMath);
      demand(left, use, {});
      demand(right, use, {});
    } else if (left.kind == ExprKind::Float || right.kind == ExprKind::Float) {
      demand(left.kind == ExprKind::Float ? right : left, Use::FloatMath, {});
    }
    return;
  }
  default:
    return;
  }
}

void UsageAnalysis::FunctionUsage::visitCompare(const Expr &expr) {
  for (size_t i = 0; i + 1 < expr.operands.size(); ++i) {
    const Expr &left = *expr.operands[i], &right = *expr.operands[i + 1];
    for (auto [one, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
      if (one->kind == ExprKind::Name && other->kind == ExprKind::Integer &&
          expr.operators[i] == "==")
        names_[one->text].numbers.insert(other->text);
      if (isConstantNamed(*other, "None"))
        demand(*one, Use::NoneTest, {});
      else if (other->kind == ExprKind::String && one->kind == ExprKind::Name) {
        demand(*one, Use::StringTest, {});
        names_[one->text].strings.insert(other->text);
      } else if (dottedName(*other).ends_with("float16") ||
                 dottedName(*other).ends_with("float32") ||
                 dottedName(*other).ends_with("bfloat16"))
        demandDtype(*one);
      else if (other->kind == ExprKind::Float)
        demand(*one, Use::FloatMath, {});
      else if (isInteger(*other) ||
               (other->kind == ExprKind::Name && !names_.contains(other->text)))
        demand(*one, Use::IntMath, {}); // with a constant of the module, too
    }
    if (expr.operators[i].ends_with("in") &&
        (right.kind == ExprKind::Tuple || right.kind == ExprKind::List) &&
        left.kind == ExprKind::Name)
      for (const ExprPtr &element : right.operands)
        if (element->kind == ExprKind::String) {
          demand(left, Use::StringTest, {});
          names_[left.text].strings.insert(element->text);
        }
  }
}

const Expr *UsageAnalysis::FunctionUsage::argument(const Expr &call, size_t position,
                                                   std::string_view keyword) const {
  if (position + 1 < call.operands.size())
    return call.operands[position + 1].get();
  for (const Keyword &candidate : call.keywords)
    if (candidate.name == keyword)
      return candidate.value.get();
  return nullptr;
}

void UsageAnalysis::FunctionUsage::demandConstants(const Expr &shape) {
  if (shape.kind == ExprKind::Tuple || shape.kind == ExprKind::List)
    for (const ExprPtr &size : shape.operands)
      demand(*size, Use::ConstantSize, {});
  else
    demand(shape, Use::ConstantSize, {});
}

void UsageAnalysis::FunctionUsage::demandDtype(const Expr &expr) {
  if (expr.kind == ExprKind::Name)
    demand(expr, Use::Dtype, {});
}

void UsageAnalysis::FunctionUsage::visitHelper(const Expr &call, const Callee &callee) {
  FunctionUsage *helper = analysis_.analyse(*callee.module, *callee.item);
  if (!helper)
    return;
  for (size_t i = 0; i < helper->result_.size(); ++i) {
    const ParameterUse &use = helper->result_[i];
    const Expr *given = argument(call, i, helper->function_.parameters[i].name);
    if (!given)
      continue;
    demand(*given, use.value, use.element);
    if (given->kind == ExprKind::Name) {
      NameInfo &info = names_[given->text];
      info.strings.insert(use.strings.begin(), use.strings.end());
      info.numbers.insert(use.numbers.begin(), use.numbers.end());
      info.rank = std::max(info.rank, use.rank);
      info.tupleSize = std::max(info.tupleSize, use.tupleSize);
    }
  }
}

void UsageAnalysis::FunctionUsage::visitMethod(const Expr &call, const Expr &object,
                                               const std::string &name) {
  bool isCoordinates = call.operands.size() > 1 && (call.operands[1]->kind == ExprKind::List ||
                                                    call.operands[1]->kind == ExprKind::Tuple);
  if ((name == "load" || name == "store" || name == "gather" || name == "scatter" ||
       name.starts_with("atomic_")) &&
      object.kind == ExprKind::Name && names_.contains(object.text) && isCoordinates) {
    demand(object, Use::Descriptor, {});
    names_[object.text].rank = call.operands[1]->operands.size();
    for (const ExprPtr &coordinate : call.operands[1]->operands)
      demand(*coordinate, Use::Index, {});
    return;
  }
  if (name == "to" || name == "cast") {
    const Expr *dtype = argument(call, 0, "dtype");
    if (!dtype)
      return;
    demandDtype(*dtype);
    std::string text = dottedName(dtype->kind == ExprKind::Call ? *dtype->operands[0] : *dtype);
    if (text.ends_with("pointer_type"))
      demand(object, Use::PointerTable, {});
    else if (text.ends_with("float32") || text.ends_with("float64"))
      demand(object, Use::FloatMath, {});
  }
}

void UsageAnalysis::FunctionUsage::visitCall(const Expr &call) {
  const Expr &callee = *call.operands[0];
  const std::string path = dottedName(callee), name = calledName(call);
  if (const Expr *dtype = argument(call, call.operands.size(), "dtype"))
    demandDtype(*dtype);
  if (const Expr *mask = argument(call, call.operands.size(), "mask"))
    demand(*mask, Use::Condition, {});
  if (callee.kind == ExprKind::Attribute) {
    std::string object = dottedName(*callee.operands[0]);
    bool isLocal = object.empty() || names_.contains(object.substr(0, object.find('.')));
    if (isLocal)
      return visitMethod(call, *callee.operands[0], name);
  }
  if (std::optional<Callee> helper = analysis_.resolve(module_, path))
    return visitHelper(call, *helper);
  const Expr *first = argument(call, 0, "pointer");
  switch (formOf(name)) {
  case CallForm::Load:
    if (first)
      demand(*first, Use::Address, {});
    if (const Expr *mask = argument(call, 1, "mask"))
      demand(*mask, Use::Condition, {});
    break;
  case CallForm::Store:
  case CallForm::Atomic:
    if (first)
      demand(*first, Use::Address,
             name == "atomic_cas" || name == "atomic_and" || name == "atomic_or" ||
                     name == "atomic_xor"
                 ? Uses(Use::IntMath)
                 : Uses());
    if (const Expr *mask = argument(call, name == "atomic_cas" ? 3 : 2, "mask"))
      demand(*mask, Use::Condition, {});
    break;
  case CallForm::BlockPointer:
  case CallForm::Descriptor: {
    if (const Expr *base = argument(call, 0, "base"))
      demand(*base, Use::Address, {});
    for (auto [position, keyword] : {std::pair(1, "shape"), std::pair(2, "strides")})
      if (const Expr *sizes = argument(call, position, keyword))
        for (const ExprPtr &size : sizes->operands)
          demand(*size, Use::Index, {});
    bool isDescriptor = formOf(name) == CallForm::Descriptor;
    if (const Expr *block = argument(call, isDescriptor ? 3 : 4, "block_shape"))
      demandConstants(*block);
    break;
  }
  case CallForm::FloatFunction:
    for (size_t i = 1; i < call.operands.size(); ++i)
      demand(*call.operands[i], Use::FloatMath, {});
    break;
  case CallForm::Dot:
    for (size_t i = 1; i < std::min<size_t>(call.operands.size(), 3); ++i)
      demand(*call.operands[i], Use::Dot, {});
    break;
  case CallForm::Range:
    for (size_t i = 1; i < call.operands.size(); ++i)
      demand(*call.operands[i], Use::Index, {});
    break;
  case CallForm::StaticRange:
    for (size_t i = 1; i < call.operands.size(); ++i)
      demand(*call.operands[i],
             name == "static_range" ? Use::ConstantSize | Use::Unrolled : Uses(Use::ConstantSize),
             {});
    break;
  case CallForm::Shape:
    if (const Expr *shape = argument(call, 0, "shape"))
      demandConstants(*shape);
    if (const Expr *dtype = argument(call, name == "zeros" ? 1 : 2, "dtype"))
      demandDtype(*dtype);
    break;
  case CallForm::IndexMath:
    for (size_t i = 1; i < call.operands.size(); ++i)
      demand(*call.operands[i], Use::Index, {});
    break;
  case CallForm::Where:
    if (const Expr *condition = argument(call, 0, "condition"))
      demand(*condition, Use::Condition, {});
    break;
  default:
    break;
  }
}

void UsageAnalysis::FunctionUsage::finish() {
  for (size_t i = 0; i < result_.size(); ++i) {
    const NameInfo &info = names_[function_.parameters[i].name];
    result_[i] = {info.value, info.element,   info.strings, info.numbers,
                  info.rank,  info.tupleSize, info.isUsed};
  }
}

} // namespace inlay::triton
