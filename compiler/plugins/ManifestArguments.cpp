// Expressions and launch arguments of a plugin.
#include "compiler/plugins/ManifestExpressions.h"
#include "compiler/plugins/ManifestReader.h"

#include <algorithm>
#include <cmath>

namespace inlay {

Result<ManifestExpr> ManifestReader::readExpr(const toml::node &node, std::string_view key,
                                              const Constexprs &constexprs) const {
  if (const auto *integer = node.as_integer())
    return ManifestExpr{Expr(integer->get()), std::to_string(integer->get()), positionOf(node)};
  if (!node.is_string())
    return wrongKind(node, key, "an integer or an expression in a string");
  return parseExprAt(node, node.as_string()->get(), constexprs);
}

Result<ManifestExpr> ManifestReader::parseExprAt(const toml::node &node, const std::string &text,
                                                 const Constexprs &constexprs) const {
  Result<std::string> words = toExpressionText(text);
  Result<Expr> expr = words.isOk() ? parseExpr(*words) : std::move(words).status();
  if (!expr.isOk())
    return errorAt(node, "in expression '{}': {}", text, expr.status().message());
  for (const std::string &name : symbolsOf(*expr))
    INLAY_TRY(checkSymbol(node, text, name, constexprs));
  return ManifestExpr{*expr, text, positionOf(node)};
}

Status ManifestReader::checkSymbol(const toml::node &node, const std::string &text,
                                   const std::string &name, const Constexprs &constexprs,
                                   bool isOfFloats) const {
  const ExpressionName parts = splitExpressionName(name);
  const std::string &base = parts.base;
  const bool isTensor =
      findInput(base) ||
      std::ranges::find(record_.outputs, base, &ManifestOutput::name) != record_.outputs.end();
  if (isTensor) {
    const bool isPlain = !parts.index && !parts.comparedWith && !parts.asksWhetherNone;
    if (isPlain &&
        (parts.property == "numel" || parts.property == "rank" || parts.property == "size_bytes"))
      return {};
    if (parts.property == "shape" && parts.index && !parts.comparedWith && !parts.asksWhetherNone)
      return {};
    if (parts.property == "dtype" && parts.comparedWith && !parts.index)
      return findDataType(*parts.comparedWith)
                 ? Status()
                 : errorAt(node, "in expression '{}': '{}' is no dtype", text, *parts.comparedWith);
    return errorAt(node,
                   "in expression '{}': '{}' is no integer; a tensor has .shape[i], .numel, "
                   ".rank and .size_bytes",
                   text, name);
  }
  auto attribute = std::ranges::find(record_.attributes, base, &AttributeParameter::name);
  if (attribute != record_.attributes.end()) {
    const std::string problem = attributeNameError(*attribute, parts, isOfFloats);
    return problem.empty() ? Status() : errorAt(node, "in expression '{}': {}", text, problem);
  }
  if (name == base && (constexprs.contains(base) || findSize(base) || areNamesOpen_))
    return {};
  return errorAt(
      node,
      "in expression '{}': '{}' names no input, output, attribute or constexpr of this plugin",
      text, name);
}

Status ManifestReader::readArguments(const toml::table &table, ManifestLaunch &launch) const {
  INLAY_ASSIGN(const toml::array *args, arrayOf(table, "args"));
  INLAY_ASSIGN(const toml::array *extraArgs, arrayOf(table, "extra_args"));
  if (args && extraArgs)
    return errorAt(*extraArgs, "'extra_args' goes without 'args': 'args' lists every argument");
  if (!args)
    for (uint32_t i = 0; i < record_.inputNames.size(); ++i)
      launch.arguments.push_back(
          tensorArgument(ManifestArgument::Kind::Input, i, record_.inputNames[i]));
  if (const toml::array *written = args ? args : extraArgs)
    for (const toml::node &node : *written) {
      INLAY_ASSIGN(ManifestArgument argument, readArgument(node, launch.constexprs));
      launch.arguments.push_back(std::move(argument));
    }
  if (!args)
    for (uint32_t i = 0; i < record_.outputs.size(); ++i)
      launch.arguments.push_back(
          tensorArgument(ManifestArgument::Kind::Output, i, record_.outputs[i].name));
  return {};
}

ManifestArgument ManifestReader::tensorArgument(ManifestArgument::Kind kind, uint32_t index,
                                                std::string text) {
  ManifestArgument argument;
  argument.kind = kind;
  argument.index = index;
  argument.text = std::move(text);
  return argument;
}

ManifestArgument ManifestReader::workspaceArgument(uint32_t index) const {
  const ManifestWorkspace &workspace = record_.workspaces[index];
  ManifestArgument argument =
      tensorArgument(ManifestArgument::Kind::Workspace, index, workspace.name);
  argument.dtype = workspace.dtype;
  return argument;
}

Result<ManifestArgument> ManifestReader::readArgument(const toml::node &node,
                                                      const Constexprs &constexprs) const {
  if (const auto *number = node.as_floating_point())
    return floatArgument(DataType::Float32, number->get(), fmt::format("{}", number->get()));
  if (const auto *integer = node.as_integer())
    return integerArgument(node, DataType::Int32, std::to_string(integer->get()), constexprs);
  if (const auto *flag = node.as_boolean())
    return integerArgument(node, DataType::Bool, flag->get() ? "1" : "0", constexprs);
  if (!node.is_string())
    return wrongKind(node, "args", "a number, a boolean, a name or an expression");
  const std::string &text = node.as_string()->get();
  if (std::optional<uint32_t> input = findInput(text))
    return tensorArgument(ManifestArgument::Kind::Input, *input, text);
  if (auto it = std::ranges::find(record_.outputs, text, &ManifestOutput::name);
      it != record_.outputs.end())
    return tensorArgument(ManifestArgument::Kind::Output,
                          static_cast<uint32_t>(it - record_.outputs.begin()), text);
  if (auto it = std::ranges::find(record_.workspaces, text, &ManifestWorkspace::name);
      it != record_.workspaces.end())
    return workspaceArgument(static_cast<uint32_t>(it - record_.workspaces.begin()));
  if (std::optional<uint32_t> size = findSize(text)) {
    ManifestArgument argument = tensorArgument(ManifestArgument::Kind::Size, *size, text);
    argument.dtype = record_.sizes[*size].dtype;
    return argument;
  }
  if (std::optional<ManifestArgument> dimensions = findDimensions(text, DataType::Int32))
    return *dimensions;
  if (auto [type, inner] = splitCast(text); type)
    return castArgument(node, *type, std::string(inner), text, constexprs);
  auto attribute = std::ranges::find(record_.attributes, text, &AttributeParameter::name);
  if (attribute != record_.attributes.end() && attribute->kind == AttributeKind::Number)
    return errorAt(node, "attribute '{}' may be an int or a float; write f32({}) or i32({})", text,
                   text, text);
  if (isOfFloats(text) || hasDecimalPoint(text))
    return floatExpression(node, DataType::Float32, text, text, constexprs);
  return integerArgument(node, DataType::Int32, text, constexprs);
}

bool ManifestReader::hasDecimalPoint(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i)
    if (text[i] == '.' && std::isdigit(static_cast<unsigned char>(text[i - 1])))
      return true;
  return false;
}

