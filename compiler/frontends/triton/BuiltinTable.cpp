// Finding and calling builtins.
#include "compiler/frontends/triton/Builtins.h"

#include <algorithm>
#include <array>
#include <fmt/ranges.h>

namespace inlay::triton {

namespace {

/// Modules whose names are those of triton.language itself.
constexpr std::array<std::string_view, 5> kSameModules = {"core.", "standard.", "random.",
                                                          "semantic.", "math."};

bool consume(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

struct BuiltinParameter {
  std::string_view name;
  std::string_view defaultText; // empty: required
  bool isVariadic = false;
};

std::vector<BuiltinParameter> parseParameters(std::string_view text) {
  std::vector<BuiltinParameter> parameters;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    BuiltinParameter parameter;
    parameter.isVariadic = consume(part, "*");
    size_t equal = part.find('=');
    parameter.name = part.substr(0, equal);
    parameter.defaultText =
        equal == std::string_view::npos ? std::string_view() : part.substr(equal + 1);
    parameters.push_back(parameter);
  }
  return parameters;
}

Value parseDefault(std::string_view text) {
  if (text == "True" || text == "False")
    return Value::boolean(text == "True");
  if (text == "()")
    return Value::tuple({});
  if (text.starts_with("'"))
    return Value::string(std::string(text.substr(1, text.size() - 2)));
  if (text == "None")
    return Value();
  return parseInteger(text).value;
}

std::span<const Builtin> groups(size_t index) {
  constexpr std::array groupFunctions = {
      shapeBuiltins,     memoryBuiltins, mathBuiltins,   pythonBuiltins,       internalBuiltins,
      reduceBuiltins,    dotBuiltins,    atomicBuiltins, blockPointerBuiltins, descriptorBuiltins,
      rearrangeBuiltins, asmBuiltins,    externBuiltins};
  return index < groupFunctions.size() ? groupFunctions[index]() : std::span<const Builtin>();
}

const Builtin *findByName(std::string_view name) {
  for (size_t i = 0; !groups(i).empty(); ++i)
    for (const Builtin &builtin : groups(i))
      if (builtin.name == name)
        return &builtin;
  return nullptr;
}

} // namespace

std::string canonicalName(std::string_view path) {
  size_t libdevice = path.find("libdevice.");
  if (libdevice != std::string_view::npos && (libdevice == 0 || path[libdevice - 1] == '.'))
    return std::string(path.substr(libdevice));
  if (!consume(path, "triton.language."))
    return std::string(path);
  for (std::string_view module : kSameModules)
    if (consume(path, module))
      break;
  return std::string(path);
}

const Builtin *findBuiltin(std::string_view path) {
  std::string name = canonicalName(path);
  if (const Builtin *builtin = findByName(name))
    return builtin;
  // tl.math has the whole of libdevice in older releases, and libdevice repeats functions of
  // tl.math.
  std::string_view view = name;
  if (consume(view, "libdevice."))
    return findByName(view);
  return path.starts_with("triton.language.") ? findByName("libdevice." + name) : nullptr;
}

const Builtin *findMethod(std::string_view name) {
  const Builtin *builtin = findByName(name);
  return builtin && builtin->isMethod ? builtin : nullptr;
}

std::optional<BoundArguments> bindBuiltin(Emitter &emitter, std::string_view name,
                                          std::string_view parameterText, CallArguments &call) {
  std::vector<BuiltinParameter> parameters = parseParameters(parameterText);
  BoundArguments bound;
  std::vector<bool> isGiven(parameters.size());
  size_t next = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    bound.names_.push_back(parameters[i].name);
    bound.spans_.push_back(call.span);
    bound.values_.push_back(parameters[i].isVariadic ? Value::tuple({})
                                                     : parseDefault(parameters[i].defaultText));
    if (parameters[i].isVariadic) {
      bound.values_[i] =
          Value::tuple({call.positional.begin() + std::min(next, call.positional.size()),
                        call.positional.end()});
      next = call.positional.size();
      isGiven[i] = true;
    } else if (next < call.positional.size()) {
      bound.values_[i] = call.positional[next];
      bound.spans_[i] = call.positionalSpans[next++];
      isGiven[i] = true;
    }
  }
  if (next < call.positional.size()) {
    emitter.errorAt(call.positionalSpans[next],
                    fmt::format("'{}' takes at most {} arguments: ({})", name, parameters.size(),
                                parameterText));
    return std::nullopt;
  }
  for (CallArguments::Keyword &keyword : call.keywords) {
    if (keyword.name == "_semantic" || keyword.name == "_builder")
      continue;
    auto found =
        std::find_if(parameters.begin(), parameters.end(), [&](const BuiltinParameter &parameter) {
          return parameter.name == keyword.name;
        });
    size_t index = found - parameters.begin();
    if (found == parameters.end() || found->isVariadic || isGiven[index]) {
      emitter.errorAt(keyword.span, found == parameters.end()
                                        ? fmt::format("'{}' has no parameter '{}'; it has ({})",
                                                      name, keyword.name, parameterText)
                                        : fmt::format("parameter '{}' of '{}' is given twice",
                                                      keyword.name, name));
      return std::nullopt;
    }
    bound.values_[index] = keyword.value;
    bound.spans_[index] = keyword.span;
    isGiven[index] = true;
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!isGiven[i] && parameters[i].defaultText.empty()) {
      emitter.errorAt(call.span, fmt::format("'{}' needs an argument for '{}': ({})", name,
                                             parameters[i].name, parameterText));
      return std::nullopt;
    }
  return bound;
}

