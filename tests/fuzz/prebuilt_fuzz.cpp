// Kernels that others compiled: arbitrary bytes as PTX, as a cubin, as an x86-64 object and as
// Triton's JSON. What reads well is also compared with arguments.
#include "compiler/prebuilt/KernelInterface.h"
#include "compiler/prebuilt/TritonMetadata.h"
#include "compiler/prebuilt/X86Code.h"

#include <cstddef>

using namespace inlay;

namespace {

void use(const Result<GpuCode> &code) {
  if (!code.isOk())
    return;
  const PassedArgument arguments[] = {{DataType::Float32, true, "X"},
                                      {DataType::Int32, false, "n"},
                                      {DataType::Float32, true, "Y"}};
  for (const KernelInterface &kernel : (*code).kernels)
    (void)compareParameters(kernel, arguments, 2);
  (void)(*code).lookup("");
  (void)runsOn((*code).architecture, true, "sm_90a");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  use(readPtx(bytes));
  use(readCubin(bytes));
  (void)readTritonMetadata(bytes);
  if (Result<X86Code> code = X86Code::read(bytes); code.isOk())
    (void)code->findSignature("add_one_kernel");
  return 0;
}
