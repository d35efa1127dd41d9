#include "compiler/ptx/Parser.h"

#include "base/Error.h"
#include "compiler/ptx/Forms.h"

#include <algorithm>
#include <ranges>

namespace inlay::ptx {

namespace {

constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxRegisters = 4096;

Type bitsType(unsigned width) {
  return {width == 1 ? Kind::Predicate : Kind::Bits, static_cast<uint8_t>(width), 1};
}

class Parser {
public:
  Parser(Program &program, std::vector<Token> tokens,
         std::span<const std::optional<int64_t>> immediates)
      : program_(program), tokens_(std::move(tokens)), immediates_(immediates) {}

  Status run() {
    scopes_.emplace_back();
    INLAY_TRY(statements(0));
    if (peek().kind != Token::Kind::EndOfText)
      return error(peek().range, "'}' closes nothing");
    return {};
  }

private:
  const Token &peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token &take() {
    const Token &token = peek();
    at_ = std::min(at_ + 1, tokens_.size() - 1);
    return token;
  }
  bool accept(char symbol) {
    if (!peek().is(symbol))
      return false;
    take();
    return true;
  }
  Status expect(char symbol, std::string_view after) {
    if (accept(symbol))
      return {};
    return error(peek().range,
                 fmt::format("'{}' is expected after {}, not {}", symbol, after, found()));
  }
  std::string found() const {
    return peek().kind == Token::Kind::EndOfText ? "the end of the text"
                                                 : fmt::format("'{}'", peek().text);
  }
  Status error(Range range, std::string_view reason,
               StatusCode code = StatusCode::InvalidArgument) const {
    return errorAt(program_, range, code, reason);
  }

  Status statements(int depth) {
    while (peek().kind != Token::Kind::EndOfText && !peek().is('}')) {
      if (accept(';'))
        continue;
      if (peek().is('{')) {
        Range range = take().range;
        if (depth == kMaxDepth)
          return error(range, fmt::format("more than {} scopes inside each other", kMaxDepth));
        scopes_.emplace_back();
        INLAY_TRY(statements(depth + 1));
        if (!accept('}'))
          return error(range, "the scope that begins here is not closed");
        scopes_.pop_back();
      } else if (peek().kind == Token::Kind::Dotted) {
        INLAY_TRY(directive());
      } else {
        INLAY_TRY(instruction());
      }
    }
    return {};
  }

  Status directive() {
    const Token &name = take();
    if (name.text != "reg")
      return error(name.range,
                   fmt::format("the directive '.{}' is not translated; '.reg' is", name.text),
                   StatusCode::Unimplemented);
    const Token &typeName = take();
    std::optional<Type> type =
        typeName.kind == Token::Kind::Dotted ? findType(typeName.text) : std::nullopt;
    bool isRegisterType = type &&
                          (type->kind == Kind::Predicate || type->kind == Kind::Bits ||
                           type->isInteger() || type->kind == Kind::Float) &&
                          (type->lanes == 1 || type->kind == Kind::Float);
    if (!isRegisterType)
      return error(typeName.range,
                   fmt::format("'{}' is no type of registers; those are .pred .b8 .b16 .b32 .b64 "
                               ".u8 .u16 .u32 .u64 .s8 .s16 .s32 .s64 .f16 .f16x2 .f32 .f64",
                               typeName.text));
    do {
      INLAY_TRY(declare(*type));
    } while (accept(','));
    return expect(';', "a declaration");
  }

  /// "name" or "name<4>", which is name0 to name3.
  Status declare(Type type) {
    const Token &name = take();
    if (name.kind != Token::Kind::Word)
      return error(name.range, "the name of a register is expected");
    if (!accept('<'))
      return addRegister(std::string(name.text), type, name.range);
    const Token &count = take();
    if (count.kind != Token::Kind::Integer || count.number > kMaxRegisters)
      return error(count.range, "a number of registers is expected, at most 4096");
    for (uint64_t i = 0; i < count.number; ++i)
      INLAY_TRY(addRegister(fmt::format("{}{}", name.text, i), type, name.range));
    return expect('>', "the number of registers");
  }

