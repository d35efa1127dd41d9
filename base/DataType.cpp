#include "base/DataType.h"

#include <algorithm>
#include <iterator>

namespace inlay {
namespace {

struct DataTypeInfo {
  DataType type;
  std::string_view triton;
  std::string_view torch;
  int64_t sizeBytes;
  DataTypeKind kind;
};

constexpr DataTypeInfo kInfos[] = {
#define INLAY_DATA_TYPE(name, cName, value, triton, torch, size, kind)                             \
  {DataType::name, triton, torch, size, DataTypeKind::kind},
#include "base/DataType.def"
#undef INLAY_DATA_TYPE
};

// The values run from 1 without gaps, so that the table is indexed by them.
const DataTypeInfo &infoOf(DataType type) { return kInfos[static_cast<size_t>(type) - 1]; }

} // namespace

int64_t dataTypeSizeBytes(DataType type) { return infoOf(type).sizeBytes; }
DataTypeKind dataTypeKind(DataType type) { return infoOf(type).kind; }
std::string_view dataTypeName(DataType type) { return infoOf(type).torch; }
std::string_view dataTypeTritonName(DataType type) { return infoOf(type).triton; }

std::optional<DataType> findDataType(std::string_view name) {
  if (name == "u1" || name == "int1")
    return DataType::Bool;
  // The language's own names of types that have others in signatures and in PyTorch.
  if (name == "float8e4nv" || name == "float8e5")
    return findDataType(name == "float8e5" ? "fp8e5" : "fp8e4nv");
  auto it = std::find_if(std::begin(kInfos), std::end(kInfos), [&](const DataTypeInfo &info) {
    return info.torch == name || info.triton == name;
  });
  if (it == std::end(kInfos))
    return std::nullopt;
  return it->type;
}

bool isDataType(uint64_t value) { return value >= 1 && value <= std::size(kInfos); }

} // namespace inlay
