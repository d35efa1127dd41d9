// Simple statements, and the order in which statements run.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>

namespace inlay::triton {

namespace {

bool containsReturn(std::span<const StmtPtr> statements) {
  return std::any_of(statements.begin(), statements.end(), [](const StmtPtr &stmt) {
    return stmt->kind == StmtKind::Return || containsReturn(stmt->body) ||
           containsReturn(stmt->orElse);
  });
}

} // namespace

Emitter::Flow Emitter::execute(Statements statements, const Continuation *next) {
  DepthGuard guard(*this);
  if (!guard)
    return {true, Value::poison(), span_};
  for (size_t i = 0; i < statements.size(); ++i) {
    const Stmt &stmt = *statements[i];
    SpanScope scope(*this, stmt.span);
    if (stmt.kind == StmtKind::Return)
      return {true, stmt.value ? evaluate(*stmt.value) : Value(), stmt.span};
    if (frame_->isPlain && stmt.kind == StmtKind::Unsupported && frame_->loopDepth > 0 &&
        (stmt.text == "'break'" || stmt.text == "'continue'"))
      return {false, Value(), stmt.span,
              stmt.text == "'break'" ? Flow::Exit::Break : Flow::Exit::Continue};
    std::optional<Flow> flow;
    if (stmt.kind == StmtKind::If)
      flow = executeIf(stmt, {statements.subspan(i + 1), next});
    else if (stmt.kind == StmtKind::For)
      flow = executeFor(stmt);
    else if (stmt.kind == StmtKind::While && frame_->isPlain)
      flow = executePlainWhile(stmt);
    else if (stmt.kind == StmtKind::While)
      executeWhile(stmt);
    else if (stmt.kind == StmtKind::With)
      flow = executeWith(stmt, {statements.subspan(i + 1), next});
    else
      executeSimple(stmt);
    if (flow)
      return *flow;
    if (work_ > DepthGuard::kMaxWork)
      return {true, Value::poison(), span_};
  }
  return next ? execute(next->statements, next->next) : Flow{};
}

/// Runs an `if`. A result means that it also ran the statements after it (or returned).
std::optional<Emitter::Flow> Emitter::executeIf(const Stmt &stmt, const Continuation &rest) {
  Value test = condition(*stmt.value, "if");
  bool hasReturn = containsReturn(stmt.body) || containsReturn(stmt.orElse);
  if (test.isPoison() && frame_->isPlain)
    return Flow{true, Value::poison(), stmt.span};
  if (test.isPoison()) {
    // Nothing is known of what follows from the branches.
    for (const std::string &name : findCarried(stmt, frame_->scope))
      frame_->scope[name].value = Value::poison();
    return std::nullopt;
  }
  if (auto *isTaken = test.asBool()) {
    Statements live = *isTaken ? stmt.body : stmt.orElse;
    if (frame_->isPlain) {
      Flow flow = execute(live, nullptr);
      return flow.hasEnded() ? std::optional(flow) : std::nullopt;
    }
    if (containsReturn(live))
      return execute(live, &rest);
    execute(live, nullptr);
    return std::nullopt;
  }
  if (test.asTensor()->type.isBlock())
    return emitSelectingIf(stmt, *test.asTensor(), hasReturn, rest);
  if (!hasReturn) {
    emitMergingIf(stmt, test.asTensor()->handle);
    return std::nullopt;
  }
  if (frame_->loopDepth > 0) {
    errorAt(stmt.span, "'return' under a run-time condition inside a loop is not supported");
    return std::nullopt;
  }
  return emitReturningIf(stmt, test.asTensor()->handle, rest);
}

void Emitter::executeSimple(const Stmt &stmt) {
  switch (stmt.kind) {
  case StmtKind::Expression: {
    // A docstring stands for nothing; other values are dropped.
    if (stmt.value->kind != ExprKind::String && !executeMutation(*stmt.value))
      evaluate(*stmt.value);
    return;
  }
  case StmtKind::Assign: {
    Value value = evaluate(*stmt.value);
    for (const ExprPtr &target : stmt.targets)
      assignTo(*target, value);
    return;
  }
  case StmtKind::AnnotatedAssign: {
    if (!stmt.value)
      return;
    Value value = evaluate(*stmt.value);
    if (!isConstexprAnnotation(stmt.annotation.get()))
      return assignTo(*stmt.targets[0], value);
    if (value.containsTensor()) {
      errorAt(stmt.value->span,
              fmt::format("a tl.constexpr must be known at compile time, but this is {}",
                          describe(value)));
      value = Value::poison();
    }
    return assignName(*stmt.targets[0], value, /*isFrozen=*/true);
  }
  case StmtKind::AugmentedAssign: {
    Value left = evaluate(*stmt.targets[0]), right = evaluate(*stmt.value);
    return assignTo(*stmt.targets[0], binary(stmt.text, left, right));
  }
  case StmtKind::Assert:
    return executeAssert(stmt);
  case StmtKind::Delete:
    return executeDelete(stmt);
  case StmtKind::Unsupported:
    errorAt(stmt.span, fmt::format("{} is not supported in kernels", stmt.text));
    return;
  default:
    return;
  }
}

void Emitter::executeDelete(const Stmt &stmt) {
  for (const ExprPtr &target : stmt.targets) {
    if (target->kind != ExprKind::Name) {
      errorAt(target->span, "only names can be deleted in kernels");
      continue;
    }
    if (frame_->scope.erase(target->text) == 0) {
      errorAt(target->span, fmt::format("'{}' is not a local name", target->text));
      continue;
    }
    frame_->vanished[target->text] = fmt::format(
        "it is deleted in line {}", frame_->module->file().locate(stmt.span.begin).line);
  }
}

/// The tasks of `with tl.async_task(…)` run one after the other, in the order of the text.
std::optional<Emitter::Flow> Emitter::executeWith(const Stmt &stmt, const Continuation &rest) {
  const Expr &context = *stmt.value;
  Value callee = context.kind == ExprKind::Call ? evaluate(*context.operands[0]) : Value();
  std::string name = callee.asExternal() ? canonicalName(callee.asExternal()->path) : "";
  if (callee.isPoison())
    return std::nullopt;
  if (name != "async_task" && name != "async_tasks") {
    errorAt(context.span, "'with' is supported in kernels for tl.async_task only");
    return std::nullopt;
  }
  if (containsReturn(stmt.body))
    return execute(stmt.body, &rest);
  execute(stmt.body, nullptr);
  return std::nullopt;
}

/// Run-time asserts are for debug builds of kernels; compile-time ones count always.
void Emitter::executeAssert(const Stmt &stmt) {
  Value value = evaluate(*stmt.value);
  std::optional<bool> truth = value.truth();
  if (value.isPoison() || (truth && *truth) || (!truth && !options.isDebug))
    return;
  Value message = stmt.message ? evaluate(*stmt.message) : Value();
  std::string text = message.isNone()     ? ""
                     : message.asString() ? *message.asString()
                                          : describe(message);
  if (!truth)
    assertAtRunTime(value, text, Value());
  else
    errorAt(stmt.span, text.empty() ? "assertion failed" : "assertion failed: " + text);
}

/// Assignment makes tensors of numbers; all else keeps its kind.
Value Emitter::materialise(const Value &value) {
  if (value.isNumber())
    return semantics_.toTensor(value, "the value");
  return value;
}

void Emitter::assignTo(const Expr &target, const Value &value) {
  if (target.kind == ExprKind::Name)
    return assignName(target, value, /*isFrozen=*/false);
  if (target.kind == ExprKind::Attribute)
    return assignAttribute(target, value);
  if (target.kind != ExprKind::Tuple && target.kind != ExprKind::List) {
    errorAt(
        target.span,
        target.kind == ExprKind::Subscript
            ? "a tensor's elements cannot be assigned; use tl.store through a pointer, or tl.where"
            : "only names and tuples of names can be assigned to in kernels");
    return;
  }
  auto *elements = value.asTuple();
  if (!value.isPoison() && (!elements || elements->size() != target.operands.size()))
    errorAt(target.span,
            fmt::format("{} targets cannot take {}", target.operands.size(),
                        elements ? fmt::format("a tuple of {} elements", elements->size())
                                 : describe(value)));
  bool fits = elements && elements->size() == target.operands.size();
  for (size_t i = 0; i < target.operands.size(); ++i) {
    if (target.operands[i]->kind == ExprKind::Starred)
      errorAt(target.operands[i]->span,
              "'*' in an assignment's target is not supported in kernels");
    else
      assignTo(*target.operands[i], fits ? (*elements)[i] : Value::poison());
  }
}

void Emitter::assignName(const Expr &target, const Value &value, bool isFrozen) {
  if (target.kind != ExprKind::Name) {
    errorAt(target.span, "only a name can be annotated");
    return;
  }
  auto found = frame_->scope.find(target.text);
  if (found != frame_->scope.end() && (isFrozen || found->second.isFrozen) &&
      !found->second.value.isPoison()) {
    errorAt(
        target.span,
        found->second.isFrozen
            ? fmt::format("'{}' is a tl.constexpr and cannot be assigned again", target.text)
            : fmt::format("'{}' is defined already; a tl.constexpr needs a new name", target.text));
    return;
  }
  frame_->vanished.erase(target.text);
  frame_->scope[target.text] = {isFrozen || frame_->isPlain ? value : materialise(value), isFrozen};
}

bool Emitter::executeMutation(const Expr &call) {
  if (call.kind != ExprKind::Call || call.operands[0]->kind != ExprKind::Attribute ||
      call.operands[0]->operands[0]->kind != ExprKind::Name || call.operands.size() != 2)
    return false;
  const std::string &method = call.operands[0]->text;
  const std::string &name = call.operands[0]->operands[0]->text;
  auto found = frame_->scope.find(name);
  if (found == frame_->scope.end())
    return false;
  const Value object = found->second.value;
  if (auto *dict = object.asDict(); dict && method == "update") {
    Value more = evaluate(*call.operands[1]);
    if (!more.asDict())
      return more.isPoison();
    DictValue merged = *dict;
    for (const auto &[key, value] : more.asDict()->entries)
      merged.set(key, value);
    frame_->scope[name].value = Value::dict(std::move(merged));
    return true;
  }
  auto *elements = object.asTuple();
  if (!elements || (method != "append" && method != "extend"))
    return false;
  Value more = evaluate(*call.operands[1]);
  Value::Elements all = *elements;
  if (method == "append")
    all.push_back(more);
  else if (more.asTuple())
    all.insert(all.end(), more.asTuple()->begin(), more.asTuple()->end());
  else
    return more.isPoison();
  frame_->scope[name].value = Value::tuple(std::move(all));
  return true;
}

Value Emitter::condition(const Expr &expr, std::string_view statement) {
  Value value = evaluate(expr);
  if (value.isPoison())
    return value;
  auto *tensor = value.asTensor();
  if (!tensor) {
    if (value.isNumber() || value.isNone() || (frame_->isPlain && !value.asExternal()))
      return Value::boolean(*value.truth());
    return errorAt(
        expr.span,
        fmt::format("the condition of '{}' must be a bool, an int, None or a scalar tensor, not {}",
                    statement, describe(value)));
  }
  bool canSelect = elementwiseDepth_ > 0 && statement != "while";
  if (tensor->type.isBlock() && !canSelect)
    return errorAt(
        expr.span,
        fmt::format(
            "the condition of '{}' must be one value, not {}; use tl.where to choose per element",
            statement, toString(tensor->type)));
  SpanScope scope(*this, expr.span);
  return semantics_.cast(*tensor, {Scalar::Int1, false, false, {}});
}

} // namespace inlay::triton
