#include "compiler/frontends/triton/Builtins.h"

#include <algorithm>

namespace inlay::triton {

/// One file of stdlib/: defined in a generated file, see CMakeLists.txt.
struct StandardLibraryFile {
  std::string_view name; // "reductions"
  std::string_view text;
};
extern const StandardLibraryFile kStandardLibraryFiles[];
extern const size_t kNumStandardLibraryFiles;

namespace {

/// The functions of a file are called PREFIX.NAME; those of the other files are names of tl itself.
constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
    {"bessel", "libdevice."},
    {"cuda", "extra.cuda."},
    {"libdevice", "libdevice."},
    {"rounding", "libdevice."},
};

std::string_view prefixOf(std::string_view file) {
  for (const auto &[name, prefix] : kPrefixes)
    if (name == file)
      return prefix;
  return "";
}

/// Looks for the definition in the text, so that files without it need not be read.
bool defines(std::string_view text, std::string_view name) {
  return text.find("\ndef " + std::string(name) + "(") != std::string_view::npos;
}

} // namespace

Module &StandardLibrary::load(size_t index) {
  std::unique_ptr<Module> &module = modules_[index];
  if (!module) {
    const StandardLibraryFile &file = kStandardLibraryFiles[index];
    module = std::make_unique<Module>("stdlib/" + std::string(file.name) + ".py",
                                      std::string(file.text));
  }
  return *module;
}

std::optional<FunctionReference> StandardLibrary::find(std::string_view name) {
  for (size_t i = 0; i < kNumStandardLibraryFiles; ++i) {
    const StandardLibraryFile &file = kStandardLibraryFiles[i];
    std::string_view prefix = prefixOf(file.name);
    if (!name.starts_with(prefix) || !defines(file.text, name.substr(prefix.size())))
      continue;
    Module &module = load(i);
    for (const ModuleItem &item : module.items())
      if (item.kind == ModuleItem::Kind::Function && item.name == name.substr(prefix.size()))
        return FunctionReference{&module, &item};
  }
  return std::nullopt;
}

std::optional<FunctionReference> StandardLibrary::findPath(std::string_view path) {
  std::string name = canonicalName(path);
  if (auto function = find(name))
    return function;
  // As with builtins, tl.math has libdevice's functions and libdevice those of tl.math.
  if (name.starts_with("libdevice."))
    return find(std::string_view(name).substr(10));
  return path.starts_with("triton.language.") ? find("libdevice." + name) : std::nullopt;
}

std::optional<FunctionReference> StandardLibrary::findMethod(std::string_view name) {
  std::optional<FunctionReference> function = find(name);
  if (!function)
    return function;
  const std::vector<std::string> &decorators = function->item->decorators;
  bool isMethod = std::find(decorators.begin(), decorators.end(), "method") != decorators.end();
  return isMethod ? function : std::nullopt;
}

bool StandardLibrary::owns(const Module &module) const {
  return std::any_of(modules_.begin(), modules_.end(),
                     [&](const auto &entry) { return entry.second.get() == &module; });
}

} // namespace inlay::triton
