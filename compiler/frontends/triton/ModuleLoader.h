// The modules that a kernel's file imports from other files of its package.
#pragma once

#include "compiler/frontends/triton/Module.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::triton {

/// Gives a file's text; nullopt if there is no such file.
using ModuleReader = std::function<std::optional<std::string>(const std::string &path)>;

/// Finds modules by their dotted names as Python would: below the root of the kernel's package (the
/// folder above its outermost __init__.py), beside the kernel's file, and below further roots.
/// Files are read when a name of theirs is first asked for, once, and belong to the loader. What is
/// imported from `triton` and `torch` is known to the compiler itself and never read.
class ModuleLoader {
public:
  /// `kernel` is the module of the kernel's file; it outlives the loader.
  ModuleLoader(ModuleReader read, Module &kernel, std::vector<std::string> includeRoots);

  /// The absolute name that an import in `module` means: in package a.b, ".c.d" is a.b.c.d. A name
  /// that leads above the package stays as it is.
  std::string absoluteName(const Module &module, std::string_view name) const;

  /// The longest part of a dotted name that is a module, and what is left of the name.
  struct Found {
    Module *module;
    std::string_view rest;
  };
  std::optional<Found> find(std::string_view name);

private:
  Module *load(const std::string &name);
  Module *read(const std::string &path, std::string package);

  ModuleReader read_;
  std::vector<std::string> roots_;
  std::vector<std::unique_ptr<Module>> owned_;
  std::map<std::string, Module *, std::less<>> byName_; // null: there is none
  std::map<std::string, Module *, std::less<>> byPath_;
  std::map<const Module *, std::string> packages_;
};

} // namespace inlay::triton
