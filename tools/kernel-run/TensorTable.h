// Several tensors behind one pointer.
#pragma once

#include "tools/tensorio/NpyTensor.h"

#include <vector>

namespace inlay::tools {

/// Tensors whose addresses lie one after another in memory as int64; a kernel gets the address of
/// the first address.
struct TensorTable {
  std::vector<NpyTensor> tensors;
};

} // namespace inlay::tools
