// What a plan says of calls that a function of the process computes.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"

#include <set>
#include <string>

namespace inlay {

/// Errors: Unimplemented for an output whose size is none of `bound`, the symbols that are known
/// before a run or that kernels compute: its memory could not be planned.
Status checkSegment(graph::SegmentOp segment, const std::set<std::string> &bound);

/// The attributes of a segment's host call (base/SegmentNames.h); a list that would be empty is
/// left out.
mlir::DictionaryAttr segmentAttributes(graph::SegmentOp segment);

} // namespace inlay
