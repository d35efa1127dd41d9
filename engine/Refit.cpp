#include "engine/Refit.h"

#include "base/Error.h"

#include <algorithm>
#include <limits>
#include <map>

namespace inlay {
namespace {

constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();

/// "float32 [128, 64]".
std::string describe(DataType dtype, std::span<const int64_t> shape) {
  std::string text;
  for (int64_t extent : shape)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", extent);
  return fmt::format("{} [{}]", dataTypeName(dtype), text);
}

/// What is wrong with one new weight; empty if it fits.
std::string mismatchOf(const fb::Weight &expected, const NewWeight &found) {
  const auto dtype = static_cast<DataType>(expected.dtype());
  const std::span<const int64_t> shape(expected.shape()->data(), expected.shape()->size());
  if (found.dtype != dtype || !std::ranges::equal(found.shape, shape))
    return fmt::format("'{}' is {}, expected {}", found.name, describe(found.dtype, found.shape),
                       describe(dtype, shape));
  uint64_t sizeBytes = static_cast<uint64_t>(dataTypeSizeBytes(dtype));
  for (int64_t extent : shape)
    sizeBytes *= static_cast<uint64_t>(extent); // verified not to overflow
  if (found.bytes.size() != sizeBytes)
    return fmt::format("'{}' has {} bytes of data, expected {}", found.name, found.bytes.size(),
                       sizeBytes);
  return "";
}

std::vector<MaybeOwnedBytes> segmentsOf(const EngineFile &file) {
  std::vector<MaybeOwnedBytes> segments;
  for (uint32_t i = 0; i < file.engine().segments()->size(); ++i)
    segments.push_back(MaybeOwnedBytes::borrow(file.segment(i)));
  return segments;
}

} // namespace

Result<std::vector<uint32_t>> matchWeights(const EngineFile &file,
                                           std::span<const NewWeight> weights, bool isComplete) {
  const auto *table = file.engine().weights();
  if (!table)
    return failedPrecondition(
        "engine '{}' was not built to be refitted: its weights may be folded into each other; "
        "build it with --refittable",
        file.engine().name()->string_view());
  std::map<std::string_view, uint32_t> rows;
  for (uint32_t i = 0; i < table->size(); ++i)
    rows[table->Get(i)->name()->string_view()] = i;
  std::vector<uint32_t> matched;
  std::vector<std::string> mismatches;
  std::vector<bool> isGiven(table->size(), false);
  for (const NewWeight &weight : weights) {
    const auto row = rows.find(weight.name);
    if (row == rows.end()) {
      mismatches.push_back(fmt::format("'{}' is no weight of the engine", weight.name));
      continue;
    }
    matched.push_back(row->second);
    if (isGiven[row->second])
      mismatches.push_back(fmt::format("'{}' is given twice", weight.name));
    isGiven[row->second] = true;
    if (std::string text = mismatchOf(*table->Get(row->second), weight); !text.empty())
      mismatches.push_back(std::move(text));
  }
  for (uint32_t i = 0; isComplete && i < table->size(); ++i)
    if (!isGiven[i])
      mismatches.push_back(fmt::format("'{}' is missing", table->Get(i)->name()->string_view()));
  if (mismatches.empty())
    return matched;
  std::string text;
  for (const std::string &mismatch : mismatches)
    text += "\n  " + mismatch;
  return invalidArgument("the weights do not fit engine '{}', which is left as it was; {} "
                         "mismatch{}:{}",
                         file.engine().name()->string_view(), mismatches.size(),
                         mismatches.size() == 1 ? "" : "es", text);
}

Result<EnginePieces> refitEngine(const EngineFile &file, std::span<const NewWeight> weights,
                                 bool isComplete, const std::string &weightsName) {
  INLAY_ASSIGN(const std::vector<uint32_t> rows, matchWeights(file, weights, isComplete));
  std::vector<MaybeOwnedBytes> segments = segmentsOf(file);
  for (size_t i = 0; i < weights.size(); ++i)
    if (const uint32_t buffer = file.engine().weights()->Get(rows[i])->buffer(); buffer != kAbsent)
      segments[file.engine().buffers()->Get(buffer)->segment()] =
          MaybeOwnedBytes::borrow(weights[i].bytes);
  fb::EngineT engine;
  file.engine().UnPackTo(&engine);
  const bool isBeside = file.engine().weights_file() != nullptr;
  return layOutEngine(std::move(engine), std::move(segments), isBeside ? weightsName : "");
}

Result<FilePieces> moveWeightsIn(const EngineFile &file) {
  fb::EngineT engine;
  file.engine().UnPackTo(&engine);
  INLAY_ASSIGN(EnginePieces files, layOutEngine(std::move(engine), segmentsOf(file), ""));
  return std::move(files.engine);
}

} // namespace inlay
