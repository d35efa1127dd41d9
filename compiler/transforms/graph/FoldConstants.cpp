// What standard operators compute of constants alone is a constant: views of weights, tensors of
// one number, ranges, and what arithmetic, comparisons, conditions and casts make of those.
//
//   %t = t(constant W)   →   constant "t.folded"
//
// Values are those that kernels compute, to the bit; what float64 does not give so (exp, say)
// stays. A view in the order of its constant takes its bytes as they are, mapped from the archive;
// others are copied, up to kMostBytes, or any size where nothing else uses the constant, which then
// goes.
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/ConstantData.h"
#include "compiler/transforms/graph/ConstantEvaluator.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

/// Of a new constant. What is computed at build is kept in the engine; more than this is better
/// made by a kernel.
constexpr int64_t kMostBytes = int64_t{1} << 20;

std::optional<int64_t> bytesOf(TensorType type) {
  const TensorSpec spec = type.getSpec();
  const std::optional<int64_t> count = spec.numel().constantValue();
  return count ? std::optional(*count * dataTypeSizeBytes(spec.dtype)) : std::nullopt;
}

/// Where the elements of a view lie, in the order of its own shape.
std::optional<std::vector<int64_t>> placesOf(const StridedView &view) {
  std::vector<int64_t> shape, strides;
  int64_t count = 1;
  const std::optional<int64_t> offset = view.offset.constantValue();
  for (size_t dim = 0; dim < view.shape.size(); ++dim) {
    const auto size = view.shape[dim].constantValue(), stride = view.strides[dim].constantValue();
    if (!size || !stride)
      return std::nullopt;
    shape.push_back(*size);
    strides.push_back(*stride);
    count *= *size;
  }
  if (!offset)
    return std::nullopt;
  std::vector<int64_t> places;
  places.reserve(static_cast<size_t>(count));
  std::vector<int64_t> coordinates(shape.size(), 0);
  for (int64_t left = count, at = *offset; left > 0; --left) {
    places.push_back(at);
    for (size_t dim = coordinates.size(); dim-- > 0;) {
      at += strides[dim];
      if (++coordinates[dim] < shape[dim])
        break;
      at -= strides[dim] * shape[dim];
      coordinates[dim] = 0;
    }
  }
  return places;
}

/// The elements of a view.
std::optional<std::vector<char>> gathered(const std::vector<char> &from, size_t elementBytes,
                                          const StridedView &view) {
  const std::optional<std::vector<int64_t>> places = placesOf(view);
  if (!places)
    return std::nullopt;
  std::vector<char> bytes;
  bytes.reserve(places->size() * elementBytes);
  for (int64_t place : *places) {
    const size_t begin = static_cast<size_t>(place) * elementBytes;
    if (place < 0 || begin + elementBytes > from.size())
      return std::nullopt;
    bytes.insert(bytes.end(), from.begin() + static_cast<std::ptrdiff_t>(begin),
                 from.begin() + static_cast<std::ptrdiff_t>(begin + elementBytes));
  }
  return bytes;
}

class ConstantFolder {
public:
  explicit ConstantFolder(PassContext &context) : context_(context) {}

  void fold(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice || call.getNumResults() != 1)
      return;
    const std::optional<int64_t> bytes = bytesOf(typeOf(call));
    if (!bytes)
      return;
    // Of tensors that are made, an input says the type and shape only.
    const bool isCreation = *bytes <= kMostBytes && createdNumbers(choice->node);
    if (!isCreation &&
        !llvm::all_of(call.getInputs(), [](mlir::Value input) { return findConstant(input); }))
      return;
    if (choice->plugin->traits()->views || isWholeView(context_, call))
      return foldView(call, *choice, *bytes);
    if (*bytes > kMostBytes)
      return context_.missed(
          call.getNode(), fmt::format("its result has {} bytes, more than {}", *bytes, kMostBytes));
    if (call.getOp() == "aten::slice_scatter")
      return foldScatter(call, *choice);
    if (const std::optional<std::vector<double>> numbers = numbersOfResult(call, *choice))
      if (const auto rounded = encoded(typeOf(call).getSpec().dtype, *numbers))
        replace(call, *rounded);
  }

