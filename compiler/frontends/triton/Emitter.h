// Runs a kernel's syntax tree at compile time: constants are computed, tensor operations become IR.
#pragma once

#include "compiler/frontends/triton/ModuleLoader.h"
#include "compiler/frontends/triton/Semantics.h"
#include "compiler/frontends/triton/StandardLibrary.h"

#include <functional>
#include <map>
#include <set>
#include <span>

namespace inlay::triton {

/// The arguments of a call as written: positions first, then keywords.
struct CallArguments {
  struct Keyword {
    std::string name;
    Value value;
    Span span;
  };
  Span span; // of the whole call
  std::vector<Value> positional;
  std::vector<Span> positionalSpans;
  std::vector<Keyword> keywords;
};

/// What builtins may ask of the kernel's launch and build.
struct KernelOptions {
  int numWarps = 4;
  bool isDebug = false; // keep run-time assertions
};

/// One kernel being imported. Errors go to the diagnostics; the value of what is wrong is poison.
class Emitter {
public:
  using NoteSink = std::function<void(std::string_view)>;

  Emitter(mlir::MLIRContext *context, Diagnostics &diagnostics, NoteSink notes);

  KernelOptions options;
  /// Other files; null: what they define is not known. Borrowed: outlives the emitter.
  ModuleLoader *modules = nullptr;

  Semantics &semantics() { return semantics_; }
  StandardLibrary &library() { return library_; }
  /// Passes on a remark that is no error: static_print, what was passed over.
  void note(std::string text);

  /// Runs the body of a kernel whose parameters have these values.
  void emitKernel(Module &module, const ModuleItem &item, const Function &function,
                  std::map<std::string, Value> parameters);
  /// Evaluates an expression, the default value of a parameter say, in a module's scope.
  Value evaluateDefault(Module &module, const Expr &expr) {
    return evaluateInModule(module, expr, nullptr);
  }
  /// As evaluateDefault, but errors are kept to themselves: the first goes to `reason`.
  Value tryEvaluate(Module &module, const Expr &expr, std::string &reason);
  /// Calls a function or lambda with positional arguments outside of any kernel, as tryEvaluate.
  Value tryCall(Module &module, const Value &callee, std::vector<Value> arguments,
                std::string &reason);

  // For builtins.
  template <typename... Args>
  Value error(fmt::format_string<Args...> format, Args &&...args) {
    return errorAt(span_, fmt::format(format, std::forward<Args>(args)...));
  }
  Value errorAt(Span span, std::string message);
  Value binary(std::string_view op, const Value &a, const Value &b);
  Value unary(std::string_view op, const Value &a);
  /// Emits an assertion about every element; one whose mask (None: no mask) is false is passed
  /// over.
  Value assertAtRunTime(const Value &condition, const std::string &message, const Value &mask);
  Value compare(std::string_view op, const Value &a, const Value &b);
  /// Calls a function of single elements with whole blocks: conditions on blocks then choose per
  /// element between what both branches give.
  Value callElementwise(const Value &callee, CallArguments arguments);
  /// object.name; `isQuiet`: poison without an error if there is none.
  Value attribute(const Value &object, const std::string &name, bool isQuiet = false);
  /// Calls whatever can be called: a function, a builtin, a name of the standard library.
  Value call(const Value &callee, CallArguments arguments);
  Value callFunction(const FunctionReference &function, CallArguments arguments);
  /// The value an imported name stands for, where that is known at compile time; else the name
  /// itself.
  Value resolveExternal(const std::string &path);
  Span span() const { return span_; }
  /// How much was evaluated before the first error.
  int64_t stepsToFirstError() const { return stepsToFirstError_; }

private:
  struct Binding {
    Value value;
    bool isFrozen = false; // annotated tl.constexpr
  };
  using Scope = std::map<std::string, Binding>;
  /// A function being run, or a module's scope (function is null).
  struct Frame {
    Module *module;
    const ModuleItem *item = nullptr;
    const Function *function = nullptr;
    Frame *caller = nullptr;
    Span callSpan{};
    Scope scope;
    std::map<std::string, std::string> vanished; // name -> why it is not defined here
    int loopDepth = 0;
    bool isPlain = false;       // compile-time Python: numbers stay numbers
    bool isInitializer = false; // an __init__, which gives values to the fields of its object
    const ModuleItem *evaluating = nullptr; // module scope: the item whose value is wanted
  };
  /// How a run of statements ended.
  struct Flow {
    bool hasReturned = false;
    Value value;
    Span span{};
    enum class Exit : uint8_t { None, Break, Continue } exit = Exit::None; // in plain functions
    bool hasEnded() const { return hasReturned || exit != Exit::None; }
  };
  using Statements = std::span<const StmtPtr>;
  /// What runs after the statements at hand.
  struct Continuation {
    Statements statements;
    const Continuation *next;
  };
  class SpanScope;
  class DepthGuard;

