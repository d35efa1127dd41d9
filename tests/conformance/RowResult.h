// What became of a row.
#pragma once

#include <cstdint>
#include <string>

namespace inlay::conformance {

/// Where a row stopped.
enum class Outcome : uint8_t {
  Passed,
  Import,    // the front end refused the kernel, or did not refuse it as it should
  Reference, // the interpreter cannot run it
  Compile,   // the device's target refused it
  Run,       // the device failed, or the kernel wrote outside its tensors
  Mismatch,  // results differ
  Crash,     // the process died
  Timeout,
};
const char *outcomeName(Outcome outcome);

struct RowResult {
  Outcome outcome = Outcome::Passed;
  std::string message; // empty if passed
  double milliseconds = 0;
};

} // namespace inlay::conformance