bool ManifestReader::isOfFloats(const std::string &text) const {
  Result<std::string> words = toExpressionText(text);
  Result<ParsedFloatExpr> parsed =
      words.isOk() ? parseFloatExpr(*words) : std::move(words).status();
  if (!parsed.isOk())
    return false;
  bool isOfFloats = parsed->isOfFloats;
  forEachInteger(parsed->expr, [&](const Expr &integer) {
    if (integer.kind() != ExprKind::Symbol)
      return;
    const ExpressionName name = splitExpressionName(integer.symbolName());
    auto it = std::ranges::find(record_.attributes, name.base, &AttributeParameter::name);
    isOfFloats =
        isOfFloats ||
        (it != record_.attributes.end() && !name.asksWhetherNone && name.property.empty() &&
         (it->kind == AttributeKind::Float || it->kind == AttributeKind::FloatList));
  });
  return isOfFloats;
}

std::optional<ManifestArgument> ManifestReader::findDimensions(std::string_view text,
                                                               DataType type) const {
  std::string_view name, property;
  for (std::string_view word : {"shape", "strides"})
    if (text.starts_with(word) && text.substr(word.size()).starts_with("(") &&
        text.ends_with(")")) {
      property = word;
      name = text.substr(word.size() + 1, text.size() - word.size() - 2);
    } else if (text.ends_with(word) && text.size() > word.size() &&
               text[text.size() - word.size() - 1] == '.') {
      property = word;
      name = text.substr(0, text.size() - word.size() - 1);
    }
  if (property.empty())
    return std::nullopt;
  const auto output = std::ranges::find(record_.outputs, name, &ManifestOutput::name);
  const std::optional<uint32_t> input = findInput(name);
  if (!input && output == record_.outputs.end())
    return std::nullopt;
  ManifestArgument argument = tensorArgument(
      property == "shape" ? ManifestArgument::Kind::Shape : ManifestArgument::Kind::Strides,
      input ? *input : static_cast<uint32_t>(output - record_.outputs.begin()), std::string(text));
  argument.isOfOutput = !input;
  argument.dtype = type;
  return argument;
}

