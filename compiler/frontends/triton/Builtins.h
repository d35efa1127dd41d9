// The functions of triton.language and the Python builtins that kernels may call: one entry each.
#pragma once

#include "compiler/frontends/triton/Emitter.h"

namespace inlay::triton {

/// A call's arguments bound to a builtin's parameters.
class BoundArguments {
public:
  const Value &operator[](size_t index) const { return values_[index]; }
  size_t size() const { return values_.size(); }
  /// Where argument `index` was written; the call if it was not.
  Span span(size_t index) const { return spans_[index]; }
  std::string_view name(size_t index) const { return names_[index]; }

  // Compile-time arguments; nullopt after an error that names the parameter.
  std::optional<int64_t> integer(Emitter &emitter, size_t index) const;
  std::optional<bool> boolean(Emitter &emitter, size_t index) const;
  std::optional<std::string> string(Emitter &emitter, size_t index) const;
  std::optional<Type> dtype(Emitter &emitter, size_t index) const;
  /// A tuple of integers, or a single one.
  std::optional<std::vector<int64_t>> integers(Emitter &emitter, size_t index) const;
  /// As `integers`, checked to be a block's shape.
  std::optional<std::vector<int64_t>> shape(Emitter &emitter, size_t index) const;
  /// The arguments in another order.
  BoundArguments reordered(std::initializer_list<size_t> order) const;
  /// The argument as a tensor; numbers become scalars.
  std::optional<Tensor> tensor(Emitter &emitter, size_t index) const;

private:
  friend std::optional<BoundArguments> bindBuiltin(Emitter &, std::string_view, std::string_view,
                                                   CallArguments &);
  std::vector<Value> values_;
  std::vector<Span> spans_;
  std::vector<std::string_view> names_;
};

using BuiltinHandler = Value (*)(Emitter &, const BoundArguments &);

/// `name` is that of triton.language, or "libdevice.x", "builtins.x", "math.x", … `parameters`
/// reads like Python's: "x, axis=None, *rest, keep_dims=False". A method may also be called as
/// x.name(…).
struct Builtin {
  std::string_view name;
  std::string_view parameters;
  BuiltinHandler handler;
  bool isMethod = false;
};

/// The entries of each group; see BuiltinTable.cpp.
std::span<const Builtin> shapeBuiltins();
std::span<const Builtin> memoryBuiltins();
std::span<const Builtin> mathBuiltins();
std::span<const Builtin> pythonBuiltins();
std::span<const Builtin> internalBuiltins();
std::span<const Builtin> reduceBuiltins();
std::span<const Builtin> dotBuiltins();
std::span<const Builtin> atomicBuiltins();
std::span<const Builtin> blockPointerBuiltins();
std::span<const Builtin> descriptorBuiltins();
std::span<const Builtin> rearrangeBuiltins();
std::span<const Builtin> asmBuiltins();
std::span<const Builtin> externBuiltins();

/// Finds a builtin by the full dotted name it was reached by ("triton.language.math.exp"); null if
/// there is none.
const Builtin *findBuiltin(std::string_view path);
/// Finds a tensor method by its name.
const Builtin *findMethod(std::string_view name);
/// "triton.language.core.load" -> "load", "triton.language.extra.cuda.libdevice.pow" ->
/// "libdevice.pow".
std::string canonicalName(std::string_view path);

Value callBuiltin(Emitter &emitter, const Builtin &builtin, CallArguments &arguments);

} // namespace inlay::triton
