// Names: locals, then the module's, evaluated when first asked for, then Python's own.
#include "compiler/frontends/triton/Builtins.h"
#include "compiler/frontends/triton/EmitterScopes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace inlay::triton {

Value Emitter::lookup(const std::string &name) {
  if (auto found = frame_->scope.find(name); found != frame_->scope.end())
    return found->second.value;
  if (auto found = frame_->vanished.find(name); found != frame_->vanished.end())
    return error("'{}' is not defined here: {}", name, found->second);
  return lookupGlobal(*frame_->module, name, frame_->evaluating);
}

namespace {

/// Whether the name becomes Triton, its language or its libdevice, which kernels always have.
bool importTriton(const std::vector<const ModuleItem *> &bindings) {
  return std::any_of(bindings.begin(), bindings.end(), [](const ModuleItem *item) {
    return item->kind == ModuleItem::Kind::Import &&
           (item->path == "triton" || item->path == "triton.language" ||
            (item->path.starts_with("triton.") && item->path.ends_with(".libdevice")));
  });
}

} // namespace

/// The items that bind a name, in order, in the branches of module-level statements that are taken.
void Emitter::collectBindings(Module &module, const std::vector<ModuleItem> &items,
                              const std::string &name, std::vector<const ModuleItem *> &found) {
  for (const ModuleItem &item : items) {
    if (item.kind == ModuleItem::Kind::If) {
      // A condition sees what was bound before it.
      if (conditionsInProgress_.contains(&item))
        return;
      std::vector<const ModuleItem *> body, orElse;
      collectBindings(module, item.body, name, body);
      collectBindings(module, item.orElse, name, orElse);
      if (body.empty() && orElse.empty())
        continue;
      std::optional<bool> isTaken;
      if (importTriton(body) != importTriton(orElse))
        isTaken = importTriton(body);
      else
        isTaken = decideModuleIf(module, item);
      bool takesBody = isTaken.value_or(!body.empty());
      if (!isTaken)
        note(fmt::format(
            "{}:{}: the condition is not known at compile time; '{}' is taken from the {} part",
            module.file().path(), module.file().locate(item.span.begin).line, name,
            takesBody ? "'if'" : "'else'"));
      found.insert(found.end(), takesBody ? body.begin() : orElse.begin(),
                   takesBody ? body.end() : orElse.end());
    } else if (item.kind == ModuleItem::Kind::Try) {
      size_t before = found.size();
      collectBindings(module, item.body, name, found);
      if (found.size() == before)
        collectBindings(module, item.orElse, name, found);
    } else if (item.name == name) {
      found.push_back(&item);
    }
  }
}

std::optional<bool> Emitter::decideModuleIf(Module &module, const ModuleItem &item) {
  Diagnostics quiet;
  const Expr *test = module.parseValue(item, quiet);
  if (!test)
    return std::nullopt;
  Diagnostics *saved = std::exchange(diagnostics_, &quiet);
  conditionsInProgress_.insert(&item);
  Value value = evaluateInModule(module, *test, &item);
  conditionsInProgress_.erase(&item);
  diagnostics_ = saved;
  // A name that is only imported has no known truth.
  return value.asExternal() ? std::nullopt : value.truth();
}

Value Emitter::evaluateInModule(Module &module, const Expr &expr, const ModuleItem *item) {
  Frame frame{};
  frame.module = &module;
  frame.evaluating = item;
  Frame *saved = std::exchange(frame_, &frame);
  // Module level has no run time: what it would compute then goes to a block that is thrown away.
  mlir::OpBuilder::InsertPoint place = semantics_.builder.saveInsertionPoint();
  mlir::Block scratch;
  semantics_.builder.setInsertionPointToStart(&scratch);
  Value value = evaluate(expr);
  if (value.containsTensor())
    value = errorAt(expr.span, "this is only known at run time, but a value at module level must "
                               "be known at compile time");
  semantics_.builder.restoreInsertionPoint(place);
  frame_ = saved;
  return value;
}

