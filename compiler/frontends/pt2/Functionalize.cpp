#include "compiler/frontends/pt2/Functionalize.h"

#include "base/Error.h"
#include "compiler/frontends/pt2/NodeText.h"

#include <algorithm>
#include <set>

namespace inlay::pt2 {
namespace {

constexpr std::string_view kAten = "aten::";

bool isOneOf(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "relu_" of "aten::relu_.default"; empty for operators that are not ATen's.
std::string_view atenName(std::string_view opName) {
  if (!opName.starts_with(kAten))
    return {};
  opName.remove_prefix(kAten.size());
  return opName.substr(0, opName.find('.'));
}

/// PyTorch's convention: "add_" changes its first argument, "__and__" none.
bool endsInPlace(std::string_view name) { return name.ends_with('_') && !name.ends_with("__"); }

/// ATen operators whose results may share memory with their first argument.
bool mayBeView(std::string_view name) {
  static constexpr std::string_view kViews[] = {"_conj",
                                                "_reshape_alias",
                                                "_unsafe_view",
                                                "adjoint",
                                                "as_strided",
                                                "broadcast_to",
                                                "chunk",
                                                "contiguous",
                                                "diagonal",
                                                "dropout",
                                                "dsplit",
                                                "expand",
                                                "expand_as",
                                                "feature_dropout",
                                                "flatten",
                                                "hsplit",
                                                "imag",
                                                "lift",
                                                "mH",
                                                "mT",
                                                "matrix_H",
                                                "movedim",
                                                "moveaxis",
                                                "narrow",
                                                "numpy_T",
                                                "permute",
                                                "positive",
                                                "ravel",
                                                "real",
                                                "reshape",
                                                "reshape_as",
                                                "resolve_conj",
                                                "resolve_neg",
                                                "select",
                                                "slice",
                                                "split",
                                                "split_with_sizes",
                                                "squeeze",
                                                "swapaxes",
                                                "swapdims",
                                                "t",
                                                "tensor_split",
                                                "to",
                                                "transpose",
                                                "type_as",
                                                "unbind",
                                                "unflatten",
                                                "unfold",
                                                "unsafe_chunk",
                                                "unsafe_split",
                                                "unsafe_split_with_sizes",
                                                "unsqueeze",
                                                "view",
                                                "view_as",
                                                "view_as_complex",
                                                "view_as_real",
                                                "vsplit"};
  return isOneOf(name, kViews);
}

/// In-place operators that change what a tensor is rather than its elements, in ways that no
/// operator without the underscore does.
bool changesStorage(std::string_view name) {
  static constexpr std::string_view kNames[] = {"as_strided_",       "rename_", "requires_grad_",
                                                "resize_",           "set_",    "resize_as_",
                                                "resize_as_sparse_", "set_data"};
  return isOneOf(name, kNames);
}

/// In-place operators that make a tensor a view of what it was.
bool becomesView(std::string_view name) {
  static constexpr std::string_view kNames[] = {"squeeze_", "swapaxes_",  "swapdims_",
                                                "t_",       "transpose_", "unsqueeze_"};
  return isOneOf(name, kNames);
}

bool isFloating(DataType type) {
  return dataTypeName(type).find("float") != std::string_view::npos;
}

/// Calls `visit(name&)` for every tensor that an argument names.
template <typename Visit>
void forEachTensor(Argument &argument, Visit visit) {
  if (auto *tensor = std::get_if<TensorRef>(&argument.value))
    visit(tensor->name);
  else if (auto *tensors = std::get_if<std::vector<TensorRef>>(&argument.value))
    for (TensorRef &element : *tensors)
      visit(element.name);
  else if (auto *optionals = std::get_if<OptionalTensors>(&argument.value))
    for (std::optional<TensorRef> &element : *optionals)
      if (element)
        visit(element->name);
}

class Functionalizer {
public:
  explicit Functionalizer(ExportedProgram &program) : program_(program) {}

  void run() {
    findInputs();
    std::vector<Node> nodes = std::move(program_.nodes);
    program_.nodes.clear();
    findLastUses(nodes);
    for (index_ = 0; index_ < nodes.size(); ++index_)
      convert(std::move(nodes[index_]));
    for (Argument &output : program_.graphOutputs)
      useCurrent(output);
    addMutations();
  }

private:
  // A tensor as the program names it is an object with a value that changes; several names may be
  // one object, and an object may be a view of another.
  struct View {
    std::string base; // object
    Node node;        // that made it
  };

  void findInputs() {
    for (const InputSpec &spec : program_.inputSpecs)
      if (!spec.name.empty())
        inputs_.emplace(spec.name, &spec);
  }

  void findLastUses(std::vector<Node> &nodes) {
    for (size_t i = 0; i < nodes.size(); ++i)
      for (NamedArgument &input : nodes[i].inputs)
        forEachTensor(input.argument, [&](const std::string &name) { lastUse_[name] = i; });
    for (Argument &output : program_.graphOutputs)
      forEachTensor(output, [&](const std::string &name) { lastUse_[name] = nodes.size(); });
  }

  const std::string &objectOf(const std::string &name) const {
    auto found = objects_.find(name);
    return found == objects_.end() ? name : found->second;
  }
  std::string currentOf(const std::string &object) const {
    auto found = current_.find(object);
    return found == current_.end() ? object : found->second;
  }
  void useCurrent(Argument &argument) {
    forEachTensor(argument, [&](std::string &name) { name = currentOf(objectOf(name)); });
  }
  std::string rootOf(const std::string &object) const {
    std::string root = object;
    for (auto view = views_.find(root); view != views_.end(); view = views_.find(root))
      root = view->second.base;
    return root;
  }
  /// Whether a later node or the caller sees the object under any of its names.
  bool isUsedLater(const std::string &object) const {
    return inputs_.contains(object) || lastUseOf(object) > index_;
  }
  size_t lastUseOf(const std::string &object) const {
    auto found = lastUse_.find(object);
    return found == lastUse_.end() ? 0 : found->second;
  }
  /// Makes a name another one of an object.
  void addName(const std::string &name, const std::string &object) {
    objects_[name] = object;
    lastUse_[object] = std::max(lastUseOf(object), lastUseOf(name));
  }

  static const std::string *tensorArgument(const Node &node, size_t index) {
    const auto *tensor = index < node.inputs.size()
                             ? std::get_if<TensorRef>(&node.inputs[index].argument.value)
                             : nullptr;
    return tensor ? &tensor->name : nullptr;
  }
  static std::string *tensorOutput(Node &node) {
    auto *tensor =
        node.outputs.size() == 1 ? std::get_if<TensorRef>(&node.outputs[0].value) : nullptr;
    return tensor ? &tensor->name : nullptr;
  }

  void push(Node node) {
    for (NamedArgument &input : node.inputs)
      useCurrent(input.argument);
    program_.nodes.push_back(std::move(node));
  }

  void convert(Node node) {
    const std::string opName = opNameOf(node.target);
    const std::string_view name = atenName(opName);
    const bool isAten = !name.empty();
    if (opName == "higher_order::auto_functionalized_v2" ||
        opName == "higher_order::auto_functionalized")
      return push(unpacked(std::move(node)));
    if (name == "detach" || name == "detach_" || name == "alias")
      if (dropAlias(node))
        return;
    if (name == "lift_fresh_copy") {
      node.target = "torch.ops.aten.clone.default";
      return push(std::move(node));
    }
    if (isAten && endsInPlace(name))
      return convertInPlace(std::move(node), opName, name);
    const bool isCustom =
        !isAten && !opName.empty() && !std::string_view(opName).starts_with("higher_order::");
    if (isCustom && (node.outputs.empty() || isNoneOnly(node)))
      return convertWithoutResults(std::move(node));
    if (isCustom && endsInPlace(std::string_view(opName).substr(0, opName.find('.'))))
      return convertInPlace(std::move(node), opName, "");
    noteView(node, name);
    push(std::move(node));
  }

  static bool isNoneOnly(const Node &node) {
    return std::all_of(node.outputs.begin(), node.outputs.end(), [](const Argument &output) {
      return std::holds_alternative<NoneArgument>(output.value);
    });
  }

  /// The result is the argument under another name.
  bool dropAlias(Node &node) {
    const std::string *argument = tensorArgument(node, 0), *result = tensorOutput(node);
    if (!argument || !result)
      return false;
    if (!endsInPlace(atenName(opNameOf(node.target))))
      detached_.insert(objectOf(*argument));
    addName(*result, std::string(objectOf(*argument)));
    return true;
  }

  void noteView(const Node &node, std::string_view name) {
    const std::string *argument = tensorArgument(node, 0);
    if (!argument || !mayBeView(name))
      return;
    for (Argument output : node.outputs)
      forEachTensor(output, [&](const std::string &result) {
        // Names of two values would make a circle; the importer refuses them.
        const std::string base = objectOf(*argument), root = rootOf(base);
        if (result == *argument || views_.contains(result) || root == result)
          return;
        views_[result] = {base, node};
        viewsOfRoot_[root].push_back(result);
      });
  }

  /// auto_functionalized_v2(operator, argument=…, _argument_base_index=i, _all_bases=[…]).
  static Node unpacked(Node node) {
    const auto *target =
        node.inputs.empty() ? nullptr : std::get_if<std::string>(&node.inputs[0].argument.value);
    if (!target) {
      node.problem = "names no operator as its first argument";
      return node;
    }
    Node call = node;
    call.target = *target;
    call.inputs.clear();
    std::vector<TensorRef> bases;
    for (const NamedArgument &input : node.inputs)
      if (const auto *tensors = std::get_if<std::vector<TensorRef>>(&input.argument.value);
          tensors && input.name == "_all_bases")
        bases = *tensors;
    constexpr std::string_view kBase = "_base_index", kAlias = "_alias";
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const NamedArgument &input = node.inputs[i];
      const std::string_view name = input.name;
      if (name == "_all_bases" || (name.starts_with('_') && name.ends_with(kAlias)))
        continue;
      if (!name.starts_with('_')) {
        call.inputs.push_back(input);
        continue;
      }
      const auto *base = std::get_if<int64_t>(&input.argument.value);
      const bool isNone = std::holds_alternative<NoneArgument>(input.argument.value);
      if (!name.ends_with(kBase) ||
          (!isNone && (!base || *base < 0 || *base >= static_cast<int64_t>(bases.size())))) {
        call.problem = fmt::format("changes a view ('{}'), which is not supported yet", name);
        continue;
      }
      const std::string_view argument = name.substr(1, name.size() - 1 - kBase.size());
      call.inputs.push_back(
          {std::string(argument),
           isNone ? Argument{NoneArgument()} : Argument{bases[static_cast<size_t>(*base)]}});
    }
    std::erase_if(call.outputs, [](const Argument &output) {
      return std::holds_alternative<NoneArgument>(output.value);
    });
    return call;
  }

  /// A user's operator that returns nothing is there for what it changes.
  void convertWithoutResults(Node node) {
    std::vector<std::string> tensors;
    for (NamedArgument &input : node.inputs)
      forEachTensor(input.argument, [&](const std::string &name) { tensors.push_back(name); });
    if (tensors.size() != 1) {
      node.problem = fmt::format(
          "returns nothing, so that it changes some of its {} tensors; call run_decompositions() "
          "before the model is saved, which writes down which",
          tensors.size());
      return push(std::move(node));
    }
    std::string result = node.name;
    while (program_.tensors.contains(result) || inputs_.contains(result))
      result += "_new";
    if (auto meta = program_.tensors.find(tensors[0]); meta != program_.tensors.end()) {
      const TensorMeta copy = meta->second;
      program_.tensors.emplace(result, copy);
    }
    node.outputs = {Argument{TensorRef{result}}};
    change(std::move(node), objectOf(tensors[0]), result);
  }

  void convertInPlace(Node node, const std::string &opName, std::string_view name) {
    const std::string *argument = tensorArgument(node, 0), *result = tensorOutput(node);
    if (!argument || !result) {
      node.problem = "changes arguments in place that are no single tensor, which is not "
                     "supported; call run_decompositions() before the model is saved";
      return push(std::move(node));
    }
    if (changesStorage(name)) {
      node.problem = "changes the shape of its argument in place, which is not supported";
      return push(std::move(node));
    }
    if (!name.empty()) {
      node.problem = promotionProblem(node, *argument);
      const std::string written = node.target;
      // torch.ops.aten.NAME_.OVERLOAD without the underscore computes the new value.
      const size_t end = std::string_view("torch.ops.").size() + kAten.size() - 1 + name.size();
      if (opName.size() >= name.size())
        node.target.erase(end - 1, 1);
      // This one's only overload has a name out of place.
      if (name == "transpose_" && node.target.ends_with(".default"))
        node.target.replace(node.target.size() - std::string_view("default").size(),
                            std::string::npos, "int");
      if (becomesView(name))
        return reshape(std::move(node), written, objectOf(*argument), *result);
      // Out of place, this one's overload for tensors has no name.
      if (name == "floor_divide_" && node.target.ends_with(".Tensor"))
        node.target.replace(node.target.size() - std::string_view("Tensor").size(),
                            std::string::npos, "default");
      // The only operators whose first argument has another name out of place.
      if (name.ends_with("dropout_") && node.inputs[0].name == "self")
        node.inputs[0].name = "input";
    }
    const std::string object = objectOf(*argument), newValue = *result;
    change(std::move(node), object, newValue);
  }

  /// Out of place, an operator may return another type than the one that it stores in place.
  std::string promotionProblem(const Node &node, const std::string &argument) const {
    static constexpr std::string_view kOperands[] = {"other",    "tensor1", "tensor2",
                                                     "exponent", "end",     "weight"};
    auto self = program_.tensors.find(argument);
    for (size_t i = 1; i < node.inputs.size() && self != program_.tensors.end(); ++i) {
      const std::string *operand = tensorArgument(node, i);
      auto meta = operand ? program_.tensors.find(*operand) : program_.tensors.end();
      if (meta == program_.tensors.end() || !isOneOf(node.inputs[i].name, kOperands))
        continue;
      const DataType type = self->second.dtype, other = meta->second.dtype;
      if (type != other && !(isFloating(type) && !isFloating(other)))
        return fmt::format("changes a tensor of {} in place with an argument '{}' of {}, which is "
                           "not supported",
                           dataTypeName(type), node.inputs[i].name, dataTypeName(other));
    }
    return "";
  }

  /// `node` makes a tensor a view of what it was: `result` is a new object, which all names of the
  /// tensor stand for from now on. Other tensors in its memory stay what they are. Names are
  /// copies: those in the maps change. `written` is its target in the model, for errors.
  void reshape(Node node, const std::string &written, std::string object, std::string result) {
    if (result.empty() || result == object || objects_.contains(result))
      node.problem = fmt::format("has a result of the name '{}', which is taken", result);
    else if (inputs_.contains(object))
      node.problem = fmt::format("changes the shape of the model's input or parameter '{}' in "
                                 "place, which is not supported",
                                 object);
    else if (detached_.contains(object))
      node.problem = fmt::format("changes the shape of '{}' in place, of which there is a detached "
                                 "copy of the same memory, which is not supported",
                                 object);
    if (!node.problem.empty()) {
      node.target = written;
      return push(std::move(node));
    }
    noteView(node, atenName(opNameOf(node.target)));
    push(std::move(node));
    lastUse_[result] = std::max(lastUseOf(result), lastUseOf(object));
    lastUse_[object] = 0;
    for (auto &[name, named] : objects_)
      if (named == object)
        named = result;
    objects_[object] = result;
  }

  /// `node` computes the new value of an object as `result`.
  void change(Node node, const std::string &object, const std::string &result) {
    if (result.empty() || result == object || objects_.contains(result)) {
      node.problem = fmt::format("has a result of the name '{}', which is taken", result);
      return push(std::move(node));
    }
    const std::string conflict = conflictOf(object);
    if (node.problem.empty() && !conflict.empty())
      node.problem = conflict;
    const Node origin = node;
    push(std::move(node));
    addName(result, object);
    current_[object] = result;
    if (origin.problem.empty())
      writeThrough(object, origin);
  }

  /// Why a change of an object cannot be told to all that share its memory; empty if it can.
  std::string conflictOf(const std::string &object) const {
    const std::string root = rootOf(object);
    std::set<std::string> bases;
    bool isNeeded = false;
    std::vector<std::string> chain; // from the object to its root
    for (std::string at = object;; at = views_.at(at).base) {
      bases.insert(at);
      chain.push_back(at);
      if (at == root)
        break;
    }
    for (size_t i = chain.size(); i-- > 1;) {
      isNeeded |= isUsedLater(chain[i]);
      if (isNeeded && scatterOf(views_.at(chain[i - 1]).node).empty())
        return fmt::format("changes '{}' in place, which is a view of '{}' (by {}); only slices "
                           "and selections of a tensor can be changed",
                           object, chain[i], opNameOf(views_.at(chain[i - 1]).node.target));
    }
    const auto views = viewsOfRoot_.find(root);
    for (const std::string &view :
         views == viewsOfRoot_.end() ? std::vector<std::string>() : views->second)
      if (!bases.contains(view) && isUsedLater(view))
        return fmt::format("changes '{}' in place while '{}', which may be a view of the same "
                           "tensor, is used later; call run_decompositions() before the model is "
                           "saved",
                           object, view);
    return "";
  }

  /// The operator that puts a view back into its tensor.
  static std::string scatterOf(const Node &view) {
    const std::string opName = opNameOf(view.target);
    return opName == "aten::slice.Tensor" ? "slice_scatter"
           : opName == "aten::select.int" ? "select_scatter"
                                          : "";
  }

  /// Rebuilds the tensors of which the object is a view, as far as anything uses them.
  void writeThrough(std::string object, const Node &origin) {
    for (auto view = views_.find(object); view != views_.end(); view = views_.find(object)) {
      const std::string base = view->second.base;
      bool isNeeded = false;
      for (std::string at = base;; at = views_.at(at).base) {
        isNeeded |= isUsedLater(at);
        if (!views_.contains(at))
          break;
      }
      if (!isNeeded)
        return;
      Node scatter = view->second.node;
      scatter.target = "torch.ops.aten." + scatterOf(view->second.node) + ".default";
      scatter.name = origin.name + ".into." + base;
      scatter.stackTrace = origin.stackTrace;
      scatter.inputs.insert(scatter.inputs.begin() + 1,
                            {"src", Argument{TensorRef{currentOf(object)}}});
      scatter.outputs = {Argument{TensorRef{scatter.name}}};
      if (auto meta = program_.tensors.find(base); meta != program_.tensors.end()) {
        const TensorMeta copy = meta->second;
        program_.tensors.emplace(scatter.name, copy);
      }
      const std::string result = scatter.name;
      push(std::move(scatter));
      addName(result, base);
      current_[base] = result;
      object = base;
    }
  }

  void addMutations() {
    for (const InputSpec &spec : program_.inputSpecs) {
      auto changed = current_.find(spec.name);
      if (spec.name.empty() || changed == current_.end())
        continue;
      const bool isUser = spec.kind == InputKind::User;
      OutputSpec output{false,
                        isUser                              ? "user_input_mutation"
                        : spec.kind == InputKind::Parameter ? "parameter_mutation"
                                                            : "buffer_mutation",
                        isUser ? spec.name : spec.fullName};
      program_.outputSpecs.push_back(std::move(output));
      program_.graphOutputs.push_back(Argument{TensorRef{changed->second}});
    }
  }

  ExportedProgram &program_;
  size_t index_ = 0; // of the node at hand
  std::map<std::string, const InputSpec *, std::less<>> inputs_;
  std::map<std::string, size_t, std::less<>> lastUse_;      // by name, by object: index of a node
  std::map<std::string, std::string, std::less<>> objects_; // by name, if it is not its own
  std::map<std::string, std::string, std::less<>> current_; // by object: the value's name now
  std::map<std::string, View, std::less<>> views_;          // by object
  std::map<std::string, std::vector<std::string>, std::less<>> viewsOfRoot_;
  std::set<std::string, std::less<>> detached_; // objects that are more than one tensor
};

} // namespace

void functionalize(ExportedProgram &program) { Functionalizer(program).run(); }

} // namespace inlay::pt2
