#include "compiler/frontends/triton/Parser.h"

#include <algorithm>
#include <fmt/format.h>

namespace inlay::triton {

const Token &Parser::take() {
  const Token &token = peek();
  if (position_ + 1 < tokens_.size())
    ++position_;
  return token;
}

bool Parser::atAny(std::initializer_list<std::string_view> texts) const {
  return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) { return at(text); });
}

bool Parser::accept(std::string_view text) {
  if (!at(text))
    return false;
  take();
  return true;
}

bool Parser::expect(std::string_view text, std::string_view where) {
  if (accept(text))
    return true;
  errorExpected(fmt::format("'{}' {}", text, where));
  return false;
}

void Parser::error(Span span, std::string message) {
  if (!hasError_)
    diagnostics_.error(file_, span, std::move(message));
  hasError_ = true;
}

void Parser::errorExpected(std::string_view what) {
  const Token &token = peek();
  std::string found;
  switch (token.kind) {
  case TokenKind::Error:
    return error(token.span, token.message);
  case TokenKind::Newline:
    found = "the end of the line";
    break;
  case TokenKind::Indent:
    return error(token.span, "this line is indented more than the block it belongs to");
  case TokenKind::Dedent:
    found = "the end of the block";
    break;
  case TokenKind::End:
    found = "the end of the file";
    break;
  default:
    found = fmt::format("'{}'", textOf(token).substr(0, 40));
  }
  error(token.span, fmt::format("expected {}, found {}", what, found));
}

ExprPtr Parser::make(ExprKind kind, uint32_t begin, std::string text) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->span = {begin, begin};
  expr->text = std::move(text);
  return expr;
}

ExprPtr Parser::finish(ExprPtr expr) {
  expr->span.end = std::max(previousEnd(), expr->span.begin);
  for (const ExprPtr &operand : expr->operands)
    if (operand)
      expr->depth = std::max(expr->depth, operand->depth + 1);
  for (const Keyword &keyword : expr->keywords)
    if (keyword.value)
      expr->depth = std::max(expr->depth, keyword.value->depth + 1);
  if (expr->depth <= kMaxDepth)
    return expr;
  error(expr->span, fmt::format("this expression is deeper than {} operations", kMaxDepth));
  return nullptr;
}

ExprPtr Parser::parseWholeExpression() {
  ExprPtr expr = parseExpressionList();
  if (!expr || hasError_)
    return nullptr;
  if (peek().kind != TokenKind::End && peek().kind != TokenKind::Newline) {
    errorExpected("the end of the expression");
    return nullptr;
  }
  return expr;
}

/// a, b, *c: a tuple if there is a comma.
ExprPtr Parser::parseExpressionList(bool allowStar) {
  uint32_t begin = peek().span.begin;
  ExprPtr first = allowStar ? parseStarOrExpression() : parseExpression();
  if (!first || !at(","))
    return first;
  ExprPtr tuple = make(ExprKind::Tuple, begin);
  tuple->operands.push_back(std::move(first));
  while (accept(",")) {
    bool isEnd = peek().kind == TokenKind::Newline || peek().kind == TokenKind::End ||
                 atAny({")", "]", "}", "=", ":", ";"});
    if (isEnd)
      break;
    ExprPtr next = allowStar ? parseStarOrExpression() : parseExpression();
    if (!next)
      return nullptr;
    tuple->operands.push_back(std::move(next));
  }
  return finish(std::move(tuple));
}

/// Targets of `for` end at `in`, which a comparison would swallow.
ExprPtr Parser::parseTargetList() {
  uint32_t begin = peek().span.begin;
  ExprPtr first = parsePostfix();
  if (!first || !at(","))
    return first;
  ExprPtr tuple = make(ExprKind::Tuple, begin);
  tuple->operands.push_back(std::move(first));
  while (accept(",") && !at("in")) {
    ExprPtr next = parsePostfix();
    if (!next)
      return nullptr;
    tuple->operands.push_back(std::move(next));
  }
  return finish(std::move(tuple));
}

