// The functions of triton.language that are written in the language itself: stdlib/*.py.
#pragma once

#include "compiler/frontends/triton/Value.h"

#include <map>
#include <memory>
#include <optional>
#include <string_view>

namespace inlay::triton {

/// Finds functions of stdlib/. A file is read when a name of it is first asked for, and belongs to
/// the library. A function is decorated with @jit, and also with @method if tensors have it as a
/// method.
class StandardLibrary {
public:
  /// Finds by the language's name: "sum", "libdevice.lgamma", "extra.cuda.smid"; names that begin
  /// with "_" are the library's own, but some of them ("standard._sum_combine") are in use.
  std::optional<FunctionReference> find(std::string_view name);
  /// Finds by the full dotted name a function was reached by: "triton.language.standard.sum".
  std::optional<FunctionReference> findPath(std::string_view path);
  std::optional<FunctionReference> findMethod(std::string_view name);
  /// True if the module is a file of the library.
  bool owns(const Module &module) const;

private:
  Module &load(size_t index);

  std::map<size_t, std::unique_ptr<Module>> modules_;
};

} // namespace inlay::triton
