// The plan dialect: attributes and operations (PlanOps.td).
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"

#include <optional>

#include "compiler/dialects/plan/PlanOpsDialect.h.inc"
#include "compiler/dialects/plan/PlanOpsEnums.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/plan/PlanOps.h.inc"

namespace inlay::plan {

/// True if `text` is the canonical text of an expression: it parses, and prints as it was.
bool isCanonicalExpression(llvm::StringRef text);
/// The text of a float expression {float = "(1.0 / s0)"} among a launch's arguments; none for
/// others.
std::optional<llvm::StringRef> floatExpressionOf(mlir::Attribute argument);
/// True if it is one, in canonical text.
bool isFloatExpression(mlir::Attribute argument);
/// True for "float32", "bool", and so on: the names base/DataType.h prints.
bool isDataTypeName(llvm::StringRef text);
/// Calls `visit` for every expression that an op of this dialect carries.
void forEachExpression(mlir::Operation &op, llvm::function_ref<void(llvm::StringRef)> visit);
/// True for the ops that do something at run time, in order: launches, copies and calls.
bool isStep(mlir::Operation &op);

} // namespace inlay::plan
