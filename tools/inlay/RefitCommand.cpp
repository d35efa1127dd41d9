// inlay refit: the engine with other weights.
#include "tools/inlay/Commands.h"

#include "base/Error.h"
#include "compiler/driver/ModelWeights.h"
#include "engine/Refit.h"
#include "tools/inlay/EngineOutput.h"
#include "tools/tensorio/Npy.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace inlay::tools {
namespace {

struct RefitOptions {
  std::string engine;
  std::string engineWeights;
  std::string weights;
  std::string output;
  bool isPartial = false;
  bool isQuiet = false;
};

Result<std::vector<ModelWeight>> readNpzWeights(const std::string &path, const EngineFile &engine) {
  // NumPy has no bfloat16 and writes it as raw bytes: the engine says what they are.
  const auto dtypeOf = [&](std::string_view name) -> std::optional<DataType> {
    const auto *table = engine.engine().weights();
    for (uint32_t i = 0; table && i < table->size(); ++i)
      if (table->Get(i)->name()->string_view() == name)
        return static_cast<DataType>(table->Get(i)->dtype());
    return std::nullopt;
  };
  INLAY_ASSIGN(NamedTensors members, readNpz(path, dtypeOf));
  std::vector<ModelWeight> weights;
  for (auto &[name, tensor] : members)
    weights.push_back({name, tensor.dtype, tensor.shape, std::move(tensor.data)});
  return weights;
}

Status refitWith(const RefitOptions &options, const EngineFile &engine,
                 std::span<const ModelWeight> given) {
  std::vector<NewWeight> weights;
  for (const ModelWeight &weight : given)
    weights.push_back({weight.name, weight.dtype, weight.shape, weight.bytes.bytes()});
  INLAY_ASSIGN(const EnginePieces made,
               refitEngine(engine, weights, !options.isPartial, weightsFileName(options.output)),
               fmt::format("refitting '{}' with '{}'", options.engine, options.weights));
  INLAY_TRY(writeEngine(options.output, made.engine, made.weights));
  if (!options.isQuiet)
    fmt::print("wrote {} with {} weights of {}\n", options.output, weights.size(), options.weights);
  return {};
}

Status refit(const RefitOptions &options) {
  INLAY_ASSIGN(const EngineFile engine, EngineFile::open(options.engine, options.engineWeights));
  if (options.weights.ends_with(".npz")) {
    INLAY_ASSIGN(const std::vector<ModelWeight> weights, readNpzWeights(options.weights, engine));
    return refitWith(options, engine, weights);
  }
  INLAY_ASSIGN(const std::unique_ptr<Model> model, Model::load(options.weights));
  INLAY_ASSIGN(const std::vector<ModelWeight> weights, weightsOf(*model));
  return refitWith(options, engine, weights);
}

} // namespace

void addRefitCommand(CLI::App &app, Status &outcome) {
  auto options = std::make_shared<RefitOptions>();
  CLI::App *command =
      app.add_subcommand("refit", "Give an engine other weights, without compiling it again");
  command->add_option("ENGINE", options->engine, "An engine built with --refittable")->required();
  command
      ->add_option("--weights", options->weights,
                   "The new weights: a .npz with their names, or a .pt2 of the same model")
      ->required();
  command->add_option("--engine-weights", options->engineWeights,
                      "The engine's own weights file, if it has one that is not beside it");
  command->add_flag("--partial", options->isPartial,
                    "Leave weights as they are that are not given");
  command->add_option("-o,--output", options->output, "The engine file to write")->required();
  command->add_flag("--quiet", options->isQuiet, "Print nothing but errors");
  command->callback([options, &outcome] { outcome = refit(*options); });
}

} // namespace inlay::tools
