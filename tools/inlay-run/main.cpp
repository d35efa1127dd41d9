// inlay-run: runs an engine on NumPy arrays; the runtime and nothing of the compiler. Exit status:
// 0 done, 1 error of the user or the environment, 2 bad usage, 70 a bug of Inlay.
#include "tools/inlay-run/RunCommand.h"

#include "base/Error.h"

#include <inlay/inlay.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace {

/// Whether a device can be used; says why not on standard error.
int hasDevice(const std::string &device) {
  inlay_device_info_t info = {};
  info.struct_size = sizeof(info);
  inlay_status_t *status = inlay_device_describe(device.c_str(), &info);
  if (!status) {
    fmt::print("{}: {} ({})\n", device, info.name, info.target);
    return 0;
  }
  fmt::print(stderr, "inlay-run: {}\n", inlay_status_message(status));
  inlay_status_free(status);
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  using namespace inlay;
  if (argc == 3 && std::string_view(argv[1]) == "--has-device")
    return hasDevice(argv[2]);
  CLI::App app("Runs an engine that `inlay build` made, on NumPy arrays.", "inlay-run");
  app.set_version_flag("--version", std::string("inlay-run ") + inlay_version());
  app.footer("inlay-run --has-device DEVICE says whether a device can be used.");
  Status outcome;
  tools::addRunOptions(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (outcome.isOk())
    return 0;
  fmt::print(stderr, "inlay-run: error: {}\n", outcome.message());
  return outcome.code() == StatusCode::Internal ? 70 : 1;
}
