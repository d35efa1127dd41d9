#include "compiler/frontends/triton/Type.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace inlay::triton {

namespace {

struct ScalarFacts {
  std::string_view languageName;
  std::string_view signatureName;
  unsigned bits;
  ScalarKind kind;
};

constexpr std::array kScalars = {
#define INLAY_TRITON_SCALAR(name, languageName, signatureName, bits, kind)                         \
  ScalarFacts{languageName, signatureName, bits, ScalarKind::kind},
#include "compiler/frontends/triton/Scalar.def"
#undef INLAY_TRITON_SCALAR
};

const ScalarFacts &factsOf(Scalar scalar) { return kScalars[static_cast<size_t>(scalar)]; }

/// BOOLEAN < INTEGRAL < FLOATING.
int rankOfKind(Scalar scalar) {
  ScalarKind kind = kindOf(scalar);
  return kind == ScalarKind::Bool ? 0 : kind == ScalarKind::Float ? 2 : 1;
}

} // namespace

ScalarKind kindOf(Scalar scalar) { return factsOf(scalar).kind; }
unsigned bitWidthOf(Scalar scalar) { return factsOf(scalar).bits; }
std::string_view nameOf(Scalar scalar) { return factsOf(scalar).signatureName; }
std::string_view languageNameOf(Scalar scalar) { return factsOf(scalar).languageName; }

unsigned mantissaWidthOf(Scalar scalar) {
  switch (scalar) {
  case Scalar::Float8E5:
    return 2;
  case Scalar::Float8E4NV:
  case Scalar::Float8E4B15:
    return 3;
  case Scalar::Float16:
    return 10;
  case Scalar::BFloat16:
    return 7;
  case Scalar::Float32:
    return 23;
  case Scalar::Float64:
    return 52;
  default:
    return 0;
  }
}

std::optional<Scalar> findScalar(std::string_view name) {
  if (name == "u1")
    return Scalar::Int1;
  for (size_t i = 0; i < kScalars.size(); ++i)
    if (name == kScalars[i].languageName || name == kScalars[i].signatureName)
      return static_cast<Scalar>(i);
  return std::nullopt;
}

std::string toString(const Type &type) {
  std::string text =
      fmt::format("{}{}", type.isPointer ? type.isConst ? "*k" : "*" : "", nameOf(type.scalar));
  if (type.isBlock())
    text += fmt::format("[{}]", fmt::join(type.shape, ", "));
  return text;
}

int64_t numElements(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::string checkBlockShape(const std::vector<int64_t> &shape) {
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size <= 0 || (size & (size - 1)) != 0)
      return fmt::format("every dimension of a block must be a power of two, not {} (shape [{}])",
                         size, fmt::join(shape, ", "));
    if (size > kMaxBlockElements || elements * size > kMaxBlockElements)
      return fmt::format("a block of shape [{}] has more than the allowed {} elements",
                         fmt::join(shape, ", "), kMaxBlockElements);
    elements *= size;
  }
  return {};
}

Scalar promoteIntegers(Scalar a, Scalar b) {
  if (isSigned(a) == isSigned(b))
    return bitWidthOf(a) > bitWidthOf(b) ? a : b;
  Scalar unsignedSide = isSigned(a) ? b : a, signedSide = isSigned(a) ? a : b;
  return bitWidthOf(unsignedSide) >= bitWidthOf(signedSide) ? unsignedSide : signedSide;
}

Promotion promote(PromotionSide a, PromotionSide b, bool isDivisionOrRemainder) {
  // A Python number does not take part unless it is of a higher kind.
  if (a.isNumber != b.isNumber) {
    Scalar number = a.isNumber ? a.scalar : b.scalar, tensor = a.isNumber ? b.scalar : a.scalar;
    if (rankOfKind(number) <= rankOfKind(tensor)) {
      bool isHalf = tensor == Scalar::Float16 || tensor == Scalar::BFloat16;
      return {isDivisionOrRemainder && isHalf ? Scalar::Float32 : tensor, {}};
    }
  }
  auto either = [&](Scalar scalar) { return a.scalar == scalar || b.scalar == scalar; };
  if (either(Scalar::Float64))
    return {Scalar::Float64, {}};
  if (either(Scalar::Float32))
    return {Scalar::Float32, {}};
  if (either(Scalar::Float16))
    return {isDivisionOrRemainder ? Scalar::Float32 : Scalar::Float16, {}};
  if (either(Scalar::BFloat16))
    return {a.scalar == b.scalar && !isDivisionOrRemainder ? Scalar::BFloat16 : Scalar::Float32,
            {}};
  if (isFloat8(a.scalar) && isFloat8(b.scalar))
    return {a.scalar == b.scalar ? a.scalar : Scalar::Float16, {}};
  if (isFloat(a.scalar) || isFloat(b.scalar))
    return {std::nullopt, fmt::format("{} and {} have no common type; cast one of them",
                                      nameOf(a.scalar), nameOf(b.scalar))};
  if (isDivisionOrRemainder && isSigned(a.scalar) != isSigned(b.scalar))
    return {std::nullopt,
            fmt::format(
                "{} and {} differ in signedness, so a quotient or remainder is not what anybody "
                "wants; cast them to the same signedness",
                nameOf(a.scalar), nameOf(b.scalar))};
  return {promoteIntegers(a.scalar, b.scalar), {}};
}

} // namespace inlay::triton
