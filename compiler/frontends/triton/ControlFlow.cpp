// Run-time branches and loops, and unrolled ones.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>

using namespace mlir;

namespace inlay::triton {

namespace {

void collectAssigned(const Expr &target, std::set<std::string> &names) {
  if (target.kind == ExprKind::Name)
    names.insert(target.text);
  for (const ExprPtr &operand : target.operands)
    if (operand && (target.kind == ExprKind::Tuple || target.kind == ExprKind::List))
      collectAssigned(*operand, names);
}

/// The names that ':=' assigns in an expression.
void collectNamed(const Expr *expr, std::set<std::string> &names) {
  if (!expr)
    return;
  if (expr->kind == ExprKind::Named)
    names.insert(expr->operands[0]->text);
  for (const ExprPtr &operand : expr->operands)
    collectNamed(operand.get(), names);
  for (const Keyword &keyword : expr->keywords)
    collectNamed(keyword.value.get(), names);
}

void collectAssigned(std::span<const StmtPtr> statements, std::set<std::string> &names) {
  for (const StmtPtr &stmt : statements) {
    collectNamed(stmt->value.get(), names);
    if (stmt->kind == StmtKind::Delete)
      continue;
    for (const ExprPtr &target : stmt->targets)
      collectAssigned(*target, names);
    collectAssigned(stmt->body, names);
    collectAssigned(stmt->orElse, names);
  }
}

void appendHandles(const Value &value, SmallVectorImpl<mlir::Value> &handles) {
  std::vector<Tensor> tensors;
  collectTensors(value, tensors);
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
}

} // namespace

/// Both arms run to the end of the function: what follows the `if` is emitted in every arm that
/// does not return.
Emitter::Flow Emitter::emitReturningIf(const Stmt &stmt, mlir::Value condition,
                                       const Continuation &rest) {
  OpBuilder &builder = semantics_.builder;
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  Scope before = frame_->scope;
  Region regions[2];
  Flow flows[2];
  for (int i = 0; i < 2; ++i) {
    builder.createBlock(&regions[i]);
    frame_->scope = before;
    flows[i] = execute(i == 0 ? stmt.body : stmt.orElse, &rest);
    flows[i].value = materialise(flows[i].value);
  }
  bool isGood = !flows[0].value.containsPoison() && !flows[1].value.containsPoison();
  if (isGood)
    if (std::string reason = explainMismatch(flows[0].value, flows[1].value); !reason.empty()) {
      errorAt(stmt.span, fmt::format("the ways out of '{}' return different things: {}",
                                     frame_->function->name, reason));
      isGood = false;
    }
  SmallVector<mlir::Value> yields[2];
  for (int i = 0; i < 2; ++i) {
    if (isGood)
      appendHandles(flows[i].value, yields[i]);
    builder.setInsertionPointToEnd(&regions[i].back());
    scf::YieldOp::create(builder, semantics_.location, yields[i]);
  }
  builder.restoreInsertionPoint(place);
  auto ifOp = scf::IfOp::create(builder, semantics_.location, ValueRange(yields[0]).getTypes(),
                                condition, false, false);
  ifOp.getThenRegion().takeBody(regions[0]);
  ifOp.getElseRegion().takeBody(regions[1]);
  ValueRange results = ifOp.getResults();
  return {true, isGood ? withHandles(flows[0].value, results) : Value::poison(),
          flows[0].hasReturned ? flows[0].span : flows[1].span};
}

/// Names whose value differs after the arms become results of the scf.if.
void Emitter::emitMergingIf(const Stmt &stmt, mlir::Value condition) {
  OpBuilder &builder = semantics_.builder;
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  Scope before = frame_->scope, after[2];
  Region regions[2];
  for (int i = 0; i < 2; ++i) {
    builder.createBlock(&regions[i]);
    frame_->scope = before;
    execute(i == 0 ? stmt.body : stmt.orElse, nullptr);
    after[i] = std::move(frame_->scope);
  }
  frame_->scope = before;
  uint32_t line = frame_->module->file().locate(stmt.span.begin).line;
  std::set<std::string> assigned;
  collectAssigned(stmt.body, assigned);
  collectAssigned(stmt.orElse, assigned);
  std::vector<std::string> merged;
  SmallVector<mlir::Value> yields[2];
  for (const std::string &name : assigned) {
    auto found0 = after[0].find(name), found1 = after[1].find(name);
    if (found0 == after[0].end() || found1 == after[1].end()) {
      frame_->scope.erase(name);
      frame_->vanished[name] =
          fmt::format("it gets a value only in one branch of the 'if' in line {}", line);
      continue;
    }
    Value value0 = found0->second.value, value1 = found1->second.value;
    if (!value0.containsPoison() && !value1.containsPoison() && value0.asTuple() &&
        value1.asTuple() && !explainMismatch(value0, value1).empty()) {
      // Tuples of numbers that differ are known at run time only.
      builder.setInsertionPointToEnd(&regions[0].back());
      value0 = carriedForm(value0);
      builder.setInsertionPointToEnd(&regions[1].back());
      value1 = carriedForm(value1);
    }
    auto found = before.find(name);
    std::string reason;
    if (value0.containsPoison() || value1.containsPoison()) {
      frame_->scope[name].value = Value::poison();
      continue;
    }
    // A name that lived before keeps its type in both arms, even if the arms agree on another.
    bool keepsType = found != before.end() && !found->second.value.containsPoison() &&
                     (found->second.value.containsTensor() || !found->second.value.asTuple());
    if (keepsType) {
      reason = explainMismatch(found->second.value, value0);
      if (reason.empty())
        reason = explainMismatch(found->second.value, value1);
    }
    if (reason.empty())
      reason = explainMismatch(value0, value1);
    if (!reason.empty()) {
      errorAt(stmt.span, fmt::format("'{}' must have one type before and in all branches of an "
                                     "'if' on a run-time condition, not {}",
                                     name, reason));
      frame_->scope[name].value = Value::poison();
      continue;
    }
    frame_->scope[name] = {value0, found0->second.isFrozen};
    if (equals(value0, value1))
      continue;
    merged.push_back(name);
    appendHandles(value0, yields[0]);
    appendHandles(value1, yields[1]);
  }
  for (int i = 0; i < 2; ++i) {
    builder.setInsertionPointToEnd(&regions[i].back());
    scf::YieldOp::create(builder, semantics_.location, yields[i]);
  }
  builder.restoreInsertionPoint(place);
  auto ifOp = scf::IfOp::create(builder, semantics_.location, ValueRange(yields[0]).getTypes(),
                                condition, false, false);
  ifOp.getThenRegion().takeBody(regions[0]);
  ifOp.getElseRegion().takeBody(regions[1]);
  ValueRange results = ifOp.getResults();
  for (const std::string &name : merged)
    frame_->scope[name].value = withHandles(frame_->scope[name].value, results);
}

std::vector<std::string> Emitter::findCarried(const Stmt &stmt, const Scope &scope) {
  std::set<std::string> assigned;
  collectAssigned(stmt.body, assigned);
  collectAssigned(stmt.orElse, assigned);
  if (stmt.kind == StmtKind::While)
    collectNamed(stmt.value.get(), assigned);
  std::vector<std::string> carried;
  for (const std::string &name : assigned)
    if (scope.contains(name))
      carried.push_back(name);
  return carried;
}

/// A loop over the elements of a tuple.
std::optional<Emitter::RangeBounds> Emitter::evaluateElementsOf(const Expr &iterable) {
  Value value = evaluate(iterable);
  if (value.isPoison())
    return std::nullopt;
  if (auto *elements = value.asTuple())
    return RangeBounds{Value(), Value(), Value(), true, {}, *elements};
  errorAt(iterable.span,
          "'for' in a kernel runs over range(…), tl.range(…), tl.static_range(…) or a tuple");
  return std::nullopt;
}

std::optional<Emitter::RangeBounds> Emitter::evaluateRange(const Expr &iterable) {
  bool isNamed =
      iterable.kind == ExprKind::Call && (iterable.operands[0]->kind == ExprKind::Name ||
                                          iterable.operands[0]->kind == ExprKind::Attribute);
  Value callee = isNamed ? evaluate(*iterable.operands[0]) : Value();
  if (callee.isPoison())
    return std::nullopt;
  std::string name = callee.asExternal() ? canonicalName(callee.asExternal()->path) : "";
  bool isStatic = name == "static_range";
  if (!isStatic && name != "range" && name != "builtins.range")
    return evaluateElementsOf(iterable);
  CallArguments arguments;
  if (!evaluateArguments(iterable, arguments))
    return std::nullopt;
  RangeBounds bounds{Value::integer(0), Value(), Value::integer(1), isStatic, {}, {}};
  bool isGood = arguments.positional.size() <= 4;
  Value *places[] = {&bounds.begin, &bounds.end, &bounds.step};
  if (arguments.positional.size() == 1)
    bounds.end = arguments.positional[0];
  else
    for (size_t i = 0; i < std::min<size_t>(arguments.positional.size(), 3); ++i)
      *places[i] = arguments.positional[i];
  for (const CallArguments::Keyword &keyword : arguments.keywords) {
    if (keyword.name == "step") {
      bounds.step = keyword.value;
    } else if (keyword.name == "arg1" || keyword.name == "arg2") {
      // The first is the end if it stands alone.
      if (keyword.name == "arg2" && !bounds.end.isNone())
        bounds.begin = bounds.end;
      bool isBegin = keyword.name == "arg1" && !bounds.end.isNone();
      (isBegin ? bounds.begin : bounds.end) = keyword.value;
    } else if (keyword.name == "num_stages" || keyword.name == "loop_unroll_factor") {
      if (auto value = keyword.value.integerValue())
        bounds.attributes.push_back({"tile." + keyword.name, static_cast<int64_t>(*value)});
    } else if (keyword.name != "disallow_acc_multi_buffer" && keyword.name != "flatten" &&
               keyword.name != "warp_specialize" && keyword.name != "disable_licm") {
      errorAt(keyword.span, fmt::format("range has no parameter '{}'", keyword.name));
      return std::nullopt;
    }
  }
  for (const Value *value : places)
    if (value->isPoison())
      return std::nullopt;
  if (isGood && !bounds.end.isNone())
    return bounds;
  errorAt(iterable.span,
          "range takes 1 to 3 bounds: range(end), range(begin, end), range(begin, end, step)");
  return std::nullopt;
}

std::optional<Emitter::Flow> Emitter::executeFor(const Stmt &stmt) {
  if (!stmt.orElse.empty()) {
    errorAt(stmt.span, "'for … else' is not supported in kernels");
    return std::nullopt;
  }
  if (frame_->isPlain)
    return executeForEach(stmt);
  std::optional<RangeBounds> range = evaluateRange(*stmt.value);
  if (stmt.targets[0]->kind != ExprKind::Name && range && !range->elements) {
    errorAt(stmt.targets[0]->span, "the variable of a 'for' over a range must be a name");
    range.reset();
  }
  if (!range) {
    for (const std::string &name : findCarried(stmt, frame_->scope))
      frame_->scope[name].value = Value::poison();
    return std::nullopt;
  }
  if (range->elements)
    return unrollElements(stmt, *range->elements);
  if (range->isStatic)
    return unrollFor(stmt, *range);
  emitFor(stmt, *range);
  return std::nullopt;
}

/// A loop over the elements of a compile-time sequence: its body is run for each.
std::optional<Emitter::Flow> Emitter::executeForEach(const Stmt &stmt) {
  Value iterable = evaluate(*stmt.value);
  Value::Elements keys;
  if (auto *dict = iterable.asDict())
    for (const auto &[key, value] : dict->entries)
      keys.push_back(key);
  const Value::Elements *elements = iterable.asDict() ? &keys : iterable.asTuple();
  if (!elements) {
    if (!iterable.isPoison())
      errorAt(stmt.value->span, fmt::format("'for' in a kernel runs over range(…), tl.range(…), "
                                            "tl.static_range(…) or a tuple, not over {}",
                                            describe(iterable)));
    for (const std::string &name : findCarried(stmt, frame_->scope))
      frame_->scope[name].value = Value::poison();
    return std::nullopt;
  }
  return unrollElements(stmt, *elements);
}

std::optional<Emitter::Flow> Emitter::unrollElements(const Stmt &stmt,
                                                     const Value::Elements &elements) {
  std::optional<Flow> result;
  ++frame_->loopDepth;
  for (const Value &element : elements) {
    // As with static_range, what is known at compile time stays so.
    bool wasPlain = std::exchange(frame_->isPlain, true);
    assignTo(*stmt.targets[0], element);
    frame_->isPlain = wasPlain;
    Flow flow = execute(stmt.body, nullptr);
    if (flow.exit == Flow::Exit::Break)
      break;
    if (flow.hasReturned) {
      result = flow;
      break;
    }
  }
  --frame_->loopDepth;
  return result;
}

/// Python's `while` in a function that is run at compile time.
std::optional<Emitter::Flow> Emitter::executePlainWhile(const Stmt &stmt) {
  for (;;) {
    DepthGuard guard(*this);
    Value test = guard ? condition(*stmt.value, "while") : Value::poison();
    if (!test.asBool())
      return Flow{true, Value::poison(), stmt.span};
    if (!*test.asBool())
      return std::nullopt;
    ++frame_->loopDepth;
    Flow flow = execute(stmt.body, nullptr);
    --frame_->loopDepth;
    if (flow.hasReturned)
      return flow;
    if (flow.exit == Flow::Exit::Break)
      return std::nullopt;
  }
}

std::optional<Emitter::Flow> Emitter::unrollFor(const Stmt &stmt, const RangeBounds &range) {
  std::optional<Integer> begin = range.begin.integerValue(), end = range.end.integerValue(),
                         step = range.step.integerValue();
  if (!begin || !end || !step || *step == 0) {
    errorAt(stmt.value->span, "the bounds of tl.static_range must be compile-time integers, and "
                              "its step not 0; use range for others");
    return std::nullopt;
  }
  const std::string &name = stmt.targets[0]->text;
  std::optional<Flow> result;
  ++frame_->loopDepth;
  for (Integer i = *begin; *step > 0 ? i < *end : i > *end; i += *step) {
    frame_->scope[name] = {Value::integer(i)};
    Flow flow = execute(stmt.body, nullptr);
    if (flow.hasReturned) {
      result = flow;
      break;
    }
  }
  --frame_->loopDepth;
  return result;
}

/// A value as it goes around a loop: numbers, also in tuples, become tensors.
Value Emitter::carriedForm(const Value &value) {
  if (value.isNumber())
    return materialise(value);
  auto *elements = value.asTuple();
  // Fields of an aggregate that are no tensors are compile-time values for good.
  bool isAggregate = value.asObject() && value.asObject()->type->kind == ClassInfo::Kind::Aggregate;
  if (!elements || isAggregate)
    return value;
  Value::Elements carried;
  for (const Value &element : *elements)
    carried.push_back(carriedForm(element));
  return value.withElements(std::move(carried));
}

/// Gives the names that a loop carries the form in which it does.
void Emitter::enterCarried(const std::vector<std::string> &names, Scope &scope) {
  for (const std::string &name : names)
    if (Binding &binding = scope[name]; !binding.isFrozen)
      binding.value = carriedForm(binding.value);
}

void Emitter::emitLoopYield(const Stmt &stmt, const std::vector<std::string> &names,
                            const Scope &before, std::vector<mlir::Value> &yielded) {
  for (const std::string &name : names) {
    const Value &initial = before.at(name).value;
    auto found = frame_->scope.find(name);
    Value value = found == frame_->scope.end() ? Value::poison() : carriedForm(found->second.value);
    if (found == frame_->scope.end() && frame_->vanished.contains(name) &&
        !diagnostics_->hasErrors())
      errorAt(stmt.span,
              fmt::format("'{}' is not defined at the end of an iteration, but it is before the "
                          "loop: {}",
                          name, frame_->vanished.at(name)));
    std::string reason = value.containsPoison() ? "" : explainMismatch(initial, value);
    if (!reason.empty()) {
      errorAt(
          stmt.span,
          fmt::format(
              "'{}' must keep its type through the loop: before it and after an iteration it is {}",
              name, reason));
    }
    // After an error the loop yields what it began with, so that the IR stays whole.
    std::vector<Tensor> tensors;
    collectTensors(reason.empty() && !value.containsPoison() ? value : initial, tensors);
    for (const Tensor &tensor : tensors)
      yielded.push_back(tensor.handle);
  }
}

/// `original`: what the names were before they got the form in which the loop carries them.
void Emitter::restoreAfterLoop(const Stmt &stmt, const Scope &original, Scope before,
                               const std::vector<std::string> &names, ValueRange results) {
  uint32_t line = frame_->module->file().locate(stmt.span.begin).line;
  for (const auto &[name, binding] : frame_->scope)
    if (!before.contains(name))
      frame_->vanished[name] = fmt::format("it gets a value only inside the loop in line {}", line);
  Scope inside = std::exchange(frame_->scope, std::move(before));
  for (const std::string &name : names) {
    auto found = inside.find(name);
    bool isPoison = found == inside.end() || found->second.value.containsPoison();
    Value &value = frame_->scope[name].value;
    value = withHandles(value, results);
    if (isPoison)
      value = Value::poison();
    // What is the same compile-time value before and after stays one.
    else if (const Value &constant = original.at(name).value;
             !constant.containsTensor() && equals(constant, found->second.value))
      value = constant;
  }
}

void Emitter::emitFor(const Stmt &stmt, const RangeBounds &range) {
  OpBuilder &builder = semantics_.builder;
  Value parts[3] = {range.begin, range.end, range.step};
  std::optional<Integer> step = range.step.integerValue();
  bool isReversed = step && *step < 0;
  if (step && *step == 0) {
    errorAt(stmt.value->span, "the step of a range cannot be 0");
    return;
  }
  if (isReversed) {
    parts[2] = Value::integer(-*step);
    std::swap(parts[0], parts[1]);
  }
  Scalar ivScalar = Scalar::Int32;
  for (int i = 0; i < 3; ++i) {
    SpanScope scope(*this, stmt.value->span);
    parts[i] = semantics_.toTensor(parts[i], "a bound of a range");
    if (parts[i].isPoison())
      return;
    const Type &type = parts[i].asTensor()->type;
    if (!type.isInteger() || type.isBlock()) {
      errorAt(stmt.value->span,
              fmt::format("the bounds of a range must be integer scalars, not {}", toString(type)));
      return;
    }
    ivScalar = i == 0 ? type.scalar : promoteIntegers(ivScalar, type.scalar);
  }
  Type ivType{ivScalar, false, false, {}};
  mlir::Value bounds[3];
  for (int i = 0; i < 3; ++i)
    bounds[i] = semantics_.cast(*parts[i].asTensor(), ivType).asTensor()->handle;

  const std::string &ivName = stmt.targets[0]->text;
  std::vector<std::string> names = findCarried(stmt, frame_->scope);
  std::erase(names, ivName);
  Scope original = frame_->scope, before = original;
  enterCarried(names, before);
  SmallVector<mlir::Value> initial;
  for (const std::string &name : names)
    appendHandles(before[name].value, initial);
  auto loop = scf::ForOp::create(
      builder, semantics_.location, bounds[0], bounds[1], bounds[2], initial,
      [](OpBuilder &, mlir::Location, mlir::Value, ValueRange) {}, !isSigned(ivScalar));
  for (const auto &[name, value] : range.attributes)
    loop->setAttr(name, builder.getI64IntegerAttr(value));
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(loop.getBody());
  ValueRange carried = loop.getRegionIterArgs();
  for (const std::string &name : names)
    frame_->scope[name].value = withHandles(before[name].value, carried);
  Tensor iv{ivType, loop.getInductionVar()};
  if (isReversed) {
    // Counting up from the far end: begin + end - i.
    mlir::Value sum = arith::AddIOp::create(builder, semantics_.location, bounds[0], bounds[1]);
    iv.handle = arith::SubIOp::create(builder, semantics_.location, sum, iv.handle);
  }
  frame_->scope[ivName] = {Value::tensor(iv)};
  ++frame_->loopDepth;
  Flow flow = execute(stmt.body, nullptr);
  --frame_->loopDepth;
  if (flow.hasReturned && !flow.value.isPoison())
    errorAt(flow.span, "'return' inside a loop is not supported");
  std::vector<mlir::Value> yielded;
  Scope beforeWithArguments = before;
  ValueRange arguments = loop.getRegionIterArgs();
  for (const std::string &name : names)
    beforeWithArguments[name].value = withHandles(before[name].value, arguments);
  emitLoopYield(stmt, names, beforeWithArguments, yielded);
  scf::YieldOp::create(builder, semantics_.location, yielded);
  builder.restoreInsertionPoint(place);
  restoreAfterLoop(stmt, original, std::move(before), names, loop.getResults());
}

void Emitter::executeWhile(const Stmt &stmt) {
  if (!stmt.orElse.empty()) {
    errorAt(stmt.span, "'while … else' is not supported in kernels");
    return;
  }
  OpBuilder &builder = semantics_.builder;
  std::vector<std::string> names = findCarried(stmt, frame_->scope);
  Scope original = frame_->scope, before = original;
  enterCarried(names, before);
  SmallVector<mlir::Value> initial;
  for (const std::string &name : names)
    appendHandles(before[name].value, initial);
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  Region regions[2];
  auto enter = [&](Region &region, ArrayRef<mlir::Type> types) {
    SmallVector<mlir::Location> locations(types.size(), semantics_.location);
    Block *block = builder.createBlock(&region, region.end(), types, locations);
    Scope scope = before;
    ValueRange arguments = block->getArguments();
    for (const std::string &name : names)
      scope[name].value = withHandles(before[name].value, arguments);
    frame_->scope = scope;
    return scope;
  };
  Scope atTest = enter(regions[0], SmallVector<mlir::Type>(ValueRange(initial).getTypes()));
  ++frame_->loopDepth;
  Value test = condition(*stmt.value, "while");
  if (test.asBool())
    test = semantics_.toTensor(test, "the condition");
  mlir::Value handle =
      test.asTensor() ? test.asTensor()->handle
                      : semantics_.constant({Scalar::Int1, false, false, {}}, int64_t{0}).handle;
  // The test may change names by ':=', and define some.
  std::vector<mlir::Value> tested;
  emitLoopYield(stmt, names, atTest, tested);
  std::set<std::string> named;
  collectNamed(stmt.value.get(), named);
  for (const auto &[name, binding] : frame_->scope)
    if (named.contains(name) && !before.contains(name)) {
      before[name] = original[name] = {carriedForm(binding.value), binding.isFrozen};
      names.push_back(name);
      std::vector<Tensor> tensors;
      collectTensors(before[name].value, tensors);
      for (const Tensor &tensor : tensors)
        tested.push_back(tensor.handle);
    }
  scf::ConditionOp::create(builder, semantics_.location, handle, tested);
  SmallVector<mlir::Type> types(ValueRange(tested).getTypes());
  Scope inside = enter(regions[1], types);
  Flow flow = execute(stmt.body, nullptr);
  --frame_->loopDepth;
  if (flow.hasReturned && !flow.value.isPoison())
    errorAt(flow.span, "'return' inside a loop is not supported");
  std::vector<mlir::Value> yielded;
  emitLoopYield(stmt, names, inside, yielded);
  // What the test defines is not carried into it.
  yielded.resize(initial.size());
  scf::YieldOp::create(builder, semantics_.location, yielded);
  builder.restoreInsertionPoint(place);
  auto loop = scf::WhileOp::create(builder, semantics_.location, types, initial);
  loop.getBefore().takeBody(regions[0]);
  loop.getAfter().takeBody(regions[1]);
  restoreAfterLoop(stmt, original, std::move(before), names, loop.getResults());
}

} // namespace inlay::triton
