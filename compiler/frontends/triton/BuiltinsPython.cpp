// Python's builtins, compile-time helpers, and what module-level constants are made with.
#include "compiler/frontends/triton/Builtins.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace mlir;

namespace inlay::triton {

namespace {

Value length(Emitter &emitter, const BoundArguments &arguments) {
  if (auto *elements = arguments[0].asTuple())
    return Value::integer(elements->size());
  if (auto *string = arguments[0].asString())
    return Value::integer(string->size());
  if (auto *dict = arguments[0].asDict())
    return Value::integer(dict->entries.size());
  if (auto *tensor = arguments[0].asTensor(); tensor && tensor->type.isBlock())
    return Value::integer(tensor->type.shape[0]);
  return emitter.error("{} has no len()", describe(arguments[0]));
}

/// min and max: numbers at compile time, else minimum and maximum.
template <bool isMaximum>
Value pick(Emitter &emitter, const BoundArguments &arguments) {
  const Value::Elements *elements = arguments[0].asTuple();
  if (elements->size() == 1 && (*elements)[0].asTuple())
    elements = (*elements)[0].asTuple();
  if (elements->empty())
    return emitter.error("{} needs at least one value", isMaximum ? "max" : "min");
  Value best = (*elements)[0];
  for (size_t i = 1; i < elements->size(); ++i) {
    const Value &next = (*elements)[i];
    if (best.asTensor() || next.asTensor()) {
      best = emitter.semantics().extremum(isMaximum, best, next, false);
    } else {
      Value isBetter = emitter.compare(isMaximum ? ">" : "<", next, best);
      if (!isBetter.isPoison() && *isBetter.asBool())
        best = next;
      if (isBetter.isPoison())
        return isBetter;
    }
    if (best.isPoison())
      return best;
  }
  return best;
}

Value toFloat(Emitter &emitter, const BoundArguments &arguments) {
  if (auto *string = arguments[0].asString()) {
    std::string text = *string;
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    char *end = nullptr;
    double value = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0')
      return Value::number(value);
    return emitter.error("'{}' is not a float", *string);
  }
  if (auto value = arguments[0].floatValue())
    return Value::number(*value);
  return emitter.error("float() needs a compile-time value, not {}; use .to(tl.float32)",
                       describe(arguments[0]));
}

Value toInt(Emitter &emitter, const BoundArguments &arguments) {
  if (auto value = arguments[0].integerValue())
    return Value::integer(*value);
  if (auto *value = arguments[0].asNumber();
      value && std::isfinite(*value) && std::fabs(*value) < 0x1p126)
    return Value::integer(static_cast<Integer>(*value));
  if (auto *string = arguments[0].asString())
    if (ConstantResult result = parseInteger(*string); !string->empty() && result.error.empty())
      return result.value;
  return emitter.error("int() needs a compile-time number, not {}; use .to(tl.int32)",
                       describe(arguments[0]));
}

Value toBool(Emitter &emitter, const BoundArguments &arguments) {
  auto truth = arguments.boolean(emitter, 0);
  return truth ? Value::boolean(*truth) : Value::poison();
}

Value toStr(Emitter &, const BoundArguments &arguments) {
  return arguments[0].asString() ? arguments[0] : Value::string(describe(arguments[0]));
}

Value toTuple(Emitter &emitter, const BoundArguments &arguments) {
  return arguments[0].asTuple() ? arguments[0]
                                : emitter.error("{} is not a tuple", describe(arguments[0]));
}

Value identity(Emitter &emitter, const BoundArguments &arguments) {
  if (!arguments[0].containsTensor())
    return arguments[0];
  return emitter.error("a tl.constexpr must be known at compile time, but this is {}",
                       describe(arguments[0]));
}

Value isInstance(Emitter &emitter, const BoundArguments &arguments) {
  const Value &value = arguments[0];
  Value::Elements single{arguments[1]};
  for (const Value &kind : arguments[1].asTuple() ? *arguments[1].asTuple() : single) {
    if (auto *type = kind.asClass()) {
      if (value.asObject() && value.asObject()->type == *type)
        return Value::boolean(true);
      continue;
    }
    std::string name = kind.asExternal() ? canonicalName(kind.asExternal()->path) : "";
    bool isKnown = true, matches = false;
    const RecordValue *record = value.asRecord();
    if (name == "tensor")
      matches = value.asTensor() || (record && record->kind == RecordValue::Kind::BlockPointer);
    else if (name == "tensor_descriptor" || name == "tensor_descriptor_base")
      matches = record && record->kind == RecordValue::Kind::Descriptor;
    else if (name == "constexpr")
      matches = !value.asTensor() && !value.asTuple() && !record;
    else if (name == "dtype" || name == "pointer_type" || name == "block_type")
      matches = value.asDtype() &&
                (name == "dtype" || (name == "pointer_type" ? value.asDtype()->isPointer
                                                            : value.asDtype()->isBlock()));
    else if (name == "tuple" || name == "builtins.tuple" || name == "builtins.list")
      matches = value.asTuple();
    else if (name == "builtins.int")
      matches = value.integerValue().has_value();
    else if (name == "builtins.bool")
      matches = value.asBool();
    else if (name == "builtins.float")
      matches = value.asNumber();
    else if (name == "builtins.str")
      matches = value.asString();
    else
      isKnown = false;
    if (!isKnown)
      return emitter.error("isinstance does not know {}", describe(kind));
    if (matches)
      return Value::boolean(true);
  }
  return Value::boolean(false);
}

Value getAttribute(Emitter &emitter, const BoundArguments &arguments) {
  auto name = arguments.string(emitter, 1);
  return name ? emitter.attribute(arguments[0], *name) : Value::poison();
}

Value hasAttribute(Emitter &emitter, const BoundArguments &arguments) {
  auto name = arguments.string(emitter, 1);
  if (!name)
    return Value::poison();
  if (auto *external = arguments[0].asExternal()) {
    std::string path = external->path + "." + *name;
    return Value::boolean(!emitter.resolveExternal(path).asExternal() || findBuiltin(path) ||
                          emitter.library().findPath(path));
  }
  return Value::boolean(!emitter.attribute(arguments[0], *name, /*isQuiet=*/true).isPoison());
}

/// Triton, PyTorch and NumPy are there, and so are modules whose files are found; others are not.
Value findSpec(Emitter &emitter, const BoundArguments &arguments) {
  const auto name = arguments.string(emitter, 0);
  if (!name)
    return Value::poison();
  const std::string package = name->substr(0, name->find('.'));
  if (package == "triton" || package == "torch" || package == "numpy" ||
      (emitter.modules && emitter.modules->find(*name)))
    return Value::boolean(true); // no None is all that is asked of it
  emitter.note(fmt::format("package '{}' is taken for not installed", *name));
  return Value();
}

Value staticAssert(Emitter &emitter, const BoundArguments &arguments) {
  auto holds = arguments.boolean(emitter, 0);
  if (!holds || *holds)
    return holds ? Value() : Value::poison();
  const std::string *message = arguments[1].asString();
  return emitter.error("static_assert failed{}{}", message && !message->empty() ? ": " : "",
                       message ? *message : "");
}

Value staticPrint(Emitter &emitter, const BoundArguments &arguments) {
  std::string line;
  for (const Value &value : *arguments[0].asTuple())
    line += (line.empty() ? "" : " ") + (value.asString() ? *value.asString() : describe(value));
  emitter.note(line);
  return Value();
}

Value nextPowerOf2(Emitter &emitter, const BoundArguments &arguments) {
  auto value = arguments.integer(emitter, 0);
  if (!value)
    return Value::poison();
  Integer power = 1;
  while (power < *value)
    power *= 2;
  return Value::integer(*value <= 0 ? 0 : power);
}

template <double (*function)(double)>
Value hostMath(Emitter &emitter, const BoundArguments &arguments) {
  if (auto value = arguments[0].floatValue())
    return Value::number(function(*value));
  return emitter.error("Python's math functions need compile-time numbers, not {}; use tl's own",
                       describe(arguments[0]));
}

template <double (*function)(double)>
Value hostRounding(Emitter &emitter, const BoundArguments &arguments) {
  auto value = arguments[0].floatValue();
  if (value && std::fabs(*value) < 0x1p126)
    return Value::integer(static_cast<Integer>(function(*value)));
  return emitter.error(
      "Python's math functions need finite compile-time numbers, not {}; use tl's own",
      describe(arguments[0]));
}

/// The environment of a build must not change what is built, so the default always counts.
Value environment(Emitter &, const BoundArguments &arguments) { return arguments[1]; }

Value startsWith(Emitter &, const BoundArguments &arguments) {
  auto *part = arguments[1].asString();
  return Value::boolean(part && arguments[0].asString()->starts_with(*part));
}

Value endsWith(Emitter &, const BoundArguments &arguments) {
  auto *part = arguments[1].asString();
  return Value::boolean(part && arguments[0].asString()->ends_with(*part));
}

template <int (*convert)(int)>
Value convertCase(Emitter &, const BoundArguments &arguments) {
  std::string text = *arguments[0].asString();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(convert(c)); });
  return Value::string(text);
}

