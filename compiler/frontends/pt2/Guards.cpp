#include "compiler/frontends/pt2/Guards.h"

#include "base/Error.h"

#include <cctype>
#include <charconv>
#include <map>

namespace inlay::pt2 {
namespace {

constexpr size_t kMaxGuardBytes = 16 * 1024;

bool isWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Replaces what stands for sizes of inputs by symbols, then reads the rest as an expression.
class GuardReader {
public:
  GuardReader(std::string_view text, const InputSize &sizeOf) : text_(text), sizeOf_(sizeOf) {}

  Result<Guard> read() {
    if (text_.size() > kMaxGuardBytes)
      return unimplemented("guard of {} bytes; at most {} are read", text_.size(), kMaxGuardBytes);
    while (at_ < text_.size()) {
      const bool isWordStart = at_ == 0 || !isWordPart(text_[at_ - 1]);
      if (isWordStart && text_.substr(at_).starts_with("L[")) {
        INLAY_TRY(readSize());
        continue;
      }
      expression_ += text_[at_];
      shown_ += text_[at_++];
    }
    Result<Expr> condition = parseExpr(expression_);
    if (!condition.isOk())
      return unimplemented("the guard '{}' cannot be read: {}", text_,
                           condition.status().message());
    for (const std::string &name : symbolsOf(*condition))
      if (!sizes_.contains(name))
        return unimplemented("the guard '{}' speaks of '{}', which is no size of an input", text_,
                             name);
    return Guard{substitute(*condition, sizes_), shown_};
  }

private:
  Status unread() const {
    return unimplemented("the guard '{}' speaks of more than sizes of inputs at column {}", text_,
                         at_ + 1);
  }

  /// "[…]" at the position: its content.
  std::optional<std::string_view> takeBrackets() {
    if (at_ >= text_.size() || text_[at_] != '[')
      return std::nullopt;
    size_t end = at_ + 1;
    const char quote = end < text_.size() ? text_[end] : '\0';
    if (quote == '\'' || quote == '"') {
      end = text_.find(quote, end + 1);
      if (end == text_.npos)
        return std::nullopt;
      ++end;
    }
    end = text_.find(']', end);
    if (end == text_.npos)
      return std::nullopt;
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return content;
  }

  /// "L['x']['k'].size()[0]", or ".shape[0]".
  Status readSize() {
    ++at_; // L
    std::string input;
    while (at_ < text_.size() && text_[at_] == '[') {
      std::optional<std::string_view> key = takeBrackets();
      if (!key || key->empty())
        return unread();
      std::string_view inside = *key;
      const bool isQuoted = inside.size() >= 2 && (inside.front() == '\'' || inside.front() == '"');
      if (isQuoted)
        inside = inside.substr(1, inside.size() - 2);
      if (input.empty())
        input = inside;
      else
        input += isQuoted ? fmt::format("['{}']", inside) : fmt::format("[{}]", inside);
    }
    constexpr std::string_view kSize = ".size()", kShape = ".shape";
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(kSize) && !rest.starts_with(kShape))
      return unread();
    at_ += rest.starts_with(kSize) ? kSize.size() : kShape.size();
    std::optional<std::string_view> index = takeBrackets();
    int64_t dimension = 0;
    if (!index || std::from_chars(index->data(), index->data() + index->size(), dimension).ptr !=
                      index->data() + index->size())
      return unread();
    std::optional<Expr> size = sizeOf_(input, dimension);
    if (!size)
      return notFound("the guard '{}' speaks of size {} of '{}', which no input has", text_,
                      dimension, input);
    const std::string symbol = fmt::format("guarded_size_{}", sizes_.size());
    sizes_.emplace(symbol, *size);
    expression_ += symbol;
    shown_ += fmt::format("{}.size({})", input, dimension);
    return {};
  }

  std::string_view text_;
  const InputSize &sizeOf_;
  size_t at_ = 0;
  std::string expression_, shown_;
  std::map<std::string, Expr, std::less<>> sizes_;
};

} // namespace

Result<Guard> parseGuard(std::string_view text, const InputSize &sizeOf) {
  return GuardReader(text, sizeOf).read();
}

} // namespace inlay::pt2