  Status addRegister(std::string name, Type type, Range range) {
    if (program_.registers.size() >= kMaxRegisters)
      return error(range, "there are more than 4096 registers");
    auto index = static_cast<uint32_t>(program_.registers.size());
    if (!scopes_.back().emplace(name, index).second)
      return error(range, fmt::format("register '{}' is declared twice in this scope", name));
    program_.registers.push_back({std::move(name), type});
    return {};
  }

  Status instruction() {
    RawInstruction raw;
    raw.range.begin = peek().range.begin;
    if (accept('@')) {
      bool isNegated = accept('!');
      INLAY_ASSIGN(raw.guard, operand(0));
      raw.guard->isNegated = isNegated;
    }
    const Token &name = take();
    if (name.kind != Token::Kind::Word)
      return error(name.range, fmt::format("an instruction is expected, not '{}'", name.text));
    if (peek().is(':'))
      return error(name.range,
                   fmt::format("the label '{}': branches are not translated", name.text),
                   StatusCode::Unimplemented);
    raw.name = name.text;
    while (peek().kind == Token::Kind::Dotted)
      raw.words.push_back(take().text);
    INLAY_TRY(knownInstruction(raw, {raw.range.begin, tokens_[at_ - 1].range.end}));
    if (!peek().is(';') && peek().kind != Token::Kind::EndOfText && !peek().is('}')) {
      do {
        INLAY_ASSIGN(RawOperand next, operand(0));
        raw.operands.push_back(std::move(next));
      } while (accept(','));
    }
    raw.range.end = tokens_[at_ - 1].range.end;
    // The last ';' may be missing.
    if (peek().kind != Token::Kind::EndOfText)
      INLAY_TRY(expect(';', "an instruction"));
    return checkInstruction(raw, program_);
  }

  /// Said before the operands are read, because those of other instructions have other forms.
  Status knownInstruction(const RawInstruction &raw, Range range) const {
    if (isSupported(raw.name))
      return {};
    struct Family {
      std::string_view names, what;
    };
    constexpr Family families[] = {
        {" ld st ldu atom red cp prefetch prefetchu cvta isspacep applypriority discard mapa "
         "tensormap multimem st.async red.async ",
         "accesses memory or addresses"},
        {" bra brx call ret exit trap brkpt ", "changes the control flow"},
        {" shfl vote match redux activemask elect ldmatrix stmatrix movmatrix mma wmma wgmma "
         "tcgen05 mbarrier setmaxnreg ",
         "works between the threads of a warp or block"},
        {" addc subc madc ", "uses the carry flag"},
    };
    std::string why = "it is not translated";
    for (const Family &family : families)
      if (family.names.find(fmt::format(" {} ", raw.name)) != std::string_view::npos)
        why = fmt::format("it {}, which is not translated", family.what);
    return error(range,
                 fmt::format("instruction '{}': {}; translated are {}", raw.name, why,
                             supportedInstructions()),
                 StatusCode::Unimplemented);
  }