  // Names (ModuleScope.cpp).
  Value lookup(const std::string &name);
  Value lookupGlobal(Module &module, const std::string &name, const ModuleItem *before);
  std::optional<Value> findGlobal(Module &module, const std::string &name,
                                  const ModuleItem *before);
  std::optional<Value> findStarImport(Module &module, const std::string &name);
  std::string absoluteName(const Module &module, const std::string &path) const;
  Value resolveInModule(const ModuleLoader::Found &found, const std::string &path);
  void collectBindings(Module &module, const std::vector<ModuleItem> &items,
                       const std::string &name, std::vector<const ModuleItem *> &found);
  std::optional<bool> decideModuleIf(Module &module, const ModuleItem &item);
  Value evaluateInModule(Module &module, const Expr &expr, const ModuleItem *item);
  Value evaluateItem(Module &module, const ModuleItem &item);

  // Expressions (Expressions.cpp).
  Value evaluate(const Expr &expr);
  Value evaluateUnlocated(const Expr &expr);
  Value evaluateConstant(const Expr &expr);
  Value evaluateFormatted(const Expr &expr);
  Value evaluateBoolOp(const Expr &expr);
  Value evaluateCompare(const Expr &expr);
  Value evaluateConditional(const Expr &expr);
  Value evaluateElements(const Expr &expr);
  Value evaluateComprehension(const Expr &expr);
  Value evaluateDict(const Expr &expr);
  Value evaluateDictComprehension(const Expr &expr);
  /// Runs the clauses of a comprehension from operand `clause` on, and `body` for each element.
  bool runClauses(const Expr &expr, size_t clause, size_t firstClause,
                  const std::function<bool()> &body);
  Value evaluateSubscript(const Expr &expr);
  Value indexTuple(const Value::Elements &elements, const Value &index);
  Value indexTensor(const Tensor &tensor, const Value &index);
  Value tensorAttribute(const Tensor &tensor, const std::string &name);
  Value dtypeAttribute(const Type &type, const std::string &name);
  Value recordAttribute(const RecordValue &record, const std::string &name);

  // Calls (Calls.cpp).
  Value evaluateCall(const Expr &expr);
  /// text.format(…): fields {}, {0} and {name}, without format specifications.
  Value formatString(const std::string &text, const CallArguments &arguments);
  Value callLambda(const LambdaValue &lambda, CallArguments &arguments);
  /// Runs a function that is no kernel on compile-time values, as Python would.
  Value callPlainFunction(const FunctionReference &function, CallArguments arguments);
  /// `name.append(x)` and its like: lists are values here, so that the name gets a new one.
  bool executeMutation(const Expr &call);
  bool evaluateArguments(const Expr &call, CallArguments &arguments);
  Value callMethod(const Value &object, const std::string &name, CallArguments arguments);
  /// Binds the arguments and runs the body in `frame`; false after an error.
  bool runFunction(Frame &frame, const FunctionReference &function, CallArguments &arguments,
                   Flow &flow);
  bool bindParameters(Frame &frame, const FunctionReference &function, CallArguments &arguments);
  bool isJit(const FunctionReference &function) const;
  /// How many calls of a function are being run.
  int activeCalls(const FunctionReference &function) const;

  // Classes (Classes.cpp).
  Value evaluateClass(Module &module, const ModuleItem &item);
  Value construct(const ClassReference &type, CallArguments arguments);
  Value constructFromFields(const ClassReference &type, const CallArguments &arguments);
  Value constructByMethod(const ClassReference &type, const ModuleItem &initializer,
                          CallArguments arguments);
  void assignAttribute(const Expr &target, const Value &value);
  Value objectAttribute(const ObjectValue &object, const std::string &name);
  Value callObjectMethod(const Value &object, const ModuleItem &method, CallArguments arguments);