ExprPtr Parser::parseStarOrExpression() {
  if (!at("*"))
    return parseExpression();
  ExprPtr starred = make(ExprKind::Starred, take().span.begin);
  ExprPtr operand = parseBinary(0);
  if (!operand)
    return nullptr;
  starred->operands.push_back(std::move(operand));
  return finish(std::move(starred));
}

ExprPtr Parser::parseExpression() {
  DepthScope scope(*this);
  if (!scope)
    return nullptr;
  uint32_t begin = peek().span.begin;
  if (at("lambda"))
    return parseLambda();
  if (atAny({"await", "yield"})) {
    std::string what = fmt::format("'{}'", textOf(take()));
    if (peek().kind != TokenKind::Newline && !at(")"))
      parseExpression();
    return finish(make(ExprKind::Unsupported, begin, what));
  }
  ExprPtr value = parseOr();
  if (!value)
    return nullptr;
  if (at(":=") && value->kind == ExprKind::Name) {
    take();
    if (value->kind != ExprKind::Name) {
      error(value->span, "only a name can be assigned to by ':='");
      return nullptr;
    }
    ExprPtr assigned = parseExpression();
    if (!assigned)
      return nullptr;
    ExprPtr named = make(ExprKind::Named, begin);
    named->operands.push_back(std::move(value));
    named->operands.push_back(std::move(assigned));
    return finish(std::move(named));
  }
  if (!accept("if"))
    return value;
  ExprPtr test = parseOr();
  if (!test || !expect("else", "after the condition of 'a if c else b'"))
    return nullptr;
  ExprPtr other = parseExpression();
  if (!other)
    return nullptr;
  ExprPtr conditional = make(ExprKind::Conditional, begin);
  conditional->operands.push_back(std::move(test));
  conditional->operands.push_back(std::move(value));
  conditional->operands.push_back(std::move(other));
  return finish(std::move(conditional));
}

ExprPtr Parser::parseOr() { return parseBoolOp("or"); }

ExprPtr Parser::parseBoolOp(std::string_view op) {
  uint32_t begin = peek().span.begin;
  auto parseOperand = [&] { return op == "or" ? parseBoolOp("and") : parseNot(); };
  ExprPtr first = parseOperand();
  if (!first || !at(op))
    return first;
  ExprPtr expr = make(ExprKind::BoolOp, begin, std::string(op));
  expr->operands.push_back(std::move(first));
  while (accept(op)) {
    ExprPtr next = parseOperand();
    if (!next)
      return nullptr;
    expr->operands.push_back(std::move(next));
  }
  return finish(std::move(expr));
}

ExprPtr Parser::parseNot() {
  if (!at("not"))
    return parseComparison();
  DepthScope scope(*this);
  if (!scope)
    return nullptr;
  ExprPtr expr = make(ExprKind::Unary, take().span.begin, "not");
  ExprPtr operand = parseNot();
  if (!operand)
    return nullptr;
  expr->operands.push_back(std::move(operand));
  return finish(std::move(expr));
}

std::string Parser::parseComparisonOperator() {
  if (atAny({"<", ">", "<=", ">=", "==", "!=", "in"}))
    return std::string(textOf(take()));
  if (at("not") && textOf(peek(1)) == "in") {
    take();
    take();
    return "not in";
  }
  if (accept("is"))
    return accept("not") ? "is not" : "is";
  return {};
}

ExprPtr Parser::parseComparison() {
  uint32_t begin = peek().span.begin;
  ExprPtr first = parseBinary(0);
  if (!first)
    return nullptr;
  std::string op = parseComparisonOperator();
  if (op.empty())
    return first;
  ExprPtr expr = make(ExprKind::Compare, begin);
  expr->operands.push_back(std::move(first));
  for (; !op.empty(); op = parseComparisonOperator()) {
    expr->operators.push_back(op);
    ExprPtr next = parseBinary(0);
    if (!next)
      return nullptr;
    expr->operands.push_back(std::move(next));
  }
  return finish(std::move(expr));
}

