// A tensor as lines along one dimension or several, for kernels of ops/lines.py.
#pragma once

#include "compiler/operators/LaunchBuilder.h"

namespace inlay {

/// A tensor as [outer, length, inner], whose lines lie along the middle.
struct Lines {
  Expr outer, length, inner;
  bool isForGpu = true; // else a program takes less at a time of lines whose length is not known
  /// Neighbours along a line are neighbours in memory.
  bool areRows() const { return inner == Expr(1); }
};
Lines linesAlong(std::span<const Expr> shape, size_t dim);

/// A tensor as [kept[0], reduced[0], kept[1], reduced[1], kept[2]], whose lines lie along both
/// reduced dimensions.
struct SplitLines {
  std::array<Expr, 3> kept{1, 1, 1};
  std::array<Expr, 2> reduced{1, 1};
  bool isForGpu = true; // as of Lines
  /// They are along one dimension.
  bool areLines() const { return reduced[1] == Expr(1) && kept[2] == Expr(1); }
  Lines lines() const { return {kept[0], reduced[0], kept[1], isForGpu}; }
  Expr length() const { return reduced[0] * reduced[1]; }
  Expr count() const { return kept[0] * kept[1] * kept[2]; }
};
/// Errors: Unimplemented for dimensions that make more than two groups of neighbours.
Result<SplitLines> linesAlong(std::span<const Expr> shape, std::span<const size_t> dims);

/// How many lines, and how much of each, a program takes.
struct LineTile {
  int64_t lines, block;
  bool fits; // a whole line is in a block
};
LineTile tileOf(const Lines &lines);

/// Adds length, outer, inner (a constant where it is 1) to a launch, then LINES, BLOCK and IS_ROW.
void addLines(LaunchBuilder &launch, const Lines &lines);
/// Programs for all lines.
Expr programsOf(const Lines &lines);
/// The same for lines along two dimensions.
void addSplitLines(LaunchBuilder &launch, const SplitLines &lines);
Expr programsOf(const SplitLines &lines);

/// The means of rows of an input, as output 0.
PluginImplementation meanOfRows(uint32_t input, DataType dtype, const Expr &rows,
                                const Expr &length);

} // namespace inlay
