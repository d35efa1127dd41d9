// Arguments of an exported program's nodes as attributes of the graph.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"

#include <set>
#include <string>

namespace inlay::pt2 {

class ArgumentAttributes {
public:
  /// `program` is borrowed for life.
  ArgumentAttributes(mlir::MLIRContext &context, const ExportedProgram &program);

  /// A literal, or an integer that depends on sizes of inputs; null for all that no attribute can
  /// hold.
  mlir::Attribute attributeOf(const Argument &argument) const;
  /// What an argument is that no attribute can hold: "a list of tensors".
  std::string kindOf(const Argument &argument) const;

private:
  mlir::Attribute sizeAttribute(const std::string &name) const;

  mlir::MLIRContext &context_;
  const ExportedProgram &program_;
  std::set<std::string> inputSymbols_;
};

} // namespace inlay::pt2
