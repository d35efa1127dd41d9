// Inputs, attributes, sizes and outputs of a plugin.
#include "compiler/plugins/ManifestReader.h"

#include <algorithm>

namespace inlay {

Status ManifestReader::readInputs(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *inputs, arrayOf(table, "inputs", true));
  for (const toml::node &node : *inputs) {
    INLAY_ASSIGN(std::string name, stringOf(node, "inputs"));
    INLAY_TRY(checkName(node, name));
    record_.inputNames.push_back(std::move(name));
  }
  return {};
}

std::optional<AttributeKind> ManifestReader::findAttributeKind(std::string_view name) {
  // Exported models carry these as what PyTorch prints.
  if (name == "device" || name == "layout" || name == "memory_format")
    return AttributeKind::String;
  for (int kind = 0; kind <= static_cast<int>(AttributeKind::Number); ++kind)
    if (attributeKindName(static_cast<AttributeKind>(kind)) == name)
      return static_cast<AttributeKind>(kind);
  return std::nullopt;
}

Status ManifestReader::readAttributes(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *attributes, arrayOf(table, "attributes"));
  if (!attributes)
    return {};
  for (const toml::node &node : *attributes) {
    INLAY_ASSIGN(const toml::table *attribute, tableOf(node, "attributes"));
    INLAY_TRY(checkKeys(*attribute, {"name", "type", "default", "optional"}, "an attribute"));
    AttributeParameter parameter;
    INLAY_ASSIGN(parameter.name, requiredString(*attribute, "name"));
    INLAY_TRY(checkName(node, parameter.name));
    INLAY_ASSIGN(std::string type, requiredString(*attribute, "type"));
    std::optional<AttributeKind> kind = findAttributeKind(type);
    if (!kind)
      return errorAt(node,
                     "attribute '{}' has unknown type '{}'; expected bool, int, float, number, "
                     "string, dtype, device, layout, memory_format, bool[], int[], float[] or "
                     "string[]",
                     parameter.name, type);
    parameter.kind = *kind;
    if (const toml::node *optional = attribute->get("optional")) {
      const auto *flag = optional->as_boolean();
      if (!flag)
        return wrongKind(*optional, "optional", "a boolean");
      parameter.isOptional = flag->get();
    }
    if (const toml::node *value = attribute->get("default")) {
      INLAY_ASSIGN(parameter.defaultValue, readAttributeValue(*value, *kind, parameter.name));
    }
    record_.attributes.push_back(std::move(parameter));
  }
  return {};
}

Result<AttributeValue> ManifestReader::readAttributeValue(const toml::node &node,
                                                          AttributeKind kind,
                                                          const std::string &name) const {
  switch (kind) {
  case AttributeKind::Bool:
    if (const auto *flag = node.as_boolean())
      return AttributeValue(flag->get());
    break;
  case AttributeKind::Int:
  case AttributeKind::Number:
    if (const auto *integer = node.as_integer())
      return AttributeValue(integer->get());
    if (const auto *number = node.as_floating_point(); number && kind == AttributeKind::Number)
      return AttributeValue(number->get());
    break;
  case AttributeKind::Float:
    if (std::optional<double> number = node.value<double>(); number && !node.is_boolean())
      return AttributeValue(*number);
    break;
  case AttributeKind::String:
    if (const auto *text = node.as_string())
      return AttributeValue(text->get());
    break;
  case AttributeKind::DataType:
    if (const auto *text = node.as_string())
      if (std::optional<DataType> type = findDataType(text->get()))
        return AttributeValue(*type);
    break;
  case AttributeKind::BoolList:
    return readList<bool>(node, AttributeKind::Bool, kind, name);
  case AttributeKind::IntList:
    return readList<int64_t>(node, AttributeKind::Int, kind, name);
  case AttributeKind::FloatList:
    return readList<double>(node, AttributeKind::Float, kind, name);
  case AttributeKind::StringList:
    return readList<std::string>(node, AttributeKind::String, kind, name);
  case AttributeKind::Size:
  case AttributeKind::SizeList:
  case AttributeKind::SizeNumber:
    break; // no manifest names these
  }
  return errorAt(node, "the default of attribute '{}' is {}; expected {}", name, kindOf(node),
                 attributeKindName(kind));
}

Status ManifestReader::readSizes(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *sizes, arrayOf(table, "sizes"));
  if (!sizes)
    return {};
  for (const toml::node &node : *sizes) {
    INLAY_ASSIGN(const toml::table *written, tableOf(node, "sizes"));
    INLAY_TRY(checkKeys(*written, {"name", "dtype", "max", "opt"}, "a size"));
    ManifestSize size;
    INLAY_ASSIGN(size.name, requiredString(*written, "name"));
    INLAY_TRY(checkName(node, size.name));
    const toml::node *max = written->get("max"), *opt = written->get("opt");
    if (!max)
      return errorAt(node, "key 'max' is missing");
    INLAY_ASSIGN(size.bound, readExpr(*max, "max", {}));
    INLAY_ASSIGN(size.opt, readExpr(opt ? *opt : *max, "opt", {}));
    if (const toml::node *dtype = written->get("dtype")) {
      INLAY_ASSIGN(size.dtype, dataTypeOf(*dtype, "dtype"));
      if (size.dtype != DataType::Int32 && size.dtype != DataType::Int64)
        return errorAt(*dtype, "size '{}' is {}; expected int32 or int64", size.name,
                       dataTypeName(size.dtype));
    }
    record_.sizes.push_back(std::move(size));
  }
  return {};
}

