// What torch.save writes: a Python pickle, read as data.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay::pt2 {

/// A view of a storage that lies beside the pickle, in the member "data/KEY".
struct PickledTensor {
  std::string storageKey;
  DataType dtype = DataType::Float32;
  int64_t storageOffset = 0;           // in elements
  std::vector<int64_t> sizes, strides; // in elements
};

/// One object of a pickle. Objects refer to each other by index, so that shared ones, and those in
/// circles, are kept once.
struct PickledObject {
  enum class Kind : uint8_t {
    None,
    Bool,
    Integer,
    Float,
    Text,
    Tuple,
    List,
    Dict,    // `items` are keys and values in turn
    Global,  // `text` is "module name"
    Storage, // `text` is its key, `storageType` its class
    Tensor,  // `tensor` is the index of the tensor
  };
  Kind kind = Kind::None;
  int64_t integer = 0; // also of a Bool; of a Tensor its index
  double number = 0;
  std::string text, storageType;
  std::vector<uint32_t> items;
};

struct Pickle {
  std::vector<PickledObject> objects;
  std::vector<PickledTensor> tensors;
  uint32_t root = 0;

  const PickledObject &rootObject() const { return objects[root]; }
  const PickledObject &item(const PickledObject &object, size_t index) const {
    return objects[object.items[index]];
  }
};

/// Reads a pickle of protocols 2 to 5 without ever running what it names: containers, numbers and
/// texts, and tensors by the few functions of torch._utils that rebuild them. Errors: DataLoss
/// (truncated or malformed), Unimplemented (another function or class, or opcode, named; an element
/// type that Inlay has no form for).
Result<Pickle> readPickle(std::span<const std::byte> bytes);

/// The tensors of a pickled dictionary by their names; nullopt for values that are no tensors.
/// Errors: as readPickle, and DataLoss if it is no dictionary with texts as keys.
Result<std::map<std::string, std::optional<PickledTensor>, std::less<>>>
readTensorDict(std::span<const std::byte> bytes);

} // namespace inlay::pt2