namespace {

/// Binding strength of a binary operator; -1 if it is none.
int precedenceOf(std::string_view op) {
  if (op == "|")
    return 0;
  if (op == "^")
    return 1;
  if (op == "&")
    return 2;
  if (op == "<<" || op == ">>")
    return 3;
  if (op == "+" || op == "-")
    return 4;
  if (op == "*" || op == "/" || op == "//" || op == "%" || op == "@")
    return 5;
  return -1;
}

} // namespace

ExprPtr Parser::parseBinary(int minPrecedence) {
  uint32_t begin = peek().span.begin;
  ExprPtr left = parseUnary();
  while (left && peek().kind == TokenKind::Operator) {
    std::string op(textOf(peek()));
    int precedence = precedenceOf(op);
    if (precedence < minPrecedence)
      break;
    take();
    ExprPtr right = parseBinary(precedence + 1);
    if (!right)
      return nullptr;
    ExprPtr expr = make(ExprKind::Binary, begin, op);
    expr->operands.push_back(std::move(left));
    expr->operands.push_back(std::move(right));
    left = finish(std::move(expr));
  }
  return left;
}

ExprPtr Parser::parseUnary() {
  uint32_t begin = peek().span.begin;
  if (atAny({"-", "+", "~"})) {
    DepthScope scope(*this);
    if (!scope)
      return nullptr;
    ExprPtr expr = make(ExprKind::Unary, begin, std::string(textOf(take())));
    ExprPtr operand = parseUnary();
    if (!operand)
      return nullptr;
    expr->operands.push_back(std::move(operand));
    return finish(std::move(expr));
  }
  ExprPtr base = parsePostfix();
  if (!base || !accept("**"))
    return base;
  DepthScope scope(*this);
  ExprPtr exponent = scope ? parseUnary() : nullptr;
  if (!exponent)
    return nullptr;
  ExprPtr expr = make(ExprKind::Binary, begin, "**");
  expr->operands.push_back(std::move(base));
  expr->operands.push_back(std::move(exponent));
  return finish(std::move(expr));
}

ExprPtr Parser::parsePostfix() {
  uint32_t begin = peek().span.begin;
  ExprPtr expr = parseAtom();
  while (expr && !hasError_ && atAny({"(", "[", "."})) {
    ExprPtr outer;
    if (accept(".")) {
      if (peek().kind != TokenKind::Name) {
        errorExpected("an attribute name after '.'");
        return nullptr;
      }
      outer = make(ExprKind::Attribute, begin, std::string(textOf(take())));
      outer->operands.push_back(std::move(expr));
    } else if (accept("[")) {
      outer = make(ExprKind::Subscript, begin);
      outer->operands.push_back(std::move(expr));
      ExprPtr index = parseSubscriptIndex();
      if (!index || !expect("]", "after the index"))
        return nullptr;
      outer->operands.push_back(std::move(index));
    } else {
      take();
      outer = make(ExprKind::Call, begin);
      outer->operands.push_back(std::move(expr));
      if (!parseCallArguments(*outer))
        return nullptr;
    }
    expr = finish(std::move(outer));
  }
  return expr;
}

bool Parser::parseCallArguments(Expr &call) {
  while (!at(")")) {
    uint32_t begin = peek().span.begin;
    if (accept("**")) {
      ExprPtr value = parseExpression();
      if (!value)
        return false;
      call.keywords.push_back({"", std::move(value), {begin, previousEnd()}});
    } else if (peek().kind == TokenKind::Name && textOf(peek(1)) == "=" &&
               peek(1).kind == TokenKind::Operator) {
      std::string name(textOf(take()));
      take();
      ExprPtr value = parseExpression();
      if (!value)
        return false;
      call.keywords.push_back({std::move(name), std::move(value), {begin, previousEnd()}});
    } else {
      ExprPtr value = parseStarOrExpression();
      if (!value)
        return false;
      if (atAny({"for", "async"})) {
        ExprPtr generator = make(ExprKind::ListComprehension, begin);
        generator->operands.push_back(std::move(value));
        if (!parseClauses(*generator))
          return false;
        value = finish(std::move(generator));
        if (!value)
          return false;
      }
      if (!call.keywords.empty() && value->kind != ExprKind::Starred) {
        error(value->span, "a positional argument cannot follow keyword arguments");
        return false;
      }
      call.operands.push_back(std::move(value));
    }
    if (!accept(","))
      break;
  }
  return expect(")", "after the arguments");
}

