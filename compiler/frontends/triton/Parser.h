// Parses expressions, statements and functions from tokens.
#pragma once

#include "compiler/frontends/triton/Ast.h"
#include "compiler/frontends/triton/Lexer.h"

#include <fmt/format.h>
#include <initializer_list>
#include <span>

namespace inlay::triton {

/// Recursive descent over a run of tokens. Errors go to the diagnostics; after the first one in a
/// statement the parser skips to the next statement, so several are found in one go. Nesting deeper
/// than kMaxDepth is an error.
class Parser {
public:
  static constexpr uint32_t kMaxDepth = 200;

  /// Borrows all three; `tokens` must end with a token of kind End or be followed by one.
  Parser(const SourceFile &file, std::span<const Token> tokens, Diagnostics &diagnostics)
      : file_(file), tokens_(tokens), diagnostics_(diagnostics) {}

  /// Parses decorators, header and body of a `def` and expects nothing after it; null after errors.
  std::unique_ptr<Function> parseFunction();
  /// Parses one expression (a tuple without parentheses too) and expects nothing after it; null
  /// after errors.
  ExprPtr parseWholeExpression();

private:
  // Statements (StatementParser.cpp).
  std::vector<StmtPtr> parseSuite();
  void parseStatementLine(std::vector<StmtPtr> &into);
  StmtPtr parseSimpleStatement();
  StmtPtr parseCompoundStatement();
  StmtPtr parseIf();
  StmtPtr parseFor();
  StmtPtr parseWhile();
  StmtPtr parseWith();
  StmtPtr parseUnsupportedCompound(std::string what);
  StmtPtr parseAssignment();
  std::vector<StmtPtr> parseElse();
  bool parseParameters(Function &function);
  bool parseParameter(Function &function, Parameter::Kind &kind);
  void skipToStatementEnd();

  // Expressions (Parser.cpp).
  ExprPtr parseExpressionList(bool allowStar = true);
  ExprPtr parseTargetList();
  ExprPtr parseStarOrExpression();
  ExprPtr parseExpression();
  ExprPtr parseOr();
  ExprPtr parseBoolOp(std::string_view op);
  ExprPtr parseNot();
  ExprPtr parseComparison();
  ExprPtr parseBinary(int minPrecedence);
  ExprPtr parseUnary();
  ExprPtr parsePostfix();
  ExprPtr parseAtom();
  ExprPtr parseParenthesised();
  ExprPtr parseListDisplay();
  ExprPtr parseBraces();
  /// At "for": reads the clauses of a comprehension into it.
  bool parseClauses(Expr &comprehension);
  ExprPtr parseDictRest(ExprPtr dict);
  ExprPtr parseLambda();
  ExprPtr parseStrings();
  bool parseStringToken(const Token &token, std::vector<ExprPtr> &parts);
  bool parseFormattedParts(const Token &token, Span content, bool isRaw,
                           std::vector<ExprPtr> &parts);
  bool decodeString(Span content, bool isRaw, bool isFormatted, std::string &value);
  bool parseCallArguments(Expr &call);
  ExprPtr parseSubscriptIndex();
  ExprPtr parseSlice();
  std::string parseComparisonOperator();

  // Tokens.
  const Token &peek(size_t ahead = 0) const {
    return tokens_[position_ + ahead < tokens_.size() ? position_ + ahead : tokens_.size() - 1];
  }
  std::string_view textOf(const Token &token) const { return file_.text(token.span); }
  bool at(std::string_view text) const {
    return (peek().kind == TokenKind::Operator || peek().kind == TokenKind::Name) &&
           textOf(peek()) == text;
  }
  bool atAny(std::initializer_list<std::string_view> texts) const;
  bool accept(std::string_view text);
  bool expect(std::string_view text, std::string_view where);
  const Token &take();
  uint32_t previousEnd() const { return position_ == 0 ? 0 : tokens_[position_ - 1].span.end; }
  /// Reports "expected <what>, found <token>" at the current token.
  void errorExpected(std::string_view what);
  void error(Span span, std::string message);

  ExprPtr make(ExprKind kind, uint32_t begin, std::string text = {});
  /// Finishes a node: sets its end and depth; null (with an error) if it is too deep.
  ExprPtr finish(ExprPtr expr);

  const SourceFile &file_;
  std::span<const Token> tokens_;
  Diagnostics &diagnostics_;
  size_t position_ = 0;
  uint32_t depth_ = 0;
  bool hasError_ = false; // in the current statement

  friend class DepthScope;
};

/// Counts the parser's recursion; converts to false, after an error, where it is too deep.
class DepthScope {
public:
  explicit DepthScope(Parser &parser) : parser_(parser) {
    if (++parser_.depth_ > Parser::kMaxDepth)
      parser_.error(parser_.peek().span,
                    fmt::format("this is nested deeper than {} levels", Parser::kMaxDepth));
  }
  ~DepthScope() { --parser_.depth_; }
  DepthScope(const DepthScope &) = delete;
  DepthScope &operator=(const DepthScope &) = delete;
  explicit operator bool() const { return parser_.depth_ <= Parser::kMaxDepth; }

private:
  Parser &parser_;
};

} // namespace inlay::triton
