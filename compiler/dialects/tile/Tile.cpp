#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include "compiler/dialects/tile/TileOpsDialect.cpp.inc"
#include "compiler/dialects/tile/TileOpsEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialects/tile/TileOpsTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialects/tile/TileOpsAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/tile/TileOps.cpp.inc"

using namespace mlir;

namespace inlay::tile {

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/dialects/tile/TileOpsTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/dialects/tile/TileOpsAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/dialects/tile/TileOps.cpp.inc"
      >();
}

Operation *TileDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location location) {
  return arith::ConstantOp::materialize(builder, value, type, location);
}

namespace {

/// Shape of a tile; empty for a scalar.
ArrayRef<int64_t> shapeOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getShape();
  return {};
}

bool sameShape(Type a, Type b) {
  return isa<RankedTensorType>(a) == isa<RankedTensorType>(b) && shapeOf(a) == shapeOf(b);
}

/// The type of the elements that pointers of this type address.
Type pointeeOf(Type pointerLike) {
  return cast<PointerType>(elementTypeOf(pointerLike)).getElementType();
}

} // namespace

namespace {

constexpr int64_t kMaxElements = int64_t{1} << 20;
constexpr size_t kMaxRegisterBits = 20, kLaneBits = 5, kMaxWarpBits = 5;

/// Whether a type is a scalar, or a tile as the dialect's description demands.
bool isProper(Type type) {
  auto tile = dyn_cast<RankedTensorType>(type);
  if (!tile)
    return !isa<ShapedType>(type);
  int64_t numElements = 1;
  for (int64_t size : tile.getShape()) {
    if (size <= 0 || size > kMaxElements || !llvm::isPowerOf2_64(static_cast<uint64_t>(size)))
      return false;
    numElements = std::min(2 * kMaxElements, numElements * size);
  }
  return numElements <= kMaxElements;
}

LogicalResult verifyTiles(func::FuncOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    for (Type type : op->getResultTypes())
      if (!isProper(type)) {
        op->emitOpError("(K3) result ")
            << type << " is no scalar or tile whose dimensions are powers of two, at most "
            << kMaxElements << " elements";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

} // namespace

LogicalResult TileDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != kKernelAttr)
    return success();
  auto kernel = dyn_cast<func::FuncOp>(op);
  if (!kernel || !llvm::hasSingleElement(kernel.getBody()))
    return op->emitOpError("(K1) a tile kernel is a func.func with a body of one block");
  if (kernel.getNumResults() != 0 ||
      llvm::any_of(kernel.getArgumentTypes(), llvm::IsaPred<ShapedType>))
    return op->emitOpError(
               "(K2) a tile kernel takes scalars and pointers and returns nothing, not ")
           << kernel.getFunctionType();
  return verifyTiles(kernel);
}

LogicalResult PointerType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                  Type elementType, unsigned) {
  if (!elementType.isIntOrFloat() && !isa<PointerType>(elementType))
    return emitError() << "(C1) a pointer's elements are integers, floats or pointers, not "
                       << elementType;
  return success();
}

LogicalResult LayoutAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, unsigned rank,
                                 ArrayAttr registers, ArrayAttr lanes, ArrayAttr warps) {
  for (ArrayAttr bases : {registers, lanes, warps})
    for (Attribute row : bases) {
      auto basis = dyn_cast<DenseI32ArrayAttr>(row);
      if (!basis || basis.size() != static_cast<int64_t>(rank))
        return emitError() << "basis " << row << " is no array of " << rank << " i32 coordinates";
      if (!llvm::all_of(basis.asArrayRef(), [](int32_t x) { return x >= 0 && x < kMaxElements; }))
        return emitError() << "(C1) basis " << row << " has a coordinate outside 0.."
                           << kMaxElements - 1;
    }
  if (lanes.size() != kLaneBits || warps.size() > kMaxWarpBits ||
      registers.size() > kMaxRegisterBits)
    return emitError() << "(C2) there are " << registers.size() << " register, " << lanes.size()
                       << " lane and " << warps.size() << " warp bases; expected at most "
                       << kMaxRegisterBits << ", " << kLaneBits << ", and at most " << kMaxWarpBits;
  return success();
}

