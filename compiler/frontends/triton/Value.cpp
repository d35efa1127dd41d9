#include "compiler/frontends/triton/Value.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace inlay::triton {

Value Value::slice(Value lower, Value upper, Value step) {
  return Value(Data(std::make_shared<const SliceValue>(
      SliceValue{std::move(lower), std::move(upper), std::move(step)})));
}

Value Value::object(ClassReference type, Elements fields) {
  return Value(
      Data(std::make_shared<const ObjectValue>(ObjectValue{std::move(type), std::move(fields)})));
}

const Value::Elements *Value::asTuple() const {
  if (auto *shared = std::get_if<std::shared_ptr<const Elements>>(&data_))
    return shared->get();
  auto *object = asObject();
  return object ? &object->fields : nullptr;
}

Value Value::withElements(Elements elements) const {
  auto *object = asObject();
  return object ? Value::object(object->type, std::move(elements)) : tuple(std::move(elements));
}

std::optional<size_t> ClassInfo::indexOf(std::string_view field) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == field)
      return i;
  return std::nullopt;
}

const ModuleItem *ClassInfo::findMethod(std::string_view method) const {
  if (item)
    for (const ModuleItem &member : item->body)
      if (member.kind == ModuleItem::Kind::Function && member.name == method)
        return &member;
  return nullptr;
}

Value Value::record(RecordValue value) {
  return Value(Data(std::make_shared<const RecordValue>(std::move(value))));
}

Value Value::dict(DictValue value) {
  return Value(Data(std::make_shared<const DictValue>(std::move(value))));
}

Value Value::lambda(LambdaValue value) {
  return Value(Data(std::make_shared<const LambdaValue>(std::move(value))));
}

const Value *DictValue::find(const Value &key) const {
  for (const auto &[candidate, value] : entries)
    if (equals(candidate, key))
      return &value;
  return nullptr;
}

const Value *DictValue::find(std::string_view key) const {
  return find(Value::string(std::string(key)));
}

void DictValue::set(const Value &key, const Value &value) {
  for (auto &[candidate, old] : entries)
    if (equals(candidate, key)) {
      old = value;
      return;
    }
  entries.emplace_back(key, value);
}

std::optional<Integer> Value::integerValue() const {
  if (auto *value = asBool())
    return Integer(*value);
  if (auto *value = asInteger())
    return *value;
  return std::nullopt;
}

