#include "runtime/devices/cuda/CudaLibraryFunction.h"

#include "base/Error.h"

namespace inlay {

Result<std::unique_ptr<LoadedKernel>> CudaLibraries::load(const fb::Kernel &kernel) {
  INLAY_ASSIGN(const LibraryFunction *function, lookupLibraryFunction(kernel, "cuda"));
  const auto dtype = static_cast<DataType>(kernel.parameters()->Get(0)->dtype());
  const auto opened = [&](auto &library, auto open) {
    const std::lock_guard lock(mutex_);
    if (!library)
      library.emplace(open());
    return *library;
  };
  std::unique_ptr<LoadedKernel> loaded;
  if (function->sizes == LibrarySizes::Matmul) {
    INLAY_ASSIGN(std::shared_ptr<const CublasLt> library, opened(cublasLt_, CublasLt::open));
    loaded = createCublasLtMatmul(std::move(library), *function, dtype);
  } else {
    INLAY_ASSIGN(std::shared_ptr<const Cudnn> library, opened(cudnn_, Cudnn::open));
    loaded = createCudnnConvolution(std::move(library), *function, dtype);
  }
  loaded->setTarget("cuda");
  return loaded;
}

} // namespace inlay
