#include "tools/kernel-run/ArgumentText.h"

#include "base/Error.h"
#include "compiler/driver/KernelTool.h"
#include "runtime/core/ArgumentValue.h"
#include "tools/tensorio/Npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace inlay::tools {
namespace {

/// Also "f32" for "fp32", as shapes of tensors are often written.
std::optional<DataType> findArgumentType(std::string_view name) {
  if (name.size() > 1 && name[0] == 'f' && name[1] >= '0' && name[1] <= '9')
    return findDataType("fp" + std::string(name.substr(1)));
  return findDataType(name);
}

/// The sizes of "[64,32]"; nullopt if the text is something else.
std::optional<std::vector<int64_t>> parseSizes(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']'))
    return std::nullopt;
  std::vector<int64_t> parsed;
  std::string_view sizes = text.substr(1, text.size() - 2);
  while (!sizes.empty()) {
    int64_t size = -1;
    const auto [stop, error] = std::from_chars(sizes.data(), sizes.data() + sizes.size(), size);
    const auto length = static_cast<size_t>(stop - sizes.data());
    if (error != std::errc() || size < 0 || (length < sizes.size() && sizes[length] != ','))
      return std::nullopt;
    parsed.push_back(size);
    sizes.remove_prefix(std::min(length + 1, sizes.size()));
  }
  return parsed;
}

/// "f32[64,32]" filled with zeros; "f32[]" has one element.
Result<NpyTensor> parseZeros(const std::string &entry, std::string_view text) {
  const size_t bracket = std::min(text.find('['), text.size());
  const std::optional<DataType> dtype = findArgumentType(text.substr(0, bracket));
  std::optional<std::vector<int64_t>> sizes = parseSizes(text.substr(bracket));
  if (!dtype || !sizes)
    return invalidArgument(
        "argument '{}': expected zeros:DTYPE[SIZE,…], for example zeros:f32[64,32]", entry);
  NpyTensor tensor;
  tensor.dtype = *dtype;
  tensor.shape = std::move(*sizes);
  INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, tensor.shape),
               "reading argument '" + entry + "'");
  tensor.data.resize(static_cast<size_t>(sizeBytes));
  return tensor;
}

Result<NpyTensor> readTensor(const std::string &entry, std::string text,
                             std::optional<DataType> dtype) {
  if (const size_t colon = text.find(':'); colon != std::string::npos)
    if (const auto said = findArgumentType(std::string_view(text).substr(0, colon))) {
      dtype = said;
      text = text.substr(colon + 1);
    }
  INLAY_ASSIGN(NpyTensor tensor, readNpy(text, dtype), "reading argument '" + entry + "'");
  return tensor;
}

bool isTensor(std::string_view text) {
  return text.starts_with("zeros:") || text.ends_with(".npy");
}

/// A file or zeros.
Result<NpyTensor> parseTensor(const std::string &entry, const std::string &text,
                              std::optional<DataType> dtype) {
  if (text.starts_with("zeros:"))
    return parseZeros(entry, std::string_view(text).substr(6));
  if (text.ends_with(".npy"))
    return readTensor(entry, text, dtype);
  return invalidArgument("argument '{}': '{}' is no tensor; expected FILE.npy or "
                         "zeros:DTYPE[SIZE,…]",
                         entry, text);
}

/// "[64,32]:TENSOR": what follows "descriptor".
Result<DescribedTensor> parseDescribed(const std::string &entry, std::string_view text,
                                       std::optional<DataType> dtype) {
  const size_t colon = text.find(':');
  const auto block = parseSizes(text.substr(0, colon));
  if (!block || colon == std::string_view::npos)
    return invalidArgument("argument '{}': expected descriptor[SIZE,…]:TENSOR with the shape of a "
                           "block, for example descriptor[64,32]:x.npy",
                           entry);
  INLAY_ASSIGN(NpyTensor tensor, parseTensor(entry, std::string(text.substr(colon + 1)), dtype));
  if (tensor.shape.size() != block->size())
    return invalidArgument("argument '{}': the block has rank {}, the tensor rank {}", entry,
                           block->size(), tensor.shape.size());
  return DescribedTensor{std::move(tensor), *block};
}

