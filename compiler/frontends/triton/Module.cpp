#include "compiler/frontends/triton/Module.h"

#include "compiler/frontends/triton/Parser.h"

#include <algorithm>
#include <set>

namespace inlay::triton {

namespace {

/// How deep if/try/with may nest at module level before the rest is passed over.
constexpr int kMaxModuleNesting = 50;

/// Scans statements without parsing expressions.
class ModuleScanner {
public:
  ModuleScanner(const SourceFile &file, std::span<const Token> tokens)
      : file_(file), tokens_(tokens) {}

  std::vector<ModuleItem> run() {
    std::vector<ModuleItem> items;
    while (peek().kind != TokenKind::End)
      scanStatement(items, 0);
    return items;
  }

private:
  const Token &peek(size_t ahead = 0) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
  }
  std::string_view text(const Token &token) const { return file_.text(token.span); }
  bool at(std::string_view word) const {
    return (peek().kind == TokenKind::Name || peek().kind == TokenKind::Operator) &&
           text(peek()) == word;
  }
  bool atLineEnd() const {
    return peek().kind == TokenKind::Newline || peek().kind == TokenKind::End;
  }
  void take() {
    if (position_ + 1 < tokens_.size())
      ++position_;
  }
  std::span<const Token> range(size_t begin) const {
    return tokens_.subspan(begin, position_ - begin + 1);
  }

  void skipLine();
  void skipStatement();
  void skipBlock();
  std::string takeDottedName();
  void scanStatement(std::vector<ModuleItem> &into, int nesting);
  void scanFunctionOrClass(std::vector<ModuleItem> &into, int nesting);
  void scanClass(ModuleItem &item, int nesting);
  void scanField(std::vector<ModuleItem> &into);
  void scanIf(std::vector<ModuleItem> &into, int nesting);
  void scanTry(std::vector<ModuleItem> &into, int nesting);
  void scanBlock(std::vector<ModuleItem> &into, int nesting);
  void scanImport(std::vector<ModuleItem> &into);
  void scanFromImport(std::vector<ModuleItem> &into);
  void scanSimple(std::vector<ModuleItem> &into);

