// Calls: builtins, methods, and same-file helpers, which are specialised by inlining.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>

namespace inlay::triton {

namespace {

/// Every level of a recursion is inlined.
constexpr int kMaxRecursion = 64;

} // namespace

bool Emitter::evaluateArguments(const Expr &call, CallArguments &arguments) {
  arguments.span = call.span;
  bool isGood = true;
  for (size_t i = 1; i < call.operands.size(); ++i) {
    const Expr &operand = *call.operands[i];
    if (operand.kind == ExprKind::Starred) {
      Value inner = evaluate(*operand.operands[0]);
      if (auto *elements = inner.asTuple()) {
        arguments.positional.insert(arguments.positional.end(), elements->begin(), elements->end());
        arguments.positionalSpans.resize(arguments.positional.size(), operand.span);
      } else {
        if (!inner.isPoison())
          errorAt(operand.span,
                  fmt::format("only a tuple can follow '*', not {}", describe(inner)));
        isGood = false;
      }
      continue;
    }
    arguments.positional.push_back(evaluate(operand));
    arguments.positionalSpans.push_back(operand.span);
  }
  for (const Keyword &keyword : call.keywords) {
    if (keyword.name.empty()) {
      Value more = evaluate(*keyword.value);
      auto *dict = more.asDict();
      for (size_t i = 0; dict && i < dict->entries.size(); ++i)
        if (auto *name = dict->entries[i].first.asString())
          arguments.keywords.push_back({*name, dict->entries[i].second, keyword.span});
      if (!dict && !more.isPoison())
        errorAt(keyword.span, fmt::format("only a dict can follow '**', not {}", describe(more)));
      isGood &= dict != nullptr;
      continue;
    }
    arguments.keywords.push_back({keyword.name, evaluate(*keyword.value), keyword.span});
  }
  return isGood;
}

Value Emitter::evaluateCall(const Expr &expr) {
  const Expr &callee = *expr.operands[0];
  CallArguments arguments;
  if (callee.kind == ExprKind::Attribute) {
    Value object = evaluate(*callee.operands[0]);
    if (object.isPoison())
      return object;
    if (object.isNone())
      if (Value function = attribute(object, callee.text, true); !function.isPoison())
        return evaluateArguments(expr, arguments) ? call(function, std::move(arguments))
                                                  : Value::poison();
    if (!object.asExternal()) {
      if (!evaluateArguments(expr, arguments))
        return Value::poison();
      return callMethod(object, callee.text, std::move(arguments));
    }
  }
  Value function = evaluate(callee);
  if (function.isPoison() || !evaluateArguments(expr, arguments))
    return Value::poison();
  return call(function, std::move(arguments));
}

Value Emitter::call(const Value &callee, CallArguments arguments) {
  if (auto *reference = callee.asFunction())
    return callFunction(*reference, std::move(arguments));
  if (auto *lambda = callee.asLambda())
    return callLambda(*lambda, arguments);
  if (auto *dtype = callee.asDtype(); dtype && !dtype->isPointer && !dtype->isBlock() &&
                                      arguments.positional.size() == 1 &&
                                      arguments.keywords.empty()) {
    // tl.float32(x): the value in that type.
    if (arguments.positional[0].isPoison())
      return Value::poison();
    Value value = semantics_.toTensor(arguments.positional[0], "the value");
    return value.isPoison() ? value : semantics_.cast(*value.asTensor(), *dtype);
  }
  if (auto *type = callee.asClass())
    return construct(*type, std::move(arguments));
  auto *external = callee.asExternal();
  if (!external)
    return error("{} cannot be called", describe(callee));
  const std::string &path = external->path;
  if (path == "builtins.dict" && arguments.positional.size() <= 1) {
    DictValue dict;
    if (!arguments.positional.empty() && arguments.positional[0].asDict())
      dict = *arguments.positional[0].asDict();
    for (const CallArguments::Keyword &keyword : arguments.keywords)
      dict.set(Value::string(keyword.name), keyword.value);
    return Value::dict(std::move(dict));
  }
  if (path == "triton.jit" && arguments.positional.size() == 1 &&
      arguments.positional[0].asFunction()) {
    wrappedFunctions_.insert(arguments.positional[0].asFunction()->item);
    return arguments.positional[0];
  }
  if (const Builtin *builtin = findBuiltin(path))
    return callBuiltin(*this, *builtin, arguments);
  if (auto function = library_.findPath(path))
    return callFunction(*function, std::move(arguments));
  if (path.starts_with("class "))
    return error("{} cannot be used in a kernel", path);
  std::string canonical = canonicalName(path);
  if (canonical.starts_with("libdevice."))
    return error("{} is not supported yet", canonical);
  if (path.starts_with("triton."))
    return error("'{}' is not a function of the Triton language that this compiler knows", path);
  return error("'{}' is imported from another file or package, which was not found; a kernel can "
               "call functions of its own package, of include folders, tl and libdevice",
               path);
}

Value Emitter::callMethod(const Value &object, const std::string &name, CallArguments arguments) {
  auto *dtype = object.asDtype();
  if (dtype && arguments.positional.empty() && arguments.keywords.empty()) {
    Scalar scalar = dtype->scalar;
    bool isValue = !dtype->isPointer;
    const std::pair<std::string_view, bool> tests[] = {
        {"is_floating", dtype->isFloat()},
        {"is_int", dtype->isInteger()},
        {"is_bool", dtype->isBool()},
        {"is_int_signed", dtype->isInteger() && isSigned(scalar)},
        {"is_int_unsigned", dtype->isInteger() && !isSigned(scalar)},
        {"is_ptr", dtype->isPointer},
        {"is_block", dtype->isBlock()},
        {"is_fp8", isValue && isFloat8(scalar)},
        {"is_standard_floating", dtype->isFloat() && !isFloat8(scalar)},
        {"is_void", false},
        {"is_const", dtype->isConst},
    };
    for (const auto &[method, result] : tests)
      if (method == name)
        return Value::boolean(result);
    if (name == "kind" && isValue)
      return Value::string(dtype->isBool()    ? "dtype.KIND.BOOLEAN"
                           : dtype->isFloat() ? "dtype.KIND.FLOATING"
                                              : "dtype.KIND.INTEGRAL");
    if (name == "get_block_shapes")
      return attribute(object, "shape");
    if (name.starts_with("is_"))
      if (auto tested = findScalar(name.substr(3)); tested)
        return Value::boolean(isValue && scalar == *tested);
  }
  if (auto *instance = object.asObject()) {
    if (const ModuleItem *method = instance->type->findMethod(name))
      return callObjectMethod(object, *method, std::move(arguments));
    if (instance->type->indexOf(name))
      return call(attribute(object, name), std::move(arguments));
  }
  if (object.asClass())
    return call(attribute(object, name), std::move(arguments));
  if (object.asString() && name == "format")
    return formatString(*object.asString(), arguments);
  const Builtin *method = object.asString() || object.asDict() ? nullptr : findMethod(name);
  if (object.asString() || object.asDict())
    method = findBuiltin((object.asString() ? "str." : "dict.") + name);
  if (auto *record = object.asRecord())
    method = findBuiltin(
        (record->kind == RecordValue::Kind::Descriptor ? "tensor_descriptor." : "block_pointer.") +
        name);
  if (method) {
    arguments.positional.insert(arguments.positional.begin(), object);
    arguments.positionalSpans.insert(arguments.positionalSpans.begin(), span_);
    return callBuiltin(*this, *method, arguments);
  }
  if (auto function = object.asTensor() ? library_.findMethod(name) : std::nullopt) {
    arguments.positional.insert(arguments.positional.begin(), object);
    arguments.positionalSpans.insert(arguments.positionalSpans.begin(), span_);
    return callFunction(*function, std::move(arguments));
  }
  return error("{} has no method '{}'", describe(object), name);
}

Value Emitter::formatString(const std::string &text, const CallArguments &arguments) {
  std::string result;
  size_t next = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    bool isDoubled = at + 1 < text.size() && text[at + 1] == text[at];
    if ((text[at] == '{' || text[at] == '}') && isDoubled) {
      result += text[at++];
      continue;
    }
    if (text[at] != '{') {
      result += text[at];
      continue;
    }
    size_t close = text.find('}', at);
    if (close == std::string::npos)
      return error("format: '{{' without '}}'");
    const std::string field = text.substr(at + 1, close - at - 1);
    std::optional<Value> value;
    ConstantResult number = parseInteger(field);
    std::optional<Integer> position =
        field.empty() ? Integer(next++)
                      : (number.error.empty() ? number.value.integerValue() : std::nullopt);
    if (position && *position < static_cast<Integer>(arguments.positional.size()))
      value = arguments.positional[static_cast<size_t>(*position)];
    for (const CallArguments::Keyword &keyword : arguments.keywords)
      if (keyword.name == field)
        value = keyword.value;
    if (!value || value->containsPoison())
      return value ? Value::poison() : error("format: there is no argument for '{{{}}}'", field);
    result += value->asString() ? *value->asString() : describe(*value);
    at = close;
  }
  return Value::string(std::move(result));
}

