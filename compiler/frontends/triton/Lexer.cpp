#include "compiler/frontends/triton/Lexer.h"

#include <algorithm>
#include <array>

namespace inlay::triton {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isHighByte(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool isNameByte(char c) { return isAlpha(c) || isDigit(c) || isHighByte(c); }
bool isHexDigit(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Longest first.
constexpr std::array<std::string_view, 47> kOperators = {
    "**=", "//=", ">>=", "<<=", "...", "!=", "**", "//", ">>", "<<", "<=", ">=",
    "==",  "->",  ":=",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "@=",
    "+",   "-",   "*",   "/",   "%",   "@",  "&",  "|",  "^",  "~",  "<",  ">",
    "(",   ")",   "[",   "]",   "{",   "}",  ",",  ":",  ".",  ";",  "="};

constexpr std::array<std::string_view, 35> kKeywords = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

/// How deep f-strings may nest in their own replacement fields.
constexpr int kMaxStringNesting = 8;

class Lexer {
public:
  Lexer(const SourceFile &file, Span span, bool inBrackets)
      : text_(file.text().substr(0, span.end)), position_(span.begin), isExpression_(inBrackets) {}

  std::vector<Token> run();
  /// Skips one string literal that begins (with its prefix) at `position`; false if it does not
  /// end.
  bool skipString(uint32_t &position, bool isFormatted, int nesting);
  uint32_t fieldEnd(uint32_t position, int nesting, bool isMultiline, bool stopAtFormat);

private:
  bool atEnd() const { return position_ >= text_.size(); }
  char peek(uint32_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  void add(TokenKind kind, uint32_t begin) { tokens_.push_back({kind, {begin, position_}}); }
  void addError(uint32_t begin, const char *message) {
    tokens_.push_back({TokenKind::Error, {begin, position_}, message});
  }
  bool skipLineEnd();
  void beginLine();
  void indentTo(uint32_t width);
  bool isStatementStart() const;
  void lexToken();
  void lexNumber();
  void lexName();
  void lexOperator();
  size_t stringPrefixLength() const;

  std::string_view text_;
  uint32_t position_;
  bool isExpression_;
  std::vector<Token> tokens_;
  std::vector<uint32_t> indents_{0};
  std::vector<uint32_t> openBrackets_;
};

bool Lexer::skipLineEnd() {
  if (peek() == '\r' && peek(1) == '\n') {
    position_ += 2;
    return true;
  }
  if (peek() == '\n' || peek() == '\r') {
    ++position_;
    return true;
  }
  return false;
}

/// Reads a line's indentation at bracket depth 0; blank and comment lines do not count.
void Lexer::beginLine() {
  while (!atEnd()) {
    uint32_t width = 0;
    for (; peek() == ' ' || peek() == '\t' || peek() == '\f'; ++position_)
      width = peek() == '\t' ? (width / 8 + 1) * 8 : peek() == '\f' ? 0 : width + 1;
    if (peek() == '#')
      while (!atEnd() && peek() != '\n' && peek() != '\r')
        ++position_;
    if (atEnd())
      return;
    if (skipLineEnd())
      continue;
    indentTo(width);
    return;
  }
}

void Lexer::indentTo(uint32_t width) {
  if (width > indents_.back()) {
    indents_.push_back(width);
    add(TokenKind::Indent, position_);
    return;
  }
  while (width < indents_.back()) {
    indents_.pop_back();
    add(TokenKind::Dedent, position_);
  }
  if (width > indents_.back()) {
    // Matches no open block: the line is taken as the nearest block's.
    addError(position_, "this line's indentation matches no block around it");
    indents_.push_back(width);
    add(TokenKind::Indent, position_);
  }
}

/// True at a line that can only begin a statement: used to recover from a bracket that is never
/// closed.
bool Lexer::isStatementStart() const {
  std::string_view rest = text_.substr(position_);
  return rest.starts_with("def ") || rest.starts_with("class ") ||
         (rest.size() > 1 && rest[0] == '@' && isAlpha(rest[1]));
}

std::vector<Token> Lexer::run() {
  if (!isExpression_ && text_.substr(position_).starts_with("\xEF\xBB\xBF"))
    position_ += 3;
  if (!isExpression_)
    beginLine();
  while (!atEnd()) {
    char c = peek();
    uint32_t begin = position_;
    if (c == ' ' || c == '\t' || c == '\f') {
      ++position_;
    } else if (c == '#') {
      while (!atEnd() && peek() != '\n' && peek() != '\r')
        ++position_;
    } else if (c == '\\' && (peek(1) == '\n' || peek(1) == '\r')) {
      ++position_;
      skipLineEnd();
    } else if (skipLineEnd()) {
      if (isExpression_)
        continue;
      if (!openBrackets_.empty() && isStatementStart()) {
        tokens_.push_back({TokenKind::Error,
                           {openBrackets_.front(), openBrackets_.front() + 1},
                           "this bracket is never closed"});
        openBrackets_.clear();
      }
      if (openBrackets_.empty()) {
        tokens_.push_back({TokenKind::Newline, {begin, begin + 1}});
        beginLine();
      }
    } else {
      lexToken();
    }
  }
  position_ = static_cast<uint32_t>(text_.size());
  if (!isExpression_) {
    if (!openBrackets_.empty())
      tokens_.push_back({TokenKind::Error,
                         {openBrackets_.back(), openBrackets_.back() + 1},
                         "this bracket is never closed"});
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::Newline)
      add(TokenKind::Newline, position_);
    for (; indents_.size() > 1; indents_.pop_back())
      add(TokenKind::Dedent, position_);
  }
  add(TokenKind::End, position_);
  return std::move(tokens_);
}

void Lexer::lexToken() {
  uint32_t begin = position_;
  char c = peek();
  if (size_t prefix = stringPrefixLength(); prefix != std::string_view::npos) {
    std::string_view letters = text_.substr(begin, prefix);
    bool isFormatted = letters.find_first_of("fF") != std::string_view::npos;
    if (!skipString(position_, isFormatted, 0)) {
      // Reading goes on after the line, or for a triple quote at the file's end: every byte is
      // looked at once.
      bool isTriple =
          text_.substr(begin + prefix, 3) == "\"\"\"" || text_.substr(begin + prefix, 3) == "'''";
      position_ = begin + 1;
      while (!atEnd() && (isTriple || (peek() != '\n' && peek() != '\r')))
        ++position_;
      addError(begin, "this string has no end");
      return;
    }
    add(isFormatted ? TokenKind::FString : TokenKind::String, begin);
  } else if (isDigit(c) || (c == '.' && isDigit(peek(1)))) {
    lexNumber();
  } else if (isAlpha(c) || isHighByte(c)) {
    lexName();
  } else {
    lexOperator();
  }
}

/// Number of prefix letters before a quote here; npos if no string begins here.
size_t Lexer::stringPrefixLength() const {
  uint32_t length = 0;
  while (length < 3 && std::string_view("rRbBuUfF").find(peek(length)) != std::string_view::npos &&
         peek(length) != '\0')
    ++length;
  return peek(length) == '"' || peek(length) == '\'' ? length : std::string_view::npos;
}

bool Lexer::skipString(uint32_t &position, bool isFormatted, int nesting) {
  auto at = [&](size_t i) { return i < text_.size() ? text_[i] : '\0'; };
  while (at(position) != '"' && at(position) != '\'')
    ++position;
  char quote = at(position);
  bool isTriple = at(position + 1) == quote && at(position + 2) == quote;
  position += isTriple ? 3 : 1;
  while (position < text_.size()) {
    char c = text_[position];
    if (c == '\\') {
      // An escaped line end continues the string, "\r\n" included.
      position += at(position + 1) == '\r' && at(position + 2) == '\n' ? 3 : 2;
    } else if (c == quote &&
               (!isTriple || (at(position + 1) == quote && at(position + 2) == quote))) {
      position += isTriple ? 3 : 1;
      return true;
    } else if (!isTriple && (c == '\n' || c == '\r')) {
      return false;
    } else if (isFormatted && c == '{' && at(position + 1) == '{') {
      position += 2;
    } else if (isFormatted && c == '{') {
      if (nesting >= kMaxStringNesting)
        return false;
      uint32_t end = fieldEnd(position + 1, nesting + 1, isTriple, /*stopAtFormat=*/false);
      if (end >= text_.size()) {
        position = end;
        return false;
      }
      position = end + 1;
    } else {
      ++position;
    }
  }
  position = static_cast<uint32_t>(text_.size());
  return false;
}

uint32_t Lexer::fieldEnd(uint32_t position, int nesting, bool isMultiline, bool stopAtFormat) {
  int depth = 0;
  uint32_t limit = static_cast<uint32_t>(text_.size());
  while (position < limit) {
    char c = text_[position];
    char next = position + 1 < limit ? text_[position + 1] : '\0';
    if (c == '"' || c == '\'') {
      bool isFormatted = position > 0 && (text_[position - 1] == 'f' || text_[position - 1] == 'F');
      if (nesting >= kMaxStringNesting || !skipString(position, isFormatted, nesting))
        return limit;
      continue;
    }
    if (depth == 0 && c == '}')
      return position;
    if (depth == 0 && stopAtFormat) {
      bool isComparison =
          next == '=' || (position > 0 && std::string_view("=!<>").find(text_[position - 1]) !=
                                              std::string_view::npos);
      if (c == ':' || ((c == '!' || c == '=') && !isComparison))
        return position;
    }
    if (c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == ')' || c == ']' || c == '}')
      --depth;
    if ((c == '\n' || c == '\r') && !isMultiline)
      return limit;
    ++position;
  }
  return limit;
}

void Lexer::lexNumber() {
  uint32_t begin = position_;
  TokenKind kind = TokenKind::Integer;
  char base = static_cast<char>(peek(1) | 0x20);
  if (peek() == '0' && (base == 'x' || base == 'o' || base == 'b')) {
    position_ += 2;
    while (isHexDigit(peek()) || peek() == '_')
      ++position_;
  } else {
    auto skipDigits = [&] {
      while (isDigit(peek()) || (peek() == '_' && isDigit(peek(1))))
        ++position_;
    };
    skipDigits();
    if (peek() == '.') {
      kind = TokenKind::Float;
      ++position_;
      skipDigits();
    }
    uint32_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && isDigit(peek(1 + sign))) {
      kind = TokenKind::Float;
      position_ += 1 + sign;
      skipDigits();
    }
    if (peek() == 'j' || peek() == 'J') {
      kind = TokenKind::Imaginary;
      ++position_;
    }
  }
  // "1if x else y" is legal Python, "12ab" is not; both are rare enough to refuse unless a keyword
  // follows.
  if (isNameByte(peek())) {
    uint32_t end = position_;
    while (end < text_.size() && isNameByte(text_[end]))
      ++end;
    if (!isKeyword(text_.substr(position_, end - position_))) {
      position_ = end;
      addError(begin, "this is not a number");
      return;
    }
  }
  add(kind, begin);
}

/// Number of bytes of the UTF-8 character at the front of `text`, 0 if it is malformed.
size_t utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  unsigned first = byte(0);
  size_t length = first < 0x80    ? 1
                  : first >= 0xF5 ? 0
                  : first >= 0xF0 ? 4
                  : first >= 0xE0 ? 3
                  : first >= 0xC2 ? 2
                                  : 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  return length;
}

void Lexer::lexName() {
  uint32_t begin = position_;
  while (isNameByte(peek())) {
    size_t length = utf8Length(text_.substr(position_));
    if (length == 0) {
      ++position_;
      addError(position_ - 1, "this byte is not UTF-8");
      return;
    }
    position_ += static_cast<uint32_t>(length);
  }
  add(TokenKind::Name, begin);
}

void Lexer::lexOperator() {
  uint32_t begin = position_;
  for (std::string_view candidate : kOperators) {
    if (!text_.substr(position_).starts_with(candidate))
      continue;
    position_ += static_cast<uint32_t>(candidate.size());
    char c = candidate[0];
    if (candidate.size() == 1 && (c == '(' || c == '[' || c == '{'))
      openBrackets_.push_back(begin);
    if (candidate.size() == 1 && (c == ')' || c == ']' || c == '}') && !openBrackets_.empty())
      openBrackets_.pop_back();
    add(TokenKind::Operator, begin);
    return;
  }
  ++position_;
  addError(begin, "this character is not part of Python");
}

} // namespace

std::vector<Token> tokenize(const SourceFile &file) {
  return Lexer(file, {0, static_cast<uint32_t>(file.text().size())}, false).run();
}

std::vector<Token> tokenizeExpression(const SourceFile &file, Span span) {
  return Lexer(file, span, true).run();
}

uint32_t findFieldEnd(const SourceFile &file, uint32_t begin, uint32_t end) {
  return Lexer(file, {begin, end}, true)
      .fieldEnd(begin, 1, /*isMultiline=*/true, /*stopAtFormat=*/true);
}

bool isKeyword(std::string_view name) {
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

} // namespace inlay::triton
