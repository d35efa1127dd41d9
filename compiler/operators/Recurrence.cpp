// Recurrent layers: lstm, gru, rnn_tanh and rnn_relu. A layer's input becomes gates by one matrix
// product for all steps; a kernel then goes from step to step.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Products.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// What a layer is, as ops/recurrence.py names it.
struct Cell {
  std::string_view kind;
  int64_t gates;
  bool hasCells() const { return kind == "lstm"; }
};

struct Recurrence {
  Cell cell;
  int64_t layers, directions;
  bool hasBiases, isBatchFirst;
  DataType dtype;
  Expr length, batch, hidden;
  uint32_t input, h, c, params; // inputs of the node; the latter the first of the parameters

  int64_t paramsOfEach() const { return hasBiases ? 4 : 2; }
  /// A parameter of a layer and direction: 0 weights of its input, 1 of its state, 2 and 3 biases.
  uint32_t param(int64_t layer, int64_t direction, int64_t which) const {
    return params +
           static_cast<uint32_t>((layer * directions + direction) * paramsOfEach() + which);
  }
  Expr states() const { return batch * hidden * Expr(directions); } // of a layer
};

Status checkCounts(const PluginNode &node, const Recurrence &r) {
  const auto expected = r.layers * r.directions * r.paramsOfEach();
  const auto count = static_cast<int64_t>(node.inputs.size()) - r.params;
  if (count == expected)
    return {};
  const bool hasProjections = r.cell.hasCells() && count == expected + r.layers * r.directions;
  if (hasProjections)
    return unimplemented("there is a projection of the state (proj_size), which is not supported");
  return invalidArgument("there are {} parameters; expected {} for {} layers in {} directions",
                         count, expected, r.layers, r.directions);
}

Result<Recurrence> readRecurrence(const PluginNode &node, const Cell &cell) {
  Recurrence r{};
  r.cell = cell;
  r.layers = integerOf(node, "num_layers");
  r.directions = boolOf(node, "bidirectional") ? 2 : 1;
  r.hasBiases = boolOf(node, "has_biases");
  r.isBatchFirst = boolOf(node, "batch_first");
  r.input = inputIndex(node, "input");
  if (!findInput(node, cell.hasCells() ? "hx[0]" : "hx") || !findInput(node, "params[0]") ||
      (cell.hasCells() && !findInput(node, "hx[1]")))
    return invalidArgument("states or parameters are missing");
  r.h = inputIndex(node, cell.hasCells() ? "hx[0]" : "hx");
  r.c = cell.hasCells() ? inputIndex(node, "hx[1]") : r.h;
  r.params = inputIndex(node, "params[0]");
  INLAY_TRY(checkFloat(node, "input"));
  INLAY_TRY(checkOneType(node));
  INLAY_TRY(checkCounts(node, r));
  if (boolOf(node, "train") && floatOf(node, "dropout") != 0 && r.layers > 1)
    return unimplemented("dropout between layers in training is not supported; call eval() before "
                         "the model is exported");
  const std::vector<Expr> &input = node.inputs[r.input].shape, &h = node.inputs[r.h].shape;
  if (input.size() != 3 || h.size() != 3)
    return unimplemented("'input' has rank {} and the state {}; expected 3 of both", input.size(),
                         h.size());
  if (r.layers < 1)
    return invalidArgument("num_layers is {}; expected at least 1", r.layers);
  r.dtype = node.inputs[r.input].dtype;
  r.length = input[r.isBatchFirst ? 1 : 0];
  r.batch = input[r.isBatchFirst ? 0 : 1];
  r.hidden = h[2];
  return r;
}

void require(PluginDescription &description, const TensorSpec &tensor, std::string_view name,
             const std::vector<Expr> &shape) {
  if (tensor.shape == shape)
    return;
  Expr holds = Expr(tensor.shape.size() == shape.size() ? 1 : 0);
  for (size_t dim = 0; dim < shape.size() && dim < tensor.shape.size(); ++dim)
    holds = logicalAnd(holds, equal(tensor.shape[dim], shape[dim]));
  description.requirements.push_back(
      {holds, fmt::format("{} has the shape {}", name, shapeText(shape))});
}

