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
      if (node.target == "torch.ops.higher_order.cond") {
        INLAY_TRY(inlineCond(node, scope), "reading " + describe(node));
        continue;
      }
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

  /// The arguments behind the last graph of a node; a list counts as its elements.
  static std::vector<Argument> operandsOf(const Node &node) {
    size_t at = node.inputs.size();
    while (!std::holds_alternative<GraphArgument>(node.inputs[at - 1].argument.value))
      --at;
    std::vector<Argument> operands;
    for (; at < node.inputs.size(); ++at)
      if (const auto *list = std::get_if<std::vector<TensorRef>>(&node.inputs[at].argument.value))
        for (const TensorRef &element : *list)
          operands.push_back({element});
      else
        operands.push_back(node.inputs[at].argument);
    return operands;
  }

  /// Adds the nodes of a graph, whose names get the prefix, and gives what it returns.
  Result<std::vector<Argument>> expand(const Graph &graph, const std::vector<Argument> &operands,
                                       const std::string &prefix) {
    Scope inner{prefix, {}};
    if (operands.size() != graph.inputs.size())
      return invalidArgument("found {} operands, expected as many as its graph has inputs, {}",
                             operands.size(), graph.inputs.size());
    for (size_t i = 0; i < operands.size(); ++i)
      inner.known[nameOf(graph.inputs[i])] = operands[i];
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
    return results;
  }

  Status inlineGraph(const Node &node, const Graph &graph, Scope &scope) {
    INLAY_ASSIGN(const std::vector<Argument> results,
                 expand(graph, operandsOf(node), scope.prefix + node.name + "."));
    return bindResults(node, results, scope);
  }

  /// cond(predicate, true graph, false graph, operands): its branches have no side effects, so both
  /// are computed and the predicate chooses among their results.
  Status inlineCond(Node &node, Scope &scope) {
    const auto graphAt = [&](size_t at) {
      const auto *argument = std::get_if<GraphArgument>(&node.inputs[at].argument.value);
      return argument ? argument->graph.get() : nullptr;
    };
    const bool isCond = node.inputs.size() >= 3 && graphAt(1) && graphAt(2);
    if (isCond)
      node.problem = whyNotBoth(node.inputs[0].argument, *graphAt(1), *graphAt(2));
    if (!isCond || !node.problem.empty()) {
      program_.nodes.push_back(std::move(node));
      return {};
    }
    const std::string prefix = scope.prefix + node.name;
    const std::vector<Argument> operands = operandsOf(node);
    if (const bool *isTrue = std::get_if<bool>(&node.inputs[0].argument.value)) {
      INLAY_ASSIGN(const std::vector<Argument> results,
                   expand(*graphAt(*isTrue ? 1 : 2), operands, prefix + "."));
      return bindResults(node, results, scope);
    }
    INLAY_ASSIGN(const std::vector<Argument> ifTrue,
                 expand(*graphAt(1), operands, prefix + ".true."));
    INLAY_ASSIGN(const std::vector<Argument> ifFalse,
                 expand(*graphAt(2), operands, prefix + ".false."));
    std::vector<Argument> results;
    for (size_t i = 0; i < ifTrue.size(); ++i)
      results.push_back(choose(node, ifTrue[i], ifFalse[i], fmt::format("{}.{}", prefix, i)));
    return bindResults(node, results, scope);
  }

  /// Why the branches of a cond cannot both be computed; empty if they can.
  static std::string whyNotBoth(const Argument &predicate, const Graph &first,
                                const Graph &second) {
    if (std::holds_alternative<bool>(predicate.value))
      return "";
    if (!std::holds_alternative<TensorRef>(predicate.value))
      return "is decided by sizes; a tensor or a constant is supported as its predicate";
    if (first.outputs.size() != second.outputs.size())
      return fmt::format("has branches with {} and {} results", first.outputs.size(),
                         second.outputs.size());
    for (const Graph *branch : {&first, &second})
      if (const std::string target = sideEffectIn(*branch); !target.empty())
        return fmt::format("has a branch with {}, which must not run if the other one is taken",
                           target);
    for (size_t i = 0; i < first.outputs.size(); ++i) {
      const TensorMeta *one = metaOf(first, first.outputs[i]),
                       *other = metaOf(second, second.outputs[i]);
      if (!one || !other)
        return "has a result that is no tensor";
      if (one->dtype != other->dtype || one->sizes != other->sizes)
        return fmt::format("has a result {} whose type or shape depends on the branch", i);
    }
    return "";
  }

  /// The first operator of a graph, or of the graphs in it, that does more than compute.
  static std::string sideEffectIn(const Graph &graph) {
    for (const Node &node : graph.nodes) {
      const std::string name = node.target.substr(0, node.target.rfind('.'));
      if (name.ends_with("_") || node.target.find("._assert") != std::string::npos)
        return node.target;
      for (const NamedArgument &input : node.inputs)
        if (const auto *inner = std::get_if<GraphArgument>(&input.argument.value))
          if (std::string target = sideEffectIn(*inner->graph); !target.empty())
            return target;
    }
    return "";
  }

  static const TensorMeta *metaOf(const Graph &graph, const Argument &value) {
    const auto *tensor = std::get_if<TensorRef>(&value.value);
    const auto meta = tensor ? graph.tensors.find(tensor->name) : graph.tensors.end();
    return meta == graph.tensors.end() ? nullptr : &meta->second;
  }

  /// A node that chooses one of two tensors, and its result.
  Argument choose(const Node &node, const Argument &ifTrue, const Argument &ifFalse,
                  const std::string &name) {
    const auto &[taken, other] =
        std::pair(std::get<TensorRef>(ifTrue.value).name, std::get<TensorRef>(ifFalse.value).name);
    if (taken == other)
      return ifTrue;
    if (const auto meta = program_.tensors.find(taken); meta != program_.tensors.end())
      program_.tensors.emplace(name, TensorMeta(meta->second));
    const Argument result{TensorRef{name}};
    program_.nodes.push_back(
        {"torch.ops.aten.where.self",
         name,
         {{"condition", node.inputs[0].argument}, {"self", ifTrue}, {"other", ifFalse}},
         {result},
         node.stackTrace,
         ""});
    return result;
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
