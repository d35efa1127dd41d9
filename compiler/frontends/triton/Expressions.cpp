// Evaluation of expressions.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>
#include <fmt/format.h>

using namespace mlir;

namespace inlay::triton {

Value Emitter::evaluate(const Expr &expr) {
  DepthGuard guard(*this);
  if (!guard)
    return Value::poison();
  SpanScope scope(*this, expr.span);
  Value value = evaluateUnlocated(expr);
  // What uses a poisoned value is passed over in silence, so one must never come without an error.
  if (value.isPoison() && !diagnostics_->hasErrors())
    return error("this has no value, and nothing says why: a fault of the compiler");
  return value;
}

Value Emitter::evaluateUnlocated(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::Name:
    return lookup(expr.text);
  case ExprKind::Integer:
  case ExprKind::Float:
  case ExprKind::String:
  case ExprKind::Constant:
    return evaluateConstant(expr);
  case ExprKind::FString:
    return evaluateFormatted(expr);
  case ExprKind::Formatted:
    return evaluate(*expr.operands[0]);
  case ExprKind::Unary: {
    Value operand = evaluate(*expr.operands[0]);
    return unary(expr.text, operand);
  }
  case ExprKind::Binary: {
    Value left = evaluate(*expr.operands[0]), right = evaluate(*expr.operands[1]);
    return binary(expr.text, left, right);
  }
  case ExprKind::BoolOp:
    return evaluateBoolOp(expr);
  case ExprKind::Compare:
    return evaluateCompare(expr);
  case ExprKind::Conditional:
    return evaluateConditional(expr);
  case ExprKind::Call:
    return evaluateCall(expr);
  case ExprKind::Attribute:
    return attribute(evaluate(*expr.operands[0]), expr.text);
  case ExprKind::Subscript:
    return evaluateSubscript(expr);
  case ExprKind::Slice: {
    Value parts[3];
    for (size_t i = 0; i < 3; ++i)
      if (expr.operands[i])
        parts[i] = evaluate(*expr.operands[i]);
    return Value::slice(parts[0], parts[1], parts[2]);
  }
  case ExprKind::Tuple:
  case ExprKind::List:
    return evaluateElements(expr);
  case ExprKind::ListComprehension:
    return evaluateComprehension(expr);
  case ExprKind::Dict:
    return evaluateDict(expr);
  case ExprKind::DictComprehension:
    return evaluateDictComprehension(expr);
  case ExprKind::Lambda: {
    // Triton's kernels have none; module level and plain functions may.
    if (frame_->function && !frame_->isPlain)
      return error("a lambda is not supported in kernels");
    LambdaValue lambda{frame_->module, &expr, {}};
    for (const auto &[name, binding] : frame_->scope)
      lambda.captured[name] = binding.value;
    return Value::lambda(std::move(lambda));
  }
  case ExprKind::Named: {
    Value value = evaluate(*expr.operands[1]);
    assignName(*expr.operands[0], value, /*isFrozen=*/false);
    return value.isPoison() ? value : lookup(expr.operands[0]->text);
  }
  case ExprKind::Starred:
    return error("'*' is allowed only in a call or a tuple");
  case ExprKind::Unsupported:
    return error("{} is not supported in kernels", expr.text);
  }
  return Value::poison();
}

Value Emitter::evaluateConstant(const Expr &expr) {
  if (expr.kind == ExprKind::String)
    return Value::string(expr.text);
  if (expr.kind == ExprKind::Integer || expr.kind == ExprKind::Float) {
    ConstantResult result =
        expr.kind == ExprKind::Integer ? parseInteger(expr.text) : parseFloat(expr.text);
    return result.error.empty() ? result.value : error("{}", result.error);
  }
  if (expr.text == "None")
    return Value();
  if (expr.text == "...")
    return Value::ellipsis();
  return Value::boolean(expr.text == "True");
}