LogicalResult SharedType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                 unsigned numSlots, ArrayRef<int64_t> shape, Type elementType,
                                 unsigned fastest) {
  const bool isShape =
      shape.size() == 2 && llvm::all_of(shape, [](int64_t size) {
        return llvm::isPowerOf2_64(static_cast<uint64_t>(size)) && size <= kMaxElements;
      });
  if (!isShape || fastest > 1)
    return emitError() << "(C1) tiles in shared memory have two dimensions, powers of two, and "
                          "fastest is 0 or 1; it is "
                       << fastest;
  if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() < 8 ||
      elementType.getIntOrFloatBitWidth() > 64)
    return emitError() << "(C2) elements are " << elementType
                       << "; expected integers or floats of 8 to 64 bits";
  if (numSlots == 0)
    return emitError() << "(C3) there are no slots";
  return success();
}

/// Whether a tile with a layout has the shape and elements of those in shared memory.
static bool fitsShared(Type type, Type elementType, Type bufferType) {
  auto buffer = cast<SharedType>(bufferType);
  auto tile = cast<RankedTensorType>(type);
  return tile.getShape() == buffer.getShape() && elementType == buffer.getElementType() &&
         isa_and_nonnull<LayoutAttr>(tile.getEncoding());
}

LogicalResult AsyncCopyOp::verify() {
  Type pointee = cast<PointerType>(elementTypeOf(getPtr().getType())).getElementType();
  if (!fitsShared(getPtr().getType(), pointee, getBuffer().getType()))
    return emitOpError("(C1) pointers ")
           << getPtr().getType() << " do not fit " << getBuffer().getType();
  if (getMask() && !sameShape(getMask().getType(), getPtr().getType()))
    return emitOpError("(C2) mask ") << getMask().getType() << " does not fit";
  const unsigned bytes = getWidth() * pointee.getIntOrFloatBitWidth() / 8;
  if (bytes != 4 && bytes != 8 && bytes != 16)
    return emitOpError("(C3) copies ") << bytes << " bytes at once; expected 4, 8 or 16";
  return success();
}

LogicalResult AsyncWaitOp::verify() {
  if (static_cast<bool>(getBarriers()) != static_cast<bool>(getSlot()) ||
      static_cast<bool>(getBarriers()) != static_cast<bool>(getParity()))
    return emitOpError("(C1) barriers come with a slot and a parity");
  return success();
}

LogicalResult SharedLoadOp::verify() {
  if (!fitsShared(getResult().getType(), elementTypeOf(getResult().getType()),
                  getBuffer().getType()))
    return emitOpError("(C1) result ")
           << getResult().getType() << " does not fit " << getBuffer().getType();
  return success();
}

LogicalResult SharedStoreOp::verify() {
  if (!fitsShared(getValue().getType(), elementTypeOf(getValue().getType()), getBuffer().getType()))
    return emitOpError("(C1) value ")
           << getValue().getType() << " does not fit " << getBuffer().getType();
  return success();
}

/// Rows and columns of a matrix that a tile or a buffer holds, or whose transposition it holds.
static std::optional<std::pair<int64_t, int64_t>> matrixShape(Type type, bool isTransposed) {
  auto buffer = dyn_cast<SharedType>(type);
  ArrayRef<int64_t> shape = buffer ? buffer.getShape() : cast<RankedTensorType>(type).getShape();
  if (shape.size() != 2)
    return std::nullopt;
  return isTransposed ? std::pair(shape[1], shape[0]) : std::pair(shape[0], shape[1]);
}

LogicalResult WarpgroupDotOp::verify() {
  if (isa<SharedType>(getLhs().getType()) != static_cast<bool>(getLhsSlot()))
    return emitOpError("(C1) a left operand in shared memory has a slot, and only such a one");
  const auto lhs = matrixShape(getLhs().getType(), getLhsTransposed()),
             rhs = matrixShape(getRhs().getType(), getRhsTransposed()),
             acc = matrixShape(getAcc().getType(), false);
  if (!lhs || !rhs || !acc || lhs->first != acc->first || lhs->second != rhs->first ||
      rhs->second != acc->second || getAcc().getType() != getResult().getType())
    return emitOpError("(C2) ") << getLhs().getType() << " and " << getRhs().getType()
                                << " do not multiply to " << getResult().getType();
  return success();
}

LogicalResult WarpgroupWaitOp::verify() {
  if (getValues().getTypes() != getResults().getTypes())
    return emitOpError("(C1) results are not of the values' types");
  return success();
}

