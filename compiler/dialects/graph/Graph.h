// The graph dialect: types, attributes and operations (GraphOps.td).
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/dialects/graph/GraphOpsDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialects/graph/GraphOpsTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialects/graph/GraphOpsAttrs.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/graph/GraphOps.h.inc"

namespace inlay::graph {

/// Of a graph.model whose weights are to be replaced in the finished engine: no pass may fold or
/// change a graph.constant, and the plan keeps their names.
inline constexpr llvm::StringLiteral kRefittableAttribute = "graph.refittable";
/// Of a call: what its float32 products multiply may be rounded to TF32 on tensor cores.
inline constexpr llvm::StringLiteral kTf32Attribute = "graph.tf32";

/// A literal argument as an attribute, and back; every kind survives both ways, but an empty list
/// becomes a list of integers.
mlir::Attribute attributeOf(mlir::MLIRContext *context, const AttributeValue &value);
/// nullopt if the attribute is of no kind that a graph.call may hold.
std::optional<AttributeValue> valueOf(mlir::Attribute attribute);

} // namespace inlay::graph
