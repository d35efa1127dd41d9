// Tensors of random numbers. An engine is deterministic: each run of it draws the same numbers, by
// a seed that is made of the node's name, so that two calls draw different ones.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace inlay {
namespace {

/// Not negative, and the same everywhere.
int64_t seedOf(std::string_view name) {
  return static_cast<int64_t>(XXH64(name.data(), name.size(), 0) >> 1);
}

Result<PluginDescription> describe(const PluginNode &node) {
  const TensorSpec *self = findInput(node, "self");
  const std::vector<Expr> shape = self ? self->shape : sizesOf(node, "size");
  const DataType dtype =
      findDataTypeOf(node, "dtype").value_or(self ? self->dtype : DataType::Float32);
  if (!isFloat(dtype))
    return invalidArgument("random numbers of {} are asked for; expected floats",
                           dataTypeName(dtype));
  PluginDescription description;
  for (const Expr &size : shape)
    description.requirements.push_back(
        {lessEqual(Expr(0), size), fmt::format("every size of {} is 0 or more", shapeText(shape))});
  description.outputs.push_back({dtype, shape});
  return description;
}

Result<PluginImplementation> implement(const PluginNode &node, bool isNormal) {
  constexpr int64_t kBlock = 256;
  const Expr count = productOf(node.outputs[0].shape);
  LaunchBuilder launch("draws.py", "draw_kernel");
  launch.output(0)
      .wideSize(count)
      .wideSize(Expr(seedOf(node.nodeName)))
      .constant("IS_NORMAL", isNormal)
      .constant("BLOCK", kBlock);
  return launch.over(ceilDiv(count, kBlock));
}

} // namespace

void addRandomOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, bool isNormal) {
    OperatorFunctions functions{
        describe, [isNormal](const PluginNode &node) { return implement(node, isNormal); }};
    functions.traits.drawsNumbers = true;
    addOperator(definitions, schema, std::move(functions));
  };
  constexpr std::string_view kSized = "(SymInt[] size, *, ScalarType? dtype=None, Layout? "
                                      "layout=None, Device? device=None, bool? pin_memory=None) -> "
                                      "Tensor";
  constexpr std::string_view kLike =
      "(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  for (const bool isNormal : {false, true}) {
    const std::string_view name = isNormal ? "randn" : "rand";
    add(fmt::format("aten::{}{}", name, kSized), isNormal);
    add(fmt::format("aten::{}_like{}", name, kLike), isNormal);
  }
}

} // namespace inlay
