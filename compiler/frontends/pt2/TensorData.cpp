#include "compiler/frontends/pt2/TensorData.h"

#include "base/CheckedMath.h"
#include "base/Error.h"

#include <algorithm>

namespace inlay::pt2 {
namespace {

constexpr std::string_view kWeightsFolder = "data/weights/", kConstantsFolder = "data/constants/";

/// What dense copies may need in all: several names may share one storage, and views of stride 0
/// repeat it, so that a small archive could stand for any number of bytes.
constexpr int64_t kCopiesOfArchive = 8;
constexpr int64_t kMinBudgetBytes = int64_t{256} << 20;

Result<Payloads> readConfig(const Archive &archive, const std::string &member) {
  // Packers may leave out the configuration of nothing.
  const auto json = archive.find(member);
  return json ? parsePayloads(*json) : Payloads();
}

/// Elements of a view and of the storage up to its last one; nullopt on overflow.
struct Extent {
  int64_t numElements = 1, needElements = 0;
};
std::optional<Extent> extentOf(const Payload &payload) {
  Extent extent;
  int64_t last = payload.storageOffset;
  for (size_t i = 0; i < payload.sizes.size(); ++i) {
    int64_t reach = 0;
    if (!checkedMul(extent.numElements, payload.sizes[i], extent.numElements) ||
        !checkedMul(std::max<int64_t>(payload.sizes[i] - 1, 0), payload.strides[i], reach) ||
        !checkedAdd(last, reach, last))
      return std::nullopt;
  }
  if (!checkedAdd(last, 1, extent.needElements))
    return std::nullopt;
  if (extent.numElements == 0)
    extent.needElements = 0;
  return extent;
}

void appendView(const Payload &payload, size_t dim, int64_t offset, int64_t itemBytes,
                const char *storage, std::vector<char> &bytes) {
  const bool isRow = dim + 1 == payload.sizes.size() && payload.strides[dim] == 1;
  if (dim == payload.sizes.size() || isRow) {
    const int64_t count = isRow ? payload.sizes[dim] : 1;
    bytes.insert(bytes.end(), storage + offset * itemBytes, storage + (offset + count) * itemBytes);
    return;
  }
  for (int64_t i = 0; i < payload.sizes[dim]; ++i)
    appendView(payload, dim + 1, offset + i * payload.strides[dim], itemBytes, storage, bytes);
}

} // namespace

TensorData::TensorData(const Archive &archive) : archive_(&archive), budgetBytes_(kMinBudgetBytes) {
  int64_t copies = 0;
  if (checkedMul(static_cast<int64_t>(archive.sizeBytes()), kCopiesOfArchive, copies))
    budgetBytes_ = std::max(budgetBytes_, copies);
}

Result<TensorData> TensorData::create(const Archive &archive, const std::string &modelName) {
  TensorData data(archive);
  data.weightsMember_ = std::string(kWeightsFolder) + modelName + "_weights_config.json";
  data.constantsMember_ = std::string(kConstantsFolder) + modelName + "_constants_config.json";
  INLAY_ASSIGN(data.weights_, readConfig(archive, data.weightsMember_),
               "reading " + data.weightsMember_);
  INLAY_ASSIGN(data.constants_, readConfig(archive, data.constantsMember_),
               "reading " + data.constantsMember_);
  return data;
}

Result<DenseTensor> TensorData::read(const InputSpec &spec) {
  const bool isWeight =
      spec.kind == InputKind::Parameter || (spec.kind == InputKind::Buffer && spec.isPersistent);
  const Payloads &payloads = isWeight ? weights_ : constants_;
  const auto found = payloads.find(spec.fullName);
  const std::string &config = isWeight ? weightsMember_ : constantsMember_;
  if (found == payloads.end() && !archive_->find(config))
    return dataLoss("archive has no member '{}', which tells where '{}' lies", config,
                    spec.fullName);
  if (found == payloads.end())
    return dataLoss("{} has no entry for '{}', which the graph's input '{}' needs", config,
                    spec.fullName, spec.name);
  const Payload &payload = found->second;
  DenseTensor tensor{payload.dtype, payload.sizes, {}};
  INLAY_ASSIGN(tensor.bytes, denseBytes(spec.fullName, payload,
                                        std::string(isWeight ? kWeightsFolder : kConstantsFolder)));
  return tensor;
}

Result<std::vector<char>> TensorData::denseBytes(const std::string &name, const Payload &payload,
                                                 const std::string &folder) {
  if (payload.isPickle)
    return unimplemented(
        "'{}' is stored as a Python pickle, which is never executed; only plain tensors are read",
        name);
  const auto storage = archive_->find(folder + payload.path);
  if (!storage)
    return dataLoss("archive has no member '{}{}', which holds '{}'", folder, payload.path, name);
  const int64_t itemBytes = dataTypeSizeBytes(payload.dtype);
  const std::optional<Extent> extent = extentOf(payload);
  int64_t needBytes = 0, numBytes = 0;
  if (!extent || !checkedMul(extent->needElements, itemBytes, needBytes) ||
      !checkedMul(extent->numElements, itemBytes, numBytes))
    return dataLoss("'{}' in member '{}{}' has sizes and strides beyond 64 bits", name, folder,
                    payload.path);
  if (needBytes > static_cast<int64_t>(storage->size()))
    return dataLoss("'{}' needs {} bytes of member '{}{}', which has {}", name, needBytes, folder,
                    payload.path, storage->size());
  if (numBytes > budgetBytes_)
    return invalidArgument("'{}' stands for {} bytes; after what came before it, at most {} are "
                           "read from an archive of {} bytes",
                           name, numBytes, budgetBytes_, archive_->sizeBytes());
  budgetBytes_ -= numBytes;
  std::vector<char> bytes;
  if (numBytes > 0) {
    bytes.reserve(static_cast<size_t>(numBytes));
    appendView(payload, 0, payload.storageOffset, itemBytes,
               reinterpret_cast<const char *>(storage->data()), bytes);
  }
  return bytes;
}

} // namespace inlay::pt2
