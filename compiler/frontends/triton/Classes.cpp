// Classes that kernels may use: named tuples and aggregates, their objects and methods.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>

namespace inlay::triton {

namespace {

bool lastPartIs(std::string_view dotted, std::string_view name) {
  size_t dot = dotted.rfind('.');
  return dotted.substr(dot == std::string_view::npos ? 0 : dot + 1) == name;
}

bool isDecorated(const ModuleItem &item, std::string_view name) {
  return std::any_of(item.decorators.begin(), item.decorators.end(),
                     [&](const std::string &decorator) { return lastPartIs(decorator, name); });
}

} // namespace

Value Emitter::evaluateClass(Module &module, const ModuleItem &item) {
  bool isTuple = lastPartIs(item.path, "NamedTuple");
  bool isAggregate = isDecorated(item, "_aggregate") || isDecorated(item, "aggregate");
  if (!isTuple && !isAggregate)
    return Value::external("class " + item.name);
  auto type = std::make_shared<ClassInfo>();
  type->kind = isTuple ? ClassInfo::Kind::NamedTuple : ClassInfo::Kind::Aggregate;
  type->name = item.name;
  type->module = &module;
  type->item = &item;
  for (const ModuleItem &member : item.body) {
    if (member.kind != ModuleItem::Kind::Field)
      continue;
    ClassInfo::Field field{member.name, std::nullopt, member.path == "tensor"};
    if (!member.tokens.empty()) {
      const Expr *expr = module.parseValue(member, *diagnostics_);
      field.defaultValue = expr ? evaluateInModule(module, *expr, nullptr) : Value::poison();
    }
    type->fields.push_back(std::move(field));
  }
  return Value::classType(std::move(type));
}

Value Emitter::construct(const ClassReference &type, CallArguments arguments) {
  const ModuleItem *initializer =
      type->kind == ClassInfo::Kind::Aggregate ? type->findMethod("__init__") : nullptr;
  return initializer ? constructByMethod(type, *initializer, std::move(arguments))
                     : constructFromFields(type, arguments);
}

/// One argument for each field.
Value Emitter::constructFromFields(const ClassReference &type, const CallArguments &arguments) {
  const std::vector<ClassInfo::Field> &fields = type->fields;
  if (arguments.positional.size() > fields.size())
    return errorAt(arguments.positionalSpans[fields.size()],
                   fmt::format("'{}' has {} fields, but is given {} values", type->name,
                               fields.size(), arguments.positional.size()));
  std::vector<std::optional<Value>> values(arguments.positional.begin(),
                                           arguments.positional.end());
  values.resize(fields.size());
  for (const CallArguments::Keyword &keyword : arguments.keywords) {
    std::optional<size_t> index = type->indexOf(keyword.name);
    if (!index || values[*index])
      return errorAt(
          keyword.span,
          index ? fmt::format("field '{}' of '{}' is given twice", keyword.name, type->name)
                : fmt::format("'{}' has no field '{}'", type->name, keyword.name));
    values[*index] = keyword.value;
  }
  Value::Elements elements;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!values[i])
      values[i] = fields[i].defaultValue;
    if (!values[i])
      return errorAt(arguments.span, fmt::format("'{}' needs a value for its field '{}'",
                                                 type->name, fields[i].name));
    elements.push_back(fields[i].isTensor ? materialise(*values[i]) : *values[i]);
  }
  return Value::object(type, std::move(elements));
}

/// Runs __init__ on an object without values; all fields must have one afterwards.
Value Emitter::constructByMethod(const ClassReference &type, const ModuleItem &initializer,
                                 CallArguments arguments) {
  FunctionReference reference{type->module, &initializer};
  const Function *function = type->module->parseFunction(initializer, *diagnostics_);
  if (!function)
    return Value::poison();
  if (function->parameters.empty())
    return error("'{}.__init__' has no parameter 'self'", type->name);
  arguments.positional.insert(
      arguments.positional.begin(),
      Value::object(type, Value::Elements(type->fields.size(), Value::ellipsis())));
  arguments.positionalSpans.insert(arguments.positionalSpans.begin(), arguments.span);
  Frame frame{};
  frame.isInitializer = true;
  Flow flow;
  if (!runFunction(frame, reference, arguments, flow))
    return Value::poison();
  Value self = frame.scope[function->parameters[0].name].value;
  const ObjectValue *object = self.asObject();
  if (!object)
    return Value::poison();
  for (size_t i = 0; i < object->fields.size(); ++i)
    if (object->fields[i].isEllipsis())
      return error("'{}.__init__' gives no value to the field '{}'", type->name,
                   type->fields[i].name);
  return self;
}

/// object.name = value, in __init__ only.
void Emitter::assignAttribute(const Expr &target, const Value &value) {
  const Expr &owner = *target.operands[0];
  auto found = owner.kind == ExprKind::Name ? frame_->scope.find(owner.text) : frame_->scope.end();
  const ObjectValue *object =
      found == frame_->scope.end() ? nullptr : found->second.value.asObject();
  if (!object || !frame_->isInitializer) {
    errorAt(target.span, "an attribute can be assigned only to self in the __init__ of an "
                         "aggregate; make a new object instead");
    return;
  }
  std::optional<size_t> index = object->type->indexOf(target.text);
  if (!index) {
    errorAt(target.span,
            fmt::format("class '{}' declares no field '{}'", object->type->name, target.text));
    return;
  }
  Value::Elements fields = object->fields;
  fields[*index] = object->type->fields[*index].isTensor ? materialise(value) : value;
  found->second.value = Value::object(object->type, std::move(fields));
}

Value Emitter::objectAttribute(const ObjectValue &object, const std::string &name) {
  if (std::optional<size_t> index = object.type->indexOf(name))
    return object.fields[*index];
  const ModuleItem *method = object.type->findMethod(name);
  if (method && isDecorated(*method, "property")) {
    CallArguments arguments;
    arguments.span = span_;
    return callObjectMethod(Value::object(object.type, object.fields), *method,
                            std::move(arguments));
  }
  return Value::poison();
}

Value Emitter::callObjectMethod(const Value &object, const ModuleItem &method,
                                CallArguments arguments) {
  const ClassReference &type = object.asObject()->type;
  if (!isDecorated(method, "staticmethod")) {
    arguments.positional.insert(arguments.positional.begin(), object);
    arguments.positionalSpans.insert(arguments.positionalSpans.begin(), span_);
  }
  Frame frame{};
  Flow flow;
  bool isGood = runFunction(frame, {type->module, &method}, arguments, flow);
  return isGood ? flow.value : Value::poison();
}

} // namespace inlay::triton
