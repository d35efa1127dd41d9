#include "compiler/ptx/Constraints.h"

#include "base/Error.h"

#include <charconv>

namespace inlay::ptx {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

unsigned widthOf(char letter) {
  switch (letter) {
  case 'b':
    return 1;
  case 'c':
  case 'h':
    return 16;
  case 'r':
  case 'f':
    return 32;
  case 'l':
  case 'd':
    return 64;
  default:
    return 0;
  }
}

Status badEntry(std::string_view entry, size_t number, std::string_view reason) {
  return invalidArgument("entry {} of the constraints, '{}', {}", number, entry, reason);
}

Result<Constraint> parseEntry(std::string_view entry, size_t number,
                              const std::vector<Constraint> &before) {
  Constraint constraint;
  std::string_view rest = entry;
  if (rest.starts_with('=')) {
    constraint.isOutput = true;
    rest.remove_prefix(1);
    if (rest.starts_with('&'))
      rest.remove_prefix(1);
    if (!before.empty() && !before.back().isOutput)
      return badEntry(entry, number, "is an output after an input; outputs come first");
  }
  uint32_t tied = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), tied);
  if (error == std::errc() && end == rest.data() + rest.size() && !constraint.isOutput) {
    if (tied >= before.size() || !before[tied].isOutput)
      return badEntry(entry, number, "names no output");
    constraint.letter = before[tied].letter;
    constraint.tiedTo = tied;
    return constraint;
  }
  bool isImmediate = rest == "n" || rest == "i";
  if (rest.size() != 1 || (!isImmediate && widthOf(rest[0]) == 0) ||
      (isImmediate && constraint.isOutput))
    return badEntry(entry, number,
                    "is not known; registers are h (16 bits), r and f (32), l and d (64), b (a "
                    "predicate), immediates n, outputs have '=' in front, and a number is the "
                    "register of that output");
  constraint.letter = isImmediate ? 'n' : rest[0];
  return constraint;
}

} // namespace

unsigned Constraint::width() const { return widthOf(letter); }

Result<std::vector<Constraint>> parseConstraints(std::string_view text) {
  std::vector<Constraint> constraints;
  size_t number = 0;
  for (std::string_view rest = text; !trimmed(rest).empty();) {
    ++number;
    size_t comma = rest.find(',');
    std::string_view entry = trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (entry.starts_with('~'))
      continue;
    INLAY_ASSIGN(Constraint constraint, parseEntry(entry, number, constraints));
    constraints.push_back(constraint);
  }
  return constraints;
}

} // namespace inlay::ptx
