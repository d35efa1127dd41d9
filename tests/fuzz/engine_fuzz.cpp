// Feeds engine files to the reader. A changed file is almost always refused by its checksum, so
// each input is also tried with the header made to fit it.
#include "engine/EngineFile.h"
#include "engine/EngineText.h"

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
  if (engineToText(file).empty() || engineToJson(file).empty())
    std::abort();
}

void load(std::vector<std::byte> bytes) {
  Result<EngineFile> file = EngineFile::fromBytes(std::move(bytes));
  if (file.isOk())
    use(*file);
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
  if (size >= sizeof(EngineHeader)) {
    fitHeader(bytes);
    load(std::move(bytes));
  }
  return 0;
}
