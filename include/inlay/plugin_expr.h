// Symbolic integers, sizes that are known when an engine runs, and floats made of them. Part of
// inlay/plugin.h.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace inlay {
inline namespace v1 {

/// An integer expression over the sizes of a model: n + 1, ceilDiv(n, 256), select(n > 4, n, 0).
/// Arithmetic is on int64 and checked: an overflow is an error, never a wrap. Comparisons and logic
/// give 0 or 1. floorDiv, ceilDiv and % round as Python does. It is a text in the language of
/// manifests; a mistake in it is found when it is used.
class SymInt {
public:
  SymInt() : SymInt(0) {}
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
  SymInt(T value)
      : text_(std::to_string(value)), binding_(value < T{} ? Binding::Unary : Binding::Atom) {}
  /// From text, as text() gives it.
  static SymInt parse(std::string text) { return SymInt(std::move(text), Binding::Or); }
  const std::string &text() const { return text_; }
  /// Not known while an engine is built: use select, or p.constant(n).
  explicit operator bool() const = delete;

  friend SymInt operator+(const SymInt &a, const SymInt &b) {
    return infix(a, " + ", b, Binding::Sum);
  }
  friend SymInt operator-(const SymInt &a, const SymInt &b) {
    return infix(a, " - ", b, Binding::Sum);
  }
  friend SymInt operator*(const SymInt &a, const SymInt &b) {
    return infix(a, " * ", b, Binding::Product);
  }
  friend SymInt operator%(const SymInt &a, const SymInt &b) {
    return infix(a, " % ", b, Binding::Product);
  }
  friend SymInt operator-(const SymInt &a) {
    return SymInt("-" + a.in(Binding::Atom), Binding::Unary);
  }
  friend SymInt operator==(const SymInt &a, const SymInt &b) { return compare(a, " == ", b); }
  friend SymInt operator!=(const SymInt &a, const SymInt &b) { return compare(a, " != ", b); }
  friend SymInt operator<(const SymInt &a, const SymInt &b) { return compare(a, " < ", b); }
  friend SymInt operator<=(const SymInt &a, const SymInt &b) { return compare(a, " <= ", b); }
  friend SymInt operator>(const SymInt &a, const SymInt &b) { return compare(a, " > ", b); }
  friend SymInt operator>=(const SymInt &a, const SymInt &b) { return compare(a, " >= ", b); }
  friend SymInt operator&&(const SymInt &a, const SymInt &b) {
    return infix(a, " and ", b, Binding::And);
  }
  friend SymInt operator||(const SymInt &a, const SymInt &b) {
    return infix(a, " or ", b, Binding::Or);
  }
  friend SymInt operator!(const SymInt &a) { return a == 0; }
  SymInt &operator+=(const SymInt &other) { return *this = *this + other; }
  SymInt &operator-=(const SymInt &other) { return *this = *this - other; }
  SymInt &operator*=(const SymInt &other) { return *this = *this * other; }

  friend SymInt floorDiv(const SymInt &a, const SymInt &b) { return call("floordiv", a, b); }
  friend SymInt ceilDiv(const SymInt &a, const SymInt &b) { return call("ceildiv", a, b); }
  friend SymInt min(const SymInt &a, const SymInt &b) { return call("min", a, b); }
  friend SymInt max(const SymInt &a, const SymInt &b) { return call("max", a, b); }
  /// `ifTrue` where `condition` is not 0, else `ifFalse`.
  friend SymInt select(const SymInt &condition, const SymInt &ifTrue, const SymInt &ifFalse) {
    return SymInt("select(" + condition.text_ + ", " + ifTrue.text_ + ", " + ifFalse.text_ + ")",
                  Binding::Atom);
  }

private:
  /// How tightly the outermost operator binds, loosest first: chains of one operator need no
  /// parentheses, so that long sums do not nest.
  enum class Binding { Or, And, Comparison, Sum, Product, Unary, Atom };
  SymInt(std::string text, Binding binding) : text_(std::move(text)), binding_(binding) {}

  std::string in(Binding least) const { return binding_ >= least ? text_ : "(" + text_ + ")"; }
  static SymInt infix(const SymInt &a, const char *word, const SymInt &b, Binding binding) {
    const Binding tighter = static_cast<Binding>(static_cast<int>(binding) + 1);
    return SymInt(a.in(binding) + word + b.in(tighter), binding);
  }
  /// Comparisons do not chain.
  static SymInt compare(const SymInt &a, const char *word, const SymInt &b) {
    return SymInt(a.in(Binding::Sum) + word + b.in(Binding::Sum), Binding::Comparison);
  }
  static SymInt call(const char *function, const SymInt &a, const SymInt &b) {
    return SymInt(std::string(function) + "(" + a.text_ + ", " + b.text_ + ")", Binding::Atom);
  }

  std::string text_;
  Binding binding_;
};

/// A float expression over sizes, for a float argument of a kernel: 1.0 / sqrt(SymFloat(n)). It is
/// computed in float64, when shapes change; a value that is not finite is then an error.
class SymFloat {
public:
  SymFloat(double value) : text_(numberText(value)) {}
  /// The value of an integer expression.
  explicit SymFloat(const SymInt &n) : text_("int(" + n.text() + ")") {}
  const std::string &text() const { return text_; }

  friend SymFloat operator+(const SymFloat &a, const SymFloat &b) { return infix(a, " + ", b); }
  friend SymFloat operator-(const SymFloat &a, const SymFloat &b) { return infix(a, " - ", b); }
  friend SymFloat operator*(const SymFloat &a, const SymFloat &b) { return infix(a, " * ", b); }
  friend SymFloat operator/(const SymFloat &a, const SymFloat &b) { return infix(a, " / ", b); }
  friend SymFloat operator-(const SymFloat &a) { return made("(-" + a.text_ + ")"); }
  friend SymFloat pow(const SymFloat &a, const SymFloat &b) { return infix(a, " ** ", b); }
  friend SymFloat min(const SymFloat &a, const SymFloat &b) { return call("min", a, ", ", b); }
  friend SymFloat max(const SymFloat &a, const SymFloat &b) { return call("max", a, ", ", b); }
  friend SymFloat sqrt(const SymFloat &a) { return made("sqrt(" + a.text_ + ")"); }
  friend SymFloat exp(const SymFloat &a) { return made("exp(" + a.text_ + ")"); }
  friend SymFloat log(const SymFloat &a) { return made("log(" + a.text_ + ")"); }
  friend SymFloat exp2(const SymFloat &a) { return made("exp2(" + a.text_ + ")"); }
  friend SymFloat log2(const SymFloat &a) { return made("log2(" + a.text_ + ")"); }
  friend SymFloat select(const SymInt &condition, const SymFloat &ifTrue, const SymFloat &ifFalse) {
    return made("select(" + condition.text() + ", " + ifTrue.text_ + ", " + ifFalse.text_ + ")");
  }

private:
  struct Made {};
  SymFloat(std::string text, Made) : text_(std::move(text)) {}
  static SymFloat made(std::string text) { return SymFloat(std::move(text), Made()); }
  static SymFloat infix(const SymFloat &a, const char *word, const SymFloat &b) {
    return made("(" + a.text_ + word + b.text_ + ")");
  }
  static SymFloat call(const char *function, const SymFloat &a, const char *comma,
                       const SymFloat &b) {
    return made(std::string(function) + "(" + a.text_ + comma + b.text_ + ")");
  }
  /// All digits, whatever the locale; what is not finite is refused where it is used.
  static std::string numberText(double value) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof(text), value < 0 ? -value : value,
                                   std::chars_format::scientific);
    const std::string digits(text, end.ptr);
    return value < 0 ? "(-" + digits + ")" : digits;
  }
  std::string text_;
};

} // namespace v1
} // namespace inlay
