// Masked loads and stores of which some lanes are known never to take part.
#pragma once

#include "llvm/IR/Module.h"

namespace inlay {

/// Leaves out aligned parts of masked vector accesses, of 16 bytes and more, whose mask is known to
/// be false, and splits the accesses around them. LLVM 22's x86 code generator must not see them:
/// where it cuts a vector into registers and one register's mask is a run-time value and'ed with
/// false, it loads that register without a mask, from memory that may not be ours.
void splitMaskedAccesses(llvm::Module &module);

} // namespace inlay
