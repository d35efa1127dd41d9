// What calls of the language's builtins do with their arguments, as far as names tell.
#pragma once

#include "compiler/frontends/triton/Ast.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::triton {

/// How a value comes out of a builtin, by the builtin's last name.
enum class CallForm : uint8_t {
  Unknown,
  Load,          // operand 0 is an address
  Store,         // operand 0 is an address
  Atomic,        // operand 0 is an address
  BlockPointer,  // operand 0 is the base; shapes and strides; a constant block shape
  Descriptor,    // make_tensor_descriptor
  Advance,       // gives operand 0
  PassFirst,     // elementwise or shape of operand 0; further operands are compile-time
  PassAll,       // elementwise in all operands
  Where,         // condition, then two values
  FloatFunction, // of floats
  Dot,
  Range,       // of indices
  StaticRange, // bounds known at compile time
  Shape,       // operand 0 is a shape, dtype follows
  Integer,     // program_id and others that give integers and take constants
  IndexMath    // cdiv, swizzle2d: integers
};

CallForm formOf(std::string_view name);

/// "a.b.c" of names and attributes; empty for anything else.
std::string dottedName(const Expr &expr);
/// The last name of what a call calls: "load" of tl.load(p); empty if it is no name.
std::string calledName(const Expr &call);

} // namespace inlay::triton
