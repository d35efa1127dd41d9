// What every code-generation target offers: tile IR in, kernel images out.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace inlay {

/// A kernel's run-time parameter, as code and launcher agree on it.
struct KernelParameter {
  std::string name;
  bool isPointer = false;
  DataType dtype = DataType::Int32; // element type of a pointer
};

/// The values are those of the engine file.
enum class ImageFormat : uint8_t { Ptx, Cubin, X86SharedObject, LibraryFunction };

/// Machine code of one kernel for one target, or a library's function, which has no code and is for
/// a family of targets.
struct KernelImage {
  std::string target; // "cuda:sm_90a", "cpu:x86-64-v3"
  ImageFormat format;
  std::string entry;            // symbol in the code
  std::vector<std::byte> bytes; // PTX: text without a terminating 0
  uint32_t numWarps = 0;        // cuda
  uint32_t sharedBytes = 0;     // cuda: dynamic shared memory per block
  uint32_t registers = 0;       // cuda, 0 if unknown
  uint32_t spillBytes = 0;      // cuda
  uint32_t ptxVersion = 0;      // cuda, ISA version times ten
  // cuda; the compiler's own code has blocks of 32 * numWarps threads and no clusters
  std::array<uint32_t, 3> block{};   // threads along x, y, z; all 0: 32 * numWarps along x
  std::array<uint32_t, 3> cluster{}; // blocks along x, y, z; all 0: no clusters
  uint32_t blocksPerProgram = 1;     // along x
  bool isCooperative = false;        // all blocks of the grid run at once
  bool isProgrammatic = false;       // may start before the launch in front of it has ended
  uint64_t scratchBytes =
      0; // cpu: memory each thread brings; 0 if the entry takes no such argument
};

/// Receives the text (or bytes) of each stage a kernel passes: "tile", "llvm", "ll", "ptx",
/// "cubin", "s", "so".
using StageSink = std::function<void(std::string_view stage, std::string_view bytes)>;

struct KernelCompileOptions {
  StageSink stageSink; // may be empty
  /// If not empty, the sink receives this stage alone, and nothing is made that it does not need:
  /// there may be no images then.
  std::string onlyStage;

  bool wants(std::string_view stage) const {
    return stageSink && (onlyStage.empty() || onlyStage == stage);
  }
};

/// One thing to compile for. Made by createTarget; not thread-safe.
class Target {
public:
  virtual ~Target() = default;
  /// Canonical name: "cuda:sm_90a", "cpu:x86-64-v3".
  virtual const std::string &name() const = 0;
  /// The stages that a kernel passes, in order, as the sink names them.
  virtual llvm::ArrayRef<std::string_view> stages() const = 0;
  /// Compiles the only kernel of a verified tile module; the module is left as it was. A CUDA
  /// target gives PTX, and a cubin after it where ptxas is installed. Errors: Unimplemented (an op
  /// this target cannot do, with its source location), Internal.
  virtual Result<std::vector<KernelImage>> compile(mlir::ModuleOp module,
                                                   const KernelCompileOptions &options) const = 0;
};

/// Parameters of the only kernel of a tile module, from its argument types and attributes.
Result<std::vector<KernelParameter>> kernelParameters(mlir::ModuleOp module);

/// Makes the targets a name stands for: "cuda:sm_90a" one; "cuda" the baseline sm_80;
/// "cpu:x86-64-v3" one; "cpu" the levels v2, v3 and v4. Errors: InvalidArgument naming the known
/// targets.
Result<std::vector<std::unique_ptr<Target>>> createTargets(std::string_view name);

} // namespace inlay