private:
  static TensorType typeOf(CallOp call) {
    return llvm::cast<TensorType>(call.getResult(0).getType());
  }

  void replace(CallOp call, const std::vector<char> &bytes) {
    mlir::OpBuilder builder(call);
    finish(call, makeConstant(builder, call.getLoc(), typeOf(call), nameOf(call), bytes));
  }

  static std::string nameOf(CallOp call) { return call.getNode().str() + ".folded"; }

  void finish(CallOp call, ConstantOp constant) {
    context_.applied(call.getNode(), "is a constant");
    call.getResult(0).replaceAllUsesWith(constant.getResult());
    context_.erase(call);
  }

  void foldView(CallOp call, const PluginChoice &choice, int64_t bytes) {
    const mlir::Value input = call.getInputs()[0];
    ConstantOp constant = findConstant(input);
    if (isWholeView(context_, call)) {
      mlir::OpBuilder builder(call);
      return finish(call, ConstantOp::create(builder, call.getLoc(), typeOf(call), nameOf(call),
                                             constant.getData()));
    }
    const std::optional<int64_t> before = bytesOf(llvm::cast<TensorType>(input.getType()));
    if (bytes > kMostBytes && !(input.hasOneUse() && before && bytes <= *before))
      return context_.missed(call.getNode(),
                             fmt::format("a copy of {} would have {} bytes, more than {}",
                                         constant.getName().str(), bytes, kMostBytes));
    const Result<StridedViews> views = choice.plugin->traits()->views(choice.node);
    const std::optional<std::vector<char>> from = graph::bytesOf(constant);
    if (!views.isOk() || !views->requirements.empty() || !from)
      return;
    const auto size = static_cast<size_t>(dataTypeSizeBytes(typeOf(call).getSpec().dtype));
    if (const auto copy = gathered(*from, size, views->views[0]))
      replace(call, *copy);
  }

  /// A tensor with another in the place of a slice.
  void foldScatter(CallOp call, const PluginChoice &choice) {
    const PluginNode &node = choice.node;
    const TensorSpec &self = *findInput(node, "self"), &source = *findInput(node, "src");
    const Result<size_t> dim = dimensionOf(integerOf(node, "dim"), self.shape.size());
    const Result<SliceRange> range =
        dim.isOk() ? sliceRangeOf(node, self.shape[*dim]) : Result<SliceRange>(dim.status());
    if (!range.isOk())
      return;
    StridedView place = wholeView(self);
    place.shape = source.shape;
    place.offset = range->start * place.strides[*dim];
    place.strides[*dim] = range->step * place.strides[*dim];
    const auto from = graph::bytesOf(findConstant(operandOf(call, "src")));
    auto into = graph::bytesOf(findConstant(operandOf(call, "self")));
    const auto places = placesOf(place);
    const auto size = static_cast<size_t>(dataTypeSizeBytes(self.dtype));
    if (!from || !into || !places || self.dtype != source.dtype ||
        places->size() * size != from->size())
      return;
    for (size_t i = 0; i < places->size(); ++i) {
      const size_t at = static_cast<size_t>((*places)[i]) * size;
      if ((*places)[i] < 0 || at + size > into->size())
        return;
      std::copy_n(from->begin() + static_cast<std::ptrdiff_t>(i * size), size,
                  into->begin() + static_cast<std::ptrdiff_t>(at));
    }
    replace(call, *into);
  }

  /// The operand that an argument is, which the call passes.
  static mlir::Value operandOf(CallOp call, llvm::StringRef name) {
    const auto at = llvm::find_if(call.getArgNames(), [&](mlir::Attribute text) {
      return llvm::cast<mlir::StringAttr>(text).getValue() == name;
    });
    return call.getInputs()[static_cast<unsigned>(at - call.getArgNames().begin())];
  }

  std::optional<std::vector<double>> numbersOfResult(CallOp call, const PluginChoice &choice) {
    if (!choice.plugin->traits()->element)
      return createdNumbers(choice.node);
    std::vector<std::vector<double>> inputs;
    for (const std::string &name : choice.node.inputNames) {
      std::optional<std::vector<double>> numbers = numbersOf(findConstant(operandOf(call, name)));
      if (!numbers)
        return std::nullopt;
      inputs.push_back(std::move(*numbers));
    }
    return pointwiseNumbers(*choice.plugin, choice.node, inputs);
  }

  PassContext &context_;
};

} // namespace

Status foldConstants(PassContext &context) {
  ConstantFolder folder(context);
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
    if (auto call = llvm::dyn_cast<CallOp>(op))
      folder.fold(call);
  return {};
}

} // namespace inlay::graph
