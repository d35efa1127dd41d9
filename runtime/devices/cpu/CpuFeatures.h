// Which processor this is, and which level of x86-64 it and the system run.
#pragma once

#include <string>
#include <string_view>

namespace inlay {

/// The levels as targets name them, worst first: "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4".
inline constexpr std::string_view kCpuLevelNames[] = {"x86-64", "x86-64-v2", "x86-64-v3",
                                                      "x86-64-v4"};

/// Index into kCpuLevelNames of the highest level that both processor and system support.
int cpuLevel();

/// The processor's own name, "AMD EPYC 7763 64-Core Processor"; empty if it has none.
std::string cpuBrand();

} // namespace inlay