LogicalResult ConvertLayoutOp::verify() {
  auto from = cast<RankedTensorType>(getSource().getType()),
       to = cast<RankedTensorType>(getResult().getType());
  if (from.getShape() != to.getShape() || from.getElementType() != to.getElementType() ||
      !isa_and_nonnull<LayoutAttr>(from.getEncoding()) ||
      !isa_and_nonnull<LayoutAttr>(to.getEncoding()))
    return emitOpError("(C1) cannot convert ") << from << " to " << to;
  return success();
}

LogicalResult ArangeOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  const int64_t count = int64_t{static_cast<int32_t>(getEnd())} - static_cast<int32_t>(getStart());
  if (count <= 0 || !llvm::isPowerOf2_64(count) || type.getRank() != 1 ||
      type.getDimSize(0) != count)
    return emitOpError("(C1) range of ")
           << count << " elements must be a power of two and match " << type;
  return success();
}

LogicalResult SplatOp::verify() {
  if (getSource().getType() != elementTypeOf(getResult().getType()))
    return emitOpError("(C1) operand type ")
           << getSource().getType() << " is not the element type of " << getResult().getType();
  return success();
}

OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (isa_and_nonnull<IntegerAttr, FloatAttr>(adaptor.getSource()))
    return DenseElementsAttr::get(type, adaptor.getSource());
  return {};
}

LogicalResult ExpandDimsOp::verify() {
  SmallVector<int64_t> expected(shapeOf(getSource().getType()));
  int64_t axis = getAxis();
  if (axis < 0 || axis > static_cast<int64_t>(expected.size()))
    return emitOpError("(C1) axis ") << axis << " is outside 0.." << expected.size();
  expected.insert(expected.begin() + axis, 1);
  if (shapeOf(getResult().getType()) != ArrayRef<int64_t>(expected))
    return emitOpError("(C1) result shape is not the operand's with 1 inserted at ") << axis;
  return success();
}

LogicalResult BroadcastOp::verify() {
  ArrayRef<int64_t> from = shapeOf(getSource().getType()), to = shapeOf(getResult().getType());
  bool fits = from.size() == to.size() &&
              elementTypeOf(getSource().getType()) == elementTypeOf(getResult().getType());
  for (size_t i = 0; fits && i < from.size(); ++i)
    fits = from[i] == to[i] || from[i] == 1;
  if (!fits)
    return emitOpError("(C1) cannot broadcast ")
           << getSource().getType() << " to " << getResult().getType();
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  // What a reshape undoes is there already.
  auto before = getSource().getDefiningOp<ReshapeOp>();
  if (before && !before.getAllowReorder() && !getAllowReorder() &&
      before.getSource().getType() == getType())
    return before.getSource();
  return {};
}

LogicalResult ReshapeOp::verify() {
  auto from = cast<RankedTensorType>(getSource().getType()),
       to = cast<RankedTensorType>(getResult().getType());
  if (from.getNumElements() != to.getNumElements() || from.getElementType() != to.getElementType())
    return emitOpError("(C1) cannot reshape ") << from << " to " << to;
  return success();
}

LogicalResult TransOp::verify() {
  ArrayRef<int64_t> from = shapeOf(getSource().getType()), to = shapeOf(getResult().getType());
  ArrayRef<int32_t> order = getOrder();
  bool fits = order.size() == from.size() && order.size() == to.size();
  llvm::SmallBitVector seen(order.size());
  for (size_t i = 0; fits && i < order.size(); ++i) {
    fits = order[i] >= 0 && order[i] < static_cast<int32_t>(from.size()) && !seen.test(order[i]) &&
           to[i] == from[order[i]];
    if (fits)
      seen.set(order[i]);
  }
  if (!fits)
    return emitOpError("(C1) order is not a permutation that takes ")
           << getSource().getType() << " to " << getResult().getType();
  return success();
}

LogicalResult AddPtrOp::verify() {
  if (!sameShape(getPtr().getType(), getOffset().getType()))
    return emitOpError("(C1) offset ")
           << getOffset().getType() << " has not the shape of " << getPtr().getType();
  const unsigned width = elementTypeOf(getOffset().getType()).getIntOrFloatBitWidth();
  if (width < 8 || width > 64)
    return emitOpError("(C1) offset ") << getOffset().getType() << " is not of 8 to 64 bits";
  return success();
}

