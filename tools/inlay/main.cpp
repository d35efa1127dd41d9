// inlay: build engines, look at them, run them. Exit status: 0 done, 1 error of the user or the
// environment, 2 bad usage, 70 a bug of Inlay, 130 and 143 ended by SIGINT and SIGTERM.
#include "tools/inlay-run/BenchCommand.h"
#include "tools/inlay-run/RunCommand.h"
#include "tools/inlay/Commands.h"
#include "tools/inlay/Interruption.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>

int main(int argc, char **argv) {
  using namespace inlay;
  CLI::App app("Compiles PyTorch models with custom kernels ahead of time into one engine file, "
               "and runs it without Python.",
               "inlay");
  app.set_version_flag("--version", "inlay " INLAY_VERSION);
  app.require_subcommand(1);
  app.footer("Start with: inlay build MODEL.pt2 --plugin FILE.toml --target cpu -o OUT.inlay\n"
             "Documentation: docs/tools.md");

  Status outcome;
  tools::addBuildCommand(app, outcome);
  tools::addRefitCommand(app, outcome);
  tools::addRunCommand(app, outcome);
  tools::addInspectCommand(app, outcome);
  tools::addBenchCommand(app, outcome);
  tools::addKernelCommand(app, outcome);
  tools::addDoctorCommand(app, outcome);
  tools::addEnvCommand(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  if (outcome.isOk())
    return 0;
  // Whatever went wrong then: a program that the command ran was told to end as well.
  if (const int signal = tools::interruptingSignal()) {
    fmt::print(stderr, "inlay: interrupted by {}; no engine was written\n",
               signal == SIGINT ? "SIGINT" : "SIGTERM");
    return 128 + signal;
  }
  fmt::print(stderr, "inlay: error: {}\n", outcome.message());
  return outcome.code() == StatusCode::Internal ? 70 : 1;
}