/// Also a function that wraps a library's: "@core.extern".
bool Emitter::isJit(const FunctionReference &function) const {
  const std::vector<std::string> &decorators = function.item->decorators;
  return wrappedFunctions_.contains(function.item) ||
         std::any_of(decorators.begin(), decorators.end(), [](const std::string &decorator) {
           return isJitDecorator(decorator) || decorator == "extern" ||
                  decorator.ends_with(".extern");
         });
}

int Emitter::activeCalls(const FunctionReference &function) const {
  int count = 0;
  for (const Frame *frame = frame_; frame; frame = frame->caller)
    count += frame->item == function.item;
  return count;
}

bool Emitter::bindParameters(Frame &frame, const FunctionReference &reference,
                             CallArguments &arguments) {
  const Function &function = *frame.function;
  size_t next = 0;
  bool isGood = true;
  auto fail = [&](Span span, std::string message) {
    errorAt(span, std::move(message));
    isGood = false;
  };
  for (const Parameter &parameter : function.parameters) {
    std::optional<Value> value;
    auto keyword =
        std::find_if(arguments.keywords.begin(), arguments.keywords.end(),
                     [&](const auto &candidate) { return candidate.name == parameter.name; });
    if (parameter.kind == Parameter::Kind::Star) {
      value = Value::tuple({arguments.positional.begin() + next, arguments.positional.end()});
      next = arguments.positional.size();
    } else if (parameter.kind == Parameter::Kind::StarStar) {
      fail(arguments.span,
           fmt::format("'**{}' parameters are not supported in kernels", parameter.name));
      continue;
    } else if (parameter.kind == Parameter::Kind::Positional &&
               next < arguments.positional.size()) {
      value = arguments.positional[next++];
      if (keyword != arguments.keywords.end())
        fail(keyword->span,
             fmt::format("parameter '{}' of '{}' is given twice", parameter.name, function.name));
    } else if (keyword != arguments.keywords.end()) {
      value = keyword->value;
    } else if (parameter.defaultValue) {
      value = evaluateInModule(*reference.module, *parameter.defaultValue, nullptr);
    } else {
      fail(arguments.span, fmt::format("'{}' needs an argument for its parameter '{}'",
                                       function.name, parameter.name));
      continue;
    }
    if (keyword != arguments.keywords.end())
      arguments.keywords.erase(keyword);
    // As in Triton, the annotation tl.constexpr of a helper's parameter does not keep tensors out;
    // kernels in wide use pass them.
    frame.scope[parameter.name] = {std::move(*value)};
  }
  if (next < arguments.positional.size())
    fail(arguments.positionalSpans[next],
         fmt::format("'{}' takes {} arguments, not {}", function.name, function.parameters.size(),
                     arguments.positional.size()));
  for (const CallArguments::Keyword &extra : arguments.keywords)
    fail(extra.span, fmt::format("'{}' has no parameter '{}'", function.name, extra.name));
  return isGood;
}