OpFoldResult AddPtrOp::fold(FoldAdaptor adaptor) {
  // A hint about this value must not get lost.
  const bool hasHint = !(*this)->getDiscardableAttrs().empty();
  return !hasHint && matchPattern(getOffset(), m_Zero()) ? getPtr() : OpFoldResult();
}

LogicalResult LoadOp::verify() {
  Type ptr = getPtr().getType(), result = getResult().getType();
  if (!sameShape(ptr, result) || pointeeOf(ptr) != elementTypeOf(result))
    return emitOpError("(C1) result ") << result << " does not fit pointer " << ptr;
  if (getMask() && !sameShape(ptr, getMask().getType()))
    return emitOpError("(C2) mask ") << getMask().getType() << " has not the shape of " << ptr;
  if (getOther() && (!getMask() || getOther().getType() != result))
    return emitOpError("(C3) other must have type ") << result << " and come with a mask";
  if (getCache() == CacheModifier::WB || getCache() == CacheModifier::WT)
    return emitOpError("(C4) cache modifier ")
           << stringifyCacheModifier(getCache()) << " is for stores";
  return success();
}

void LoadOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  effects.emplace_back(MemoryEffects::Read::get());
  if (getIsVolatile())
    effects.emplace_back(MemoryEffects::Write::get());
}

LogicalResult StoreOp::verify() {
  Type ptr = getPtr().getType(), value = getValue().getType();
  if (!sameShape(ptr, value) || pointeeOf(ptr) != elementTypeOf(value))
    return emitOpError("(C1) value ") << value << " does not fit pointer " << ptr;
  if (getMask() && !sameShape(ptr, getMask().getType()))
    return emitOpError("(C2) mask ") << getMask().getType() << " has not the shape of " << ptr;
  if (getCache() == CacheModifier::CA || getCache() == CacheModifier::CV)
    return emitOpError("(C3) cache modifier ")
           << stringifyCacheModifier(getCache()) << " is for loads";
  return success();
}

LogicalResult JoinOp::verify() {
  SmallVector<int64_t> expected(shapeOf(getLhs().getType()));
  expected.push_back(2);
  if (shapeOf(getResult().getType()) != ArrayRef<int64_t>(expected) ||
      elementTypeOf(getLhs().getType()) != elementTypeOf(getResult().getType()))
    return emitOpError("(C1) result ")
           << getResult().getType() << " is not " << getLhs().getType() << " with 2 appended";
  return success();
}

LogicalResult SplitOp::verify() {
  ArrayRef<int64_t> source = shapeOf(getSource().getType());
  if (source.empty() || source.back() != 2 || shapeOf(getLhs().getType()) != source.drop_back() ||
      elementTypeOf(getLhs().getType()) != elementTypeOf(getSource().getType()))
    return emitOpError("(C1) ") << getSource().getType() << " does not split into two of "
                                << getLhs().getType();
  return success();
}

namespace {

/// What tile.reduce and tile.scan have in common.
LogicalResult verifyCombination(Operation *op, ValueRange sources, int64_t axis, Region &combine) {
  if (sources.empty())
    return op->emitOpError("(C1) needs an operand");
  ArrayRef<int64_t> shape = shapeOf(sources[0].getType());
  if (!llvm::all_of(sources, [&](Value source) { return shapeOf(source.getType()) == shape; }))
    return op->emitOpError("(C1) the operands have different shapes");
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size()))
    return op->emitOpError("(C1) axis ") << axis << " is outside a tile of rank " << shape.size();
  if (op->getNumResults() != sources.size())
    return op->emitOpError("(C2) has ")
           << op->getNumResults() << " results for " << sources.size() << " operands";
  Block &block = combine.front();
  if (block.empty() || !isa<YieldOp>(block.back()))
    return op->emitOpError("(C3) the region must end in tile.yield");
  SmallVector<Type> elements;
  for (Value source : sources)
    elements.push_back(elementTypeOf(source.getType()));
  SmallVector<Type> expected(elements);
  expected.append(elements);
  if (TypeRange(block.getArgumentTypes()) != TypeRange(expected) ||
      TypeRange(block.getTerminator()->getOperandTypes()) != TypeRange(elements))
    return op->emitOpError("(C3) the region must take two and yield one element of each operand");
  for (Operation &inner : block.without_terminator())
    if (inner.getNumRegions() != 0 || !isMemoryEffectFree(&inner) ||
        llvm::any_of(inner.getResultTypes(), llvm::IsaPred<RankedTensorType>))
      return inner.emitOpError("(C3) cannot combine elements of a ") << op->getName();
  return success();
}

} // namespace

