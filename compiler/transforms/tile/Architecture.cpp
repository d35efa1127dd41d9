#include "compiler/transforms/tile/Architecture.h"

#include "compiler/dialects/tile/Tile.h"

using namespace mlir;

namespace inlay::tile {

namespace {

constexpr unsigned kBaselineCapability = 80;
constexpr unsigned kFirstCapabilityOfMaps = 90;

} // namespace

unsigned computeCapabilityOf(ModuleOp module) {
  auto target = module ? module->getAttrOfType<StringAttr>(kTargetAttr) : StringAttr();
  unsigned capability = 0;
  StringRef name = target ? target.getValue() : StringRef();
  if (!name.consume_front("sm_") || name.consumeInteger(10, capability))
    return kBaselineCapability;
  return capability;
}

bool hasWarpgroupMma(ModuleOp module) {
  auto target = module ? module->getAttrOfType<StringAttr>(kTargetAttr) : StringAttr();
  return target && target.getValue() == "sm_90a";
}

bool hasTensorMaps(ModuleOp module) {
  auto target = module ? module->getAttrOfType<StringAttr>(kTargetAttr) : StringAttr();
  return target && target.getValue().ends_with("a") &&
         computeCapabilityOf(module) >= kFirstCapabilityOfMaps;
}

int64_t sharedLimitBytes(unsigned computeCapability) {
  switch (computeCapability) {
  case 80:
  case 87:
    return int64_t{163} * 1024;
  case 90:
  case 100:
  case 103:
  case 110:
    return int64_t{227} * 1024;
  default:
    return int64_t{99} * 1024;
  }
}

} // namespace inlay::tile
