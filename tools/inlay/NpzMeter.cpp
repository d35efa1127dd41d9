#include "tools/inlay/NpzMeter.h"

#include "base/Error.h"
#include "tools/inlay-run/EngineRun.h"

#include <limits>

namespace inlay::tools {
namespace {

/// The outputs of one run, by name.
Result<NamedTensors> outputsOf(std::span<const std::byte> bytes, const std::string &path,
                               const std::string &device) {
  NamedTensors outputs;
  INLAY_TRY(catchErrors([&]() -> Status {
    v1::ContextOptions options;
    options.device = device;
    EngineRun run(v1::Engine::fromMemory(bytes.data(), bytes.size()), options);
    INLAY_ASSIGN(TensorsByName inputs, readTensors(path, run.engine().inputs(), "in"));
    INLAY_TRY(run.bind(std::move(inputs)));
    run.context().run();
    INLAY_TRY(run.shrinkOutputs());
    size_t i = 0;
    for (const inlay_tensor_info_t &output : run.engine().outputs())
      outputs.emplace_back(output.name, run.outputs()[i++]);
    return {};
  }));
  return outputs;
}

/// Infinitely tolerant: what differs still is not finite in one of the two.
Result<OutputError> errorOf(const std::string &name, const NpyTensor &found,
                            const NpyTensor &expected) {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  INLAY_ASSIGN(const Comparison difference, compareTensors(found, expected, 0, kAny),
               "comparing output '" + name + "'");
  NpyTensor zeros = expected;
  std::fill(zeros.data.begin(), zeros.data.end(), std::byte{0});
  INLAY_ASSIGN(const Comparison size, compareTensors(expected, zeros, 0, kAny));
  return OutputError{name, difference.maxAbsoluteError, difference.maxRelativeError,
                     size.maxAbsoluteError, static_cast<uint64_t>(difference.numMismatches)};
}

} // namespace

Result<std::vector<OutputError>> NpzMeter::compare(std::span<const std::byte> reference,
                                                   std::span<const std::byte> engine) {
  INLAY_ASSIGN(const NamedTensors expected, outputsOf(reference, path_, device_),
               "running the float32 engine on " + device_);
  INLAY_ASSIGN(const NamedTensors found, outputsOf(engine, path_, device_),
               "running the engine in half precision on " + device_);
  std::vector<OutputError> errors;
  for (size_t i = 0; i < expected.size(); ++i) {
    INLAY_ASSIGN(errors.emplace_back(),
                 errorOf(expected[i].first, found[i].second, expected[i].second));
  }
  return errors;
}

} // namespace inlay::tools
