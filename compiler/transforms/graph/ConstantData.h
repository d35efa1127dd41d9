// The elements of a model's constants, for passes that compute with them.
#pragma once

#include "compiler/dialects/graph/Graph.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay::graph {

/// The constant that a value is, unless it is state, which changes between runs; null for others.
ConstantOp findConstant(mlir::Value value);
/// Its bytes, as a dense tensor of its type; nullopt where they are not kept so.
std::optional<std::vector<char>> bytesOf(ConstantOp constant);
/// Its elements; nullopt for types that float64 does not hold (64-bit integers beyond 2^53 among
/// them).
std::optional<std::vector<double>> numbersOf(ConstantOp constant);
/// A new constant of bytes, which are as many as the type says.
ConstantOp makeConstant(mlir::OpBuilder &builder, mlir::Location location, TensorType type,
                        const std::string &name, std::span<const char> bytes);
/// The same, of pieces one after another, which are copied once; they need not outlive it. For
/// weights.
ConstantOp makeWeight(mlir::OpBuilder &builder, mlir::Location location, TensorType type,
                      const std::string &name, std::span<const llvm::ArrayRef<char>> pieces);
/// The bytes of a constant where they lie; empty if they are not kept as a dense tensor's.
llvm::ArrayRef<char> mappedBytesOf(ConstantOp constant);
/// Elements rounded to a type, to the nearest, ties to even; nullopt for types that are no floats
/// of 16 bits or more.
std::optional<std::vector<char>> roundedTo(DataType type, std::span<const double> numbers);
/// The same for all types whose elements float64 holds: integers without their fraction, truth as 0
/// or 1. nullopt also where an integer type does not hold a number.
std::optional<std::vector<char>> encoded(DataType type, std::span<const double> numbers);

} // namespace inlay::graph
