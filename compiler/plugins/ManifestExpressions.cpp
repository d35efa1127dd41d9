#include "compiler/plugins/ManifestExpressions.h"

#include "base/Error.h"

#include <charconv>

namespace inlay {
namespace {

constexpr std::string_view kComparison = "is_";
constexpr std::string_view kNone = "is_none";

bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

struct Word {
  enum class Kind : uint8_t { Name, String, Other, Space };
  Kind kind;
  std::string text; // String: without its quotes
};

/// Texts as identifiers: two hexadecimal digits for a byte.
std::string encode(std::string_view text) {
  std::string out;
  for (unsigned char c : text)
    out += fmt::format("{:02x}", c);
  return out;
}

std::optional<std::string> decode(std::string_view digits) {
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    const char *end = digits.data() + i + 2;
    if (std::from_chars(digits.data() + i, end, value, 16).ptr != end)
      return std::nullopt;
    out += static_cast<char>(value);
  }
  return digits.size() % 2 == 0 ? std::optional(out) : std::nullopt;
}

Result<std::vector<Word>> splitWords(std::string_view text) {
  std::vector<Word> words;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    if (std::isalpha(static_cast<unsigned char>(text[i])) || text[i] == '_') {
      // With attributes and indices: X.shape[0].
      while (i < text.size() && (isNamePart(text[i]) || text[i] == '.' || text[i] == '[')) {
        const size_t close = text[i] == '[' ? text.find(']', i) : i;
        i = close == std::string_view::npos ? text.size() : close + 1;
      }
      words.push_back({Word::Kind::Name, std::string(text.substr(begin, i - begin))});
    } else if (text[i] == '\'' || text[i] == '"') {
      const size_t close = text.find(text[i], i + 1);
      if (close == std::string_view::npos)
        return invalidArgument("column {}: string is not closed", begin + 1);
      words.push_back({Word::Kind::String, std::string(text.substr(begin + 1, close - begin - 1))});
      i = close + 1;
    } else if (std::isspace(static_cast<unsigned char>(text[i]))) {
      words.push_back({Word::Kind::Space, std::string(text.substr(i++, 1))});
    } else {
      const std::string_view two = text.substr(i, 2);
      i += two == "==" || two == "!=" ? 2 : 1;
      words.push_back({Word::Kind::Other, std::string(text.substr(begin, i - begin))});
    }
  }
  return words;
}

/// Finds the patterns among words, whatever spaces lie between.
class Rewriter {
public:
  explicit Rewriter(std::vector<Word> words) : words_(std::move(words)) {}

  Result<std::string> rewrite() {
    std::string out;
    for (size_t i = 0; i < words_.size();) {
      size_t next = i;
      if (std::optional<std::string> replaced = match(i, next)) {
        out += *replaced;
        i = next;
        continue;
      }
      if (words_[i].kind == Word::Kind::String)
        return invalidArgument(
            "the text '{}' is compared with no attribute; write mode == '{}', or "
            "X.dtype == 'float16'",
            words_[i].text, words_[i].text);
      out += words_[i++].text;
    }
    return out;
  }

private:
  /// The index of the word after `i` that is no space.
  size_t after(size_t i) const {
    do
      ++i;
    while (i < words_.size() && words_[i].kind == Word::Kind::Space);
    return i;
  }
  bool is(size_t i, Word::Kind kind) const { return i < words_.size() && words_[i].kind == kind; }
  bool is(size_t i, std::string_view text) const {
    return i < words_.size() && words_[i].kind != Word::Kind::String && words_[i].text == text;
  }

  static std::string ask(const std::string &name, const std::string &question, bool isNegated) {
    return fmt::format("({}.{} == {})", name, question, isNegated ? 0 : 1);
  }

  std::optional<std::string> match(size_t i, size_t &next) const {
    const size_t b = after(i), c = after(b), d = after(c);
    const bool isEqual = is(b, "=="), isUnequal = is(b, "!=");
    if (isEqual || isUnequal)
      for (const auto &[name, text] : {std::pair(i, c), std::pair(c, i)})
        if (is(name, Word::Kind::Name) && is(text, Word::Kind::String)) {
          next = c + 1;
          return ask(words_[name].text, std::string(kComparison) + encode(words_[text].text) + "_",
                     isUnequal);
        }
    if (!is(i, Word::Kind::Name))
      return std::nullopt;
    const std::string &word = words_[i].text;
    if ((word == "is_none" || word == "len") && is(b, "(") && is(c, Word::Kind::Name) &&
        is(d, ")")) {
      next = d + 1;
      return word == "len" ? words_[c].text + ".len"
                           : ask(words_[c].text, std::string(kNone), false);
    }
    const bool isNot = is(b, "is") && is(c, "not");
    if (is(b, "is") && is(isNot ? d : c, "None")) {
      next = (isNot ? d : c) + 1;
      return ask(word, std::string(kNone), isNot);
    }
    return std::nullopt;
  }

  std::vector<Word> words_;
};

bool isListKind(AttributeKind kind) {
  return kind == AttributeKind::BoolList || kind == AttributeKind::IntList ||
         kind == AttributeKind::FloatList || kind == AttributeKind::StringList;
}

