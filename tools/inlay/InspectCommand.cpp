#include "tools/inlay/Commands.h"

#include "engine/EngineFile.h"
#include "engine/EngineText.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace inlay::tools {
namespace {

struct InspectOptions {
  std::string path;
  std::string weights;
  bool wantsJson = false;
};

Status inspect(const InspectOptions &options) {
  INLAY_ASSIGN(EngineFile engine, EngineFile::open(options.path, options.weights));
  fmt::print("{}", options.wantsJson ? engineToJson(engine) : engineToText(engine));
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
