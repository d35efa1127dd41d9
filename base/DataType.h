// Element types of tensors and scalars, and what is known of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace inlay {

enum class DataType : uint8_t {
#define INLAY_DATA_TYPE(name, cName, value, triton, torch, size, kind) name = value,
#include "base/DataType.def"
#undef INLAY_DATA_TYPE
};

enum class DataTypeKind : uint8_t { Bool, Signed, Unsigned, Float };

/// Size of one element in bytes; bool takes one byte.
int64_t dataTypeSizeBytes(DataType type);
DataTypeKind dataTypeKind(DataType type);
/// PyTorch's name, used in every message and printed form: "float32", "bfloat16", "bool".
std::string_view dataTypeName(DataType type);
/// The Triton language's name in kernel signatures: "fp32", "bf16", "i1".
std::string_view dataTypeTritonName(DataType type);
/// Finds a type by PyTorch or Triton name (also "u1"); nullopt if there is none.
std::optional<DataType> findDataType(std::string_view name);
/// True if `value` is one of the enumerators: for bytes from outside.
bool isDataType(uint64_t value);

} // namespace inlay
