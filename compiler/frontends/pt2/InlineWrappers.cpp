#include "compiler/frontends/pt2/InlineWrappers.h"

#include "base/Error.h"
#include "compiler/frontends/pt2/NodeText.h"

namespace inlay::pt2 {
namespace {

/// Names of one graph and what they are called in the program.
struct Scope {
  std::string prefix; // before names that the graph defines
  std::map<std::string, Argument, std::less<>> known;
};

class Inliner {
public:
  explicit Inliner(ExportedProgram &program) : program_(program) {}

  Status run() {
    std::vector<Node> nodes = std::move(program_.nodes);
    program_.nodes.clear();
    Scope scope;
    INLAY_TRY(append(std::move(nodes), scope));
    for (Argument &output : program_.graphOutputs)
      INLAY_TRY(rename(output, scope));
    return {};
  }

private:
  Status append(std::vector<Node> nodes, Scope &scope) {
    for (Node &node : nodes) {
      for (NamedArgument &input : node.inputs)
        INLAY_TRY(rename(input.argument, scope), "reading " + describe(node));
      const GraphArgument *graph = wrappedGraph(node);
      if (graph) {
        INLAY_TRY(inlineGraph(node, *graph->graph, scope), "reading " + describe(node));
        continue;
      }
      node.name = scope.prefix + node.name;
      if (!scope.prefix.empty())
        for (Argument &output : node.outputs)
          addPrefix(output, scope.prefix);
      program_.nodes.push_back(std::move(node));
    }
    return {};
  }

  /// The graph of a wrapper that can be taken away; null for all other nodes.
  static const GraphArgument *wrappedGraph(Node &node) {
    const bool isGrad = node.target == "torch.ops.higher_order.wrap_with_set_grad_enabled";
    const bool isAutocast = node.target == "torch.ops.higher_order.wrap_with_autocast";
    const size_t at = isGrad ? 1 : 4;
    if ((!isGrad && !isAutocast) || node.inputs.size() <= at)
      return nullptr;
    // wrap_with_autocast(device_type, dtype, enabled, cache_enabled, graph, *operands)
    const auto *enabled = isAutocast ? std::get_if<bool>(&node.inputs[2].argument.value) : nullptr;
    if (isAutocast && (!enabled || *enabled)) {
      node.problem = "is a region with autocast, whose casts are not written down; call "
                     "run_decompositions() before the model is saved";
      return nullptr;
    }
    return std::get_if<GraphArgument>(&node.inputs[at].argument.value);
  }

  Status inlineGraph(const Node &node, const Graph &graph, Scope &scope) {
    Scope inner{scope.prefix + node.name + ".", {}};
    size_t operand = 0;
    while (!std::holds_alternative<GraphArgument>(node.inputs[operand].argument.value))
      ++operand;
    ++operand;
    if (node.inputs.size() - operand != graph.inputs.size())
      return invalidArgument("found {} operands, expected as many as its graph has inputs, {}",
                             node.inputs.size() - operand, graph.inputs.size());
    for (const Argument &input : graph.inputs)
      inner.known[nameOf(input)] = node.inputs[operand++].argument;
    for (const auto &[name, meta] : graph.tensors)
      program_.tensors.emplace(inner.prefix + name, meta);
    for (const auto &[name, expr] : graph.symInts)
      program_.symInts.emplace(inner.prefix + name, expr);
    for (const auto &[name, expr] : graph.symBools)
      program_.symBools.emplace(inner.prefix + name, expr);
    INLAY_TRY(append(graph.nodes, inner));
    std::vector<Argument> results = graph.outputs;
    for (Argument &result : results)
      INLAY_TRY(rename(result, inner));
    return bindResults(node, results, scope);
  }

  /// The wrapper's results are what its graph returned, under names of the outer graph.
  static Status bindResults(const Node &node, const std::vector<Argument> &results, Scope &scope) {
    std::vector<std::string> names;
    for (const Argument &output : node.outputs)
      if (const auto *list = std::get_if<std::vector<TensorRef>>(&output.value))
        for (const TensorRef &element : *list)
          names.push_back(element.name);
      else
        names.push_back(nameOf(output));
    if (names.size() != results.size())
      return invalidArgument("found {} results, expected as many as its graph has outputs, {}",
                             names.size(), results.size());
    for (size_t i = 0; i < names.size(); ++i)
      scope.known[names[i]] = results[i];
    return {};
  }

  static std::string nameOf(const Argument &argument) {
    if (const auto *tensor = std::get_if<TensorRef>(&argument.value))
      return tensor->name;
    if (const auto *symbolic = std::get_if<SymIntRef>(&argument.value))
      return symbolic->name;
    if (const auto *condition = std::get_if<SymBoolRef>(&argument.value))
      return condition->name;
    return "";
  }

  /// What a name means in the program: something known, or a value of the graph itself.
  static Argument resolve(const std::string &name, const Argument &use, const Scope &scope) {
    if (auto known = scope.known.find(name); known != scope.known.end())
      return known->second;
    Argument argument = use;
    addPrefix(argument, scope.prefix);
    return argument;
  }

  static void addPrefix(Argument &argument, const std::string &prefix) {
    if (auto *tensor = std::get_if<TensorRef>(&argument.value))
      tensor->name = prefix + tensor->name;
    else if (auto *symbolic = std::get_if<SymIntRef>(&argument.value))
      symbolic->name = prefix + symbolic->name;
    else if (auto *condition = std::get_if<SymBoolRef>(&argument.value))
      condition->name = prefix + condition->name;
    else if (auto *tensors = std::get_if<std::vector<TensorRef>>(&argument.value))
      for (TensorRef &element : *tensors)
        element.name = prefix + element.name;
  }

  static Status renameTensor(TensorRef &tensor, const Scope &scope) {
    const Argument resolved = resolve(tensor.name, Argument{tensor}, scope);
    const auto *found = std::get_if<TensorRef>(&resolved.value);
    if (!found)
      return invalidArgument("'{}' is used as a tensor, which it is not", tensor.name);
    tensor = *found;
    return {};
  }

  /// Rewrites the names in a use. Graphs inside have names of their own.
  static Status rename(Argument &argument, const Scope &scope) {
    if (auto *tensors = std::get_if<std::vector<TensorRef>>(&argument.value)) {
      for (TensorRef &element : *tensors)
        INLAY_TRY(renameTensor(element, scope));
    } else if (auto *optionals = std::get_if<OptionalTensors>(&argument.value)) {
      for (std::optional<TensorRef> &element : *optionals)
        if (element)
          INLAY_TRY(renameTensor(*element, scope));
    } else if (auto *sizes = std::get_if<SymInts>(&argument.value)) {
      for (SymInts::value_type &size : *sizes)
        if (auto *symbolic = std::get_if<SymIntRef>(&size)) {
          const Argument resolved = resolve(symbolic->name, Argument{*symbolic}, scope);
          if (const auto *literal = std::get_if<int64_t>(&resolved.value))
            size = *literal;
          else if (const auto *other = std::get_if<SymIntRef>(&resolved.value))
            size = *other;
          else
            return invalidArgument("'{}' is used as an integer, which it is not", symbolic->name);
        }
    } else if (const std::string name = nameOf(argument); !name.empty()) {
      argument = resolve(name, argument, scope);
    }
    return {};
  }

  ExportedProgram &program_;
};

} // namespace

Status inlineWrappers(ExportedProgram &program) { return Inliner(program).run(); }

} // namespace inlay::pt2
