// The header and the entries of PTX. Source: PTX ISA, chapters "Syntax", "Directives" and
// "Abstracting the ABI".
#include "base/Error.h"
#include "compiler/prebuilt/KernelInterface.h"

#include <cctype>
#include <charconv>
#include <optional>

namespace inlay {
namespace {

/// Cuts PTX into words (".version", "u64", "%r1", "90"), single characters and strings (which keep
/// their quotes). The end is an empty token.
class Tokens {
public:
  explicit Tokens(std::string_view text) : text_(text) { advance(); }

  std::string_view current() const { return token_; }
  bool isEnd() const { return token_.empty(); }
  uint32_t line() const { return line_; }
  bool accept(std::string_view token) {
    if (token_ != token || token.empty())
      return false;
    advance();
    return true;
  }
  std::string_view take() {
    const std::string_view token = token_;
    advance();
    return token;
  }

private:
  static bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$' ||
           c == '%';
  }

  void skipSpace() {
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_).starts_with("/*")) {
        const size_t end = std::min(text_.find("*/", at_ + 2), text_.size());
        countLines(at_, end);
        at_ = std::min(end + 2, text_.size());
      } else if (std::isspace(static_cast<unsigned char>(text_[at_])) || text_[at_] == '\0') {
        line_ += text_[at_++] == '\n';
      } else {
        return;
      }
    }
  }

  void countLines(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i)
      line_ += text_[i] == '\n';
  }

  void advance() {
    skipSpace();
    const size_t begin = at_;
    if (at_ == text_.size()) {
      token_ = {};
      return;
    }
    if (text_[at_] == '"') {
      const size_t end = text_.find('"', at_ + 1);
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
      countLines(begin, at_);
    } else if (isWord(text_[at_])) {
      while (at_ < text_.size() && isWord(text_[at_]))
        ++at_;
    } else {
      ++at_;
    }
    token_ = text_.substr(begin, at_ - begin);
  }

  std::string_view text_, token_;
  size_t at_ = 0;
  uint32_t line_ = 1;
};

std::optional<uint32_t> numberOf(std::string_view text) {
  uint32_t value = 0;
  const char *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end)
    return std::nullopt;
  return value;
}

/// The fundamental types a parameter can have.
struct PtxType {
  std::string_view name;
  uint32_t sizeBytes;
  CodeParameter::Kind kind;
};
constexpr PtxType kTypes[] = {
    {".u8", 1, CodeParameter::Kind::Integer},   {".s8", 1, CodeParameter::Kind::Integer},
    {".b8", 1, CodeParameter::Kind::Unknown},   {".u16", 2, CodeParameter::Kind::Integer},
    {".s16", 2, CodeParameter::Kind::Integer},  {".b16", 2, CodeParameter::Kind::Unknown},
    {".f16", 2, CodeParameter::Kind::Float},    {".u32", 4, CodeParameter::Kind::Integer},
    {".s32", 4, CodeParameter::Kind::Integer},  {".b32", 4, CodeParameter::Kind::Unknown},
    {".f32", 4, CodeParameter::Kind::Float},    {".f16x2", 4, CodeParameter::Kind::Unknown},
    {".u64", 8, CodeParameter::Kind::Integer},  {".s64", 8, CodeParameter::Kind::Integer},
    {".b64", 8, CodeParameter::Kind::Unknown},  {".f64", 8, CodeParameter::Kind::Float},
    {".b128", 16, CodeParameter::Kind::Unknown}};

/// Kernel parameters are at most this large together.
constexpr uint64_t kMaxParameterBytes = 32764;

class PtxReader {
public:
  explicit PtxReader(std::string_view text) : tokens_(text) {}

  Result<GpuCode> read() {
    INLAY_TRY(readHeader());
    while (!tokens_.isEnd()) {
      if (tokens_.accept(".entry")) {
        INLAY_TRY(readEntry());
      } else if (tokens_.current() == "{") {
        INLAY_TRY(skipBraces());
      } else if (tokens_.current() == "}") {
        return error("a '}}' closes nothing");
      } else {
        tokens_.take();
      }
    }
    return std::move(code_);
  }

private:
  template <typename... Args>
  Status error(fmt::format_string<Args...> format, Args &&...args) const {
    return invalidArgument("it is no PTX that can be read: line {}: {}", tokens_.line(),
                           fmt::vformat(format, fmt::make_format_args(args...)));
  }

  /// .version, .target and .address_size, in this order, before anything else.
  Status readHeader() {
    if (!tokens_.accept(".version"))
      return error("found '{}', expected .version", tokens_.current().substr(0, 40));
    const std::string_view version = tokens_.take();
    const size_t dot = version.find('.');
    const std::optional<uint32_t> major = numberOf(version.substr(0, dot));
    const std::optional<uint32_t> minor =
        dot == std::string_view::npos ? std::nullopt : numberOf(version.substr(dot + 1));
    if (!major || !minor || *major > 99 || *minor > 9)
      return error("'{}' is no version", version.substr(0, 40));
    code_.ptxVersion = *major * 10 + *minor;
    if (!tokens_.accept(".target"))
      return error("found '{}', expected .target", tokens_.current().substr(0, 40));
    // Besides the architecture there may be "debug", "texmode_independent" and such.
    do {
      const std::string_view specifier = tokens_.take();
      if (specifier.starts_with("sm_"))
        code_.architecture = specifier;
    } while (tokens_.accept(","));
    if (code_.architecture.empty())
      return error(".target names no architecture (sm_…)");
    if (!tokens_.accept(".address_size"))
      return error("found '{}', expected .address_size 64: without it addresses have 32 bits",
                   tokens_.current().substr(0, 40));
    const std::string_view bits = tokens_.take();
    return bits == "64" ? Status()
                        : error("addresses have {} bits; expected 64", bits.substr(0, 40));
  }