/// collections.namedtuple(name, fields): fields is a tuple of names or a string of them.
Value namedTuple(Emitter &emitter, const BoundArguments &arguments) {
  auto name = arguments.string(emitter, 0);
  if (!name)
    return Value::poison();
  auto type = std::make_shared<ClassInfo>();
  type->kind = ClassInfo::Kind::NamedTuple;
  type->name = *name;
  if (auto *text = arguments[1].asString()) {
    for (size_t begin = 0; begin < text->size();) {
      size_t end = std::min(text->find_first_of(", ", begin), text->size());
      if (end > begin)
        type->fields.push_back({text->substr(begin, end - begin), std::nullopt, false});
      begin = end + 1;
    }
  } else if (auto *names = arguments[1].asTuple()) {
    for (const Value &field : *names) {
      if (!field.asString())
        return emitter.error("the fields of a namedtuple are strings, not {}", describe(field));
      type->fields.push_back({*field.asString(), std::nullopt, false});
    }
  } else {
    return emitter.error("the fields of a namedtuple are a tuple of strings or one string, not {}",
                         describe(arguments[1]));
  }
  if (auto *defaults = arguments[2].asTuple(); defaults && defaults->size() <= type->fields.size())
    for (size_t i = 0; i < defaults->size(); ++i)
      type->fields[type->fields.size() - defaults->size() + i].defaultValue = (*defaults)[i];
  return Value::classType(std::move(type));
}

