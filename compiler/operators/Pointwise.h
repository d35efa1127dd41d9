// Pointwise operators: what each computes of one element, apart from the kernel around it.
#pragma once

#include "compiler/operators/LoopKernel.h"

#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// How the types in which an operator computes, and of its result, follow from its operands.
enum class PointwiseTypes : uint8_t {
  Common,  // the type in which the operands meet, for both
  Float,   // the same, but float32 for integers and bool
  Compare, // computed in the type in which they meet; the result is bool
  Logical, // operands are whether they are not 0; the result is bool
  Self,    // `self` alone decides, also of the shape
  Cast,    // computed in the operand's own type; the result is of any
};

/// What is computed under a condition.
struct PointwiseBody {
  /// All of it, separated by spaces, must hold: "bool", "integer", "float" (the common type's
  /// category), "unsigned" (an integer), "NAME=VALUE", "NAME=None", "NAME" (not None).
  std::string_view when;
  PointwiseTypes types;
  /// An expression in the Triton language: "{self} + {other} * {alpha}". Names in braces are
  /// arguments, as tiles of the type in which is computed.
  std::string_view text;
};

struct PointwiseOperator {
  std::vector<std::string> schemas;  // they differ in which arguments are numbers
  std::vector<PointwiseBody> bodies; // the first whose condition holds counts
};

/// All pointwise operators.
const std::vector<PointwiseOperator> &pointwiseOperators();

/// One operator of a node, made concrete.
struct PointwiseExpression {
  std::string_view text;
  PointwiseTypes types;
  DataType common; // to which operands are brought first
  DataType result;
};

/// Errors: InvalidArgument where the operator does not take the types.
Result<PointwiseExpression> pointwiseExpressionOf(const PointwiseOperator &op,
                                                  const PluginNode &node);
/// True if the expression computes with that argument.
bool usesOperand(const PointwiseExpression &expression, std::string_view name);
/// Adds to a kernel the lines that compute an expression: operands are brought from the variables
/// that hold the node's inputs (by name) to the type in which is computed. Names of new variables
/// begin with `prefix`. Gives text of the result, of its type.
std::string addPointwiseLines(LoopKernel &kernel, const PluginNode &node,
                              const PointwiseExpression &expression,
                              const std::map<std::string, std::string, std::less<>> &variables,
                              const std::string &prefix = "");

/// Text of `value`, a tile of type `from`, as a tile of type `to`.
std::string converted(const std::string &value, DataType from, DataType to);

} // namespace inlay
