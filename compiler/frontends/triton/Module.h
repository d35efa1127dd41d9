// The module level of a Python file, read tolerantly: functions, assignments and imports; all else
// is passed over.
#pragma once

#include "compiler/frontends/triton/Ast.h"
#include "compiler/frontends/triton/Lexer.h"

#include <map>
#include <memory>
#include <span>

namespace inlay::triton {

/// A statement at module level. Tokens stand for what is parsed on demand.
struct ModuleItem {
  enum class Kind : uint8_t {
    Function, // name; tokens: decorators, header and body
    Assign,   // name; tokens: the value
    Import,   // name; path: the dotted name it stands for. "*": all names of the module `path`
    Class,    // name; path: its first base; body: Field and Function items
    Field,    // of a class: name; path: its annotation's last name; tokens: the default, or none
    If,       // tokens: the test; body; orElse
    Try       // body (with its else and finally parts); orElse: what the except parts bind
  };
  Kind kind;
  Span span; // of the name, or of the header
  std::string name;
  std::string path;
  std::span<const Token> tokens;
  std::vector<std::string> decorators; // Function, Class: dotted names, without arguments
  std::vector<ModuleItem> body;
  std::vector<ModuleItem> orElse;
};

/// One Python file: its text, tokens and module-level items. Functions and values are parsed when
/// asked for, once; they live as long as the module.
class Module {
public:
  Module(std::string path, std::string text);
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;

  const SourceFile &file() const { return file_; }
  std::span<const Token> tokens() const { return tokens_; }
  const std::vector<ModuleItem> &items() const { return items_; }
  /// The parsed function of a Function item; null, with errors in `diagnostics` the first time, if
  /// it does not parse.
  const Function *parseFunction(const ModuleItem &item, Diagnostics &diagnostics);
  /// The parsed value of an Assign or test of an If; null after errors.
  const Expr *parseValue(const ModuleItem &item, Diagnostics &diagnostics);
  /// All items that bind functions decorated with something.jit, or passed to triton.jit by an
  /// assignment, in file order; in every branch of module-level statements.
  std::vector<const ModuleItem *> jitFunctions() const;

private:
  SourceFile file_;
  std::vector<Token> tokens_;
  std::vector<ModuleItem> items_;
  std::map<const ModuleItem *, std::unique_ptr<Function>> functions_;
  std::map<const ModuleItem *, ExprPtr> values_;
};

/// True for "triton.jit", "jit", "triton_dist.jit": the last part is jit.
bool isJitDecorator(std::string_view dottedName);

/// True for the annotations tl.constexpr, constexpr and "tl.constexpr"; null is no annotation.
bool isConstexprAnnotation(const Expr *annotation);
/// The same of tl.const: a pointer through which nothing is stored.
bool isConstAnnotation(const Expr *annotation);

} // namespace inlay::triton
