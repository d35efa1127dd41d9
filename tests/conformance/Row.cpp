#include "tests/conformance/Row.h"

#include "base/Error.h"

#include <charconv>
#include <optional>
#include <sstream>

namespace inlay::conformance {
namespace {

std::optional<DataType> findType(std::string_view name) {
  if (name.size() > 1 && name[0] == 'f' && name[1] >= '0' && name[1] <= '9')
    return findDataType("fp" + std::string(name.substr(1)));
  return findDataType(name);
}

std::optional<double> parseNumber(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool parseFill(std::string_view text, Argument &argument) {
  static const std::map<std::string_view, Fill> fills = {
      {"output", Fill::Output},    {"zero", Fill::Zero},     {"index", Fill::Index},
      {"any", Fill::Any},          {"finite", Fill::Finite}, {"nonzero", Fill::Nonzero},
      {"integers", Fill::Integers}};
  if (auto found = fills.find(text); found != fills.end()) {
    argument.fill = found->second;
    return true;
  }
  if (text.find('/') != std::string_view::npos) {
    argument.fill = Fill::List;
    std::stringstream stream{std::string(text)};
    for (std::string number; std::getline(stream, number, '/');)
      argument.list.push_back(parseNumber(number).value_or(0));
    return true;
  }
  size_t dots = text.find("..");
  if (dots == std::string_view::npos)
    return false;
  std::optional<double> low = parseNumber(text.substr(0, dots)),
                        high = parseNumber(text.substr(dots + 2));
  argument.fill = Fill::Range;
  argument.low = low.value_or(0);
  argument.high = high.value_or(0);
  return low && high;
}

bool parseTensor(std::string_view text, Argument &argument) {
  size_t bracket = text.find('[');
  std::optional<DataType> dtype = findType(text.substr(0, bracket));
  if (!dtype || !text.ends_with(']'))
    return false;
  argument.dtype = *dtype;
  std::string sizes(text.substr(bracket + 1, text.size() - bracket - 2));
  std::stringstream stream(sizes);
  for (std::string size; std::getline(stream, size, ',');) {
    std::optional<double> value = parseNumber(size);
    if (!value)
      return false;
    argument.shape.push_back(static_cast<int64_t>(*value));
  }
  return true;
}

bool parseArgument(const std::string &entry, Argument &argument) {
  size_t equals = entry.find('='), colon = entry.find(':', equals);
  if (equals == std::string::npos || colon == std::string::npos)
    return false;
  argument.name = entry.substr(0, equals);
  std::string kind = entry.substr(equals + 1, colon - equals - 1), rest = entry.substr(colon + 1);
  if (rest.find('[') != std::string::npos)
    return parseFill(kind, argument) && parseTensor(rest, argument);
  std::optional<DataType> dtype = findType(kind);
  std::optional<double> value = parseNumber(rest);
  argument.isTensor = false;
  argument.dtype = dtype.value_or(DataType::Int32);
  argument.value = value.value_or(0);
  return dtype && value;
}

} // namespace

Result<std::vector<Argument>> parseArgumentList(std::string_view text) {
  std::vector<Argument> arguments;
  std::istringstream stream{std::string(text)};
  for (std::string entry; stream >> entry;) {
    Argument argument;
    if (!parseArgument(entry, argument))
      return invalidArgument("argument '{}': expected NAME=FILL:DTYPE[SIZE,…] or NAME=DTYPE:NUMBER",
                             entry);
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

std::string fillIn(std::string text, const std::map<std::string, std::string> &values) {
  // The longest names first, so that $X does not eat the start of $XY.
  for (auto value = values.rbegin(); value != values.rend(); ++value)
    for (size_t at = 0; (at = text.find("$" + value->first, at)) != std::string::npos;
         at += value->second.size())
      text.replace(at, value->first.size() + 1, value->second);
  return text;
}

} // namespace inlay::conformance
