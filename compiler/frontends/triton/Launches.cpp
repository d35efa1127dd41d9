#include "compiler/frontends/triton/Launches.h"

#include "compiler/frontends/triton/CallForms.h"
#include "compiler/frontends/triton/Parser.h"

namespace inlay::triton {

namespace {

/// Scans the tokens of a file for `name [ … ] ( … )`.
class LaunchScanner {
public:
  LaunchScanner(const SourceFile &file, std::span<const Token> tokens)
      : file_(file), tokens_(tokens) {}

  std::vector<Launch> run();

private:
  bool isOperator(size_t at, std::string_view text) const {
    return at < tokens_.size() && tokens_[at].kind == TokenKind::Operator &&
           file_.text(tokens_[at].span) == text;
  }
  bool isName(size_t at) const {
    return at < tokens_.size() && tokens_[at].kind == TokenKind::Name;
  }
  /// The position of the bracket that closes the one at `open`; the end if there is none.
  size_t closing(size_t open) const;
  void readAssignment(size_t at);
  void readCall(size_t name, size_t open, size_t close, std::vector<Launch> &launches);
  ExprPtr parse(std::vector<Token> tokens) const;
  LaunchArgument describe(const Expr &value) const;
  /// The entries of a dictionary with names as keys, or what was assigned to a name; empty for
  /// anything else.
  using Entries = std::map<std::string, LaunchArgument>;
  Entries entriesOf(const Expr &value) const;

