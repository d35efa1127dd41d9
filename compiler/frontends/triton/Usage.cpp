#include "compiler/frontends/triton/Usage.h"

#include <algorithm>
#include <array>
#include <functional>

namespace inlay::triton {

namespace {

/// Chains of assignments longer than this are not followed.
constexpr int kMaxChain = 40;
constexpr size_t kMaxTuple = 64;    // larger indices say nothing about a tuple
constexpr size_t kUnknownTuple = 4; // for tuples that a loop indexes

/// How a value comes out of a builtin, by the builtin's last name.
enum class CallForm : uint8_t {
  Unknown,
  Load,          // operand 0 is an address
  Store,         // operand 0 is an address
  Atomic,        // operand 0 is an address
  BlockPointer,  // operand 0 is the base; shapes and strides; a constant block shape
  Descriptor,    // make_tensor_descriptor
  Advance,       // gives operand 0
  PassFirst,     // elementwise or shape of operand 0; further operands are compile-time
  PassAll,       // elementwise in all operands
  Where,         // condition, then two values
  FloatFunction, // of floats
  Dot,
  Range,       // of indices
  StaticRange, // bounds known at compile time
  Shape,       // operand 0 is a shape, dtype follows
  Integer,     // program_id and others that give integers and take constants
  IndexMath    // cdiv, swizzle2d: integers
};

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

CallForm formOf(std::string_view name) {
  for (const NamedForm &form : kForms)
    if (form.name == name)
      return form.form;
  return std::find(std::begin(kFloatFunctions), std::end(kFloatFunctions), name) !=
                 std::end(kFloatFunctions)
             ? CallForm::FloatFunction
             : CallForm::Unknown;
}

bool isConstantNamed(const Expr &expr, std::string_view text) {
  return expr.kind == ExprKind::Constant && expr.text == text;
}

/// "a.b.c" of names and attributes; empty for anything else.
std::string dottedName(const Expr &expr) {
  if (expr.kind == ExprKind::Name)
    return expr.text;
  if (expr.kind != ExprKind::Attribute)
    return "";
  std::string object = dottedName(*expr.operands[0]);
  return object.empty() ? "" : object + "." + expr.text;
}

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

/// One function: its names with their definitions, and the facts that flowed to them.
class UsageAnalysis::FunctionUsage {
public:
  FunctionUsage(UsageAnalysis &analysis, Module &module, const Function &function)
      : analysis_(analysis), module_(module), function_(function) {
    for (const Parameter &parameter : function.parameters)
      names_[parameter.name].parameter = &parameter;
    result_.resize(function.parameters.size());
    collect(function.body);
    visit(function.body);
    finish();
  }

  const std::vector<ParameterUse> &result() const { return result_; }
  std::vector<size_t> dependencies(Span span);
  std::vector<size_t> dependencies(const std::string &name);

private:
  /// name = value, or name op= value.
  struct Definition {
    const Expr *value;
    std::string_view op;
    std::vector<const Expr *> guards; // tests of the statements around it
  };
  struct NameInfo {
    const Parameter *parameter = nullptr;
    std::vector<Definition> definitions;
    Uses value, element;
    std::set<std::string> strings, numbers;
    size_t rank = 0, tupleSize = 0;
    bool isUsed = false;
  };

  void define(const Expr &target, const Expr &value, std::string_view op);
  void noteTuple(const Expr &expr, size_t size);
  void collect(const std::vector<StmtPtr> &statements);
  void visit(const std::vector<StmtPtr> &statements);
  void visit(const Stmt &stmt);
  void visit(const Expr &expr);
  void visitCall(const Expr &call);
  void visitMethod(const Expr &call, const Expr &object, const std::string &name);
  void visitCompare(const Expr &expr);
  void visitHelper(const Expr &call, const Callee &callee);
  void test(const Expr &expr);
  void demandConstants(const Expr &shape);
  void demandDtype(const Expr &expr);
  /// Adds facts of a value, and of what is loaded through it, to all it is made of.
  void demand(const Expr &expr, Uses value, Uses element, int depth = 0);
  void demandBinary(std::string_view op, const Expr *left, const Expr &right, Uses value,
                    Uses element, int depth);
  void demandCall(const Expr &call, Uses value, Uses element, int depth);
  int pointerScore(const Expr &expr, int depth = 0);
  bool isInteger(const Expr &expr, int depth = 0);
  const Expr *argument(const Expr &call, size_t position, std::string_view keyword) const;
  void finish();
  void namesIn(const Expr &expr, std::vector<std::string> &names) const;
  void spansIn(const std::vector<StmtPtr> &statements, Span span,
               std::vector<std::string> &names) const;
  void spansIn(const Expr &expr, Span span, std::vector<std::string> &names) const;

