// What ptxas says of the user's inline assembly, at the kernel's lines.
#pragma once

#include "base/Status.h"

#include "mlir/IR/BuiltinOps.h"

#include <string_view>

namespace inlay {

/// ptxas' refusal of `ptx` as an Unimplemented error at the places of the kernel whose inline
/// assembly it complains of, with its own words and the line of the assembly; `status` unchanged if
/// any complaint is about other lines. `module` is the kernel in the LLVM dialect.
Status explainRefusal(Status status, std::string_view ptx, std::string_view architecture,
                      mlir::ModuleOp module);

} // namespace inlay
