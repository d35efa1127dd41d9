// LLVM IR to PTX.
#pragma once

#include "base/Status.h"

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace inlay {

/// A row of Architectures.def.
struct CudaArchitecture {
  std::string_view name;
  uint32_t ptxVersion; ///< ISA version times ten
};

/// LLVM's code generator for an architecture and its PTX version. Errors: Internal if this LLVM
/// lacks the NVPTX back end.
Result<std::unique_ptr<llvm::TargetMachine>> createPtxMachine(const CudaArchitecture &architecture);

/// Sets triple and data layout and runs LLVM's optimisation pipeline.
void optimizeForGpu(llvm::Module &module, llvm::TargetMachine &machine);

/// The module as PTX text. The module is used up.
Result<std::string> generatePtx(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace inlay