void requireParameters(PluginDescription &description, const PluginNode &node,
                       const Recurrence &r) {
  const Expr gates = r.hidden * Expr(r.cell.gates);
  for (int64_t layer = 0; layer < r.layers; ++layer)
    for (int64_t direction = 0; direction < r.directions; ++direction)
      for (int64_t which = 0; which < r.paramsOfEach(); ++which) {
        const Expr depth = which == 1   ? r.hidden
                           : layer == 0 ? node.inputs[r.input].shape[2]
                                        : r.hidden * Expr(r.directions);
        const uint32_t param = r.param(layer, direction, which);
        require(description, node.inputs[param], node.inputNames[param],
                which < 2 ? std::vector{gates, depth} : std::vector{gates});
      }
}

/// torch.export records the states that an LSTM on the CPU ends with as [count, 1, batch, hidden],
/// and what follows in the model is recorded for that shape.
enum class StateRank : uint8_t { Three = 3, Four };

/// Which of two plugins serves a node is told by what the exporter recorded.
Status checkStateRank(const PluginNode &node, StateRank rank) {
  const bool isFour = node.outputs.size() == 3 && node.outputs[1].shape.size() == 4;
  return isFour == (rank == StateRank::Four)
             ? Status()
             : invalidArgument("node {} ({}): its states have {} dimensions; expected {}",
                               node.nodeName, node.opName, isFour ? 4 : 3, isFour ? 3 : 4);
}

Result<PluginDescription> describe(const PluginNode &node, const Cell &cell, StateRank rank) {
  INLAY_ASSIGN(const Recurrence r, readRecurrence(node, cell));
  const Expr count(r.layers * r.directions);
  PluginDescription description;
  TensorSpec output = node.inputs[r.input];
  output.shape[2] = r.hidden * Expr(r.directions);
  TensorSpec state{r.dtype, {count, r.batch, r.hidden}};
  if (rank == StateRank::Four)
    state.shape.insert(state.shape.begin() + 1, Expr(1));
  description.outputs = {output, state};
  if (cell.hasCells())
    description.outputs.push_back(state);
  for (uint32_t given = r.h; given <= r.c; ++given)
    require(description, node.inputs[given], "a state", {count, r.batch, r.hidden});
  requireParameters(description, node, r);
  description.requirements.push_back({lessEqual(1, r.length), "sequences are not empty"});
  return description;
}

/// How the states are shared out to programs.
struct StateTiles {
  int64_t batch, hidden, depth;
  bool isPacked; // weights; else they are read as they are, for one sequence
  bool isSplit;  // a launch is one step, of programs with a tile each
};

/// What the launches of all layers share.
class RecurrenceBuilder {
public:
  RecurrenceBuilder(const PluginNode &node, const Recurrence &recurrence)
      : node_(node), r_(recurrence), sum_(sumTypeOf(recurrence.dtype)), tiles_(chooseTiles()) {}

