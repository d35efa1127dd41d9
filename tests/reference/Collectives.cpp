// Operations that combine elements of a tile: reductions, scans, products, gathers, histograms.
#include "base/Error.h"
#include "tests/reference/Interpreter.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace inlay::reference {

Result<Cells> Interpreter::combine(Region &region, const Cells &earlier, const Cells &later) {
  std::vector<Cells> arguments;
  for (const Cells *side : {&earlier, &later})
    for (const Cell &cell : *side)
      arguments.push_back({cell});
  INLAY_ASSIGN(BlockEnd end, runBlock(region.front(), arguments));
  Cells result;
  for (const Cells &value : end.values)
    result.push_back(value[0]);
  return result;
}

/// Combines from the first element to the last.
Status Interpreter::runReduce(tile::ReduceOp op) {
  AxisView view(shapeOf(op.getSources()[0].getType()), op.getAxis());
  std::vector<Cells> results(op.getNumResults(), Cells(view.numOuter * view.numInner));
  for (int64_t outer = 0; outer < view.numOuter; ++outer)
    for (int64_t inner = 0; inner < view.numInner; ++inner) {
      auto elements = [&](int64_t i) {
        Cells cells;
        for (Value source : op.getSources())
          cells.push_back(of(source)[view.at(outer, i, inner)]);
        return cells;
      };
      Cells sum = elements(0);
      for (int64_t i = 1; i < view.size; ++i) {
        INLAY_ASSIGN(sum, combine(op.getCombine(), sum, elements(i)));
      }
      for (auto [result, cell] : llvm::zip_equal(results, sum))
        result[outer * view.numInner + inner] = cell;
    }
  for (auto [value, cells] : llvm::zip_equal(op.getResults(), results))
    values_[value] = std::move(cells);
  return {};
}

Status Interpreter::runScan(tile::ScanOp op) {
  AxisView view(shapeOf(op.getSources()[0].getType()), op.getAxis());
  std::vector<Cells> results;
  for (Value source : op.getSources())
    results.push_back(of(source));
  for (int64_t outer = 0; outer < view.numOuter; ++outer)
    for (int64_t inner = 0; inner < view.numInner; ++inner) {
      auto place = [&](int64_t step) {
        return view.at(outer, op.getReverse() ? view.size - 1 - step : step, inner);
      };
      for (int64_t step = 1; step < view.size; ++step) {
        Cells earlier, later;
        for (const Cells &result : results) {
          earlier.push_back(result[place(step - 1)]);
          later.push_back(result[place(step)]);
        }
        INLAY_ASSIGN(Cells sum, combine(op.getCombine(), earlier, later));
        for (auto [result, cell] : llvm::zip_equal(results, sum))
          result[place(step)] = cell;
      }
    }
  for (auto [value, cells] : llvm::zip_equal(op.getResults(), results))
    values_[value] = std::move(cells);
  return {};
}

/// Each product and each sum is rounded to the accumulator's type; `precision` plays no part.
Status Interpreter::runDot(tile::DotOp op) {
  std::vector<int64_t> lhsShape = shapeOf(op.getLhs().getType()),
                       shape = shapeOf(op.getResult().getType());
  Type sumType = tile::elementTypeOf(op.getResult().getType()),
       operandType = tile::elementTypeOf(op.getLhs().getType());
  int64_t k = lhsShape.back(), n = shape.back();
  const Cells &lhs = of(op.getLhs()), &rhs = of(op.getRhs());
  Cells result = of(op.getAcc());
  for (size_t i = 0; i < result.size(); ++i) {
    size_t row = i / n, column = i % n, batch = row / shape[shape.size() - 2];
    for (int64_t j = 0; j < k; ++j) {
      const Cell &a = lhs[row * k + j], &b = rhs[(batch * k + j) * n + column];
      if (isa<FloatType>(sumType)) {
        double product = roundTo(a.real * b.real, sumType);
        result[i].real = roundTo(result[i].real + product, sumType);
      } else {
        unsigned width = widthOf(operandType);
        uint64_t product = signedOf(a.bits, width) * signedOf(b.bits, width);
        result[i].bits = (result[i].bits + product) & maskOf(widthOf(sumType));
      }
    }
  }
  values_[op.getResult()] = std::move(result);
  return {};
}

/// An index outside the source is an error here: the operation leaves its element open, so that no
/// test may depend on it.
Status Interpreter::runGather(tile::GatherOp op) {
  AxisView source(shapeOf(op.getSource().getType()), op.getAxis()),
      view(shapeOf(op.getIndices().getType()), op.getAxis());
  unsigned width = widthOf(tile::elementTypeOf(op.getIndices().getType()));
  Cells result(countOf(op.getResult().getType()));
  for (int64_t outer = 0; outer < view.numOuter; ++outer)
    for (int64_t i = 0; i < view.size; ++i)
      for (int64_t inner = 0; inner < view.numInner; ++inner) {
        int64_t index = signedOf(of(op.getIndices())[view.at(outer, i, inner)].bits, width);
        if (index < 0 || index >= source.size)
          return outOfRange("{} has index {} for a dimension of size {}", placeOf(*op), index,
                            source.size);
        result[view.at(outer, i, inner)] = of(op.getSource())[source.at(outer, index, inner)];
      }
  values_[op.getResult()] = std::move(result);
  return {};
}

Status Interpreter::runHistogram(tile::HistogramOp op) {
  Cells bins(countOf(op.getResult().getType()));
  unsigned width = widthOf(tile::elementTypeOf(op.getSource().getType()));
  for (size_t i = 0; i < of(op.getSource()).size(); ++i) {
    int64_t bin = signedOf(of(op.getSource())[i].bits, width);
    if (isTrue(op.getMask(), i) && bin >= 0 && bin < static_cast<int64_t>(bins.size()))
      ++bins[bin].bits;
  }
  values_[op.getResult()] = std::move(bins);
  return {};
}

Status Interpreter::runCollective(Operation &op, bool &isKnown) {
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    return runReduce(reduce);
  if (auto scan = dyn_cast<tile::ScanOp>(op))
    return runScan(scan);
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return runDot(dot);
  if (auto gather = dyn_cast<tile::GatherOp>(op))
    return runGather(gather);
  if (auto histogram = dyn_cast<tile::HistogramOp>(op))
    return runHistogram(histogram);
  isKnown = false;
  return {};
}

} // namespace inlay::reference