namespace {

/// [[fill]align][sign][#][0][width][.precision][type]: what Python and fmt both take.
struct FormatSpecification {
  bool hasSign = false, isAlternate = false, isZeroPadded = false, hasPrecision = false;
  char type = '\0';
};

std::optional<FormatSpecification> parseFormat(std::string_view text) {
  FormatSpecification result;
  size_t at = 0;
  auto peek = [&](std::string_view set, size_t ahead = 0) {
    return at + ahead < text.size() && set.find(text[at + ahead]) != std::string_view::npos;
  };
  auto skipDigits = [&] {
    size_t begin = at;
    while (peek("0123456789"))
      ++at;
    return at - begin;
  };
  if (peek("<>^", 1) && !peek("{}"))
    at += 2;
  else if (peek("<>^"))
    ++at;
  if (peek("+- "))
    ++at, result.hasSign = true;
  if (peek("#"))
    ++at, result.isAlternate = true;
  if (peek("0"))
    ++at, result.isZeroPadded = true;
  if (skipDigits() > 4)
    return std::nullopt;
  if (peek(".")) {
    ++at;
    size_t digits = skipDigits();
    if (digits == 0 || digits > 4)
      return std::nullopt;
    result.hasPrecision = true;
  }
  if (peek("bdoxXeEfFgGs"))
    result.type = text[at++];
  return at == text.size() ? std::optional(result) : std::nullopt;
}

/// A compile-time value by a format specification; nullopt if it is none for such a value.
std::optional<std::string> formatBySpecification(const Value &value, bool isRepr,
                                                 const std::string &specification) {
  std::optional<FormatSpecification> parsed = parseFormat(specification);
  if (!parsed)
    return std::nullopt;
  std::string pattern = "{:" + specification + "}";
  auto apply = [&](const auto &argument) {
    return fmt::vformat(pattern, fmt::make_format_args(argument));
  };
  bool isFloatType = std::string_view("eEfFgG").find(parsed->type) != std::string_view::npos &&
                     parsed->type != '\0';
  auto integer = isRepr ? std::nullopt : value.integerValue();
  if (integer && !isFloatType) {
    if (parsed->hasPrecision || parsed->type == 's')
      return std::nullopt;
    return apply(static_cast<int64_t>(*integer));
  }
  auto number = isRepr ? std::nullopt : value.floatValue();
  if (number) {
    if (parsed->type != '\0' && !isFloatType)
      return std::nullopt;
    return apply(*number);
  }
  if ((parsed->type != '\0' && parsed->type != 's') || parsed->hasSign || parsed->isAlternate ||
      parsed->isZeroPadded)
    return std::nullopt;
  return apply(value.asString() && !isRepr ? *value.asString() : describe(value));
}

} // namespace

Value Emitter::evaluateFormatted(const Expr &expr) {
  std::string text;
  for (const ExprPtr &part : expr.operands) {
    Value value = evaluate(*part);
    if (value.isPoison())
      return value;
    if (part->kind == ExprKind::Formatted && value.containsTensor())
      return error("an f-string in a kernel can only hold compile-time values, not {}",
                   describe(value));
    size_t colon = part->kind == ExprKind::Formatted ? part->text.find(':') : std::string::npos;
    std::string_view conversion = std::string_view(part->text).substr(0, colon);
    if (colon != std::string::npos) {
      std::optional<std::string> formatted =
          formatBySpecification(value, conversion == "!r", part->text.substr(colon + 1));
      if (!formatted)
        return error("the format '{}' is not one for {}", part->text.substr(colon + 1),
                     describe(value));
      text += *formatted;
      continue;
    }
    bool isRepr = part->kind == ExprKind::Formatted && conversion == "!r";
    text += value.asString() && !isRepr ? *value.asString() : describe(value);
  }
  return Value::string(text);
}

/// Compile-time operands decide or vanish, as in Python; what is left are tensors of int1.
Value Emitter::evaluateBoolOp(const Expr &expr) {
  bool isAnd = expr.text == "and";
  Value last;
  std::vector<Value> tensors;
  for (const ExprPtr &operand : expr.operands) {
    last = evaluate(*operand);
    if (last.isPoison())
      return last;
    if (last.asTensor())
      tensors.push_back(last);
    else if (*last.truth() != isAnd)
      return last;
  }
  if (tensors.empty())
    return last;
  Value result = tensors[0];
  for (size_t i = 1; i < tensors.size() && !result.isPoison(); ++i)
    result = semantics_.logical(isAnd, result, tensors[i]);
  return result;
}

Value Emitter::evaluateCompare(const Expr &expr) {
  // a < b < c is (a < b) and (b < c), with b evaluated once.
  Value left = evaluate(*expr.operands[0]), result;
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = evaluate(*expr.operands[i + 1]);
    Value next = compare(expr.operators[i], left, right);
    if (next.isPoison() || (next.asBool() && !*next.asBool()))
      return next;
    if (i == 0 || !result.asTensor())
      result = next;
    else if (next.asTensor())
      result = semantics_.logical(true, result, next);
    if (result.isPoison())
      return result;
    left = right;
  }
  return result;
}

