// What every pass over a graph may ask, and where it says what it did.
#pragma once

#include "compiler/conversions/graph-to-plan/CallBinding.h"

#include "llvm/ADT/DenseMap.h"

#include <string>
#include <vector>

namespace inlay::graph {

/// What a pass did to a node, or why it left it alone.
struct PassRemark {
  std::string pass;
  std::string node;
  bool isApplied = false;
  std::string text;
};

/// The state of one run of passes over one model. Borrows all that it is made of.
class PassContext {
public:
  PassContext(ModelOp model, const PluginRegistry &plugins, const ImplementationPolicies &policies,
              std::span<const std::string> targets)
      : model_(model), plugins_(plugins), policies_(policies), targets_(targets),
        symbols_(shapeSymbolsOf(model)) {}

  ModelOp model() const { return model_; }
  const ShapeSymbols &symbols() const { return symbols_; }

  /// The plugin of a call if it is a standard operator, which is a function of its arguments; null
  /// if a user's plugin serves the call, or none does. Lives until the call is erased.
  const PluginChoice *findStandard(CallOp call);
  /// Erases a call that has no uses.
  void erase(CallOp call);

  /// Names the pass of the remarks that follow.
  void beginPass(std::string name) { pass_ = std::move(name); }
  void applied(mlir::StringRef node, std::string text) { add(node, true, std::move(text)); }
  void missed(mlir::StringRef node, std::string text) { add(node, false, std::move(text)); }
  const std::vector<PassRemark> &remarks() const { return remarks_; }

private:
  void add(mlir::StringRef node, bool isApplied, std::string text) {
    remarks_.push_back({pass_, node.str(), isApplied, std::move(text)});
  }

  ModelOp model_;
  const PluginRegistry &plugins_;
  const ImplementationPolicies &policies_;
  std::span<const std::string> targets_;
  ShapeSymbols symbols_;
  llvm::DenseMap<mlir::Operation *, std::unique_ptr<PluginChoice>> choices_;
  std::string pass_;
  std::vector<PassRemark> remarks_;
};

} // namespace inlay::graph
