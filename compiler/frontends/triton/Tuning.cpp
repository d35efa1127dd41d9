#include "compiler/frontends/triton/Tuning.h"

#include <algorithm>
#include <fmt/format.h>

namespace inlay::triton {

namespace {

/// The last part of what a decorator calls: "autotune" of triton.autotune(…).
std::string_view calleeName(const Expr &call) {
  const Expr &callee = *call.operands[0];
  bool isNamed = callee.kind == ExprKind::Attribute || callee.kind == ExprKind::Name;
  return isNamed ? std::string_view(callee.text) : std::string_view();
}

bool refersTo(const Expr &expr, const std::string &name) {
  if (expr.kind == ExprKind::Name && expr.text == name)
    return true;
  return std::any_of(expr.operands.begin(), expr.operands.end(),
                     [&](const ExprPtr &operand) { return operand && refersTo(*operand, name); });
}

} // namespace

std::optional<ConstexprValue> toConstexpr(const Value &value) {
  if (value.isNone())
    return ConstexprValue(std::monostate());
  if (auto *boolean = value.asBool())
    return ConstexprValue(*boolean);
  if (auto *integer = value.asInteger(); integer && *integer >= INT64_MIN && *integer <= INT64_MAX)
    return ConstexprValue(static_cast<int64_t>(*integer));
  if (auto *number = value.asNumber())
    return ConstexprValue(*number);
  if (auto *string = value.asString())
    return ConstexprValue(*string);
  if (auto *dtype = value.asDtype(); dtype && !dtype->isPointer && !dtype->isBlock())
    if (auto type = findDataType(std::string(languageNameOf(dtype->scalar))))
      return ConstexprValue(*type);
  return std::nullopt;
}

TuningReader::TuningReader(Emitter &emitter, Module &module, const ModuleItem &item,
                           const Function &function)
    : emitter_(emitter), module_(module), item_(item) {
  collectAssignments(module.items());
  for (const ExprPtr &decorator : function.decorators)
    collect(*decorator);
}

void TuningReader::collect(const Expr &decorator) {
  if (decorator.kind != ExprKind::Call)
    return;
  if (calleeName(decorator) == "heuristics")
    heuristics_.push_back(&decorator);
  else if (calleeName(decorator) == "autotune" || argument(decorator, 1000, "configs"))
    autotuners_.push_back(&decorator);
}

/// name = triton.heuristics({…})(triton.autotune(…)(triton.jit(name)))
void TuningReader::collectAssignments(const std::vector<ModuleItem> &items) {
  for (const ModuleItem &item : items) {
    collectAssignments(item.body);
    collectAssignments(item.orElse);
    if (item.kind != ModuleItem::Kind::Assign)
      continue;
    Diagnostics quiet;
    bool mayRefer = std::any_of(item.tokens.begin(), item.tokens.end(), [&](const Token &token) {
      return token.kind == TokenKind::Name && module_.file().text(token.span) == item_.name;
    });
    const Expr *value = mayRefer ? module_.parseValue(item, quiet) : nullptr;
    if (!value || !refersTo(*value, item_.name))
      continue;
    while (value->kind == ExprKind::Call && value->operands.size() == 2) {
      collect(*value->operands[0]);
      value = value->operands[1].get();
    }
  }
}

const Expr *TuningReader::argument(const Expr &call, size_t position,
                                   std::string_view keyword) const {
  if (position + 1 < call.operands.size())
    return call.operands[position + 1].get();
  for (const Keyword &candidate : call.keywords)
    if (candidate.name == keyword)
      return candidate.value.get();
  return nullptr;
}

void TuningReader::readConfigs(const Expr &call, KernelTuning &tuning) {
  const Expr *configs = argument(call, 0, "configs");
  std::string place =
      fmt::format("{}:{}: ", module_.file().path(), module_.file().locate(call.span.begin).line);
  if (!configs) {
    tuning.notes.push_back(place + "the autotuner has no configs");
    return;
  }
  std::string reason;
  Value list = emitter_.tryEvaluate(module_, *configs, reason);
  auto *elements = list.asTuple();
  if (!elements) {
    tuning.notes.push_back(place +
                           "the autotuner's configurations are not known at compile time: " +
                           (reason.empty() ? describe(list) + " is no list" : reason));
    return;
  }
  for (const Value &element : *elements) {
    const DictValue *config = element.asDict();
    const Value *values = config ? config->find("kwargs") : nullptr;
    if (!values || !values->asDict()) {
      tuning.notes.push_back(place + describe(element) + " is no triton.Config");
      continue;
    }
    KernelConfig read;
    for (const auto &[key, value] : values->asDict()->entries) {
      std::optional<ConstexprValue> constant = toConstexpr(value);
      if (constant && key.asString())
        read.values[*key.asString()] = std::move(*constant);
      else
        tuning.notes.push_back(place + describe(key) +
                               " has a value of no known kind: " + describe(value));
    }
    for (auto [name, field] :
         {std::pair("num_warps", &read.numWarps), std::pair("num_stages", &read.numStages)})
      if (const Value *value = config->find(name); value && value->integerValue())
        *field = static_cast<int>(*value->integerValue());
    tuning.configs.push_back(std::move(read));
  }
  if (const Expr *key = argument(call, 1, "key")) {
    std::string ignored;
    if (auto *names = emitter_.tryEvaluate(module_, *key, ignored).asTuple())
      for (const Value &name : *names)
        if (name.asString())
          tuning.key.push_back(*name.asString());
  }
}

KernelTuning TuningReader::read() {
  KernelTuning tuning;
  for (const Expr *call : autotuners_)
    if (tuning.configs.empty())
      readConfigs(*call, tuning);
  for (const Expr *call : heuristics_)
    if (const Expr *dict = argument(*call, 0, "values"); dict && dict->kind == ExprKind::Dict)
      for (size_t i = 0; i + 1 < dict->operands.size(); i += 2)
        if (dict->operands[i] && dict->operands[i]->kind == ExprKind::String)
          tuning.heuristics.push_back(dict->operands[i]->text);
  return tuning;
}

std::vector<TuningReader::Heuristic> TuningReader::evaluate(std::map<std::string, Value> known) {
  std::vector<Heuristic> results;
  for (const Expr *call : heuristics_) {
    const Expr *values = argument(*call, 0, "values");
    std::string reason;
    Value dict = values ? emitter_.tryEvaluate(module_, *values, reason) : Value();
    if (!dict.asDict())
      continue; // read() has said so
    for (const auto &[key, function] : dict.asDict()->entries) {
      if (!key.asString() || known.contains(*key.asString()))
        continue;
      Heuristic heuristic{*key.asString(), std::nullopt, ""};
      DictValue arguments;
      for (const auto &[name, value] : known)
        arguments.set(Value::string(name), value);
      Value value = emitter_.tryCall(module_, function, {Value::dict(std::move(arguments))},
                                     heuristic.reason);
      if (value.isPoison() || value.asExternal()) {
        if (heuristic.reason.empty())
          heuristic.reason = "it depends on a run-time value";
      } else {
        heuristic.value = value;
        known[heuristic.name] = value;
      }
      results.push_back(std::move(heuristic));
    }
  }
  return results;
}

} // namespace inlay::triton
