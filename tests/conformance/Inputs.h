// The inputs of a row: the same on every machine.
#pragma once

#include "tests/conformance/Row.h"
#include "tools/kernel-run/KernelRunner.h"

namespace inlay::conformance {

/// The tensor of an argument of the row.
NpyTensor makeTensor(const Row &row, const Argument &argument);
/// All arguments of the row as they are passed to the kernel.
std::vector<tools::KernelArgument> makeArguments(const Row &row,
                                                 const std::vector<Argument> &arguments);
/// An element as a double; 64-bit integers are rounded.
double elementValue(const NpyTensor &tensor, size_t index);
/// The signature entry of an argument: "*fp32:16", "i32", "i32:16" if it is divisible by 16.
std::string signatureEntry(const Argument &argument);
/// The entries of all; those of "NAME.0", "NAME.1" … become one tuple.
std::vector<std::string> signatureOf(const std::vector<Argument> &arguments);

} // namespace inlay::conformance
