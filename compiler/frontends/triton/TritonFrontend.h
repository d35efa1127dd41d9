// From a @triton.jit function in a Python file to the tile dialect.
#pragma once

#include "base/Status.h"
#include "compiler/frontends/triton/Source.h"
#include "compiler/plugins/PluginDefinition.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace inlay::triton {

/// Where an import stopped, for callers that look for another signature.
struct ImportFailure {
  int64_t steps = 0;       // work done before the first error: more is further
  std::vector<Span> spans; // places of the first error in the kernel's own text
  std::string message;     // the first error without its place; empty if there was none
};

/// What to compile. `signature` has one entry per parameter that is not in `constexprs`, in order,
/// as Triton's own tool writes it: "*fp32", "*bf16:16" (address divisible by 16), "*kfp32" (read
/// only), "i32", "i32:16", "i64:1" (equal to 1: becomes a constexpr), "fp32", "u1". A tuple is
/// "(i32, *fp32, =3)": its elements are arguments of their own, in order and named "NAME.INDEX",
/// but for constants behind "=" (numbers, True, False, None).
struct KernelRequest {
  std::string path;   // for messages
  std::string source; // the file's text
  std::string function;
  std::vector<std::string> signature;
  std::map<std::string, ConstexprValue> constexprs;
  int numWarps = 4;
  bool isDebug = false; // keep device_assert and assertions about run-time values
  int numStages = 3;    ///< iterations of a loop in flight on a GPU
  /// Reads the files of what the kernel's file imports (ModuleLoader.h says where they are looked
  /// for); empty: a kernel can use its own file only.
  std::function<std::optional<std::string>(const std::string &path)> readModule;
  std::vector<std::string> includeRoots; // further folders to look in
  /// Receives remarks that are no errors: lines of static_print, decorators and conditions that
  /// were passed over. May be empty.
  std::function<void(std::string_view)> notes;
  /// Is told where the import stopped. May be null.
  ImportFailure *failure = nullptr;
};

/// Splits "*fp32:16, i32, *fp32" at commas, outside brackets, and trims.
std::vector<std::string> splitSignature(std::string_view text);

/// Names of all @triton.jit functions in a file, in order, with the names and defaults of their
/// parameters.
struct KernelParameterDeclaration {
  std::string name;
  bool isConstexpr = false; // annotated tl.constexpr
  bool hasDefault = false;
};
struct KernelDeclaration {
  std::string name;
  int line = 0;
  std::vector<KernelParameterDeclaration> parameters;
};
/// Errors: InvalidArgument with file, line, column, source line and caret for every syntax error
/// found in a kernel.
Result<std::vector<KernelDeclaration>> listKernels(const std::string &path,
                                                   std::string_view source);

/// One configuration of @triton.autotune.
struct KernelConfig {
  std::map<std::string, ConstexprValue> values;
  int numWarps = 4;
  int numStages = 3;
};

/// What a kernel's decorators say about its compile-time parameters.
struct KernelTuning {
  std::vector<KernelConfig> configs;
  std::vector<std::string> key;        // arguments whose change makes the autotuner choose anew
  std::vector<std::string> heuristics; // parameters that @triton.heuristics computes
  std::vector<std::string> notes;      // what could not be evaluated, and why
};

/// Reads the decorators of `request.function`, evaluating what they are made of at compile time.
/// Errors: InvalidArgument if there is no such kernel or it does not parse.
Result<KernelTuning> readTuning(mlir::MLIRContext &context, const KernelRequest &request);

/// Reads and types one kernel and makes a verified tile module holding one func.func with
/// `tile.kernel`, named as the Python function. Errors: InvalidArgument whose message is the
/// rendered diagnostics (file:line:column, the line, a caret, notes).
Result<mlir::OwningOpRef<mlir::ModuleOp>> importKernel(mlir::MLIRContext &context,
                                                       const KernelRequest &request);

} // namespace inlay::triton
