// Python's arithmetic on compile-time values.
#include "compiler/frontends/triton/Value.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace inlay::triton {

namespace {

ConstantResult fail(std::string error) { return {Value::poison(), std::move(error)}; }
ConstantResult tooLarge() {
  return fail("the result does not fit 127 bits, the largest compile-time integer");
}

ConstantResult floorDivide(Integer a, Integer b, bool wantsRemainder) {
  if (b == 0)
    return fail("division by zero");
  if (b == -1) { // the smallest value divided by -1 would overflow
    Integer negated;
    if (!wantsRemainder && __builtin_sub_overflow(Integer(0), a, &negated))
      return tooLarge();
    return {Value::integer(wantsRemainder ? 0 : negated), {}};
  }
  Integer quotient = a / b, remainder = a % b;
  if (remainder != 0 && (remainder < 0) != (b < 0)) {
    --quotient;
    remainder += b;
  }
  return {Value::integer(wantsRemainder ? remainder : quotient), {}};
}

ConstantResult power(Integer base, Integer exponent) {
  if (exponent < 0) {
    if (base == 0)
      return fail("0 cannot be raised to a negative power");
    return {Value::number(std::pow(static_cast<double>(base), static_cast<double>(exponent))), {}};
  }
  if (base == 0 || base == 1)
    return {Value::integer(exponent == 0 ? 1 : base), {}};
  if (base == -1)
    return {Value::integer(exponent % 2 == 0 ? 1 : -1), {}};
  Integer result = 1;
  for (Integer i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(result, base, &result))
      return tooLarge();
  return {Value::integer(result), {}};
}

ConstantResult shift(Integer a, Integer count, bool isLeft) {
  if (count < 0)
    return fail("negative shift count");
  if (!isLeft)
    return {Value::integer(count > 126 ? (a < 0 ? -1 : 0) : a >> static_cast<int>(count)), {}};
  if (a == 0)
    return {Value::integer(0), {}};
  Integer factor = 1;
  if (count > 125 || __builtin_mul_overflow(a, factor << static_cast<int>(count), &a))
    return tooLarge();
  return {Value::integer(a), {}};
}

ConstantResult integerBinary(std::string_view op, Integer a, Integer b) {
  Integer result = 0;
  bool overflows = false;
  if (op == "+")
    overflows = __builtin_add_overflow(a, b, &result);
  else if (op == "-")
    overflows = __builtin_sub_overflow(a, b, &result);
  else if (op == "*")
    overflows = __builtin_mul_overflow(a, b, &result);
  else if (op == "&")
    result = a & b;
  else if (op == "|")
    result = a | b;
  else if (op == "^")
    result = a ^ b;
  else if (op == "//" || op == "%")
    return floorDivide(a, b, op == "%");
  else if (op == "**")
    return power(a, b);
  else if (op == "<<" || op == ">>")
    return shift(a, b, op == "<<");
  else if (op == "/")
    return b == 0
               ? fail("division by zero")
               : ConstantResult{Value::number(static_cast<double>(a) / static_cast<double>(b)), {}};
  else
    return fail(fmt::format("operator '{}' is not defined for integers", op));
  return overflows ? tooLarge() : ConstantResult{Value::integer(result), {}};
}

ConstantResult floatBinary(std::string_view op, double a, double b) {
  if ((op == "/" || op == "//" || op == "%") && b == 0)
    return fail("division by zero");
  if (op == "+")
    return {Value::number(a + b), {}};
  if (op == "-")
    return {Value::number(a - b), {}};
  if (op == "*")
    return {Value::number(a * b), {}};
  if (op == "/")
    return {Value::number(a / b), {}};
  if (op == "//")
    return {Value::number(std::floor(a / b)), {}};
  if (op == "%") {
    double remainder = std::fmod(a, b);
    if (remainder != 0 && (remainder < 0) != (b < 0))
      remainder += b;
    return {Value::number(remainder), {}};
  }
  if (op == "**") {
    if (a < 0 && b != std::floor(b))
      return fail("a negative number to a fractional power is complex");
    return {Value::number(std::pow(a, b)), {}};
  }
  return fail(fmt::format("operator '{}' is not defined for floats", op));
}

ConstantResult repeat(const Value &sequence, Integer count) {
  constexpr Integer kMaxElements = 4096;
  count = std::max<Integer>(count, 0);
  if (auto *string = sequence.asString()) {
    if (count * static_cast<Integer>(string->size()) > kMaxElements)
      return fail("the repeated string is too long");
    std::string result;
    for (Integer i = 0; i < count; ++i)
      result += *string;
    return {Value::string(result), {}};
  }
  const Value::Elements &elements = *sequence.asTuple();
  if (count > kMaxElements || count * static_cast<Integer>(elements.size()) > kMaxElements)
    return fail("the repeated tuple is too long");
  Value::Elements result;
  for (Integer i = 0; i < count; ++i)
    result.insert(result.end(), elements.begin(), elements.end());
  return {Value::tuple(std::move(result)), {}};
}

bool isSequence(const Value &value) { return value.asString() || value.asTuple(); }

} // namespace

