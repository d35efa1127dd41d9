// Python's tokens, with the indentation made explicit.
#pragma once

#include "compiler/frontends/triton/Source.h"

#include <string>
#include <vector>

namespace inlay::triton {

enum class TokenKind : uint8_t {
  Name,    // identifier or keyword
  Integer, // 12, 0xFF, 1_000
  Float,   // 1.5, 1e3
  Imaginary,
  String,   // any prefix and quotes but f
  FString,  // f"…": the parser splits it
  Operator, // punctuation
  Newline,
  Indent,
  Dedent,
  End,
  Error // something that is no token; `message` says what
};

struct Token {
  TokenKind kind;
  Span span;
  const char *message = nullptr; // Error only; static text
};

/// Splits a whole file. Never fails: what is no token becomes an Error token and reading goes on,
/// so that only those who use that part of the file hear of it. Brackets join lines; at bracket
/// depth 0 the tokens Newline, Indent and Dedent tell the block structure. The last token is End.
std::vector<Token> tokenize(const SourceFile &file);

/// Splits a part of a file as if inside brackets, so that line ends do not count: a replacement
/// field of an f-string.
std::vector<Token> tokenizeExpression(const SourceFile &file, Span span);

/// Where a replacement field that begins after its '{' ends: the offset of the ':' (format), '!'
/// (conversion), '=' (debug) or
/// '}' at nesting depth 0, or `end` if there is none.
uint32_t findFieldEnd(const SourceFile &file, uint32_t begin, uint32_t end);

/// True for the reserved words of Python, which cannot be names.
bool isKeyword(std::string_view name);

} // namespace inlay::triton
