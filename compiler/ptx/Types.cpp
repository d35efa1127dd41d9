// Names of types and modifiers.
#include "compiler/ptx/Program.h"

#include <fmt/format.h>

namespace inlay::ptx {

namespace {

struct NamedType {
  std::string_view name;
  Type type;
};
constexpr NamedType kTypes[] = {
#define INLAY_PTX_TYPE(name, kind, bits, lanes) {#name, {Kind::kind, bits, lanes}},
#include "compiler/ptx/Types.def"
#undef INLAY_PTX_TYPE
};

constexpr std::string_view kModifiers[] = {
#define INLAY_PTX_MODIFIER(name, text) text,
#include "compiler/ptx/Modifiers.def"
#undef INLAY_PTX_MODIFIER
};

} // namespace

std::optional<Type> findType(std::string_view name) {
  for (const NamedType &known : kTypes)
    if (known.name == name)
      return known.type;
  return std::nullopt;
}

std::string typeText(Type type) {
  for (const NamedType &known : kTypes)
    if (known.type == type)
      return fmt::format(".{}", known.name);
  return fmt::format("{} lanes of {} bits", type.lanes, type.bits);
}

std::optional<Modifier> findModifier(std::string_view text) {
  for (size_t i = 0; i < std::size(kModifiers); ++i)
    if (kModifiers[i] == text)
      return static_cast<Modifier>(i);
  return std::nullopt;
}

} // namespace inlay::ptx
