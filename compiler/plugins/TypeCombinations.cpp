#include "compiler/plugins/TypeCombinations.h"

#include "base/Error.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace inlay {
namespace {

constexpr size_t kMaxCombinations = 4096;

/// What one tensor may be.
struct Entry {
  std::vector<DataType> types;
  bool isDependent = false; // joined by '|'
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at; (at = text.find(separator)) != std::string_view::npos; text.remove_prefix(at + 1))
    parts.push_back(trimmed(text.substr(0, at)));
  parts.push_back(trimmed(text));
  return parts;
}

/// "FP32", "BF16", "INT8", or PyTorch's name, in any case.
std::optional<DataType> typeNamed(std::string_view name) {
  static constexpr std::pair<std::string_view, DataType> kShort[] = {
      {"fp64", DataType::Float64}, {"fp32", DataType::Float32},  {"fp16", DataType::Float16},
      {"half", DataType::Float16}, {"bf16", DataType::BFloat16}, {"fp8", DataType::Float8E4M3FN}};
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto &[shortName, type] : kShort)
    if (lower == shortName)
      return type;
  return findDataType(lower);
}

Result<Entry> parseEntry(std::string_view text) {
  const bool hasBar = text.find('|') != std::string_view::npos;
  if (hasBar && text.find('*') != std::string_view::npos)
    return invalidArgument("'{}' mixes '|' and '*'; an entry has one of them", text);
  Entry entry;
  entry.isDependent = hasBar;
  for (std::string_view name : split(text, hasBar ? '|' : '*')) {
    const std::optional<DataType> type = typeNamed(name);
    if (!type)
      return invalidArgument(
          "'{}' is no type; expected \"FP32\", \"INT64\", \"float32\" or another", name);
    entry.types.push_back(*type);
  }
  return entry;
}

/// The combinations of the dependent alternatives; other entries have their first type.
Result<std::vector<TypeCombination>> dependentRows(const std::vector<Entry> &entries) {
  size_t numRows = 1;
  for (const Entry &entry : entries) {
    if (!entry.isDependent)
      continue;
    if (numRows != 1 && entry.types.size() != numRows)
      return invalidArgument("entries joined by '|' go together and have {} and {} alternatives",
                             numRows, entry.types.size());
    numRows = entry.types.size();
  }
  std::vector<TypeCombination> rows(numRows);
  for (size_t row = 0; row < numRows; ++row)
    for (const Entry &entry : entries)
      rows[row].push_back(entry.types[entry.isDependent ? row : 0]);
  return rows;
}

} // namespace

Result<std::vector<TypeCombination>> parseTypeCombinations(std::string_view text,
                                                           size_t numTensors) {
  const std::vector<std::string_view> parts = split(text, ',');
  if (parts.size() != numTensors)
    return invalidArgument("'{}' has {} entries; the plugin has {} inputs and outputs", text,
                           parts.size(), numTensors);
  std::vector<Entry> entries;
  for (std::string_view part : parts) {
    INLAY_ASSIGN(Entry entry, parseEntry(part));
    entries.push_back(std::move(entry));
  }
  INLAY_ASSIGN(std::vector<TypeCombination> rows, dependentRows(entries));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].isDependent)
      continue;
    const size_t numRows = rows.size();
    if (numRows * entries[i].types.size() > kMaxCombinations)
      return outOfRange("'{}' gives more than {} combinations", text, kMaxCombinations);
    for (size_t k = 1; k < entries[i].types.size(); ++k)
      for (size_t row = 0; row < numRows; ++row) {
        rows.push_back(rows[row]);
        rows.back()[i] = entries[i].types[k];
      }
  }
  std::vector<TypeCombination> distinct;
  for (TypeCombination &row : rows)
    if (std::ranges::find(distinct, row) == distinct.end())
      distinct.push_back(std::move(row));
  return distinct;
}

std::string typeCombinationText(std::span<const DataType> types, size_t numInputs) {
  std::string text;
  for (size_t i = 0; i < types.size(); ++i) {
    text += i == numInputs ? (i ? " -> " : "-> ") : i ? ", " : "";
    text += dataTypeName(types[i]);
  }
  return text;
}

Status checkTypeCombinations(const PluginDefinition &plugin, const PluginNode &node,
                             std::span<const TypeCombination> allowed) {
  if (allowed.empty())
    return {};
  TypeCombination found;
  for (const std::vector<TensorSpec> *tensors : {&node.inputs, &node.outputs})
    for (const TensorSpec &tensor : *tensors)
      found.push_back(tensor.dtype);
  std::string text;
  for (const TypeCombination &types : allowed) {
    if (types == found)
      return {};
    text += (text.empty() ? "" : "; ") + typeCombinationText(types, node.inputs.size());
  }
  return invalidArgument("node {} ({}, plugin at {}): its types are {}; the plugin takes {}",
                         node.nodeName, node.opName, plugin.origin(),
                         typeCombinationText(found, node.inputs.size()), text);
}

} // namespace inlay
