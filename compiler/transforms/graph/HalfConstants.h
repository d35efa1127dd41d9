// Weights in half precision.
#pragma once

#include "base/DataType.h"
#include "compiler/dialects/graph/Graph.h"

#include <string>

namespace inlay {

/// Why a float32 constant cannot become `type`: a value that is finite would not be; empty if it
/// can.
std::string whyNotHalf(graph::ConstantOp constant, DataType type);

/// A constant with the values of `constant`, float32, rounded to nearest even, made behind it.
graph::ConstantOp makeHalfConstant(graph::ConstantOp constant, DataType type);

} // namespace inlay
