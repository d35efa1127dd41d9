// What standard operators compute of constants alone is a constant: views of weights, tensors of
// one number, ranges, what arithmetic, comparisons, conditions and casts make of those, sums of
// integers, and what is put together of constants or taken from them at constant places.
//
//   %t = t(constant W)   →   constant "t.folded"
//
// Values are those that kernels compute, to the bit; what float64 does not give so (exp, say)
// stays. A view in the order of its constant takes its bytes as they are, mapped from the archive;
// others are copied, up to kMostBytes, or any size where nothing else uses the constant, which then
// goes.
#include "compiler/operators/Places.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/ConstantData.h"
#include "compiler/transforms/graph/ConstantEvaluator.h"
#include "compiler/transforms/graph/Coordinates.h"
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

std::optional<std::vector<int64_t>> constantsOf(std::span<const Expr> values) {
  std::vector<int64_t> constants;
  for (const Expr &value : values)
    if (const std::optional<int64_t> constant = value.constantValue())
      constants.push_back(*constant);
    else
      return std::nullopt;
  return constants;
}

bool areMet(std::span<const PluginRequirement> requirements) {
  return llvm::all_of(requirements, [](const PluginRequirement &requirement) {
    return requirement.condition.constantValue().value_or(0) != 0;
  });
}

/// Where the elements of a view lie, in the order of its own shape.
std::optional<std::vector<int64_t>> placesOf(const StridedView &view) {
  const auto shape = constantsOf(view.shape), strides = constantsOf(view.strides);
  const std::optional<int64_t> offset = view.offset.constantValue();
  if (!shape || !strides || !offset)
    return std::nullopt;
  std::vector<int64_t> places;
  forEachElement(*shape, [&](size_t, const std::vector<int64_t> &coordinates) {
    places.push_back(*offset + placeOf(coordinates, *strides));
  });
  return places;
}

/// Where elements lie that tensors of indices name, whose numbers are `indices`; nullopt also where
/// one is negative or leads nowhere, which operators take in different ways.
std::optional<std::vector<int64_t>> placesOf(const Places &places,
                                             const std::vector<std::vector<double>> &indices) {
  std::vector<int64_t> shape;
  std::vector<std::vector<int64_t>> steps(1 + places.indices.size());
  for (const PlaceDimension &dimension : places.dimensions) {
    const std::optional<int64_t> size = dimension.size.constantValue();
    const auto ofTensors = constantsOf(dimension.steps);
    if (!size || !ofTensors)
      return std::nullopt;
    shape.push_back(*size);
    for (size_t i = 0; i < steps.size(); ++i)
      steps[i].push_back((*ofTensors)[i]);
  }
  std::vector<int64_t> sizes, strides;
  for (const PlaceIndex &index : places.indices) {
    const auto size = index.size.constantValue(), stride = index.step.constantValue();
    if (!size || !stride)
      return std::nullopt;
    sizes.push_back(*size);
    strides.push_back(*stride);
  }
  std::vector<int64_t> result;
  bool areInside = true;
  forEachElement(shape, [&](size_t, const std::vector<int64_t> &coordinates) {
    int64_t place = placeOf(coordinates, steps[0]);
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto at = static_cast<size_t>(placeOf(coordinates, steps[1 + i]));
      const auto index = static_cast<int64_t>(indices[i][at]);
      areInside &= index >= 0 && index < sizes[i];
      place += index * strides[i];
    }
    result.push_back(place);
  });
  return areInside ? std::optional(std::move(result)) : std::nullopt;
}

/// The bytes of a constant, where they lie if that is known.
class ConstantBytes {
public:
  explicit ConstantBytes(ConstantOp constant) : bytes_(mappedBytesOf(constant)) {
    if (!bytes_.empty())
      return;
    owned_ = graph::bytesOf(constant);
    if (owned_)
      bytes_ = *owned_;
  }
  ConstantBytes(const ConstantBytes &) = delete;
  ConstantBytes &operator=(const ConstantBytes &) = delete;
  /// Elements at places, one after another; nullopt if there is none at one.
  std::optional<std::vector<char>> gathered(std::span<const int64_t> places,
                                            size_t elementBytes) const {
    std::vector<char> result;
    result.reserve(places.size() * elementBytes);
    for (int64_t place : places) {
      const size_t begin = static_cast<size_t>(place) * elementBytes;
      if (place < 0 || begin + elementBytes > bytes_.size())
        return std::nullopt;
      const llvm::ArrayRef<char> element = bytes_.slice(begin, elementBytes);
      result.insert(result.end(), element.begin(), element.end());
    }
    return result;
  }

private:
  std::optional<std::vector<char>> owned_;
  llvm::ArrayRef<char> bytes_;
};

class ConstantFolder {
public:
  explicit ConstantFolder(PassContext &context) : context_(context) {}

  void fold(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice)
      return;
    const bool isOfConstants =
        llvm::all_of(call.getInputs(), [](mlir::Value input) { return findConstant(input); });
    if (isOfConstants && choice->plugin->traits()->moves)
      return foldMoves(call, *choice);
    if (call.getNumResults() != 1)
      return;
    const std::optional<int64_t> bytes = bytesOf(typeOf(call));
    if (!bytes)
      return;
    // Of tensors that are made, an input says the type and shape only.
    const bool isCreation = *bytes <= kMostBytes && createdNumbers(choice->node);
    if (!isCreation && !isOfConstants)
      return;
    if (choice->plugin->traits()->views || isWholeView(context_, call))
      return foldView(call, *choice, *bytes);
    if (!isSmall(call))
      return;
    if (choice->plugin->traits()->places)
      return foldGather(call, *choice);
    if (const std::optional<std::vector<double>> numbers = numbersOfResult(call, *choice))
      if (const auto rounded = encoded(typeOf(call).getSpec().dtype, *numbers))
        replace(call, *rounded);
  }

