// What the builtins that reach memory have in common: options, pointers, masks.
#pragma once

#include "compiler/frontends/triton/Builtins.h"

namespace inlay::triton {

/// Finds a choice by its text; an error lists the choices.
template <typename Enum, size_t count>
std::optional<Enum> choose(Emitter &emitter, const BoundArguments &arguments, size_t index,
                           const std::pair<std::string_view, Enum> (&choices)[count]) {
  std::optional<std::string> text = arguments.string(emitter, index);
  if (!text)
    return std::nullopt;
  std::string known;
  for (const auto &[name, value] : choices) {
    if (name == *text)
      return value;
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", name);
  }
  emitter.errorAt(arguments.span(index),
                  fmt::format("'{}' is one of {}, not '{}'", arguments.name(index), known, *text));
  return std::nullopt;
}

/// Argument 0 as a pointer or a block of pointers; nullopt after an error.
std::optional<Tensor> pointerOf(Emitter &emitter, const BoundArguments &arguments);
/// A mask or value that goes with a pointer: a scalar pointer takes scalars only.
std::optional<Tensor> besidePointer(Emitter &emitter, const BoundArguments &arguments, size_t index,
                                    const Tensor &pointer);
/// As besidePointer, checked to be int1.
std::optional<Tensor> maskOf(Emitter &emitter, const BoundArguments &arguments, size_t index,
                             const Tensor &pointer);
/// int1 lives in memory as a byte.
Type memoryElement(const Type &pointer);
/// False after an error if nothing may be stored through the pointer.
bool checkWritable(Emitter &emitter, const BoundArguments &arguments, const Type &pointer);

/// A number or tensor as elements of `to`; a number is converted without a detour over its type.
Value convertTo(Semantics &semantics, const Value &value, const Type &to);

/// Scalars from an argument that is a tuple of integers (tensors or numbers) converted to `scalar`;
/// nullopt after an error.
std::optional<std::vector<Tensor>> integerScalars(Emitter &emitter, const BoundArguments &arguments,
                                                  size_t index, Scalar scalar);

/// The elements of a block inside a tensor in memory: where they are, and which of them exist.
struct BlockAddresses {
  Tensor pointers;
  std::optional<Tensor> mask; // none if no dimension is checked
};
/// `offsets` are int32, of one scalar per dimension of the record's block; `checked` are the
/// dimensions in which the block may reach outside.
BlockAddresses addressBlock(Semantics &semantics, const RecordValue &record,
                            const std::vector<Tensor> &offsets,
                            const std::vector<int64_t> &checked);

llvm::SmallVector<mlir::Value> handlesOf(const std::vector<Tensor> &tensors);

/// The atomic operations of the language.
enum class Atomic : uint8_t { Add, Max, Min, And, Or, Xor, Exchange };
/// Emits one; `value` and `mask` have the pointer's shape, `value` its element type. Returns the
/// old value; poison after an error about the type.
Value emitAtomic(Semantics &semantics, Atomic kind, const Tensor &pointer, const Tensor &value,
                 const std::optional<Tensor> &mask,
                 tile::MemoryOrder order = tile::MemoryOrder::AcquireRelease,
                 tile::MemoryScope scope = tile::MemoryScope::Gpu);

} // namespace inlay::triton