Status ManifestReader::readOutputs(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *outputs, arrayOf(table, "outputs", true));
  for (const toml::node &node : *outputs) {
    INLAY_ASSIGN(const toml::table *written, tableOf(node, "outputs"));
    INLAY_TRY(
        checkKeys(*written, {"name", "like", "shape", "dtype", "aliased", "size"}, "an output"));
    ManifestOutput output;
    INLAY_ASSIGN(output.name, requiredString(*written, "name"));
    INLAY_TRY(checkName(node, output.name));
    INLAY_TRY(readOutputShape(node, *written, output));
    INLAY_TRY(readOutputDataType(node, *written, output));
    record_.outputs.push_back(std::move(output));
  }
  if (record_.outputs.empty())
    return errorAt(*outputs, "a plugin has at least one output");
  return {};
}

Status ManifestReader::readOutputShape(const toml::node &node, const toml::table &written,
                                       ManifestOutput &output) {
  const toml::node *like = written.get("like"), *shape = written.get("shape"),
                   *aliased = written.get("aliased"), *size = written.get("size");
  if (!like + !shape + !aliased + !size != 3)
    return errorAt(node, "output '{}' needs either 'like', 'shape', 'aliased' or 'size'",
                   output.name);
  if (size) {
    INLAY_ASSIGN(std::string name, stringOf(*size, "size"));
    output.size = findSize(name);
    if (!output.size)
      return errorAt(*size, "'{}' is no size of this plugin", name);
    for (const ManifestOutput &other : record_.outputs)
      if (other.size == output.size)
        return errorAt(*size, "outputs '{}' and '{}' are both the size '{}'", other.name,
                       output.name, name);
    output.dtype.fixed = record_.sizes[*output.size].dtype;
    return {};
  }
  if (aliased)
    return readAliased(*aliased, output);
  if (like) {
    INLAY_ASSIGN(std::string input, stringOf(*like, "like"));
    INLAY_ASSIGN(uint32_t index, inputNamed(*like, input));
    output.shapeLikeInput = index;
    output.dtype.likeInput = index;
    return {};
  }
  INLAY_ASSIGN(const toml::array *dims, arrayOf(written, "shape"));
  for (const toml::node &dim : *dims) {
    INLAY_ASSIGN(ManifestExpr expr, readExpr(dim, "shape", {}));
    output.shape.push_back(std::move(expr));
  }
  return {};
}

Status ManifestReader::readAliased(const toml::node &node, ManifestOutput &output) const {
  INLAY_ASSIGN(std::string input, stringOf(node, "aliased"));
  INLAY_ASSIGN(uint32_t index, inputNamed(node, input));
  for (const ManifestOutput &other : record_.outputs)
    if (other.aliasedInput == index)
      return errorAt(node, "outputs '{}' and '{}' are both aliased to input '{}'", other.name,
                     output.name, input);
  output.aliasedInput = output.shapeLikeInput = output.dtype.likeInput = index;
  return {};
}

Status ManifestReader::readOutputDataType(const toml::node &node, const toml::table &written,
                                          ManifestOutput &output) const {
  const toml::node *dtype = written.get("dtype");
  if (output.size)
    return dtype ? errorAt(*dtype, "output '{}' has the type of its size", output.name) : Status();
  if (!dtype)
    return output.shapeLikeInput
               ? Status()
               : errorAt(node, "output '{}' needs 'dtype' beside 'shape'", output.name);
  INLAY_ASSIGN(std::string text, stringOf(*dtype, "dtype"));
  constexpr std::string_view kOfTensor = ".dtype";
  if (text.ends_with(kOfTensor)) {
    INLAY_ASSIGN(output.dtype.likeInput,
                 inputNamed(*dtype, text.substr(0, text.size() - kOfTensor.size())));
    return {};
  }
  output.dtype.fixed = findDataType(text);
  return output.dtype.fixed
             ? Status()
             : errorAt(*dtype, "'{}' is no dtype; write \"float32\" or \"X.dtype\", say", text);
}

Result<DataType> ManifestReader::dataTypeOf(const toml::node &node, std::string_view key) const {
  INLAY_ASSIGN(std::string name, stringOf(node, key));
  if (std::optional<DataType> found = findDataType(name))
    return *found;
  return errorAt(node, "'{}' is no dtype; expected \"float32\", \"int64\" or another", name);
}

Status ManifestReader::readDataTypes(const toml::table &table) {
  const toml::node *node = table.get("dtypes");
  if (!node)
    return {};
  INLAY_ASSIGN(const toml::table *dtypes, tableOf(*node, "dtypes"));
  for (const auto &[key, types] : *dtypes) {
    INLAY_ASSIGN(uint32_t input, inputNamed(types, key.str()));
    const toml::array *array = types.as_array();
    if (!array || array->empty())
      return wrongKind(types, key.str(), "an array of dtypes");
    for (const toml::node &type : *array) {
      INLAY_ASSIGN(DataType found, dataTypeOf(type, "dtypes"));
      record_.dtypes[input].push_back(found);
    }
  }
  return {};
}

Status ManifestReader::readTypeCombinations(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *texts, arrayOf(table, "types"));
  if (!texts)
    return {};
  if (texts->empty())
    return errorAt(*texts, "'types' is empty; expected at least one combination");
  for (const toml::node &node : *texts) {
    INLAY_ASSIGN(std::string text, stringOf(node, "types"));
    auto rows = parseTypeCombinations(text, record_.inputNames.size() + record_.outputs.size());
    if (!rows.isOk())
      return errorAt(node, "in 'types': {}", rows.status().message());
    record_.types.insert(record_.types.end(), rows->begin(), rows->end());
  }
  return {};
}

} // namespace inlay
