// What @triton.autotune and @triton.heuristics say about a kernel's compile-time parameters.
#pragma once

#include "compiler/frontends/triton/Emitter.h"
#include "compiler/frontends/triton/TritonFrontend.h"

namespace inlay::triton {

/// Reads the decorators of one kernel, and assignments such as `f = triton.autotune(…)(f)`, in any
/// order and behind decorators that are not known. The kernel's module and the emitter are
/// borrowed.
class TuningReader {
public:
  TuningReader(Emitter &emitter, Module &module, const ModuleItem &item, const Function &function);

  /// The autotuner's configurations in order, and what could not be read.
  KernelTuning read();
  /// Evaluates the heuristics for all parameters whose value `known` lacks; `known` holds
  /// compile-time values, and for run-time arguments a placeholder that is not None.
  struct Heuristic {
    std::string name;
    std::optional<Value> value;
    std::string reason; // why there is no value
  };
  std::vector<Heuristic> evaluate(std::map<std::string, Value> known);

  /// The placeholder for a run-time argument.
  static Value runTimeArgument(const std::string &name) {
    return Value::external("argument " + name);
  }

private:
  void collect(const Expr &decorator);
  void collectAssignments(const std::vector<ModuleItem> &items);
  const Expr *argument(const Expr &call, size_t position, std::string_view keyword) const;
  void readConfigs(const Expr &call, KernelTuning &tuning);

  Emitter &emitter_;
  Module &module_;
  const ModuleItem &item_;
  std::vector<const Expr *> autotuners_, heuristics_; // calls, the outermost first
};

/// The value as a constant of a kernel's interface; nullopt if it is of no such kind.
std::optional<ConstexprValue> toConstexpr(const Value &value);

} // namespace inlay::triton
