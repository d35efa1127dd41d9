// The kernel parser on arbitrary bytes: every function and module-level value of the file is
// parsed, and signatures are proposed for every kernel.
#include "compiler/frontends/triton/Candidates.h"
#include "compiler/frontends/triton/Launches.h"
#include "compiler/frontends/triton/Module.h"
#include "compiler/frontends/triton/Usage.h"

#include <cstddef>
#include <cstdint>

using namespace inlay::triton;

namespace {

void parseItems(Module &module, const std::vector<ModuleItem> &items, Diagnostics &diagnostics) {
  for (const ModuleItem &item : items) {
    if (item.kind == ModuleItem::Kind::Function)
      module.parseFunction(item, diagnostics);
    else if (item.kind == ModuleItem::Kind::Assign || item.kind == ModuleItem::Kind::If)
      module.parseValue(item, diagnostics);
    parseItems(module, item.body, diagnostics);
    parseItems(module, item.orElse, diagnostics);
  }
}

void proposeSignatures(Module &module, Diagnostics &diagnostics) {
  UsageAnalysis usage(nullptr);
  std::vector<Launch> launches = findLaunches(module);
  for (const ModuleItem *kernel : module.jitFunctions())
    if (const Function *function = module.parseFunction(*kernel, diagnostics)) {
      proposeCandidates(*function, usage.parameters(module, *kernel), launches, {});
      usage.dependencies(module, *kernel, kernel->span);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Module module("fuzz.py", std::string(reinterpret_cast<const char *>(data), size));
  Diagnostics diagnostics;
  parseItems(module, module.items(), diagnostics);
  proposeSignatures(module, diagnostics);
  diagnostics.render();
  return 0;
}
