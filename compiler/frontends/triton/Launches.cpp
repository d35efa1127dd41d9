#include "compiler/frontends/triton/Launches.h"

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
  LaunchArgument describe(const Expr &value) const;

  const SourceFile &file_;
  std::span<const Token> tokens_;
  std::map<std::string, LaunchArgument> assigned_;
};

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

std::string dotted(const Expr &expr) {
  if (expr.kind == ExprKind::Name)
    return expr.text;
  if (expr.kind != ExprKind::Attribute)
    return "";
  std::string object = dotted(*expr.operands[0]);
  return object.empty() ? "" : object + "." + expr.text;
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
    std::string path = dotted(value);
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
    const Expr &callee = *value.operands[0];
    std::string name = callee.kind == ExprKind::Attribute ? callee.text : dotted(callee);
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

/// Remembers `name = literal` at the start of a statement.
void LaunchScanner::readAssignment(size_t at) {
  size_t end = at + 2;
  while (end < tokens_.size() && tokens_[end].kind != TokenKind::Newline &&
         tokens_[end].kind != TokenKind::End)
    ++end;
  std::string name(file_.text(tokens_[at].span));
  assigned_.erase(name);
  if (end > at + 8) // longer than any literal or x.stride(0)
    return;
  std::vector<Token> tokens(tokens_.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                            tokens_.begin() + static_cast<std::ptrdiff_t>(end));
  if (tokens.empty())
    return;
  uint32_t last = tokens.back().span.end;
  tokens.push_back({TokenKind::End, {last, last}});
  Diagnostics quiet;
  if (ExprPtr value = Parser(file_, tokens, quiet).parseWholeExpression())
    if (LaunchArgument argument = describe(*value); argument.kind != LaunchArgument::Kind::Unknown)
      assigned_[name] = argument;
}

void LaunchScanner::readCall(size_t name, size_t open, size_t close,
                             std::vector<Launch> &launches) {
  std::vector<Token> tokens{tokens_[name]};
  tokens.insert(tokens.end(), tokens_.begin() + static_cast<std::ptrdiff_t>(open),
                tokens_.begin() + static_cast<std::ptrdiff_t>(close) + 1);
  uint32_t end = tokens.back().span.end;
  tokens.push_back({TokenKind::End, {end, end}});
  Diagnostics quiet;
  ExprPtr call = Parser(file_, tokens, quiet).parseWholeExpression();
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
    if (!keyword.name.empty())
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
