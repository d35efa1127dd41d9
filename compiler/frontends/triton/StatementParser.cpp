// Statements and function definitions.
#include "compiler/frontends/triton/Parser.h"

#include <algorithm>
#include <fmt/format.h>

namespace inlay::triton {

namespace {

constexpr std::string_view kCompoundUnsupported[] = {"try", "def", "class", "async", "@", "match"};

StmtPtr makeStatement(StmtKind kind, uint32_t begin, std::string text = {}) {
  auto stmt = std::make_unique<Stmt>();
  stmt->kind = kind;
  stmt->span = {begin, begin};
  stmt->text = std::move(text);
  return stmt;
}

} // namespace

/// Counts nesting of blocks; see the class of the same purpose for expressions.
struct BlockDepth {
  explicit BlockDepth(uint32_t &depth) : depth_(depth) { ++depth_; }
  ~BlockDepth() { --depth_; }
  BlockDepth(const BlockDepth &) = delete;
  BlockDepth &operator=(const BlockDepth &) = delete;
  uint32_t &depth_;
};

/// Moves behind the current statement, its block included.
void Parser::skipToStatementEnd() {
  while (peek().kind != TokenKind::Newline && peek().kind != TokenKind::End)
    take();
  if (peek().kind == TokenKind::Newline)
    take();
  int depth = 0;
  while (peek().kind == TokenKind::Indent || depth > 0) {
    TokenKind kind = peek().kind;
    if (kind == TokenKind::End)
      return;
    depth += kind == TokenKind::Indent ? 1 : kind == TokenKind::Dedent ? -1 : 0;
    take();
  }
}

std::unique_ptr<Function> Parser::parseFunction() {
  auto function = std::make_unique<Function>();
  size_t errorsBefore = diagnostics_.count();
  while (accept("@")) {
    if (ExprPtr decorator = parseExpression())
      function->decorators.push_back(std::move(decorator));
    if (hasError_)
      return nullptr;
    if (peek().kind == TokenKind::Newline)
      take();
  }
  accept("async");
  if (!expect("def", "to begin a function"))
    return nullptr;
  if (peek().kind != TokenKind::Name || isKeyword(textOf(peek()))) {
    errorExpected("the function's name");
    return nullptr;
  }
  function->nameSpan = peek().span;
  function->name = std::string(textOf(take()));
  if (!expect("(", "after the function's name") || !parseParameters(*function))
    return nullptr;
  if (accept("->") && !parseExpression())
    return nullptr;
  if (!at(":")) {
    errorExpected("':' after the function's parameters");
    return nullptr;
  }
  function->body = parseSuite();
  return diagnostics_.count() == errorsBefore ? std::move(function) : nullptr;
}

bool Parser::parseParameters(Function &function) {
  Parameter::Kind kind = Parameter::Kind::Positional;
  while (!at(")")) {
    if (!parseParameter(function, kind))
      return false;
    if (!accept(","))
      break;
  }
  return expect(")", "after the parameters");
}

bool Parser::parseParameter(Function &function, Parameter::Kind &kind) {
  if (accept("/"))
    return true;
  Parameter parameter;
  if (accept("**")) {
    parameter.kind = Parameter::Kind::StarStar;
  } else if (accept("*")) {
    kind = Parameter::Kind::KeywordOnly;
    if (at(","))
      return true;
    parameter.kind = Parameter::Kind::Star;
  } else {
    parameter.kind = kind;
  }
  if (peek().kind != TokenKind::Name || isKeyword(textOf(peek()))) {
    errorExpected("a parameter's name");
    return false;
  }
  parameter.span = peek().span;
  parameter.name = std::string(textOf(take()));
  for (const Parameter &other : function.parameters)
    if (other.name == parameter.name) {
      error(parameter.span, fmt::format("there are two parameters named '{}'", parameter.name));
      return false;
    }
  if (accept(":") && !(parameter.annotation = parseExpression()))
    return false;
  if (accept("=") && !(parameter.defaultValue = parseExpression()))
    return false;
  function.parameters.push_back(std::move(parameter));
  return true;
}

/// ':' and then an indented block or statements on the same line.
std::vector<StmtPtr> Parser::parseSuite() {
  std::vector<StmtPtr> body;
  BlockDepth scope(depth_);
  if (depth_ > kMaxDepth) {
    error(peek().span, fmt::format("this is nested deeper than {} levels", kMaxDepth));
    skipToStatementEnd();
    return body;
  }
  if (!expect(":", "before a block")) {
    skipToStatementEnd();
    return body;
  }
  if (peek().kind != TokenKind::Newline) {
    parseStatementLine(body);
    return body;
  }
  take();
  if (peek().kind != TokenKind::Indent) {
    errorExpected("an indented block");
    return body;
  }
  take();
  while (peek().kind != TokenKind::Dedent && peek().kind != TokenKind::End)
    parseStatementLine(body);
  if (peek().kind == TokenKind::Dedent)
    take();
  return body;
}

/// One compound statement, or simple statements separated by ';'. Recovers from errors at the
/// statement's end.
void Parser::parseStatementLine(std::vector<StmtPtr> &into) {
  hasError_ = false;
  size_t begin = position_;
  StmtPtr stmt;
  if (peek().kind == TokenKind::Newline) {
    take(); // left by error recovery
    return;
  }
  if (peek().kind == TokenKind::Indent) {
    errorExpected("a statement");
    take();
    while (peek().kind != TokenKind::Dedent && peek().kind != TokenKind::End)
      parseStatementLine(into);
    take();
    return;
  }
  bool isCompound = atAny({"if", "for", "while", "with"}) ||
                    std::any_of(std::begin(kCompoundUnsupported), std::end(kCompoundUnsupported),
                                [&](std::string_view word) { return word != "match" && at(word); });
  if (isCompound) {
    stmt = parseCompoundStatement();
    if (stmt && !hasError_)
      into.push_back(std::move(stmt));
    if (position_ == begin)
      take();
    hasError_ = false;
    return;
  }
  do {
    if (peek().kind == TokenKind::Newline)
      break;
    stmt = parseSimpleStatement();
    if (!stmt || hasError_) {
      skipToStatementEnd();
      hasError_ = false;
      return;
    }
    stmt->span.end = previousEnd();
    into.push_back(std::move(stmt));
  } while (accept(";"));
  if (peek().kind == TokenKind::Newline) {
    take();
  } else if (peek().kind != TokenKind::End && peek().kind != TokenKind::Dedent) {
    errorExpected("the end of the statement");
    skipToStatementEnd();
  }
  hasError_ = false;
}

StmtPtr Parser::parseSimpleStatement() {
  uint32_t begin = peek().span.begin;
  if (accept("pass"))
    return makeStatement(StmtKind::Pass, begin);
  if (accept("return")) {
    StmtPtr stmt = makeStatement(StmtKind::Return, begin);
    bool isBare = peek().kind == TokenKind::Newline || peek().kind == TokenKind::End || at(";");
    if (!isBare && !(stmt->value = parseExpressionList()))
      return nullptr;
    return stmt;
  }
  if (accept("assert")) {
    StmtPtr stmt = makeStatement(StmtKind::Assert, begin);
    if (!(stmt->value = parseExpression()) || (accept(",") && !(stmt->message = parseExpression())))
      return nullptr;
    return stmt;
  }
  if (accept("del")) {
    StmtPtr stmt = makeStatement(StmtKind::Delete, begin);
    do {
      ExprPtr target = parsePostfix();
      if (!target)
        return nullptr;
      stmt->targets.push_back(std::move(target));
    } while (accept(","));
    return stmt;
  }
  for (std::string_view word :
       {"break", "continue", "global", "nonlocal", "raise", "import", "from"}) {
    if (!at(word))
      continue;
    take();
    while (peek().kind != TokenKind::Newline && peek().kind != TokenKind::End && !at(";"))
      take();
    return makeStatement(StmtKind::Unsupported, begin, fmt::format("'{}'", word));
  }
  return parseAssignment();
}

StmtPtr Parser::parseAssignment() {
  uint32_t begin = peek().span.begin;
  ExprPtr first = parseExpressionList();
  if (!first)
    return nullptr;
  if (accept(":")) {
    StmtPtr stmt = makeStatement(StmtKind::AnnotatedAssign, begin);
    stmt->targets.push_back(std::move(first));
    if (!(stmt->annotation = parseExpression()) ||
        (accept("=") && !(stmt->value = parseExpressionList())))
      return nullptr;
    return stmt;
  }
  if (at("=")) {
    StmtPtr stmt = makeStatement(StmtKind::Assign, begin);
    stmt->value = std::move(first);
    while (accept("=")) {
      stmt->targets.push_back(std::move(stmt->value));
      if (!(stmt->value = parseExpressionList()))
        return nullptr;
    }
    return stmt;
  }
  for (std::string_view op :
       {"+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**="}) {
    if (!accept(op))
      continue;
    StmtPtr stmt =
        makeStatement(StmtKind::AugmentedAssign, begin, std::string(op.substr(0, op.size() - 1)));
    stmt->targets.push_back(std::move(first));
    if (!(stmt->value = parseExpressionList()))
      return nullptr;
    return stmt;
  }
  StmtPtr stmt = makeStatement(StmtKind::Expression, begin);
  stmt->value = std::move(first);
  return stmt;
}

StmtPtr Parser::parseCompoundStatement() {
  if (at("if"))
    return parseIf();
  if (at("for"))
    return parseFor();
  if (at("while"))
    return parseWhile();
  if (at("with"))
    return parseWith();
  return parseUnsupportedCompound(fmt::format("'{}'", textOf(peek())));
}

/// `if` or `elif`; an `elif` becomes an `if` in the else part.
StmtPtr Parser::parseIf() {
  BlockDepth scope(depth_); // an elif nests in its if
  if (depth_ > kMaxDepth) {
    error(peek().span, fmt::format("this is nested deeper than {} levels", kMaxDepth));
    skipToStatementEnd();
    return nullptr;
  }
  StmtPtr stmt = makeStatement(StmtKind::If, take().span.begin);
  if (!(stmt->value = parseExpression())) {
    skipToStatementEnd();
    return nullptr;
  }
  stmt->span.end = previousEnd();
  stmt->body = parseSuite();
  if (at("elif")) {
    if (StmtPtr nested = parseIf())
      stmt->orElse.push_back(std::move(nested));
  } else {
    stmt->orElse = parseElse();
  }
  return stmt;
}

std::vector<StmtPtr> Parser::parseElse() {
  if (!accept("else"))
    return {};
  return parseSuite();
}

StmtPtr Parser::parseFor() {
  StmtPtr stmt = makeStatement(StmtKind::For, take().span.begin);
  ExprPtr target = parseTargetList();
  if (!target || !expect("in", "after the target of 'for'") ||
      !(stmt->value = parseExpressionList())) {
    skipToStatementEnd();
    return nullptr;
  }
  stmt->targets.push_back(std::move(target));
  stmt->span.end = previousEnd();
  stmt->body = parseSuite();
  stmt->orElse = parseElse();
  return stmt;
}

StmtPtr Parser::parseWhile() {
  StmtPtr stmt = makeStatement(StmtKind::While, take().span.begin);
  if (!(stmt->value = parseExpression())) {
    skipToStatementEnd();
    return nullptr;
  }
  stmt->span.end = previousEnd();
  stmt->body = parseSuite();
  stmt->orElse = parseElse();
  return stmt;
}

StmtPtr Parser::parseWith() {
  StmtPtr stmt = makeStatement(StmtKind::With, take().span.begin);
  do {
    ExprPtr context = parseExpression();
    if (!context || (accept("as") && !parseTargetList())) {
      skipToStatementEnd();
      return nullptr;
    }
    if (!stmt->value)
      stmt->value = std::move(context);
  } while (accept(","));
  stmt->span.end = previousEnd();
  stmt->body = parseSuite();
  return stmt;
}

/// try, def, class and decorators inside a kernel: kept as one statement, reported only if
/// the kernel reaches it.
StmtPtr Parser::parseUnsupportedCompound(std::string what) {
  StmtPtr stmt = makeStatement(StmtKind::Unsupported, peek().span.begin, std::move(what));
  do {
    while (peek().kind != TokenKind::Newline && peek().kind != TokenKind::End) {
      if (peek().kind == TokenKind::Error) {
        errorExpected("a statement");
        skipToStatementEnd();
        return nullptr;
      }
      take();
    }
    if (stmt->span.end == stmt->span.begin)
      stmt->span.end = previousEnd();
    skipToStatementEnd();
  } while (atAny({"except", "finally", "else"}) ||
           (stmt->text == "'@'" && atAny({"def", "@", "class", "async"})));
  return stmt;
}

} // namespace inlay::triton
