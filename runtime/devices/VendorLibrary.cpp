#include "runtime/devices/VendorLibrary.h"

#include "base/DataType.h"
#include "base/Error.h"
#include "runtime/devices/Device.h"

#include <algorithm>

namespace inlay {
namespace {

/// How many int64 follow the pointers.
uint32_t numSizes(LibrarySizes sizes) {
  uint32_t count = 0;
  switch (sizes) {
  case LibrarySizes::Matmul:
    MatmulSizes<int64_t>().forEach([&](const char *, int64_t &) { ++count; });
    break;
  case LibrarySizes::Convolution:
  case LibrarySizes::Convolution3d: {
    ConvolutionSizes<int64_t> all;
    all.numDims = sizes == LibrarySizes::Convolution ? 2 : 3;
    all.forEach([&](const char *, int64_t &) { ++count; });
    break;
  }
  }
  return count;
}

Status verifyParameters(const fb::Kernel &kernel, const LibraryFunction &function) {
  const auto &parameters = *kernel.parameters();
  const uint32_t pointers = numPointers(function), sizes = numSizes(function.sizes);
  bool fits = parameters.size() == pointers + sizes;
  for (uint32_t i = 0; fits && i < parameters.size(); ++i)
    fits = i < pointers ? parameters.Get(i)->kind() == fb::ParameterKind::Pointer
                        : parameters.Get(i)->kind() == fb::ParameterKind::Scalar &&
                              static_cast<DataType>(parameters.Get(i)->dtype()) == DataType::Int64;
  if (!fits)
    return dataLoss("kernel '{}' is the library function '{}', which takes {} pointers ({}) and {} "
                    "int64, but it has {} other parameters",
                    kernel.name()->string_view(), function.name, pointers, function.pointers, sizes,
                    parameters.size());
  return {};
}

} // namespace

uint32_t numPointers(const LibraryFunction &function) {
  return static_cast<uint32_t>(std::ranges::count(function.pointers, ' ')) + 1;
}

Result<DynamicLibrary> openVendorLibrary(std::string_view library, EnvironmentVariable variable,
                                         std::span<const char *const> names) {
  const std::string name =
      environmentVariables()[static_cast<size_t>(variable)].name; // they stand in this order
  if (const std::optional<std::string> path = findEnvironment(variable)) {
    if (*path == "none")
      return notFound("{} is set to none, so that {} is not used", name, library);
    Result<DynamicLibrary> opened = DynamicLibrary::open(*path);
    if (!opened.isOk())
      return notFound("{} is not there: {} names '{}': {}", library, name, *path,
                      opened.status().message());
    return opened;
  }
  std::string reasons;
  for (const char *candidate : names) {
    Result<DynamicLibrary> opened = DynamicLibrary::open(candidate);
    if (opened.isOk())
      return opened;
    reasons += (reasons.empty() ? "" : "; ") + opened.status().message();
  }
  return notFound("{} is not installed: {}; {} may name it", library, reasons, name);
}

Result<const LibraryFunction *> lookupLibraryFunction(const fb::Kernel &kernel,
                                                      std::string_view family) {
  for (const fb::Image *image : *kernel.images()) {
    if (image->format() != fb::ImageFormat::LibraryFunction ||
        image->target()->string_view() != family)
      continue;
    const LibraryFunction *function = findLibraryFunction(image->entry()->string_view());
    if (!function || function->family != family)
      return incompatible("kernel '{}' is the library function '{}', which this version of Inlay "
                          "does not know for {}",
                          kernel.name()->string_view(), image->entry()->string_view(), family);
    INLAY_TRY(verifyParameters(kernel, *function));
    return function;
  }
  return incompatible("kernel '{}' is a function of a library for other devices: {}",
                      kernel.name()->string_view(), describeImages(kernel));
}

} // namespace inlay