  Result<PluginImplementation> build() {
    addWorkspaces();
    for (int64_t layer = 0; layer < r_.layers; ++layer) {
      for (int64_t direction = 0; direction < r_.directions; ++direction)
        INLAY_TRY(addGates(layer, direction));
      addStates(layer);
      if (tiles_.isPacked)
        for (int64_t direction = 0; direction < r_.directions; ++direction)
          addPacking(layer, direction);
      addSteps(layer);
    }
    return std::move(implementation_);
  }

private:
  StateTiles chooseTiles() const {
    constexpr int64_t kMostSteps = 512, kLargeHidden = 128, kMostDepth = 1024;
    StateTiles tiles{};
    const bool isGpu = isForGpu(node_);
    const std::optional<int64_t> batch = r_.batch.constantValue(),
                                 length = r_.length.constantValue(),
                                 hidden = r_.hidden.constantValue();
    // What a step computes must outweigh a launch, unless each keeps most of a GPU idle.
    tiles.isSplit =
        length && *length <= kMostSteps && (isGpu || (hidden && *hidden >= kLargeHidden));
    tiles.isPacked = isGpu || !batch || *batch > 2;
    if (!tiles.isPacked) {
      tiles.batch = 1;
      tiles.hidden = tileFor(r_.hidden, 1, 16, 16);
      tiles.depth = tileFor(r_.hidden, 1, kMostDepth, 256);
      return tiles;
    }
    tiles.batch = tileFor(r_.batch, isGpu ? 16 : 1, 32, 16);
    const int64_t width = isGpu ? 16 : 32;
    tiles.hidden = tileFor(r_.hidden, 16, width, width);
    tiles.depth = tileFor(r_.hidden, 16, isGpu ? 64 : 128, 32);
    return tiles;
  }

  uint32_t addWorkspace(std::string name, DataType dtype, const Expr &elements) {
    implementation_.workspaces.push_back(
        {std::move(name), dtype, elements * Expr(dataTypeSizeBytes(dtype))});
    return static_cast<uint32_t>(implementation_.workspaces.size()) - 1;
  }

  void addWorkspaces() {
    const Expr rows = r_.length * r_.batch;
    for (int64_t direction = 0; direction < r_.directions; ++direction) {
      gates_[direction] = addWorkspace(fmt::format("gates {}", direction), sum_,
                                       rows * r_.hidden * Expr(r_.cell.gates));
      if (tiles_.isPacked)
        packed_[direction] = addWorkspace(fmt::format("weights {}", direction), r_.dtype,
                                          r_.hidden * ceilDiv(r_.hidden, tiles_.hidden) *
                                              Expr(r_.cell.gates * tiles_.hidden));
    }
    h_ = addWorkspace("states", r_.dtype, r_.states() * Expr(2));
    if (r_.cell.hasCells())
      c_ = addWorkspace("cells", sum_, r_.states());
    for (int64_t i = 0; i < std::min<int64_t>(r_.layers - 1, 2); ++i)
      between_[i] = addWorkspace(fmt::format("sequence {}", i), r_.dtype,
                                 rows * r_.hidden * Expr(r_.directions));
  }

  /// The product of a layer's input and its weights.
  Status addGates(int64_t layer, int64_t direction) {
    PluginNode product = node_;
    product.opName = "aten::linear";
    TensorSpec input = node_.inputs[r_.input];
    if (layer > 0)
      input.shape[2] = r_.hidden * Expr(r_.directions);
    product.inputs = {input, node_.inputs[r_.param(layer, direction, 0)]};
    product.inputNames = {"input", "weight"};
    product.attributes.clear();
    product.sizeAttributes.clear();
    std::vector<uint32_t> inputs = {r_.input, r_.param(layer, direction, 0)};
    if (r_.hasBiases) {
      inputs.push_back(r_.param(layer, direction, 2));
      product.inputs.push_back(node_.inputs[inputs.back()]);
      product.inputNames.push_back("bias");
    }
    // Libraries write the operands' type.
    if (sum_ != r_.dtype)
      product.libraries = {};
    INLAY_ASSIGN(PluginImplementation linear, implementLinear(product));
    INLAY_TRY(addTactics(linear.tactics));
    const auto base = static_cast<uint32_t>(implementation_.workspaces.size());
    for (Workspace &workspace : linear.workspaces) {
      workspace.name += fmt::format(" {} {}", layer, direction);
      implementation_.workspaces.push_back(std::move(workspace));
    }
    for (PluginLaunch &launch : linear.launches) {
      for (LaunchArgument &argument : launch.arguments)
        place(argument, inputs, layer, direction, base);
      implementation_.launches.push_back(std::move(launch));
    }
    return {};
  }

