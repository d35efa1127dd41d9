// What a static link of LLD asks of LLVM and a compiler for x86-64 and NVIDIA GPUs has no use for.
// Linked before LLVM's own archives, it keeps 120 MB of other machines' code generators out of the
// program.
#include <llvm/Config/llvm-config.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Plugins/PassPlugin.h>

// LLD's driver initializes every target that LLVM was configured with.
#define INLAY_ABSENT_TARGET(Name)                                                                  \
  extern "C" void LLVMInitialize##Name##TargetInfo() {}                                            \
  extern "C" void LLVMInitialize##Name##Target() {}                                                \
  extern "C" void LLVMInitialize##Name##TargetMC() {}                                              \
  extern "C" void LLVMInitialize##Name##AsmPrinter() {}                                            \
  extern "C" void LLVMInitialize##Name##AsmParser() {}

INLAY_ABSENT_TARGET(AArch64)
INLAY_ABSENT_TARGET(AMDGPU)
INLAY_ABSENT_TARGET(ARM)
INLAY_ABSENT_TARGET(AVR)
INLAY_ABSENT_TARGET(BPF)
INLAY_ABSENT_TARGET(Hexagon)
INLAY_ABSENT_TARGET(Lanai)
INLAY_ABSENT_TARGET(LoongArch)
INLAY_ABSENT_TARGET(M68k)
INLAY_ABSENT_TARGET(MSP430)
INLAY_ABSENT_TARGET(Mips)
INLAY_ABSENT_TARGET(PowerPC)
INLAY_ABSENT_TARGET(RISCV)
INLAY_ABSENT_TARGET(SPIRV)
INLAY_ABSENT_TARGET(Sparc)
INLAY_ABSENT_TARGET(SystemZ)
INLAY_ABSENT_TARGET(VE)
INLAY_ABSENT_TARGET(WebAssembly)
INLAY_ABSENT_TARGET(XCore)
INLAY_ABSENT_TARGET(Xtensa)

// LTO asks every configured extension for its passes. Debian's configuration names Polly, whose
// archive it does not ship; nothing here runs LTO.
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "Polly", LLVM_VERSION_STRING, [](llvm::PassBuilder &) {}};
}
