// Functions of single elements that are run on whole blocks, for map_elementwise.
#include "compiler/frontends/triton/EmitterScopes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace inlay::triton {

Value Emitter::callElementwise(const Value &callee, CallArguments arguments) {
  ++elementwiseDepth_;
  Value result = call(callee, std::move(arguments));
  --elementwiseDepth_;
  return result;
}

/// a where the condition holds, else b; tuples element by element.
Value Emitter::selectElementwise(const Tensor &condition, const Value &a, const Value &b) {
  if (a.containsPoison() || b.containsPoison())
    return Value::poison();
  if (equals(a, b))
    return a;
  if (auto *left = a.asTuple(), *right = b.asTuple();
      left && right && left->size() == right->size()) {
    Value::Elements elements;
    for (size_t i = 0; i < left->size(); ++i)
      elements.push_back(selectElementwise(condition, (*left)[i], (*right)[i]));
    return a.withElements(std::move(elements));
  }
  bool isGood = (a.asTensor() || a.isNumber()) && (b.asTensor() || b.isNumber());
  if (!isGood)
    return error("the branches of an 'if' per element give {} and {}; both must be numbers or "
                 "tensors",
                 describe(a), describe(b));
  return semantics_.select(Value::tensor(condition), a, b);
}

/// Both branches run for all elements, so they must not touch memory.
void Emitter::refuseEffectsSince(const Stmt &stmt, Operation *last) {
  Block *block = semantics_.builder.getInsertionBlock();
  auto first = last ? std::next(last->getIterator()) : block->begin();
  for (auto op = first; op != semantics_.builder.getInsertionPoint(); ++op)
    if (!isMemoryEffectFree(&*op)) {
      errorAt(stmt.span, "a branch that map_elementwise takes per element cannot load, store or "
                         "have other effects");
      return;
    }
}

std::optional<Emitter::Flow> Emitter::emitSelectingIf(const Stmt &stmt, const Tensor &condition,
                                                      bool hasReturn, const Continuation &rest) {
  OpBuilder &builder = semantics_.builder;
  Block *block = builder.getInsertionBlock();
  auto point = builder.getInsertionPoint();
  Operation *last = point == block->begin() ? nullptr : &*std::prev(point);
  Scope before = frame_->scope, after[2];
  Flow flows[2];
  for (int i = 0; i < 2; ++i) {
    frame_->scope = before;
    flows[i] = execute(i == 0 ? stmt.body : stmt.orElse, hasReturn ? &rest : nullptr);
    after[i] = std::move(frame_->scope);
  }
  frame_->scope = before;
  refuseEffectsSince(stmt, last);
  if (hasReturn)
    return Flow{true, selectElementwise(condition, flows[0].value, flows[1].value),
                flows[0].hasReturned ? flows[0].span : flows[1].span};
  uint32_t line = frame_->module->file().locate(stmt.span.begin).line;
  for (int i = 0; i < 2; ++i)
    for (const auto &[name, binding] : after[i]) {
      auto other = after[1 - i].find(name);
      if (other == after[1 - i].end()) {
        frame_->vanished[name] =
            fmt::format("it gets a value only in one branch of the 'if' in line {}", line);
        frame_->scope.erase(name);
      } else if (i == 0) {
        frame_->scope[name] = {selectElementwise(condition, binding.value, other->second.value),
                               binding.isFrozen};
      }
    }
  return std::nullopt;
}

} // namespace inlay::triton
