// The functions of libraries on the machine that engines may call (LibraryFunctions.def).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace inlay {

enum class LibraryFunctionId : uint8_t {
#define INLAY_LIBRARY_FUNCTION(Name, name, family, library, pointers, Sizes) Name,
#include "base/LibraryFunctions.def"
#undef INLAY_LIBRARY_FUNCTION
};

enum class LibrarySizes : uint8_t { Matmul, Convolution, Convolution3d };

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

/// A convolution along one dimension.
template <typename Integer>
struct ConvolutionDimension {
  Integer size{1}, out{1}, kernel{1}, stride{1}, padding{0}, dilation{1};

  /// Elements of the input that one of the output reaches over.
  Integer reach() const { return (kernel - Integer(1)) * dilation + Integer(1); }
};

/// How many zeros behind an input's elements the last of the outputs sees.
inline int64_t paddingBehind(const ConvolutionDimension<int64_t> &dim) {
  const int64_t end = (dim.out - 1) * dim.stride + dim.reach() - dim.padding;
  return end > dim.size ? end - dim.size : 0;
}

/// The sizes of a convolution, in the order in which they are passed.
template <typename Integer>
struct ConvolutionSizes {
  size_t numDims = 2; // 2 or 3
  Integer images{}, groups{}, channels{}, filters{};
  std::array<ConvolutionDimension<Integer>, 3> dims; // depth, height, width

  /// Calls `visit` with the name and a reference to each.
  template <typename Visit>
  void forEach(Visit visit) {
#define INLAY_CONVOLUTION_SIZE(name, field) visit(#name, field);
#include "base/LibraryFunctions.def"
#undef INLAY_CONVOLUTION_SIZE
    if (numDims == 2)
      return;
#define INLAY_CONVOLUTION_DEPTH_SIZE(name, field) visit(#name, field);
#include "base/LibraryFunctions.def"
#undef INLAY_CONVOLUTION_DEPTH_SIZE
  }

  /// The dimensions that it has.
  std::span<const ConvolutionDimension<Integer>> ownDims() const {
    return std::span(dims).last(numDims);
  }
  Integer volume() const { return dims[0].size * dims[1].size * dims[2].size; }
  Integer outVolume() const { return dims[0].out * dims[1].out * dims[2].out; }
  Integer taps() const { return dims[0].kernel * dims[1].kernel * dims[2].kernel; }
  Integer numelInput() const { return images * groups * channels * volume(); }
  Integer numelWeight() const { return filters * channels * taps(); }
  Integer numelOutput() const { return images * filters * outVolume(); }
  /// How many multiplications it is.
  Integer work() const { return numelOutput() * channels * taps(); }
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
