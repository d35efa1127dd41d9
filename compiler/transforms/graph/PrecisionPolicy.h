// Which operators compute in half precision.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// The precision of a build.
struct PrecisionOptions {
  /// Float16 or BFloat16; none: every operator computes in the types that the model has.
  std::optional<DataType> type;
  /// Tensor cores may round what float32 products multiply to TF32 (10 bits); no type changes.
  bool allowsTf32 = false;
  /// Operators ("aten::mul", every overload, or "aten::mul.Tensor") and nodes of the model
  /// ("mul_3") that stay in float32, beside those that do by default.
  std::vector<std::string> keepFp32 = {};

  bool isOn() const { return type.has_value() || allowsTf32; }
  /// "float16", "bfloat16", "tf32"; "keep" if it is not on.
  std::string name() const;
};

/// Operators of one name that stay in float32 for one reason.
struct KeptOperator {
  std::string opName;
  std::string reason;
  uint32_t count = 0;
};

/// What became of a model.
struct PrecisionOutcome {
  std::string type; // "float16", "bfloat16", "tf32"
  uint32_t numConverted = 0;
  uint32_t numCasts = 0;          // at run time: at the model's borders, and around what stays
  std::vector<KeptOperator> kept; // sorted
  uint64_t weightBytesBefore = 0, weightBytesAfter = 0;
};

/// Reads "keep", "fp16", "bf16" or "tf32". Errors: InvalidArgument naming what was found and
/// expected.
Result<PrecisionOptions> parsePrecision(std::string_view text);

/// The operators that stay in float32 by default, by name without namespace and overload, sorted:
/// those that sum many numbers, and those whose results or errors grow fast.
const std::vector<std::string_view> &operatorsKeptByDefault();

/// The entry of keepFp32 that names a call; nullopt if none does.
std::optional<std::string> findKeptEntry(const PrecisionOptions &options, std::string_view opName,
                                         std::string_view node);

/// Why a call stays in float32 whatever its types; empty if it need not.
std::string whyKept(const PrecisionOptions &options, std::string_view opName,
                    std::string_view node);

} // namespace inlay
