#include "compiler/plugins/PluginHost.h"

#include "base/Error.h"
#include "compiler/plugins/PluginAbi.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <filesystem>

/// What a plugin's function works on. Every function of the table may be given anything, and after
/// an error goes on with neutral values: the first error is what counts.
struct inlay_plugin_node_t {
  const inlay::PluginNode &node;
  const std::string &folder;
  inlay::PluginDescription *description;
  inlay::PluginImplementation *implementation;
  std::vector<inlay::PluginRequirement> *conditions;
  inlay::Status error;
  inlay::AbiMemory memory;
  /// Those that were read last, and what the plugin sees of them.
  std::vector<inlay::KernelConfigValues> configs;
  std::vector<inlay_plugin_constexpr_v1> configConstexprs;

  void fail(inlay::Status status) {
    if (error.isOk() && !status.isOk())
      error = std::move(status);
  }
  /// The value of a result, or a neutral one with the error noted; `what` says of what.
  template <typename T>
  T take(inlay::Result<T> result, std::string_view what) {
    if (result.isOk())
      return std::move(result).value();
    fail(inlay::Status(result.status().code(),
                       fmt::format("{}: {}", what, result.status().message())));
    return T{};
  }
};

namespace inlay {
namespace {

using Node = inlay_plugin_node_t;

/// An expression over the model's symbols, which must have come from the node.
Expr exprOf(Node &node, const char *text, std::string_view what) {
  if (!text)
    return node.fail(invalidArgument("{} is null", what)), Expr();
  Expr expr = node.take(parseExpr(text), fmt::format("in {} '{}'", what, text));
  std::vector<std::string> known;
  for (const auto *tensors : {&node.node.inputs, &node.node.outputs})
    for (const TensorSpec &tensor : *tensors)
      for (const Expr &size : tensor.shape)
        for (std::string &name : symbolsOf(size))
          known.push_back(std::move(name));
  if (node.description)
    for (const ComputedSize &size : node.description->sizes)
      known.push_back(size.symbol().symbolName());
  for (const std::string &name : symbolsOf(expr))
    if (std::ranges::find(known, name) == known.end())
      node.fail(invalidArgument("in {} '{}': '{}' is no size of this node; expressions are made of "
                                "the sizes of its tensors",
                                what, text, name));
  return expr;
}

const TensorSpec *tensorOf(Node *node, int isOutput, size_t index) {
  const std::vector<TensorSpec> &tensors = isOutput ? node->node.outputs : node->node.inputs;
  if (index < tensors.size())
    return &tensors[index];
  node->fail(invalidArgument("there is no {} {}; the node has {}", isOutput ? "output" : "input",
                             index, tensors.size()));
  return nullptr;
}

void nodeFail(Node *node, const char *message) {
  node->fail(invalidArgument("{}", message ? message : "the plugin gives no reason"));
}

size_t tensorRank(Node *node, int isOutput, size_t index) {
  const TensorSpec *tensor = tensorOf(node, isOutput, index);
  return tensor ? tensor->shape.size() : 0;
}

const char *tensorSize(Node *node, int isOutput, size_t index, size_t dim) {
  const TensorSpec *tensor = tensorOf(node, isOutput, index);
  if (!tensor)
    return "0";
  if (dim < tensor->shape.size())
    return node->memory.keep(tensor->shape[dim].toString());
  node->fail(invalidArgument("{} {} has rank {}, and no dimension {}",
                             isOutput ? "output" : "input", index, tensor->shape.size(), dim));
  return "0";
}

int attribute(Node *node, const char *name, inlay_plugin_value_v1 *outValue) {
  *outValue = {};
  auto found = node->node.attributes.find(std::string_view(name ? name : ""));
  if (found == node->node.attributes.end())
    return 0;
  *outValue = toAbi(found->second, node->memory);
  return 1;
}

int constant(Node *node, const char *expression, int64_t *outValue) {
  std::optional<int64_t> value = exprOf(*node, expression, "expression").constantValue();
  *outValue = value.value_or(0);
  return value ? 1 : 0;
}

/// Notes an error if `isAllowed` is false.
bool allow(Node *node, bool isAllowed, std::string_view what, std::string_view where) {
  if (!isAllowed)
    node->fail(failedPrecondition("{} was called outside {}", what, where));
  return isAllowed;
}

void addOutput(Node *node, uint32_t dtype, const char *const *shape, size_t rank) {
  if (!allow(node, node->description, "add_output", "describe"))
    return;
  const std::string what = fmt::format("output {}", node->description->outputs.size());
  TensorSpec spec{node->take(dataTypeFromAbi(dtype), what), {}};
  for (size_t dim = 0; dim < rank; ++dim)
    spec.shape.push_back(
        exprOf(*node, shape ? shape[dim] : nullptr, fmt::format("dimension {} of {}", dim, what)));
  node->description->outputs.push_back(std::move(spec));
}

void addAliasedOutput(Node *node, uint32_t dtype, const char *const *shape, size_t rank,
                      size_t input) {
  if (!allow(node, node->description, "add_aliased_output", "describe") ||
      !tensorOf(node, 0, input))
    return;
  node->description->aliasedInputs.emplace(node->description->outputs.size(), input);
  addOutput(node, dtype, shape, rank);
}

uint32_t addSize(Node *node, const char *name, uint32_t dtype, const char *bound, const char *opt) {
  if (!allow(node, node->description, "add_size", "describe"))
    return 0;
  std::vector<ComputedSize> &sizes = node->description->sizes;
  ComputedSize size;
  size.name = node->take(textFromAbi(name, "name"), "size");
  const auto isPartOfName = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  if (size.name.empty() || !std::ranges::all_of(size.name, isPartOfName))
    node->fail(
        invalidArgument("'{}' is no name of a size; expected letters, digits and '_'", size.name));
  if (std::ranges::find(sizes, size.name, &ComputedSize::name) != sizes.end())
    node->fail(alreadyExists("there are two sizes '{}'", size.name));
  size.dtype = node->take(dataTypeFromAbi(dtype), "size " + size.name);
  if (size.dtype != DataType::Int32 && size.dtype != DataType::Int64)
    node->fail(invalidArgument("size '{}' is {}; expected int32 or int64", size.name,
                               dataTypeName(size.dtype)));
  size.bound = exprOf(*node, bound, "bound of size " + size.name);
  size.opt = exprOf(*node, opt, "opt of size " + size.name);
  sizes.push_back(std::move(size));
  return static_cast<uint32_t>(sizes.size() - 1);
}

const std::vector<ComputedSize> &sizesOf(Node *node) {
  return node->description ? node->description->sizes : node->node.sizes;
}

const char *sizeSymbol(Node *node, uint32_t index) {
  if (index < sizesOf(node).size())
    return node->memory.keep(sizesOf(node)[index].symbol().toString());
  node->fail(invalidArgument("there is no size {}", index));
  return "0";
}

uint32_t findSize(Node *node, const char *name) {
  const std::vector<ComputedSize> &sizes = sizesOf(node);
  const auto found =
      std::ranges::find(sizes, std::string_view(name ? name : ""), &ComputedSize::name);
  if (found != sizes.end())
    return static_cast<uint32_t>(found - sizes.begin());
  node->fail(invalidArgument("the plugin describes no size '{}'", name ? name : ""));
  return 0;
}

void addSizeOutput(Node *node, uint32_t index) {
  if (!allow(node, node->description, "add_size_output", "describe"))
    return;
  if (index >= sizesOf(node).size())
    return node->fail(invalidArgument("there is no size {}", index));
  node->description->sizeOutputs.emplace(node->description->outputs.size(), index);
  node->description->outputs.push_back({sizesOf(node)[index].dtype, {}});
}

void require(Node *node, const char *condition, const char *message) {
  if (allow(node, node->description || node->conditions, "require", "describe and when"))
    (node->description ? node->description->requirements : *node->conditions)
        .push_back({exprOf(*node, condition, "requirement"), message     ? message
                                                             : condition ? condition
                                                                         : ""});
}

uint32_t addWorkspace(Node *node, const char *name, uint32_t dtype, const char *sizeBytes) {
  if (!allow(node, node->implementation, "add_workspace", "implement"))
    return 0;
  std::vector<Workspace> &workspaces = node->implementation->workspaces;
  Workspace workspace;
  workspace.name = node->take(textFromAbi(name, "name"), "workspace");
  for (const Workspace &other : workspaces)
    if (other.name == workspace.name)
      node->fail(alreadyExists("there are two workspaces '{}'", other.name));
  workspace.dtype = node->take(dataTypeFromAbi(dtype), "workspace " + workspace.name);
  workspace.sizeBytes = exprOf(*node, sizeBytes, "size of workspace " + workspace.name);
  workspaces.push_back(std::move(workspace));
  return static_cast<uint32_t>(workspaces.size() - 1);
}

/// A float expression over the sizes of the node.
FloatExpr floatExprOf(Node &node, const char *text, std::string_view what) {
  if (!text)
    return node.fail(invalidArgument("{} is null", what)), FloatExpr();
  auto parsed = node.take(parseFloatExpr(text), fmt::format("in {} '{}'", what, text));
  forEachInteger(parsed.expr, [&](const Expr &integer) {
    (void)exprOf(node, integer.toString().c_str(), what);
  });
  return parsed.expr;
}

/// Brings one launch argument to ours.
LaunchArgument argumentOf(Node &node, const inlay_plugin_argument_v1 &given, size_t position) {
  const std::string what = fmt::format("launch argument {}", position);
  LaunchArgument argument{};
  argument.index = given.index;
  argument.text = what;
  switch (given.kind) {
  case INLAY_PLUGIN_ARGUMENT_INPUT:
    argument.kind = LaunchArgument::Kind::Input;
    return tensorOf(&node, 0, given.index), argument;
  case INLAY_PLUGIN_ARGUMENT_OUTPUT:
    argument.kind = LaunchArgument::Kind::Output;
    return tensorOf(&node, 1, given.index), argument;
  case INLAY_PLUGIN_ARGUMENT_WORKSPACE:
    argument.kind = LaunchArgument::Kind::Workspace;
    if (given.index < node.implementation->workspaces.size())
      argument.dtype = node.implementation->workspaces[given.index].dtype;
    else
      node.fail(invalidArgument("{}: there is no workspace {}", what, given.index));
    return argument;
  case INLAY_PLUGIN_ARGUMENT_SIZE:
    argument.kind = LaunchArgument::Kind::Size;
    if (given.index < node.node.sizes.size())
      argument.dtype = node.node.sizes[given.index].dtype;
    else
      node.fail(invalidArgument("{}: there is no size {}", what, given.index));
    return argument;
  case INLAY_PLUGIN_ARGUMENT_INTEGER:
    argument.kind = LaunchArgument::Kind::Integer;
    argument.expression = exprOf(node, given.expression, what);
    argument.text = given.expression ? given.expression : "";
    break;
  case INLAY_PLUGIN_ARGUMENT_FLOAT:
    argument.kind = LaunchArgument::Kind::Float;
    argument.value = given.value;
    argument.text = fmt::format("{}", given.value);
    break;
  case INLAY_PLUGIN_ARGUMENT_FLOAT_EXPRESSION:
    argument.kind = LaunchArgument::Kind::Float;
    argument.floatExpression = floatExprOf(node, given.expression, what);
    argument.text = given.expression ? given.expression : "";
    if (const auto value = argument.floatExpression->constantValue()) {
      argument.value = *value;
      argument.floatExpression.reset();
      if (!std::isfinite(*value))
        node.fail(
            invalidArgument("{}: '{}' is {}, which is not finite", what, argument.text, *value));
    }
    break;
  default:
    return node.fail(invalidArgument("{}: {} is no kind of argument", what, given.kind)), argument;
  }
  argument.dtype = node.take(dataTypeFromAbi(given.dtype), what);
  const bool isFloat = argument.dtype == DataType::Float32 || argument.dtype == DataType::Float64;
  const bool isInteger = dataTypeKind(argument.dtype) != DataTypeKind::Float;
  if (argument.kind == LaunchArgument::Kind::Float ? !isFloat : !isInteger)
    node.fail(invalidArgument("{}: {} is no type of {}", what, dataTypeName(argument.dtype),
                              argument.kind == LaunchArgument::Kind::Float
                                  ? "a float argument; expected float32 or float64"
                                  : "an integer argument"));
  return argument;
}

/// A kernel without its compile-time values.
TritonKernel functionOf(Node &node, const char *givenPath, const char *source,
                        const char *function) {
  TritonKernel kernel;
  const std::string path = node.take(textFromAbi(givenPath, "kernel_path"), "launch");
  kernel.function = node.take(textFromAbi(function, "function"), "launch");
  if (source) {
    // Texts are told apart by their paths: a name may stand for several.
    kernel.source = source;
    kernel.path = fmt::format("{}#{:016x}/{}", node.node.opName,
                              XXH64(kernel.source.data(), kernel.source.size(), 0), path);
    if (kernel.source.empty())
      node.fail(invalidArgument("the source of kernel '{}' is empty", kernel.function));
  } else {
    kernel.path = (std::filesystem::path(node.folder) / path).lexically_normal().string();
  }
  return kernel;
}

TritonKernel kernelOf(Node &node, const inlay_plugin_launch_v1 &given) {
  if (!given.kernel_path && given.num_files != 0)
    return {}; // files only
  TritonKernel kernel = functionOf(node, given.kernel_path, given.kernel_source, given.function);
  Status options = checkKernelOptions(given.num_warps, given.num_stages);
  if (!options.isOk())
    node.fail(invalidArgument("launch of {}: {}", kernel.function, options.message()));
  kernel.numWarps = static_cast<int>(given.num_warps);
  kernel.numStages = static_cast<int>(given.num_stages);
  if (!given.constexprs && given.num_constexprs != 0)
    return node.fail(invalidArgument("launch of {}: constexprs is null", kernel.function)), kernel;
  for (size_t i = 0; i < given.num_constexprs; ++i) {
    const inlay_plugin_constexpr_v1 &constant = given.constexprs[i];
    const std::string name = node.take(textFromAbi(constant.name, "name"), "constexpr");
    auto value = node.take(attributeFromAbi(constant.value), "constexpr " + name);
    if (!kernel.constexprs.emplace(name, std::move(value)).second)
      node.fail(
          alreadyExists("launch of {}: constexpr '{}' is given twice", kernel.function, name));
  }
  return kernel;
}

void readFiles(Node &node, const inlay_plugin_launch_v1 &given, PluginLaunch &launch) {
  if (!given.files && given.num_files != 0)
    return node.fail(invalidArgument("launch: files is null"));
  for (size_t i = 0; i < given.num_files; ++i) {
    const inlay_plugin_kernel_file_v1 &file = given.files[i];
    const std::string path = node.take(textFromAbi(file.path, "path"), "file of a launch");
    KernelFile read{(std::filesystem::path(node.folder) / path).lexically_normal().string(),
                    file.entry ? file.entry : "", file.target ? file.target : ""};
    node.fail(checkKernelFile(read));
    launch.files.push_back(std::move(read));
  }
}

/// Block, shared memory, cluster.
void readBlock(Node &node, const inlay_plugin_launch_v1 &given, PluginLaunch &launch) {
  const std::string name = launch.name();
  if (given.block[0]) {
    launch.block = {Expr(1), Expr(1), Expr(1)};
    for (size_t axis = 0; axis < 3; ++axis)
      if (given.block[axis])
        (*launch.block)[axis] = exprOf(node, given.block[axis], "block of " + name);
  }
  if (given.shared_bytes)
    launch.sharedBytes = exprOf(node, given.shared_bytes, "shared memory of " + name);
  constexpr uint64_t kMaxBlocks = 16;
  uint64_t blocks = 1;
  bool isGiven = false;
  for (uint32_t extent : given.cluster)
    isGiven = isGiven || extent != 0;
  for (size_t axis = 0; axis < 3 && isGiven; ++axis) {
    launch.cluster[axis] = std::max(1u, given.cluster[axis]);
    blocks *= std::min<uint64_t>(launch.cluster[axis], kMaxBlocks + 1);
  }
  if (blocks > kMaxBlocks)
    node.fail(invalidArgument("launch of {}: a cluster has more than {} blocks", name, kMaxBlocks));
  launch.isCooperative = given.is_cooperative != 0;
  launch.isProgrammatic = given.is_programmatic != 0;
  const bool saysMore = launch.block || launch.sharedBytes;
  if (saysMore && launch.files.empty())
    node.fail(invalidArgument("launch of {}: block and shared memory are for kernels in files; "
                              "the compiler chooses them for kernels in the Triton language",
                              name));
}

void addLaunch(Node *node, const inlay_plugin_launch_v1 *launch) {
  if (!allow(node, node->implementation, "add_launch", "implement"))
    return;
  inlay_plugin_launch_v1 copy{};
  // Libraries from before there were files give less.
  node->fail(copySizedStruct(launch, &copy, sizeof(copy), offsetof(inlay_plugin_launch_v1, files),
                             "inlay_plugin_launch_v1"));
  if (!node->error.isOk())
    return;
  const inlay_plugin_launch_v1 *given = &copy;
  PluginLaunch result;
  readFiles(*node, *given, result);
  result.kernel = kernelOf(*node, *given);
  readBlock(*node, *given, result);
  for (size_t axis = 0; axis < 3; ++axis)
    if (given->grid[axis])
      result.grid[axis] = exprOf(*node, given->grid[axis], "grid of " + result.name());
  if (!given->arguments && given->num_arguments != 0)
    return node->fail(invalidArgument("launch of {}: arguments is null", result.name()));
  for (size_t i = 0; i < given->num_arguments; ++i)
    result.arguments.push_back(argumentOf(*node, given->arguments[i], i));
  if (!node->implementation->tactics.empty())
    result.tactic = static_cast<uint32_t>(node->implementation->tactics.size() - 1);
  node->implementation->launches.push_back(std::move(result));
}

void beginTactic(Node *node, const char *name) {
  if (allow(node, node->implementation, "begin_tactic", "implement"))
    node->implementation->tactics.push_back(
        {node->take(textFromAbi(name, "name"), "tactic"), {}, {}});
}

/// The tactic that was begun last; null, with an error, if there is none.
PluginTactic *lastTactic(Node *node, std::string_view what) {
  if (!allow(node, node->implementation && !node->implementation->tactics.empty(), what,
             "a tactic that begin_tactic began"))
    return nullptr;
  return &node->implementation->tactics.back();
}

void tacticCondition(Node *node, const char *condition) {
  if (PluginTactic *tactic = lastTactic(node, "tactic_condition"))
    tactic->conditions.push_back(exprOf(*node, condition, "condition of tactic " + tactic->name));
}

void tacticAlignment(Node *node, int isOutput, size_t index, uint32_t bytes) {
  PluginTactic *tactic = lastTactic(node, "tactic_alignment");
  if (tactic && tensorOf(node, isOutput, index))
    tactic->alignments.push_back({isOutput != 0, static_cast<uint32_t>(index), bytes});
}

size_t readAutotune(Node *node, const char *path, const char *source, const char *function) {
  if (!allow(node, node->implementation, "read_autotune", "implement"))
    return 0;
  const TritonKernel kernel = functionOf(*node, path, source, function);
  if (!node->error.isOk())
    return 0;
  node->configs = node->take(node->node.autotuneConfigs(kernel), "configurations");
  return node->configs.size();
}

void autotuneConfig(Node *node, size_t index, inlay_plugin_config_v1 *outConfig) {
  *outConfig = {"", nullptr, 0, 4, 3};
  if (index >= node->configs.size())
    return node->fail(
        invalidArgument("there is no configuration {}; {} were read", index, node->configs.size()));
  const KernelConfigValues &config = node->configs[index];
  node->configConstexprs.clear();
  for (const auto &[name, value] : config.constexprs)
    node->configConstexprs.push_back({node->memory.keep(name), toAbi(value, node->memory)});
  *outConfig = {node->memory.keep(config.name()), node->configConstexprs.data(),
                node->configConstexprs.size(), static_cast<uint32_t>(config.numWarps),
                static_cast<uint32_t>(config.numStages)};
}

} // namespace

const inlay_plugin_host_v1 &pluginNodeTable() {
  static const inlay_plugin_host_v1 table = [] {
    inlay_plugin_host_v1 t{};
    t.size_bytes = sizeof(t);
    t.node_fail = nodeFail;
    t.op_name = [](Node *node) { return node->node.opName.c_str(); };
    t.node_name = [](Node *node) { return node->node.nodeName.c_str(); };
    t.num_tensors = [](Node *node, int isOutput) {
      return isOutput ? node->node.outputs.size() : node->node.inputs.size();
    };
    t.input_name = [](Node *node, size_t index) {
      return tensorOf(node, 0, index) && index < node->node.inputNames.size()
                 ? node->node.inputNames[index].c_str()
                 : "";
    };
    t.tensor_dtype = [](Node *node, int isOutput, size_t index) {
      const TensorSpec *tensor = tensorOf(node, isOutput, index);
      return static_cast<uint32_t>(tensor ? tensor->dtype : DataType::Float32);
    };
    t.tensor_rank = tensorRank;
    t.tensor_size = tensorSize;
    t.attribute = attribute;
    t.constant = constant;
    t.add_output = addOutput;
    t.require = require;
    t.add_workspace = addWorkspace;
    t.add_launch = addLaunch;
    t.add_aliased_output = addAliasedOutput;
    t.add_size = addSize;
    t.size_symbol = sizeSymbol;
    t.add_size_output = addSizeOutput;
    t.find_size = findSize;
    t.begin_tactic = beginTactic;
    t.tactic_condition = tacticCondition;
    t.tactic_alignment = tacticAlignment;
    t.read_autotune = readAutotune;
    t.autotune_config = autotuneConfig;
    t.num_targets = [](Node *node) { return node->node.targets.size(); };
    t.target = [](Node *node, size_t index) {
      if (index < node->node.targets.size())
        return node->node.targets[index].c_str();
      node->fail(invalidArgument("there is no target {}; the build has {}", index,
                                 node->node.targets.size()));
      return "";
    };
    return t;
  }();
  return table;
}

Status callPlugin(PluginCallback function, void *user, const PluginNode &node,
                  const std::string &origin, const std::string &folder,
                  const PluginResults &results) {
  Node view{node, folder, results.description, results.implementation, results.conditions, {}, {},
            {},   {}};
  function(user, &pluginNodeTable(), &view);
  if (view.error.isOk())
    return {};
  return Status(view.error.code(), fmt::format("node {} ({}, plugin at {}): {}", node.nodeName,
                                               node.opName, origin, view.error.message()));
}

} // namespace inlay