std::pair<std::optional<DataType>, std::string_view>
ManifestReader::splitCast(std::string_view text) {
  static constexpr std::pair<std::string_view, DataType> kCasts[] = {
      {"i1", DataType::Bool},     {"i8", DataType::Int8},     {"i16", DataType::Int16},
      {"i32", DataType::Int32},   {"i64", DataType::Int64},   {"u8", DataType::UInt8},
      {"u16", DataType::UInt16},  {"u32", DataType::UInt32},  {"u64", DataType::UInt64},
      {"f32", DataType::Float32}, {"f64", DataType::Float64}, {"bool", DataType::Bool}};
  for (const auto &[name, type] : kCasts)
    if (text.starts_with(name) && text.substr(name.size()).starts_with("(") && text.ends_with(")"))
      return {type, text.substr(name.size() + 1, text.size() - name.size() - 2)};
  return {};
}

Result<ManifestArgument> ManifestReader::castArgument(const toml::node &node, DataType type,
                                                      const std::string &inner,
                                                      const std::string &text,
                                                      const Constexprs &constexprs) const {
  if (dataTypeKind(type) != DataTypeKind::Float) {
    if (std::optional<ManifestArgument> dimensions = findDimensions(inner, type))
      return *dimensions;
    INLAY_ASSIGN(ManifestArgument argument, integerArgument(node, type, inner, constexprs));
    argument.text = text;
    return argument;
  }
  return floatExpression(node, type, inner, text, constexprs);
}

Result<ManifestArgument> ManifestReader::floatExpression(const toml::node &node, DataType type,
                                                         const std::string &inner,
                                                         const std::string &text,
                                                         const Constexprs &constexprs) const {
  Result<std::string> words = toExpressionText(inner);
  Result<ParsedFloatExpr> parsed =
      words.isOk() ? parseFloatExpr(*words) : std::move(words).status();
  if (!parsed.isOk())
    return errorAt(node, "argument '{}': {}", text, parsed.status().message());
  Status status;
  forEachInteger(parsed->expr, [&](const Expr &integer) {
    // A name alone may be of floats; what stands in int(…) is of integers.
    const bool mayBeFloat = integer.kind() == ExprKind::Symbol;
    for (const std::string &name : symbolsOf(integer))
      if (status.isOk())
        status = checkSymbol(node, text, name, constexprs, mayBeFloat);
  });
  INLAY_TRY(std::move(status));
  for (const std::string &name : parsed->integerNames)
    INLAY_TRY(checkSymbol(node, text, name, constexprs));
  ManifestArgument argument = floatArgument(type, 0, text);
  argument.kind = ManifestArgument::Kind::FloatExpression;
  argument.floatExpression = parsed->expr;
  argument.expression.position = positionOf(node);
  return argument;
}

ManifestArgument ManifestReader::floatArgument(DataType type, double value, std::string text) {
  ManifestArgument argument;
  argument.kind = ManifestArgument::Kind::FloatValue;
  argument.dtype = type;
  argument.value = value;
  argument.text = std::move(text);
  return argument;
}

Result<ManifestArgument> ManifestReader::integerArgument(const toml::node &node, DataType type,
                                                         const std::string &text,
                                                         const Constexprs &constexprs) const {
  ManifestArgument argument;
  argument.kind = ManifestArgument::Kind::Integer;
  argument.dtype = type;
  argument.text = text;
  INLAY_ASSIGN(argument.expression, parseExprAt(node, text, constexprs));
  return argument;
}

} // namespace inlay
