#include "compiler/frontends/pt2/NodeText.h"

#include "base/Error.h"

#include <charconv>
#include <filesystem>

namespace inlay::pt2 {

std::string opNameOf(std::string_view target) {
  constexpr std::string_view kPrefix = "torch.ops.", kDefault = ".default";
  if (!target.starts_with(kPrefix))
    return "";
  target.remove_prefix(kPrefix.size());
  const size_t dot = target.find('.');
  if (dot == target.npos || dot + 1 == target.size())
    return "";
  std::string_view name = target.substr(dot + 1);
  if (name.ends_with(kDefault))
    name.remove_suffix(kDefault.size());
  return std::string(target.substr(0, dot)) + "::" + std::string(name);
}

std::pair<std::string, unsigned> sourceOf(std::string_view stackTrace) {
  constexpr std::string_view kFile = "File \"", kLine = "\", line ";
  const size_t at = stackTrace.rfind(kFile);
  if (at == stackTrace.npos)
    return {"", 0};
  stackTrace.remove_prefix(at + kFile.size());
  const size_t end = stackTrace.find(kLine);
  const std::string file(stackTrace.substr(0, end));
  unsigned line = 0;
  if (end != stackTrace.npos) {
    stackTrace.remove_prefix(end + kLine.size());
    std::from_chars(stackTrace.data(), stackTrace.data() + stackTrace.size(), line);
  }
  return {std::filesystem::path(file).filename().string(), line};
}

std::string describe(const Node &node) {
  const auto [file, line] = sourceOf(node.stackTrace);
  const std::string opName = opNameOf(node.target);
  const std::string text =
      fmt::format("{} (node {}", opName.empty() ? node.target : opName, node.name);
  return text + (file.empty() ? ")" : fmt::format(", {}:{})", file, line));
}

} // namespace inlay::pt2
