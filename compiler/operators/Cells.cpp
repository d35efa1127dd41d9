// One step of a recurrent layer: lstm_cell, gru_cell, rnn_tanh_cell and rnn_relu_cell. Input and
// state become gates by a product each; a kernel makes the new state of them.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Composition.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Products.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// As ops/recurrence.py names it.
struct Cell {
  std::string_view kind;
  int64_t gates;
  bool hasCells() const { return kind == "lstm"; }
  std::string_view state() const { return hasCells() ? "hx[0]" : "hx"; }
};

Status checkProduct(const PluginNode &node, std::string_view operand, std::string_view weight,
                    const Expr &rows, std::vector<PluginRequirement> &requirements) {
  const std::vector<Expr> &x = inputOf(node, operand).shape, &w = inputOf(node, weight).shape;
  if (x.size() != w.size() || x.size() != 2)
    return unimplemented("'{}' has rank {} and '{}' rank {}; expected 2 of both", operand, x.size(),
                         weight, w.size());
  requirements.push_back(
      {logicalAnd(equal(w[0], rows), equal(w[1], x[1])),
       fmt::format("'{}' has the shape {}", weight, shapeText(std::vector{rows, x[1]}))});
  return {};
}

Result<PluginDescription> describe(const PluginNode &node, const Cell &cell) {
  for (std::string_view name : {cell.state(), std::string_view("w_ih"), std::string_view("w_hh")})
    if (!findInput(node, name))
      return invalidArgument("the model passes no tensor for input '{}'", name);
  if (cell.hasCells() && !findInput(node, "hx[1]"))
    return invalidArgument("there is no second state");
  if (!findInput(node, "b_ih") != !findInput(node, "b_hh"))
    return unimplemented("there is one of two biases; both or none are supported");
  INLAY_TRY(checkFloat(node, "input"));
  INLAY_TRY(checkOneType(node));
  const TensorSpec &state = inputOf(node, cell.state());
  if (state.shape.size() != 2)
    return unimplemented("the state has rank {}; expected 2", state.shape.size());
  PluginDescription description;
  const Expr rows = state.shape[1] * Expr(cell.gates);
  INLAY_TRY(checkProduct(node, "input", "w_ih", rows, description.requirements));
  INLAY_TRY(checkProduct(node, cell.state(), "w_hh", rows, description.requirements));
  description.requirements.push_back(
      {equal(inputOf(node, "input").shape[0], state.shape[0]), "there is a state for each input"});
  description.outputs.assign(cell.hasCells() ? 2 : 1, state);
  return description;
}

/// Appends the product of an operand and its weights, and gives where it is.
Result<TensorArgument> appendGates(Composition &whole, const PluginNode &node, const Cell &cell,
                                   std::string_view operand, std::string_view suffix) {
  PluginNode product = node;
  product.opName = "aten::linear";
  product.libraries = {};
  product.attributes.clear();
  product.sizeAttributes.clear();
  product.inputs.clear();
  product.inputNames.clear();
  std::vector<TensorArgument> inputs;
  const auto add = [&](std::string_view from, std::string_view name) {
    const std::optional<uint32_t> index = findInputIndex(node, from);
    if (!index)
      return;
    product.inputs.push_back(node.inputs[*index]);
    product.inputNames.emplace_back(name);
    inputs.push_back({LaunchArgument::Kind::Input, *index, node.inputs[*index].dtype});
  };
  add(operand, "input");
  add(fmt::format("w_{}", suffix), "weight");
  add(fmt::format("b_{}", suffix), "bias");
  const std::vector<Expr> &state = inputOf(node, cell.state()).shape;
  const DataType sum = sumTypeOf(node.inputs[0].dtype);
  product.outputs = {{sum, {state[0], state[1] * Expr(cell.gates)}}};
  const TensorArgument gates =
      whole.addWorkspace(fmt::format("gates {}", suffix), sum, product.outputs[0].numel());
  INLAY_ASSIGN(PluginImplementation linear, implementLinear(product));
  whole.append(std::move(linear), inputs, gates);
  return gates;
}

Result<PluginImplementation> implement(const PluginNode &node, const Cell &cell) {
  constexpr int64_t kBlock = 256;
  Composition whole;
  INLAY_ASSIGN(const TensorArgument given, appendGates(whole, node, cell, "input", "ih"));
  INLAY_ASSIGN(const TensorArgument kept, appendGates(whole, node, cell, cell.state(), "hh"));
  const std::vector<Expr> &state = inputOf(node, cell.state()).shape;
  LaunchBuilder launch("recurrence.py", "cell_kernel");
  launch.workspace(given.index, given.dtype)
      .workspace(kept.index, kept.dtype)
      .input(inputIndex(node, cell.hasCells() ? "hx[1]" : "hx"))
      .output(0)
      .optionalOutput("c_out_ptr", cell.hasCells() ? std::optional(1u) : std::nullopt)
      .sizes({state[0] * state[1], state[1]})
      .constant("KIND", std::string(cell.kind))
      .constant("GATES", cell.gates)
      .constant("SUM", given.dtype)
      .constant("BLOCK", kBlock);
  whole.append(launch.launchOver(ceilDiv(state[0] * state[1], kBlock)));
  return whole.take();
}

} // namespace

void addCellOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view name, std::string_view states, std::string_view results,
                       const Cell &cell) {
    addOperator(definitions,
                fmt::format("aten::{}(Tensor input, {} hx, Tensor w_ih, Tensor w_hh, Tensor? "
                            "b_ih=None, Tensor? b_hh=None) -> {}",
                            name, states, results),
                {[cell](const PluginNode &node) { return describe(node, cell); },
                 [cell](const PluginNode &node) { return implement(node, cell); },
                 "",
                 {},
                 {.multipliesOnTensorCores = true}});
  };
  add("lstm_cell", "Tensor[]", "(Tensor, Tensor)", {"lstm", 4});
  add("gru_cell", "Tensor", "Tensor", {"gru", 3});
  add("rnn_tanh_cell", "Tensor", "Tensor", {"tanh", 1});
  add("rnn_relu_cell", "Tensor", "Tensor", {"relu", 1});
}

} // namespace inlay
