#include "compiler/dialects/plan/Plan.h"

#include "base/DataType.h"
#include "compiler/dialects/tile/Tile.h"
#include "symbolic/FloatExpr.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include "compiler/dialects/plan/PlanOpsDialect.cpp.inc"
#include "compiler/dialects/plan/PlanOpsEnums.cpp.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/plan/PlanOps.cpp.inc"

using namespace mlir;

namespace inlay::plan {

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialects/plan/PlanOps.cpp.inc"
      >();
}

bool isCanonicalExpression(StringRef text) {
  Result<Expr> expr = parseExpr(std::string_view(text));
  return expr.isOk() && expr->toString() == std::string_view(text);
}

bool isFloatExpression(Attribute attribute) {
  auto text = floatExpressionOf(attribute);
  if (!text)
    return false;
  auto parsed = parseFloatExpr(std::string_view(*text));
  return parsed.isOk() && parsed->expr.toString() == std::string_view(*text);
}

std::optional<StringRef> floatExpressionOf(Attribute argument) {
  auto dictionary = dyn_cast<DictionaryAttr>(argument);
  auto text = dictionary ? dictionary.getAs<StringAttr>("float") : StringAttr();
  if (!text || dictionary.size() != 1)
    return std::nullopt;
  return text.getValue();
}

bool isDataTypeName(StringRef text) {
  std::optional<DataType> type = findDataType(std::string_view(text));
  return type && dataTypeName(*type) == std::string_view(text);
}

bool isStep(Operation &op) { return isa<LaunchOp, CopyOp, HostCallOp, ReadSizeOp>(op); }

void forEachExpression(Operation &op, function_ref<void(StringRef)> visit) {
  auto visitAll = [&](ArrayAttr attributes) {
    for (Attribute attribute : attributes)
      if (auto text = dyn_cast<StringAttr>(attribute))
        visit(text.getValue());
      else if (auto expression = floatExpressionOf(attribute))
        if (auto parsed = parseFloatExpr(std::string_view(*expression)); parsed.isOk())
          forEachInteger(parsed->expr, [&](const Expr &integer) { visit(integer.toString()); });
  };
  TypeSwitch<Operation *>(&op)
      .Case<InputOp, OutputOp>([&](auto tensor) { visitAll(tensor.getShape()); })
      .Case([&](CheckOp check) { visit(check.getCondition()); })
      .Case([&](ComputedSymbolOp size) { visit(size.getBound()); })
      .Case([&](ChoiceOp choice) {
        for (unsigned i = 0; i < choice.getTactics().size(); ++i)
          if (StringRef condition = choice.conditionOf(i); !condition.empty())
            visit(condition);
      })
      .Case([&](BufferOp buffer) { visit(buffer.getSizeBytes()); })
      .Case([&](HostCallOp call) {
        for (Attribute shape : call.getShapes())
          visitAll(cast<ArrayAttr>(shape));
      })
      .Case([&](LaunchOp launch) {
        visitAll(launch.getGrid());
        if (launch.getBlock())
          visitAll(*launch.getBlock());
        if (launch.getSharedBytesAttr())
          visit(launch.getSharedBytesAttr().getValue());
        visitAll(launch.getArguments());
      });
}

