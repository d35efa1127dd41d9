#include "compiler/conversions/graph-to-plan/PlanBuilder.h"

namespace inlay {

std::string PlanBuilder::uniqueName(llvm::StringRef wanted) {
  std::string name = wanted.str();
  for (int next = 1; !names_.insert(name).second; ++next)
    name = wanted.str() + "_" + std::to_string(next);
  return name;
}

mlir::FlatSymbolRefAttr PlanBuilder::reference(llvm::StringRef buffer) {
  return mlir::FlatSymbolRefAttr::get(builder_.getContext(), buffer);
}

mlir::ArrayAttr PlanBuilder::texts(std::span<const Expr> expressions) {
  llvm::SmallVector<mlir::Attribute> attributes;
  for (const Expr &expr : expressions)
    attributes.push_back(text(expr));
  return builder_.getArrayAttr(attributes);
}

void PlanBuilder::addSymbol(mlir::Location loc, llvm::StringRef name, int64_t min, int64_t max,
                            int64_t opt, uint32_t input, uint32_t dim) {
  symbols_.emplace_back(plan::SymbolOp::create(builder_, loc, name, min, max, opt, input, dim));
}

void PlanBuilder::addInput(mlir::Location loc, llvm::StringRef name, DataType dtype,
                           std::span<const Expr> shape, llvm::StringRef buffer,
                           llvm::StringRef path) {
  inputs_.emplace_back(
      plan::InputOp::create(builder_, loc, name, llvm::StringRef(dataTypeName(dtype)), texts(shape),
                            buffer, path.empty() ? nullptr : builder_.getStringAttr(path)));
}

void PlanBuilder::addOutput(mlir::Location loc, llvm::StringRef name, DataType dtype,
                            std::span<const Expr> shape, llvm::StringRef buffer,
                            llvm::StringRef path) {
  outputs_.emplace_back(plan::OutputOp::create(
      builder_, loc, name, llvm::StringRef(dataTypeName(dtype)), texts(shape), buffer,
      path.empty() ? nullptr : builder_.getStringAttr(path), mlir::IntegerAttr()));
}

void PlanBuilder::addComputedSymbol(mlir::Location loc, llvm::StringRef name, const Expr &bound,
                                    int64_t max, int64_t opt) {
  symbols_.emplace_back(
      plan::ComputedSymbolOp::create(builder_, loc, name, bound.toString(), max, opt));
}

void PlanBuilder::addReadSize(mlir::Location loc, llvm::StringRef name, llvm::StringRef buffer,
                              DataType dtype, llvm::StringRef plugin, llvm::StringRef node) {
  steps_.emplace_back(
      plan::ReadSizeOp::create(builder_, loc, builder_.getStringAttr(name), reference(buffer),
                               builder_.getStringAttr(dataTypeName(dtype)),
                               builder_.getStringAttr(plugin), builder_.getStringAttr(node)));
}

void PlanBuilder::addCheck(mlir::Location loc, const Expr &condition, llvm::StringRef message) {
  if (checks_.insert((condition.toString() + "\n" + message).str()).second)
    checkOps_.emplace_back(plan::CheckOp::create(builder_, loc, condition.toString(), message));
}

std::string PlanBuilder::addBuffer(mlir::Location loc, llvm::StringRef wanted,
                                   plan::BufferKind kind, const Expr &sizeBytes,
                                   mlir::ElementsAttr data) {
  std::string name = uniqueName(wanted);
  buffers_.emplace_back(
      plan::BufferOp::create(builder_, loc, name, kind, sizeBytes.toString(), data));
  return name;
}

void PlanBuilder::addWeight(mlir::Location loc, llvm::StringRef name, const TensorSpec &spec,
                            llvm::StringRef buffer) {
  llvm::SmallVector<int64_t> shape;
  for (const Expr &size : spec.shape)
    shape.push_back(*size.constantValue());
  buffers_.emplace_back(plan::WeightOp::create(builder_, loc, name, dataTypeName(spec.dtype), shape,
                                               reference(buffer)));
}

void PlanBuilder::addKernel(mlir::OwningOpRef<plan::KernelOp> kernel) {
  kernels_.emplace_back(kernel.release().getOperation());
}

void PlanBuilder::addLaunch(mlir::Location loc, llvm::StringRef kernel, std::span<const Expr> grid,
                            mlir::ArrayRef<mlir::Attribute> arguments, llvm::StringRef plugin,
                            llvm::StringRef node, const std::optional<std::array<Expr, 3>> &block,
                            const std::optional<Expr> &sharedBytes, llvm::StringRef attributes,
                            llvm::StringRef choice, llvm::StringRef tactic) {
  steps_.emplace_back(plan::LaunchOp::create(
      builder_, loc, reference(kernel), texts(grid), builder_.getArrayAttr(arguments),
      builder_.getStringAttr(plugin), builder_.getStringAttr(node), block ? texts(*block) : nullptr,
      sharedBytes ? text(*sharedBytes) : nullptr,
      attributes.empty() ? nullptr : builder_.getStringAttr(attributes),
      tactic.empty() ? nullptr : builder_.getStringAttr(tactic),
      choice.empty() ? nullptr : reference(choice)));
}

std::string PlanBuilder::addChoice(mlir::Location loc, mlir::ArrayRef<mlir::Attribute> tactics,
                                   llvm::StringRef plugin, llvm::StringRef node) {
  std::string name = uniqueName((node + ".tactics").str());
  choices_.emplace_back(plan::ChoiceOp::create(builder_, loc, name, builder_.getArrayAttr(tactics),
                                               mlir::ArrayAttr(), builder_.getStringAttr(plugin),
                                               builder_.getStringAttr(node)));
  return name;
}

void PlanBuilder::addHostCall(mlir::Location loc, llvm::StringRef function,
                              std::span<const std::string> inputs,
                              std::span<const std::string> outputs,
                              std::span<const TensorSpec> tensors, mlir::DictionaryAttr attributes,
                              llvm::StringRef workspace, llvm::StringRef node) {
  auto references = [&](std::span<const std::string> buffers) {
    llvm::SmallVector<mlir::Attribute> list;
    for (const std::string &buffer : buffers)
      list.push_back(reference(buffer));
    return builder_.getArrayAttr(list);
  };
  llvm::SmallVector<mlir::Attribute> dtypes, shapes;
  for (const TensorSpec &tensor : tensors) {
    dtypes.push_back(builder_.getStringAttr(llvm::StringRef(dataTypeName(tensor.dtype))));
    shapes.push_back(texts(tensor.shape));
  }
  steps_.emplace_back(plan::HostCallOp::create(
      builder_, loc, builder_.getStringAttr(function), references(inputs), references(outputs),
      builder_.getArrayAttr(dtypes), builder_.getArrayAttr(shapes), attributes,
      workspace.empty() ? nullptr : reference(workspace), builder_.getStringAttr(node)));
}

void PlanBuilder::addCopy(mlir::Location loc, llvm::StringRef source, llvm::StringRef target) {
  steps_.emplace_back(plan::CopyOp::create(builder_, loc, source, target));
}

mlir::OwningOpRef<mlir::ModuleOp> PlanBuilder::finish(mlir::Location loc, llvm::StringRef name) {
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(loc);
  auto program = plan::ProgramOp::create(builder_, loc, name);
  module->getBody()->push_back(program);
  mlir::Block &body = program.getBody().front();
  for (Section *section :
       {&symbols_, &inputs_, &outputs_, &checkOps_, &buffers_, &kernels_, &choices_, &steps_}) {
    for (mlir::OwningOpRef<mlir::Operation *> &op : *section)
      body.push_back(op.release());
    section->clear();
  }
  return module;
}

} // namespace inlay
