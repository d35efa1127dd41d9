// The values of the plugin interface (inlay/plugin_abi.h), checked and brought to ours and back.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <inlay/plugin_abi.h>

#include <deque>

namespace inlay {

/// Memory behind what is handed out through the interface.
struct AbiMemory {
  std::deque<std::string> texts;
  std::deque<std::vector<int64_t>> integers;
  std::deque<std::vector<const char *>> textLists;
  const char *keep(std::string text) { return texts.emplace_back(std::move(text)).c_str(); }
};

/// A value as the interface has it. Borrows from `value` and `memory`.
inlay_plugin_value_v1 toAbi(const AttributeValue &value, AbiMemory &memory);
/// Errors: InvalidArgument for an unknown kind, a null text or list, a number that is no dtype.
Result<AttributeValue> attributeFromAbi(const inlay_plugin_value_v1 &value);
/// The kind of a declared attribute. Errors: InvalidArgument.
Result<AttributeKind> attributeKindFromAbi(uint32_t kind);
/// Errors: InvalidArgument for a number that is no inlay_dtype_t.
Result<DataType> dataTypeFromAbi(uint64_t dtype);
/// A text that must be there. Errors: InvalidArgument naming `what`.
Result<std::string> textFromAbi(const char *text, std::string_view what);

/// Copies a struct whose first field is its size: fields that the caller's version lacks are 0.
/// Errors: InvalidArgument for null or a size below `leastSizeBytes`; Incompatible if the caller's
/// is larger and what we do not know of is not 0.
Status copySizedStruct(const void *given, void *copy, size_t sizeBytes, size_t leastSizeBytes,
                       std::string_view what);
template <typename Struct>
Result<Struct> structFromAbi(const Struct *given, std::string_view what) {
  Struct copy{};
  INLAY_TRY(copySizedStruct(given, &copy, sizeof(Struct), sizeof(Struct), what));
  return copy;
}

} // namespace inlay
