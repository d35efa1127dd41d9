// The .pt2 reader on arbitrary bytes: as an archive with all that is in it, as its JSON texts, as
// a tree of names and as a pickle. What it reads goes through the passes that make it functional.
#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/ExportedProgram.h"
#include "compiler/frontends/pt2/Functionalize.h"
#include "compiler/frontends/pt2/Guards.h"
#include "compiler/frontends/pt2/InlineWrappers.h"
#include "compiler/frontends/pt2/Pickle.h"
#include "compiler/frontends/pt2/TensorData.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace inlay;
using namespace inlay::pt2;

namespace {

/// A tensor that was read has all of its elements.
void checkSize(const DenseTensor &tensor) {
  uint64_t numElements = 1;
  for (int64_t size : tensor.sizes)
    numElements *= static_cast<uint64_t>(size);
  if (numElements * static_cast<uint64_t>(dataTypeSizeBytes(tensor.dtype)) != tensor.bytes().size())
    std::abort();
}

void readProgram(std::span<const std::byte> json, TensorData *data) {
  Result<ExportedProgram> program = parseExportedProgram(json);
  if (!program.isOk())
    return;
  (void)leafPaths(program->inSpec);
  (void)leafPaths(program->outSpec);
  if (data)
    for (const InputSpec &input : program->inputSpecs)
      if (Result<DenseTensor> tensor = data->read(input); tensor.isOk())
        checkSize(*tensor);
  for (const std::string &guard : program->guards)
    (void)parseGuard(guard, [](std::string_view, int64_t) { return Expr::symbol("s0"); });
  if (!inlineWrappers(*program).isOk())
    return;
  functionalize(*program);
  if (program->graphOutputs.size() != program->outputSpecs.size())
    std::abort();
}

void readArchive(std::span<const std::byte> bytes) {
  Result<Archive> archive = Archive::fromBytes(bytes);
  if (!archive.isOk())
    return;
  Result<ArchivedModel> model = archive->lookupModel();
  if (!model.isOk())
    return;
  auto json = archive->find(model->programMember);
  Result<TensorData> data = TensorData::create(*archive, model->name);
  if (json)
    readProgram(*json, data.isOk() ? &*data : nullptr);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte *>(data), size);
  if (size > 0 && data[0] == '{') {
    readProgram(bytes, nullptr);
    (void)parsePayloads(bytes);
  } else if (size > 0 && data[0] == '[') {
    (void)leafPaths({reinterpret_cast<const char *>(data), size});
  } else if (size > 0 && data[0] == 0x80) {
    (void)readPickle(bytes);
    (void)readTensorDict(bytes);
  } else {
    readArchive(bytes);
  }
  return 0;
}