Value rangeOutsideFor(Emitter &emitter, const BoundArguments &arguments) {
  const Value::Elements &bounds = *arguments[0].asTuple();
  Integer parts[3] = {0, 0, 1};
  for (size_t i = 0; i < bounds.size() && i < 3; ++i) {
    auto value = bounds[i].integerValue();
    if (!value)
      return emitter.error("outside of a 'for', range needs compile-time integers, not {}",
                           describe(bounds[i]));
    parts[bounds.size() == 1 ? 1 : i] = *value;
  }
  if (bounds.empty() || bounds.size() > 3 || parts[2] == 0)
    return emitter.error("range takes 1 to 3 bounds, and its step is not 0");
  Value::Elements elements;
  for (Integer i = parts[0]; parts[2] > 0 ? i < parts[1] : i > parts[1]; i += parts[2]) {
    if (elements.size() >= 65536)
      return emitter.error("a compile-time range can have at most 65536 elements");
    elements.push_back(Value::integer(i));
  }
  return Value::tuple(std::move(elements));
}

/// The elements of a sequence, or the keys of a dict; null after an error.
std::optional<Value::Elements> elementsOf(Emitter &emitter, const Value &value) {
  if (auto *elements = value.asTuple())
    return *elements;
  if (auto *dict = value.asDict()) {
    Value::Elements keys;
    for (const auto &[key, element] : dict->entries)
      keys.push_back(key);
    return keys;
  }
  emitter.error("{} cannot be iterated over", describe(value));
  return std::nullopt;
}

Value zip(Emitter &emitter, const BoundArguments &arguments) {
  std::vector<Value::Elements> columns;
  for (const Value &sequence : *arguments[0].asTuple()) {
    std::optional<Value::Elements> column = elementsOf(emitter, sequence);
    if (!column)
      return Value::poison();
    columns.push_back(std::move(*column));
  }
  Value::Elements rows;
  for (size_t i = 0; !columns.empty(); ++i) {
    Value::Elements row;
    for (const Value::Elements &column : columns)
      if (i < column.size())
        row.push_back(column[i]);
    if (row.size() < columns.size())
      break;
    rows.push_back(Value::tuple(std::move(row)));
  }
  return Value::tuple(std::move(rows));
}

Value enumerate(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Value::Elements> elements = elementsOf(emitter, arguments[0]);
  std::optional<int64_t> start = arguments.integer(emitter, 1);
  if (!elements || !start)
    return Value::poison();
  for (Value &element : *elements)
    element = Value::tuple({Value::integer((*start)++), element});
  return Value::tuple(std::move(*elements));
}

Value reversed(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Value::Elements> elements = elementsOf(emitter, arguments[0]);
  if (!elements)
    return Value::poison();
  std::reverse(elements->begin(), elements->end());
  return Value::tuple(std::move(*elements));
}

