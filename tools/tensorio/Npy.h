// NumPy's .npy and .npz files.
#pragma once

#include "tools/tensorio/NpyTensor.h"

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace inlay {

/// Reads the bytes of a .npy file (versions 1 to 3, little-endian, C order). NumPy has no bfloat16
/// and no 8-bit floats: `dtype` says what raw elements (|V2, |V1, |u1, <u2) of that size really
/// are. Errors: DataLoss for what is no .npy file or is truncated, Unimplemented for Fortran order,
/// big-endian and other element types, each naming what was found.
Result<NpyTensor> parseNpy(std::span<const std::byte> bytes,
                           std::optional<DataType> dtype = std::nullopt);
/// The bytes of a .npy file (version 1.0). bfloat16 is written as |V2, 8-bit floats as |V1;
/// parseNpy reads them back if told the dtype.
Result<std::vector<std::byte>> formatNpy(const NpyTensor &tensor);

Result<NpyTensor> readNpy(const std::string &path, std::optional<DataType> dtype = std::nullopt);
Status writeNpy(const std::string &path, const NpyTensor &tensor);

using NamedTensors = std::vector<std::pair<std::string, NpyTensor>>;

/// Raw elements of a member take the dtype found here by name ("in_0", without ".npy").
using DataTypeOf = std::function<std::optional<DataType>(std::string_view name)>;

/// Which members are read, by name as above.
using MemberFilter = std::function<bool(std::string_view name)>;

/// Reads the members of a .npz file (stored or deflated), in the file's order; without a filter all
/// of them. Errors: as parseNpy,
/// naming the member; DataLoss also for two members of one name, a wrong checksum, and a member
/// that is larger than its .npy header says.
Result<NamedTensors> readNpz(const std::string &path, const DataTypeOf &dtypeOf = nullptr,
                             const MemberFilter &isWanted = nullptr);
/// Writes a .npz file with stored members. The same tensors give the same bytes.
Status writeNpz(const std::string &path, const NamedTensors &tensors);

} // namespace inlay
