// Libraries of others that engines may use: opened at run time, never needed.
#pragma once

#include "base/DynamicLibrary.h"
#include "base/Env.h"
#include "base/LibraryFunctions.h"
#include "engine/EngineFile.h"

#include <span>
#include <string>

namespace inlay {

/// Opens the library that the variable names, or the first of `names` that the loader finds.
/// `library` is what people call it. Errors: NotFound with the loader's reasons, also for a
/// variable that is "none".
Result<DynamicLibrary> openVendorLibrary(std::string_view library, EnvironmentVariable variable,
                                         std::span<const char *const> names);

/// The function of a library that stands for a kernel on this family of devices ("cpu"); its
/// parameters are as they must be. Errors: Incompatible naming the kernel and what it has for other
/// devices, or a function that this version does not know; DataLoss for other parameters.
Result<const LibraryFunction *> lookupLibraryFunction(const fb::Kernel &kernel,
                                                      std::string_view family);

/// Reads a launch's sizes, which stand behind its pointers.
template <typename Sizes>
void readSizes(void *const *arguments, uint32_t numPointers, Sizes &sizes) {
  uint32_t next = numPointers;
  sizes.forEach([&](const char *, int64_t &size) {
    size = *static_cast<const int64_t *>(arguments[next++]);
  });
}

/// How many pointers a function takes.
uint32_t numPointers(const LibraryFunction &function);
/// How many dimensions a convolution has.
constexpr size_t numDims(const LibraryFunction &function) {
  return function.sizes == LibrarySizes::Convolution3d ? 3 : 2;
}

} // namespace inlay
