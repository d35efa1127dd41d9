// For tests: kernels of tile IR compiled and run at every level this machine has.
#pragma once

#include "compiler/targets/cpu/CompiledKernel.h"

#include <gtest/gtest.h>

namespace inlay::testing {

/// The levels this machine runs; a missing level is reported by Levels.V4NeedsAvx512ToRun.
inline std::vector<std::string> runnableLevels() {
  std::vector<std::string> levels;
  for (const char *level : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (machineHas(level))
      levels.push_back(level);
  return levels;
}

/// Compiles and loads kernels for the parameter's level; a kernel that does not compile ends the
/// program.
class CpuKernel : public ::testing::TestWithParam<std::string> {
protected:
  LoadedKernel compile(const std::string &arguments, const std::string &body) {
    auto image = compileText(kernelText(arguments, body), GetParam());
    if (!image.isOk()) {
      ADD_FAILURE() << image.status().toString() << "\n" << body;
      std::exit(1);
    }
    imageBytes_ = image->bytes.size();
    auto kernel = LoadedKernel::load(*image);
    if (!kernel.isOk()) {
      ADD_FAILURE() << kernel.status().toString();
      std::exit(1);
    }
    return *kernel;
  }
  size_t imageBytes_ = 0;
};

inline std::string levelName(const ::testing::TestParamInfo<std::string> &info) {
  return info.param.substr(7);
}

} // namespace inlay::testing
