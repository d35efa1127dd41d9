#include "tools/inlay/Commands.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/KernelTool.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "tools/inlay/KernelCommands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace inlay::tools {
namespace {

struct KernelOptions {
  std::string kernel; // FILE.py:FUNCTION
  KernelToolRequest request;
  std::string outputPath;
};

Status compileKernel(KernelOptions &options) {
  INLAY_TRY(splitKernelName(options.kernel, options.request));
  INLAY_ASSIGN(std::string bytes, compileKernelFile(options.request));
  if (options.outputPath == "-") {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return {};
  }
  INLAY_TRY(writeFileAtomically(options.outputPath, bytes));
  fmt::print(stderr, "wrote {} ({} bytes)\n", options.outputPath, bytes.size());
  return {};
}

Status listKernelsOf(const std::string &path) {
  INLAY_ASSIGN(std::string source, readFile(path));
  INLAY_ASSIGN(auto kernels, triton::listKernels(path, source));
  for (const triton::KernelDeclaration &kernel : kernels) {
    std::string parameters;
    for (const triton::KernelParameterDeclaration &parameter : kernel.parameters)
      parameters += fmt::format("{}{}{}", parameters.empty() ? "" : ", ", parameter.name,
                                parameter.isConstexpr ? ": constexpr" : "");
    fmt::print("{}:{}: {}({})\n", path, kernel.line, kernel.name, parameters);
    INLAY_ASSIGN(auto tuning, describeTuning(path, kernel.name, {}));
    for (const std::string &line : tuning)
      fmt::print("  {}\n", line);
  }
  if (kernels.empty())
    return notFound("'{}' holds no function decorated with @triton.jit", path);
  return {};
}

} // namespace

Status splitKernelName(const std::string &name, KernelToolRequest &request) {
  size_t colon = name.rfind(':');
  if (colon != std::string::npos && colon + 1 < name.size() &&
      name.find('/', colon) == std::string::npos) {
    request.path = name.substr(0, colon);
    request.function = name.substr(colon + 1);
    return {};
  }
  if (!name.ends_with(".mlir"))
    return invalidArgument("kernel '{}' names no function; expected FILE.py:FUNCTION (inlay kernel "
                           "list FILE.py shows them)",
                           name);
  request.path = name;
  return {};
}

void addKernelCommand(CLI::App &app, Status &outcome) {
  CLI::App *kernel =
      app.add_subcommand("kernel", "Work with single kernels in the Triton language");
  kernel->require_subcommand(1);

  auto options = std::make_shared<KernelOptions>();
  CLI::App *compile = kernel->add_subcommand("compile", "Compile one kernel for one target");
  compile->add_option("KERNEL", options->kernel, "FILE.py:FUNCTION, or a tile module FILE.mlir")
      ->required();
  compile->add_option(
      "--signature", options->request.signature,
      "Types of the parameters that are no constexprs, in order: '*fp32:16,i32,*fp32'");
  compile
      ->add_option("--constexpr", options->request.constexprs,
                   "A compile-time argument, NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  compile->add_option("--config", options->request.config,
                      "A configuration of the kernel's autotuner: its index, or NAME=VALUE,…");
  compile
      ->add_option("--include", options->request.includeRoots,
                   "A folder with modules that the kernel's file imports; may be repeated")
      ->allow_extra_args(false);
  compile->add_flag("--debug", options->request.isDebug,
                    "Keep device_assert and assertions about run-time values");
  compile->add_option("--num-warps", options->request.numWarps, "Warps of one program on a GPU")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  compile
      ->add_option("--num-stages", options->request.numStages,
                   "Iterations of a loop in flight on a GPU")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  compile->add_option("--target", options->request.target, "cuda:sm_90a, cpu:x86-64-v3, …")
      ->required();
  options->request.emit = "json";
  compile
      ->add_option("--emit", options->request.emit,
                   "Which stage to write: tile, llvm, ll, ptx, cubin, s, so or json")
      ->check(CLI::IsMember({"tile", "llvm", "ll", "ptx", "cubin", "s", "so", "json"}))
      ->capture_default_str();
  compile->add_option("-o,--output", options->outputPath, "Where to write it; - is standard output")
      ->required();
  compile->callback([options, &outcome] { outcome = compileKernel(*options); });

  addKernelRunCommand(*kernel, outcome);
  addKernelCheckCommand(*kernel, outcome);

  auto path = std::make_shared<std::string>();
  CLI::App *list = kernel->add_subcommand("list", "List the kernels of a Python file");
  list->add_option("FILE", *path, "The Python file")->required();
  list->callback([path, &outcome] { outcome = listKernelsOf(*path); });
}

} // namespace inlay::tools