  UsageAnalysis &analysis_;
  Module &module_;
  const Function &function_;
  std::map<std::string, NameInfo, std::less<>> names_;
  std::vector<ParameterUse> result_;
  std::vector<const Expr *> guards_;
  std::vector<size_t> closure(std::vector<std::string> queue, bool hasGuards);
};

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
  std::string path = dottedName(callee);
  std::string name = callee.kind == ExprKind::Attribute ? callee.text : path;
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
    const Expr &callee = *expr.operands[0];
    std::string name = callee.kind == ExprKind::Attribute ? callee.text : dottedName(callee);
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
    const Expr &callee = *expr.operands[0];
    std::string name = callee.kind == ExprKind::Attribute ? callee.text : dottedName(callee);
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
  std::string path = dottedName(callee);
  std::string name = callee.kind == ExprKind::Attribute ? callee.text : path;
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

void UsageAnalysis::FunctionUsage::finish() {
  for (size_t i = 0; i < result_.size(); ++i) {
    const NameInfo &info = names_[function_.parameters[i].name];
    result_[i] = {info.value, info.element,   info.strings, info.numbers,
                  info.rank,  info.tupleSize, info.isUsed};
  }
}

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

UsageAnalysis::UsageAnalysis(ModuleLoader *modules) : modules_(modules) {}

UsageAnalysis::~UsageAnalysis() = default;

std::optional<UsageAnalysis::Callee> UsageAnalysis::resolve(Module &module, const std::string &name,
                                                            int depth) {
  if (name.empty() || depth > 8)
    return std::nullopt;
  const std::string first = name.substr(0, name.find('.'));
  const std::string rest = first.size() < name.size() ? name.substr(first.size()) : "";
  std::optional<Callee> found;
  std::function<void(const std::vector<ModuleItem> &)> search =
      [&](const std::vector<ModuleItem> &items) {
        for (const ModuleItem &item : items) {
          if (found)
            return;
          search(item.body);
          search(item.orElse);
          if (item.name != first)
            continue;
          if (item.kind == ModuleItem::Kind::Function && rest.empty()) {
            found = Callee{&module, &item};
          } else if (item.kind == ModuleItem::Kind::Import && modules_) {
            std::string path = modules_->absoluteName(module, item.path) + rest;
            if (auto file = modules_->find(path); file && !file->rest.empty())
              found = resolve(*file->module, std::string(file->rest), depth + 1);
          }
        }
      };
  search(module.items());
  return found;
}

UsageAnalysis::FunctionUsage *UsageAnalysis::analyse(Module &module, const ModuleItem &item) {
  if (auto known = functions_.find(&item); known != functions_.end())
    return known->second.get();
  if (!inProgress_.insert(&item).second)
    return nullptr; // a helper that calls itself
  Diagnostics quiet;
  const Function *function = module.parseFunction(item, quiet);
  std::unique_ptr<FunctionUsage> usage =
      function ? std::make_unique<FunctionUsage>(*this, module, *function) : nullptr;
  inProgress_.erase(&item);
  return (functions_[&item] = std::move(usage)).get();
}

std::vector<size_t> UsageAnalysis::dependencies(Module &module, const ModuleItem &item,
                                                const std::string &name) {
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->dependencies(name) : std::vector<size_t>();
}

const std::vector<ParameterUse> &UsageAnalysis::parameters(Module &module, const ModuleItem &item) {
  static const std::vector<ParameterUse> kNone;
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->result() : kNone;
}

std::vector<size_t> UsageAnalysis::dependencies(Module &module, const ModuleItem &item, Span span) {
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->dependencies(span) : std::vector<size_t>();
}

} // namespace inlay::triton