Value sorted(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Value::Elements> elements = elementsOf(emitter, arguments[0]);
  if (!elements)
    return Value::poison();
  std::string error;
  auto isLess = [&](const Value &a, const Value &b) {
    ConstantResult less = evaluateCompare("<", a, b);
    if (!less.error.empty())
      error = less.error;
    return less.error.empty() && *less.value.asBool();
  };
  Value::Elements ordered; // equal elements stay in their order
  for (const Value &element : *elements)
    ordered.insert(std::upper_bound(ordered.begin(), ordered.end(), element, isLess), element);
  return error.empty() ? Value::tuple(std::move(ordered)) : emitter.error("{}", error);
}

/// any and all.
template <bool wanted>
Value anyOrAll(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Value::Elements> elements = elementsOf(emitter, arguments[0]);
  for (size_t i = 0; elements && i < elements->size(); ++i) {
    std::optional<bool> truth = (*elements)[i].truth();
    if (!truth)
      return emitter.error("{} has no truth at compile time", describe((*elements)[i]));
    if (*truth == wanted)
      return Value::boolean(wanted);
  }
  return elements ? Value::boolean(!wanted) : Value::poison();
}

Value product(Emitter &emitter, const BoundArguments &arguments) {
  Value::Elements rows{Value::tuple({})};
  for (const Value &sequence : *arguments[0].asTuple()) {
    std::optional<Value::Elements> column = elementsOf(emitter, sequence);
    if (!column)
      return Value::poison();
    if (rows.size() * column->size() > 65536)
      return emitter.error("itertools.product gives more than 65536 elements");
    Value::Elements longer;
    for (const Value &row : rows)
      for (const Value &element : *column) {
        Value::Elements extended = *row.asTuple();
        extended.push_back(element);
        longer.push_back(Value::tuple(std::move(extended)));
      }
    rows = std::move(longer);
  }
  return Value::tuple(std::move(rows));
}

Value dictGet(Emitter &, const BoundArguments &arguments) {
  const Value *found = arguments[0].asDict()->find(arguments[1]);
  return found ? *found : arguments[2];
}

enum class DictPart : uint8_t { Keys, Values, Items };
template <DictPart part>
Value dictPart(Emitter &, const BoundArguments &arguments) {
  Value::Elements elements;
  for (const auto &[key, value] : arguments[0].asDict()->entries)
    elements.push_back(part == DictPart::Keys     ? key
                       : part == DictPart::Values ? value
                                                  : Value::tuple({key, value}));
  return Value::tuple(std::move(elements));
}

Value split(Emitter &emitter, const BoundArguments &arguments) {
  const std::string &text = *arguments[0].asString();
  const std::string *separator = arguments[1].asString();
  if (!separator || separator->empty())
    return emitter.error("split needs a separator");
  Value::Elements parts;
  for (size_t begin = 0;;) {
    size_t end = text.find(*separator, begin);
    parts.push_back(Value::string(text.substr(begin, end - begin)));
    if (end == std::string::npos)
      return Value::tuple(std::move(parts));
    begin = end + separator->size();
  }
}

Value joinStrings(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Value::Elements> elements = elementsOf(emitter, arguments[1]);
  if (!elements)
    return Value::poison();
  std::string text;
  for (size_t i = 0; i < elements->size(); ++i) {
    auto *part = (*elements)[i].asString();
    if (!part)
      return emitter.error("join needs strings, not {}", describe((*elements)[i]));
    text += (i ? *arguments[0].asString() : "") + *part;
  }
  return Value::string(std::move(text));
}

Value replaceAll(Emitter &emitter, const BoundArguments &arguments) {
  auto *from = arguments[1].asString(), *to = arguments[2].asString();
  if (!from || !to || from->empty())
    return emitter.error("replace needs two strings, the first not empty");
  std::string text = *arguments[0].asString();
  for (size_t at = text.find(*from); at != std::string::npos;
       at = text.find(*from, at + to->size())) {
    text.replace(at, from->size(), *to);
    if (text.size() > (size_t{1} << 20))
      return emitter.error("replace gives a string of more than 1 MiB");
  }
  return Value::string(std::move(text));
}

Value strip(Emitter &, const BoundArguments &arguments) {
  const std::string &text = *arguments[0].asString();
  size_t begin = text.find_first_not_of(" \t\n\r"), end = text.find_last_not_of(" \t\n\r");
  return Value::string(begin == std::string::npos ? "" : text.substr(begin, end - begin + 1));
}

