// What passes over a model's graph may know of a standard operator, beyond what any plugin says.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"

#include <functional>
#include <optional>
#include <vector>

namespace inlay {

struct PointwiseExpression;
struct StridedViews;
struct Places;
struct Moves;
struct LineOperation;
struct GroupTail;

/// An input that is added to the result, an element for each index of one of its dimensions.
struct ChannelBias {
  uint32_t input = 0;
  size_t dim = 0; // of the result
};

/// How an operator can be computed together with others. Functions that are empty: it cannot. All
/// are called with bound arguments, whose outputs are known. Operators without a trait are
/// functions of their arguments still: a standard operator keeps no state, and draws random numbers
/// only where it says so.
struct OperatorTraits {
  /// What it computes of one element (Pointwise.h).
  std::function<Result<PointwiseExpression>(const PluginNode &)> element = {};
  /// Where the elements of its results lie in its first input (Views.h).
  std::function<Result<StridedViews>(const PluginNode &)> views = {};
  /// Which elements of "self", or of the table of an embedding, its only result is (Places.h).
  std::function<Result<Places>(const PluginNode &)> places = {};
  /// What its results are copied from, where the types are the same (Views.h); later ones lie over
  /// earlier ones.
  std::function<Result<Moves>(const PluginNode &)> moves = {};
  /// What it computes of a line along the last dimension (LineOperation.h).
  std::function<Result<LineOperation>(const PluginNode &)> line = {};
  /// Its launches, where the elements of its only output, before they are stored, go through `tail`
  /// (Tails.h). Its arguments count inputs behind the operator's own. Errors: as for implement.
  std::function<Result<PluginImplementation>(const PluginNode &node, const GroupTail &tail)>
      implementWithTail = {};
  /// The bias that a call has, without which it is the same operator: where a library computes it
  /// and others follow in a kernel, that kernel adds the bias. Not every library does.
  std::function<std::optional<ChannelBias>(const PluginNode &)> channelBias = {};
  /// On GPUs it multiplies float32 by tl.dot, as precisionOf (ProductTiles.h) says how.
  bool multipliesOnTensorCores = false;
  /// Two calls with the same arguments give different results.
  bool drawsNumbers = false;
};

} // namespace inlay
