// Compiles every kernel of files and packages for some targets without being told their arguments:
// what `inlay kernel check` does.
#pragma once

#include "base/Status.h"
#include "compiler/frontends/triton/Launches.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace inlay {

struct KernelCheckOptions {
  std::vector<std::string> targets;             // "cuda:sm_90a", "cpu:x86-64-v3"
  std::vector<std::string> includeRoots;        // folders with modules that files import
  std::map<std::string, std::string> types;     // parameter -> signature entry, for all kernels
  std::map<std::string, std::string> constants; // parameter -> value, as --constexpr takes it
  int maxAttempts = 400;                        // signatures tried before giving up
  double maxSearchSeconds = 20;                 // no further signature is tried after these
};

/// A @triton.jit function found by the walk.
struct FoundKernel {
  std::string path;
  std::string name;
  int line = 0;
  bool isHelper = false; // only called by other kernels, or returns a value
};

/// The files of a walk, with what is known across them. Files are read once.
class KernelPackage {
public:
  /// Reads `.py` files, and those below folders in the order of their names; links and folders
  /// whose name begins with a dot are passed over. Errors: NotFound naming a path that is missing
  /// or holds no Python file.
  static Result<KernelPackage> open(const std::vector<std::string> &paths);

  const std::vector<FoundKernel> &kernels() const { return kernels_; }
  const std::vector<std::string> &files() const { return files_; }
  /// The folders above the packages that the files belong to, sorted: where one package's imports
  /// of another are found.
  std::vector<std::string> importRoots() const;
  /// Launches of a kernel: those in its own file, else those of all files.
  std::vector<triton::Launch> launchesOf(const FoundKernel &kernel) const;

private:
  std::vector<std::string> files_;
  std::vector<FoundKernel> kernels_;
  std::map<std::string, std::map<std::string, std::vector<triton::Launch>>> launches_;
};

/// How one target took a kernel.
struct KernelCheckTarget {
  std::string name;
  bool isCompiled = false;
  std::string reason;
  size_t sizeBytes = 0; // of the image
  double milliseconds = 0;
};

/// How one parameter of a signature was found.
struct KernelCheckParameter {
  std::string name;
  std::string choice;     // a signature entry; "=VALUE" for a compile-time value; "=": its default
  std::string ground;     // as triton::choiceGroundName gives it
  bool isRevised = false; // another choice, likelier by the text, did not type or was too large
};

/// What became of one kernel.
struct KernelCheckResult {
  bool isParsed = false;
  bool isTyped = false;
  std::string signature; // of the run-time parameters, as --signature takes it
  std::vector<std::string> constexprs;
  std::vector<KernelCheckParameter> parameters; // in the order of the function
  int numWarps = 4;
  int numStages = 3;
  int attempts = 0;   // signatures tried
  std::string reason; // why it could not be parsed or typed: the diagnostics
  std::vector<KernelCheckTarget> targets;
  std::vector<std::string> notes;

  bool isCompiled() const; // for all targets
};

/// Finds a signature that types, then compiles for each target. Never fails: what goes wrong is in
/// the result.
KernelCheckResult checkKernel(const FoundKernel &kernel,
                              const std::vector<triton::Launch> &launches,
                              const KernelCheckOptions &options);

/// One JSON object without line breaks, and back. Errors of reading: InvalidArgument.
std::string toJson(const KernelCheckResult &result);
Result<KernelCheckResult> readKernelCheckResult(std::string_view json);

} // namespace inlay