Value Emitter::evaluateConditional(const Expr &expr) {
  Value test = condition(*expr.operands[0], "a if c else b");
  if (test.isPoison())
    return test;
  if (test.asBool())
    return evaluate(*expr.operands[*test.asBool() ? 1 : 2]);
  if (test.asTensor()->type.isBlock()) {
    Value then = evaluate(*expr.operands[1]), otherwise = evaluate(*expr.operands[2]);
    return then.isPoison() || otherwise.isPoison() ? Value::poison()
                                                   : semantics_.select(test, then, otherwise);
  }
  OpBuilder &builder = semantics_.builder;
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  Region regions[2];
  Value values[2];
  for (int i = 0; i < 2; ++i) {
    builder.createBlock(&regions[i]);
    values[i] = evaluate(*expr.operands[i + 1]);
    if (!values[i].isPoison())
      values[i] =
          semantics_.toTensor(values[i], "a side of 'a if c else b' under a run-time condition");
  }
  bool isGood = !values[0].isPoison() && !values[1].isPoison();
  if (isGood)
    if (std::string reason = explainMismatch(values[0], values[1]); !reason.empty())
      isGood =
          !error("the two sides of 'a if c else b' must have one type, not {}", reason).isPoison();
  SmallVector<mlir::Type> types;
  if (isGood)
    types.push_back(values[0].asTensor()->handle.getType());
  for (int i = 0; i < 2; ++i) {
    builder.setInsertionPointToEnd(&regions[i].back());
    scf::YieldOp::create(builder, semantics_.location,
                         isGood ? ValueRange(values[i].asTensor()->handle) : ValueRange());
  }
  builder.restoreInsertionPoint(place);
  auto ifOp =
      scf::IfOp::create(builder, semantics_.location, types, test.asTensor()->handle, false, false);
  ifOp.getThenRegion().takeBody(regions[0]);
  ifOp.getElseRegion().takeBody(regions[1]);
  return isGood ? Value::tensor({values[0].asTensor()->type, ifOp.getResult(0)}) : Value::poison();
}

Value Emitter::evaluateElements(const Expr &expr) {
  Value::Elements elements;
  for (const ExprPtr &operand : expr.operands) {
    if (operand->kind != ExprKind::Starred) {
      elements.push_back(evaluate(*operand));
      continue;
    }
    Value inner = evaluate(*operand->operands[0]);
    if (inner.isPoison())
      return inner;
    if (!inner.asTuple())
      return error("only a tuple can follow '*', not {}", describe(inner));
    elements.insert(elements.end(), inner.asTuple()->begin(), inner.asTuple()->end());
  }
  return Value::tuple(std::move(elements));
}

Value Emitter::evaluateComprehension(const Expr &expr) {
  Value::Elements result;
  Scope saved = frame_->scope;
  bool isGood = runClauses(expr, 1, 1, [&] {
    result.push_back(evaluate(*expr.operands[0]));
    return true;
  });
  frame_->scope = std::move(saved);
  return isGood ? Value::tuple(std::move(result)) : Value::poison();
}

bool Emitter::runClauses(const Expr &expr, size_t clause, size_t firstClause,
                         const std::function<bool()> &body) {
  if (clause == expr.operands.size())
    return body();
  if (expr.operators[clause - firstClause] == "if") {
    Value condition = evaluate(*expr.operands[clause]);
    std::optional<bool> truth = condition.truth();
    if (!truth) {
      if (!condition.isPoison())
        error("the condition of a comprehension must be known at compile time");
      return false;
    }
    return !*truth || runClauses(expr, clause + 1, firstClause, body);
  }
  Value iterable = evaluate(*expr.operands[clause + 1]);
  if (iterable.isPoison())
    return false;
  Value::Elements keys;
  if (auto *dict = iterable.asDict())
    for (const auto &[key, value] : dict->entries)
      keys.push_back(key);
  const Value::Elements *elements = iterable.asDict() ? &keys : iterable.asTuple();
  if (!elements) {
    error("a comprehension needs a tuple, not {}", describe(iterable));
    return false;
  }
  const Expr &target = *expr.operands[clause];
  for (const Value &element : *elements) {
    DepthGuard guard(*this);
    if (!guard)
      return false;
    // The elements keep their kind here, where an assignment would make tensors of numbers.
    bool wasPlain = std::exchange(frame_->isPlain, true);
    assignTo(target, element);
    frame_->isPlain = wasPlain;
    if (!runClauses(expr, clause + 2, firstClause, body))
      return false;
  }
  return true;
}

