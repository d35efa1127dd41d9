#include "compiler/operators/Lines.h"

#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

/// Elements that a program holds at a time, and the longest row that it holds whole.
constexpr int64_t kElements = 1024, kLongest = 4096;

LineTile tileFrom(const Expr &length, bool areRows, bool isForGpu) {
  // What is beyond a line's end costs a CPU as much as what is inside.
  constexpr LineTile kTileOfUnknown{1, 64, false};
  const std::optional<int64_t> size = length.constantValue();
  if (!areRows) {
    const int64_t block = tileFor(length, 1, 32, 32);
    return {std::min<int64_t>(kElements / block, 128), block, size && *size <= block};
  }
  if (!size && !isForGpu)
    return kTileOfUnknown;
  if (!size || *size > kLongest)
    return {1, kElements, false};
  const int64_t block = tileFor(length, 1, kLongest, kLongest);
  return {std::clamp<int64_t>(kElements / block, 1, 64), block, true};
}

} // namespace

Lines linesAlong(std::span<const Expr> shape, size_t dim) {
  if (shape.empty())
    return {1, 1, 1};
  return {productOf(shape.first(dim)), shape[dim], productOf(shape.subspan(dim + 1))};
}

Result<SplitLines> linesAlong(std::span<const Expr> shape, std::span<const size_t> dims) {
  SplitLines lines;
  size_t kept = 0, reduced = 0; // groups begun so far
  bool wasReduced = false;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    if (isOne(shape[dim]))
      continue;
    const bool isReduced = std::ranges::find(dims, dim) != dims.end();
    if (isReduced && (!wasReduced || reduced == 0) && ++reduced > 2)
      return unimplemented("the dimensions that are reduced make more than two groups of "
                           "neighbours in shape {}",
                           shapeText(shape));
    if (!isReduced && (wasReduced || kept == 0))
      kept = reduced + 1;
    wasReduced = isReduced;
    Expr &size = isReduced ? lines.reduced[reduced - 1] : lines.kept[kept - 1];
    size = size * shape[dim];
  }
  return lines;
}

LineTile tileOf(const Lines &lines) {
  return tileFrom(lines.length, lines.areRows(), lines.isForGpu);
}

void addLines(LaunchBuilder &launch, const Lines &lines) {
  const LineTile tile = tileOf(lines);
  launch.sizes({lines.length, lines.outer});
  if (lines.areRows())
    launch.constant("inner", int64_t{1});
  else
    launch.sizes({lines.inner});
  launch.constant("LINES", tile.lines)
      .constant("BLOCK", tile.block)
      .constant("IS_ROW", lines.areRows());
}

Expr programsOf(const Lines &lines) {
  const LineTile tile = tileOf(lines);
  return lines.areRows() ? ceilDiv(lines.outer, tile.lines)
                         : lines.outer * ceilDiv(lines.inner, tile.lines);
}

void addSplitLines(LaunchBuilder &launch, const SplitLines &lines) {
  const LineTile tile = tileFrom(lines.length(), true, lines.isForGpu);
  launch.sizes({lines.length(), lines.count(), lines.kept[1], lines.kept[2], lines.reduced[0],
                lines.reduced[1]});
  launch.constant("LINES", tile.lines).constant("BLOCK", tile.block);
}

Expr programsOf(const SplitLines &lines) {
  return ceilDiv(lines.count(), tileFrom(lines.length(), true, lines.isForGpu).lines);
}

PluginImplementation meanOfRows(uint32_t input, DataType dtype, const Expr &rows,
                                const Expr &length) {
  LaunchBuilder launch("lines.py", "reduce_kernel");
  launch.input(input).output(0);
  addLines(launch, {rows, length, 1});
  launch.constant("OP", "sum")
      .constant("PREPARE", "")
      .constant("FINISH", "mean")
      .constant("NEUTRAL", 0.0)
      .constant("SUM", sumTypeOf(dtype));
  return launch.over(programsOf(Lines{rows, length, 1}));
}

} // namespace inlay