namespace {

/// The buffer that `name` means for `op`, or a diagnostic and null.
BufferOp lookupBuffer(Operation *op, FlatSymbolRefAttr name, SymbolTableCollection &symbols) {
  auto buffer = symbols.lookupNearestSymbolFrom<BufferOp>(op, name);
  if (!buffer)
    op->emitOpError("(C1) ") << name << " is not a buffer of this program";
  return buffer;
}

LogicalResult verifyTensorBuffer(Operation *op, FlatSymbolRefAttr name, BufferKind kind,
                                 SymbolTableCollection &symbols) {
  BufferOp buffer = lookupBuffer(op, name, symbols);
  if (!buffer)
    return failure();
  if (buffer.getKind() != kind)
    return op->emitOpError("(C1) buffer ")
           << name << " is of kind " << stringifyBufferKind(buffer.getKind()) << ", not "
           << stringifyBufferKind(kind);
  return success();
}

/// "a buffer for a pointer" if the argument does not fit a parameter of this type; empty if it
/// does.
StringRef expectedArgument(Type parameter, Attribute argument) {
  if (isa<tile::PointerType>(parameter))
    return isa<FlatSymbolRefAttr>(argument) ? "" : "a buffer for a pointer";
  if (isa<FloatType>(parameter))
    return isa<FloatAttr>(argument) || floatExpressionOf(argument) ? "" : "a float";
  return isa<StringAttr>(argument) ? "" : "an expression for an integer";
}

} // namespace

void ProgramOp::build(OpBuilder &builder, OperationState &state, StringRef name) {
  state.addAttribute(mlir::SymbolTable::getSymbolAttrName(), builder.getStringAttr(name));
  state.addRegion()->emplaceBlock();
}

namespace {

LogicalResult verifyDeclarations(ProgramOp program) {
  llvm::StringSet<> symbols, inputs, outputs;
  for (Operation &op : program.getBody().front()) {
    if (op.getDialect() != program->getDialect())
      return op.emitOpError("(C1) does not belong in a plan.program");
    StringRef symbol;
    if (auto bound = dyn_cast<SymbolOp>(op))
      symbol = bound.getName();
    if (auto computed = dyn_cast<ComputedSymbolOp>(op))
      symbol = computed.getName();
    if (!symbol.empty() && !symbols.insert(symbol).second)
      return op.emitOpError("(C2) symbol '") << symbol << "' is declared twice";
    auto verifyName = [&](StringRef name, llvm::StringSet<> &names) -> LogicalResult {
      if (name.empty() || !names.insert(name).second)
        return op.emitOpError("(C3) tensor name '") << name << "' is empty or taken";
      return success();
    };
    if (auto input = dyn_cast<InputOp>(op); input && failed(verifyName(input.getName(), inputs)))
      return failure();
    if (auto output = dyn_cast<OutputOp>(op);
        output && failed(verifyName(output.getName(), outputs)))
      return failure();
  }
  for (Operation &op : program.getBody().front()) {
    std::string unknown;
    forEachExpression(op, [&](StringRef text) {
      Result<Expr> expr = parseExpr(std::string_view(text));
      for (const std::string &name : expr.isOk() ? symbolsOf(*expr) : std::vector<std::string>())
        if (!symbols.contains(name) && unknown.empty())
          unknown = name;
    });
    if (!unknown.empty())
      return op.emitOpError("(C2) uses symbol '") << unknown << "', which is not declared";
  }
  return success();
}

LogicalResult verifySymbolSources(ProgramOp program) {
  SmallVector<InputOp> inputs(program.getBody().getOps<InputOp>());
  for (auto symbol : program.getBody().getOps<SymbolOp>()) {
    uint32_t input = symbol.getInput(), dim = symbol.getDim();
    if (input >= inputs.size() || dim >= inputs[input].getShape().size() ||
        cast<StringAttr>(inputs[input].getShape()[dim]).getValue() != symbol.getName())
      return symbol.emitOpError("(C2) dimension ")
             << dim << " of input " << input << " is not the symbol '" << symbol.getName() << "'";
  }
  return success();
}

/// Computed symbols are read in their order, and a bound needs no symbol that is read later.
LogicalResult verifyComputedSymbols(ProgramOp program) {
  SmallVector<ComputedSymbolOp> computed(program.getBody().getOps<ComputedSymbolOp>());
  llvm::StringSet<> later;
  for (ComputedSymbolOp symbol : llvm::reverse(computed)) {
    later.insert(symbol.getName());
    Result<Expr> bound = parseExpr(std::string_view(symbol.getBound()));
    for (const std::string &name : bound.isOk() ? symbolsOf(*bound) : std::vector<std::string>())
      if (later.contains(name))
        return symbol.emitOpError("(C2) its bound needs '")
               << name << "', which is not read before";
  }
  size_t next = 0;
  for (auto read : program.getBody().getOps<ReadSizeOp>()) {
    if (next == computed.size() || computed[next].getName() != read.getName())
      return read.emitOpError("(C3) reads '")
             << read.getName() << "'; expected "
             << (next == computed.size() ? StringRef("none") : computed[next].getName());
    ++next;
  }
  if (next < computed.size())
    return computed[next].emitOpError("(C2) is never read");
  return success();
}

LogicalResult verifyTensorsOfBuffers(ProgramOp program) {
  llvm::StringMap<int> tensors;
  for (auto input : program.getBody().getOps<InputOp>())
    ++tensors[input.getBuffer()];
  for (auto output : program.getBody().getOps<OutputOp>())
    ++tensors[output.getBuffer()];
  for (auto buffer : program.getBody().getOps<BufferOp>()) {
    bool isTensor = buffer.getKind() == BufferKind::Input || buffer.getKind() == BufferKind::Output;
    if (isTensor && tensors.lookup(buffer.getSymName()) != 1)
      return buffer.emitOpError("(C4) ")
             << stringifyBufferKind(buffer.getKind()) << " buffer @" << buffer.getSymName()
             << " belongs to " << tensors.lookup(buffer.getSymName()) << " tensors, not 1";
  }
  return success();
}

} // namespace