/// The numbers of a version: "3.6.0" and "3.6.0+git" are (3, 6, 0).
Value parseVersion(Emitter &emitter, const BoundArguments &arguments) {
  const std::string *text = arguments[0].asString();
  if (!text)
    return emitter.error("{} is no version", describe(arguments[0]));
  Value::Elements parts;
  for (size_t at = 0; at < text->size() && std::isdigit(static_cast<unsigned char>((*text)[at]));) {
    int64_t number = 0;
    for (; at < text->size() && std::isdigit(static_cast<unsigned char>((*text)[at])); ++at)
      number = std::min<int64_t>(number * 10 + ((*text)[at] - '0'), 1'000'000'000);
    parts.push_back(Value::integer(number));
    at += at < text->size() && (*text)[at] == '.' ? 1 : 0;
  }
  while (parts.size() < 3)
    parts.push_back(Value::integer(0));
  return Value::tuple(std::move(parts));
}

/// triton.Config: its fields by name. What only concerns the autotuner is kept, too.
Value makeConfig(Emitter &emitter, const BoundArguments &arguments) {
  if (!arguments[0].asDict())
    return emitter.error("triton.Config needs a dict, not {}", describe(arguments[0]));
  DictValue config;
  for (size_t i = 0; i < arguments.size(); ++i)
    config.set(Value::string(std::string(arguments.name(i))), arguments[i]);
  return Value::dict(std::move(config));
}

/// torch.iinfo(t) and torch.finfo(t): their fields by name.
Value typeLimits(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Type> type = arguments.dtype(emitter, 0);
  if (!type)
    return Value::poison();
  DictValue limits;
  auto set = [&](std::string_view name, Value value) {
    limits.set(Value::string(std::string(name)), value);
  };
  unsigned bits = bitWidthOf(type->scalar);
  set("bits", Value::integer(bits));
  set("dtype", Value::string(std::string(languageNameOf(type->scalar))));
  if (type->isInteger()) {
    bool isSignedType = isSigned(type->scalar);
    Integer range = Integer(1) << (isSignedType ? bits - 1 : bits);
    set("min", Value::integer(isSignedType ? -range : Integer(0)));
    set("max", Value::integer(range - 1));
    return Value::dict(std::move(limits));
  }
  // Largest finite value, smallest normal one, distance of 1 to the next.
  struct FloatLimits {
    Scalar scalar;
    double max, tiny, eps;
  };
  constexpr FloatLimits kLimits[] = {
      {Scalar::Float64, 0x1.fffffffffffffp1023, 0x1p-1022, 0x1p-52},
      {Scalar::Float32, 0x1.fffffep127, 0x1p-126, 0x1p-23},
      {Scalar::BFloat16, 0x1.fep127, 0x1p-126, 0x1p-7},
      {Scalar::Float16, 65504.0, 0x1p-14, 0x1p-10},
      {Scalar::Float8E4NV, 448.0, 0x1p-6, 0x1p-3},
      {Scalar::Float8E5, 57344.0, 0x1p-14, 0x1p-2},
  };
  for (const FloatLimits &known : kLimits)
    if (known.scalar == type->scalar) {
      set("max", Value::number(known.max));
      set("min", Value::number(-known.max));
      set("tiny", Value::number(known.tiny));
      set("smallest_normal", Value::number(known.tiny));
      set("eps", Value::number(known.eps));
      return Value::dict(std::move(limits));
    }
  return emitter.error("the limits of {} are not known", describe(arguments[0]));
}

Value integerLog2(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<int64_t> value = arguments.integer(emitter, 0);
  if (!value || *value <= 0)
    return value ? emitter.error("_log2 needs a positive number, not {}", *value) : Value::poison();
  return Value::integer(63 - __builtin_clzll(static_cast<uint64_t>(*value)));
}

Value isPowerOfTwo(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<int64_t> value = arguments.integer(emitter, 0);
  return value ? Value::boolean((*value & (*value - 1)) == 0) : Value::poison();
}

/// Decorators that are called: the function stays what it is.
Value sameFunction(Emitter &emitter, const BoundArguments &arguments) {
  return arguments[0].asFunction() || arguments[0].asLambda()
             ? arguments[0]
             : emitter.error("a function is needed here, not {}", describe(arguments[0]));
}

Value integerDtype(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<int64_t> bits = arguments.integer(emitter, 0);
  std::optional<bool> isSignedType = arguments.boolean(emitter, 1);
  if (!bits || !isSignedType)
    return Value::poison();
  constexpr std::tuple<int64_t, Scalar, Scalar> kIntegers[] = {{1, Scalar::Int1, Scalar::Int1},
                                                               {8, Scalar::Int8, Scalar::UInt8},
                                                               {16, Scalar::Int16, Scalar::UInt16},
                                                               {32, Scalar::Int32, Scalar::UInt32},
                                                               {64, Scalar::Int64, Scalar::UInt64}};
  for (const auto &[width, signedScalar, unsignedScalar] : kIntegers)
    if (width == *bits)
      return Value::dtype({*isSignedType ? signedScalar : unsignedScalar, false, false, {}});
  return emitter.error("there is no integer type of {} bits", *bits);
}

constexpr Builtin kBuiltins[] = {
    {"constexpr_function", "fn", sameFunction},
    {"triton.constexpr_function", "fn", sameFunction},
    {"triton.runtime.jit.constexpr_function", "fn", sameFunction},
    {"get_int_dtype", "bitwidth, signed", integerDtype},
    {"torch.iinfo", "dtype", typeLimits},
    {"torch.finfo", "dtype", typeLimits},
    {"_log2", "i", integerLog2},
    {"_is_power_of_two", "i", isPowerOfTwo},
    {"builtins.zip", "*sequences", zip},
    {"builtins.enumerate", "iterable, start=0", enumerate},
    {"builtins.reversed", "sequence", reversed},
    {"builtins.sorted", "iterable", sorted},
    {"builtins.any", "iterable", anyOrAll<true>},
    {"builtins.all", "iterable", anyOrAll<false>},
    {"builtins.set", "x=()", toTuple},
    {"itertools.product", "*iterables", product},
    {"dict.get", "self, key, default=None", dictGet},
    {"dict.keys", "self", dictPart<DictPart::Keys>},
    {"dict.values", "self", dictPart<DictPart::Values>},
    {"dict.items", "self", dictPart<DictPart::Items>},
    {"str.split", "self, separator", split},
    {"str.join", "self, iterable", joinStrings},
    {"str.replace", "self, old, new", replaceAll},
    {"str.strip", "self", strip},
    {"packaging.version.parse", "version", parseVersion},
    {"packaging.version.Version", "version", parseVersion},
    {"triton.Config",
     "kwargs, num_warps=4, num_stages=3, num_ctas=1, maxnreg=None, pre_hook=None, ir_override=None",
     makeConfig},
    {"builtins.len", "x", length},
    {"builtins.min", "*values", pick<false>},
    {"builtins.max", "*values", pick<true>},
    {"builtins.float", "x=0", toFloat},
    {"builtins.int", "x=0", toInt},
    {"builtins.bool", "x=False", toBool},
    {"builtins.str", "x", toStr},
    {"builtins.tuple", "x=()", toTuple},
    {"builtins.list", "x=()", toTuple},
    {"tuple", "x=()", toTuple},
    {"builtins.range", "*bounds", rangeOutsideFor},
    {"range", "*bounds", rangeOutsideFor},
    {"static_range", "*bounds", rangeOutsideFor},
    {"builtins.isinstance", "x, kind", isInstance},
    {"builtins.getattr", "x, name", getAttribute},
    {"builtins.hasattr", "x, name", hasAttribute},
    {"collections.namedtuple", "typename, field_names, defaults=None, module=None", namedTuple},
    {"constexpr", "value", identity},
    {"static_assert", "cond, msg=''", staticAssert},
    {"static_print", "*values, sep=' ', end='', file=None, flush=False", staticPrint},
    {"triton.next_power_of_2", "n", nextPowerOf2},
    {"str.startswith", "self, prefix", startsWith},
    {"str.endswith", "self, suffix", endsWith},
    {"str.lower", "self", convertCase<std::tolower>},
    {"str.upper", "self", convertCase<std::toupper>},
    {"importlib.util.find_spec", "name, package=None", findSpec},
    {"math.sqrt", "x", hostMath<std::sqrt>},
    {"math.log", "x", hostMath<std::log>},
    {"math.log2", "x", hostMath<std::log2>},
    {"math.log10", "x", hostMath<std::log10>},
    {"math.exp", "x", hostMath<std::exp>},
    {"math.floor", "x", hostRounding<std::floor>},
    {"math.ceil", "x", hostRounding<std::ceil>},
    {"os.environ.get", "name, default=None", environment},
    {"os.getenv", "name, default=None", environment},
};

} // namespace

std::span<const Builtin> pythonBuiltins() { return kBuiltins; }

} // namespace inlay::triton
