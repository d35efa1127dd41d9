// Inline PTX, parsed and checked: what the translation to other operations and the reference
// interpreter run.
#pragma once

#include "base/Status.h"
#include "compiler/ptx/Constraints.h"

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::ptx {

enum class Kind : uint8_t {
  Predicate,
  Bits,
  Unsigned,
  Signed,
  Float,
  BFloat,
  Tf32,
  E4M3,
  E5M2,
  E2M3,
  E3M2,
  E2M1,
  UE8M0,
};

/// The type of an instruction or a register: one or two lanes.
struct Type {
  Kind kind = Kind::Bits;
  uint8_t bits = 32; ///< of one lane
  uint8_t lanes = 1;

  unsigned width() const { return unsigned{bits} * lanes; }
  Type lane() const { return {kind, bits, 1}; }
  bool isInteger() const { return kind == Kind::Unsigned || kind == Kind::Signed; }
  bool isFloat() const { return kind == Kind::Float || kind == Kind::BFloat; }
  bool isSigned() const { return kind == Kind::Signed; }
  bool operator==(const Type &) const = default;
};

/// ".f16x2" and its like without the dot; nothing if there is no such type.
std::optional<Type> findType(std::string_view name);
/// The type as it is written, with the dot. A register of an operand is ".b32" and its like.
std::string typeText(Type type);

enum class Modifier : uint8_t {
#define INLAY_PTX_MODIFIER(name, text) name,
#include "compiler/ptx/Modifiers.def"
#undef INLAY_PTX_MODIFIER
};
/// Nothing if there is no such modifier.
std::optional<Modifier> findModifier(std::string_view text);

enum class Opcode : uint8_t {
#define INLAY_PTX_OPCODE(name) name,
#include "compiler/ptx/Opcodes.def"
#undef INLAY_PTX_OPCODE
};

/// Bytes of the assembly's text.
struct Range {
  uint32_t begin = 0, end = 0;
};

struct Register {
  std::string name;
  Type type;
};

/// What an instruction reads or writes.
struct Operand {
  enum class Kind : uint8_t {
    Register,
    Constant, ///< `bits`, of the type that the instruction takes here
    Vector,   ///< registers (and constants) with the lowest bits first
    Sink,     ///< "_": what is written here is not needed
    GridIndex ///< %ctaid or %nctaid along `axis`
  };
  Kind kind = Kind::Sink;
  uint32_t index = 0;            ///< Register: in Program::registers
  bool isNegated = false;        ///< Register: "!p"
  uint64_t bits = 0;             ///< Constant
  uint8_t axis = 0;              ///< GridIndex
  bool isCount = false;          ///< GridIndex: %nctaid
  std::vector<Operand> elements; ///< Vector
  Type type;                     ///< that the instruction takes here
  Range range;
};

struct Instruction {
  Opcode opcode = Opcode::Nothing;
  std::bitset<128> modifiers;
  Type type;                    ///< of the instruction; of the result of conversions
  Type source;                  ///< the second type, if the form has one
  std::optional<Operand> guard; ///< runs only where this predicate holds
  std::vector<Operand> results; ///< one; two predicates for setp's "p|q"; none for barriers
  std::vector<Operand> operands;
  Range range;

  bool has(Modifier modifier) const { return modifiers[static_cast<size_t>(modifier)]; }
};

/// A whole text of inline assembly. Registers are in one list, whatever scope they were declared
/// in.
struct Program {
  std::string text;
  std::vector<Register> registers;
  std::vector<Constraint> constraints;
  /// The register behind each "$n"; immediates have none.
  std::vector<std::optional<uint32_t>> bindings;
  std::vector<Instruction> instructions;

  /// "line 2, 'add.f32 $0, $1, $2'", for messages.
  std::string placeOf(Range range) const;
};

/// Parses and checks a text against the subset of PTX in Forms.def and LLVM's constraints.
/// `immediates[n]` is the value of "$n" where its constraint is 'n' or 'i'. Errors: InvalidArgument
/// (text that is no PTX, unknown registers, types that do not fit), Unimplemented (instructions and
/// forms that are not translated), each with the line and the instruction, what was found and what
/// is expected.
Result<Program> parseProgram(std::string_view text, std::string_view constraints,
                             std::span<const std::optional<int64_t>> immediates = {});

/// The names of all instructions that are translated, sorted, separated by blanks.
std::string supportedInstructions();

} // namespace inlay::ptx