Value callBuiltin(Emitter &emitter, const Builtin &builtin, CallArguments &arguments) {
  std::optional<BoundArguments> bound =
      bindBuiltin(emitter, builtin.name, builtin.parameters, arguments);
  if (!bound)
    return Value::poison();
  for (size_t i = 0; i < bound->size(); ++i)
    if ((*bound)[i].containsPoison())
      return Value::poison();
  return builtin.handler(emitter, *bound);
}

std::optional<int64_t> BoundArguments::integer(Emitter &emitter, size_t index) const {
  std::optional<Integer> value = values_[index].integerValue();
  if (value && *value >= INT64_MIN && *value <= INT64_MAX)
    return static_cast<int64_t>(*value);
  emitter.errorAt(spans_[index],
                  fmt::format("'{}' must be a compile-time integer, not {}{}", names_[index],
                              describe(values_[index]),
                              values_[index].asTensor()
                                  ? "; declare the name as 'x: tl.constexpr' if its value is known"
                                  : ""));
  return std::nullopt;
}

std::optional<bool> BoundArguments::boolean(Emitter &emitter, size_t index) const {
  std::optional<bool> value = values_[index].truth();
  if (!value)
    emitter.errorAt(spans_[index], fmt::format("'{}' must be a compile-time bool, not {}",
                                               names_[index], describe(values_[index])));
  return value;
}

std::optional<std::string> BoundArguments::string(Emitter &emitter, size_t index) const {
  if (values_[index].isNone())
    return std::string();
  if (auto *value = values_[index].asString())
    return *value;
  emitter.errorAt(spans_[index], fmt::format("'{}' must be a string, not {}", names_[index],
                                             describe(values_[index])));
  return std::nullopt;
}

std::optional<Type> BoundArguments::dtype(Emitter &emitter, size_t index) const {
  if (auto *value = values_[index].asDtype())
    return value->element();
  emitter.errorAt(spans_[index], fmt::format("'{}' must be a dtype such as tl.float32, not {}",
                                             names_[index], describe(values_[index])));
  return std::nullopt;
}

std::optional<std::vector<int64_t>> BoundArguments::integers(Emitter &emitter, size_t index) const {
  const Value *value = &values_[index];
  // f(x, (1, 2)) and f(x, 1, 2) are the same for variadic parameters.
  if (auto *outer = value->asTuple(); outer && outer->size() == 1 && (*outer)[0].asTuple())
    value = &(*outer)[0];
  std::vector<int64_t> result;
  Value::Elements single{*value};
  for (const Value &element : value->asTuple() ? *value->asTuple() : single) {
    std::optional<Integer> integer = element.integerValue();
    if (!integer || *integer < INT32_MIN || *integer > INT32_MAX) {
      emitter.errorAt(
          spans_[index],
          fmt::format(
              "'{}' must be compile-time integers, not {}{}", names_[index], describe(element),
              element.asTensor() ? "; declare the name as 'x: tl.constexpr' if its value is known"
                                 : ""));
      return std::nullopt;
    }
    result.push_back(static_cast<int64_t>(*integer));
  }
  return result;
}

std::optional<std::vector<int64_t>> BoundArguments::shape(Emitter &emitter, size_t index) const {
  std::optional<std::vector<int64_t>> result = integers(emitter, index);
  if (!result)
    return result;
  std::string reason = checkBlockShape(*result);
  if (reason.empty())
    return result;
  emitter.errorAt(spans_[index], reason);
  return std::nullopt;
}

BoundArguments BoundArguments::reordered(std::initializer_list<size_t> order) const {
  BoundArguments result;
  for (size_t index : order) {
    result.values_.push_back(values_[index]);
    result.spans_.push_back(spans_[index]);
    result.names_.push_back(names_[index]);
  }
  return result;
}

std::optional<Tensor> BoundArguments::tensor(Emitter &emitter, size_t index) const {
  if (auto *value = values_[index].asTensor())
    return *value;
  Value value = emitter.semantics().toTensor(values_[index], fmt::format("'{}'", names_[index]));
  if (value.isPoison())
    return std::nullopt;
  return *value.asTensor();
}

} // namespace inlay::triton
