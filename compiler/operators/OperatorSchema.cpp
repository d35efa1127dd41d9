#include "compiler/operators/OperatorSchema.h"

#include "base/Error.h"

#include <charconv>

namespace inlay {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

/// The parts between the commas outside brackets and quotes.
std::vector<std::string_view> splitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool isQuoted = false;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (c == '"' || c == '\'')
      isQuoted = !isQuoted;
    if (!isQuoted && (c == '(' || c == '['))
      ++depth;
    if (!isQuoted && (c == ')' || c == ']'))
      --depth;
    if (c != ',' || ((depth != 0 || isQuoted) && i < text.size()))
      continue;
    if (const std::string_view part = trimmed(text.substr(begin, i - begin)); !part.empty())
      parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

template <typename T>
std::optional<T> numberIn(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

struct TypeName {
  std::string_view name;
  AttributeKind kind;
  AttributeKind listKind;
};

constexpr TypeName kTypes[] = {
    {"int", AttributeKind::Int, AttributeKind::IntList},
    {"SymInt", AttributeKind::Size, AttributeKind::SizeList},
    {"float", AttributeKind::Float, AttributeKind::FloatList},
    {"bool", AttributeKind::Bool, AttributeKind::BoolList},
    {"str", AttributeKind::String, AttributeKind::StringList},
    {"Scalar", AttributeKind::SizeNumber, AttributeKind::FloatList},
    {"ScalarType", AttributeKind::DataType, AttributeKind::DataType},
};

/// Types whose values say where and how PyTorch would keep a tensor.
constexpr std::string_view kPlacementTypes[] = {"Device", "Layout", "MemoryFormat", "Generator"};

class SchemaReader {
public:
  explicit SchemaReader(std::string_view text) : text_(text) {}

  Result<OperatorSchema> read() {
    const size_t open = text_.find('('), arrow = text_.rfind(" -> ");
    if (open == std::string_view::npos || arrow == std::string_view::npos || arrow == 0 ||
        text_[arrow - 1] != ')')
      return problem("expected NAME(ARGUMENTS) -> RESULTS");
    OperatorSchema schema;
    schema.opName = std::string(text_.substr(0, open));
    for (std::string_view part : splitAtCommas(text_.substr(open + 1, arrow - open - 2))) {
      if (part == "*")
        continue;
      INLAY_ASSIGN(SchemaArgument argument, readArgument(part));
      schema.arguments.push_back(std::move(argument));
    }
    return schema;
  }

private:
  Status problem(std::string_view what) const {
    return invalidArgument("schema '{}': {}", text_, what);
  }

  Result<SchemaArgument> readArgument(std::string_view part) const {
    std::optional<std::string_view> defaultText;
    // A default never contains a space before its '='.
    if (const size_t equals = part.find('='); equals != std::string_view::npos) {
      defaultText = part.substr(equals + 1);
      part = part.substr(0, equals);
    }
    const size_t space = part.rfind(' ');
    if (space == std::string_view::npos)
      return problem(fmt::format("argument '{}' has no type", part));
    SchemaArgument argument;
    argument.attribute.name = std::string(part.substr(space + 1));
    INLAY_TRY(readType(trimmed(part.substr(0, space)), argument));
    if (defaultText && argument.kind == SchemaArgument::Kind::Attribute) {
      INLAY_TRY(readDefault(*defaultText, argument.attribute));
    }
    return argument;
  }

  Status readType(std::string_view type, SchemaArgument &argument) const {
    if (type.ends_with('?')) {
      argument.isOptional = argument.attribute.isOptional = true;
      type.remove_suffix(1);
    }
    bool isList = false;
    if (const size_t bracket = type.rfind('['); type.ends_with(']')) {
      isList = true;
      type = type.substr(0, bracket);
      if (type.ends_with('?'))
        type.remove_suffix(1);
    }
    // "(a!)" tells what a result shares with the argument.
    const std::string_view name = type.substr(0, type.find('('));
    if (name == "Tensor") {
      argument.kind = isList ? SchemaArgument::Kind::TensorList : SchemaArgument::Kind::Tensor;
      return {};
    }
    for (std::string_view placement : kPlacementTypes)
      if (name == placement) {
        argument.attribute.kind = AttributeKind::String;
        argument.attribute.isOptional = true;
        return {};
      }
    for (const TypeName &known : kTypes)
      if (name == known.name) {
        argument.attribute.kind = isList ? known.listKind : known.kind;
        return {};
      }
    return problem(fmt::format("argument '{}' is of type '{}', which is not known",
                               argument.attribute.name, type));
  }

  Status readDefault(std::string_view text, AttributeParameter &attribute) const {
    // Where a tensor lies is not ours to choose, so that their defaults do not matter.
    if (text == "None" || (attribute.kind == AttributeKind::String && !text.starts_with('"'))) {
      attribute.defaultValue = AttributeValue();
      return {};
    }
    const std::optional<AttributeValue> value = valueOf(text, attribute.kind);
    if (!value)
      return problem(fmt::format("the default of '{}' is {}; expected {}", attribute.name, text,
                                 attributeKindName(attribute.kind)));
    attribute.defaultValue = *value;
    return {};
  }

  static std::optional<AttributeValue> valueOf(std::string_view text, AttributeKind kind) {
    switch (kind) {
    case AttributeKind::Bool:
      return text == "True" || text == "False" ? std::optional(AttributeValue(text == "True"))
                                               : std::nullopt;
    case AttributeKind::String:
      return AttributeValue(std::string(text.substr(1, text.size() - 2)));
    case AttributeKind::Int:
    case AttributeKind::Size:
      if (const auto integer = numberIn<int64_t>(text))
        return AttributeValue(*integer);
      return std::nullopt;
    case AttributeKind::Float:
    case AttributeKind::Number:
    case AttributeKind::SizeNumber:
      if (const auto integer = numberIn<int64_t>(text); integer && kind != AttributeKind::Float)
        return AttributeValue(*integer);
      if (const auto number = numberIn<double>(text))
        return AttributeValue(*number);
      return text == "True" || text == "False"
                 ? std::optional(AttributeValue(int64_t{text == "True"}))
                 : std::nullopt;
    case AttributeKind::IntList:
    case AttributeKind::SizeList:
      return integersIn(text);
    default:
      return std::nullopt;
    }
  }

  /// "[0, 1]"; one integer stands for a list of it.
  static std::optional<AttributeValue> integersIn(std::string_view text) {
    std::vector<int64_t> integers;
    if (text.starts_with('[') && text.ends_with(']'))
      text = text.substr(1, text.size() - 2);
    for (std::string_view part : splitAtCommas(text)) {
      const auto integer = numberIn<int64_t>(part);
      if (!integer)
        return std::nullopt;
      integers.push_back(*integer);
    }
    return AttributeValue(std::move(integers));
  }

  std::string_view text_;
};

} // namespace

Result<OperatorSchema> parseOperatorSchema(std::string_view text) {
  return SchemaReader(text).read();
}

} // namespace inlay