ExprPtr Parser::parseSubscriptIndex() {
  uint32_t begin = peek().span.begin;
  ExprPtr first = parseSlice();
  if (!first || !at(","))
    return first;
  ExprPtr tuple = make(ExprKind::Tuple, begin);
  tuple->operands.push_back(std::move(first));
  while (accept(",") && !at("]")) {
    ExprPtr next = parseSlice();
    if (!next)
      return nullptr;
    tuple->operands.push_back(std::move(next));
  }
  return finish(std::move(tuple));
}

ExprPtr Parser::parseSlice() {
  uint32_t begin = peek().span.begin;
  ExprPtr lower;
  if (!at(":")) {
    lower = parseStarOrExpression();
    if (!lower || !at(":"))
      return lower;
  }
  ExprPtr slice = make(ExprKind::Slice, begin);
  slice->operands.push_back(std::move(lower));
  for (int i = 0; i < 2; ++i) {
    slice->operands.push_back(nullptr);
    if ((i == 0 || at(":")) && accept(":") && !atAny({":", ",", "]"})) {
      slice->operands.back() = parseExpression();
      if (!slice->operands.back())
        return nullptr;
    }
  }
  return finish(std::move(slice));
}

ExprPtr Parser::parseAtom() {
  const Token &token = peek();
  uint32_t begin = token.span.begin;
  switch (token.kind) {
  case TokenKind::Integer:
    return finish(make(ExprKind::Integer, begin, std::string(textOf(take()))));
  case TokenKind::Float:
    return finish(make(ExprKind::Float, begin, std::string(textOf(take()))));
  case TokenKind::Imaginary:
    take();
    return finish(make(ExprKind::Unsupported, begin, "a complex number"));
  case TokenKind::String:
  case TokenKind::FString:
    return parseStrings();
  case TokenKind::Name:
    if (atAny({"True", "False", "None"}))
      return finish(make(ExprKind::Constant, begin, std::string(textOf(take()))));
    if (isKeyword(textOf(token)))
      break;
    return finish(make(ExprKind::Name, begin, std::string(textOf(take()))));
  default:
    if (at("("))
      return parseParenthesised();
    if (at("["))
      return parseListDisplay();
    if (at("{"))
      return parseBraces();
    if (accept("..."))
      return finish(make(ExprKind::Constant, begin, "..."));
  }
  errorExpected("an expression");
  return nullptr;
}

ExprPtr Parser::parseParenthesised() {
  uint32_t begin = take().span.begin;
  if (accept(")"))
    return finish(make(ExprKind::Tuple, begin));
  ExprPtr inner = parseExpressionList();
  if (!inner)
    return nullptr;
  if (atAny({"for", "async"})) {
    ExprPtr generator = make(ExprKind::ListComprehension, begin);
    generator->operands.push_back(std::move(inner));
    if (!parseClauses(*generator))
      return nullptr;
    inner = finish(std::move(generator));
    if (!inner)
      return nullptr;
  }
  if (!expect(")", "to close the parenthesis"))
    return nullptr;
  inner->span = {begin, previousEnd()};
  return inner;
}

ExprPtr Parser::parseListDisplay() {
  uint32_t begin = take().span.begin;
  ExprPtr list = make(ExprKind::List, begin);
  while (!at("]")) {
    ExprPtr element = parseStarOrExpression();
    if (!element)
      return nullptr;
    list->operands.push_back(std::move(element));
    if (list->operands.size() == 1 && atAny({"for", "async"})) {
      list->kind = ExprKind::ListComprehension;
      if (!parseClauses(*list))
        return nullptr;
      break;
    }
    if (!accept(","))
      break;
  }
  if (!expect("]", "to close the list"))
    return nullptr;
  return finish(std::move(list));
}

