// Runs one row: through the front end, on the reference interpreter and on a device.
#pragma once

#include "tests/conformance/Row.h"
#include "tests/conformance/RowResult.h"
#include "tools/kernel-run/KernelRunner.h"
#include "tools/tensorio/Npy.h"

#include "mlir/IR/MLIRContext.h"

#include <memory>
#include <optional>

namespace inlay {
class Target;
}

namespace inlay::conformance {

/// Tensors before and after a run, for other programs to repeat it: "in_NAME", "out_NAME" (of the
/// device), "ref_NAME" (of the interpreter).
using RowTensors = NamedTensors;

/// Names of devices that rows are only compiled for: "compile:cuda:sm_90a".
inline constexpr std::string_view kCompileOnly = "compile:";

/// Runs rows one after the other on one device, or only compiles them. Not thread-safe.
class RowRunner {
public:
  static Result<RowRunner> open(const std::string &device);
  RowRunner(RowRunner &&) = default;
  ~RowRunner();

  /// "NVIDIA H200, cuda:sm_90a", for people.
  std::string describe() const;
  /// `outTensors`, if given, receives the tensors of a row that ran.
  RowResult run(const Row &row, RowTensors *outTensors = nullptr);

private:
  RowRunner(std::optional<tools::KernelRunner> runner, std::unique_ptr<Target> target);

  std::optional<tools::KernelRunner> runner_; // none: rows are only compiled
  std::unique_ptr<Target> target_;
  std::unique_ptr<mlir::MLIRContext> context_;
};

} // namespace inlay::conformance
