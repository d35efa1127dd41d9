// Elements that are written, or added, at places that tensors of indices name.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Places.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

using ReadPlaces = Result<Places> (*)(const PluginNode &);

/// What becomes of elements at places where something lies already.
enum class Writing : uint8_t { Replaces, Adds };

/// An operator that writes: how its places are read, and whether it adds.
struct Scattering {
  ReadPlaces read;
  Writing writing = Writing::Replaces;
};

/// The tensor whose elements a node writes; empty for one that writes a number, `value`.
std::string_view sourceName(const PluginNode &node) {
  for (std::string_view name : {"values", "source", "src"})
    if (findInput(node, name))
      return name;
  return "";
}

bool doesAdd(const PluginNode &node, const Scattering &scattering) {
  return scattering.writing == Writing::Adds ||
         (hasAttribute(node, "accumulate") && boolOf(node, "accumulate"));
}

/// Errors: InvalidArgument or Unimplemented where elements are added that cannot be, or are scaled.
Status checkAdded(const PluginNode &node) {
  constexpr std::array kAdded = {DataType::Float16, DataType::BFloat16, DataType::Float32,
                                 DataType::Float64, DataType::Int32,    DataType::Int64};
  const DataType dtype = inputOf(node, "self").dtype;
  if (std::ranges::find(kAdded, dtype) == kAdded.end())
    return unimplemented("elements are added to 'self', which is {}; floats of 16 bits or more, "
                         "int32 and int64 are supported",
                         dataTypeName(dtype));
  if (!hasAttribute(node, "alpha"))
    return {};
  INLAY_ASSIGN(const double alpha, constantNumber(node, "alpha"));
  return alpha == 1 ? Status()
                    : unimplemented("'alpha' is {}; elements are added as they are", alpha);
}

/// Places that are written. The source of scatter may be larger than the index.
Result<Places> readWritten(const PluginNode &node, const Scattering &scattering) {
  INLAY_ASSIGN(Places places, scattering.read(node));
  if (doesAdd(node, scattering))
    INLAY_TRY(checkAdded(node));
  const std::string_view name = sourceName(node);
  if (name.empty()) {
    places.addSourceSteps(std::vector<Expr>(places.dimensions.size(), Expr(0)));
    return places;
  }
  const TensorSpec &source = inputOf(node, name);
  if (source.dtype != inputOf(node, "self").dtype)
    return invalidArgument("'{}' is {}, and 'self' {}; expected the same", name,
                           dataTypeName(source.dtype), dataTypeName(inputOf(node, "self").dtype));
  if (scattering.read == readElements && source.shape.size() == places.dimensions.size())
    places.addSourceSteps(denseStrides(source.shape));
  else
    INLAY_TRY(places.addSource(source.shape));
  return places;
}

Result<PluginDescription> describe(const PluginNode &node, const Scattering &scattering) {
  INLAY_ASSIGN(Places places, readWritten(node, scattering));
  PluginDescription description;
  description.outputs.push_back(inputOf(node, "self"));
  description.aliasedInputs = {{0, inputIndex(node, "self")}};
  description.requirements = std::move(places.requirements);
  return description;
}

/// The number that is written, of the kind that the tensor's elements are.
Result<ConstexprValue> writtenNumber(const PluginNode &node) {
  const OperatorNumber number = numberOf(node, "value");
  if (number.expression)
    return unimplemented("'value' depends on sizes, which is not supported");
  return number.value;
}

Result<PluginImplementation> implement(const PluginNode &node, const Scattering &scattering) {
  INLAY_ASSIGN(const Places places, readWritten(node, scattering));
  // Threads of a CPU that add to one place wait for each other.
  const bool isInOrder = doesAdd(node, scattering) && !isForGpu(node);
  LaunchBuilder launch("gather.py", isInOrder ? "add_in_order_kernel" : "scatter_kernel");
  const std::string_view name = sourceName(node);
  launch.optionalInput("v_ptr", name.empty() ? std::nullopt : findInputIndex(node, name)).output(0);
  ConstexprValue value;
  if (name.empty()) {
    INLAY_ASSIGN(value, writtenNumber(node));
  }
  launch.constant("VALUE", value);
  if (isInOrder)
    return inOrderOfPlaces(launch, places);
  launch.constant("ADDS", doesAdd(node, scattering));
  return overPlaces(launch, places);
}

} // namespace

void addScatterOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, const Scattering &scattering) {
    addOperator(definitions, schema,
                {[scattering](const PluginNode &node) { return describe(node, scattering); },
                 [scattering](const PluginNode &node) { return implement(node, scattering); }});
  };
  add("aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> "
      "Tensor",
      {readIndexList});
  add("aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
      {readSlices});
  add("aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> "
      "Tensor",
      {readSlices, Writing::Adds});
  add("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      {readElements});
  add("aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
      {readElements});
  add("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      {readElements, Writing::Adds});
}

} // namespace inlay
