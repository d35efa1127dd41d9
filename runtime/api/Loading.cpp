// The C interface: engines and their weights.
#include "runtime/api/Handles.h"

using namespace inlay;

namespace {

inlay_status_t *finishLoad(Result<EngineFile> file, inlay_engine_t **engine) {
  if (!file.isOk())
    return toC(std::move(file).status());
  Result<std::shared_ptr<Engine>> loaded = Engine::create(std::move(file).value());
  if (!loaded.isOk())
    return toC(std::move(loaded).status());
  *engine = new inlay_engine_t(std::move(loaded).value());
  return nullptr;
}

/// The engines' weights; null if it cannot be refitted.
const flatbuffers::Vector<flatbuffers::Offset<fb::Weight>> *
weightsOf(const inlay_engine_t *engine) {
  return engine->engine->metadata().weights();
}

Status describeWeight(const inlay_engine_t *engine, uint32_t index, inlay_weight_info_t *info) {
  INLAY_TRY(requireNotNull(engine, "engine"));
  INLAY_TRY(requireNotNull(info, "info"));
  const uint32_t count = inlay_engine_num_weights(engine);
  if (index >= count)
    return outOfRange("there is no weight {}; the engine has {} that can be replaced", index,
                      count);
  const fb::Weight &weight = *weightsOf(engine)->Get(index);
  *info = {weight.name()->c_str(), static_cast<inlay_dtype_t>(weight.dtype()),
           static_cast<int32_t>(weight.shape()->size()), weight.shape()->data()};
  return {};
}

Result<NewWeight> toWeight(const inlay_weight_t &given) {
  INLAY_TRY(requireNotNull(given.name, "name of a weight"));
  INLAY_ASSIGN(const TensorBinding tensor, toBinding(given.name, &given.tensor));
  if (tensor.isOnDevice)
    return invalidArgument("weight '{}' lies in memory of a device; expected host memory",
                           given.name);
  uint64_t sizeBytes = static_cast<uint64_t>(dataTypeSizeBytes(tensor.dtype));
  for (int64_t extent : tensor.shape)
    if (extent < 0 || __builtin_mul_overflow(sizeBytes, static_cast<uint64_t>(extent), &sizeBytes))
      return invalidArgument("weight '{}' has a dimension of {}, or too many elements", given.name,
                             extent);
  if (sizeBytes > 0)
    INLAY_TRY(requireNotNull(tensor.data, "data of a weight"));
  return NewWeight{given.name,
                   tensor.dtype,
                   {tensor.shape.begin(), tensor.shape.end()},
                   {static_cast<const std::byte *>(tensor.data), sizeBytes}};
}

Status refit(inlay_engine_t *engine, const inlay_weight_t *weights, size_t numWeights,
             bool isComplete) {
  INLAY_TRY(requireNotNull(engine, "engine"));
  if (numWeights > 0)
    INLAY_TRY(requireNotNull(weights, "weights"));
  std::vector<NewWeight> given;
  for (size_t i = 0; i < numWeights; ++i) {
    INLAY_ASSIGN(given.emplace_back(), toWeight(weights[i]));
  }
  return engine->engine->refit(given, isComplete);
}

} // namespace

inlay_status_t *inlay_engine_load_file(const char *path, inlay_engine_t **engine) {
  return inlay_engine_load_file_with_weights(path, "", engine);
}
inlay_status_t *inlay_engine_load_file_with_weights(const char *path, const char *weights_path,
                                                    inlay_engine_t **engine) {
  if (!path || !weights_path || !engine)
    return toC(requireNotNull(nullptr, !path ? "path" : !engine ? "engine" : "weights_path"));
  return finishLoad(EngineFile::open(path, weights_path), engine);
}
inlay_status_t *inlay_engine_load_memory(const void *data, size_t size_bytes,
                                         inlay_engine_t **engine) {
  return inlay_engine_load_memory_with_weights(data, size_bytes, "", engine);
}
inlay_status_t *inlay_engine_load_memory_with_weights(const void *data, size_t size_bytes,
                                                      const char *weights_path,
                                                      inlay_engine_t **engine) {
  if (!data || !weights_path || !engine)
    return toC(requireNotNull(nullptr, !data ? "data" : !engine ? "engine" : "weights_path"));
  const auto *bytes = static_cast<const std::byte *>(data);
  return finishLoad(
      EngineFile::fromBytes(std::vector<std::byte>(bytes, bytes + size_bytes), weights_path),
      engine);
}
uint32_t inlay_engine_num_weights(const inlay_engine_t *engine) {
  const auto *weights = weightsOf(engine);
  return weights ? weights->size() : 0;
}
inlay_status_t *inlay_engine_weight(const inlay_engine_t *engine, uint32_t index,
                                    inlay_weight_info_t *info) {
  return toC(describeWeight(engine, index, info));
}
inlay_status_t *inlay_engine_refit(inlay_engine_t *engine, const inlay_weight_t *weights,
                                   size_t num_weights, int32_t is_complete) {
  return toC(refit(engine, weights, num_weights, is_complete != 0));
}