LogicalResult ProgramOp::verifyRegions() {
  if (failed(verifyDeclarations(*this)) || failed(verifySymbolSources(*this)) ||
      failed(verifyComputedSymbols(*this)))
    return failure();
  return verifyTensorsOfBuffers(*this);
}

LogicalResult SymbolOp::verify() {
  int64_t min = getMin(), max = getMax(), opt = getOpt();
  if (min < 0 || opt < min || max < opt)
    return emitOpError("(C1) needs 0 <= min <= opt <= max; found min ")
           << min << ", opt " << opt << ", max " << max;
  return success();
}

LogicalResult ComputedSymbolOp::verify() {
  int64_t max = getMax(), opt = getOpt();
  if (opt < 0 || max < opt)
    return emitOpError("(C1) needs 0 <= opt <= max; found opt ") << opt << ", max " << max;
  return success();
}

LogicalResult InputOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyTensorBuffer(*this, getBufferAttr(), BufferKind::Input, symbols);
}

LogicalResult OutputOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyTensorBuffer(*this, getBufferAttr(), BufferKind::Output, symbols);
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getBufferAttr())
    return success();
  BufferOp buffer = lookupBuffer(*this, getBufferAttr(), symbols);
  if (!buffer)
    return failure();
  if (!buffer.getData())
    return emitOpError("(C1) buffer ") << getBufferAttr() << " is no constant and no state";
  Expr size(dataTypeSizeBytes(*findDataType(std::string_view(getDtype()))));
  for (int64_t extent : getShape())
    size = size * Expr(extent);
  if (size.toString() != std::string_view(buffer.getSizeBytes()))
    return emitOpError("(C2) has ")
           << size.toString() << " bytes; its buffer has " << buffer.getSizeBytes();
  return success();
}

LogicalResult BufferOp::verify() {
  bool isConstant = getKind() == BufferKind::Constant || getKind() == BufferKind::State;
  if (isConstant != getData().has_value())
    return emitOpError("(C1) ") << (isConstant ? "a constant and state need data"
                                               : "only a constant and state have data");
  if (!isConstant)
    return success();
  ShapedType type = getData()->getShapedType();
  int64_t bits = type.getElementType().isIntOrFloat() ? type.getElementTypeBitWidth() : 0;
  int64_t dataBytes = type.getNumElements() * (bits == 1 ? 1 : bits / 8);
  if (getSizeBytes() != std::to_string(dataBytes))
    return emitOpError("(C2) size is \"")
           << getSizeBytes() << "\", but the data has " << dataBytes << " bytes";
  return success();
}

