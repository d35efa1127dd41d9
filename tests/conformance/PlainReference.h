// What whole kernels should compute, written down in double precision without tiles: a check of the
// front end and the interpreter together.
#pragma once

#include "tests/conformance/Row.h"

namespace inlay::conformance {

void plainAdd(PlainValues &values);
/// Rows of `values` to rows of `out`.
void plainSoftmax(PlainValues &values);
/// c[m, n] = a[m, k] · b[k, n].
void plainMatmul(PlainValues &values);
void plainLayerNorm(PlainValues &values);
/// Attention without a mask; [batch, length, 64] each, in natural logarithms, logs in those of 2.
void plainAttention(PlainValues &values);

} // namespace inlay::conformance
