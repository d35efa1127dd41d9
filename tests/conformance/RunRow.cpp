#include "tests/conformance/RunRow.h"

#include "base/Error.h"
#include "compiler/driver/Context.h"
#include "compiler/driver/KernelEngine.h"
#include "compiler/driver/KernelTool.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"
#include "compiler/targets/cuda/PtxAssembler.h"
#include "tests/conformance/Inputs.h"
#include "tests/reference/TileInterpreter.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <sstream>

namespace inlay::conformance {
namespace {

using tools::KernelArgument;

Result<mlir::OwningOpRef<mlir::ModuleOp>> importRow(mlir::MLIRContext &context, const Row &row,
                                                    const std::vector<Argument> &arguments) {
  triton::KernelRequest request;
  request.path = "kernel.py";
  request.source = row.source;
  request.function = row.function;
  request.signature = signatureOf(arguments);
  std::istringstream stream(row.constexprs);
  std::vector<std::string> entries;
  for (std::string entry; stream >> entry;)
    entries.push_back(entry);
  INLAY_ASSIGN(request.constexprs, parseConstexprs(entries));
  request.numWarps = row.numWarps;
  return triton::importKernel(context, request);
}

Status interpret(mlir::ModuleOp module, std::vector<KernelArgument> &arguments,
                 std::array<uint32_t, 3> grid) {
  std::vector<uint64_t> values;
  std::vector<MemoryRange> memory;
  for (KernelArgument &argument : arguments) {
    if (const auto *scalar = std::get_if<uint64_t>(&argument)) {
      values.push_back(*scalar);
      continue;
    }
    const NpyTensor &tensor = std::get<NpyTensor>(argument);
    values.push_back(reinterpret_cast<uint64_t>(tensor.data.data()));
    memory.push_back({tensor.data.data(), tensor.data.size()});
  }
  std::vector<const void *> addresses;
  for (const uint64_t &value : values)
    addresses.push_back(&value);
  return interpretTileKernel(module, addresses, grid, memory);
}

std::string elementText(const NpyTensor &tensor, int64_t index) {
  size_t size = static_cast<size_t>(dataTypeSizeBytes(tensor.dtype));
  uint64_t bits = 0;
  std::memcpy(&bits, tensor.data.data() + static_cast<size_t>(index) * size, size);
  return fmt::format("{} ({:#x})", elementValue(tensor, static_cast<size_t>(index)), bits);
}

/// Compares the interpreter's results with the row's plain reference.
Status comparePlain(const Row &row, const std::vector<Argument> &arguments,
                    const std::vector<KernelArgument> &inputs,
                    const std::vector<KernelArgument> &results) {
  PlainValues values;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::vector<double> &elements = values[arguments[i].name];
    if (const auto *tensor = std::get_if<NpyTensor>(&inputs[i]))
      for (size_t at = 0; at < tensor->data.size() / dataTypeSizeBytes(tensor->dtype); ++at)
        elements.push_back(elementValue(*tensor, at));
    else
      elements.push_back(arguments[i].value);
  }
  row.reference(values);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto *tensor = std::get_if<NpyTensor>(&results[i]);
    for (size_t at = 0; tensor && at < values[arguments[i].name].size(); ++at) {
      double expected = values[arguments[i].name][at], actual = elementValue(*tensor, at);
      bool isEqual = std::isnan(expected) ? std::isnan(actual) : expected == actual;
      double allowed = row.atol + std::max(row.rtol, 1e-6) * std::fabs(expected);
      if (!isEqual && !(std::fabs(actual - expected) <= allowed) &&
          std::isfinite(static_cast<float>(expected)))
        return outOfRange("'{}' of the interpreter is {} at {}; plainly computed it is {}",
                          arguments[i].name, actual, at, expected);
    }
  }
  return {};
}

/// Compares every tensor, also those that the kernel should only have read.
Status compare(const Row &row, const std::vector<Argument> &arguments,
               const std::vector<KernelArgument> &actual,
               const std::vector<KernelArgument> &expected) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].isTensor)
      continue;
    const NpyTensor &got = std::get<NpyTensor>(actual[i]), &want = std::get<NpyTensor>(expected[i]);
    INLAY_ASSIGN(const Comparison result, compareTensors(got, want, row.rtol, row.atol));
    if (result.numMismatches != 0)
      return outOfRange("'{}' differs in {} elements, the first at {}: {}, expected {}; largest "
                        "error {:.3g} absolute, {:.3g} relative",
                        arguments[i].name, result.numMismatches, result.firstMismatch,
                        elementText(got, result.firstMismatch),
                        elementText(want, result.firstMismatch), result.maxAbsoluteError,
                        result.maxRelativeError);
  }
  return {};
}

