// Instructions against the table of forms: modifiers, number and types of operands.
#include "base/Error.h"
#include "compiler/ptx/Forms.h"
#include "compiler/ptx/Parser.h"

#include <bit>

namespace inlay::ptx {

namespace {

constexpr Type kPredicate{Kind::Predicate, 1, 1};
constexpr Type kWord{Kind::Unsigned, 32, 1};

/// PTX ISA, "Operand Type Checking": same sizes, and untyped, of the same kind, or both integers.
/// Conversions take wider registers ("Operand Size Exceeding Instruction-Type Size").
bool fits(Type reg, Type type, bool mayBeWider) {
  if (reg.kind == Kind::Predicate || type.kind == Kind::Predicate)
    return reg.kind == type.kind;
  if (mayBeWider ? reg.width() < type.width() : reg.width() != type.width())
    return false;
  if (reg.kind == Kind::Bits || type.kind == Kind::Bits)
    return true;
  return (reg.isInteger() && type.isInteger()) || reg == type;
}

class Checker {
public:
  Checker(const RawInstruction &raw, Program &program) : raw_(raw), program_(program) {}

  Status run() {
    auto match = matchForm(raw_.name, raw_.words);
    if (!match)
      return error(raw_.range, fmt::format("this form of '{}' is not translated; nearest are\n{}",
                                           raw_.name, closestForms(raw_.name, raw_.words)));
    instruction_.opcode = match->form->opcode;
    instruction_.modifiers = match->modifiers;
    instruction_.type = match->type;
    instruction_.source = match->source;
    instruction_.range = raw_.range;
    if (raw_.guard) {
      INLAY_ASSIGN(instruction_.guard, scalar(*raw_.guard, kPredicate, false));
    }
    INLAY_TRY(check(match->form->operands));
    program_.instructions.push_back(std::move(instruction_));
    return {};
  }

private:
  Status error(Range range, std::string_view reason,
               StatusCode code = StatusCode::InvalidArgument) const {
    return errorAt(program_, range, code, reason);
  }

  Status check(std::string_view signature) {
    if (signature == "*") {
      for (const RawOperand &raw : raw_.operands)
        if (raw.kind != RawOperand::Kind::Integer)
          return error(raw.range, "an integer constant is expected here");
      return {};
    }
    if (raw_.operands.size() != signature.size())
      return error(raw_.range, fmt::format("'{}' takes {} operands, but {} are given", raw_.name,
                                           signature.size(), raw_.operands.size()));
    INLAY_TRY(result(raw_.operands[0], signature[0]));
    for (size_t i = 1; i < signature.size(); ++i) {
      INLAY_ASSIGN(Operand operand, source(raw_.operands[i], signature[i]));
      instruction_.operands.push_back(std::move(operand));
    }
    if (signature[0] == 'M' && instruction_.results[0].kind == Operand::Kind::Vector &&
        instruction_.operands[0].kind == Operand::Kind::Vector)
      return error(raw_.range, "one of the two must be a register, not a vector");
    return {};
  }

  Type typeOf(char letter) const {
    switch (letter) {
    case 'S':
    case 'A':
      return instruction_.source;
    case 'W':
      return {instruction_.type.kind, static_cast<uint8_t>(2 * instruction_.type.bits), 1};
    case 'P':
    case 'Q':
    case 'N':
      return kPredicate;
    case 'U':
    case 'I':
      return kWord;
    case 'B':
      return {Kind::Bits, 32, 1};
    default:
      return instruction_.type;
    }
  }

  Status result(const RawOperand &raw, char letter) {
    Type type = typeOf(letter);
    if (letter == 'Q' && raw.kind == RawOperand::Kind::Pair) {
      for (const RawOperand &element : raw.elements)
        INLAY_TRY(addResult(element, type, false));
      return {};
    }
    if (letter == 'M' && raw.kind == RawOperand::Kind::Vector) {
      INLAY_ASSIGN(Operand parts, vector(raw, type, true));
      instruction_.results.push_back(std::move(parts));
      return {};
    }
    return addResult(raw, type, letter == 'D');
  }

  Status addResult(const RawOperand &raw, Type type, bool mayBeWider) {
    if (raw.kind != RawOperand::Kind::Register && raw.kind != RawOperand::Kind::Sink)
      return error(raw.range, "the result must be a register");
    if (raw.isNegated)
      return error(raw.range, "a result cannot be negated");
    INLAY_ASSIGN(Operand operand, scalar(raw, type, mayBeWider));
    instruction_.results.push_back(std::move(operand));
    return {};
  }

  Result<Operand> source(const RawOperand &raw, char letter) {
    Type type = typeOf(letter);
    if (raw.kind == RawOperand::Kind::Sink)
      return error(raw.range, "'_' can stand for results only");
    if (raw.isNegated && letter != 'N')
      return error(raw.range, "this operand cannot be negated");
    if (letter == 'I' && raw.kind != RawOperand::Kind::Integer)
      return error(raw.range, "an integer constant is expected here");
    if (letter == 'M' && raw.kind == RawOperand::Kind::Vector)
      return vector(raw, type, false);
    if (raw.kind == RawOperand::Kind::Special)
      return gridIndex(raw);
    return scalar(raw, type, letter == 'A');
  }