  const SourceFile &file_;
  std::span<const Token> tokens_;
  size_t position_ = 0;
};

void ModuleScanner::skipLine() {
  while (!atLineEnd())
    take();
  take();
}

void ModuleScanner::skipStatement() {
  while (!atLineEnd() && !at(";"))
    take();
  take();
}

/// Behind a header line: passes over its indented block.
void ModuleScanner::skipBlock() {
  int depth = 0;
  while (peek().kind != TokenKind::End && (peek().kind == TokenKind::Indent || depth > 0)) {
    depth += peek().kind == TokenKind::Indent ? 1 : peek().kind == TokenKind::Dedent ? -1 : 0;
    take();
  }
}

std::string ModuleScanner::takeDottedName() {
  std::string name;
  while (peek().kind == TokenKind::Name || at(".") || at("...")) {
    if (peek().kind == TokenKind::Name && isKeyword(text(peek())))
      break;
    name += text(peek());
    take();
    if (!name.empty() && name.back() != '.' && !at("."))
      break;
  }
  return name;
}

void ModuleScanner::scanStatement(std::vector<ModuleItem> &into, int nesting) {
  if (at("@") || at("def") || at("class") || at("async"))
    return scanFunctionOrClass(into, nesting);
  if (at("if") && nesting < kMaxModuleNesting)
    return scanIf(into, nesting + 1);
  if (at("try") && nesting < kMaxModuleNesting)
    return scanTry(into, nesting + 1);
  if (at("with") && nesting < kMaxModuleNesting) {
    while (!at(":") && !atLineEnd())
      take();
    return scanBlock(into, nesting + 1);
  }
  if (peek().kind == TokenKind::Indent) // the block of a statement that is passed over
    return skipBlock();
  if (peek().kind == TokenKind::Dedent || peek().kind == TokenKind::Newline)
    return take();
  if (at("import"))
    return scanImport(into);
  if (at("from"))
    return scanFromImport(into);
  scanSimple(into);
}

/// name: annotation [= default] in a class.
void ModuleScanner::scanField(std::vector<ModuleItem> &into) {
  ModuleItem item{};
  item.kind = ModuleItem::Kind::Field;
  item.span = peek().span;
  item.name = std::string(text(peek()));
  take();
  take();
  while (!atLineEnd() && !at("=") && !at(";")) {
    if (peek().kind == TokenKind::Name)
      item.path = std::string(text(peek()));
    take();
  }
  if (at("=")) {
    take();
    size_t begin = position_;
    while (!atLineEnd() && !at(";"))
      take();
    item.tokens = range(begin);
  }
  into.push_back(std::move(item));
  skipStatement();
}

/// Behind a class's name: its first base and its body.
void ModuleScanner::scanClass(ModuleItem &item, int nesting) {
  if (at("(")) {
    take();
    item.path = takeDottedName();
    int brackets = 1;
    while (!atLineEnd() && brackets > 0) {
      brackets += at("(") || at("[") || at("{") ? 1 : at(")") || at("]") || at("}") ? -1 : 0;
      take();
    }
  }
  if (at(":"))
    take();
  if (peek().kind != TokenKind::Newline)
    return skipLine();
  take();
  if (peek().kind != TokenKind::Indent)
    return;
  take();
  while (peek().kind != TokenKind::Dedent && peek().kind != TokenKind::End) {
    bool isField = peek().kind == TokenKind::Name && !isKeyword(text(peek())) &&
                   peek(1).kind == TokenKind::Operator && text(peek(1)) == ":";
    if (isField)
      scanField(item.body);
    else
      scanStatement(item.body, nesting + 1);
  }
  take();
}

void ModuleScanner::scanFunctionOrClass(std::vector<ModuleItem> &into, int nesting) {
  size_t begin = position_;
  ModuleItem item{};
  while (at("@")) {
    take();
    item.decorators.push_back(takeDottedName());
    skipLine();
    while (peek().kind == TokenKind::Newline)
      take();
  }
  if (at("async"))
    take();
  bool isFunction = at("def");
  if (!isFunction && !at("class"))
    return skipLine();
  item.kind = isFunction ? ModuleItem::Kind::Function : ModuleItem::Kind::Class;
  take();
  item.name = std::string(text(peek()));
  item.span = peek().span;
  if (isFunction || nesting >= kMaxModuleNesting) {
    skipLine();
    skipBlock();
  } else {
    take();
    scanClass(item, nesting);
  }
  item.tokens = tokens_.subspan(begin, position_ - begin);
  into.push_back(std::move(item));
}

/// At the ':' of a header: the statements of its block, or the rest of its line.
void ModuleScanner::scanBlock(std::vector<ModuleItem> &into, int nesting) {
  if (at(":"))
    take();
  if (peek().kind != TokenKind::Newline)
    return scanSimple(into);
  take();
  if (peek().kind != TokenKind::Indent)
    return;
  take();
  while (peek().kind != TokenKind::Dedent && peek().kind != TokenKind::End)
    scanStatement(into, nesting);
  take();
}

void ModuleScanner::scanIf(std::vector<ModuleItem> &into, int nesting) {
  ModuleItem item{};
  item.kind = ModuleItem::Kind::If;
  item.span = peek().span;
  take();
  size_t begin = position_;
  int brackets = 0;
  while (!atLineEnd() && (brackets > 0 || !at(":"))) {
    brackets += at("(") || at("[") || at("{") ? 1 : at(")") || at("]") || at("}") ? -1 : 0;
    take();
  }
  item.tokens = range(begin);
  scanBlock(item.body, nesting);
  if (at("elif") && nesting < kMaxModuleNesting) {
    scanIf(item.orElse, nesting + 1);
  } else if (at("else")) {
    take();
    scanBlock(item.orElse, nesting);
  }
  into.push_back(std::move(item));
}

void ModuleScanner::scanTry(std::vector<ModuleItem> &into, int nesting) {
  ModuleItem item{};
  item.kind = ModuleItem::Kind::Try;
  item.span = peek().span;
  take();
  scanBlock(item.body, nesting);
  while (at("except") || at("else") || at("finally")) {
    bool isHandler = at("except");
    while (!at(":") && !atLineEnd())
      take();
    scanBlock(isHandler ? item.orElse : item.body, nesting);
  }
  into.push_back(std::move(item));
}

/// import a.b.c as d, e
void ModuleScanner::scanImport(std::vector<ModuleItem> &into) {
  take();
  while (!atLineEnd() && !at(";")) {
    ModuleItem item{};
    item.kind = ModuleItem::Kind::Import;
    item.span = peek().span;
    item.path = takeDottedName();
    if (at("as")) {
      take();
      item.name = std::string(text(peek()));
      take();
    } else {
      // "import a.b" binds a.
      item.path = item.path.substr(0, item.path.find('.'));
      item.name = item.path;
    }
    if (!item.name.empty())
      into.push_back(std::move(item));
    if (!at(","))
      break;
    take();
  }
  skipStatement();
}

/// from a.b import c as d, e
void ModuleScanner::scanFromImport(std::vector<ModuleItem> &into) {
  take();
  std::string base = takeDottedName();
  if (at("import"))
    take();
  while (!atLineEnd() && !at(";")) {
    ModuleItem item{};
    item.kind = ModuleItem::Kind::Import;
    item.span = peek().span;
    item.name = std::string(text(peek()));
    if (at("*")) {
      take();
      item.path = base;
      into.push_back(std::move(item));
      continue;
    }
    if (peek().kind != TokenKind::Name) {
      take();
      continue;
    }
    // After "from . import" the dots alone are the base.
    item.path = base + (base.ends_with(".") ? "" : ".") + item.name;
    take();
    if (at("as")) {
      take();
      item.name = std::string(text(peek()));
      take();
    }
    into.push_back(std::move(item));
  }
  skipStatement();
}

/// name = value, name: annotation = value; anything else is passed over.
void ModuleScanner::scanSimple(std::vector<ModuleItem> &into) {
  if (peek().kind == TokenKind::Name && !isKeyword(text(peek()))) {
    ModuleItem item{};
    item.kind = ModuleItem::Kind::Assign;
    item.span = peek().span;
    item.name = std::string(text(peek()));
    take();
    if (at(":"))
      while (!atLineEnd() && !at("="))
        take();
    if (at("=")) {
      take();
      size_t begin = position_;
      while (!atLineEnd() && !at(";"))
        take();
      item.tokens = range(begin);
      into.push_back(std::move(item));
    }
  }
  skipStatement();
}

void collectJit(const SourceFile &file, const std::vector<ModuleItem> &items,
                const std::set<std::string> &wrapped, std::vector<const ModuleItem *> &found) {
  for (const ModuleItem &item : items) {
    if (item.kind == ModuleItem::Kind::Class)
      continue; // its methods are no kernels
    if (item.kind == ModuleItem::Kind::Function &&
        (wrapped.contains(item.name) ||
         std::any_of(item.decorators.begin(), item.decorators.end(), isJitDecorator)))
      found.push_back(&item);
    collectJit(file, item.body, wrapped, found);
    collectJit(file, item.orElse, wrapped, found);
  }
}

/// Names f of assignments `g = triton.jit(f)`.
void collectWrapped(const SourceFile &file, const std::vector<ModuleItem> &items,
                    std::set<std::string> &wrapped) {
  for (const ModuleItem &item : items) {
    if (item.kind == ModuleItem::Kind::Assign) {
      for (size_t i = 0; i + 2 < item.tokens.size(); ++i)
        if (item.tokens[i].kind == TokenKind::Name && file.text(item.tokens[i].span) == "jit" &&
            file.text(item.tokens[i + 1].span) == "(" && item.tokens[i + 2].kind == TokenKind::Name)
          wrapped.insert(std::string(file.text(item.tokens[i + 2].span)));
    }
    collectWrapped(file, item.body, wrapped);
    collectWrapped(file, item.orElse, wrapped);
  }
}

/// The tokens of a value, ended as a parser needs it.
std::vector<Token> withEnd(std::span<const Token> tokens) {
  std::vector<Token> copy(tokens.begin(), tokens.end());
  uint32_t end = copy.empty() ? 0 : copy.back().span.begin;
  if (!copy.empty())
    copy.pop_back(); // the delimiter
  copy.push_back({TokenKind::End, {end, end}});
  return copy;
}

} // namespace