void keepTensors(const std::vector<Argument> &arguments, const char *prefix,
                 const std::vector<KernelArgument> &values, RowTensors *outTensors) {
  for (size_t i = 0; outTensors && i < arguments.size(); ++i)
    if (const auto *tensor = std::get_if<NpyTensor>(&values[i]))
      outTensors->emplace_back(prefix + arguments[i].name, *tensor);
}

/// The ptxas that must assemble what is compiled for this target; nullopt if there is none.
std::optional<std::string> assembler(const Target &target) {
  if (!target.name().starts_with("cuda:"))
    return std::nullopt;
  auto ptxas = findPtxas();
  return ptxas.isOk() ? *ptxas : std::nullopt;
}

/// Compiles without running.
Status compileOnly(mlir::ModuleOp module, const Target &target) {
  INLAY_ASSIGN(auto bytes, compileKernelEngine(module, target));
  INLAY_ASSIGN(const EngineFile engine, EngineFile::fromBytes(std::move(bytes)));
  const std::optional<std::string> ptxas = assembler(target);
  if (!ptxas)
    return {};
  for (const fb::Image *image : *engine.engine().kernels()->Get(0)->images())
    if (image->format() == fb::ImageFormat::Cubin)
      return {};
  return notFound("{} did not assemble the PTX: it is older than {}", *ptxas, target.name());
}

RowResult stopped(Outcome outcome, const Status &status) { return {outcome, status.message(), 0}; }

} // namespace

const char *outcomeName(Outcome outcome) {
  constexpr const char *names[] = {"passed", "import",   "reference", "compile",
                                   "run",    "mismatch", "crash",     "timeout"};
  return names[static_cast<size_t>(outcome)];
}

RowRunner::RowRunner(std::optional<tools::KernelRunner> runner, std::unique_ptr<Target> target)
    : runner_(std::move(runner)), target_(std::move(target)), context_(createContext()) {}
RowRunner::~RowRunner() = default;

Result<RowRunner> RowRunner::open(const std::string &device) {
  if (device.starts_with(kCompileOnly)) {
    INLAY_ASSIGN(auto targets, createTargets(device.substr(kCompileOnly.size())));
    return RowRunner(std::nullopt, std::move(targets.front()));
  }
  INLAY_ASSIGN(tools::KernelRunner runner, tools::KernelRunner::open(device));
  INLAY_ASSIGN(auto targets, createTargets(runner.info().target));
  return RowRunner(std::move(runner), std::move(targets.front()));
}

std::string RowRunner::describe() const {
  if (runner_)
    return runner_->info().name + ", " + target_->name();
  const std::optional<std::string> ptxas = assembler(*target_);
  return ptxas ? "compiled and assembled by " + *ptxas : "compiled only: nothing to assemble with";
}

RowResult RowRunner::run(const Row &row, RowTensors *outTensors) {
  auto start = std::chrono::steady_clock::now();
  auto arguments = parseArgumentList(row.arguments);
  if (!arguments.isOk())
    return stopped(Outcome::Import, arguments.status());
  auto module = importRow(*context_, row, *arguments);
  if (!row.error.empty()) {
    if (module.isOk())
      return {Outcome::Import, "the front end takes a kernel that it should refuse: " + row.error};
    if (module.status().message().find(row.error) == std::string::npos)
      return {Outcome::Import, "expected '" + row.error + "' in: " + module.status().message()};
    return {};
  }
  if (!module.isOk())
    return stopped(Outcome::Import, module.status());
  if (!runner_) {
    const Status status = compileOnly(**module, *target_);
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    return {status.isOk() ? Outcome::Passed : Outcome::Compile, status.message(), elapsed.count()};
  }
  const std::vector<KernelArgument> inputs = makeArguments(row, *arguments);
  std::vector<KernelArgument> expected = inputs, actual = inputs;
  if (Status status = interpret(**module, expected, row.grid); !status.isOk())
    return stopped(Outcome::Reference, status);
  if (row.reference)
    if (Status status = comparePlain(row, *arguments, inputs, expected); !status.isOk())
      return stopped(Outcome::Reference, status);
  auto bytes = compileKernelEngine(**module, *target_);
  if (!bytes.isOk())
    return stopped(Outcome::Compile, bytes.status());
  auto engine = EngineFile::fromBytes(std::move(*bytes));
  if (!engine.isOk())
    return stopped(Outcome::Compile, engine.status());
  if (Status status = runner_->run(*engine, actual, row.grid); !status.isOk())
    return stopped(Outcome::Run, status);
  keepTensors(*arguments, "in_", inputs, outTensors);
  keepTensors(*arguments, "out_", actual, outTensors);
  keepTensors(*arguments, "ref_", expected, outTensors);
  Status status = compare(row, *arguments, actual, expected);
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return {status.isOk() ? Outcome::Passed : Outcome::Mismatch, status.message(), elapsed.count()};
}

} // namespace inlay::conformance
