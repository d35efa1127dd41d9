#include "compiler/frontends/triton/EmitterScopes.h"

#include <fmt/format.h>

using namespace mlir;

namespace inlay::triton {

Emitter::Emitter(MLIRContext *context, Diagnostics &diagnostics, NoteSink notes)
    : diagnostics_(&diagnostics), notes_(std::move(notes)),
      semantics_(context, [this](std::string message) { errorAt(span_, std::move(message)); }),
      kernelDiagnostics_(&diagnostics) {}

void Emitter::note(std::string text) {
  if (notes_ && notesGiven_.insert(text).second)
    notes_(text);
}

Value Emitter::errorAt(Span span, std::string message) {
  if (diagnostics_ == kernelDiagnostics_ && !diagnostics_->hasErrors())
    stepsToFirstError_ = work_;
  // What goes wrong inside the standard library is shown at the user's call of it.
  Frame *place = frame_;
  Span shown = span;
  for (; place->caller && library_.owns(*place->module); place = place->caller)
    shown = place->callSpan;
  Diagnostic &diagnostic = diagnostics_->error(place->module->file(), shown, std::move(message));
  if (place != frame_)
    diagnostic.note(frame_->module->file(), span,
                    fmt::format("in '{}' of the standard library here", frame_->function->name));
  int depth = 0;
  for (Frame *frame = place; frame->caller; frame = frame->caller)
    depth += frame->function != nullptr;
  constexpr int kShownCalls = 4; // at either end of a long chain
  int shownCalls = 0;
  for (Frame *frame = place; frame->caller; frame = frame->caller) {
    if (!frame->function)
      continue;
    int position = shownCalls++;
    if (position == kShownCalls && depth > 2 * kShownCalls)
      diagnostic.note(fmt::format("{} more calls", depth - 2 * kShownCalls));
    if (position < kShownCalls || position >= depth - kShownCalls)
      diagnostic.note(frame->caller->module->file(), frame->callSpan,
                      fmt::format("in call of helper '{}' here", frame->function->name));
  }
  return Value::poison();
}

mlir::Location Emitter::locate(const Frame &frame, Span span) {
  LineColumn at = frame.module->file().locate(span.begin);
  mlir::Location here = FileLineColLoc::get(
      semantics_.builder.getStringAttr(frame.module->file().path()), at.line, at.column);
  return frame.caller
             ? mlir::Location(CallSiteLoc::get(here, locate(*frame.caller, frame.callSpan)))
             : here;
}

void Emitter::setLocation() { semantics_.location = locate(*frame_, span_); }

void Emitter::emitKernel(Module &module, const ModuleItem &item, const Function &function,
                         std::map<std::string, Value> parameters) {
  Frame frame{};
  frame.module = &module;
  frame.item = &item;
  frame.function = &function;
  for (auto &[name, value] : parameters)
    frame.scope[name] = {std::move(value)};
  frame_ = &frame;
  span_ = function.nameSpan;
  setLocation();
  Flow flow = execute(function.body, nullptr);
  if (flow.hasReturned && !flow.value.isNone() && !flow.value.isPoison())
    errorAt(flow.span, fmt::format("kernel '{}' returns {}, but a kernel returns nothing",
                                   function.name, describe(flow.value)));
  frame_ = nullptr;
}

Value Emitter::binary(std::string_view op, const Value &a, const Value &b) {
  if (a.containsPoison() || b.containsPoison())
    return Value::poison();
  if (!a.asTensor() && !b.asTensor()) {
    ConstantResult result = evaluateBinary(op, a, b);
    return result.error.empty() ? result.value : error("{}", result.error);
  }
  std::optional<BinaryOperator> kind = findBinaryOperator(op);
  if (!kind)
    return error("operator '{}' is not defined for tensors{}", op,
                 op == "**"  ? "; use libdevice.pow, or multiply"
                 : op == "@" ? "; tl.dot multiplies matrices"
                             : "");
  return semantics_.binary(*kind, a, b);
}

Value Emitter::unary(std::string_view op, const Value &a) {
  if (a.isPoison())
    return a;
  if (auto *tensor = a.asTensor())
    return semantics_.unary(op, *tensor);
  ConstantResult result = evaluateUnary(op, a);
  return result.error.empty() ? result.value : error("{}", result.error);
}

Value Emitter::compare(std::string_view op, const Value &a, const Value &b) {
  if (op == "is" || op == "is not") {
    if (a.isPoison() || b.isPoison())
      return Value::poison();
    bool isSame = !a.asTensor() && !b.asTensor() && equals(a, b) && a.isNone() == b.isNone() &&
                  (a.asBool() != nullptr) == (b.asBool() != nullptr);
    return Value::boolean(isSame == (op == "is"));
  }
  if (a.containsPoison() || b.containsPoison())
    return Value::poison();
  if (a.asTensor() || b.asTensor())
    return semantics_.compare(op, a, b);
  ConstantResult result = triton::evaluateCompare(op, a, b);
  return result.error.empty() ? result.value : error("{}", result.error);
}

void collectTensors(const Value &value, std::vector<Tensor> &tensors) {
  if (auto *tensor = value.asTensor())
    tensors.push_back(*tensor);
  if (auto *elements = value.asTuple())
    for (const Value &element : *elements)
      collectTensors(element, tensors);
  if (auto *record = value.asRecord())
    tensors.insert(tensors.end(), record->fields.begin(), record->fields.end());
}

Value withHandles(const Value &value, ValueRange &handles) {
  if (auto *tensor = value.asTensor()) {
    Tensor copy{tensor->type, handles.front()};
    handles = handles.drop_front();
    return Value::tensor(copy);
  }
  if (auto *elements = value.asTuple()) {
    Value::Elements result;
    for (const Value &element : *elements)
      result.push_back(withHandles(element, handles));
    return value.withElements(std::move(result));
  }
  if (auto *record = value.asRecord()) {
    RecordValue result = *record;
    for (Tensor &field : result.fields) {
      field.handle = handles.front();
      handles = handles.drop_front();
    }
    return Value::record(std::move(result));
  }
  return value;
}

std::string explainMismatch(const Value &a, const Value &b) {
  if (a.asTensor() && b.asTensor())
    return a.asTensor()->type == b.asTensor()->type
               ? ""
               : fmt::format("{} and {}", toString(a.asTensor()->type),
                             toString(b.asTensor()->type));
  bool isSameClass = (a.asObject() ? a.asObject()->type : nullptr) ==
                     (b.asObject() ? b.asObject()->type : nullptr);
  if (a.asTuple() && b.asTuple() && isSameClass && a.asTuple()->size() == b.asTuple()->size()) {
    for (size_t i = 0; i < a.asTuple()->size(); ++i)
      if (std::string reason = explainMismatch((*a.asTuple())[i], (*b.asTuple())[i]);
          !reason.empty())
        return reason;
    return "";
  }
  if (a.asRecord() && b.asRecord() && a.asRecord()->kind == b.asRecord()->kind &&
      a.asRecord()->block == b.asRecord()->block &&
      a.asRecord()->base().type == b.asRecord()->base().type &&
      a.asRecord()->padsWithNaN == b.asRecord()->padsWithNaN)
    return "";
  if (!a.containsTensor() && !b.containsTensor() && equals(a, b))
    return "";
  return fmt::format("{} and {}", describe(a), describe(b));
}

} // namespace inlay::triton
