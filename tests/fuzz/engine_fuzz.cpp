// Feeds engine files to the reader. A changed file is almost always refused by its checksum, so
// each input is also tried with the header made to fit it.
#include "engine/EngineFile.h"
#include "engine/EngineLayout.h"
#include "engine/EngineText.h"
#include "engine/Refit.h"
#include "engine/TestEngine.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace inlay;

namespace {

/// Uses all of a verified engine, as the runtime and `inlay inspect` do.
void use(const EngineFile &file) {
  const std::vector<int64_t> symbols(file.engine().symbols()->size(), 3);
  std::vector<int64_t> values(file.expressions().size());
  (void)evaluateProgram(file.expressions(), symbols, values);
  (void)file.verifyAllSegments();
  (void)refitEngine(file, {}, false, "test.weights");
  if (engineToText(file).empty() || engineToJson(file).empty())
    std::abort();
}

/// The weights that the corpus' engine with weights beside it was written with.
const std::vector<std::byte> &weightsBeside() {
  static const std::vector<std::byte> weights = [] {
    TestEngine test = makeRefittableTestEngine();
    return writeEngineFiles(std::move(test.engine), test.segments, "test.weights")->weights;
  }();
  return weights;
}

/// Reads the input as an engine, and as an engine that has its weights beside it.
void load(const std::vector<std::byte> &bytes) {
  if (Result<EngineFile> file = EngineFile::fromBytes(bytes); file.isOk())
    use(*file);
  if (Result<EngineFile> file = EngineFile::fromBytes(EngineBytes{bytes, weightsBeside()});
      file.isOk())
    use(*file);
}

/// Reads the input as the weights of a good engine.
void loadWeights(std::vector<std::byte> bytes) {
  static const std::vector<std::byte> engine = [] {
    TestEngine test = makeRefittableTestEngine();
    return writeEngineFiles(std::move(test.engine), test.segments, "test.weights")->engine;
  }();
  (void)EngineFile::fromBytes(EngineBytes{engine, std::move(bytes)});
}

/// Makes the header say what the file is: sizes, offsets and checksum.
void fitHeader(std::vector<std::byte> &bytes) {
  EngineHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  std::memcpy(header.magic, "INLAYENG", sizeof(header.magic));
  header.formatVersion = kEngineFormatVersion;
  header.flags = 0;
  header.reserved = 0;
  header.totalSizeBytes = bytes.size();
  header.metadataOffset = sizeof(header);
  header.metadataSizeBytes =
      std::min<uint64_t>(header.metadataSizeBytes, bytes.size() - sizeof(header));
  header.segmentsOffset =
      (header.metadataOffset + header.metadataSizeBytes + kSegmentAlignmentBytes - 1) /
      kSegmentAlignmentBytes * kSegmentAlignmentBytes;
  header.checksum = XXH64(bytes.data() + sizeof(header), header.metadataSizeBytes,
                          XXH64(&header, offsetof(EngineHeader, checksum), 0));
  std::memcpy(bytes.data(), &header, sizeof(header));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto *begin = reinterpret_cast<const std::byte *>(data);
  std::vector<std::byte> bytes(begin, begin + size);
  load(bytes);
  loadWeights(bytes);
  if (size >= sizeof(EngineHeader)) {
    fitHeader(bytes);
    load(bytes);
  }
  return 0;
}