std::optional<double> Value::floatValue() const {
  if (auto *value = asNumber())
    return *value;
  if (auto value = integerValue())
    return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<bool> Value::truth() const {
  if (isPoison() || asTensor() || asRecord())
    return std::nullopt;
  if (isNone())
    return false;
  if (auto *value = asNumber())
    return *value != 0;
  if (auto value = integerValue())
    return *value != 0;
  if (auto *value = asString())
    return !value->empty();
  if (auto *value = asTuple())
    return !value->empty();
  if (auto *value = asDict())
    return !value->entries.empty();
  return true;
}

bool Value::containsPoison() const {
  if (auto *dict = asDict())
    return std::any_of(dict->entries.begin(), dict->entries.end(), [](const auto &entry) {
      return entry.first.containsPoison() || entry.second.containsPoison();
    });
  auto *elements = asTuple();
  return isPoison() ||
         (elements && std::any_of(elements->begin(), elements->end(),
                                  [](const Value &element) { return element.containsPoison(); }));
}

bool Value::containsTensor() const {
  if (auto *dict = asDict())
    return std::any_of(dict->entries.begin(), dict->entries.end(),
                       [](const auto &entry) { return entry.second.containsTensor(); });
  auto *elements = asTuple();
  return asTensor() || asRecord() ||
         (elements && std::any_of(elements->begin(), elements->end(),
                                  [](const Value &element) { return element.containsTensor(); }));
}

std::string toString(Integer value) { return fmt::format("{}", value); }

namespace {

std::string describeFloat(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

} // namespace

std::string describe(const Value &value) {
  if (value.isPoison())
    return "<error>";
  if (value.isNone())
    return "None";
  if (value.isEllipsis())
    return "...";
  if (auto *boolean = value.asBool())
    return *boolean ? "True" : "False";
  if (auto *integer = value.asInteger())
    return toString(*integer);
  if (auto *number = value.asNumber())
    return describeFloat(*number);
  if (auto *string = value.asString())
    return fmt::format("'{}'", *string);
  if (auto *dtype = value.asDtype())
    return dtype->isPointer ? toString(*dtype)
                            : fmt::format("tl.{}", languageNameOf(dtype->scalar));
  if (auto *tensor = value.asTensor())
    return fmt::format("a tensor of type {}", toString(tensor->type));
  if (auto *record = value.asRecord())
    return fmt::format("a {} of {}",
                       record->kind == RecordValue::Kind::Descriptor ? "tensor descriptor"
                                                                     : "block pointer",
                       toString(record->block));
  if (auto *function = value.asFunction())
    return fmt::format("function '{}'", function->item->name);
  if (auto *external = value.asExternal())
    return fmt::format("'{}'", external->path);
  if (auto *type = value.asClass())
    return fmt::format("class '{}'", (*type)->name);
  if (auto *object = value.asObject()) {
    std::string text = object->type->name + "(";
    for (size_t i = 0; i < object->fields.size(); ++i)
      text += fmt::format("{}{}={}", i ? ", " : "", object->type->fields[i].name,
                          describe(object->fields[i]));
    return text + ")";
  }
  if (auto *elements = value.asTuple()) {
    std::string text = "(";
    for (size_t i = 0; i < elements->size(); ++i)
      text += (i ? ", " : "") + describe((*elements)[i]);
    return text + (elements->size() == 1 ? ",)" : ")");
  }
  if (auto *dict = value.asDict()) {
    std::string text = "{";
    for (const auto &[key, element] : dict->entries)
      text += (text.size() > 1 ? ", " : "") + describe(key) + ": " + describe(element);
    return text + "}";
  }
  return value.asLambda() ? "a lambda" : "a slice";
}

bool equals(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber()) {
    auto integerA = a.integerValue(), integerB = b.integerValue();
    return integerA && integerB ? *integerA == *integerB : *a.floatValue() == *b.floatValue();
  }
  if (a.asString() && b.asString())
    return *a.asString() == *b.asString();
  if (a.asDtype() && b.asDtype())
    return *a.asDtype() == *b.asDtype();
  if (a.asFunction() && b.asFunction())
    return *a.asFunction() == *b.asFunction();
  if (a.asClass() && b.asClass())
    return *a.asClass() == *b.asClass();
  if (a.asExternal() && b.asExternal())
    return *a.asExternal() == *b.asExternal();
  if (a.asTensor() && b.asTensor())
    return a.asTensor()->handle == b.asTensor()->handle;
  if (a.asRecord() && b.asRecord())
    return a.asRecord()->kind == b.asRecord()->kind && a.asRecord()->block == b.asRecord()->block &&
           std::equal(a.asRecord()->fields.begin(), a.asRecord()->fields.end(),
                      b.asRecord()->fields.begin(), b.asRecord()->fields.end(),
                      [](const Tensor &x, const Tensor &y) { return x.handle == y.handle; });
  if (a.asDict() && b.asDict())
    return a.asDict()->entries.size() == b.asDict()->entries.size() &&
           std::all_of(a.asDict()->entries.begin(), a.asDict()->entries.end(),
                       [&](const auto &entry) {
                         const Value *other = b.asDict()->find(entry.first);
                         return other && equals(entry.second, *other);
                       });
  if (a.asLambda() || b.asLambda())
    return a.asLambda() == b.asLambda();
  if (a.asTuple() && b.asTuple())
    return std::equal(a.asTuple()->begin(), a.asTuple()->end(), b.asTuple()->begin(),
                      b.asTuple()->end(), equals);
  return (a.isNone() && b.isNone()) || (a.isEllipsis() && b.isEllipsis()) ||
         (a.isPoison() && b.isPoison());
}

std::optional<Scalar> numberType(const Value &number) {
  if (number.asBool())
    return Scalar::Int1;
  if (auto *value = number.asInteger()) {
    constexpr Integer one = 1;
    if (*value >= -(one << 31) && *value < (one << 31))
      return Scalar::Int32;
    if (*value >= 0 && *value < (one << 32))
      return Scalar::UInt32;
    if (*value >= -(one << 63) && *value < (one << 63))
      return Scalar::Int64;
    if (*value >= 0 && *value < (one << 64))
      return Scalar::UInt64;
    return std::nullopt;
  }
  double magnitude = std::fabs(*number.asNumber());
  constexpr double smallest = 0x1p-126, largest = 0x1.fffffep127;
  bool fits = std::isinf(magnitude) || std::isnan(magnitude) || magnitude == 0 ||
              (magnitude >= smallest && magnitude <= largest);
  return fits ? Scalar::Float32 : Scalar::Float64;
}

} // namespace inlay::triton