Value Emitter::callLambda(const LambdaValue &lambda, CallArguments &arguments) {
  Frame frame{};
  frame.module = lambda.module;
  frame.caller = frame_;
  frame.callSpan = arguments.span;
  frame.isPlain = true;
  for (const auto &[name, value] : lambda.captured)
    frame.scope[name] = {value};
  const std::vector<Keyword> &parameters = lambda.expr->keywords;
  if (arguments.positional.size() > parameters.size())
    return error("a lambda of {} parameters is called with {} arguments", parameters.size(),
                 arguments.positional.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Keyword &parameter = parameters[i];
    auto keyword =
        std::find_if(arguments.keywords.begin(), arguments.keywords.end(),
                     [&](const auto &candidate) { return candidate.name == parameter.name; });
    if (i < arguments.positional.size())
      frame.scope[parameter.name] = {arguments.positional[i]};
    else if (keyword != arguments.keywords.end())
      frame.scope[parameter.name] = {keyword->value};
    else if (parameter.value)
      frame.scope[parameter.name] = {evaluateInModule(*lambda.module, *parameter.value, nullptr)};
    else
      return error("the lambda needs an argument for its parameter '{}'", parameter.name);
  }
  frame_ = &frame;
  Value result = evaluate(*lambda.expr->operands[0]);
  frame_ = frame.caller;
  return result;
}