Value Emitter::evaluateDict(const Expr &expr) {
  DictValue dict;
  for (size_t i = 0; i + 1 < expr.operands.size(); i += 2) {
    Value value = evaluate(*expr.operands[i + 1]);
    if (value.isPoison())
      return value;
    if (expr.operands[i]) {
      Value key = evaluate(*expr.operands[i]);
      if (key.isPoison())
        return key;
      dict.set(key, value);
    } else if (auto *inner = value.asDict()) {
      for (const auto &[key, element] : inner->entries)
        dict.set(key, element);
    } else {
      return error("only a dict can follow '**', not {}", describe(value));
    }
  }
  return Value::dict(std::move(dict));
}

Value Emitter::evaluateDictComprehension(const Expr &expr) {
  DictValue dict;
  Scope saved = frame_->scope;
  bool isGood = runClauses(expr, 2, 2, [&] {
    Value key = evaluate(*expr.operands[0]), value = evaluate(*expr.operands[1]);
    dict.set(key, value);
    return !key.isPoison();
  });
  frame_->scope = std::move(saved);
  return isGood ? Value::dict(std::move(dict)) : Value::poison();
}

Value Emitter::evaluateSubscript(const Expr &expr) {
  Value object = evaluate(*expr.operands[0]);
  Value index = evaluate(*expr.operands[1]);
  if (object.isPoison() || index.containsPoison())
    return Value::poison();
  if (auto *elements = object.asTuple())
    return indexTuple(*elements, index);
  if (auto *dict = object.asDict()) {
    const Value *found = dict->find(index);
    return found ? *found : error("this dict has no key {}", describe(index));
  }
  if (auto *tensor = object.asTensor())
    return indexTensor(*tensor, index);
  if (auto *string = object.asString(); string && index.integerValue()) {
    Integer i = *index.integerValue() +
                (*index.integerValue() < 0 ? static_cast<Integer>(string->size()) : 0);
    if (i >= 0 && i < static_cast<Integer>(string->size()))
      return Value::string(string->substr(static_cast<size_t>(i), 1));
  }
  return error("{} cannot be indexed", describe(object));
}

Value Emitter::indexTuple(const Value::Elements &elements, const Value &index) {
  Integer size = static_cast<Integer>(elements.size());
  if (auto *slice = index.asSlice()) {
    auto bound = [&](const Value &value, Integer otherwise) {
      Integer at = value.integerValue().value_or(otherwise);
      return std::clamp<Integer>(at < 0 ? at + size : at, 0, size);
    };
    for (const Value *part : {&slice->lower, &slice->upper, &slice->step})
      if (!part->isNone() && !part->integerValue())
        return error("a slice of a tuple needs compile-time integers, not {}", describe(*part));
    if (slice->step.integerValue().value_or(1) != 1)
      return error("a slice of a tuple can only have step 1");
    Integer begin = bound(slice->lower, 0), end = std::max(begin, bound(slice->upper, size));
    return Value::tuple({elements.begin() + static_cast<size_t>(begin),
                         elements.begin() + static_cast<size_t>(end)});
  }
  std::optional<Integer> at = index.integerValue();
  if (!at)
    return error("a tuple is indexed by a compile-time integer, not {}", describe(index));
  Integer position = *at < 0 ? *at + size : *at;
  if (position < 0 || position >= size)
    return error("index {} is outside a tuple of {} elements", toString(*at), elements.size());
  return elements[static_cast<size_t>(position)];
}

/// Only None (a new axis) and ':' (an axis as it is); what is left over stays.
Value Emitter::indexTensor(const Tensor &tensor, const Value &index) {
  Value::Elements single{index};
  const Value::Elements &items = index.asTuple() ? *index.asTuple() : single;
  Tensor result = tensor;
  size_t given =
      std::count_if(items.begin(), items.end(), [](const Value &item) { return !item.isNone(); });
  // As in Triton, ':' says nothing of a scalar, and its first None makes a block of one element.
  bool isScalar = !tensor.type.isBlock();
  if (!isScalar && given > tensor.type.shape.size())
    return error("{} ':' in the index of a tensor with {} dimensions", given,
                 tensor.type.shape.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const SliceValue *slice = items[i].asSlice();
    bool isFull = slice && slice->lower.isNone() && slice->upper.isNone() && slice->step.isNone();
    if (items[i].isNone()) {
      Value expanded =
          semantics_.expandDims(result, result.type.isBlock() ? static_cast<int64_t>(i) : 0);
      if (expanded.isPoison())
        return expanded;
      result = *expanded.asTensor();
    } else if (!isFull) {
      return error("a tensor can only be indexed with ':' and None, not {}; elements are reached "
                   "through pointers",
                   describe(items[i]));
    }
  }
  return Value::tensor(result);
}

