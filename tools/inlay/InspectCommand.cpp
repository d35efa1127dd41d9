#include "tools/inlay/Commands.h"

#include "engine/EngineFile.h"
#include "engine/EngineText.h"
#include "runtime/core/MemoryEstimate.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <vector>

namespace inlay::tools {
namespace {

struct InspectOptions {
  std::string path;
  std::string weights;
  bool wantsJson = false;
};

Status inspect(const InspectOptions &options) {
  INLAY_ASSIGN(EngineFile engine, EngineFile::open(options.path, options.weights));
  std::vector<int64_t> sizes;
  for (const fb::Symbol *symbol : *engine.engine().symbols())
    sizes.push_back(symbol->opt());
  const Result<MemoryEstimate> memory = estimateMemory(engine, sizes);
  if (!options.wantsJson) {
    fmt::print("{}", engineToText(engine));
    if (memory.isOk())
      fmt::print(
          "memory at the sizes it is tuned for: {} bytes: weights {}, state {}, intermediates "
          "{}, inputs {}, outputs {}\n",
          memory->total(), memory->weightBytes, memory->stateBytes, memory->intermediateBytes,
          memory->inputBytes, memory->outputBytes);
    return {};
  }
  auto json = nlohmann::ordered_json::parse(engineToJson(engine));
  if (memory.isOk())
    json["memory_bytes"] = {{"weights", memory->weightBytes},
                            {"state", memory->stateBytes},
                            {"intermediates", memory->intermediateBytes},
                            {"inputs", memory->inputBytes},
                            {"outputs", memory->outputBytes},
                            {"total", memory->total()}};
  fmt::print("{}\n", json.dump(2));
  return {};
}

} // namespace

void addInspectCommand(CLI::App &app, Status &outcome) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App *command = app.add_subcommand("inspect", "Print all that an engine holds");
  command->add_option("ENGINE", options->path, "The engine file")->required();
  command->add_option("--weights", options->weights,
                      "The engine's weights file, if it has one of its own that is not beside it");
  command->add_flag("--json", options->wantsJson, "Print JSON");
  command->callback([options, &outcome] { outcome = inspect(*options); });
}

} // namespace inlay::tools
