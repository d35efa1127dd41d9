#include "compiler/frontends/pt2/ExportedProgram.h"

#include "compiler/frontends/pt2/Json.h"

namespace inlay::pt2 {
namespace {

constexpr int64_t kSchemaMajor = 8;
/// PyTorch's own limit of dimensions.
constexpr size_t kMaxRank = 64;
/// Paths repeat the keys above them: a small tree may stand for very long ones.
constexpr size_t kMaxPathsBytes = size_t{64} << 20;

/// The schema's ScalarType, which is not c10's.
std::optional<DataType> dataTypeOf(int64_t scalarType) {
  static constexpr std::pair<int64_t, DataType> kTypes[] = {
      {1, DataType::UInt8},       {2, DataType::Int8},    {3, DataType::Int16},
      {4, DataType::Int32},       {5, DataType::Int64},   {6, DataType::Float16},
      {7, DataType::Float32},     {8, DataType::Float64}, {12, DataType::Bool},
      {13, DataType::BFloat16},   {28, DataType::UInt16}, {29, DataType::Float8E4M3FN},
      {30, DataType::Float8E5M2}, {34, DataType::UInt32}, {35, DataType::UInt64}};
  for (const auto &[value, type] : kTypes)
    if (value == scalarType)
      return type;
  return std::nullopt;
}

Result<DataType> readDataType(const Json &json) {
  INLAY_ASSIGN(int64_t value, json.asInt());
  if (std::optional<DataType> type = dataTypeOf(value))
    return *type;
  return unimplemented(
      "{}: found scalar type {} (complex, quantised or unknown), which is not supported",
      json.place(), value);
}

/// SymInt: {"as_int": n} or {"as_expr": {"expr_str": …, "hint": …}}.
Result<Expr> readSymInt(const Json &json, std::map<std::string, int64_t> *hints) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  if (entry.first == "as_int") {
    INLAY_ASSIGN(int64_t value, entry.second.asInt());
    return Expr(value);
  }
  if (entry.first != "as_expr")
    return invalidArgument("{}: found the kind '{}', expected as_int or as_expr", json.place(),
                           Json::shortened(entry.first));
  INLAY_ASSIGN(std::string text, entry.second.stringField("expr_str"));
  INLAY_ASSIGN(Expr expr, parseSympyExpr(text), fmt::format("reading {}", json.place()));
  // Types of the graph hold expressions as text.
  if (Result<Expr> again = parseExpr(expr.toString());
      !again.isOk() || again->toString() != expr.toString())
    return unimplemented("{}: the expression '{}' has a symbol whose name is no identifier, or is "
                         "too long to be simplified",
                         json.place(), Json::shortened(text));
  if (std::optional<Json> hint = entry.second.find("hint");
      hint && hints && expr.kind() == ExprKind::Symbol)
    if (std::optional<Json> value = hint->find("as_int")) {
      INLAY_ASSIGN(int64_t number, value->asInt());
      (*hints)[expr.symbolName()] = number;
    }
  return expr;
}

template <typename T, typename Read>
Result<std::vector<T>> readList(const Json &json, Read read) {
  std::vector<T> values;
  INLAY_TRY(json.forEach([&](const Json &element) -> Status {
    INLAY_ASSIGN(T value, read(element));
    values.push_back(std::move(value));
    return {};
  }));
  return values;
}

Result<TensorRef> readTensorRef(const Json &json) {
  INLAY_ASSIGN(std::string name, json.stringField("name"));
  return TensorRef{std::move(name)};
}

Result<std::optional<TensorRef>> readOptionalTensor(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  if (entry.first == "as_none")
    return std::optional<TensorRef>();
  if (entry.first != "as_tensor")
    return invalidArgument("{}: found the kind '{}', expected as_tensor or as_none", json.place(),
                           Json::shortened(entry.first));
  INLAY_ASSIGN(TensorRef tensor, readTensorRef(entry.second));
  return std::optional(std::move(tensor));
}

Result<SymInts::value_type> readSymIntUse(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  if (entry.first == "as_int") {
    INLAY_ASSIGN(int64_t value, entry.second.asInt());
    return SymInts::value_type(value);
  }
  if (entry.first != "as_name")
    return invalidArgument("{}: found the kind '{}', expected as_int or as_name", json.place(),
                           Json::shortened(entry.first));
  INLAY_ASSIGN(std::string name, entry.second.asString());
  return SymInts::value_type(SymIntRef{std::move(name)});
}

/// Keys of the union Argument that Inlay reads past; a node that uses one is refused when it is
/// imported.
bool isKnownButUnmodelled(std::string_view key) {
  static constexpr std::string_view kKeys[] = {
      "as_sym_bools",      "as_sym_float", "as_sym_floats",  "as_custom_obj",        "as_complex",
      "as_nested_tensors", "as_int_lists", "as_float_lists", "as_string_to_argument"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

/// Python's word for a value of one of the schema's enumerations.
Result<std::string> readWord(const Json &json, std::span<const std::string_view> words) {
  INLAY_ASSIGN(int64_t value, json.asInt());
  if (value >= 0 && value < static_cast<int64_t>(words.size()))
    return std::string(words[static_cast<size_t>(value)]);
  return invalidArgument("{}: found {}, expected 0 to {}", json.place(), value, words.size() - 1);
}
constexpr std::string_view kLayouts[] = {"unknown",    "sparse_coo", "sparse_csr", "sparse_csc",
                                         "sparse_bsr", "sparse_bsc", "_mkldnn",    "strided"};
constexpr std::string_view kMemoryFormats[] = {"unknown", "contiguous_format", "channels_last",
                                               "channels_last_3d", "preserve_format"};

/// "cuda:0", or "cpu" without an index.
Result<std::string> readDevice(const Json &json) {
  INLAY_ASSIGN(std::string device, json.stringField("type"));
  if (std::optional<Json> index = json.find("index")) {
    INLAY_ASSIGN(int64_t number, index->asInt());
    device += ":" + std::to_string(number);
  }
  return device;
}

Result<Graph> readGraph(const Json &json);

Result<GraphArgument> readGraphArgument(const Json &json) {
  GraphArgument argument;
  INLAY_ASSIGN(argument.name, json.stringField("name"));
  INLAY_ASSIGN(Json body, json.field("graph"));
  INLAY_ASSIGN(Graph graph, readGraph(body));
  argument.graph = std::make_shared<const Graph>(std::move(graph));
  return argument;
}

/// A symbolic condition by name, or a literal.
Result<Argument> readSymBoolUse(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  Argument argument;
  if (entry.first == "as_bool") {
    INLAY_ASSIGN(argument.value, entry.second.asBool());
  } else if (entry.first == "as_name") {
    INLAY_ASSIGN(std::string name, entry.second.asString());
    argument.value = SymBoolRef{std::move(name)};
  } else {
    return invalidArgument("{}: found the kind '{}', expected as_bool or as_name", json.place(),
                           Json::shortened(entry.first));
  }
  return argument;
}

Result<Argument> readArgument(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  const auto &[key, value] = entry;
  Argument argument;
  if (key == "as_none") {
    argument.value = NoneArgument();
  } else if (key == "as_tensor") {
    INLAY_ASSIGN(argument.value, readTensorRef(value));
  } else if (key == "as_tensors") {
    INLAY_ASSIGN(argument.value, readList<TensorRef>(value, readTensorRef));
  } else if (key == "as_optional_tensors") {
    INLAY_ASSIGN(argument.value, readList<std::optional<TensorRef>>(value, readOptionalTensor));
  } else if (key == "as_int") {
    INLAY_ASSIGN(argument.value, value.asInt());
  } else if (key == "as_ints") {
    INLAY_ASSIGN(argument.value, readList<int64_t>(value, [](const Json &e) { return e.asInt(); }));
  } else if (key == "as_float") {
    INLAY_ASSIGN(argument.value, value.asFloat());
  } else if (key == "as_floats") {
    INLAY_ASSIGN(argument.value,
                 readList<double>(value, [](const Json &e) { return e.asFloat(); }));
  } else if (key == "as_bool") {
    INLAY_ASSIGN(argument.value, value.asBool());
  } else if (key == "as_bools") {
    INLAY_ASSIGN(argument.value, readList<bool>(value, [](const Json &e) { return e.asBool(); }));
  } else if (key == "as_string") {
    INLAY_ASSIGN(argument.value, value.asString());
  } else if (key == "as_strings") {
    INLAY_ASSIGN(argument.value,
                 readList<std::string>(value, [](const Json &e) { return e.asString(); }));
  } else if (key == "as_scalar_type") {
    INLAY_ASSIGN(argument.value, readDataType(value));
  } else if (key == "as_sym_int") {
    INLAY_ASSIGN(auto use, readSymIntUse(value));
    if (const int64_t *number = std::get_if<int64_t>(&use))
      argument.value = *number;
    else
      argument.value = std::get<SymIntRef>(use);
  } else if (key == "as_sym_ints") {
    INLAY_ASSIGN(argument.value, readList<SymInts::value_type>(value, readSymIntUse));
  } else if (key == "as_sym_bool") {
    INLAY_ASSIGN(argument, readSymBoolUse(value));
  } else if (key == "as_optional_tensor") {
    INLAY_ASSIGN(std::optional<TensorRef> tensor, readOptionalTensor(value));
    if (tensor)
      argument.value = std::move(*tensor);
    else
      argument.value = NoneArgument();
  } else if (key == "as_layout") {
    INLAY_ASSIGN(argument.value, readWord(value, kLayouts));
  } else if (key == "as_memory_format") {
    INLAY_ASSIGN(argument.value, readWord(value, kMemoryFormats));
  } else if (key == "as_device") {
    INLAY_ASSIGN(argument.value, readDevice(value));
  } else if (key == "as_operator") {
    INLAY_ASSIGN(argument.value, value.asString());
  } else if (key == "as_graph") {
    INLAY_ASSIGN(argument.value, readGraphArgument(value));
  } else if (isKnownButUnmodelled(key)) {
    argument.value = OtherArgument{key};
  } else {
    return invalidArgument("{}: found the unknown kind of argument '{}', expected one of the "
                           "export schema, 'as_tensor' say",
                           json.place(), Json::shortened(key));
  }
  return argument;
}

Result<Node> readNode(const Json &json) {
  Node node;
  INLAY_ASSIGN(node.target, json.stringField("target"));
  INLAY_ASSIGN(node.name, json.optionalString("name"));
  INLAY_ASSIGN(Json inputs, json.field("inputs"));
  INLAY_TRY(inputs.forEach([&](const Json &input) -> Status {
    NamedArgument named;
    INLAY_ASSIGN(named.name, input.stringField("name"));
    INLAY_ASSIGN(Json argument, input.field("arg"));
    INLAY_ASSIGN(named.argument, readArgument(argument),
                 "reading argument '" + named.name + "' of " + node.target);
    node.inputs.push_back(std::move(named));
    return {};
  }));
  INLAY_ASSIGN(Json outputs, json.field("outputs"));
  INLAY_ASSIGN(node.outputs, readList<Argument>(outputs, readArgument),
               "reading outputs of " + node.target);
  if (std::optional<Json> metadata = json.find("metadata"))
    if (std::optional<Json> trace = metadata->find("stack_trace")) {
      INLAY_ASSIGN(node.stackTrace, trace->asString());
    }
  return node;
}

Status checkRank(const Json &json, size_t numSizes, size_t numStrides) {
  if (numSizes == numStrides && numSizes <= kMaxRank)
    return {};
  return invalidArgument("{}: found {} sizes and {} strides, expected as many, and at most {}",
                         json.place(), numSizes, numStrides, kMaxRank);
}

Result<TensorMeta> readTensorMeta(const Json &json) {
  TensorMeta meta;
  INLAY_ASSIGN(Json dtype, json.field("dtype"));
  INLAY_ASSIGN(meta.dtype, readDataType(dtype));
  INLAY_ASSIGN(Json sizes, json.field("sizes"));
  INLAY_ASSIGN(meta.sizes,
               readList<Expr>(sizes, [&](const Json &e) { return readSymInt(e, &meta.hints); }));
  for (const Expr &size : meta.sizes)
    if (size.constantValue().value_or(0) < 0)
      return invalidArgument("{}: found the size {}, expected an integer from 0", sizes.place(),
                             size.toString());
  INLAY_ASSIGN(Json strides, json.field("strides"));
  INLAY_ASSIGN(meta.strides,
               readList<Expr>(strides, [](const Json &e) { return readSymInt(e, nullptr); }));
  INLAY_TRY(checkRank(json, meta.sizes.size(), meta.strides.size()));
  return meta;
}

/// The expressions of symbolic conditions, as far as they are integer expressions.
Status readSymBools(const Json &graph, Graph &result) {
  std::optional<Json> symBools = graph.find("sym_bool_values");
  if (!symBools)
    return {};
  return symBools->forEachField([&](std::string_view name, const Json &value) -> Status {
    std::optional<Json> expression = value.find("as_expr");
    if (!expression)
      return {};
    INLAY_ASSIGN(std::string text, expression->stringField("expr_str"));
    if (Result<Expr> expr = parseSympyExpr(text); expr.isOk())
      result.symBools.emplace(std::string(name), *expr);
    return {};
  });
}

Result<Graph> readGraph(const Json &json) {
  Graph graph;
  INLAY_ASSIGN(Json inputs, json.field("inputs"));
  INLAY_ASSIGN(graph.inputs, readList<Argument>(inputs, readArgument));
  INLAY_ASSIGN(Json outputs, json.field("outputs"));
  INLAY_ASSIGN(graph.outputs, readList<Argument>(outputs, readArgument));
  INLAY_ASSIGN(Json nodes, json.field("nodes"));
  INLAY_ASSIGN(graph.nodes, readList<Node>(nodes, readNode));
  INLAY_ASSIGN(Json tensors, json.field("tensor_values"));
  INLAY_TRY(tensors.forEachField([&](std::string_view name, const Json &value) -> Status {
    INLAY_ASSIGN(TensorMeta meta, readTensorMeta(value));
    graph.tensors.emplace(std::string(name), std::move(meta));
    return {};
  }));
  if (std::optional<Json> symInts = json.find("sym_int_values"))
    INLAY_TRY(symInts->forEachField([&](std::string_view name, const Json &value) -> Status {
      INLAY_ASSIGN(Expr expr, readSymInt(value, nullptr));
      graph.symInts.emplace(std::string(name), std::move(expr));
      return {};
    }));
  INLAY_TRY(readSymBools(json, graph));
  return graph;
}

Result<InputSpec> readInputSpec(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  const auto &[key, value] = entry;
  static constexpr std::pair<std::string_view, InputKind> kTensors[] = {
      {"parameter", InputKind::Parameter},
      {"buffer", InputKind::Buffer},
      {"tensor_constant", InputKind::TensorConstant}};
  for (const auto &[known, kind] : kTensors)
    if (key == known) {
      InputSpec spec{kind, {}, {}, true, true};
      INLAY_ASSIGN(Json argument, value.field("arg"));
      INLAY_ASSIGN(spec.name, argument.stringField("name"));
      INLAY_ASSIGN(spec.fullName, value.stringField(std::string(known) + "_name"));
      if (std::optional<Json> persistent = value.find("persistent")) {
        INLAY_ASSIGN(spec.isPersistent, persistent->asBool());
      }
      return spec;
    }
  if (key == "constant_input")
    return InputSpec{InputKind::Literal, {}, {}, true, false};
  if (key != "user_input")
    return InputSpec{InputKind::Other, {}, key, true, false};
  INLAY_ASSIGN(Json argument, value.field("arg"));
  INLAY_ASSIGN(Argument read, readArgument(argument));
  const TensorRef *tensor = std::get_if<TensorRef>(&read.value);
  return InputSpec{InputKind::User, tensor ? tensor->name : "", {}, true, tensor != nullptr};
}

Result<OutputSpec> readOutputSpec(const Json &json) {
  INLAY_ASSIGN(auto entry, json.asUnion());
  const auto &[key, value] = entry;
  OutputSpec spec{key == "user_output", key, {}};
  static constexpr std::pair<std::string_view, std::string_view> kMutations[] = {
      {"buffer_mutation", "buffer_name"},
      {"parameter_mutation", "parameter_name"},
      {"user_input_mutation", "user_input_name"}};
  for (const auto &[mutation, field] : kMutations)
    if (key == mutation) {
      INLAY_ASSIGN(spec.target, value.stringField(field));
    }
  return spec;
}

class ProgramReader {
public:
  explicit ProgramReader(Json root) : root_(std::move(root)) {}

  Result<ExportedProgram> read() {
    INLAY_TRY(checkVersion());
    INLAY_ASSIGN(Json module, root_.field("graph_module"));
    INLAY_ASSIGN(Json graph, module.field("graph"));
    INLAY_ASSIGN(Graph read, readGraph(graph));
    program_.graphInputs = std::move(read.inputs);
    program_.graphOutputs = std::move(read.outputs);
    program_.nodes = std::move(read.nodes);
    program_.tensors = std::move(read.tensors);
    program_.symInts = std::move(read.symInts);
    program_.symBools = std::move(read.symBools);
    INLAY_ASSIGN(Json signature, module.field("signature"));
    INLAY_TRY(readSignature(signature));
    INLAY_TRY(readRanges());
    INLAY_TRY(readCallSignature(module));
    return std::move(program_);
  }

private:
  Status checkVersion() {
    INLAY_ASSIGN(Json version, root_.field("schema_version"));
    INLAY_ASSIGN(Json majorField, version.field("major"));
    INLAY_ASSIGN(int64_t majorNumber, majorField.asInt());
    INLAY_ASSIGN(program_.torchVersion, root_.optionalString("torch_version"));
    if (majorNumber != kSchemaMajor)
      return incompatible(
          "schema_version.major: found {} (PyTorch {}), expected {}: export the model again with a "
          "PyTorch that writes it",
          majorNumber, program_.torchVersion.empty() ? "unknown" : program_.torchVersion,
          kSchemaMajor);
    return {};
  }

  Status readSignature(const Json &signature) {
    INLAY_ASSIGN(Json inputs, signature.field("input_specs"));
    INLAY_ASSIGN(program_.inputSpecs, readList<InputSpec>(inputs, readInputSpec));
    INLAY_ASSIGN(Json outputs, signature.field("output_specs"));
    INLAY_ASSIGN(program_.outputSpecs, readList<OutputSpec>(outputs, readOutputSpec));
    if (program_.inputSpecs.size() != program_.graphInputs.size() ||
        program_.outputSpecs.size() != program_.graphOutputs.size())
      return invalidArgument("{}: found {} input_specs and {} output_specs, expected as many as "
                             "the graph's {} inputs and {} outputs",
                             signature.place(), program_.inputSpecs.size(),
                             program_.outputSpecs.size(), program_.graphInputs.size(),
                             program_.graphOutputs.size());
    return {};
  }

  Status readRanges() {
    std::optional<Json> ranges = root_.find("range_constraints");
    if (ranges)
      INLAY_TRY(ranges->forEachField([&](std::string_view name, const Json &value) -> Status {
        Range range;
        if (std::optional<Json> min = value.find("min_val")) {
          INLAY_ASSIGN(range.min, min->asInt());
        }
        if (std::optional<Json> max = value.find("max_val")) {
          INLAY_ASSIGN(range.max, max->asInt());
        }
        program_.ranges.emplace(std::string(name), range);
        return {};
      }));
    if (std::optional<Json> guards = root_.find("guards_code")) {
      INLAY_ASSIGN(program_.guards,
                   readList<std::string>(*guards, [](const Json &e) { return e.asString(); }));
    }
    return {};
  }

  /// The root's pytrees: the entry of the call graph whose name is empty.
  Status readCallSignature(const Json &module) {
    std::optional<Json> calls = module.find("module_call_graph");
    if (!calls)
      return {};
    return calls->forEach([&](const Json &call) -> Status {
      INLAY_ASSIGN(std::string name, call.optionalString("fqn"));
      std::optional<Json> signature = call.find("signature");
      if (!name.empty() || !signature)
        return {};
      INLAY_ASSIGN(program_.inSpec, signature->optionalString("in_spec"));
      INLAY_ASSIGN(program_.outSpec, signature->optionalString("out_spec"));
      if (std::optional<Json> names = signature->find("forward_arg_names")) {
        INLAY_ASSIGN(program_.argumentNames,
                     readList<std::string>(*names, [](const Json &e) { return e.asString(); }));
      }
      return {};
    });
  }

  Json root_;
  ExportedProgram program_;
};

Result<int64_t> readConcreteInt(const Json &json) {
  INLAY_ASSIGN(Expr expr, readSymInt(json, nullptr));
  if (std::optional<int64_t> value = expr.constantValue(); value && *value >= 0)
    return *value;
  return invalidArgument("{}: found {}, expected an integer from 0", json.place(), expr.toString());
}

/// Paths of a pytree's leaves. `keys` of dictionaries are JSON inside a string of the JSON.
class TreeReader {
public:
  Result<std::vector<std::string>> read(std::string_view treeSpec) {
    JsonDocument document;
    INLAY_ASSIGN(Json root,
                 parseJson(document, std::as_bytes(std::span(treeSpec)), "tree specification"));
    std::optional<Json> tree = root.findElement(1);
    if (!tree)
      return root.wrongKind("an array of version and tree");
    INLAY_TRY(visit(*tree, ""));
    return std::move(paths_);
  }

private:
  Status visit(const Json &node, const std::string &path) {
    if (!node.isObject())
      return node.wrongKind("an object");
    std::optional<Json> type = node.find("type");
    if (!type) {
      paths_.push_back(path);
      pathsBytes_ += path.size();
      if (pathsBytes_ > kMaxPathsBytes)
        return invalidArgument("tree specification: the paths of its leaves have more than {} "
                               "bytes, the most that is read",
                               kMaxPathsBytes);
      return {};
    }
    INLAY_ASSIGN(std::string typeName, type->asString());
    std::vector<std::string> keys;
    if (typeName.find("dict") != std::string::npos || typeName.find("Dict") != std::string::npos) {
      INLAY_ASSIGN(keys, readKeys(node));
    }
    INLAY_ASSIGN(Json children, node.field("children_spec"));
    size_t index = 0;
    return children.forEach([&](const Json &child) -> Status {
      const size_t i = index++;
      return visit(child, path + "[" + (i < keys.size() ? keys[i] : std::to_string(i)) + "]");
    });
  }

  static Result<std::vector<std::string>> readKeys(const Json &node) {
    INLAY_ASSIGN(std::string context, node.optionalString("context"));
    JsonDocument document;
    Result<Json> root = parseJson(document, std::as_bytes(std::span(context)), "dictionary keys");
    std::vector<std::string> keys;
    // Dictionaries of other classes keep their keys elsewhere; their leaves are numbered instead.
    if (!root.isOk() || !root->isArray())
      return keys;
    INLAY_TRY(root->forEach([&](const Json &key) -> Status {
      keys.push_back(key.isString() ? "'" + *key.asString() + "'" : key.text());
      return {};
    }));
    return keys;
  }

  std::vector<std::string> paths_;
  size_t pathsBytes_ = 0;
};

} // namespace

Result<ExportedProgram> parseExportedProgram(std::span<const std::byte> json) {
  JsonDocument document;
  INLAY_ASSIGN(Json root, parseJson(document, json, "the JSON"));
  return ProgramReader(std::move(root)).read();
}

Result<Payloads> parsePayloads(std::span<const std::byte> json) {
  JsonDocument document;
  INLAY_ASSIGN(Json root, parseJson(document, json, "the JSON"));
  Payloads payloads;
  INLAY_ASSIGN(Json config, root.field("config"));
  INLAY_TRY(config.forEachField([&](std::string_view name, const Json &entry) -> Status {
    Payload payload;
    INLAY_ASSIGN(payload.path, entry.stringField("path_name"));
    if (std::optional<Json> pickle = entry.find("use_pickle")) {
      INLAY_ASSIGN(payload.isPickle, pickle->asBool());
    }
    if (std::optional<Json> meta = entry.find("tensor_meta")) {
      INLAY_ASSIGN(Json dtype, meta->field("dtype"));
      INLAY_ASSIGN(payload.dtype, readDataType(dtype));
      INLAY_ASSIGN(Json sizes, meta->field("sizes"));
      INLAY_ASSIGN(payload.sizes, readList<int64_t>(sizes, readConcreteInt));
      INLAY_ASSIGN(Json strides, meta->field("strides"));
      INLAY_ASSIGN(payload.strides, readList<int64_t>(strides, readConcreteInt));
      INLAY_TRY(checkRank(*meta, payload.sizes.size(), payload.strides.size()));
      if (std::optional<Json> offset = meta->find("storage_offset")) {
        INLAY_ASSIGN(payload.storageOffset, readConcreteInt(*offset));
      }
    } else {
      payload.isPickle = true;
    }
    payloads.emplace(std::string(name), std::move(payload));
    return {};
  }));
  return payloads;
}

Result<std::vector<std::string>> leafPaths(std::string_view treeSpec) {
  return TreeReader().read(treeSpec);
}

} // namespace inlay::pt2