  // Statements (Statements.cpp, ControlFlow.cpp).
  Flow execute(Statements statements, const Continuation *next);
  std::optional<Flow> executeIf(const Stmt &stmt, const Continuation &rest);
  std::optional<Flow> executeFor(const Stmt &stmt);
  std::optional<Flow> executeForEach(const Stmt &stmt);
  std::optional<Flow> executePlainWhile(const Stmt &stmt);
  void executeWhile(const Stmt &stmt);
  void executeSimple(const Stmt &stmt);
  void executeAssert(const Stmt &stmt);
  void executeDelete(const Stmt &stmt);
  std::optional<Flow> executeWith(const Stmt &stmt, const Continuation &rest);
  void assignTo(const Expr &target, const Value &value);
  void assignName(const Expr &target, const Value &value, bool isFrozen);
  Value materialise(const Value &value);
  /// A condition as a scalar int1 or a compile-time bool; poison after an error.
  Value condition(const Expr &expr, std::string_view statement);
  std::optional<Flow> emitSelectingIf(const Stmt &stmt, const Tensor &condition, bool hasReturn,
                                      const Continuation &rest);
  Value selectElementwise(const Tensor &condition, const Value &a, const Value &b);
  void refuseEffectsSince(const Stmt &stmt, mlir::Operation *last);
  Flow emitReturningIf(const Stmt &stmt, mlir::Value condition, const Continuation &rest);
  void emitMergingIf(const Stmt &stmt, mlir::Value condition);
  struct RangeBounds {
    Value begin, end, step;
    bool isStatic = false;
    std::vector<std::pair<std::string, int64_t>> attributes;
    std::optional<Value::Elements> elements; // of a loop over a tuple
  };
  std::optional<RangeBounds> evaluateElementsOf(const Expr &iterable);
  std::optional<Flow> unrollElements(const Stmt &stmt, const Value::Elements &elements);
  Value carriedForm(const Value &value);
  void enterCarried(const std::vector<std::string> &names, Scope &scope);
  std::optional<RangeBounds> evaluateRange(const Expr &iterable);
  std::optional<Flow> unrollFor(const Stmt &stmt, const RangeBounds &range);
  void emitFor(const Stmt &stmt, const RangeBounds &range);
  /// Names assigned in a loop's body that exist before it: they become loop-carried.
  std::vector<std::string> findCarried(const Stmt &stmt, const Scope &scope);
  void emitLoopYield(const Stmt &stmt, const std::vector<std::string> &names, const Scope &before,
                     std::vector<mlir::Value> &yielded);
  void restoreAfterLoop(const Stmt &stmt, const Scope &original, Scope before,
                        const std::vector<std::string> &names, mlir::ValueRange results);

  void setLocation();
  mlir::Location locate(const Frame &frame, Span span);

  Diagnostics *diagnostics_;
  NoteSink notes_;
  Semantics semantics_;
  StandardLibrary library_;
  Frame *frame_ = nullptr;
  Span span_{};
  std::map<const ModuleItem *, Value> globals_;
  std::set<const ModuleItem *> globalsInProgress_;
  std::set<const ModuleItem *> conditionsInProgress_;
  std::set<const ModuleItem *> wrappedFunctions_; // by an assignment f = triton.jit(f)
  std::set<std::string> notesGiven_;
  int elementwiseDepth_ = 0; // of calls by map_elementwise
  int depth_ = 0;
  int64_t work_ = 0;
  const Diagnostics *kernelDiagnostics_; // those of the whole import
  int64_t stepsToFirstError_ = 0;
};

/// Flattens the tensors of a value in order.
void collectTensors(const Value &value, std::vector<Tensor> &tensors);
/// The same structure with other handles, taken from the front of `handles`.
Value withHandles(const Value &value, mlir::ValueRange &handles);
/// Why two values cannot be merged at a join of control flow (types differ, one is a constant);
/// empty if they can.
std::string explainMismatch(const Value &a, const Value &b);

} // namespace inlay::triton
