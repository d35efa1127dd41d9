// Syntax trees of the Python in kernels and in the module's statements around them.
#pragma once

#include "compiler/frontends/triton/Source.h"

#include <memory>
#include <string>
#include <vector>

namespace inlay::triton {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;

enum class ExprKind : uint8_t {
  Name,        // text
  Integer,     // text: the digits as written
  Float,       // text
  String,      // text: the value, escapes resolved
  FString,     // operands: String and FormattedValue parts
  Formatted,   // operands: the value; text: conversion and format as written
  Constant,    // text: True, False, None or "..."
  Unary,       // text: operator; 1 operand
  Binary,      // text: operator; 2 operands
  BoolOp,      // text: and/or; 2 or more operands
  Compare,     // operators; 1 more operand than operators
  Conditional, // operands: test, then, else
  Call,        // operands: callee, then positional arguments (Starred for *x); keywords
  Attribute,   // operands: object; text: name
  Subscript,   // operands: object, index (a Tuple for several)
  Slice,       // operands: lower, upper, step; each may be null
  Tuple,
  List,
  ListComprehension, // operands: element, then those of its clauses; operators: what each of
                     // these is, "for" (the target), "in" (the iterable) or "if"
  Dict,              // operands: key, value, key, value, …; a null key: **value
  DictComprehension, // operands: key, value, then clauses as above
  Lambda,            // operands: the body; keywords: parameters with default values or null
  Starred,           // 1 operand
  Named,             // operands: target (a Name), value
  Unsupported        // parsed, but not part of the language: text says what ("a complex number")
};

struct Keyword {
  std::string name; // empty: **value
  ExprPtr value;
  Span span;
};

struct Expr {
  ExprKind kind;
  Span span;
  std::string text;
  std::vector<ExprPtr> operands;
  std::vector<std::string> operators; // Compare: "<", "not in", …; comprehensions
  std::vector<Keyword> keywords;      // Call, Lambda
  uint32_t depth = 1;                 // of the tree below
};

enum class StmtKind : uint8_t {
  Expression,      // value
  Assign,          // targets = value
  AnnotatedAssign, // targets[0]: annotation = value (may be null)
  AugmentedAssign, // targets[0] op= value; text: the operator without '='
  If,              // test value; body; orElse
  For,             // targets[0] in value: body; orElse
  While,           // value; body; orElse
  Return,          // value may be null
  Assert,          // value; message
  Pass,
  Delete,     // targets: names
  With,       // value (the first context); body
  Unsupported // text says what ("try", "with", "break")
};

struct Stmt {
  StmtKind kind;
  Span span; // of the header line for compound statements
  std::string text;
  std::vector<ExprPtr> targets;
  ExprPtr value;
  ExprPtr annotation;
  ExprPtr message;
  std::vector<StmtPtr> body;
  std::vector<StmtPtr> orElse;
};

struct Parameter {
  enum class Kind : uint8_t { Positional, KeywordOnly, Star, StarStar };
  std::string name;
  Span span;
  Kind kind = Kind::Positional;
  ExprPtr annotation;
  ExprPtr defaultValue;
};

/// A `def`. Its body is parsed on demand: see Module::parse.
struct Function {
  std::string name;
  Span nameSpan;
  std::vector<ExprPtr> decorators;
  std::vector<Parameter> parameters;
  std::vector<StmtPtr> body;
};

} // namespace inlay::triton
