// Kernel arguments as people write them on the command line, and the signature they stand for.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"
#include "tools/kernel-run/TensorTable.h"
#include "tools/tensorio/NpyTensor.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace inlay::tools {

/// A tensor that the kernel gets as a tensor descriptor with blocks of this shape.
struct DescribedTensor {
  NpyTensor tensor;
  std::vector<int64_t> block;
};

/// The right side of NAME=…: a number, True, False or None; a .npy file, "x.npy" or "bf16:x.npy"
/// (its dtype where NumPy has none); "zeros:f32[64,32]"; "descriptor[64,32]:" before either of
/// these; or several of them behind "addresses:", separated by commas.
using ArgumentText = std::variant<ConstexprValue, NpyTensor, DescribedTensor, TensorTable>;

using ArgumentTexts = std::map<std::string, ArgumentText>;

/// Reads "NAME=…" entries and the files they name. `dtypes` says what raw elements of a file are,
/// by parameter name, where the signature knows it. Errors: InvalidArgument naming the entry, those
/// of readNpy.
Result<ArgumentTexts> parseArguments(const std::vector<std::string> &entries,
                                     const std::map<std::string, DataType> &dtypes);

/// The signature entry of an argument, as a launch from Python would find it: "*fp32:16" for a
/// tensor (its memory is aligned), "tensordesc<fp16[64, 32]>", "*i64:16" for a table of addresses,
/// "i32", "i32:16" (divisible by 16), "i32:1" (1), "i64" (beyond 32 bits), "fp32", "u1". nullopt
/// for None, strings and dtypes, which are compile-time arguments.
std::optional<std::string> signatureEntry(const ArgumentText &argument);

/// The text of a list at the commas outside of brackets.
std::vector<std::string> splitList(std::string_view text);

/// The bits of a number as a parameter of a type. Errors: InvalidArgument naming the parameter if
/// the value is no number of that kind or outside its range.
Result<uint64_t> scalarBits(const std::string &name, const ConstexprValue &value, DataType type);

} // namespace inlay::tools
