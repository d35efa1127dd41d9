#include "tests/conformance/RunRow.h"

#include "base/Error.h"
#include "compiler/driver/Context.h"
#include "compiler/driver/KernelEngine.h"
#include "compiler/driver/KernelTool.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"
#include "tests/conformance/Inputs.h"
#include "tests/reference/TileInterpreter.h"

#include <bit>
#include <chrono>
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
  for (const Argument &argument : arguments)
    request.signature.push_back(signatureEntry(argument));
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
  double value = 0;
  switch (tensor.dtype) {
  case DataType::Float64:
    value = std::bit_cast<double>(bits);
    break;
  case DataType::Float32:
    value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    break;
  case DataType::Float16:
    value = fromFloat16(static_cast<uint16_t>(bits));
    break;
  case DataType::BFloat16:
    value = fromBFloat16(static_cast<uint16_t>(bits));
    break;
  case DataType::Float8E4M3FN:
  case DataType::Float8E5M2:
    value = fromFloat8(static_cast<uint8_t>(bits), tensor.dtype);
    break;
  default: {
    unsigned shift = 64 - 8 * static_cast<unsigned>(size);
    return dataTypeKind(tensor.dtype) == DataTypeKind::Signed
               ? fmt::format("{}", static_cast<int64_t>(bits << shift) >> shift)
               : fmt::format("{}", bits);
  }
  }
  return fmt::format("{} ({:#x})", value, bits);
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

RowResult stopped(Outcome outcome, const Status &status) { return {outcome, status.message(), 0}; }

} // namespace

const char *outcomeName(Outcome outcome) {
  constexpr const char *names[] = {"passed", "import",   "reference", "compile",
                                   "run",    "mismatch", "crash",     "timeout"};
  return names[static_cast<size_t>(outcome)];
}

RowRunner::RowRunner(tools::KernelRunner runner, std::unique_ptr<Target> target)
    : runner_(std::move(runner)), target_(std::move(target)), context_(createContext()) {}
RowRunner::~RowRunner() = default;

Result<RowRunner> RowRunner::open(const std::string &device) {
  INLAY_ASSIGN(tools::KernelRunner runner, tools::KernelRunner::open(device));
  INLAY_ASSIGN(auto targets, createTargets(runner.info().target));
  return RowRunner(std::move(runner), std::move(targets.front()));
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
  const std::vector<KernelArgument> inputs = makeArguments(row, *arguments);
  std::vector<KernelArgument> expected = inputs, actual = inputs;
  if (Status status = interpret(**module, expected, row.grid); !status.isOk())
    return stopped(Outcome::Reference, status);
  auto bytes = compileKernelEngine(**module, *target_);
  if (!bytes.isOk())
    return stopped(Outcome::Compile, bytes.status());
  auto engine = EngineFile::fromBytes(std::move(*bytes));
  if (!engine.isOk())
    return stopped(Outcome::Compile, engine.status());
  if (Status status = runner_.run(*engine, actual, row.grid); !status.isOk())
    return stopped(Outcome::Run, status);
  keepTensors(*arguments, "in_", inputs, outTensors);
  keepTensors(*arguments, "out_", actual, outTensors);
  keepTensors(*arguments, "ref_", expected, outTensors);
  Status status = compare(row, *arguments, actual, expected);
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return {status.isOk() ? Outcome::Passed : Outcome::Mismatch, status.message(), elapsed.count()};
}

} // namespace inlay::conformance