LogicalResult ReduceOp::verify() {
  if (failed(verifyCombination(*this, getSources(), static_cast<int32_t>(getAxis()), getCombine())))
    return failure();
  for (auto [source, result] : llvm::zip(getSources(), getResults())) {
    SmallVector<int64_t> expected(shapeOf(source.getType()));
    expected.erase(expected.begin() + getAxis());
    const bool isTile = isa<RankedTensorType>(result.getType());
    if (isTile == expected.empty() || shapeOf(result.getType()) != ArrayRef<int64_t>(expected) ||
        elementTypeOf(result.getType()) != elementTypeOf(source.getType()))
      return emitOpError("(C2) result ") << result.getType() << " is not " << source.getType()
                                         << " without dimension " << getAxis();
  }
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyCombination(*this, getSources(), static_cast<int32_t>(getAxis()), getCombine())))
    return failure();
  if (getResultTypes() != getSources().getTypes())
    return emitOpError("(C2) the results have not the operands' types");
  return success();
}

LogicalResult DotOp::verify() {
  ArrayRef<int64_t> lhs = shapeOf(getLhs().getType()), rhs = shapeOf(getRhs().getType()),
                    acc = shapeOf(getAcc().getType());
  const size_t rank = acc.size();
  if ((rank != 2 && rank != 3) || lhs.size() != rank || rhs.size() != rank ||
      lhs[rank - 1] != rhs[rank - 2] || lhs[rank - 2] != acc[rank - 2] ||
      rhs[rank - 1] != acc[rank - 1] || (rank == 3 && (lhs[0] != acc[0] || rhs[0] != acc[0])))
    return emitOpError("(C1) shapes do not fit: ")
           << getLhs().getType() << " · " << getRhs().getType() << " + " << getAcc().getType();
  Type a = elementTypeOf(getLhs().getType()), b = elementTypeOf(getRhs().getType()),
       c = elementTypeOf(getAcc().getType());
  auto isFloat8 = [](Type type) {
    return isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8;
  };
  const bool isNarrow = a.isF16() || a.isBF16() || isFloat8(a);
  if ((a != b && !(isFloat8(a) && isFloat8(b))) ||
      !(isNarrow || a.isF32() || a.isF64() || a.isInteger(8)))
    return emitOpError("(C2) cannot multiply ") << a << " by " << b;
  const bool fits = a.isInteger(8) ? c.isInteger(32)
                    : a.isF64()    ? c.isF64()
                                   : c.isF32() || (c.isF16() && (a.isF16() || isFloat8(a)));
  if (!fits)
    return emitOpError("(C3) cannot accumulate products of ") << a << " in " << c;
  return success();
}

/// dot(a, b, 0) + c is dot(a, b, c), unless the product is to be summed apart with less precision.
LogicalResult DotOp::canonicalize(DotOp op, PatternRewriter &rewriter) {
  const bool isZero =
      matchPattern(op.getAcc(), m_AnyZeroFloat()) || matchPattern(op.getAcc(), m_Zero());
  if (!isZero || op.getMaxNumImprecise() != 0 || !op->hasOneUse())
    return failure();
  Operation *sum = *op->user_begin();
  // Moving into another block would move it into a loop.
  if (!isa<arith::AddFOp, arith::AddIOp>(sum) || sum->getBlock() != op->getBlock())
    return failure();
  Value other = sum->getOperand(sum->getOperand(0) == op.getResult() ? 1 : 0);
  rewriter.setInsertionPoint(sum);
  rewriter.replaceOpWithNewOp<DotOp>(sum, other.getType(), op.getLhs(), op.getRhs(), other,
                                     op.getPrecision(), op.getMaxNumImprecise());
  return success();
}

