// The analysis of one function: see Usage.h.
#pragma once

#include "compiler/frontends/triton/Usage.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::triton {

/// One function: its names with their definitions, and the facts that flowed to them.
class UsageAnalysis::FunctionUsage {
public:
  FunctionUsage(UsageAnalysis &analysis, Module &module, const Function &function)
      : analysis_(analysis), module_(module), function_(function) {
    for (const Parameter &parameter : function.parameters)
      names_[parameter.name].parameter = &parameter;
    result_.resize(function.parameters.size());
    collect(function.body);
    visit(function.body);
    finish();
  }

  const std::vector<ParameterUse> &result() const { return result_; }
  std::vector<size_t> dependencies(Span span);
  std::vector<size_t> dependencies(const std::string &name);

private:
  /// name = value, or name op= value.
  struct Definition {
    const Expr *value;
    std::string_view op;
    std::vector<const Expr *> guards; // tests of the statements around it
  };
  struct NameInfo {
    const Parameter *parameter = nullptr;
    std::vector<Definition> definitions;
    Uses value, element;
    std::set<std::string> strings, numbers;
    size_t rank = 0, tupleSize = 0;
    bool isUsed = false;
  };

  void define(const Expr &target, const Expr &value, std::string_view op);
  void noteTuple(const Expr &expr, size_t size);
  void collect(const std::vector<StmtPtr> &statements);
  void visit(const std::vector<StmtPtr> &statements);
  void visit(const Stmt &stmt);
  void visit(const Expr &expr);
  void visitCall(const Expr &call);
  void visitMethod(const Expr &call, const Expr &object, const std::string &name);
  void visitCompare(const Expr &expr);
  void visitHelper(const Expr &call, const Callee &callee);
  void test(const Expr &expr);
  void demandConstants(const Expr &shape);
  void demandDtype(const Expr &expr);
  /// Adds facts of a value, and of what is loaded through it, to all it is made of.
  void demand(const Expr &expr, Uses value, Uses element, int depth = 0);
  void demandBinary(std::string_view op, const Expr *left, const Expr &right, Uses value,
                    Uses element, int depth);
  void demandCall(const Expr &call, Uses value, Uses element, int depth);
  int pointerScore(const Expr &expr, int depth = 0);
  bool isInteger(const Expr &expr, int depth = 0);
  const Expr *argument(const Expr &call, size_t position, std::string_view keyword) const;
  void finish();
  void namesIn(const Expr &expr, std::vector<std::string> &names) const;
  void spansIn(const std::vector<StmtPtr> &statements, Span span,
               std::vector<std::string> &names) const;
  void spansIn(const Expr &expr, Span span, std::vector<std::string> &names) const;

  UsageAnalysis &analysis_;
  Module &module_;
  const Function &function_;
  std::map<std::string, NameInfo, std::less<>> names_;
  std::vector<ParameterUse> result_;
  std::vector<const Expr *> guards_;
  std::vector<size_t> closure(std::vector<std::string> queue, bool hasGuards);
};

} // namespace inlay::triton
