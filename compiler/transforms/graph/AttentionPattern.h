// Attention that a model writes out: products, scaling, a mask and softmax, found from softmax on.
#pragma once

#include "compiler/transforms/graph/PassContext.h"

#include <string>

namespace inlay::graph {

/// softmax(query · key * scale + mask) · value, over the last two dimensions of each. Its values
/// are operands of the model's calls.
struct AttentionPattern {
  CallOp softmax, scores, product; // the products in front of softmax and behind it
  double scale = 1;
  mlir::Value query;
  mlir::Value keyTransposed; // [..., head, keys]
  mlir::Value value;
  mlir::Value mask; // null if there is none
  /// It is added to the scores, or says which of them are kept, or are `fill` instead.
  enum class Mask : uint8_t { Added, Kept, Filled } maskKind = Mask::Added;
  double fill = 0;
  std::vector<Expr> leading; // sizes in front of the last two, where the mask is applied
};

/// True for a call of softmax along the last dimension that a standard operator serves.
bool isSoftmaxOfRows(PassContext &context, CallOp call);
/// Finds what stands around a softmax. Empty if all is there; else why it is no attention.
std::string findAttention(PassContext &context, CallOp softmax, AttentionPattern &pattern);

/// The factor of a standard operator that multiplies its first operand with a number, or divides by
/// it; nullopt for others.
std::optional<double> factorOf(PassContext &context, CallOp call);

} // namespace inlay::graph
