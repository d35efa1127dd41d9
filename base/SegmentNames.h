// The names that compiler, engines and runtime give host segments: calls of a model that a function
// of the process computes.
#pragma once

#include <string_view>

namespace inlay {

/// "segment::mlp_0" is the function of the first segment of model `mlp`.
inline constexpr std::string_view kSegmentNamespace = "segment::";
/// Attributes of its host call. A list of texts, one a call in their order:
/// "relu_1: float32[s0, 8] = aten::relu(self = add_1)".
inline constexpr std::string_view kSegmentCalls = "calls";
/// Lists of texts, one a tensor: "x: float32[s0, 8]", by its name in the model.
inline constexpr std::string_view kSegmentInputs = "inputs";
inline constexpr std::string_view kSegmentOutputs = "outputs";

} // namespace inlay
