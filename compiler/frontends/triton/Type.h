// Types of the Triton language as the front end sees them: with signedness, which the IR does not
// have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::triton {

enum class Scalar : uint8_t {
#define INLAY_TRITON_SCALAR(name, languageName, signatureName, bits, kind) name,
#include "compiler/frontends/triton/Scalar.def"
#undef INLAY_TRITON_SCALAR
};

enum class ScalarKind : uint8_t { Bool, Signed, Unsigned, Float };

ScalarKind kindOf(Scalar scalar);
unsigned bitWidthOf(Scalar scalar);
/// "fp32", "i32", "bf16": the names of signatures and messages.
std::string_view nameOf(Scalar scalar);
/// "float32", "int32": the names in `tl.`.
std::string_view languageNameOf(Scalar scalar);
/// Finds by either name ("u1" is int1).
std::optional<Scalar> findScalar(std::string_view name);

inline bool isFloat(Scalar scalar) { return kindOf(scalar) == ScalarKind::Float; }
/// Bits of a float's mantissa as Triton counts them: those that are stored.
unsigned mantissaWidthOf(Scalar scalar);
/// True for int1 too, as in the language.
inline bool isInteger(Scalar scalar) { return !isFloat(scalar); }
inline bool isSigned(Scalar scalar) { return kindOf(scalar) == ScalarKind::Signed; }
inline bool isFloat8(Scalar scalar) { return isFloat(scalar) && bitWidthOf(scalar) == 8; }

/// A scalar, a pointer to scalars, or a block (tile) of either. An empty shape is a scalar.
struct Type {
  Scalar scalar = Scalar::Int32; // of a pointer: what it points to
  bool isPointer = false;
  bool isConst = false; // a pointer that must not be stored to
  std::vector<int64_t> shape;

  bool isBlock() const { return !shape.empty(); }
  bool isInteger() const { return !isPointer && triton::isInteger(scalar); }
  bool isFloat() const { return !isPointer && triton::isFloat(scalar); }
  bool isBool() const { return !isPointer && scalar == Scalar::Int1; }
  Type element() const { return {scalar, isPointer, isConst, {}}; }
  Type pointee() const { return {scalar, false, false, shape}; }
  Type withShape(std::vector<int64_t> other) const {
    return {scalar, isPointer, isConst, std::move(other)};
  }
  Type withScalar(Scalar other) const { return {other, false, false, shape}; }
  bool operator==(const Type &) const = default;
};

/// "fp32", "*fp32", "fp32[64, 128]".
std::string toString(const Type &type);

inline constexpr int64_t kMaxBlockElements = 1 << 20;

int64_t numElements(const std::vector<int64_t> &shape);

/// Why a block cannot have this shape; empty if it can.
std::string checkBlockShape(const std::vector<int64_t> &shape);

/// What the two sides of a binary operation are converted to. `isNumber`: the side is a Python
/// number rather than a tensor; then `scalar` is the type the number would have by itself.
struct PromotionSide {
  Scalar scalar;
  bool isNumber = false;
};
struct Promotion {
  std::optional<Scalar> type; // empty: error says why
  std::string error;
};
Promotion promote(PromotionSide a, PromotionSide b, bool isDivisionOrRemainder);

/// C's usual conversions of two integer types.
Scalar promoteIntegers(Scalar a, Scalar b);

} // namespace inlay::triton
