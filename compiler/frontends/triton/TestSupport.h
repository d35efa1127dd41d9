// Importing kernels in tests.
#pragma once

#include "compiler/frontends/triton/TritonFrontend.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace inlay::triton {

/// A request for a kernel in a text; `imports` (triton, tl, libdevice) are put before it on one
/// line, so that its first line is 2.
KernelRequest request(std::string_view source, std::string_view signature,
                      std::map<std::string, ConstexprValue> constexprs = {},
                      std::string function = "kernel");
/// A request for a kernel in a file of this folder's test/.
KernelRequest requestFromFile(const std::string &file, std::string function,
                              std::string_view signature,
                              std::map<std::string, ConstexprValue> constexprs = {});
/// The module's text, or the error's message after "ERROR ".
std::string import(const KernelRequest &request);
/// A kernel of the given body lines, imported: see `request`.
std::string importBody(std::string_view parameters, std::string_view body,
                       std::string_view signature,
                       std::map<std::string, ConstexprValue> constexprs = {});

} // namespace inlay::triton
