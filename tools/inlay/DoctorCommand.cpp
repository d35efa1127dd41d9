#include "tools/inlay/Commands.h"

#include "compiler/targets/cuda/PtxAssembler.h"

#include <inlay/engine.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace inlay::tools {
namespace {

struct Line {
  std::string subject;
  std::string finding;
};

std::string takeMessage(inlay_status_t *status) {
  std::string message = inlay_status_message(status);
  inlay_status_free(status);
  return message;
}

inlay_device_info_t emptyInfo() {
  inlay_device_info_t info = {};
  info.struct_size = sizeof(info);
  return info;
}

std::string describe(const std::string &device) {
  inlay_device_info_t info = emptyInfo();
  if (inlay_status_t *status = inlay_device_describe(device.c_str(), &info))
    return "not usable: " + takeMessage(status);
  std::string text = fmt::format("{}; build for {}", info.name, info.target);
  if (info.memory_bytes > 0)
    text += fmt::format("; {:.1f} GiB", static_cast<double>(info.memory_bytes) / (1 << 30));
  if (info.driver_version > 0)
    text += fmt::format("; driver runs CUDA {}.{}", info.driver_version / 1000,
                        info.driver_version % 1000 / 10);
  return text;
}

std::vector<Line> examine() {
  std::vector<Line> lines;
  lines.push_back({"inlay", inlay_version()});
  lines.push_back({"cpu", describe("cpu")});
  uint32_t numGpus = 0;
  if (inlay_status_t *status = inlay_device_count("cuda", &numGpus))
    lines.push_back({"cuda", "no GPU can be used: " + takeMessage(status)});
  else if (numGpus == 0)
    lines.push_back({"cuda", "the driver is there and sees no GPU"});
  for (uint32_t i = 0; i < numGpus; ++i) {
    const std::string device = "cuda:" + std::to_string(i);
    lines.push_back({device, describe(device)});
  }
  Result<std::optional<std::string>> ptxas = findPtxas();
  if (!ptxas.isOk())
    lines.push_back({"ptxas", ptxas.status().message()});
  else
    lines.push_back({"ptxas", ptxas->value_or("not found: engines hold PTX, which the driver "
                                              "compiles when an engine is loaded, and no cubin")});
  return lines;
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20)
      result += c;
    else
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
  return result + "\"";
}

} // namespace

void addDoctorCommand(CLI::App &app, Status &) {
  auto wantsJson = std::make_shared<bool>(false);
  CLI::App *command = app.add_subcommand("doctor", "Say what this machine offers");
  command->add_flag("--json", *wantsJson, "Print JSON");
  command->callback([wantsJson] {
    const std::vector<Line> lines = examine();
    if (!*wantsJson) {
      for (const Line &line : lines)
        fmt::print("{:<8} {}\n", line.subject, line.finding);
      return;
    }
    std::string text;
    for (const Line &line : lines)
      text += fmt::format("{}  {}: {}", text.empty() ? "" : ",\n", quoted(line.subject),
                          quoted(line.finding));
    fmt::print("{{\n{}\n}}\n", text);
  });
}

} // namespace inlay::tools