/// The number of elements of a list.
std::optional<size_t> countOf(const AttributeValue &value) {
  return std::visit(
      [](const auto &held) -> std::optional<size_t> {
        if constexpr (requires { held.size(); } &&
                      !std::is_same_v<std::decay_t<decltype(held)>, std::string>)
          return held.size();
        else
          return std::nullopt;
      },
      value);
}

/// An element of a list as a value of its own.
AttributeValue elementOf(const AttributeValue &list, size_t index) {
  return std::visit(
      [&](const auto &held) -> AttributeValue {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::vector<bool>>)
          return static_cast<bool>(held[index]);
        else if constexpr (requires { AttributeValue(held[index]); } &&
                           !std::is_same_v<std::decay_t<decltype(held)>, std::string>)
          return AttributeValue(held[index]);
        else
          return {};
      },
      list);
}

} // namespace

Result<std::string> toExpressionText(std::string_view text) {
  INLAY_ASSIGN(std::vector<Word> words, splitWords(text));
  return Rewriter(std::move(words)).rewrite();
}

ExpressionName splitExpressionName(std::string_view name) {
  ExpressionName result;
  size_t at = name.find_first_of(".[");
  result.base = name.substr(0, at);
  while (at < name.size()) {
    if (name[at] == '[') {
      const size_t close = name.find(']', at);
      int64_t index = 0;
      std::from_chars(name.data() + at + 1, name.data() + close, index);
      result.index = index;
      at = close == std::string_view::npos ? name.size() : close + 1;
      continue;
    }
    const size_t end = name.find_first_of(".[", at + 1);
    const std::string_view part = name.substr(at + 1, end - at - 1);
    std::optional<std::string> text;
    if (part == kNone)
      result.asksWhetherNone = true;
    else if (part.starts_with(kComparison) && part.ends_with('_') &&
             (text = decode(part.substr(kComparison.size(), part.size() - kComparison.size() - 1))))
      result.comparedWith = std::move(text);
    else
      result.property =
          result.property.empty() ? std::string(part) : fmt::format("{}.{}", result.property, part);
    at = end;
  }
  return result;
}

std::string attributeNameError(const AttributeParameter &attribute, const ExpressionName &name,
                               bool isOfFloats) {
  const AttributeKind kind = attribute.kind;
  const bool isList = isListKind(kind);
  if (name.asksWhetherNone)
    return attribute.isOptional
               ? ""
               : fmt::format("attribute '{}' is not optional: it is never None", name.base);
  if (isList && name.property == "len" && !name.index)
    return "";
  if (isList != name.index.has_value() || !name.property.empty())
    return fmt::format("attribute '{}' is {}{}", name.base, attributeKindName(kind),
                       isList ? fmt::format("; write {}[i] or {}.len", name.base, name.base)
                              : fmt::format("; '{}' has no elements and no properties", name.base));
  if (name.comparedWith) {
    if (kind == AttributeKind::String || kind == AttributeKind::StringList)
      return "";
    if (kind != AttributeKind::DataType)
      return fmt::format("attribute '{}' is {}, and is not compared with a text", name.base,
                         attributeKindName(kind));
    return findDataType(*name.comparedWith)
               ? ""
               : fmt::format("'{}' is no dtype; expected \"float32\", \"int64\" or another",
                             *name.comparedWith);
  }
  const bool isInteger = kind == AttributeKind::Int || kind == AttributeKind::Bool ||
                         kind == AttributeKind::Number || kind == AttributeKind::IntList ||
                         kind == AttributeKind::BoolList;
  const bool isFloat = kind == AttributeKind::Float || kind == AttributeKind::FloatList;
  if (isInteger || (isFloat && isOfFloats))
    return "";
  return fmt::format("attribute '{}' is {}; '{}' is no {}", name.base, attributeKindName(kind),
                     name.base, isOfFloats ? "number" : "integer");
}

Result<std::variant<int64_t, double>> attributeNameValue(const AttributeValue &value,
                                                         const ExpressionName &name) {
  using Number = std::variant<int64_t, double>;
  if (name.asksWhetherNone)
    return Number(int64_t{std::holds_alternative<std::monostate>(value)});
  const std::optional<size_t> count = countOf(value);
  if (name.property == "len" && count)
    return Number(static_cast<int64_t>(*count));
  AttributeValue single = value;
  if (name.index && count) {
    const auto size = static_cast<int64_t>(*count);
    const int64_t index = *name.index < 0 ? *name.index + size : *name.index;
    if (index < 0 || index >= size)
      return outOfRange("{} has {} elements; index {} is outside", name.base, size, *name.index);
    single = elementOf(value, static_cast<size_t>(index));
  }
  if (name.comparedWith) {
    if (const auto *text = std::get_if<std::string>(&single))
      return Number(int64_t{*text == *name.comparedWith});
    if (const auto *type = std::get_if<DataType>(&single))
      return Number(int64_t{findDataType(*name.comparedWith) == *type});
    // None is no text.
    return Number(int64_t{0});
  }
  if (const int64_t *integer = std::get_if<int64_t>(&single))
    return Number(*integer);
  if (const bool *flag = std::get_if<bool>(&single))
    return Number(int64_t{*flag});
  if (const double *number = std::get_if<double>(&single))
    return Number(*number);
  return invalidArgument("attribute '{}' is {}, which is no number", name.base,
                         attributeText(value));
}

} // namespace inlay
