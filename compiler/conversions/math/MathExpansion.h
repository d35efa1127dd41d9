// Math functions and conversions of 16-bit floats as plain arithmetic on scalars and vectors.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay {

struct MathExpansionOptions {
  /// math.fma is one instruction; otherwise it is expanded too, and polynomials use multiply and
  /// add.
  bool hasFma = true;
  /// f32 <-> f16 conversions are one instruction.
  bool hasF16Conversion = true;
  /// All conversions to nearest among f16, bf16, f32 and f64 are there, and choices of bf16: only
  /// conversions of 8-bit floats and toward zero are expanded.
  bool hasNarrowFloats = false;
};

/// Rewrites the math dialect's functions of f32 and f64 (exp, exp2, expm1, log, log2, log10, log1p,
/// powf, sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, erf, erfc, cbrt, rsqrt, round;
/// fma without the instruction) and arith.remf, which hardware lacks, into arith, scf, vector and
/// the ops that every target has (sqrt, trunc, absf, copysign, fma). Measured errors:
/// MathExpansion.md. f16 and bf16 operands must have been widened. Fast-math flags are ignored. A
/// target with native versions adds its own patterns with a higher benefit than 1.
void populateMathExpansionPatterns(mlir::RewritePatternSet &patterns,
                                   const MathExpansionOptions &options = {});

/// Rewrites arith.extf and arith.truncf from and to bf16, f8E5M2, f8E4M3FN and f8E4M3B11FNUZ, and
/// those of f16 that hardware lacks, into integer arithmetic that rounds to nearest even, or toward
/// zero where the op says so. f64 to a narrower float than f32 rounds once. Infinities and what is
/// too large for an 8-bit float become its largest value; NaN stays NaN.
void populateNarrowFloatPatterns(mlir::RewritePatternSet &patterns,
                                 const MathExpansionOptions &options = {});

/// Applies both sets of patterns.
std::unique_ptr<mlir::Pass> createMathExpansionPass(const MathExpansionOptions &options = {});

/// Registers "inlay-math-expansion".
void registerMathExpansionPasses();

} // namespace inlay
