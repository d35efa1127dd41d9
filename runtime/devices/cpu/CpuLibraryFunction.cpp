#include "runtime/devices/cpu/CpuLibraryFunction.h"

#include "base/Error.h"

namespace inlay {

Result<std::unique_ptr<LoadedKernel>> CpuLibraries::load(const fb::Kernel &kernel) {
  INLAY_ASSIGN(const LibraryFunction *function, lookupLibraryFunction(kernel, "cpu"));
  std::shared_ptr<const OneDnn> library;
  {
    const std::lock_guard lock(mutex_);
    if (!oneDnn_)
      oneDnn_.emplace(OneDnn::open());
    if (!oneDnn_->isOk())
      return oneDnn_->status();
    library = **oneDnn_;
  }
  const auto dtype = static_cast<DataType>(kernel.parameters()->Get(0)->dtype());
  std::unique_ptr<LoadedKernel> loaded =
      function->sizes == LibrarySizes::Matmul
          ? createOneDnnMatmul(std::move(library), *function, dtype)
          : createOneDnnConvolution(std::move(library), *function, dtype);
  loaded->setTarget("cpu");
  return loaded;
}

} // namespace inlay