  Result<RawOperand> operand(int depth) {
    RawOperand result;
    const Token &token = peek();
    result.range = token.range;
    if (depth == kMaxDepth)
      return error(token.range, "an operand is nested too deeply");
    if (token.is('['))
      return error(token.range, "an address as operand is not translated",
                   StatusCode::Unimplemented);
    if (accept('_'))
      return result;
    if (accept('{')) {
      result.kind = RawOperand::Kind::Vector;
      do {
        INLAY_ASSIGN(RawOperand element, operand(depth + 1));
        result.elements.push_back(std::move(element));
      } while (accept(','));
      INLAY_TRY(expect('}', "the elements of a vector"));
      result.range.end = tokens_[at_ - 1].range.end;
      return result;
    }
    bool isNegated = token.is('!') &&
                     (peek(1).kind == Token::Kind::Word || peek(1).kind == Token::Kind::Operand);
    if (isNegated)
      take();
    if (peek().kind == Token::Kind::Word)
      INLAY_TRY(word(result));
    else if (peek().kind == Token::Kind::Operand && !isImmediate(peek().number))
      INLAY_TRY(numbered(result));
    else
      return constant(0, depth);
    result.isNegated = isNegated;
    if (peek().is('|') && depth == 0) {
      take();
      INLAY_ASSIGN(RawOperand second, operand(depth + 1));
      RawOperand pair;
      pair.kind = RawOperand::Kind::Pair;
      pair.range = {result.range.begin, second.range.end};
      pair.elements = {std::move(result), std::move(second)};
      return pair;
    }
    return result;
  }

  bool isImmediate(uint64_t number) const {
    return number < program_.constraints.size() && program_.constraints[number].isImmediate();
  }

  Status word(RawOperand &result) {
    const Token &name = take();
    for (const auto &scope : scopes_ | std::views::reverse)
      if (auto found = scope.find(std::string(name.text)); found != scope.end()) {
        result.kind = RawOperand::Kind::Register;
        result.index = found->second;
        return {};
      }
    if (!name.text.starts_with('%'))
      return error(name.range, fmt::format("register '{}' is not declared", name.text));
    result.kind = RawOperand::Kind::Special;
    result.name = name.text;
    if (peek().kind == Token::Kind::Dotted)
      result.member = take().text;
    result.range.end = tokens_[at_ - 1].range.end;
    return {};
  }

  Status numbered(RawOperand &result) {
    const Token &token = take();
    if (token.number >= program_.constraints.size())
      return error(token.range, fmt::format("operand '{}', but the constraints name {} operands",
                                            token.text, program_.constraints.size()));
    result.kind = RawOperand::Kind::Register;
    result.index = *program_.bindings[token.number];
    return {};
  }

  // Constants and expressions of them, by rising precedence.

  Result<RawOperand> constant(int precedence, int depth) {
    INLAY_ASSIGN(RawOperand left, unary(depth));
    while (true) {
      std::string_view symbol = binaryOperator();
      int own = precedenceOf(symbol);
      if (own <= precedence)
        return left;
      for (size_t i = 0; i < symbol.size(); ++i)
        take();
      if (depth >= kMaxDepth)
        return error(left.range, "a constant is nested too deeply");
      INLAY_ASSIGN(RawOperand right, constant(own, depth + 1));
      Range range{left.range.begin, right.range.end};
      if (left.kind != RawOperand::Kind::Integer || right.kind != RawOperand::Kind::Integer)
        return error(range, "expressions of constants are of integers");
      left.integer = apply(symbol, left.integer, right.integer);
      left.range = range;
    }
  }

  std::string_view binaryOperator() const {
    if (peek().kind != Token::Kind::Symbol)
      return {};
    for (std::string_view shift : {"<<", ">>"})
      if (peek().is(shift[0]) && peek(1).is(shift[0]))
        return shift;
    return peek().text;
  }

  static int precedenceOf(std::string_view symbol) {
    if (symbol == "|")
      return 1;
    if (symbol == "^")
      return 2;
    if (symbol == "&")
      return 3;
    if (symbol == "<<" || symbol == ">>")
      return 4;
    if (symbol == "+" || symbol == "-")
      return 5;
    return symbol == "*" ? 6 : 0;
  }

  static uint64_t apply(std::string_view symbol, uint64_t a, uint64_t b) {
    switch (symbol[0]) {
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '<':
      return b < 64 ? a << b : 0;
    case '>':
      return b < 64 ? a >> b : 0;
    case '+':
      return a + b;
    case '-':
      return a - b;
    default:
      return a * b;
    }
  }

