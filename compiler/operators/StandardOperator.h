// Standard operators that are described in C++: what every one of them is made of.
#pragma once

#include "compiler/operators/OperatorTraits.h"
#include "compiler/plugins/PluginDefinition.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace inlay {

using OperatorDefinitions = std::vector<std::unique_ptr<PluginDefinition>>;

/// How an operator is computed. Both are called with arguments bound as its schema declares them;
/// their errors say what is wrong, the caller adds which node.
struct OperatorFunctions {
  std::function<Result<PluginDescription>(const PluginNode &)> describe;
  /// Empty for operators that launch nothing.
  std::function<Result<PluginImplementation>(const PluginNode &)> implement;
  /// Of several plugins of an operator that serve different nodes: a name that tells them apart,
  /// and why one does not serve a node, of which the outputs that the exporter recorded are known.
  std::string variant = {};
  std::function<Status(const PluginNode &)> serves = {};
  /// How it can be computed together with other operators.
  OperatorTraits traits = {};
};

/// Adds the plugins of one operator: one for each choice of which of its optional tensors a node
/// passes. Operators that take lists of tensors get one plugin, which takes all tensors; the
/// elements of a list are inputs named "tensors[0]", …. A tensor named in `mayBeNumbers` may also
/// be a number, which is then an attribute of that name (kind SizeNumber). The schema is PyTorch's.
void addOperator(OperatorDefinitions &definitions, std::string_view schema,
                 OperatorFunctions functions,
                 const std::vector<std::string_view> &mayBeNumbers = {});

// The groups of OperatorGroups.def.
#define INLAY_OPERATOR_GROUP(add) void add(OperatorDefinitions &definitions);
#include "compiler/operators/OperatorGroups.def"
#undef INLAY_OPERATOR_GROUP

// What the functions of operators ask a node. Attributes must be declared by the schema with the
// kind asked for.

/// The tensor of that name; null if the node does not pass it.
const TensorSpec *findInput(const PluginNode &node, std::string_view name);
/// Which of the inputs it is. It must be there.
uint32_t inputIndex(const PluginNode &node, std::string_view name);
/// True if the attribute is None. False for sizes.
bool isNone(const PluginNode &node, std::string_view name);
int64_t integerOf(const PluginNode &node, std::string_view name);
bool boolOf(const PluginNode &node, std::string_view name);
double floatOf(const PluginNode &node, std::string_view name);
/// A number as a node gives it: bool, int64_t or double, or an integer that depends on sizes.
struct OperatorNumber {
  AttributeValue value;
  std::optional<Expr> expression; // instead of `value`
};
/// An attribute of kind SizeNumber; it must not be None.
OperatorNumber numberOf(const PluginNode &node, std::string_view name);
const std::string &textOf(const PluginNode &node, std::string_view name);
/// nullopt for None.
std::optional<DataType> findDataTypeOf(const PluginNode &node, std::string_view name);
/// Empty for None.
std::vector<int64_t> integersOf(const PluginNode &node, std::string_view name);
/// A size; nullopt for None.
std::optional<Expr> findSize(const PluginNode &node, std::string_view name);
/// A list of sizes; empty for None.
std::vector<Expr> sizesOf(const PluginNode &node, std::string_view name);

} // namespace inlay