  Status skipBraces() {
    int depth = 0;
    do {
      if (tokens_.isEnd())
        return error("a '{{' is not closed");
      const std::string_view token = tokens_.take();
      depth += token == "{" ? 1 : token == "}" ? -1 : 0;
    } while (depth > 0);
    return {};
  }

  Status readEntry() {
    KernelInterface kernel;
    kernel.entry = tokens_.take();
    if (kernel.entry.empty())
      return error(".entry has no name");
    uint64_t totalBytes = 0;
    if (tokens_.accept("(") && !tokens_.accept(")")) {
      do {
        INLAY_ASSIGN(CodeParameter parameter, readParameter());
        totalBytes += parameter.sizeBytes;
        if (totalBytes > kMaxParameterBytes)
          return error("the parameters of '{}' take more than {} bytes", kernel.entry,
                       kMaxParameterBytes);
        kernel.parameters.push_back(parameter);
      } while (tokens_.accept(","));
      if (!tokens_.accept(")"))
        return error("found '{}' in the parameters of '{}', expected ',' or ')'",
                     tokens_.current().substr(0, 40), kernel.entry);
    }
    while (tokens_.current() != "{" && tokens_.current() != ";") {
      if (tokens_.isEnd())
        return error("kernel '{}' has no body", kernel.entry);
      INLAY_TRY(readDirective(kernel));
    }
    if (tokens_.accept(";")) // only announced
      return {};
    code_.kernels.push_back(std::move(kernel));
    return skipBraces();
  }

  /// .param [.align N] .type [.ptr [.space] [.align N]] name ["[" size "]"]
  Result<CodeParameter> readParameter() {
    if (!tokens_.accept(".param"))
      return error("found '{}', expected .param", tokens_.current().substr(0, 40));
    CodeParameter parameter;
    bool hasType = false;
    while (tokens_.current().starts_with(".")) {
      const std::string_view word = tokens_.take();
      if (word == ".align") {
        const std::optional<uint32_t> bytes = numberOf(tokens_.take());
        if (!bytes)
          return error(".align has no number");
        // After .ptr it is the alignment of what is pointed to.
        if (parameter.kind != CodeParameter::Kind::Pointer)
          parameter.alignmentBytes = *bytes;
      } else if (word == ".ptr") {
        parameter.kind = CodeParameter::Kind::Pointer;
      } else {
        for (const PtxType &type : kTypes)
          if (word == type.name) {
            parameter.sizeBytes = type.sizeBytes;
            parameter.kind = type.kind;
            hasType = true;
          }
      }
    }
    if (!hasType)
      return error("a parameter has no type that is known");
    tokens_.take(); // its name
    while (tokens_.accept("[")) {
      const std::optional<uint32_t> count = numberOf(tokens_.take());
      if (!count || *count > kMaxParameterBytes || !tokens_.accept("]"))
        return error("a parameter is an array of unknown size");
      parameter.sizeBytes = static_cast<uint32_t>(
          std::min(uint64_t{parameter.sizeBytes} * *count, kMaxParameterBytes + 1));
      parameter.kind = CodeParameter::Kind::Unknown;
    }
    if (parameter.alignmentBytes == 0)
      parameter.alignmentBytes = parameter.sizeBytes;
    return parameter;
  }

  /// Up to three numbers; those that are not written are 1.
  Result<Extents> readExtents(std::string_view directive) {
    Extents extents{1, 1, 1};
    size_t count = 0;
    do {
      const std::optional<uint32_t> extent = numberOf(tokens_.take());
      if (!extent || *extent == 0 || *extent > 65536 || count == 3)
        return error("{} takes one to three numbers of at least 1", directive);
      extents[count++] = *extent;
    } while (tokens_.accept(","));
    return extents;
  }

  Status readDirective(KernelInterface &kernel) {
    const std::string_view word = tokens_.take();
    if (word == ".reqntid") {
      INLAY_ASSIGN(kernel.requiredBlock, readExtents(word));
    } else if (word == ".maxntid") {
      INLAY_ASSIGN(const Extents extents, readExtents(word));
      const uint64_t threads = uint64_t{extents[0]} * extents[1] * extents[2];
      kernel.maxThreads = static_cast<uint32_t>(std::min<uint64_t>(threads, UINT32_MAX));
    } else if (word == ".reqnctapercluster") {
      INLAY_ASSIGN(kernel.requiredCluster, readExtents(word));
    } else if (word == ".maxnreg") {
      kernel.hasMaxRegisters = true;
    } else if (word == ".pragma") { // the only one that ends in a semicolon
      while (tokens_.current().starts_with("\"") || tokens_.current() == ",")
        tokens_.take();
      (void)tokens_.accept(";");
    }
    return {}; // others, and numbers that belong to them, do not matter to a launch
  }

  Tokens tokens_;
  GpuCode code_;
};

} // namespace

Result<GpuCode> readPtx(std::string_view text) { return PtxReader(text).read(); }

} // namespace inlay
