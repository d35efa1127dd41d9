// String literals: concatenation, escapes, and the replacement fields of f-strings.
#include "compiler/frontends/triton/Parser.h"

#include <fmt/format.h>

namespace inlay::triton {

namespace {

void appendUtf8(std::string &out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

int digitValue(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
    return (c | 0x20) - 'a' + 10;
  return 99;
}

/// Reads exactly or at most `count` digits of a base from `text` at `i`; -1 if an exact count is
/// not there.
int64_t readDigits(std::string_view text, size_t &i, int base, size_t count, bool isExact) {
  int64_t value = 0;
  size_t read = 0;
  for (; read < count && i < text.size() && digitValue(text[i]) < base; ++read, ++i)
    value = value * base + digitValue(text[i]);
  return isExact && read < count ? -1 : value;
}

char simpleEscape(char c) {
  switch (c) {
  case 'a':
    return '\a';
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  case 'v':
    return '\v';
  case '\\':
  case '\'':
  case '"':
    return c;
  default:
    return '\0';
  }
}

} // namespace

/// Resolves escapes (and the doubled braces of an f-string) in [content).
bool Parser::decodeString(Span content, bool isRaw, bool isFormatted, std::string &value) {
  std::string_view text = file_.text(content);
  for (size_t i = 0; i < text.size();) {
    char c = text[i++];
    if (isFormatted && (c == '{' || c == '}') && i < text.size() && text[i] == c)
      ++i;
    if (c != '\\' || isRaw || i == text.size()) {
      value += c;
      continue;
    }
    size_t escape = i - 1;
    char kind = text[i++];
    int64_t code = -2;
    if (kind == '\n')
      continue;
    if (kind == '\r') {
      i += i < text.size() && text[i] == '\n' ? 1 : 0;
      continue;
    }
    if (char simple = simpleEscape(kind); simple != '\0') {
      value += simple;
      continue;
    }
    if (kind >= '0' && kind <= '7')
      code = readDigits(text, --i, 8, 3, false);
    else if (kind == 'x')
      code = readDigits(text, i, 16, 2, true);
    else if (kind == 'u')
      code = readDigits(text, i, 16, 4, true);
    else if (kind == 'U')
      code = readDigits(text, i, 16, 8, true);
    if (code == -1 || code > 0x10FFFF) {
      uint32_t at = content.begin + static_cast<uint32_t>(escape);
      error({at, at + 2}, fmt::format("'\\{}' is not followed by the digits of a character", kind));
      return false;
    }
    if (code >= 0) {
      appendUtf8(value, static_cast<uint32_t>(code));
    } else {
      value += '\\'; // an unknown escape stands for itself
      value += kind;
    }
  }
  return true;
}

/// Adjacent literals: one String, or an FString of parts.
ExprPtr Parser::parseStrings() {
  uint32_t begin = peek().span.begin;
  ExprPtr result = make(ExprKind::FString, begin);
  bool isFormatted = false;
  while (peek().kind == TokenKind::String || peek().kind == TokenKind::FString) {
    isFormatted |= peek().kind == TokenKind::FString;
    if (!parseStringToken(take(), result->operands))
      return nullptr;
  }
  if (isFormatted)
    return finish(std::move(result));
  ExprPtr string = make(ExprKind::String, begin);
  for (const ExprPtr &part : result->operands)
    string->text += part->text;
  return finish(std::move(string));
}

bool Parser::parseStringToken(const Token &token, std::vector<ExprPtr> &parts) {
  std::string_view text = textOf(token);
  size_t prefix = text.find_first_of("\"'");
  bool isRaw = text.substr(0, prefix).find_first_of("rR") != std::string_view::npos;
  bool isBytes = text.substr(0, prefix).find_first_of("bB") != std::string_view::npos;
  uint32_t quotes = text.size() >= prefix + 6 && text[prefix + 1] == text[prefix] &&
                            text[prefix + 2] == text[prefix]
                        ? 3
                        : 1;
  Span content{token.span.begin + static_cast<uint32_t>(prefix) + quotes, token.span.end - quotes};
  if (isBytes) {
    parts.push_back(finish(make(ExprKind::Unsupported, token.span.begin, "a bytes literal")));
    return true;
  }
  if (token.kind == TokenKind::FString)
    return parseFormattedParts(token, content, isRaw, parts);
  ExprPtr part = make(ExprKind::String, token.span.begin);
  if (!decodeString(content, isRaw, false, part->text))
    return false;
  parts.push_back(finish(std::move(part)));
  return true;
}

bool Parser::parseFormattedParts(const Token &token, Span content, bool isRaw,
                                 std::vector<ExprPtr> &parts) {
  DepthScope scope(*this);
  if (!scope)
    return false;
  std::string_view text = file_.text();
  uint32_t literalBegin = content.begin;
  auto flush = [&](uint32_t end) {
    ExprPtr part = make(ExprKind::String, literalBegin);
    bool isGood = decodeString({literalBegin, end}, isRaw, true, part->text);
    if (isGood && !part->text.empty())
      parts.push_back(finish(std::move(part)));
    return isGood;
  };
  for (uint32_t i = content.begin; i < content.end;) {
    if (text[i] == '\\' && !isRaw) {
      i += 2;
    } else if (text[i] != '{') {
      ++i;
    } else if (i + 1 < content.end && text[i + 1] == '{') {
      i += 2;
    } else {
      if (!flush(i))
        return false;
      uint32_t begin = i + 1;
      uint32_t end = findFieldEnd(file_, begin, content.end);
      uint32_t close = end;
      for (int depth = 0; close < content.end && (text[close] != '}' || depth > 0); ++close)
        depth += text[close] == '{' ? 1 : text[close] == '}' ? -1 : 0;
      if (close >= content.end) {
        error({i, i + 1}, "this '{' of an f-string is not closed");
        return false;
      }
      std::vector<Token> tokens = tokenizeExpression(file_, {begin, end});
      Parser inner(file_, tokens, diagnostics_);
      inner.depth_ = depth_;
      ExprPtr value = inner.parseWholeExpression();
      if (!value) {
        error({begin, end}, "this replacement field is not an expression");
        hasError_ = true;
        return false;
      }
      ExprPtr field = make(ExprKind::Formatted, begin, std::string(text.substr(end, close - end)));
      field->operands.push_back(std::move(value));
      parts.push_back(finish(std::move(field)));
      i = literalBegin = close + 1;
    }
  }
  (void)token;
  return flush(content.end);
}

} // namespace inlay::triton