ConstantResult evaluateBinary(std::string_view op, const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber()) {
    auto integerA = a.integerValue(), integerB = b.integerValue();
    bool isLogical = (op == "&" || op == "|" || op == "^") && a.asBool() && b.asBool();
    if (isLogical)
      return {Value::boolean(integerBinary(op, *integerA, *integerB).value.integerValue() != 0),
              {}};
    if (integerA && integerB)
      return integerBinary(op, *integerA, *integerB);
    return floatBinary(op, *a.floatValue(), *b.floatValue());
  }
  if (op == "+" && a.asString() && b.asString())
    return {Value::string(*a.asString() + *b.asString()), {}};
  if (op == "+" && a.asTuple() && b.asTuple()) {
    Value::Elements result = *a.asTuple();
    result.insert(result.end(), b.asTuple()->begin(), b.asTuple()->end());
    return {Value::tuple(std::move(result)), {}};
  }
  if (op == "*" && isSequence(a) && b.integerValue())
    return repeat(a, *b.integerValue());
  if (op == "*" && isSequence(b) && a.integerValue())
    return repeat(b, *a.integerValue());
  return fail(
      fmt::format("operator '{}' is not defined for {} and {}", op, describe(a), describe(b)));
}

ConstantResult evaluateUnary(std::string_view op, const Value &a) {
  if (op == "not" && a.truth())
    return {Value::boolean(!*a.truth()), {}};
  if (op == "-" && a.asNumber())
    return {Value::number(-*a.asNumber()), {}};
  if (op == "+" && a.asNumber())
    return {a, {}};
  if (auto integer = a.integerValue()) {
    if (op == "-")
      return integerBinary("-", 0, *integer);
    if (op == "+")
      return {Value::integer(*integer), {}};
    if (op == "~")
      return {Value::integer(~*integer), {}};
  }
  return fail(fmt::format("operator '{}' is not defined for {}", op, describe(a)));
}

ConstantResult evaluateCompare(std::string_view op, const Value &a, const Value &b) {
  if (op == "==" || op == "!=")
    return {Value::boolean(equals(a, b) == (op == "==")), {}};
  if (op == "in" || op == "not in") {
    if (b.asString() && a.asString())
      return {
          Value::boolean((b.asString()->find(*a.asString()) != std::string::npos) == (op == "in")),
          {}};
    if (b.asDict())
      return {Value::boolean((b.asDict()->find(a) != nullptr) == (op == "in")), {}};
    if (!b.asTuple())
      return fail(
          fmt::format("'{}' needs a tuple or string on its right, not {}", op, describe(b)));
    bool isIn = std::any_of(b.asTuple()->begin(), b.asTuple()->end(),
                            [&](const Value &element) { return equals(a, element); });
    return {Value::boolean(isIn == (op == "in")), {}};
  }
  int order; // -1, 0, 1; 2: unordered
  if (a.isNumber() && b.isNumber()) {
    auto integerA = a.integerValue(), integerB = b.integerValue();
    if (integerA && integerB) {
      order = *integerA < *integerB ? -1 : *integerA > *integerB;
    } else {
      double floatA = *a.floatValue(), floatB = *b.floatValue();
      order = floatA < floatB ? -1 : floatA > floatB ? 1 : floatA == floatB ? 0 : 2;
    }
  } else if (a.asString() && b.asString()) {
    order = a.asString()->compare(*b.asString());
    order = order < 0 ? -1 : order > 0;
  } else if (a.asTuple() && b.asTuple()) {
    // Lexicographic: the first elements that differ decide.
    const Value::Elements &left = *a.asTuple(), &right = *b.asTuple();
    for (size_t i = 0; i < std::min(left.size(), right.size()); ++i)
      if (!equals(left[i], right[i]))
        return evaluateCompare(op, left[i], right[i]);
    order = left.size() < right.size() ? -1 : left.size() > right.size();
  } else {
    return fail(fmt::format("'{}' is not defined for {} and {}", op, describe(a), describe(b)));
  }
  bool result = op == "<"    ? order == -1
                : op == "<=" ? order == -1 || order == 0
                : op == ">"  ? order == 1
                             : order == 1 || order == 0;
  return {Value::boolean(result), {}};
}

ConstantResult parseInteger(std::string_view digits) {
  std::string text(digits);
  std::erase(text, '_');
  int base = 10;
  size_t i = 0;
  if (text.size() > 1 && text[0] == '0') {
    char letter = static_cast<char>(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    i = base == 10 ? 0 : 2;
    if (base == 10 && text.find_first_not_of('0') != std::string::npos)
      return fail("leading zeros are not allowed in an integer; an octal number begins with 0o");
  }
  if (i == text.size())
    return fail("this number has no digits");
  Integer value = 0;
  for (; i < text.size(); ++i) {
    int digit = text[i] <= '9' ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10;
    if (digit >= base)
      return fail(fmt::format("'{}' is not a digit of base {}", text[i], base));
    if (__builtin_mul_overflow(value, Integer(base), &value) ||
        __builtin_add_overflow(value, Integer(digit), &value))
      return tooLarge();
  }
  return {Value::integer(value), {}};
}

ConstantResult parseFloat(std::string_view digits) {
  std::string text(digits);
  std::erase(text, '_');
  return {Value::number(std::strtod(text.c_str(), nullptr)), {}};
}

} // namespace inlay::triton