ModuleOp KernelOp::getModule() { return cast<ModuleOp>(getBody().front().front()); }

func::FuncOp KernelOp::getFunction() {
  for (auto function : getModule().getOps<func::FuncOp>())
    if (function->hasAttr(tile::kKernelAttr))
      return function;
  return {};
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBody().front();
  if (!llvm::hasSingleElement(block) || !isa<ModuleOp>(block.front()))
    return emitOpError("(C1) the body must be one builtin.module");
  int kernels = 0;
  for (auto function : getModule().getOps<func::FuncOp>())
    kernels += function->hasAttr(tile::kKernelAttr) && function.getNumResults() == 0;
  if (kernels != 1)
    return emitOpError("(C2) holds ")
           << kernels << " functions with tile.kernel and no results, not 1";
  if (getExternal() && (!getImages() || getImages()->empty()))
    return emitOpError("(C3) is external and has no images");
  for (Attribute attribute : getImagesAttr() ? getImagesAttr().getValue() : ArrayRef<Attribute>()) {
    auto image = dyn_cast<DictionaryAttr>(attribute);
    auto code = image ? image.getAs<DenseIntElementsAttr>("code") : DenseIntElementsAttr();
    if (!code || !code.getElementType().isInteger(8) || !image.getAs<StringAttr>("format") ||
        !image.getAs<StringAttr>("target") || !image.getAs<StringAttr>("entry"))
      return emitOpError("(C4) an image lacks 'format', 'target', 'entry' or 'code' of i8");
  }
  return success();
}

std::optional<unsigned> ChoiceOp::findTactic(StringRef name) {
  for (unsigned i = 0; i < getTactics().size(); ++i)
    if (nameOf(i) == name)
      return i;
  return std::nullopt;
}

StringRef ChoiceOp::nameOf(unsigned tactic) {
  auto name = cast<DictionaryAttr>(getTactics()[tactic]).getAs<StringAttr>("name");
  return name ? name.getValue() : StringRef();
}

StringRef ChoiceOp::conditionOf(unsigned tactic) {
  auto condition = cast<DictionaryAttr>(getTactics()[tactic]).getAs<StringAttr>("condition");
  return condition ? condition.getValue() : StringRef();
}

StringRef ChoiceOp::libraryOf(unsigned tactic) {
  auto library = cast<DictionaryAttr>(getTactics()[tactic]).getAs<StringAttr>("library");
  return library ? library.getValue() : StringRef();
}

DictionaryAttr ChoiceOp::alignmentsOf(unsigned tactic) {
  return cast<DictionaryAttr>(getTactics()[tactic]).getAs<DictionaryAttr>("aligned");
}

bool ChoiceOp::isUnconditional(unsigned tactic) {
  return conditionOf(tactic).empty() && libraryOf(tactic).empty() &&
         (!alignmentsOf(tactic) || alignmentsOf(tactic).empty());
}