  Result<RawOperand> unary(int depth) {
    const Token &token = peek();
    if (depth >= kMaxDepth)
      return error(token.range, "a constant is nested too deeply");
    if (accept('(')) {
      INLAY_ASSIGN(RawOperand inner, constant(0, depth + 1));
      INLAY_TRY(expect(')', "a constant in parentheses"));
      return inner;
    }
    for (char sign : {'-', '+', '~', '!'})
      if (accept(sign)) {
        INLAY_ASSIGN(RawOperand inner, unary(depth + 1));
        inner.range.begin = token.range.begin;
        return signedConstant(sign, std::move(inner));
      }
    RawOperand result;
    result.range = take().range;
    if (token.kind == Token::Kind::Integer) {
      result.kind = RawOperand::Kind::Integer;
      result.integer = token.number;
    } else if (token.kind == Token::Kind::Float) {
      result.kind = RawOperand::Kind::Float;
      result.real = token.real;
      result.isSingle = token.isSingle;
      result.integer = token.number;
    } else if (token.kind == Token::Kind::Operand && isImmediate(token.number)) {
      result.kind = RawOperand::Kind::Integer;
      if (token.number >= immediates_.size() || !immediates_[token.number])
        return error(token.range,
                     fmt::format("operand '{}' has the constraint 'n', but its value is not known "
                                 "at compile time",
                                 token.text));
      result.integer = static_cast<uint64_t>(*immediates_[token.number]);
    } else {
      return error(token.range, fmt::format("an operand is expected, not {}",
                                            token.kind == Token::Kind::EndOfText
                                                ? "the end of the text"
                                                : fmt::format("'{}'", token.text)));
    }
    return result;
  }

  Result<RawOperand> signedConstant(char sign, RawOperand inner) {
    if (inner.kind == RawOperand::Kind::Float) {
      if (sign != '-' && sign != '+')
        return error(inner.range, fmt::format("'{}' is for integers", sign));
      if (sign == '-') {
        inner.real = -inner.real;
        inner.integer ^= uint64_t{1} << 31; // of the bits of 0f…
      }
    } else if (sign == '-') {
      inner.integer = -inner.integer;
    } else if (sign == '~') {
      inner.integer = ~inner.integer;
    } else if (sign == '!') {
      inner.integer = inner.integer == 0;
    }
    return inner;
  }

  Program &program_;
  std::vector<Token> tokens_;
  std::span<const std::optional<int64_t>> immediates_;
  size_t at_ = 0;
  std::vector<std::map<std::string, uint32_t>> scopes_;
};

} // namespace

std::string Program::placeOf(Range range) const {
  std::string_view source = std::string_view(text).substr(range.begin, range.end - range.begin);
  return fmt::format("{} of the inline assembly, '{}'", lineText(text, range.begin), source);
}

Status errorAt(const Program &program, Range range, StatusCode code, std::string_view reason) {
  std::string place = range.begin < range.end
                          ? program.placeOf(range)
                          : lineText(program.text, range.begin) + " of the inline assembly";
  return {code, fmt::format("{}: {}", place, reason)};
}

Result<Program> parseProgram(std::string_view text, std::string_view constraints,
                             std::span<const std::optional<int64_t>> immediates) {
  Program program;
  program.text = text;
  INLAY_ASSIGN(program.constraints, parseConstraints(constraints));
  for (const Constraint &constraint : program.constraints) {
    if (constraint.isImmediate()) {
      program.bindings.emplace_back();
      continue;
    }
    if (constraint.tiedTo) {
      program.bindings.push_back(program.bindings[*constraint.tiedTo]);
      continue;
    }
    program.bindings.emplace_back(static_cast<uint32_t>(program.registers.size()));
    program.registers.push_back(
        {fmt::format("${}", program.bindings.size() - 1), bitsType(constraint.width())});
  }
  INLAY_ASSIGN(std::vector<Token> tokens, lex(program.text));
  INLAY_TRY(Parser(program, std::move(tokens), immediates).run());
  return program;
}

} // namespace inlay::ptx