LogicalResult GatherOp::verify() {
  ArrayRef<int64_t> source = shapeOf(getSource().getType()),
                    indices = shapeOf(getIndices().getType());
  const int64_t axis = static_cast<int32_t>(getAxis());
  bool fits =
      source.size() == indices.size() && axis >= 0 && axis < static_cast<int64_t>(source.size());
  for (int64_t d = 0; fits && d < static_cast<int64_t>(source.size()); ++d)
    fits = d == axis || source[d] == indices[d];
  if (!fits)
    return emitOpError("(C1) indices ") << getIndices().getType() << " do not fit "
                                        << getSource().getType() << " along axis " << axis;
  if (shapeOf(getResult().getType()) != indices ||
      elementTypeOf(getResult().getType()) != elementTypeOf(getSource().getType()))
    return emitOpError("(C2) result ") << getResult().getType() << " does not fit";
  return success();
}

LogicalResult HistogramOp::verify() {
  if (shapeOf(getSource().getType()).size() != 1 || shapeOf(getResult().getType()).size() != 1 ||
      (getMask() && !sameShape(getMask().getType(), getSource().getType())))
    return emitOpError(
        "(C1) source, mask and result are tiles of rank 1, the mask of the source's shape");
  return success();
}

LogicalResult AtomicRmwOp::verify() {
  Type ptr = getPtr().getType(), value = getValue().getType();
  if (!sameShape(ptr, value) || pointeeOf(ptr) != elementTypeOf(value))
    return emitOpError("(C1) value ") << value << " does not fit pointer " << ptr;
  if (getMask() && !sameShape(ptr, getMask().getType()))
    return emitOpError("(C2) mask ") << getMask().getType() << " has not the shape of " << ptr;
  Type element = elementTypeOf(value);
  const unsigned bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
  const bool isWide = bits == 32 || bits == 64;
  const bool fits = getKind() == AtomicKind::FAdd       ? isa<FloatType>(element) && bits >= 16
                    : getKind() == AtomicKind::Exchange ? isWide
                                                        : isWide && element.isInteger();
  if (!fits)
    return emitOpError("(C3) atomic ")
           << stringifyAtomicKind(getKind()) << " is not defined for " << element;
  return success();
}

LogicalResult AtomicCasOp::verify() {
  Type ptr = getPtr().getType(), value = getValue().getType();
  if (!sameShape(ptr, value) || pointeeOf(ptr) != elementTypeOf(value))
    return emitOpError("(C1) value ") << value << " does not fit pointer " << ptr;
  Type element = elementTypeOf(value);
  if (!element.isIntOrFloat() ||
      !llvm::is_contained({16u, 32u, 64u}, element.getIntOrFloatBitWidth()))
    return emitOpError("(C2) compare-and-swap is not defined for ") << element;
  return success();
}

namespace {

LogicalResult verifyDescriptor(Operation *op, Value base, size_t sizes, size_t strides,
                               size_t offsets, Type tile) {
  const size_t rank = shapeOf(tile).size();
  if (sizes != rank || strides != rank || offsets != rank)
    return op->emitOpError("(C1) a tile of rank ")
           << rank << " needs as many sizes, strides and offsets, not " << sizes << ", " << strides
           << " and " << offsets;
  if (pointeeOf(base.getType()) != elementTypeOf(tile))
    return op->emitOpError("(C1) tile ") << tile << " does not fit base " << base.getType();
  return success();
}

} // namespace

LogicalResult DescriptorLoadOp::verify() {
  return verifyDescriptor(*this, getBase(), getSizes().size(), getStrides().size(),
                          getOffsets().size(), getResult().getType());
}

LogicalResult DescriptorStoreOp::verify() {
  return verifyDescriptor(*this, getBase(), getSizes().size(), getStrides().size(),
                          getOffsets().size(), getValue().getType());
}

void InlineAsmOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (getIsPure())
    return;
  effects.emplace_back(MemoryEffects::Read::get());
  effects.emplace_back(MemoryEffects::Write::get());
}

LogicalResult InlineAsmOp::verify() {
  if (getNumResults() == 0)
    return emitOpError("(C1) needs a result");
  Type tile;
  for (TypeRange types : {TypeRange(getOperandTypes()), TypeRange(getResultTypes())})
    for (Type type : types) {
      if (!isa<RankedTensorType>(type))
        continue;
      if (tile && shapeOf(tile) != shapeOf(type))
        return emitOpError("(C1) shapes of ") << tile << " and " << type << " differ";
      tile = type;
    }
  if (!llvm::isPowerOf2_32(getPack()))
    return emitOpError("(C2) pack is ") << getPack() << ", not a power of two";
  return success();
}

} // namespace inlay::tile