Value Emitter::attribute(const Value &object, const std::string &name, bool isQuiet) {
  if (object.isPoison())
    return object;
  if (auto *external = object.asExternal())
    return resolveExternal(external->path + "." + name);
  // The policy for packages that choose a module of math functions when they are imported: a
  // function asked of the None that such a name holds in the text is libdevice's.
  if (const std::string path = "triton.language.extra.libdevice." + name;
      object.isNone() && (findBuiltin(path) || library_.findPath(path))) {
    note(fmt::format("'{}' is asked of a name that is None until the package is run; libdevice's "
                     "is taken",
                     name));
    return Value::external(path);
  }
  Value result = Value::poison();
  bool isFound = true;
  if (auto *tensor = object.asTensor())
    result = tensorAttribute(*tensor, name);
  else if (auto *dtype = object.asDtype())
    result = dtypeAttribute(*dtype, name);
  else if (auto *record = object.asRecord())
    result = recordAttribute(*record, name);
  else if (auto *dict = object.asDict(); dict && dict->find(name))
    result = *dict->find(name); // the fields of torch.finfo and its like
  else if (auto *instance = object.asObject();
           instance && (instance->type->indexOf(name) || instance->type->findMethod(name)))
    result = objectAttribute(*instance, name);
  else if (auto *type = object.asClass(); type && (*type)->findMethod(name))
    result = Value::function({(*type)->module, (*type)->findMethod(name)});
  else if (name == "value")
    result = object;
  else if (name == "type" && object.isNumber() && numberType(object))
    result = Value::dtype({*numberType(object), false, false, {}});
  else
    isFound = false;
  if (isFound && !result.isPoison())
    return result;
  return isQuiet ? Value::poison() : error("{} has no attribute '{}'", describe(object), name);
}

namespace {

Value shapeValue(const std::vector<int64_t> &shape) {
  Value::Elements elements;
  for (int64_t size : shape)
    elements.push_back(Value::integer(size));
  return Value::tuple(std::move(elements));
}

} // namespace

Value Emitter::tensorAttribute(const Tensor &tensor, const std::string &name) {
  if (name == "dtype")
    return Value::dtype(tensor.type.element());
  if (name == "type")
    return Value::dtype(tensor.type);
  if (name == "shape")
    return shapeValue(tensor.type.shape);
  if (name == "numel")
    return Value::integer(numElements(tensor.type.shape));
  if (name == "T") {
    if (tensor.type.shape.size() != 2)
      return error(".T needs a tensor of 2 dimensions, not {}", toString(tensor.type));
    return semantics_.transpose(tensor, {1, 0});
  }
  return Value::poison();
}

Value Emitter::recordAttribute(const RecordValue &record, const std::string &name) {
  if (record.kind == RecordValue::Kind::BlockPointer) {
    // Its type is a pointer whose element_ty is what the block holds.
    if (name == "dtype" || name == "type")
      return Value::dtype({record.block.scalar, true, record.base().type.isConst, {}});
    return Value::poison();
  }
  auto tupleOf = [](const std::vector<Tensor> &tensors) {
    Value::Elements elements;
    for (const Tensor &tensor : tensors)
      elements.push_back(Value::tensor(tensor));
    return Value::tuple(std::move(elements));
  };
  if (name == "shape" || name == "strides")
    return tupleOf(name == "shape" ? record.sizes() : record.strides());
  if (name == "block_shape")
    return shapeValue(record.block.shape);
  if (name == "dtype" || name == "block_type")
    return Value::dtype(name == "dtype" ? record.block.element() : record.block);
  return Value::poison();
}

Value Emitter::dtypeAttribute(const Type &type, const std::string &name) {
  if (name == "element_ty")
    return Value::dtype(type.isPointer && !type.isBlock() ? type.pointee() : type.element());
  if (name == "scalar" || name == "value")
    return Value::dtype(name == "scalar" ? type.element() : type);
  if (name == "shape" || name == "numel")
    return name == "shape" ? shapeValue(type.shape) : Value::integer(numElements(type.shape));
  unsigned bits = type.isPointer ? 64 : bitWidthOf(type.scalar);
  if (name == "primitive_bitwidth" || name == "int_bitwidth")
    return Value::integer(bits);
  if (name == "int_signedness" && type.isInteger())
    return Value::string(isSigned(type.scalar) ? "dtype.SIGNEDNESS.SIGNED"
                                               : "dtype.SIGNEDNESS.UNSIGNED");
  if (name == "fp_mantissa_width" && type.isFloat())
    return Value::integer(mantissaWidthOf(type.scalar));
  if (name == "itemsize")
    return Value::integer(std::max(bits / 8, 1u));
  if (name == "name")
    return Value::string(std::string(nameOf(type.scalar)));
  return Value::poison();
}

} // namespace inlay::triton
