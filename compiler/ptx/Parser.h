// The parser of inline PTX: statements, scopes and operands; what they mean is checked by Checker.
#pragma once

#include "compiler/ptx/Lexer.h"

#include <map>

namespace inlay::ptx {

/// An operand as it is written.
struct RawOperand {
  enum class Kind : uint8_t { Register, Special, Integer, Float, Vector, Pair, Sink, Address };
  Kind kind = Kind::Sink;
  uint32_t index = 0;            ///< Register: in Program::registers
  bool isNegated = false;        ///< Register with '!'
  std::string_view name, member; ///< Special: "%ctaid", "x"
  uint64_t integer = 0;          ///< Integer; Float with isSingle: its bits
  double real = 0;               ///< Float
  bool isSingle = false;
  std::vector<RawOperand> elements; ///< Vector, Pair
  Range range;
};

/// An instruction as it is written.
struct RawInstruction {
  std::string_view name;
  std::vector<std::string_view> words; ///< after dots
  std::optional<RawOperand> guard;
  std::vector<RawOperand> operands;
  Range range;
};

/// Checks an instruction against the table of forms and adds it to the program. Errors as
/// parseProgram's.
Status checkInstruction(const RawInstruction &raw, Program &program);

/// An error at a place of the program's text, with its line and the source there.
Status errorAt(const Program &program, Range range, StatusCode code, std::string_view reason);

} // namespace inlay::ptx
