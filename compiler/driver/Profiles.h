// Shape profiles of a build: for which sizes an engine is made.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/plan/Plan.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// The sizes of one dimension, named as a user does: by its symbol, "s0", or by input and
/// dimension, "X:0".
struct ProfileDim {
  std::string name;
  int64_t min = 0, opt = 0, max = 0; // all inclusive; min <= opt <= max
};

/// A set of shapes. Dimensions that it does not name keep the model's range.
struct ShapeProfile {
  std::vector<ProfileDim> dims;
};

/// Reads "X:0=1,64,1024 s1=8": min, opt and max, or one fixed size; separated by blanks or ";".
/// Errors: InvalidArgument naming the entry, what was found and what was expected.
Result<ShapeProfile> parseProfile(std::string_view text);

/// Narrows the symbols of a graph to the ranges that enclose all profiles, tuned for the first
/// one's sizes. Errors, naming profile and dimension: NotFound (no such input, dimension or symbol,
/// with those there are), InvalidArgument (a dimension that is fixed or computed, two ranges for
/// one symbol), OutOfRange (sizes that the model was not exported for).
Status applyProfiles(graph::ModelOp model, std::span<const ShapeProfile> profiles);
/// As above for a plan, which also keeps the profiles: its attribute `plan.profiles` holds for each
/// one an array of min, opt, max of every symbol in order.
Status applyProfiles(plan::ProgramOp program, std::span<const ShapeProfile> profiles);

/// The profiles that a plan keeps, 3 numbers a symbol. Errors: InvalidArgument for an attribute of
/// another form.
Result<std::vector<std::vector<int64_t>>> profilesOf(plan::ProgramOp program);

} // namespace inlay
