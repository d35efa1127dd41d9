// Engines as text for people and golden tests, and as JSON for programs. A library of its own
// (engine_text), so that the runtime does not carry it.
#pragma once

#include "engine/EngineFile.h"
#include "symbolic/FloatExpr.h"

#include <string>
#include <vector>

namespace inlay {

/// All that an engine holds: symbols, tensors, buffers, kernels with their images, steps, checks,
/// segments and the build record. Deterministic; the bytes of segments are shown as checksums.
std::string engineToText(const EngineFile &file);

/// The same as indented JSON. Expressions are text (symbolic/Expr.h), 64-bit checksums hexadecimal
/// strings; an unbounded symbol has no "max".
std::string engineToJson(const EngineFile &file);

/// Longer expressions are named after their step where another uses them. This also keeps hostile
/// programs, which may double an expression with each step, from filling memory.
inline constexpr size_t kMaxInlineExpressionBytes = 200;

/// The expression of each step of an engine's program, over the names of its symbols. Steps of more
/// than kMaxInlineExpressionBytes appear in others as "e12".
std::vector<Expr> engineExpressions(const EngineFile &file);
/// The same of the float expressions, given those of integers.
std::vector<FloatExpr> engineFloatExpressions(const EngineFile &file,
                                              std::span<const Expr> integers);

} // namespace inlay