namespace {

LogicalResult verifyTactic(ChoiceOp choice, unsigned index, llvm::StringSet<> &names) {
  for (NamedAttribute entry : cast<DictionaryAttr>(choice.getTactics()[index])) {
    StringRef key = entry.getName().strref();
    if (key != "name" && key != "condition" && key != "aligned" && key != "library")
      return choice.emitOpError("(C1) tactic ") << index << " has the unknown key '" << key << "'";
    if (!isa<StringAttr, DictionaryAttr>(entry.getValue()) ||
        isa<DictionaryAttr>(entry.getValue()) != (key == "aligned"))
      return choice.emitOpError("(C1) tactic ")
             << index << " has '" << key << "' of another kind: " << entry.getValue();
  }
  StringRef name = choice.nameOf(index), condition = choice.conditionOf(index);
  if (name.empty() || !names.insert(name).second)
    return choice.emitOpError("(C1) tactic ")
           << index << " has the name '" << name << "', which is empty or taken";
  if (!condition.empty() && !isCanonicalExpression(condition))
    return choice.emitOpError("(C2) tactic '")
           << name << "' has a condition that is no expression in canonical text: " << condition;
  constexpr int64_t kMaxAlignmentBytes = 4096;
  if (DictionaryAttr alignments = choice.alignmentsOf(index))
    for (NamedAttribute entry : alignments) {
      auto bytes = dyn_cast<IntegerAttr>(entry.getValue());
      if (!bytes || bytes.getInt() < 1 || bytes.getInt() > kMaxAlignmentBytes ||
          (bytes.getInt() & (bytes.getInt() - 1)) != 0)
        return choice.emitOpError("(C2) tactic '")
               << name << "' has the alignment " << entry.getValue() << " for @"
               << entry.getName().strref() << "; expected a power of two up to "
               << kMaxAlignmentBytes;
    }
  return success();
}

LogicalResult verifyOrder(ChoiceOp choice, ArrayRef<Attribute> order) {
  llvm::StringSet<> seen;
  for (Attribute entry : order) {
    auto name = dyn_cast<StringAttr>(entry);
    if (!name || !choice.findTactic(name.getValue()) || !seen.insert(name.getValue()).second)
      return choice.emitOpError("(C3) an order has ")
             << entry << ", which is no tactic or twice there";
  }
  auto last =
      order.empty() ? std::nullopt : choice.findTactic(cast<StringAttr>(order.back()).getValue());
  if (!last || !choice.isUnconditional(*last))
    return choice.emitOpError("(C3) an order of tactics ends in ")
           << (last ? choice.nameOf(*last) : StringRef("nothing"))
           << "; the last needs no condition and no library";
  return success();
}

} // namespace

LogicalResult ChoiceOp::verify() {
  llvm::StringSet<> names;
  for (unsigned i = 0; i < getTactics().size(); ++i)
    if (failed(verifyTactic(*this, i, names)))
      return failure();
  if (!getOrders()) {
    SmallVector<Attribute> written;
    for (unsigned i = 0; i < getTactics().size(); ++i)
      written.push_back(StringAttr::get(getContext(), nameOf(i)));
    return verifyOrder(*this, written);
  }
  DictionaryAttr last;
  for (auto order : getOrders()->getAsRange<DictionaryAttr>()) {
    auto tactics = order.getAs<ArrayAttr>("tactics");
    for (NamedAttribute entry : order)
      if (!(entry.getName() == "tactics" && tactics) &&
          !(entry.getName() == "target" && isa<StringAttr>(entry.getValue())) &&
          !(entry.getName() == "profile" && isa<IntegerAttr>(entry.getValue())))
        return emitOpError("(C3) an order has the unknown entry ") << entry.getValue();
    if (failed(verifyOrder(*this, tactics ? tactics.getValue() : ArrayRef<Attribute>())))
      return failure();
    last = order;
  }
  if (!last || last.size() != 1)
    return emitOpError("(C4) the last order does not fit every target and profile");
  return success();
}

