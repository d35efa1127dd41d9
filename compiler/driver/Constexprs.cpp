#include "compiler/driver/KernelTool.h"

#include "base/Error.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace inlay {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

bool isIdentifier(std::string_view text) {
  for (char c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_')
      return false;
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text.front()));
}

std::optional<int64_t> parseInteger(std::string_view text) {
  bool isNegative = text.starts_with('-');
  std::string_view digits = text.substr(isNegative);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  }
  std::string number = (isNegative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value, base);
  if (error != std::errc() || end != number.data() + number.size() || digits.starts_with('-'))
    return std::nullopt;
  return value;
}

std::optional<double> parseFloat(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<ConstexprValue> parseConstexprValue(std::string_view text) {
  if (text == "None")
    return ConstexprValue(std::monostate());
  if (text == "True" || text == "False")
    return ConstexprValue(text == "True");
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
      text.back() == text.front())
    return ConstexprValue(std::string(text.substr(1, text.size() - 2)));
  if (std::optional<int64_t> value = parseInteger(text))
    return ConstexprValue(*value);
  if (std::optional<double> value = parseFloat(text))
    return ConstexprValue(*value);
  if (text.starts_with("tl."))
    text.remove_prefix(3);
  if (std::optional<DataType> type = findDataType(text))
    return ConstexprValue(*type);
  return std::nullopt;
}

/// A value as Python writes it.
struct ConstexprPrinter {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(bool v) const { return v ? "True" : "False"; }
  std::string operator()(int64_t v) const { return fmt::format("{}", v); }
  std::string operator()(double v) const {
    std::string text = fmt::format("{}", v);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  }
  std::string operator()(const std::string &v) const { return "'" + v + "'"; }
  std::string operator()(DataType v) const { return "tl." + std::string(dataTypeName(v)); }
  template <typename T>
  std::string operator()(const std::vector<T> &values) const {
    std::string text = "(";
    for (const T &element : values)
      text += (*this)(element) + ", ";
    return text + ")";
  }
};

} // namespace

std::string constexprText(const ConstexprValue &value) {
  return std::visit(ConstexprPrinter{}, value);
}

Result<std::map<std::string, ConstexprValue>>
parseConstexprs(const std::vector<std::string> &entries) {
  std::map<std::string, ConstexprValue> values;
  for (const std::string &entry : entries) {
    size_t equals = entry.find('=');
    std::string_view name = trimmed(std::string_view(entry).substr(0, equals));
    if (equals == std::string::npos || !isIdentifier(name))
      return invalidArgument("constexpr '{}': expected NAME=VALUE, for example BLOCK_SIZE=256",
                             entry);
    std::optional<ConstexprValue> value =
        parseConstexprValue(trimmed(std::string_view(entry).substr(equals + 1)));
    if (!value)
      return invalidArgument(
          "constexpr '{}': expected an int, a float, True, False, None, a quoted "
          "string or a dtype such as tl.float16 after '='",
          entry);
    if (!values.emplace(std::string(name), std::move(*value)).second)
      return invalidArgument("constexpr '{}' is given twice", name);
  }
  return values;
}

} // namespace inlay