private:
  static TensorType typeOf(CallOp call, unsigned result = 0) {
    return llvm::cast<TensorType>(call.getResult(result).getType());
  }
  static size_t elementBytes(TensorType type) {
    return static_cast<size_t>(dataTypeSizeBytes(type.getSpec().dtype));
  }

  /// True if the results together may be kept in the engine.
  bool isSmall(CallOp call) {
    int64_t sum = 0;
    for (unsigned i = 0; i < call.getNumResults(); ++i)
      if (const std::optional<int64_t> bytes = bytesOf(typeOf(call, i)))
        sum += *bytes;
      else
        return false;
    if (sum > kMostBytes)
      context_.missed(call.getNode(),
                      fmt::format("its result has {} bytes, more than {}", sum, kMostBytes));
    return sum <= kMostBytes;
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
    if (!views.isOk() || !areMet(views->requirements))
      return;
    if (const auto places = placesOf(views->views[0]))
      if (const auto copy = ConstantBytes(constant).gathered(*places, elementBytes(typeOf(call))))
        replace(call, *copy);
  }

  /// Elements at places that constants name.
  void foldGather(CallOp call, const PluginChoice &choice) {
    const Result<Places> places = choice.plugin->traits()->places(choice.node);
    if (!places.isOk())
      return;
    std::vector<std::vector<double>> indices;
    for (const PlaceIndex &index : places->indices) {
      auto numbers = numbersOf(findConstant(operandOf(call, choice.node.inputNames[index.input])));
      if (!numbers)
        return;
      indices.push_back(std::move(*numbers));
    }
    const llvm::StringRef from = findInput(choice.node, "self") ? "self" : "weight";
    const ConstantBytes bytes(findConstant(operandOf(call, from)));
    if (const auto at = placesOf(*places, indices))
      if (const auto copy = bytes.gathered(*at, elementBytes(typeOf(call))))
        replace(call, *copy);
  }

  /// Results that are put together of parts.
  void foldMoves(CallOp call, const PluginChoice &choice) {
    const Result<Moves> moves = choice.plugin->traits()->moves(choice.node);
    if (!moves.isOk() || !isSmall(call))
      return;
    std::vector<std::vector<char>> results;
    for (unsigned i = 0; i < call.getNumResults(); ++i)
      results.emplace_back(static_cast<size_t>(*bytesOf(typeOf(call, i))));
    for (const Move &move : moves->list)
      if (!copyInto(results[move.output], typeOf(call, move.output), call, choice.node, move))
        return;
    mlir::OpBuilder builder(call);
    for (auto [i, result] : llvm::enumerate(results)) {
      const std::string name =
          results.size() == 1 ? nameOf(call) : fmt::format("{}.{}.folded", call.getNode().str(), i);
      call.getResult(i).replaceAllUsesWith(
          makeConstant(builder, call.getLoc(), typeOf(call, i), name, result).getResult());
    }
    context_.applied(call.getNode(), "is a constant");
    context_.erase(call);
  }

  /// False where the elements would change, or their places are not known.
  static bool copyInto(std::vector<char> &result, TensorType type, CallOp call,
                       const PluginNode &node, const Move &move) {
    const auto from = placesOf(move.from), to = placesOf(move.to);
    if (!from || !to || from->size() != to->size() ||
        node.inputs[move.input].dtype != type.getSpec().dtype)
      return false;
    const size_t size = elementBytes(type);
    const ConstantBytes source(findConstant(operandOf(call, node.inputNames[move.input])));
    const auto elements = source.gathered(*from, size);
    if (!elements)
      return false;
    for (size_t i = 0; i < to->size(); ++i) {
      const size_t at = static_cast<size_t>((*to)[i]) * size;
      if ((*to)[i] < 0 || at + size > result.size())
        return false;
      std::copy_n(elements->begin() + static_cast<std::ptrdiff_t>(i * size), size,
                  result.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return true;
  }

  /// The operand that an argument is, which the call passes.
  static mlir::Value operandOf(CallOp call, llvm::StringRef name) {
    const auto at = llvm::find_if(call.getArgNames(), [&](mlir::Attribute text) {
      return llvm::cast<mlir::StringAttr>(text).getValue() == name;
    });
    return call.getInputs()[static_cast<unsigned>(at - call.getArgNames().begin())];
  }

  std::optional<std::vector<double>> numbersOfResult(CallOp call, const PluginChoice &choice) {
    if (const auto created = createdNumbers(choice.node))
      return created;
    const bool isPointwise = static_cast<bool>(choice.plugin->traits()->element);
    if (!isPointwise && !isSumOrTriangle(choice.node))
      return std::nullopt;
    std::vector<std::vector<double>> inputs;
    for (const std::string &name : choice.node.inputNames) {
      std::optional<std::vector<double>> numbers = numbersOf(findConstant(operandOf(call, name)));
      if (!numbers)
        return std::nullopt;
      inputs.push_back(std::move(*numbers));
    }
    return isPointwise ? pointwiseNumbers(*choice.plugin, choice.node, inputs)
                       : sumOrTriangle(choice.node, inputs[0]);
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
