#include "compiler/ptx/Lexer.h"

#include "base/Error.h"

#include <algorithm>
#include <bit>
#include <charconv>

namespace inlay::ptx {

namespace {

// Not <cctype>: that depends on the locale.
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isWordStart(char c) { return isLetter(c) || c == '_' || c == '%'; }
bool isWordPart(char c) { return isLetter(c) || isDigit(c) || c == '_'; }
bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (true) {
      INLAY_TRY(skipBlanks());
      begin_ = at_;
      if (at_ == text_.size()) {
        add(Token::Kind::EndOfText);
        return std::move(tokens_);
      }
      INLAY_TRY(next());
    }
  }

private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Token &add(Token::Kind kind) {
    Token token;
    token.kind = kind;
    token.text = text_.substr(begin_, at_ - begin_);
    token.range = {static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_)};
    tokens_.push_back(token);
    return tokens_.back();
  }

  Status skipBlanks() {
    while (at_ < text_.size()) {
      if (isBlank(peek())) {
        ++at_;
      } else if (peek() == '/' && peek(1) == '/') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos)
          return error("a comment is not closed");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Status error(std::string_view reason) const {
    return invalidArgument("{} of the inline assembly: {}",
                           lineText(text_, static_cast<uint32_t>(at_)), reason);
  }

  Status next() {
    char c = peek();
    if (isWordStart(c) && (c != '%' || isWordPart(peek(1)))) {
      ++at_;
      while (isWordPart(peek()))
        ++at_;
      add(std::string_view(text_).substr(begin_, at_ - begin_) == "_" ? Token::Kind::Symbol
                                                                      : Token::Kind::Word);
      return {};
    }
    if (c == '.' && (isLetter(peek(1)) || peek(1) == '_')) {
      ++at_;
      ++begin_;
      while (isWordPart(peek()) || (peek() == ':' && peek(1) == ':') ||
             (peek() == ':' && text_[at_ - 1] == ':'))
        ++at_;
      add(Token::Kind::Dotted);
      return {};
    }
    if (c == '$')
      return operand();
    if (isDigit(c) || (c == '.' && isDigit(peek(1))))
      return number();
    ++at_;
    if (std::string_view("{}()[],;:@!|<>+-~*/%&^=").find(c) == std::string_view::npos)
      return invalidArgument("{} of the inline assembly: PTX has no character {:#04x}",
                             lineText(text_, static_cast<uint32_t>(begin_)),
                             static_cast<unsigned>(static_cast<unsigned char>(c)));
    add(Token::Kind::Symbol);
    return {};
  }

  Status operand() {
    bool hasBraces = peek(1) == '{';
    at_ += hasBraces ? 2 : 1;
    uint64_t number = 0;
    if (!digits(10, number) || number > 1000)
      return error("after '$' the number of an operand is expected");
    if (hasBraces && peek() != '}')
      return error("'${' without '}' after the number of the operand");
    at_ += hasBraces;
    add(Token::Kind::Operand).number = number;
    return {};
  }

  /// Reads digits of a base; false if there are none or too many.
  bool digits(int base, uint64_t &value) {
    const char *first = text_.data() + at_, *last = text_.data() + text_.size();
    auto [end, error] = std::from_chars(first, last, value, base);
    at_ += static_cast<size_t>(end - first);
    return error == std::errc();
  }

  Status number() {
    if (peek() == '0' && (peek(1) == 'f' || peek(1) == 'F' || peek(1) == 'd' || peek(1) == 'D'))
      return floatBits(peek(1) == 'f' || peek(1) == 'F');
    size_t end = at_;
    while (isDigit(text_[end]) && end + 1 < text_.size())
      ++end;
    bool isHex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    if (!isHex && (text_[end] == '.' || ((text_[end] == 'e' || text_[end] == 'E') && end != at_)))
      return decimalFloat();
    return integer(isHex);
  }

  Status floatBits(bool isSingle) {
    at_ += 2;
    size_t first = at_, expected = isSingle ? 8 : 16;
    uint64_t bits = 0;
    if (!digits(16, bits) || at_ - first != expected)
      return invalidArgument("{} of the inline assembly: '{}' needs {} hexadecimal digits",
                             lineText(text_, static_cast<uint32_t>(begin_)), isSingle ? "0f" : "0d",
                             expected);
    Token &token = add(Token::Kind::Float);
    token.isSingle = isSingle;
    token.number = bits;
    token.real = isSingle ? static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)))
                          : std::bit_cast<double>(bits);
    return {};
  }

  Status decimalFloat() {
    double value = 0;
    const char *first = text_.data() + at_;
    auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
    if (error != std::errc())
      return this->error("a number is too large or too small for f64");
    at_ += static_cast<size_t>(end - first);
    add(Token::Kind::Float).real = value;
    return wordEnds();
  }

  Status integer(bool isHex) {
    int base = 10;
    if (isHex || (peek() == '0' && (peek(1) == 'b' || peek(1) == 'B'))) {
      base = isHex ? 16 : 2;
      at_ += 2;
    } else if (peek() == '0' && isDigit(peek(1))) {
      base = 8;
    }
    uint64_t value = 0;
    if (!digits(base, value))
      return error("a number has no digits of its base, or more than 64 bits");
    if (peek() == 'U')
      ++at_;
    add(Token::Kind::Integer).number = value;
    return wordEnds();
  }

  Status wordEnds() const {
    return isWordPart(peek()) ? error("a number is followed by letters") : Status();
  }

  std::string_view text_;
  size_t at_ = 0, begin_ = 0;
  std::vector<Token> tokens_;
};

} // namespace

std::string lineText(std::string_view text, uint32_t offset) {
  auto end = text.begin() + std::min<size_t>(offset, text.size());
  return fmt::format("line {}", 1 + std::count(text.begin(), end, '\n'));
}

Result<std::vector<Token>> lex(std::string_view text) { return Lexer(text).run(); }

} // namespace inlay::ptx
