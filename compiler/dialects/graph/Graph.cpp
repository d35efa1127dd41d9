#include "compiler/dialects/graph/Graph.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include "compiler/dialects/graph/GraphOpsDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialects/graph/GraphOpsTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialects/graph/GraphOpsAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/graph/GraphOps.cpp.inc"

using namespace mlir;

namespace inlay::graph {

void GraphDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/dialects/graph/GraphOpsTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/dialects/graph/GraphOpsAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/dialects/graph/GraphOps.cpp.inc"
      >();
}

LogicalResult TensorType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                 ArrayAttr shape, StringAttr dtype) {
  if (!findDataType(std::string_view(dtype.getValue())) ||
      dataTypeName(*findDataType(std::string_view(dtype.getValue()))) !=
          std::string_view(dtype.getValue()))
    return emitError() << dtype << " is no element type";
  for (Attribute dim : shape) {
    auto text = dyn_cast<StringAttr>(dim);
    if (!text)
      return emitError() << "dimension " << dim << " is no expression in a string";
    Result<Expr> expr = parseExpr(std::string_view(text.getValue()));
    if (!expr.isOk() || expr.value().toString() != std::string_view(text.getValue()))
      return emitError() << "dimension " << dim << " is no expression in canonical text";
  }
  return success();
}

TensorType TensorType::of(MLIRContext *context, const TensorSpec &spec) {
  Builder builder(context);
  SmallVector<Attribute> shape;
  for (const Expr &dim : spec.shape)
    shape.push_back(builder.getStringAttr(dim.toString()));
  return TensorType::get(context, builder.getArrayAttr(shape),
                         builder.getStringAttr(dataTypeName(spec.dtype)));
}

TensorSpec TensorType::getSpec() const {
  TensorSpec spec{*findDataType(std::string_view(getDtype().getValue())), {}};
  for (auto dim : getShape().getAsRange<StringAttr>())
    spec.shape.push_back(parseExpr(std::string_view(dim.getValue())).value());
  return spec;
}

LogicalResult DataTypeAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                   StringAttr typeName) {
  if (!findDataType(std::string_view(typeName.getValue())))
    return emitError() << typeName << " is no data type";
  return success();
}

LogicalResult ExprAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                               StringAttr text) {
  Result<Expr> expr = parseExpr(std::string_view(text.getValue()));
  if (!expr.isOk() || expr.value().toString() != std::string_view(text.getValue()))
    return emitError() << text << " is no expression in canonical text";
  return success();
}

