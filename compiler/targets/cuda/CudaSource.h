// CUDA C++ to PTX through NVRTC, which is opened when it is needed.
#pragma once

#include "base/Status.h"

#include <string>
#include <string_view>

namespace inlay {

/// What NVRTC makes of one file.
struct CudaProgram {
  std::string ptx;
  std::string entry; // symbol of the kernel in it
};

/// Compiles the text of a file for an architecture ("sm_90a"). `kernel` is a function of the file,
/// or an instance of a template, as C++ writes it ("scale<float>"). Headers are those of the
/// toolkit that NVRTC belongs to. NVRTC is the library that INLAY_NVRTC names, else that of the
/// toolkit of ptxas, else the loader's. Errors: NotFound if there is no NVRTC, saying what to
/// install; InvalidArgument with NVRTC's log.
Result<CudaProgram> compileCudaSource(std::string_view text, const std::string &fileName,
                                      const std::string &kernel, std::string_view architecture);

} // namespace inlay
