// Kernel parameters that are tensor descriptors made by the host.
#pragma once

#include "compiler/frontends/triton/Value.h"

namespace inlay::triton {

/// The block of a signature entry "tensordesc<fp16[128, 64]>"; nullopt if the text is none or has a
/// block that cannot be.
std::optional<Type> parseDescriptorEntry(std::string_view text);

/// What a descriptor parameter is at run time, in order: the base pointer, then the sizes and then
/// the strides of the tensor, outermost dimension first, each an int64; strides count elements.
struct DescriptorField {
  std::string name; // "x", "x.size0", …, "x.stride0", …
  Type type;
  int64_t divisibility = 0; // 0: nothing known
};
std::vector<DescriptorField> descriptorFields(const std::string &name, const Type &block);

/// The descriptor whose fields are these arguments, in the order of descriptorFields. The last
/// stride is 1 by contract, so `one` (an int64 constant) stands for it.
Value makeDescriptorParameter(const Type &block, std::vector<Tensor> arguments, const Tensor &one);

} // namespace inlay::triton
