// What the levels of x86-64 have.
#pragma once

#include <string_view>

namespace inlay {

/// A processor level as LLVM names it, and what code generation needs to know about it.
struct CpuLevel {
  std::string_view name;
  unsigned vectorBytes; ///< registers the code uses; 32 on v4 too, where 64 costs clock rate on
                        ///< many machines
  unsigned arithmeticVectorBytes; ///< of kernels with matrix products, or with functions (exp, …),
                                  ///< which gain more than that
  bool hasMaskedAccess;
  bool hasFma;
  bool hasF16Conversion;
};

inline constexpr CpuLevel kCpuLevels[] = {
    {"x86-64-v2", 16, 16, false, false, false},
    {"x86-64-v3", 32, 32, false, true, true},
    {"x86-64-v4", 32, 64, true, true, true},
};

} // namespace inlay
