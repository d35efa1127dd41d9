#include "compiler/frontends/pt2/TensorData.h"

#include "base/CheckedMath.h"
#include "base/Error.h"
#include "compiler/frontends/pt2/Pickle.h"

#include <algorithm>

namespace inlay::pt2 {
namespace {

/// What dense copies may need in all: several names may share one storage, and views of stride 0
/// repeat it, so that a small archive could stand for any number of bytes.
constexpr int64_t kCopiesOfArchive = 8;
constexpr int64_t kMinBudgetBytes = int64_t{256} << 20;

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

/// Whether elements of a view lie without gaps in row-major order.
bool isDense(const Payload &payload) {
  int64_t expected = 1;
  for (size_t i = payload.sizes.size(); i-- > 0;) {
    if (payload.sizes[i] != 1 && payload.strides[i] != expected)
      return false;
    expected *= payload.sizes[i];
  }
  return true;
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
  INLAY_TRY(data.readSource(data.weights_, "weights", modelName, "serialized_state_dict"));
  INLAY_TRY(data.readSource(data.constants_, "constants", modelName, "serialized_constants"));
  return data;
}

/// The newest form comes last: an archive of several generations is read as PyTorch reads it.
Status TensorData::readSource(Source &source, const std::string &kind, const std::string &modelName,
                              std::string_view flatName) {
  const std::string flat(flatName), folder = "data/" + kind + "/";
  for (const std::string &member : {folder + modelName + ".pt", flat + ".pt", flat + ".json"})
    if (archive_->find(member))
      return readPickledSource(source, member);
  source.folder = folder;
  source.member = folder + modelName + "_" + kind + "_config.json";
  // Packers may leave out the configuration of nothing.
  if (const auto json = archive_->find(source.member)) {
    INLAY_ASSIGN(source.payloads, parsePayloads(*json), "reading " + source.member);
  }
  return {};
}

/// An archive in the archive, as torch.save writes it.
Status TensorData::readPickledSource(Source &source, const std::string &member) {
  source.member = member;
  const auto bytes = *archive_->find(member);
  // Older writers leave the member of nothing empty.
  if (bytes.empty())
    return {};
  const std::string context = "reading " + member;
  INLAY_ASSIGN(Archive inner, Archive::fromBytes(bytes), context);
  const auto pickle = inner.find("data.pkl");
  if (!pickle)
    return dataLoss("{} has no member 'data.pkl', expected what torch.save writes", member);
  const auto order = inner.find("byteorder");
  if (order &&
      std::string_view(reinterpret_cast<const char *>(order->data()), order->size()) != "little")
    return unimplemented("{} is not little-endian; export the model on a little-endian machine",
                         member);
  INLAY_ASSIGN(auto tensors, readTensorDict(*pickle), context);
  for (auto &[name, tensor] : tensors) {
    Payload payload;
    payload.isPickle = !tensor;
    if (tensor) {
      payload.path = "data/" + tensor->storageKey;
      payload.dtype = tensor->dtype;
      payload.sizes = std::move(tensor->sizes);
      payload.strides = std::move(tensor->strides);
      payload.storageOffset = tensor->storageOffset;
    }
    source.payloads.emplace(name, std::move(payload));
  }
  source.pickled = std::move(inner);
  return {};
}

Result<DenseTensor> TensorData::read(const InputSpec &spec) {
  const bool isWeight =
      spec.kind == InputKind::Parameter || (spec.kind == InputKind::Buffer && spec.isPersistent);
  const Source *source = isWeight ? &weights_ : &constants_;
  auto found = source->payloads.find(spec.fullName);
  // PyTorch before 2.8 wrote buffers that are not persistent to either place.
  if (const Source &other = isWeight ? constants_ : weights_;
      found == source->payloads.end() && source->pickled && other.pickled &&
      other.payloads.contains(spec.fullName)) {
    source = &other;
    found = other.payloads.find(spec.fullName);
  }
  if (found == source->payloads.end() && !archive_->find(source->member))
    return dataLoss("archive has no member '{}', which tells where '{}' lies", source->member,
                    spec.fullName);
  if (found == source->payloads.end())
    return dataLoss("{} has no entry for '{}', which the graph's input '{}' needs", source->member,
                    spec.fullName, spec.name);
  const Payload &payload = found->second;
  DenseTensor tensor;
  tensor.dtype = payload.dtype;
  tensor.sizes = payload.sizes;
  INLAY_TRY(addDenseBytes(spec.fullName, payload, *source, tensor));
  return tensor;
}

Status TensorData::addDenseBytes(const std::string &name, const Payload &payload,
                                 const Source &source, DenseTensor &tensor) {
  if (payload.isPickle)
    return unimplemented(
        "'{}' is stored as a Python pickle, which is never executed; only plain tensors are read",
        name);
  const std::string &folder = source.folder;
  const auto storage = (source.pickled ? *source.pickled : *archive_).find(folder + payload.path);
  if (!storage)
    return dataLoss("{} has no member '{}{}', which holds '{}'",
                    source.pickled ? source.member : "archive", folder, payload.path, name);
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
  const char *elements = reinterpret_cast<const char *>(storage->data());
  if (numBytes == 0)
    return {};
  if (isDense(payload)) {
    tensor.inPlace = {elements + payload.storageOffset * itemBytes, static_cast<size_t>(numBytes)};
    return {};
  }
  if (numBytes > budgetBytes_)
    return invalidArgument("'{}' stands for {} bytes; after what came before it, at most {} are "
                           "read from an archive of {} bytes",
                           name, numBytes, budgetBytes_, archive_->sizeBytes());
  budgetBytes_ -= numBytes;
  tensor.copy.reserve(static_cast<size_t>(numBytes));
  appendView(payload, 0, payload.storageOffset, itemBytes, elements, tensor.copy);
  return {};
}

} // namespace inlay::pt2