bool Parser::parseClauses(Expr &comprehension) {
  auto add = [&](const char *role, ExprPtr part) {
    comprehension.operands.push_back(std::move(part));
    comprehension.operators.emplace_back(role);
    return comprehension.operands.back() != nullptr;
  };
  while (atAny({"for", "async", "if"})) {
    if (accept("if")) {
      if (!add("if", parseOr()))
        return false;
      continue;
    }
    accept("async");
    if (!expect("for", "after 'async'") || !add("for", parseTargetList()) ||
        !expect("in", "after the target of 'for'") || !add("in", parseOr()))
      return false;
  }
  return true;
}

/// Dict and set displays and comprehensions. A set is read as a list: it is only searched.
ExprPtr Parser::parseBraces() {
  uint32_t begin = take().span.begin;
  if (accept("}"))
    return finish(make(ExprKind::Dict, begin));
  if (at("**"))
    return parseDictRest(make(ExprKind::Dict, begin));
  ExprPtr first = parseStarOrExpression();
  if (!first)
    return nullptr;
  if (at(":")) {
    ExprPtr dict = make(ExprKind::Dict, begin);
    dict->operands.push_back(std::move(first));
    return parseDictRest(std::move(dict));
  }
  ExprPtr set = make(ExprKind::List, begin);
  set->operands.push_back(std::move(first));
  if (atAny({"for", "async"})) {
    set->kind = ExprKind::ListComprehension;
    if (!parseClauses(*set))
      return nullptr;
  }
  while (accept(",") && !at("}")) {
    set->operands.push_back(parseStarOrExpression());
    if (!set->operands.back())
      return nullptr;
  }
  if (!expect("}", "to close the brace"))
    return nullptr;
  return finish(std::move(set));
}

/// After the brace, or after the first key.
ExprPtr Parser::parseDictRest(ExprPtr dict) {
  for (bool isFirst = true; !at("}"); isFirst = false) {
    bool hasKey = isFirst && !dict->operands.empty();
    if (!hasKey && accept("**")) {
      dict->operands.push_back(nullptr);
      dict->operands.push_back(parseBinary(0));
    } else {
      if (!hasKey)
        dict->operands.push_back(parseExpression());
      if (!dict->operands.back() || !expect(":", "after the key"))
        return nullptr;
      dict->operands.push_back(parseExpression());
      if (isFirst && dict->operands.back() && atAny({"for", "async"})) {
        dict->kind = ExprKind::DictComprehension;
        if (!parseClauses(*dict))
          return nullptr;
        break;
      }
    }
    if (!dict->operands.back())
      return nullptr;
    if (!accept(","))
      break;
  }
  if (!expect("}", "to close the brace"))
    return nullptr;
  return finish(std::move(dict));
}

ExprPtr Parser::parseLambda() {
  uint32_t begin = take().span.begin;
  ExprPtr lambda = make(ExprKind::Lambda, begin);
  bool isSimple = true; // no *args
  while (!at(":")) {
    isSimple &= !accept("*") && !accept("**") && !accept("/");
    Keyword parameter;
    parameter.span = peek().span;
    if (peek().kind == TokenKind::Name && !isKeyword(textOf(peek())))
      parameter.name = std::string(textOf(take()));
    if (accept("=")) {
      parameter.value = parseExpression();
      if (!parameter.value)
        return nullptr;
    }
    if (!parameter.name.empty())
      lambda->keywords.push_back(std::move(parameter));
    if (!accept(","))
      break;
  }
  if (!expect(":", "after the parameters of 'lambda'"))
    return nullptr;
  lambda->operands.push_back(parseExpression());
  if (!lambda->operands.back())
    return nullptr;
  if (!isSimple) {
    lambda->kind = ExprKind::Unsupported;
    lambda->text = "a lambda with '*'";
  }
  return finish(std::move(lambda));
}

} // namespace inlay::triton
