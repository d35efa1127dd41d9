#include "compiler/plugins/PluginAbi.h"

#include "base/Error.h"

#include <algorithm>
#include <cstring>

namespace inlay {
namespace {

/// Writes a value into the interface's form.
struct AbiWriter {
  inlay_plugin_value_v1 &out;
  AbiMemory &memory;

  void operator()(std::monostate) const {}
  void operator()(bool value) const { integer(INLAY_PLUGIN_VALUE_BOOL, value); }
  void operator()(int64_t value) const { integer(INLAY_PLUGIN_VALUE_INT, value); }
  void operator()(DataType value) const {
    integer(INLAY_PLUGIN_VALUE_DTYPE, static_cast<int64_t>(value));
  }
  void operator()(double value) const {
    out.kind = INLAY_PLUGIN_VALUE_FLOAT;
    out.number = value;
  }
  void operator()(const std::string &value) const {
    out.kind = INLAY_PLUGIN_VALUE_STRING;
    out.text = value.c_str();
  }
  void operator()(const std::vector<bool> &values) const {
    const auto &copy = memory.integers.emplace_back(values.begin(), values.end());
    out.kind = INLAY_PLUGIN_VALUE_BOOL_LIST;
    out.integers = copy.data();
    out.count = copy.size();
  }
  void operator()(const std::vector<int64_t> &values) const {
    out.kind = INLAY_PLUGIN_VALUE_INT_LIST;
    out.integers = values.data();
    out.count = values.size();
  }
  void operator()(const std::vector<double> &values) const {
    out.kind = INLAY_PLUGIN_VALUE_FLOAT_LIST;
    out.numbers = values.data();
    out.count = values.size();
  }
  void operator()(const std::vector<std::string> &values) const {
    auto &list = memory.textLists.emplace_back();
    for (const std::string &value : values)
      list.push_back(value.c_str());
    out.kind = INLAY_PLUGIN_VALUE_STRING_LIST;
    out.texts = list.data();
    out.count = list.size();
  }

private:
  void integer(inlay_plugin_value_kind_t kind, int64_t value) const {
    out.kind = kind;
    out.integer = value;
  }
};

template <typename T, typename Given>
Result<AttributeValue> listFromAbi(const Given *values, size_t count) {
  if (!values && count != 0)
    return invalidArgument("a list of {} values is null", count);
  return AttributeValue(std::vector<T>(values, values + count));
}

Result<AttributeValue> textsFromAbi(const char *const *texts, size_t count) {
  if (!texts && count != 0)
    return invalidArgument("a list of {} texts is null", count);
  std::vector<std::string> copies;
  for (size_t i = 0; i < count; ++i) {
    INLAY_ASSIGN(std::string text, textFromAbi(texts[i], "a text in a list"));
    copies.push_back(std::move(text));
  }
  return AttributeValue(std::move(copies));
}

} // namespace

inlay_plugin_value_v1 toAbi(const AttributeValue &value, AbiMemory &memory) {
  inlay_plugin_value_v1 out{};
  std::visit(AbiWriter{out, memory}, value);
  return out;
}

Result<AttributeValue> attributeFromAbi(const inlay_plugin_value_v1 &value) {
  switch (value.kind) {
  case INLAY_PLUGIN_VALUE_NONE:
    return AttributeValue();
  case INLAY_PLUGIN_VALUE_BOOL:
    return AttributeValue(value.integer != 0);
  case INLAY_PLUGIN_VALUE_INT:
    return AttributeValue(value.integer);
  case INLAY_PLUGIN_VALUE_FLOAT:
    return AttributeValue(value.number);
  case INLAY_PLUGIN_VALUE_STRING: {
    INLAY_ASSIGN(std::string text, textFromAbi(value.text, "a string"));
    return AttributeValue(std::move(text));
  }
  case INLAY_PLUGIN_VALUE_DTYPE: {
    INLAY_ASSIGN(DataType type, dataTypeFromAbi(static_cast<uint64_t>(value.integer)));
    return AttributeValue(type);
  }
  case INLAY_PLUGIN_VALUE_BOOL_LIST:
    return listFromAbi<bool>(value.integers, value.count);
  case INLAY_PLUGIN_VALUE_INT_LIST:
    return listFromAbi<int64_t>(value.integers, value.count);
  case INLAY_PLUGIN_VALUE_FLOAT_LIST:
    return listFromAbi<double>(value.numbers, value.count);
  case INLAY_PLUGIN_VALUE_STRING_LIST:
    return textsFromAbi(value.texts, value.count);
  default:
    return invalidArgument("{} is no kind of value", value.kind);
  }
}

Result<AttributeKind> attributeKindFromAbi(uint32_t kind) {
  switch (kind) {
  case INLAY_PLUGIN_VALUE_BOOL:
    return AttributeKind::Bool;
  case INLAY_PLUGIN_VALUE_INT:
    return AttributeKind::Int;
  case INLAY_PLUGIN_VALUE_FLOAT:
    return AttributeKind::Float;
  case INLAY_PLUGIN_VALUE_STRING:
    return AttributeKind::String;
  case INLAY_PLUGIN_VALUE_DTYPE:
    return AttributeKind::DataType;
  case INLAY_PLUGIN_VALUE_BOOL_LIST:
    return AttributeKind::BoolList;
  case INLAY_PLUGIN_VALUE_INT_LIST:
    return AttributeKind::IntList;
  case INLAY_PLUGIN_VALUE_FLOAT_LIST:
    return AttributeKind::FloatList;
  case INLAY_PLUGIN_VALUE_STRING_LIST:
    return AttributeKind::StringList;
  case INLAY_PLUGIN_VALUE_NUMBER:
    return AttributeKind::Number;
  default:
    return invalidArgument("{} is no kind of attribute", kind);
  }
}

Result<DataType> dataTypeFromAbi(uint64_t dtype) {
  if (!isDataType(dtype))
    return invalidArgument("{} is no dtype", dtype);
  return static_cast<DataType>(dtype);
}

Result<std::string> textFromAbi(const char *text, std::string_view what) {
  if (!text)
    return invalidArgument("{} is null", what);
  return std::string(text);
}

Status copySizedStruct(const void *given, void *copy, size_t sizeBytes, size_t leastSizeBytes,
                       std::string_view what) {
  if (!given)
    return invalidArgument("{} is null", what);
  size_t givenBytes = 0;
  std::memcpy(&givenBytes, given, sizeof(givenBytes));
  if (givenBytes < leastSizeBytes)
    return invalidArgument("{} has a size_bytes of {}; expected at least {}: set it to sizeof",
                           what, givenBytes, leastSizeBytes);
  const auto *bytes = static_cast<const unsigned char *>(given);
  if (givenBytes > sizeBytes &&
      std::any_of(bytes + sizeBytes, bytes + givenBytes, [](unsigned char b) { return b != 0; }))
    return incompatible(
        "{} has a size_bytes of {} and uses what this Inlay does not know (its size "
        "is {}); it was built for a newer one",
        what, givenBytes, sizeBytes);
  std::memcpy(copy, given, std::min(givenBytes, sizeBytes));
  return {};
}

} // namespace inlay