LogicalResult ChoiceOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (unsigned i = 0; i < getTactics().size(); ++i)
    if (DictionaryAttr alignments = alignmentsOf(i))
      for (NamedAttribute entry : alignments) {
        auto name = FlatSymbolRefAttr::get(getContext(), entry.getName().strref());
        if (!symbols.lookupNearestSymbolFrom<BufferOp>(*this, name))
          return emitOpError("(C2) ") << name << " is not a buffer of this program";
      }
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("(C1) ") << getKernelAttr() << " is not a kernel of this program";
  ArrayRef<Type> parameters = kernel.getFunction().getArgumentTypes();
  if (parameters.size() != getArguments().size())
    return emitOpError("(C2) has ")
           << getArguments().size() << " arguments; kernel " << getKernelAttr() << " has "
           << parameters.size() << " parameters";
  for (auto [i, argument] : llvm::enumerate(getArguments())) {
    if (StringRef expected = expectedArgument(parameters[i], argument); !expected.empty())
      return emitOpError("(C3) argument ") << i << " is " << argument << "; parameter of type "
                                           << parameters[i] << " needs " << expected;
    auto name = dyn_cast<FlatSymbolRefAttr>(argument);
    if (name && !symbols.lookupNearestSymbolFrom<BufferOp>(*this, name))
      return emitOpError("(C3) argument ")
             << i << ": " << name << " is not a buffer of this program";
  }
  if (getTactic().has_value() != getChoice().has_value())
    return emitOpError("(C4) names a tactic or a choice, but not both");
  if (!getChoice())
    return success();
  auto choice = symbols.lookupNearestSymbolFrom<ChoiceOp>(*this, getChoiceAttr());
  if (!choice || !choice.findTactic(*getTactic()))
    return emitOpError("(C4) '") << *getTactic() << "' is no tactic of a choice " << getChoiceAttr()
                                 << " of this program";
  return success();
}

LogicalResult HostCallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  const size_t count = getInputs().size() + getOutputs().size();
  if (getDtypes().size() != count || getShapes().size() != count)
    return emitOpError("(C2) has ") << count << " inputs and outputs, but " << getDtypes().size()
                                    << " dtypes and " << getShapes().size() << " shapes";
  SmallVector<FlatSymbolRefAttr> written;
  for (Attribute input : getInputs())
    if (!lookupBuffer(*this, cast<FlatSymbolRefAttr>(input), symbols))
      return failure();
  for (Attribute output : getOutputs())
    written.push_back(cast<FlatSymbolRefAttr>(output));
  if (getWorkspaceAttr())
    written.push_back(getWorkspaceAttr());
  for (FlatSymbolRefAttr name : written) {
    BufferOp buffer = lookupBuffer(*this, name, symbols);
    if (!buffer)
      return failure();
    if (buffer.getKind() == BufferKind::Input || buffer.getKind() == BufferKind::Constant)
      return emitOpError("(C3) writes ")
             << stringifyBufferKind(buffer.getKind()) << " buffer " << name;
  }
  return success();
}

LogicalResult ReadSizeOp::verifySymbolUses(SymbolTableCollection &symbols) {
  BufferOp buffer = lookupBuffer(*this, getBufferAttr(), symbols);
  if (!buffer)
    return failure();
  std::optional<DataType> dtype = findDataType(std::string_view(getDtype()));
  if ((dtype != DataType::Int32 && dtype != DataType::Int64) ||
      buffer.getSizeBytes() != std::to_string(dataTypeSizeBytes(*dtype)))
    return emitOpError("(C2) reads ")
           << getDtype() << " from a buffer of \"" << buffer.getSizeBytes() << "\" bytes";
  return success();
}

LogicalResult CopyOp::verifySymbolUses(SymbolTableCollection &symbols) {
  BufferOp source = lookupBuffer(*this, getSourceAttr(), symbols);
  BufferOp target = source ? lookupBuffer(*this, getTargetAttr(), symbols) : BufferOp();
  if (!target)
    return failure();
  if (source == target)
    return emitOpError("(C1) copies ") << getSourceAttr() << " to itself";
  if (source.getSizeBytes() != target.getSizeBytes())
    return emitOpError("(C2) sizes differ: \"")
           << source.getSizeBytes() << "\" and \"" << target.getSizeBytes() << "\" bytes";
  if (target.getKind() == BufferKind::Input || target.getKind() == BufferKind::Constant)
    return emitOpError("(C3) writes ")
           << stringifyBufferKind(target.getKind()) << " buffer " << getTargetAttr();
  return success();
}

} // namespace inlay::plan
