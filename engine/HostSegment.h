// How an engine says what a host segment computes: calls of a model that a function of the process
// serves. It is a host call whose function is in the namespace `segment` and that tells its tensors
// and calls in attributes (base/SegmentNames.h), which the function is given too.
#pragma once

#include "base/SegmentNames.h"
#include "engine/Engine_generated.h"

#include <string>
#include <vector>

namespace inlay {

/// True for the call of a host segment.
bool isHostSegment(const fb::HostCall &call);

/// What a segment takes, gives and computes, a line each, without control characters:
///
///     input 0: x: float32[s0, 8]
///     output 0: relu_1: float32[s0, 8]
///     computes relu_1: float32[s0, 8] = aten::relu(self = x)
std::vector<std::string> hostSegmentLines(const fb::HostCall &call);

} // namespace inlay
