// `inlay kernel run`: one kernel compiled for a device and launched once on NumPy arrays.
#include "tools/inlay/KernelCommands.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/KernelTool.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "tools/kernel-run/ArgumentText.h"
#include "tools/kernel-run/KernelRunner.h"
#include "tools/tensorio/Npy.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace inlay::tools {
namespace {

struct RunOptions {
  std::string kernel; // FILE.py:FUNCTION
  KernelToolRequest request;
  std::string device = "cpu", grid;
  std::vector<std::string> arguments, outputs;
};

Result<std::array<uint32_t, 3>> parseGrid(const std::string &text) {
  std::array<uint32_t, 3> grid{1, 1, 1};
  const char *at = text.data(), *end = at + text.size();
  for (size_t axis = 0; axis < 3; ++axis) {
    const auto [stop, error] = std::from_chars(at, end, grid[axis]);
    if (error != std::errc())
      break;
    if (stop == end)
      return grid;
    if (*stop != ',')
      break;
    at = stop + 1;
  }
  return invalidArgument("grid '{}': expected X, X,Y or X,Y,Z with the numbers of programs", text);
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
    entry = entry.substr(0, entry.find(':'));
    if (!entry.starts_with('*'))
      continue;
    entry.remove_prefix(entry.starts_with("*k") ? 2 : 1);
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

/// The arguments in the order of the compiled kernel's parameters.
Result<std::vector<KernelArgument>> bindArguments(const fb::Kernel &kernel,
                                                  const ArgumentTexts &arguments) {
  std::vector<KernelArgument> bound;
  for (const fb::Parameter *parameter : *kernel.parameters()) {
    const std::string name = parameter->name()->str();
    const auto dtype = static_cast<DataType>(parameter->dtype());
    const auto argument = arguments.find(name);
    if (argument == arguments.end())
      return invalidArgument("kernel '{}' needs an argument for '{}' ({}{}): give --arg {}=…",
                             kernel.name()->string_view(), name,
                             parameter->kind() == fb::ParameterKind::Pointer ? "*" : "",
                             dataTypeTritonName(dtype), name);
    if (const auto *tensor = std::get_if<NpyTensor>(&argument->second)) {
      if (parameter->kind() == fb::ParameterKind::Pointer && tensor->dtype != dtype)
        return invalidArgument("argument '{}' has dtype {}; the signature says *{}", name,
                               dataTypeName(tensor->dtype), dataTypeTritonName(dtype));
      bound.push_back(*tensor);
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
    const NpyTensor *tensor = nullptr;
    for (uint32_t i = 0; i < kernel.parameters()->size(); ++i)
      if (kernel.parameters()->Get(i)->name()->string_view() == name)
        tensor = std::get_if<NpyTensor>(&arguments[i]);
    if (!tensor)
      return notFound("output '{}': kernel '{}' has no tensor of that name", name,
                      kernel.name()->string_view());
    INLAY_TRY(writeNpy(output.substr(equals + 1), *tensor));
  }
  return {};
}

Status runKernel(RunOptions &options) {
  INLAY_TRY(splitKernelName(options.kernel, options.request));
  if (options.request.function.empty())
    return invalidArgument("kernel '{}' names no function; expected FILE.py:FUNCTION",
                           options.kernel);
  INLAY_ASSIGN(const auto grid, parseGrid(options.grid));
  INLAY_ASSIGN(const triton::KernelDeclaration kernel, findKernel(options.request));
  INLAY_TRY(applyKernelConfig(options.request));
  INLAY_ASSIGN(const std::vector<std::string> names, runtimeParameters(kernel, options.request));
  INLAY_ASSIGN(const ArgumentTexts arguments,
               parseArguments(options.arguments, pointeesOf(options.request.signature, names)));
  INLAY_TRY(checkNames(kernel, arguments));
  if (options.request.signature.empty())
    INLAY_TRY(inferSignature(kernel, names, arguments, options.arguments, options.request));
  INLAY_ASSIGN(KernelRunner runner, KernelRunner::open(options.device));
  options.request.target = runner.info().target;
  INLAY_ASSIGN(std::vector<std::byte> bytes, compileKernelFileToEngine(options.request));
  INLAY_ASSIGN(const EngineFile engine, EngineFile::fromBytes(std::move(bytes)));
  const fb::Kernel &compiled = *engine.engine().kernels()->Get(0);
  INLAY_ASSIGN(std::vector<KernelArgument> bound, bindArguments(compiled, arguments));
  INLAY_TRY(runner.run(engine, bound, grid));
  return writeOutputs(compiled, bound, options.outputs);
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
         "An argument: NAME=FILE.npy, NAME=zeros:f32[64,32] or NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--include", options->request.includeRoots,
                  "A folder with modules that the kernel's file imports; may be repeated")
      ->allow_extra_args(false);
  run->add_option("--grid", options->grid, "Numbers of programs: X, X,Y or X,Y,Z")->required();
  run->add_option("--device", options->device, "cpu or cuda:N")->capture_default_str();
  run->add_flag("--debug", options->request.isDebug,
                "Keep device_assert and assertions about run-time values");
  run->add_option("--num-warps", options->request.numWarps, "Warps of one program on a GPU")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  run->add_option("--output", options->outputs,
                  "Where to write a tensor after the run: NAME=FILE.npy; may be repeated")
      ->allow_extra_args(false);
  run->callback([options, &outcome] { outcome = runKernel(*options); });
}

} // namespace inlay::tools