  const SourceFile &file_;
  std::span<const Token> tokens_;
  std::map<std::string, LaunchArgument> assigned_;
  std::map<std::string, Entries> dictionaries_; // assigned too
};

/// The longest dictionary that is read, in tokens.
constexpr size_t kMaxDictionary = 200;

size_t LaunchScanner::closing(size_t open) const {
  int depth = 0;
  for (size_t i = open; i < tokens_.size(); ++i) {
    if (isOperator(i, "(") || isOperator(i, "[") || isOperator(i, "{"))
      ++depth;
    else if (isOperator(i, ")") || isOperator(i, "]") || isOperator(i, "}"))
      if (--depth == 0)
        return i;
    if (tokens_[i].kind == TokenKind::End)
      break;
  }
  return tokens_.size();
}

LaunchArgument LaunchScanner::describe(const Expr &value) const {
  using Kind = LaunchArgument::Kind;
  switch (value.kind) {
  case ExprKind::Integer:
  case ExprKind::Float:
  case ExprKind::Constant:
    return {Kind::Literal, value.text};
  case ExprKind::String:
    if (value.text.find_first_of("'\\\n") == std::string::npos)
      return {Kind::Literal, "'" + value.text + "'"};
    return {};
  case ExprKind::Name:
    if (auto found = assigned_.find(value.text); found != assigned_.end())
      return found->second;
    return {};
  case ExprKind::Attribute: {
    std::string path = dottedName(value);
    size_t dot = path.find('.');
    std::string first = path.substr(0, dot);
    if (first == "tl" || first == "torch") {
      std::string name = path.substr(dot + 1);
      for (std::string_view dtype :
           {"float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64"})
        if (name == dtype)
          return {Kind::Literal, "tl." + name};
    }
    return {};
  }
  case ExprKind::Call: {
    const std::string name = calledName(value);
    if (name == "stride" || name == "numel" || name == "size" || name == "len" || name == "int")
      return {Kind::Integer, ""};
    return {};
  }
  case ExprKind::Subscript: {
    const Expr &object = *value.operands[0];
    if (object.kind == ExprKind::Attribute && object.text == "shape")
      return {Kind::Integer, ""};
    return {};
  }
  default:
    return {};
  }
}

/// The expression that tokens are; null if they are none.
ExprPtr LaunchScanner::parse(std::vector<Token> tokens) const {
  if (tokens.empty())
    return nullptr;
  const uint32_t end = tokens.back().span.end;
  tokens.push_back({TokenKind::End, {end, end}});
  Diagnostics quiet;
  return Parser(file_, tokens, quiet).parseWholeExpression();
}

LaunchScanner::Entries LaunchScanner::entriesOf(const Expr &value) const {
  Entries entries;
  if (value.kind == ExprKind::Name) {
    if (auto found = dictionaries_.find(value.text); found != dictionaries_.end())
      entries = found->second;
  } else if (value.kind == ExprKind::Dict) {
    for (size_t i = 0; i + 1 < value.operands.size(); i += 2)
      if (!value.operands[i]) // what comes later counts
        for (auto &[name, argument] : entriesOf(*value.operands[i + 1]))
          entries[name] = argument;
      else if (value.operands[i]->kind == ExprKind::String)
        entries[value.operands[i]->text] = describe(*value.operands[i + 1]);
  } else if (value.kind == ExprKind::Call && calledName(value) == "dict") {
    for (const Keyword &keyword : value.keywords)
      if (keyword.name.empty())
        entries.merge(entriesOf(*keyword.value));
      else
        entries[keyword.name] = describe(*keyword.value);
  }
  return entries;
}

/// Remembers `name = literal` and `name = {…}` at the start of a statement.
void LaunchScanner::readAssignment(size_t at) {
  size_t end = at + 2;
  while (end < tokens_.size() && tokens_[end].kind != TokenKind::Newline &&
         tokens_[end].kind != TokenKind::End)
    ++end;
  std::string name(file_.text(tokens_[at].span));
  assigned_.erase(name);
  dictionaries_.erase(name);
  const bool isDictionary =
      isOperator(at + 2, "{") || (isName(at + 2) && file_.text(tokens_[at + 2].span) == "dict");
  const size_t longest = isDictionary ? kMaxDictionary : 6; // x.stride(0) is the longest
  if (end > at + 2 + longest)
    return;
  const ExprPtr value = parse({tokens_.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                               tokens_.begin() + static_cast<std::ptrdiff_t>(end)});
  if (!value)
    return;
  if (Entries entries = entriesOf(*value); isDictionary && !entries.empty())
    dictionaries_[name] = std::move(entries);
  if (LaunchArgument argument = describe(*value); argument.kind != LaunchArgument::Kind::Unknown)
    assigned_[name] = argument;
}

void LaunchScanner::readCall(size_t name, size_t open, size_t close,
                             std::vector<Launch> &launches) {
  std::vector<Token> tokens{tokens_[name]};
  tokens.insert(tokens.end(), tokens_.begin() + static_cast<std::ptrdiff_t>(open),
                tokens_.begin() + static_cast<std::ptrdiff_t>(close) + 1);
  const ExprPtr call = parse(std::move(tokens));
  if (!call || call->kind != ExprKind::Call)
    return;
  Launch launch;
  launch.kernel = file_.text(tokens_[name].span);
  for (size_t i = 1; i < call->operands.size(); ++i) {
    if (call->operands[i]->kind == ExprKind::Starred)
      break;
    launch.positional.push_back(describe(*call->operands[i]));
  }
  for (const Keyword &keyword : call->keywords)
    if (keyword.name.empty())
      launch.keywords.merge(entriesOf(*keyword.value));
    else
      launch.keywords[keyword.name] = describe(*keyword.value);
  launches.push_back(std::move(launch));
}

std::vector<Launch> LaunchScanner::run() {
  std::vector<Launch> launches;
  for (size_t i = 0; i + 1 < tokens_.size(); ++i) {
    if (!isName(i))
      continue;
    bool startsStatement = i == 0 || tokens_[i - 1].kind == TokenKind::Newline ||
                           tokens_[i - 1].kind == TokenKind::Indent ||
                           tokens_[i - 1].kind == TokenKind::Dedent;
    if (startsStatement && isOperator(i + 1, "="))
      readAssignment(i);
    if (!isOperator(i + 1, "["))
      continue;
    size_t close = closing(i + 1);
    if (!isOperator(close + 1, "("))
      continue;
    size_t end = closing(close + 1);
    if (end < tokens_.size())
      readCall(i, close + 1, end, launches);
  }
  return launches;
}

} // namespace

std::vector<Launch> findLaunches(const Module &module) {
  return LaunchScanner(module.file(), module.tokens()).run();
}

} // namespace inlay::triton
