// `inlay kernel run`: one kernel compiled for a device and launched once on NumPy arrays.
#include "tools/inlay/KernelCommands.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/KernelTool.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "symbolic/Expr.h"
#include "tools/kernel-run/ArgumentText.h"
#include "tools/kernel-run/KernelRunner.h"
#include "tools/tensorio/Npy.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>

namespace inlay::tools {
namespace {

struct RunOptions {
  std::string kernel; // FILE.py:FUNCTION
  KernelToolRequest request;
  std::string device = "cpu", grid;
  size_t repeats = 0;   // launches to measure
  bool isTuned = false; // run the fastest of the autotuner's configurations
  std::vector<std::string> arguments, outputs;
};

/// The numbers of programs that a text says, of expressions over integer constexprs and arguments.
Result<std::array<uint32_t, 3>> parseGrid(const std::string &text, const KernelToolRequest &request,
                                          const ArgumentTexts &arguments) {
  INLAY_ASSIGN(const auto constexprs, parseConstexprs(request.constexprs));
  const auto valueOf = [&](std::string_view name) -> std::optional<int64_t> {
    const ConstexprValue *value = nullptr;
    if (const auto constant = constexprs.find(std::string(name)); constant != constexprs.end())
      value = &constant->second;
    else if (const auto argument = arguments.find(std::string(name)); argument != arguments.end())
      value = std::get_if<ConstexprValue>(&argument->second);
    const int64_t *integer = value ? std::get_if<int64_t>(value) : nullptr;
    return integer ? std::optional(*integer) : std::nullopt;
  };
  const std::vector<std::string> extents = triton::splitSignature(text);
  if (extents.empty() || extents.size() > 3)
    return invalidArgument("grid '{}': expected X, X,Y or X,Y,Z with the numbers of programs",
                           text);
  std::array<uint32_t, 3> grid{1, 1, 1};
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    INLAY_ASSIGN(const Expr expr, parseExpr(extents[axis]), fmt::format("reading grid '{}'", text));
    INLAY_ASSIGN(const int64_t extent, evaluate(expr, valueOf),
                 fmt::format("grid '{}' is made of integer constexprs and arguments", text));
    if (extent < 0 || extent > INT32_MAX)
      return outOfRange("grid '{}': {} programs; possible are 0 to {}", text, extent, INT32_MAX);
    grid[axis] = static_cast<uint32_t>(extent);
  }
  return grid;
}

Result<triton::KernelDeclaration> findKernel(const KernelToolRequest &request) {
  INLAY_ASSIGN(const std::string source, readFile(request.path));
  INLAY_ASSIGN(const auto kernels, triton::listKernels(request.path, source));
  std::vector<std::string> names;
  for (const triton::KernelDeclaration &kernel : kernels) {
    if (kernel.name == request.function)
      return kernel;
    names.push_back(kernel.name);
  }
  return notFound("'{}' has no @triton.jit function '{}'; it has: {}", request.path,
                  request.function,
                  names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

Status checkNames(const triton::KernelDeclaration &kernel, const ArgumentTexts &arguments) {
  std::vector<std::string> names;
  for (const triton::KernelParameterDeclaration &parameter : kernel.parameters)
    names.push_back(parameter.name);
  for (const auto &[name, value] : arguments)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return notFound("kernel '{}' has no parameter '{}'; its parameters are: {}", kernel.name,
                      name, fmt::join(names, ", "));
  return {};
}

/// Parameters that take a run-time argument, in order: those neither annotated as constexpr nor
/// given as one.
Result<std::vector<std::string>> runtimeParameters(const triton::KernelDeclaration &kernel,
                                                   const KernelToolRequest &request) {
  INLAY_ASSIGN(const auto constexprs, parseConstexprs(request.constexprs));
  std::vector<std::string> names;
  for (const triton::KernelParameterDeclaration &parameter : kernel.parameters)
    if (!parameter.isConstexpr && !constexprs.contains(parameter.name))
      names.push_back(parameter.name);
  return names;
}

/// Pointees of the signature's entries by parameter name: what raw elements of files are.
std::map<std::string, DataType> pointeesOf(const std::string &signature,
                                           const std::vector<std::string> &names) {
  std::map<std::string, DataType> dtypes;
  const std::vector<std::string> entries = triton::splitSignature(signature);
  for (size_t i = 0; i < std::min(entries.size(), names.size()); ++i) {
    std::string_view entry = entries[i];
    if (entry.starts_with("tensordesc<"))
      entry = entry.substr(11, entry.find('[') - std::min<size_t>(entry.find('['), 11));
    else if (entry.starts_with('*'))
      entry = entry.substr(entry.starts_with("*k") ? 2 : 1,
                           entry.find(':') - (entry.starts_with("*k") ? 2 : 1));
    else
      continue;
    if (const std::optional<DataType> dtype = findDataType(entry))
      dtypes[names[i]] = *dtype;
  }
  return dtypes;
}

/// Fills in the signature from the arguments; what has no type at run time becomes a constexpr.
Status inferSignature(const triton::KernelDeclaration &kernel,
                      const std::vector<std::string> &names, const ArgumentTexts &arguments,
                      const std::vector<std::string> &entries, KernelToolRequest &request) {
  std::vector<std::string> signature;
  for (const triton::KernelParameterDeclaration &parameter : kernel.parameters) {
    if (std::find(names.begin(), names.end(), parameter.name) == names.end())
      continue;
    const auto argument = arguments.find(parameter.name);
    if (argument == arguments.end()) {
      if (parameter.hasDefault)
        continue;
      return invalidArgument("kernel '{}' needs an argument for '{}': give --arg {}=… or "
                             "--constexpr {}=…",
                             kernel.name, parameter.name, parameter.name, parameter.name);
    }
    if (const std::optional<std::string> entry = signatureEntry(argument->second)) {
      signature.push_back(*entry);
      continue;
    }
    for (const std::string &text : entries)
      if (text.starts_with(parameter.name + "="))
        request.constexprs.push_back(text);
  }
  request.signature = fmt::format("{}", fmt::join(signature, ","));
  return {};
}

/// A size or stride of a dense tensor that a host passes beside its address, by the parameter's
/// name: "a.size0", "a.stride1". nullopt for other names.
std::optional<uint64_t> describedExtent(const std::string &name, const ArgumentTexts &arguments) {
  const size_t dot = name.find('.');
  const auto argument = arguments.find(name.substr(0, dot));
  if (dot == std::string::npos || argument == arguments.end())
    return std::nullopt;
  const auto *described = std::get_if<DescribedTensor>(&argument->second);
  const NpyTensor *tensor =
      described ? &described->tensor : std::get_if<NpyTensor>(&argument->second);
  if (!tensor)
    return std::nullopt;
  uint64_t stride = 1;
  for (size_t axis = tensor->shape.size(); axis-- > 0;) {
    const auto size = static_cast<uint64_t>(tensor->shape[axis]);
    if (name.substr(dot + 1) == fmt::format("size{}", axis))
      return size;
    if (name.substr(dot + 1) == fmt::format("stride{}", axis))
      return stride;
    stride *= size;
  }
  return std::nullopt;
}

/// The arguments in the order of the compiled kernel's parameters.
Result<std::vector<KernelArgument>> bindArguments(const fb::Kernel &kernel,
                                                  const ArgumentTexts &arguments) {
  std::vector<KernelArgument> bound;
  for (const fb::Parameter *parameter : *kernel.parameters()) {
    const std::string name = parameter->name()->str();
    const auto dtype = static_cast<DataType>(parameter->dtype());
    if (const std::optional<uint64_t> extent = describedExtent(name, arguments)) {
      bound.push_back(*extent);
      continue;
    }
    const auto argument = arguments.find(name);
    if (argument == arguments.end())
      return invalidArgument("kernel '{}' needs an argument for '{}' ({}{}): give --arg {}=…",
                             kernel.name()->string_view(), name,
                             parameter->kind() == fb::ParameterKind::Pointer ? "*" : "",
                             dataTypeTritonName(dtype), name);
    const auto *described = std::get_if<DescribedTensor>(&argument->second);
    if (const auto *tensor =
            described ? &described->tensor : std::get_if<NpyTensor>(&argument->second)) {
      if (parameter->kind() == fb::ParameterKind::Pointer && tensor->dtype != dtype)
        return invalidArgument("argument '{}' has dtype {}; the signature says *{}", name,
                               dataTypeName(tensor->dtype), dataTypeTritonName(dtype));
      bound.push_back(*tensor);
    } else if (const auto *table = std::get_if<TensorTable>(&argument->second)) {
      if (parameter->kind() != fb::ParameterKind::Pointer ||
          (dtype != DataType::Int64 && dtype != DataType::UInt64))
        return invalidArgument("argument '{}' is a table of addresses; the signature says {}{}, "
                               "not *i64 or *u64",
                               name, parameter->kind() == fb::ParameterKind::Pointer ? "*" : "",
                               dataTypeTritonName(dtype));
      bound.push_back(*table);
    } else if (parameter->kind() == fb::ParameterKind::Pointer) {
      return invalidArgument("argument '{}' is a number; the signature says *{}: give a .npy file "
                             "or zeros:DTYPE[SIZE,…]",
                             name, dataTypeTritonName(dtype));
    } else {
      INLAY_ASSIGN(const uint64_t bits,
                   scalarBits(name, std::get<ConstexprValue>(argument->second), dtype));
      bound.push_back(bits);
    }
  }
  return bound;
}

Status writeOutputs(const fb::Kernel &kernel, const std::vector<KernelArgument> &arguments,
                    const std::vector<std::string> &outputs) {
  for (const std::string &output : outputs) {
    const size_t equals = output.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == output.size())
      return invalidArgument("output '{}': expected NAME=FILE.npy", output);
    const std::string name = output.substr(0, equals);
    const KernelArgument *argument = nullptr;
    for (uint32_t i = 0; i < kernel.parameters()->size(); ++i)
      if (kernel.parameters()->Get(i)->name()->string_view() == name)
        argument = &arguments[i];
    if (!argument || std::holds_alternative<uint64_t>(*argument))
      return notFound("output '{}': kernel '{}' has no tensor of that name", name,
                      kernel.name()->string_view());
    if (const auto *tensor = std::get_if<NpyTensor>(argument)) {
      INLAY_TRY(writeNpy(output.substr(equals + 1), *tensor));
      continue;
    }
    const std::vector<std::string> files = splitList(output.substr(equals + 1));
    const std::vector<NpyTensor> &tensors = std::get<TensorTable>(*argument).tensors;
    if (files.size() != tensors.size())
      return invalidArgument("output '{}': '{}' is a table of {} tensors, but {} files are named",
                             output, name, tensors.size(), files.size());
    for (size_t i = 0; i < files.size(); ++i)
      INLAY_TRY(writeNpy(files[i], tensors[i]));
  }
  return {};
}

/// A kernel compiled for a device, with what one launch of it is given.
struct BoundKernel {
  EngineFile engine;
  std::vector<KernelArgument> arguments;
  std::array<uint32_t, 3> grid{};
  const fb::Kernel &kernel() const { return *engine.engine().kernels()->Get(0); }
};

/// Compiles with the configuration that the options choose.
Result<BoundKernel> compileAndBind(RunOptions options, const triton::KernelDeclaration &kernel,
                                   const KernelRunner &runner) {
  INLAY_TRY(applyKernelConfig(options.request));
  INLAY_ASSIGN(const std::vector<std::string> names, runtimeParameters(kernel, options.request));
  INLAY_ASSIGN(const ArgumentTexts arguments,
               parseArguments(options.arguments, pointeesOf(options.request.signature, names)));
  INLAY_TRY(checkNames(kernel, arguments));
  if (options.request.signature.empty())
    INLAY_TRY(inferSignature(kernel, names, arguments, options.arguments, options.request));
  INLAY_ASSIGN(const auto grid, parseGrid(options.grid, options.request, arguments));
  options.request.target = runner.info().target;
  INLAY_ASSIGN(std::vector<std::byte> bytes, compileKernelFileToEngine(options.request));
  INLAY_ASSIGN(EngineFile engine, EngineFile::fromBytes(std::move(bytes)));
  INLAY_ASSIGN(std::vector<KernelArgument> bound,
               bindArguments(*engine.engine().kernels()->Get(0), arguments));
  return BoundKernel{std::move(engine), std::move(bound), grid};
}

/// Runs each of the autotuner's configurations, prints its times, and chooses the one of the
/// smallest median.
Status chooseConfig(RunOptions &options, const triton::KernelDeclaration &kernel,
                    KernelRunner &runner) {
  constexpr size_t kDefaultRepeats = 100;
  if (!options.request.config.empty())
    return invalidArgument("--config chooses a configuration, and --tune does, too; give one");
  INLAY_ASSIGN(const std::vector<std::string> configs,
               listKernelConfigs(options.request.path, options.request.function,
                                 options.request.includeRoots));
  double fastest = 0;
  Status lastFailure;
  for (size_t i = 0; i < configs.size(); ++i) {
    RunOptions one = options;
    one.request.config = std::to_string(i);
    Result<BoundKernel> bound = compileAndBind(one, kernel, runner);
    Status status = bound.isOk() ? Status() : bound.status();
    std::vector<double> timesUs(options.repeats ? options.repeats : kDefaultRepeats);
    if (status.isOk())
      status = runner.run(bound->engine, bound->arguments, bound->grid, timesUs);
    if (!status.isOk()) {
      fmt::print("config {}: {}: passed over: {}\n", i, configs[i], status.message());
      lastFailure = std::move(status);
      continue;
    }
    std::sort(timesUs.begin(), timesUs.end());
    const double median = timesUs[timesUs.size() / 2];
    fmt::print("config {}: {}: median of {} launches {:.2f} us, fastest {:.2f}\n", i, configs[i],
               timesUs.size(), median, timesUs.front());
    if (options.request.config.empty() || median < fastest) {
      options.request.config = std::to_string(i);
      fastest = median;
    }
  }
  if (options.request.config.empty())
    return std::move(lastFailure).withContext("measuring, where no configuration works");
  fmt::print("took config {}\n", options.request.config);
  return {};
}

Status runKernel(RunOptions &options) {
  INLAY_TRY(splitKernelName(options.kernel, options.request));
  if (options.request.function.empty())
    return invalidArgument("kernel '{}' names no function; expected FILE.py:FUNCTION",
                           options.kernel);
  INLAY_ASSIGN(const triton::KernelDeclaration kernel, findKernel(options.request));
  INLAY_ASSIGN(KernelRunner runner, KernelRunner::open(options.device));
  if (options.isTuned)
    INLAY_TRY(chooseConfig(options, kernel, runner));
  INLAY_ASSIGN(BoundKernel bound, compileAndBind(options, kernel, runner));
  std::vector<double> timesUs(options.repeats);
  INLAY_TRY(runner.run(bound.engine, bound.arguments, bound.grid, timesUs));
  if (!timesUs.empty()) {
    std::sort(timesUs.begin(), timesUs.end());
    fmt::print("{} on {}: median of {} launches {:.2f} us, fastest {:.2f}\n",
               bound.kernel().name()->string_view(), runner.info().device, timesUs.size(),
               timesUs[timesUs.size() / 2], timesUs.front());
  }
  return writeOutputs(bound.kernel(), bound.arguments, options.outputs);
}

} // namespace

void addKernelRunCommand(CLI::App &kernel, Status &outcome) {
  auto options = std::make_shared<RunOptions>();
  CLI::App *run =
      kernel.add_subcommand("run", "Compile one kernel and run it once on NumPy arrays");
  run->add_option("KERNEL", options->kernel, "FILE.py:FUNCTION")->required();
  run->add_option("--signature", options->request.signature,
                  "Types of the parameters that are no constexprs, in order; found from the "
                  "arguments if not given");
  run->add_option("--constexpr", options->request.constexprs,
                  "A compile-time argument, NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--config", options->request.config,
                  "A configuration of the kernel's autotuner: its index, or NAME=VALUE,…");
  run->add_option(
         "--arg", options->arguments,
         "An argument: NAME=FILE.npy, NAME=zeros:f32[64,32] or NAME=VALUE; behind "
         "descriptor[BLOCK]: a tensor descriptor, behind addresses: a table of tensors; may be "
         "repeated")
      ->allow_extra_args(false);
  run->add_option("--include", options->request.includeRoots,
                  "A folder with modules that the kernel's file imports; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--grid", options->grid,
                  "Numbers of programs: X, X,Y or X,Y,Z, expressions over integer constexprs and "
                  "arguments: ceildiv(n, BLOCK)")
      ->required();
  run->add_flag("--tune", options->isTuned,
                "Measure the autotuner's configurations, --repeat launches each (100), and run the "
                "fastest");
  run->add_option("--device", options->device, "cpu or cuda:N")->capture_default_str();
  run->add_flag("--debug", options->request.isDebug,
                "Keep device_assert and assertions about run-time values");
  run->add_option("--num-warps", options->request.numWarps, "Warps of one program on a GPU")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  run->add_option("--repeat", options->repeats,
                  "Launch N more times, after the results were read, and print the time")
      ->check(CLI::Range(0, 1000000));
  run->add_option("--output", options->outputs,
                  "Where to write a tensor after the run: NAME=FILE.npy; may be repeated")
      ->allow_extra_args(false);
  run->callback([options, &outcome] { outcome = runKernel(*options); });
}

} // namespace inlay::tools
