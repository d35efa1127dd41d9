// LLVM IR to x86-64 machine code, and an object file to a shared object.
#pragma once

#include "base/Status.h"
#include "compiler/targets/cpu/CpuLevel.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <vector>

namespace inlay {

/// Modules of more instructions than this, before any optimization, get a shorter pipeline.
inline constexpr unsigned kLargeInstructions = 4000;

/// LLVM's code generator for a level. Errors: Internal if this LLVM lacks the x86 back end.
Result<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuLevel &level);

/// Sets triple, data layout and the function attributes of the level, and runs LLVM's optimisation
/// pipeline, or a shorter one over large modules. No library function may be called afterwards, so
/// none is assumed to exist.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, const CpuLevel &level);

/// The module's object file or assembly text. The module is used up.
Result<llvm::SmallVector<char, 0>> generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                                                llvm::CodeGenFileType type);

/// Links one object into a shared object that exports its global symbols and needs nothing. Errors:
/// Internal naming a symbol the object needs and does not define.
Result<std::vector<std::byte>> linkSharedObject(llvm::ArrayRef<char> object);

} // namespace inlay