namespace {

/// Checks that an array has the given number of texts, none empty (if so asked) and none twice.
LogicalResult verifyNames(Operation *op, ArrayAttr names, size_t count, StringRef what) {
  llvm::StringSet<> seen;
  for (auto name : names.getAsRange<StringAttr>())
    if (name.empty() || !seen.insert(name.getValue()).second)
      return op->emitOpError("(C1) ") << what << " name " << name << " is empty or used twice";
  if (names.size() != count)
    return op->emitOpError("(C1) has ")
           << names.size() << " " << what << " names for " << count << " tensors";
  return success();
}

LogicalResult verifySymbols(ModelOp model, llvm::StringSet<> &declared) {
  for (auto entry : model.getSymbols().getAsRange<DictionaryAttr>()) {
    auto name = entry.getAs<StringAttr>("name");
    auto min = entry.getAs<IntegerAttr>("min"), max = entry.getAs<IntegerAttr>("max"),
         opt = entry.getAs<IntegerAttr>("opt");
    if (!name || !min || !max || !opt || min.getInt() > opt.getInt() || opt.getInt() > max.getInt())
      return model.emitOpError("(C3) symbol ") << entry << " needs a name and min <= opt <= max";
    if (!declared.insert(name.getValue()).second)
      return model.emitOpError("(C2) symbol ") << name << " is declared twice";
  }
  for (auto entry : model.getChecks().getAsRange<DictionaryAttr>())
    if (!entry.getAs<StringAttr>("condition") || !entry.getAs<StringAttr>("message"))
      return model.emitOpError("(C3) check ") << entry << " needs a condition and a message";
  return success();
}

LogicalResult verifyTypes(Operation *op, TypeRange types, const llvm::StringSet<> &declared) {
  for (Type type : types)
    if (auto tensor = dyn_cast<TensorType>(type))
      for (const Expr &dim : tensor.getSpec().shape)
        for (const std::string &name : symbolsOf(dim))
          if (!declared.contains(name))
            return op->emitOpError("(C2) uses symbol '")
                   << name << "', which the model does not declare";
  return success();
}

/// Symbols in the arguments of a call.
LogicalResult verifyArgumentSymbols(Operation *op, const llvm::StringSet<> &declared) {
  auto call = dyn_cast<CallOp>(op);
  if (!call)
    return success();
  WalkResult walk = call.getArguments().walk([&](ExprAttr attribute) {
    for (const std::string &name :
         symbolsOf(parseExpr(std::string_view(attribute.getText().getValue())).value()))
      if (!declared.contains(name)) {
        op->emitOpError("(C3) uses symbol '") << name << "', which the model does not declare";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

} // namespace

OperandRange ModelOp::getResultTensors() {
  return cast<OutputOp>(getBlock().getTerminator()).getOperands();
}

LogicalResult ModelOp::verifyRegions() {
  size_t numInputs = getBlock().getNumArguments(), numOutputs = getResultTensors().size();
  if (failed(verifyNames(*this, getInputNames(), numInputs, "input")) ||
      failed(verifyNames(*this, getOutputNames(), numOutputs, "output")))
    return failure();
  if (getInputPaths().size() != numInputs || getOutputPaths().size() != numOutputs)
    return emitOpError("(C1) has ")
           << getInputPaths().size() << " input and " << getOutputPaths().size()
           << " output paths for " << numInputs << " and " << numOutputs << " tensors";
  llvm::StringSet<> declared;
  if (failed(verifySymbols(*this, declared)) ||
      failed(verifyTypes(*this, getBlock().getArgumentTypes(), declared)))
    return failure();
  llvm::DenseSet<Value> updated;
  const WalkResult walk = getBody().walk([&](Operation *op) {
    return failed(verifyTypes(op, op->getResultTypes(), declared)) ||
                   failed(verifyArgumentSymbols(op, declared))
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  for (Operation &op : getBlock()) {
    if (auto update = dyn_cast<UpdateOp>(op); update && !updated.insert(update.getTarget()).second)
      return update.emitOpError("(C3) updates a target that was updated before");
  }
  return success();
}

/// What a group and a segment have in common (C1, C3): calls and graph.yield, types as outside.
template <typename Op>
static LogicalResult verifyCalls(Op op) {
  auto yield = dyn_cast_or_null<YieldOp>(
      op.getBlock().mightHaveTerminator() ? op.getBlock().getTerminator() : nullptr);
  if (!yield)
    return op.emitOpError("(C3) does not end in graph.yield");
  for (Operation &member : op.getBlock().without_terminator())
    if (!isa<CallOp>(member))
      return member.emitOpError("(C3) stands in a ")
             << op->getName().stripDialect() << ", which holds calls only";
  if (llvm::hasSingleElement(op.getBlock()))
    return op.emitOpError("(C3) holds no call");
  if (op.getBlock().getArgumentTypes() != op.getInputs().getTypes())
    return op.emitOpError("(C1) has other operands than its block has arguments");
  if (yield.getOperandTypes() != op.getOutputs().getTypes())
    return op.emitOpError("(C1) has other results than graph.yield gives");
  return success();
}

LogicalResult GroupOp::verifyRegions() {
  constexpr StringLiteral kKinds[] = {"pointwise", "lines", "tail"};
  if (!llvm::is_contained(kKinds, getKind()))
    return emitOpError("(C2) is of kind '") << getKind() << "', expected pointwise, lines or tail";
  return verifyCalls(*this);
}

LogicalResult SegmentOp::verifyRegions() {
  if (getInputNames().size() != getInputs().size() ||
      getOutputNames().size() != getOutputs().size())
    return emitOpError("(C2) has ")
           << getInputNames().size() << " input and " << getOutputNames().size()
           << " output names for " << getInputs().size() << " and " << getOutputs().size()
           << " tensors";
  return verifyCalls(*this);
}

LogicalResult UpdateOp::verify() {
  if (!isa<BlockArgument>(getTarget()) && !getTarget().getDefiningOp<ConstantOp>())
    return emitOpError("(C1) updates the result of an operator, expected an input or a constant");
  if (getTarget().getType() != getValue().getType())
    return emitOpError("(C2) gives a target of type ")
           << getTarget().getType() << " a value of type " << getValue().getType();
  return success();
}

/// A literal, or an integer that depends on sizes, or a list of integers with such among them.
static bool isArgumentValue(Attribute attribute) {
  if (isa<ExprAttr>(attribute))
    return true;
  if (auto array = dyn_cast<ArrayAttr>(attribute);
      array && llvm::any_of(array, llvm::IsaPred<ExprAttr>))
    return llvm::all_of(array, [](Attribute element) {
      auto integer = dyn_cast<IntegerAttr>(element);
      return isa<ExprAttr>(element) || (integer && integer.getType().isInteger(64));
    });
  return valueOf(attribute).has_value();
}

LogicalResult CallOp::verify() {
  llvm::StringSet<> names;
  for (auto name : getArgNames().getAsRange<StringAttr>())
    if (name.empty() || !names.insert(name.getValue()).second ||
        getArguments().contains(name.getValue()))
      return emitOpError("(C1) argument name ") << name << " is empty or used twice";
  if (getArgNames().size() != getInputs().size())
    return emitOpError("(C1) has ")
           << getArgNames().size() << " names for " << getInputs().size() << " tensors";
  for (NamedAttribute argument : getArguments())
    if (!isArgumentValue(argument.getValue()))
      return emitOpError("(C2) argument '")
             << argument.getName().strref()
             << "' has a value of unknown kind: " << argument.getValue();
  return success();
}

LogicalResult ConstantOp::verify() {
  TensorSpec spec = cast<TensorType>(getResult().getType()).getSpec();
  std::optional<int64_t> numel = spec.numel().constantValue();
  ShapedType type = getData().getShapedType();
  int64_t dataBytes =
      type.getNumElements() * std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
  if (!numel || *numel * dataTypeSizeBytes(spec.dtype) != dataBytes)
    return emitOpError("(C1) holds ")
           << dataBytes << " bytes of data for " << getResult().getType();
  return success();
}

namespace {

/// The elements of an array, if all are of one kind.
template <typename T, typename Attr>
std::optional<AttributeValue> listOf(ArrayAttr array, llvm::function_ref<T(Attr)> element) {
  std::vector<T> values;
  for (Attribute attribute : array) {
    auto typed = dyn_cast<Attr>(attribute);
    if (!typed)
      return std::nullopt;
    values.push_back(element(typed));
  }
  return AttributeValue(std::move(values));
}

bool isInt64(Attribute attribute) {
  auto integer = dyn_cast<IntegerAttr>(attribute);
  return integer && integer.getType().isInteger(64);
}

std::optional<AttributeValue> listValueOf(ArrayAttr array) {
  if (array.empty())
    return AttributeValue(std::vector<int64_t>());
  if (isa<BoolAttr>(array[0]))
    return listOf<bool, BoolAttr>(array, [](BoolAttr value) { return value.getValue(); });
  if (llvm::all_of(array, isInt64))
    return listOf<int64_t, IntegerAttr>(array, [](IntegerAttr value) { return value.getInt(); });
  if (isa<FloatAttr>(array[0]))
    return listOf<double, FloatAttr>(array,
                                     [](FloatAttr value) { return value.getValueAsDouble(); });
  return listOf<std::string, StringAttr>(array, [](StringAttr value) { return value.str(); });
}

} // namespace

Attribute attributeOf(MLIRContext *context, const AttributeValue &value) {
  Builder builder(context);
  auto list = [&](const auto &values, auto element) {
    SmallVector<Attribute> attributes;
    for (const auto &v : values)
      attributes.push_back(element(v));
    return builder.getArrayAttr(attributes);
  };
  auto boolean = [&](bool v) -> Attribute { return builder.getBoolAttr(v); };
  auto integer = [&](int64_t v) -> Attribute { return builder.getI64IntegerAttr(v); };
  auto number = [&](double v) -> Attribute { return builder.getF64FloatAttr(v); };
  auto text = [&](const std::string &v) -> Attribute { return builder.getStringAttr(v); };
  switch (value.index()) {
  case 1:
    return boolean(std::get<bool>(value));
  case 2:
    return integer(std::get<int64_t>(value));
  case 3:
    return number(std::get<double>(value));
  case 4:
    return text(std::get<std::string>(value));
  case 5:
    return DataTypeAttr::get(context,
                             builder.getStringAttr(dataTypeName(std::get<DataType>(value))));
  case 6:
    return list(std::get<std::vector<bool>>(value), boolean);
  case 7:
    return list(std::get<std::vector<int64_t>>(value), integer);
  case 8:
    return list(std::get<std::vector<double>>(value), number);
  case 9:
    return list(std::get<std::vector<std::string>>(value), text);
  default:
    return builder.getUnitAttr();
  }
}

std::optional<AttributeValue> valueOf(Attribute attribute) {
  if (isa<UnitAttr>(attribute))
    return AttributeValue();
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return AttributeValue(flag.getValue());
  if (isInt64(attribute))
    return AttributeValue(cast<IntegerAttr>(attribute).getInt());
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return AttributeValue(number.getValueAsDouble());
  if (auto text = dyn_cast<StringAttr>(attribute))
    return AttributeValue(text.str());
  if (auto type = dyn_cast<DataTypeAttr>(attribute))
    return AttributeValue(*findDataType(std::string_view(type.getName().getValue())));
  if (auto array = dyn_cast<ArrayAttr>(attribute))
    return listValueOf(array);
  return std::nullopt;
}

} // namespace inlay::graph