bool isJitDecorator(std::string_view dottedName) {
  size_t dot = dottedName.rfind('.');
  if (dottedName.substr(dot == std::string_view::npos ? 0 : dot + 1) != "jit")
    return false;
  // Other compilers' decorators of that name.
  std::string_view first = dottedName.substr(0, dottedName.find('.'));
  for (std::string_view other : {"cute", "cutlass", "numba", "nb", "jax", "torch", "gluon", "T",
                                 "tilelang", "flyc", "flydsl", "ti", "wp"})
    if (first == other)
      return false;
  return true;
}

/// True for the annotations NAME, anything.NAME and the same in quotes.
static bool isAnnotation(const Expr *annotation, std::string_view name) {
  if (!annotation)
    return false;
  bool isText = annotation->kind == ExprKind::Attribute || annotation->kind == ExprKind::Name ||
                annotation->kind == ExprKind::String;
  std::string_view text = annotation->text;
  return isText && text.ends_with(name) &&
         (text.size() == name.size() || text[text.size() - name.size() - 1] == '.');
}

bool isConstexprAnnotation(const Expr *annotation) { return isAnnotation(annotation, "constexpr"); }
bool isConstAnnotation(const Expr *annotation) { return isAnnotation(annotation, "const"); }

Module::Module(std::string path, std::string text)
    : file_(std::move(path), std::move(text)), tokens_(tokenize(file_)),
      items_(ModuleScanner(file_, tokens_).run()) {}

const Function *Module::parseFunction(const ModuleItem &item, Diagnostics &diagnostics) {
  auto [place, isNew] = functions_.try_emplace(&item);
  if (isNew) {
    std::vector<Token> tokens(item.tokens.begin(), item.tokens.end());
    uint32_t end = tokens.empty() ? 0 : tokens.back().span.end;
    tokens.push_back({TokenKind::End, {end, end}});
    place->second = Parser(file_, tokens, diagnostics).parseFunction();
  }
  return place->second.get();
}

const Expr *Module::parseValue(const ModuleItem &item, Diagnostics &diagnostics) {
  auto [place, isNew] = values_.try_emplace(&item);
  if (isNew) {
    std::vector<Token> tokens = withEnd(item.tokens);
    place->second = Parser(file_, tokens, diagnostics).parseWholeExpression();
  }
  return place->second.get();
}

std::vector<const ModuleItem *> Module::jitFunctions() const {
  std::set<std::string> wrapped;
  collectWrapped(file_, items_, wrapped);
  std::vector<const ModuleItem *> found;
  collectJit(file_, items_, wrapped, found);
  return found;
}

} // namespace inlay::triton
