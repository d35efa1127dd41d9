// What operators with kernels of their own ask of a node's arguments beyond StandardOperator.h.
#pragma once

#include "compiler/operators/StandardOperator.h"

#include <array>
#include <span>

namespace inlay {

/// True if the node is built for a GPU, perhaps among others.
bool isForGpu(const PluginNode &node);
/// A tensor that must be there.
const TensorSpec &inputOf(const PluginNode &node, std::string_view name);
/// Which of the inputs it is; nullopt if the node does not pass it.
std::optional<uint32_t> findInputIndex(const PluginNode &node, std::string_view name);
/// True if the schema has an attribute of that name.
bool hasAttribute(const PluginNode &node, std::string_view name);
/// An integer that may depend on sizes, but does not here. Errors: Unimplemented if it does.
Result<int64_t> constantOf(const PluginNode &node, std::string_view name);
/// A number that may depend on sizes, but does not here. Errors: as constantOf.
Result<double> constantNumber(const PluginNode &node, std::string_view name);
/// The integers of a list that may depend on sizes, but does not here. Errors: Unimplemented for
/// one that does.
Result<std::vector<int64_t>> constantsOf(const PluginNode &node, std::string_view name);
/// Reads a list of one value for all of `dims` dimensions, or one for each, into the last of
/// `values`. Errors: InvalidArgument for another length, and for a value below `least`.
Status readDimensions(const PluginNode &node, std::string_view name, size_t dims, int64_t least,
                      std::span<int64_t> values);
/// The same of a list of two, of which one may stand for both.
Result<std::array<int64_t, 2>> constantPair(const PluginNode &node, std::string_view name);

bool isFloat(DataType type);
/// The type in which floats are summed: float32, or float64 for float64.
DataType sumTypeOf(DataType type);
/// Errors: InvalidArgument unless a tensor is of float16, bfloat16, float32 or float64.
Status checkFloat(const PluginNode &node, std::string_view name);
/// Errors: InvalidArgument unless all tensors of the node have one type.
Status checkOneType(const PluginNode &node);
/// How many elements lie between neighbours along each of the last `rank` dimensions of a dense
/// tensor, seen as one of that rank; 0 where its size is known to be 1 or it has no such dimension.
std::vector<Expr> broadcastStrides(std::span<const Expr> shape, size_t rank);
/// True if a size is known to be 1.
bool isOne(const Expr &size);

/// The dimensions that a node reduces: those of its attribute "dim", one or a list; all where that
/// is None, empty, or not in the schema.
Result<std::vector<size_t>> reducedDimensions(const PluginNode &node);

} // namespace inlay
