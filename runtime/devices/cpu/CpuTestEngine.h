// The test engine with code that runs on every x86-64 CPU (CpuKernel_testlibrary.cpp).
#pragma once

#include "base/File.h"
#include "runtime/core/TestContext.h"

#include <cstring>
#include <string>

namespace inlay {

/// The test engine with the library as its image for the lowest level; it adds bias[0] * 0.5 = 1
/// and takes any n.
inline TestEngine makeCpuEngine() {
  TestEngine test = makeTestEngine();
  test.engine.checks.clear();
  test.engine.kernels[0]->images[1]->target = "cpu:x86-64";
  Result<std::string> library = readFile(INLAY_TEST_CPU_KERNELS);
  INLAY_CHECK(library.isOk(), library.status().toString());
  test.segments[1] = bytesOf(*library);
  const float bias[] = {2, 0};
  std::memcpy(test.segments[2].data(), bias, sizeof(bias));
  return test;
}

} // namespace inlay