  /// Registers whose bits, the lowest first, make up one of the type.
  Result<Operand> vector(const RawOperand &raw, Type type, bool isResult) {
    size_t count = raw.elements.size();
    unsigned width = type.width() / static_cast<unsigned>(count);
    if ((count != 2 && count != 4) || width < 8)
      return error(raw.range, fmt::format("{} cannot be taken apart into {} registers; it has 2, "
                                          "or 4 of at least 8 bits",
                                          typeText(type), count));
    Operand result;
    result.kind = Operand::Kind::Vector;
    result.type = type;
    result.range = raw.range;
    Type element{Kind::Bits, static_cast<uint8_t>(width), 1};
    for (const RawOperand &part : raw.elements) {
      bool isGood = part.kind == RawOperand::Kind::Register ||
                    part.kind == (isResult ? RawOperand::Kind::Sink : RawOperand::Kind::Integer);
      if (!isGood || part.isNegated)
        return error(part.range, "a register is expected in a vector");
      INLAY_ASSIGN(Operand operand, scalar(part, element, false));
      result.elements.push_back(std::move(operand));
    }
    return result;
  }

  Result<Operand> gridIndex(const RawOperand &raw) const {
    constexpr std::string_view axes = "xyz";
    bool isIndex = raw.name == "%ctaid", isCount = raw.name == "%nctaid";
    size_t axis = raw.member.size() == 1 ? axes.find(raw.member[0]) : std::string_view::npos;
    if ((!isIndex && !isCount) || axis == std::string_view::npos)
      return error(raw.range,
                   "this special register is not translated (threads, clocks and processors are "
                   "the GPU's own); %ctaid.{x,y,z} and %nctaid.{x,y,z} are",
                   StatusCode::Unimplemented);
    if (instruction_.opcode != Opcode::Mov || instruction_.type.width() != 32)
      return error(raw.range, "special registers are read by mov of 32 bits");
    Operand operand;
    operand.kind = Operand::Kind::GridIndex;
    operand.axis = static_cast<uint8_t>(axis);
    operand.isCount = isCount;
    operand.type = instruction_.type;
    operand.range = raw.range;
    return operand;
  }

  Result<Operand> scalar(const RawOperand &raw, Type type, bool mayBeWider) const {
    Operand operand;
    operand.type = type;
    operand.range = raw.range;
    operand.isNegated = raw.isNegated;
    switch (raw.kind) {
    case RawOperand::Kind::Sink:
      return operand;
    case RawOperand::Kind::Register: {
      const Register &reg = program_.registers[raw.index];
      if (!fits(reg.type, type, mayBeWider))
        return error(raw.range, fmt::format("register '{}' is {}, but '{}' takes {} here", reg.name,
                                            typeText(reg.type), raw_.name, typeText(type)));
      operand.kind = Operand::Kind::Register;
      operand.index = raw.index;
      return operand;
    }
    case RawOperand::Kind::Integer:
    case RawOperand::Kind::Float:
      return constant(raw, std::move(operand));
    default:
      return error(raw.range, fmt::format("a register of {} is expected here", typeText(type)));
    }
  }

  Result<Operand> constant(const RawOperand &raw, Operand operand) const {
    Type type = operand.type;
    operand.kind = Operand::Kind::Constant;
    bool isFloat = raw.kind == RawOperand::Kind::Float;
    if (type.kind == Kind::Float && type.lanes == 1 && type.bits >= 32 && isFloat) {
      if (type.bits == 64)
        operand.bits = std::bit_cast<uint64_t>(raw.real);
      else
        operand.bits = raw.isSingle ? raw.integer & 0xffffffff
                                    : std::bit_cast<uint32_t>(static_cast<float>(raw.real));
      return operand;
    }
    bool takesInteger = type.isInteger() || type.kind == Kind::Bits;
    if (takesInteger && type.lanes == 1 && (!isFloat || (raw.isSingle && type.bits == 32))) {
      uint64_t mask = type.bits == 64 ? ~uint64_t{0} : (uint64_t{1} << type.bits) - 1;
      operand.bits = raw.integer & mask;
      return operand;
    }
    std::string_view expected = "a register";
    if (type.kind == Kind::Float && type.lanes == 1 && type.bits >= 32)
      expected = "a register or a constant like 1.5 or 0f3FC00000";
    else if (takesInteger && type.lanes == 1)
      expected = "a register or an integer";
    return error(raw.range,
                 fmt::format("'{}' takes {} here: {}", raw_.name, typeText(type), expected));
  }

  const RawInstruction &raw_;
  Program &program_;
  Instruction instruction_;
};

} // namespace

Status checkInstruction(const RawInstruction &raw, Program &program) {
  return Checker(raw, program).run();
}

} // namespace inlay::ptx