  /// All products are computed in one way: by a library if it takes each of them.
  Status addTactics(const std::vector<PluginTactic> &tactics) {
    std::vector<PluginTactic> &all = implementation_.tactics;
    if (implementation_.launches.empty()) {
      all = tactics;
      return {};
    }
    if (all.size() != tactics.size())
      return internalError("the products of a recurrent layer have {} and {} tactics", all.size(),
                           tactics.size());
    for (size_t i = 0; i < all.size(); ++i)
      all[i].conditions.insert(all[i].conditions.end(), tactics[i].conditions.begin(),
                               tactics[i].conditions.end());
    return {};
  }

  /// Brings a product's argument to what it is of the whole.
  void place(LaunchArgument &argument, const std::vector<uint32_t> &inputs, int64_t layer,
             int64_t direction, uint32_t base) const {
    using Kind = LaunchArgument::Kind;
    const auto become = [&](uint32_t workspace, DataType dtype) {
      argument.kind = Kind::Workspace;
      argument.index = workspace;
      argument.dtype = dtype;
    };
    if (argument.kind == Kind::Workspace)
      argument.index += base;
    else if (argument.kind == Kind::Output)
      become(gates_[direction], sum_);
    else if (argument.kind == Kind::Input && argument.index == 0 && layer > 0)
      become(between_[(layer - 1) % 2], r_.dtype);
    else if (argument.kind == Kind::Input)
      argument.index = inputs[argument.index];
  }

  /// The states that a layer begins with.
  void addStates(int64_t layer) {
    constexpr int64_t kBlock = 1024;
    const auto copy = [&](uint32_t input, uint32_t workspace, DataType dtype) {
      LaunchBuilder launch("recurrence.py", "copy_state_kernel");
      launch.input(input)
          .workspace(workspace, dtype)
          .sizes({Expr(layer) * r_.states(), r_.states()})
          .constant("BLOCK", kBlock);
      implementation_.launches.push_back(launch.launchOver(ceilDiv(r_.states(), kBlock)));
    };
    copy(r_.h, h_, r_.dtype);
    if (r_.cell.hasCells())
      copy(r_.c, c_, sum_);
  }

  void addPacking(int64_t layer, int64_t direction) {
    constexpr int64_t kDepth = 32;
    const Expr depths = ceilDiv(r_.hidden, kDepth);
    LaunchBuilder launch("recurrence.py", "pack_kernel");
    launch.input(r_.param(layer, direction, 1))
        .workspace(packed_[direction], r_.dtype)
        .sizes({r_.hidden, depths})
        .constant("GATES", r_.cell.gates)
        .constant("TILE_N", tiles_.hidden)
        .constant("TILE_K", kDepth);
    implementation_.launches.push_back(
        launch.launchOver(depths * ceilDiv(r_.hidden, tiles_.hidden)));
  }

  void addSteps(int64_t layer) {
    if (!tiles_.isSplit) {
      implementation_.launches.push_back(steps(layer, Expr(0), r_.length));
      return;
    }
    for (int64_t step = 0; step < *r_.length.constantValue(); ++step)
      implementation_.launches.push_back(steps(layer, Expr(step), Expr(1)));
  }

  /// Of the second direction an argument is None where there is none.
  template <typename Add>
  void addDirections(LaunchBuilder &launch, std::string_view second, Add add) const {
    add(0);
    if (r_.directions == 2)
      add(1);
    else
      launch.constant(std::string(second), std::monostate());
  }