Value Emitter::tryEvaluate(Module &module, const Expr &expr, std::string &reason) {
  Diagnostics quiet;
  Diagnostics *saved = std::exchange(diagnostics_, &quiet);
  Value value = evaluateInModule(module, expr, nullptr);
  diagnostics_ = saved;
  if (quiet.hasErrors())
    reason = quiet.errors().front().message;
  return quiet.hasErrors() ? Value::poison() : value;
}

Value Emitter::tryCall(Module &module, const Value &callee, std::vector<Value> values,
                       std::string &reason) {
  Diagnostics quiet;
  Diagnostics *saved = std::exchange(diagnostics_, &quiet);
  Frame frame{};
  frame.module = &module;
  Frame *savedFrame = std::exchange(frame_, &frame);
  CallArguments arguments;
  arguments.positional = std::move(values);
  arguments.positionalSpans.resize(arguments.positional.size());
  Value value = call(callee, std::move(arguments));
  frame_ = savedFrame;
  diagnostics_ = saved;
  if (quiet.hasErrors())
    reason = quiet.errors().front().message;
  return quiet.hasErrors() ? Value::poison() : value;
}

Value Emitter::lookupGlobal(Module &module, const std::string &name, const ModuleItem *before) {
  if (std::optional<Value> value = findGlobal(module, name, before))
    return *value;
  std::string path = "builtins." + name;
  if (findBuiltin(path) || name == "str" || name == "tuple" || name == "dict" || name == "list")
    return Value::external(path);
  return error("name '{}' is not defined", name);
}

/// The value of a name of the module, also of one that it imports with "*".
std::optional<Value> Emitter::findGlobal(Module &module, const std::string &name,
                                         const ModuleItem *before) {
  std::vector<const ModuleItem *> bindings;
  collectBindings(module, module.items(), name, bindings);
  // While an assignment is evaluated its own name means what it meant before.
  while (!bindings.empty() &&
         (bindings.back() == before || globalsInProgress_.contains(bindings.back())))
    bindings.pop_back();
  if (bindings.empty())
    return name == "*" ? std::nullopt : findStarImport(module, name);
  const ModuleItem &item = *bindings.back();
  // A value without a reason may have failed while a condition was tried quietly: the reason is
  // found again.
  if (auto known = globals_.find(&item);
      known != globals_.end() && (!known->second.containsPoison() || diagnostics_->hasErrors()))
    return known->second;
  globalsInProgress_.insert(&item);
  Value value = evaluateItem(module, item);
  globalsInProgress_.erase(&item);
  return globals_[&item] = value;
}

std::optional<Value> Emitter::findStarImport(Module &module, const std::string &name) {
  std::vector<const ModuleItem *> stars;
  collectBindings(module, module.items(), "*", stars);
  for (auto star = stars.rbegin(); star != stars.rend(); ++star) {
    if (!globalsInProgress_.insert(*star).second)
      continue; // modules that import each other's names
    std::optional<Value> value;
    const std::string base = absoluteName(module, (*star)->path);
    std::optional<ModuleLoader::Found> found = modules ? modules->find(base) : std::nullopt;
    if (found && found->rest.empty())
      value = findGlobal(*found->module, name, nullptr);
    else if (findBuiltin(base + "." + name) || library_.findPath(base + "." + name))
      value = resolveExternal(base + "." + name);
    globalsInProgress_.erase(*star);
    if (value)
      return value;
  }
  return std::nullopt;
}

std::string Emitter::absoluteName(const Module &module, const std::string &path) const {
  return modules ? modules->absoluteName(module, path) : path;
}

Value Emitter::resolveInModule(const ModuleLoader::Found &found, const std::string &path) {
  if (found.rest.empty())
    return Value::external(path); // the module itself
  std::string_view rest = found.rest;
  const std::string first(rest.substr(0, rest.find('.')));
  std::optional<Value> value = findGlobal(*found.module, first, nullptr);
  if (!value)
    return error("module {} has no '{}'", found.module->file().path(), first);
  for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    rest.remove_prefix(dot + 1);
    value = attribute(*value, std::string(rest.substr(0, rest.find('.'))));
  }
  return *value;
}

