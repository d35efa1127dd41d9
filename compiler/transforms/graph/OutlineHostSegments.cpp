// Host blocks of a partition become graph.segment ops, which every later pass leaves alone.
#include "compiler/transforms/graph/Partition.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"

namespace inlay::graph {
namespace {

SegmentOp makeSegment(const PartitionBlock &partition) {
  mlir::OpBuilder builder(partition.calls.back());
  llvm::SmallVector<mlir::Location> locations;
  for (CallOp call : partition.calls)
    locations.push_back(call.getLoc());
  llvm::SmallVector<mlir::Attribute> inputNames, outputNames;
  for (mlir::Value input : partition.inputs)
    inputNames.push_back(builder.getStringAttr(nameOf(input)));
  for (mlir::Value output : partition.outputs)
    outputNames.push_back(builder.getStringAttr(nameOf(output)));
  const mlir::Location location = mlir::FusedLoc::get(builder.getContext(), locations);
  const mlir::ValueRange results(partition.outputs.getArrayRef());
  auto segment = SegmentOp::create(
      builder, location, mlir::TypeRange(results), builder.getStringAttr(partition.function),
      mlir::ValueRange(partition.inputs.getArrayRef()), builder.getArrayAttr(inputNames),
      builder.getArrayAttr(outputNames));
  mlir::Block *block = builder.createBlock(&segment.getBody());
  mlir::IRMapping mapping;
  for (mlir::Value input : partition.inputs)
    mapping.map(input, block->addArgument(input.getType(), input.getLoc()));
  for (CallOp call : partition.calls)
    builder.clone(*call, mapping);
  llvm::SmallVector<mlir::Value> yielded;
  for (mlir::Value output : partition.outputs)
    yielded.push_back(mapping.lookup(output));
  YieldOp::create(builder, location, yielded);
  return segment;
}

} // namespace

void outlineHostSegments(ModelOp model, const Partition &partition) {
  // Users of a dead call stand in front of it.
  for (CallOp call : partition.dead)
    CallOp(call).erase();
  // Inputs of a segment may be results of another: all are made before any call goes.
  llvm::SmallVector<std::pair<SegmentOp, const PartitionBlock *>> made;
  for (const PartitionBlock &block : partition.blocks)
    if (block.isHost)
      made.emplace_back(makeSegment(block), &block);
  for (auto &[segment, block] : made) {
    for (auto [i, output] : llvm::enumerate(block->outputs))
      mlir::Value(output).replaceAllUsesWith(segment.getOutputs()[static_cast<unsigned>(i)]);
    for (CallOp call : llvm::reverse(block->calls))
      call.erase();
  }
  mlir::sortTopologically(&model.getBlock());
}

} // namespace inlay::graph