  PluginLaunch steps(int64_t layer, const Expr &begin, const Expr &count) const {
    LaunchBuilder launch("recurrence.py", "recurrence_kernel");
    addDirections(launch, "gates_1_ptr", [&](int64_t i) { launch.workspace(gates_[i], sum_); });
    addDirections(launch, "w_1_ptr", [&](int64_t i) {
      if (tiles_.isPacked)
        launch.workspace(packed_[i], r_.dtype);
      else
        launch.input(r_.param(layer, i, 1));
    });
    if (r_.hasBiases)
      addDirections(launch, "bias_1_ptr", [&](int64_t i) { launch.input(r_.param(layer, i, 3)); });
    else
      launch.constant("bias_ptr", std::monostate()).constant("bias_1_ptr", std::monostate());
    launch.workspace(h_, r_.dtype);
    if (r_.cell.hasCells())
      launch.workspace(c_, sum_);
    else
      launch.constant("c_ptr", std::monostate());
    if (layer + 1 == r_.layers)
      launch.output(0);
    else
      launch.workspace(between_[layer % 2], r_.dtype);
    launch.output(1);
    launch.optionalOutput("c_out_ptr", r_.cell.hasCells() ? std::optional(2u) : std::nullopt);
    launch.sizes({begin, count, r_.length, r_.batch, r_.hidden,
                  r_.isBatchFirst ? Expr(1) : r_.batch, r_.isBatchFirst ? r_.length : Expr(1),
                  Expr(layer * r_.directions)});
    addConstants(launch);
    const Expr programs = Expr(r_.directions) * ceilDiv(r_.batch, tiles_.batch);
    return launch.launchOver(tiles_.isSplit ? programs * ceilDiv(r_.hidden, tiles_.hidden)
                                            : programs);
  }

  void addConstants(LaunchBuilder &launch) const {
    addPrecision(launch, precisionOf(node_, r_.dtype));
    launch.constant("KIND", std::string(r_.cell.kind))
        .constant("GATES", r_.cell.gates)
        .constant("DIRECTIONS", r_.directions)
        .constant("SPLITS_HIDDEN", tiles_.isSplit)
        .constant("IS_PACKED", tiles_.isPacked)
        .constant("SUM", sum_)
        .constant("TILE_B", tiles_.batch)
        .constant("TILE_N", tiles_.hidden)
        .constant("TILE_K", tiles_.depth);
  }

  const PluginNode &node_;
  const Recurrence &r_;
  DataType sum_;
  StateTiles tiles_;
  std::array<uint32_t, 2> gates_{}, packed_{}, between_{};
  uint32_t h_ = 0, c_ = 0;
  PluginImplementation implementation_;
};

Result<PluginImplementation> implement(const PluginNode &node, const Cell &cell) {
  INLAY_ASSIGN(const Recurrence recurrence, readRecurrence(node, cell));
  return RecurrenceBuilder(node, recurrence).build();
}

} // namespace

void addRecurrenceOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view name, std::string_view states, std::string_view results,
                       const Cell &cell, StateRank rank = StateRank::Three,
                       std::string variant = "") {
    addOperator(definitions,
                fmt::format("aten::{}.input(Tensor input, {} hx, Tensor[] params, bool has_biases, "
                            "int num_layers, float dropout, bool train, bool bidirectional, bool "
                            "batch_first) -> ({})",
                            name, states, results),
                {[cell, rank](const PluginNode &node) { return describe(node, cell, rank); },
                 [cell](const PluginNode &node) { return implement(node, cell); },
                 std::move(variant),
                 [rank](const PluginNode &node) { return checkStateRank(node, rank); },
                 {.multipliesOnTensorCores = true}});
  };
  constexpr std::string_view kResults = "Tensor, Tensor, Tensor";
  add("lstm", "Tensor[]", kResults, {"lstm", 4});
  add("lstm", "Tensor[]", kResults, {"lstm", 4}, StateRank::Four, "states of rank 4");
  add("gru", "Tensor", "Tensor, Tensor", {"gru", 3});
  add("rnn_tanh", "Tensor", "Tensor, Tensor", {"tanh", 1});
  add("rnn_relu", "Tensor", "Tensor, Tensor", {"relu", 1});
}

} // namespace inlay