Result<TensorTable> parseTable(const std::string &entry, std::string_view text) {
  TensorTable table;
  for (const std::string &item : splitList(text)) {
    INLAY_ASSIGN(NpyTensor tensor, parseTensor(entry, item, std::nullopt));
    table.tensors.push_back(std::move(tensor));
  }
  return table;
}

Result<ArgumentText> parseValue(const std::string &entry, const std::string &name,
                                const std::string &text, std::optional<DataType> dtype) {
  if (text.starts_with("addresses:")) {
    INLAY_ASSIGN(TensorTable table, parseTable(entry, std::string_view(text).substr(10)));
    return ArgumentText(std::move(table));
  }
  if (text.starts_with("descriptor[")) {
    INLAY_ASSIGN(DescribedTensor described,
                 parseDescribed(entry, std::string_view(text).substr(10), dtype));
    return ArgumentText(std::move(described));
  }
  if (isTensor(text)) {
    INLAY_ASSIGN(NpyTensor tensor, parseTensor(entry, text, dtype));
    return ArgumentText(std::move(tensor));
  }
  auto values = parseConstexprs({entry});
  if (!values.isOk())
    return invalidArgument("argument '{}': expected NAME=FILE.npy, NAME=zeros:DTYPE[SIZE,…] or "
                           "NAME=VALUE with a number, True, False or None",
                           entry);
  return ArgumentText(std::move(values->at(name)));
}

} // namespace

Result<ArgumentTexts> parseArguments(const std::vector<std::string> &entries,
                                     const std::map<std::string, DataType> &dtypes) {
  ArgumentTexts arguments;
  for (const std::string &entry : entries) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      return invalidArgument("argument '{}': expected NAME=FILE.npy, NAME=zeros:DTYPE[SIZE,…] or "
                             "NAME=VALUE",
                             entry);
    const std::string name = entry.substr(0, equals);
    const auto known = dtypes.find(name);
    INLAY_ASSIGN(ArgumentText value,
                 parseValue(entry, name, entry.substr(equals + 1),
                            known == dtypes.end() ? std::nullopt : std::optional(known->second)));
    if (!arguments.emplace(name, std::move(value)).second)
      return invalidArgument("argument '{}' is given twice", name);
  }
  return arguments;
}

std::vector<std::string> splitList(std::string_view text) {
  std::vector<std::string> items(1);
  int depth = 0;
  for (const char c : text) {
    depth += (c == '[') - (c == ']');
    if (c == ',' && depth == 0)
      items.emplace_back();
    else
      items.back() += c;
  }
  return items;
}

std::optional<std::string> signatureEntry(const ArgumentText &argument) {
  if (const auto *tensor = std::get_if<NpyTensor>(&argument))
    return fmt::format("*{}:16", dataTypeTritonName(tensor->dtype));
  if (const auto *described = std::get_if<DescribedTensor>(&argument))
    return fmt::format("tensordesc<{}[{}]>", dataTypeTritonName(described->tensor.dtype),
                       fmt::join(described->block, ", "));
  if (std::holds_alternative<TensorTable>(argument))
    return "*i64:16";
  const auto &value = std::get<ConstexprValue>(argument);
  if (std::holds_alternative<bool>(value))
    return "u1";
  if (std::holds_alternative<double>(value))
    return "fp32";
  const auto *integer = std::get_if<int64_t>(&value);
  if (!integer)
    return std::nullopt;
  const bool fits = *integer >= std::numeric_limits<int32_t>::min() &&
                    *integer <= std::numeric_limits<int32_t>::max();
  const char *promise = *integer == 1 ? ":1" : *integer % 16 == 0 ? ":16" : "";
  return fmt::format("{}{}", fits ? "i32" : "i64", promise);
}

Result<uint64_t> scalarBits(const std::string &name, const ConstexprValue &value, DataType type) {
  uint64_t bits = 0;
  bool isStored = false;
  if (const auto *integer = std::get_if<int64_t>(&value))
    isStored =
        storeInteger(type, *integer, bits) || storeFloat(type, static_cast<double>(*integer), bits);
  else if (const auto *truth = std::get_if<bool>(&value))
    isStored = storeInteger(type, *truth, bits);
  else if (const auto *real = std::get_if<double>(&value))
    isStored = storeFloat(type, *real, bits);
  if (!isStored)
    return invalidArgument("argument '{}' is no value of {}, the type of the parameter", name,
                           dataTypeTritonName(type));
  return bits;
}

} // namespace inlay::tools
