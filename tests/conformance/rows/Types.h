// Element types as the rows name them, and what follows from them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace inlay::conformance {

inline constexpr std::array<std::string_view, 4> kSignedTypes = {"i8", "i16", "i32", "i64"};
inline constexpr std::array<std::string_view, 4> kUnsignedTypes = {"u8", "u16", "u32", "u64"};
inline constexpr std::array<std::string_view, 8> kIntegerTypes = {"i8", "i16", "i32", "i64",
                                                                  "u8", "u16", "u32", "u64"};
inline constexpr std::array<std::string_view, 3> kIeeeTypes = {"f16", "f32", "f64"};
inline constexpr std::array<std::string_view, 4> kFloatTypes = {"f16", "f32", "f64", "bf16"};
/// The types over which upstream's tests run.
inline constexpr std::array<std::string_view, 12> kTypes = {
    "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "f32", "f64", "bf16"};

inline bool isFloat(std::string_view type) { return type.find('f') != std::string_view::npos; }
inline bool isUnsigned(std::string_view type) { return type[0] == 'u'; }
/// A type that holds every value of `type`, so that a result stored in it shows what type it had.
inline std::string wideOf(std::string_view type) { return isFloat(type) ? "f64" : "i64"; }
inline std::string wideOf(std::string_view a, std::string_view b) {
  return isFloat(a) || isFloat(b) ? "f64" : "i64";
}
/// The bits of an element.
inline int widthOf(std::string_view type) {
  return std::stoi(std::string(type.substr(type.find_first_of("0123456789"))));
}
/// The name in `tl.`.
inline std::string languageName(std::string_view type) {
  if (type == "i1")
    return "tl.int1";
  if (type == "bf16")
    return "tl.bfloat16";
  if (type == "fp8e4nv" || type == "fp8e5")
    return type == "fp8e5" ? "tl.float8e5" : "tl.float8e4nv";
  std::string kind = type[0] == 'i' ? "int" : type[0] == 'u' ? "uint" : "float";
  return "tl." + kind + std::string(type.substr(1));
}
/// How far apart results of the type may be that were rounded at different places.
inline double epsilonOf(std::string_view type) {
  return type == "f16" ? 1e-3 : type == "bf16" ? 8e-3 : type == "f64" ? 1e-13 : 1e-6;
}

} // namespace inlay::conformance
