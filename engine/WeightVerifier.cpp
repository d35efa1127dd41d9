#include "engine/WeightVerifier.h"

#include "base/CheckedMath.h"
#include "base/DataType.h"
#include "base/Error.h"
#include "engine/WeightsFile.h"

#include <limits>
#include <set>

namespace inlay {
namespace {

constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kMaxRank = 64;

/// -1 if the shape is none, or has too many elements.
int64_t sizeBytesOf(const fb::Weight &weight) {
  int64_t size = dataTypeSizeBytes(static_cast<DataType>(weight.dtype()));
  for (int64_t extent : *weight.shape())
    if (extent < 0 || !checkedMul(size, extent, size))
      return -1;
  return size;
}

Status verifyWeight(const fb::Engine &engine, uint32_t index) {
  const fb::Weight &weight = *engine.weights()->Get(index);
  const std::string_view name = weight.name()->string_view();
  // FlatBuffers checks where a vector's length lies, not its elements.
  if (reinterpret_cast<uintptr_t>(weight.shape()->Data()) % alignof(int64_t) != 0)
    return dataLoss("weights[{}] has a shape that does not lie at a multiple of {}", index,
                    alignof(int64_t));
  if (!isDataType(weight.dtype()) || weight.shape()->size() > kMaxRank || sizeBytesOf(weight) < 0)
    return dataLoss("weights[{}] '{}' has dtype {} and rank {}; expected a known dtype and a shape "
                    "of at most {} dimensions",
                    index, name, weight.dtype(), weight.shape()->size(), kMaxRank);
  if (weight.buffer() == kAbsent)
    return {};
  if (weight.buffer() >= engine.buffers()->size())
    return dataLoss("weights[{}] refers to buffer {}; the engine has {}", index, weight.buffer(),
                    engine.buffers()->size());
  const fb::Buffer &buffer = *engine.buffers()->Get(weight.buffer());
  if (buffer.kind() != fb::BufferKind::Constant && buffer.kind() != fb::BufferKind::State)
    return dataLoss("weights[{}] refers to buffer {}, which is no constant and no state", index,
                    weight.buffer());
  const uint64_t held = engine.segments()->Get(buffer.segment())->size_bytes();
  if (held != static_cast<uint64_t>(sizeBytesOf(weight)))
    return dataLoss("weights[{}] '{}' has {} bytes; its buffer {} has {}", index, name,
                    sizeBytesOf(weight), weight.buffer(), held);
  return {};
}

Status verifyExternalSegments(const fb::Engine &engine) {
  const fb::WeightsFile *file = engine.weights_file();
  if (file && !isPlainFileName(file->name()->string_view()))
    return dataLoss("the weights file's name is '{}'; expected a file name without a folder",
                    file->name()->string_view());
  for (uint32_t i = 0; i < engine.segments()->size(); ++i)
    if (engine.segments()->Get(i)->is_external() && !file)
      return dataLoss("segments[{}] is external; the engine names no weights file", i);
  for (const fb::Kernel *kernel : *engine.kernels())
    for (const fb::Image *image : *kernel->images())
      if (engine.segments()->Get(image->segment())->is_external())
        return dataLoss("the code of kernel '{}' is in the external segment {}; expected it inside "
                        "the engine",
                        kernel->name()->string_view(), image->segment());
  return {};
}

} // namespace

Status verifyWeights(const fb::Engine &engine) {
  INLAY_TRY(verifyExternalSegments(engine));
  std::set<std::string_view> names;
  std::set<uint32_t> buffers;
  for (uint32_t i = 0; engine.weights() && i < engine.weights()->size(); ++i) {
    INLAY_TRY(verifyWeight(engine, i));
    const fb::Weight &weight = *engine.weights()->Get(i);
    const std::string_view name = weight.name()->string_view();
    if (name.empty() || !names.insert(name).second)
      return dataLoss("weights[{}] has the name '{}', which is empty or taken", i, name);
    if (weight.buffer() != kAbsent && !buffers.insert(weight.buffer()).second)
      return dataLoss("weights[{}] '{}' refers to buffer {}, which another weight has", i, name,
                      weight.buffer());
  }
  return {};
}

} // namespace inlay
