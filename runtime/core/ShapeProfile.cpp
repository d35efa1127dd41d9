#include "runtime/core/ShapeProfile.h"

#include "base/Error.h"
#include "runtime/core/ShapeEvaluation.h"

namespace inlay {
namespace {

const fb::ProfileRange &rangeOf(const Engine &engine, uint32_t profile, uint32_t symbol) {
  return *engine.metadata().profiles()->Get(profile - 1)->ranges()->Get(symbol);
}

} // namespace

uint32_t numProfiles(const Engine &engine) {
  const auto *profiles = engine.metadata().profiles();
  return profiles ? profiles->size() : 0;
}

Status checkProfileExists(const Engine &engine, uint32_t profile) {
  if (profile <= numProfiles(engine))
    return {};
  return outOfRange(
      "profile {} was asked for; engine '{}' has {} profiles, counted from 1 (0 stands "
      "for all its shapes)",
      profile, engine.metadata().name()->string_view(), numProfiles(engine));
}

Status checkInProfile(const Engine &engine, uint32_t profile, uint32_t input,
                      std::span<const int64_t> shape) {
  const auto &symbols = *engine.metadata().symbols();
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    const fb::Symbol &symbol = *symbols.Get(i);
    if (symbol.input() != input)
      continue;
    const fb::ProfileRange &range = rangeOf(engine, profile, i);
    const int64_t size = shape[symbol.dim()];
    if (size < range.min() || size > range.max())
      return outOfRange("input '{}' has shape {}: dimension {} ({}) is {}, expected {} to {} in "
                        "profile {}",
                        engine.inputs()[input].name, formatShape(shape), symbol.dim(),
                        symbol.name()->string_view(), size, range.min(),
                        range.max() == INT64_MAX ? "any size" : fmt::format("{}", range.max()),
                        profile);
  }
  return {};
}

std::vector<int64_t> largestSizes(const Engine &engine, uint32_t profile) {
  std::vector<int64_t> sizes;
  for (uint32_t i = 0; profile && i < engine.metadata().symbols()->size(); ++i) {
    sizes.push_back(rangeOf(engine, profile, i).max());
    if (sizes.back() == INT64_MAX)
      return {};
  }
  return sizes;
}

DimDescription dimInProfile(const Engine &engine, uint32_t profile, uint32_t input, uint32_t dim) {
  DimDescription found = engine.inputs()[input].dims[dim];
  const auto &symbols = *engine.metadata().symbols();
  for (uint32_t i = 0; profile && found.symbol && i < symbols.size(); ++i)
    if (symbols.Get(i)->name()->c_str() == found.symbol) {
      const fb::ProfileRange &range = rangeOf(engine, profile, i);
      found.min = range.min();
      found.opt = range.opt();
      found.max = range.max();
    }
  return found;
}

} // namespace inlay
