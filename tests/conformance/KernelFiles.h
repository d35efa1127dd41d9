// The files of kernels/, which are compiled into the program.
#pragma once

#include <string>
#include <string_view>

namespace inlay::conformance {

/// The text of kernels/NAME.py. Aborts if there is none.
std::string kernelFile(std::string_view name);

} // namespace inlay::conformance
