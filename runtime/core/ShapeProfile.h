// The profiles of an engine: ranges of shapes that it was built for, of which a context may choose
// one. Profiles are counted from 1; 0 stands for the engine's whole range.
#pragma once

#include "runtime/core/Engine.h"

#include <span>
#include <vector>

namespace inlay {

uint32_t numProfiles(const Engine &engine);
/// Errors: OutOfRange naming the engine and how many it has.
Status checkProfileExists(const Engine &engine, uint32_t profile);
/// Refuses a shape of input `input` that lies outside a profile, naming the dimension, what was
/// found and the bounds. Looks at dimensions that symbols are read from. Errors: OutOfRange.
Status checkInProfile(const Engine &engine, uint32_t profile, uint32_t input,
                      std::span<const int64_t> shape);
/// The largest value of each symbol in a profile; empty if one has no bound, or for profile 0.
std::vector<int64_t> largestSizes(const Engine &engine, uint32_t profile);
/// Dimension `dim` of input `input`, which exist, in a profile.
DimDescription dimInProfile(const Engine &engine, uint32_t profile, uint32_t input, uint32_t dim);

} // namespace inlay
