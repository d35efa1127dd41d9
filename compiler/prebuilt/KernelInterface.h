// How a kernel's machine code wants to be called: what its file says, and how that compares with a
// launch.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A parameter as a kernel's code declares it.
struct CodeParameter {
  /// What the code says of the value; PTX says more than a cubin does.
  enum class Kind : uint8_t { Unknown, Pointer, Integer, Float };
  Kind kind = Kind::Unknown;
  uint32_t sizeBytes = 0;
  uint32_t alignmentBytes = 0; // 0: not said
};

/// Threads, or blocks of a cluster, along x, y and z; all 0 where the code says nothing.
using Extents = std::array<uint32_t, 3>;

/// One kernel of a file. A cubin's parameters come from its records, PTX's from the .entry.
struct KernelInterface {
  std::string entry;
  std::vector<CodeParameter> parameters;
  Extents requiredBlock{};      // .reqntid: threads per block
  uint32_t maxThreads = 0;      // .maxntid: product of its extents, 0 if it has none
  Extents requiredCluster{};    // .reqnctapercluster: blocks per cluster
  bool hasMaxRegisters = false; // .maxnreg
  uint32_t registers = 0;       // of a cubin, per thread
};

/// What a file of GPU code holds.
struct GpuCode {
  std::string architecture; // "sm_90a"
  uint32_t ptxVersion = 0;  // PTX: ISA version times ten
  std::vector<KernelInterface> kernels;

  /// The kernel named `entry`, or the only one if `entry` is empty. Errors: NotFound, or
  /// InvalidArgument if there are several, with the names that there are.
  Result<const KernelInterface *> lookup(const std::string &entry) const;
};

/// Reads the header and the entries of PTX. Errors: InvalidArgument with the line.
Result<GpuCode> readPtx(std::string_view text);
/// Reads an ELF file of NVIDIA machine code. Errors: InvalidArgument saying what is wrong with it.
Result<GpuCode> readCubin(std::string_view bytes);

/// An argument of a launch, as far as it matters to the code.
struct PassedArgument {
  DataType dtype = DataType::Int32; // of a pointer: what it points to
  bool isPointer = false;
  std::string text; // as the author wrote it
};

/// Compares the arguments of a launch with the parameters of the code: number, size, pointer or
/// number. Parameters beyond the arguments are scratch pointers, of which `maxScratch` may be.
/// Gives their number. Errors: InvalidArgument naming kernel, parameter and argument, and both
/// lists.
Result<uint32_t> compareParameters(const KernelInterface &kernel,
                                   std::span<const PassedArgument> arguments, uint32_t maxScratch);

/// True if PTX or, where `isCubin`, machine code for `architecture` ("sm_80") runs on the GPUs that
/// `target` ("sm_90a") is built for. Errors: none; what is no architecture runs nowhere.
bool runsOn(std::string_view architecture, bool isCubin, std::string_view target);

} // namespace inlay