Value Emitter::callPlainFunction(const FunctionReference &reference, CallArguments arguments) {
  const std::string &name = reference.item->name;
  auto hasTensor = [](const auto &argument) { return argument.containsTensor(); };
  if (std::any_of(arguments.positional.begin(), arguments.positional.end(), hasTensor) ||
      std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                  [&](const auto &keyword) { return keyword.value.containsTensor(); }))
    return error("'{}' is a plain Python function; a kernel can call it with compile-time values, "
                 "but with tensors only functions decorated with @triton.jit",
                 name);
  Frame frame{};
  frame.isPlain = true;
  Flow flow;
  size_t errors = diagnostics_->count();
  bool isGood = runFunction(frame, reference, arguments, flow);
  // What it gives after an error cannot be trusted.
  return isGood && diagnostics_->count() == errors ? flow.value : Value::poison();
}

bool Emitter::runFunction(Frame &frame, const FunctionReference &reference,
                          CallArguments &arguments, Flow &flow) {
  if (activeCalls(reference) >= kMaxRecursion) {
    error("'{}' calls itself more than {} levels deep; a recursion must end by a condition that is "
          "known at compile time",
          reference.item->name, kMaxRecursion);
    return false;
  }
  const Function *function = reference.module->parseFunction(*reference.item, *diagnostics_);
  if (!function)
    return false;
  frame.module = reference.module;
  frame.item = reference.item;
  frame.function = function;
  frame.caller = frame_;
  frame.callSpan = arguments.span;
  if (!bindParameters(frame, reference, arguments))
    return false;
  SpanScope scope(*this, span_);
  frame_ = &frame;
  flow = execute(function->body, nullptr);
  frame_ = frame.caller;
  return true;
}

Value Emitter::callFunction(const FunctionReference &reference, CallArguments arguments) {
  const std::string &name = reference.item->name;
  if (library_.owns(*reference.module) &&
      (std::any_of(arguments.positional.begin(), arguments.positional.end(),
                   [](const Value &value) { return value.containsPoison(); }) ||
       std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                   [](const auto &keyword) { return keyword.value.containsPoison(); })))
    return Value::poison();
  if (!isJit(reference))
    return callPlainFunction(reference, std::move(arguments));
  if (!frame_->function)
    return error("'{}' cannot be called at module level", name);
  Frame frame{};
  Flow flow;
  if (!runFunction(frame, reference, arguments, flow))
    return Value::poison();
  // The standard library may compute with numbers; a user's helper returns tensors.
  return library_.owns(*reference.module) ? flow.value : materialise(flow.value);
}

} // namespace inlay::triton
