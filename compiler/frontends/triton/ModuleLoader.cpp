#include "compiler/frontends/triton/ModuleLoader.h"

#include <algorithm>
#include <filesystem>

namespace inlay::triton {

namespace {

namespace fs = std::filesystem;

/// A package that imports more is no kernel's.
constexpr size_t kMaxModules = 1000;
constexpr size_t kMaxFileBytes = size_t{8} << 20;

bool isKnownToCompiler(std::string_view name) {
  std::string_view first = name.substr(0, name.find('.'));
  return first == "triton" || first == "torch" || first == "builtins" ||
         first.starts_with("class ");
}

std::string parentOf(std::string_view dotted) {
  size_t dot = dotted.rfind('.');
  return std::string(dot == std::string_view::npos ? std::string_view() : dotted.substr(0, dot));
}

std::string joined(std::string_view package, std::string_view name) {
  return package.empty() || name.empty() ? std::string(package) + std::string(name)
                                         : std::string(package) + "." + std::string(name);
}

} // namespace

ModuleLoader::ModuleLoader(ModuleReader read, Module &kernel, std::vector<std::string> includeRoots)
    : read_(std::move(read)) {
  const fs::path path = kernel.file().path();
  fs::path folder = path.parent_path();
  const std::string beside = folder.string();
  std::string package;
  while (read_ && read_((folder / "__init__.py").string())) {
    if (!folder.has_filename() || folder.filename() == "." || folder.filename() == "..") {
      std::error_code error;
      const fs::path absolute =
          fs::absolute(folder.empty() ? fs::path(".") : folder, error).lexically_normal();
      if (error || !absolute.has_relative_path())
        break;
      folder = absolute.has_filename() ? absolute : absolute.parent_path();
    }
    package = joined(folder.filename().string(), package);
    folder = folder.parent_path();
  }
  for (std::string root : {folder.string(), beside})
    if (std::find(roots_.begin(), roots_.end(), root) == roots_.end())
      roots_.push_back(std::move(root));
  roots_.insert(roots_.end(), includeRoots.begin(), includeRoots.end());
  packages_[&kernel] = package;
  byPath_[path.lexically_normal().string()] = &kernel;
  if (path.stem() != "__init__")
    byName_[joined(package, path.stem().string())] = &kernel;
}

std::string ModuleLoader::absoluteName(const Module &module, std::string_view name) const {
  if (!name.starts_with("."))
    return std::string(name);
  auto found = packages_.find(&module);
  if (found == packages_.end() || found->second.empty())
    return std::string(name);
  std::string package = found->second;
  std::string_view rest = name.substr(1);
  for (; rest.starts_with("."); rest.remove_prefix(1)) {
    package = parentOf(package);
    if (package.empty())
      return std::string(name);
  }
  return joined(package, rest);
}

std::optional<ModuleLoader::Found> ModuleLoader::find(std::string_view name) {
  if (!read_ || name.empty() || name.starts_with(".") || isKnownToCompiler(name))
    return std::nullopt;
  for (size_t end = name.size();;) {
    if (Module *module = load(std::string(name.substr(0, end))))
      return Found{module, end == name.size() ? std::string_view() : name.substr(end + 1)};
    end = name.rfind('.', end - 1);
    if (end == std::string_view::npos || end == 0)
      return std::nullopt;
  }
}

Module *ModuleLoader::load(const std::string &name) {
  if (auto known = byName_.find(name); known != byName_.end())
    return known->second;
  std::string relative = name;
  std::replace(relative.begin(), relative.end(), '.', '/');
  Module *module = nullptr;
  for (const std::string &root : roots_) {
    module = read((fs::path(root) / relative / "__init__.py").string(), name);
    if (!module)
      module = read((fs::path(root) / (relative + ".py")).string(), parentOf(name));
    if (module)
      break;
  }
  return byName_[name] = module;
}

Module *ModuleLoader::read(const std::string &path, std::string package) {
  const std::string normal = fs::path(path).lexically_normal().string();
  if (auto known = byPath_.find(normal); known != byPath_.end())
    return known->second;
  if (owned_.size() >= kMaxModules)
    return nullptr;
  std::optional<std::string> text = read_(path);
  if (!text || text->size() > kMaxFileBytes)
    return nullptr;
  owned_.push_back(std::make_unique<Module>(normal, std::move(*text)));
  packages_[owned_.back().get()] = std::move(package);
  return byPath_[normal] = owned_.back().get();
}

} // namespace inlay::triton
