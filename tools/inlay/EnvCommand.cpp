#include "tools/inlay/Commands.h"

#include "base/Env.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace inlay::tools {

void addEnvCommand(CLI::App &app, Status &) {
  app.add_subcommand("env", "List the environment variables that Inlay reads")->callback([] {
    for (const EnvironmentVariableRow &row : environmentVariables()) {
      const std::string value = findEnvironment(row.variable).value_or("(not set)");
      fmt::print("{:<24} {}\n{:<24} {}\n", row.name, value, "", row.description);
    }
  });
}

} // namespace inlay::tools