Value Emitter::evaluateItem(Module &module, const ModuleItem &item) {
  switch (item.kind) {
  case ModuleItem::Kind::Function:
    return Value::function({&module, &item});
  case ModuleItem::Kind::Import:
    return resolveExternal(absoluteName(module, item.path));
  case ModuleItem::Kind::Class:
    return evaluateClass(module, item);
  default:
    break;
  }
  Diagnostics quiet;
  const Expr *expr = module.parseValue(item, quiet);
  Value value = Value::poison();
  if (expr) {
    Diagnostics *saved = std::exchange(diagnostics_, &quiet);
    value = evaluateInModule(module, *expr, &item);
    diagnostics_ = saved;
  }
  if (!value.containsPoison())
    return value;
  std::string reason = quiet.errors().empty() ? "" : ": " + quiet.errors()[0].message;
  errorAt(span_,
          fmt::format(
              "'{}' is needed here, but its value at module level is not known at compile time{}",
              item.name, reason));
  return Value::poison();
}

namespace {

struct NamedNumber {
  std::string_view path;
  double value;
};
constexpr NamedNumber kNamedNumbers[] = {
    {"math.pi", std::numbers::pi}, {"math.e", std::numbers::e}, {"math.tau", 2 * std::numbers::pi},
    {"math.inf", HUGE_VAL},        {"math.nan", NAN},           {"numpy.pi", std::numbers::pi},
    {"numpy.e", std::numbers::e},  {"numpy.inf", HUGE_VAL},     {"torch.pi", std::numbers::pi},
    {"torch.inf", HUGE_VAL},       {"numpy.nan", NAN},          {"torch.nan", NAN},
};

/// torch's names of dtypes that differ from the language's.
constexpr std::pair<std::string_view, Scalar> kTorchDtypes[] = {
    {"bool", Scalar::Int1},
    {"half", Scalar::Float16},
    {"float", Scalar::Float32},
    {"double", Scalar::Float64},
    {"short", Scalar::Int16},
    {"int", Scalar::Int32},
    {"long", Scalar::Int64},
    {"float8_e4m3fn", Scalar::Float8E4NV},
    {"float8_e5m2", Scalar::Float8E5},
};

} // namespace

Value Emitter::resolveExternal(const std::string &path) {
  std::string_view view = path;
  auto dtype = [](Scalar scalar) { return Value::dtype({scalar, false, false, {}}); };
  for (const NamedNumber &number : kNamedNumbers)
    if (number.path == view)
      return Value::number(number.value);
  if (view.starts_with("torch.")) {
    std::string_view name = view.substr(6);
    for (const auto &[torchName, scalar] : kTorchDtypes)
      if (torchName == name)
        return dtype(scalar);
    if (auto scalar = findScalar(name); scalar && languageNameOf(*scalar) == name)
      return dtype(*scalar);
  }
  if (view == "triton.__version__")
    return Value::string("3.6.0");
  if (view.starts_with("triton.language.")) {
    std::string name = canonicalName(view);
    if (auto scalar = findScalar(name); scalar && languageNameOf(*scalar) == name)
      return dtype(*scalar);
    if (name == "PropagateNan.ALL" || name == "PropagateNan.NONE" ||
        name.starts_with("dtype.SIGNEDNESS.") || name.starts_with("dtype.KIND."))
      return Value::string(name);
  }
  // The policy for what a module asks about the machine: an NVIDIA GPU.
  if (view == "torch.version.hip" || view == "torch.version.xpu")
    return Value();
  if (view == "torch.version.cuda")
    return Value::string("13.0");
  if (view == "typing.TYPE_CHECKING")
    return Value::boolean(false);
  if (modules)
    if (std::optional<ModuleLoader::Found> found = modules->find(path))
      return resolveInModule(*found, path);
  return Value::external(path);
}

} // namespace inlay::triton
