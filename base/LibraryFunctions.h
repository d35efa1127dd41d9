// The functions of libraries on the machine that engines may call (LibraryFunctions.def).
#pragma once

#include <cstdint>
#include <string_view>

namespace inlay {

enum class LibraryFunctionId : uint8_t {
#define INLAY_LIBRARY_FUNCTION(Name, name, family, library, pointers, Sizes) Name,
#include "base/LibraryFunctions.def"
#undef INLAY_LIBRARY_FUNCTION
};

enum class LibrarySizes : uint8_t { Matmul, Convolution };

/// The workspace of a product by cuBLASLt, in bytes: what NVIDIA recommends for sm_90.
inline constexpr int64_t kCublasLtWorkspaceBytes = int64_t{32} << 20;

/// What a kernel that is such a function has to look like.
struct LibraryFunction {
  LibraryFunctionId id;
  std::string_view name;     // "onednn.matmul"
  std::string_view family;   // of targets: "cpu"
  std::string_view library;  // "oneDNN"
  std::string_view pointers; // names of the first parameters, separated by spaces
  LibrarySizes sizes;        // the parameters after them
};

inline constexpr LibraryFunction kLibraryFunctions[] = {
#define INLAY_LIBRARY_FUNCTION(Name, name, family, library, pointers, Sizes)                       \
  {LibraryFunctionId::Name, name, family, library, pointers, LibrarySizes::Sizes},
#include "base/LibraryFunctions.def"
#undef INLAY_LIBRARY_FUNCTION
};

constexpr const LibraryFunction &libraryFunction(LibraryFunctionId id) {
  return kLibraryFunctions[static_cast<size_t>(id)];
}

/// Null for a name that this version does not know.
constexpr const LibraryFunction *findLibraryFunction(std::string_view name) {
  for (const LibraryFunction &function : kLibraryFunctions)
    if (function.name == name)
      return &function;
  return nullptr;
}

/// The sizes of a matrix product, in the order in which they are passed.
template <typename Integer>
struct MatmulSizes {
#define INLAY_MATMUL_SIZE(name) Integer name{};
#include "base/LibraryFunctions.def"
#undef INLAY_MATMUL_SIZE

  /// Calls `visit` with the name and a reference to each.
  template <typename Visit>
  void forEach(Visit visit) {
#define INLAY_MATMUL_SIZE(name) visit(#name, name);
#include "base/LibraryFunctions.def"
#undef INLAY_MATMUL_SIZE
  }
};

/// How many zeros behind an input's `size` elements the last of the outputs of a convolution sees,
/// along one dimension.
constexpr int64_t paddingBehind(int64_t outputs, int64_t stride, int64_t kernel, int64_t dilation,
                                int64_t paddingBefore, int64_t size) {
  const int64_t end = (outputs - 1) * stride + (kernel - 1) * dilation + 1 - paddingBefore;
  return end > size ? end - size : 0;
}

/// The sizes of a convolution, in the order in which they are passed.
template <typename Integer>
struct ConvolutionSizes {
#define INLAY_CONVOLUTION_SIZE(name) Integer name{};
#include "base/LibraryFunctions.def"
#undef INLAY_CONVOLUTION_SIZE

  /// Calls `visit` with the name and a reference to each.
  template <typename Visit>
  void forEach(Visit visit) {
#define INLAY_CONVOLUTION_SIZE(name) visit(#name, name);
#include "base/LibraryFunctions.def"
#undef INLAY_CONVOLUTION_SIZE
  }

  Integer numelInput() const { return images * groups * channels * height * width; }
  Integer numelWeight() const { return filters * channels * kernelHeight * kernelWidth; }
  Integer numelOutput() const { return images * filters * outHeight * outWidth; }
  /// How many multiplications it is.
  Integer work() const { return numelOutput() * channels * kernelHeight * kernelWidth; }
};

/// The workspace of a convolution by cuDNN, in bytes: room for all tensors once more, which it
/// needs to lay out channels innermost, and for partial sums or transformed tiles.
template <typename Integer>
Integer cudnnWorkspaceBytes(const ConvolutionSizes<Integer> &sizes, int64_t elementBytes) {
  constexpr int64_t kLeastBytes = int64_t{32} << 20;
  return (sizes.numelInput() + sizes.numelWeight() + sizes.numelOutput()) *
             Integer(2 * elementBytes) +
         Integer(kLeastBytes);
}

} // namespace inlay
