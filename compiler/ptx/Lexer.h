// Inline PTX as tokens.
#pragma once

#include "base/Status.h"
#include "compiler/ptx/Program.h"

#include <string_view>
#include <vector>

namespace inlay::ptx {

struct Token {
  enum class Kind : uint8_t {
    Word,    ///< a name, also of an instruction
    Dotted,  ///< ".f32", ".reg"; the text is without the dot
    Operand, ///< "$2" or "${2}"; `number` says which
    Integer, ///< `number`
    Float,   ///< `real`, also of "0d…"; of "0f…", with `isSingle`, `number` holds the bits
    Symbol,  ///< one of { } ( ) [ ] , ; : @ ! | < > + - ~ * / % & ^ _ =
    EndOfText,
  };
  Kind kind = Kind::EndOfText;
  std::string_view text;
  uint64_t number = 0;
  double real = 0;
  bool isSingle = false;
  Range range;

  bool is(char symbol) const { return kind == Kind::Symbol && text[0] == symbol; }
};

/// All tokens; the last is EndOfText. Comments are passed over. The tokens' texts lie in `text`.
/// Errors: InvalidArgument with the line, for characters that PTX does not have and numbers that
/// are none.
Result<std::vector<Token>> lex(std::string_view text);

/// "line 2", counted from 1.
std::string lineText(std::string_view text, uint32_t offset);

} // namespace inlay::ptx
