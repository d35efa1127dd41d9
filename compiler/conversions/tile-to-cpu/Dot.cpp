// Matrix products. Operands are packed into the type in which products are made: the left one
// row-major, the right one in panels of kPanel columns. A block of the accumulator, some rows of
// one panel, stays in registers while it goes along K.
#include "compiler/conversions/tile-to-cpu/PlainRows.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"
#include "compiler/conversions/tile-to-cpu/StoredExtents.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

Type elementOf(Value tile) { return tile::elementTypeOf(tile.getType()); }

/// The type in which products of the operands are made and summed.
Type computedTypeOf(Type operand) {
  if (operand.isF64())
    return operand;
  return operand.isInteger() ? Type(IntegerType::get(operand.getContext(), 32))
                             : Type(Float32Type::get(operand.getContext()));
}

} // namespace

/// How a product is cut up.
struct ProductShape {
  ProductShape(tile::DotOp dot, const TileToCpuOptions &options)
      : computed(computedTypeOf(elementOf(dot.getLhs()))) {
    ArrayRef<int64_t> a = shapeOf(dot.getLhs()), b = shapeOf(dot.getRhs());
    batch = a.size() == 3 ? a[0] : 1;
    m = a[a.size() - 2];
    k = a.back();
    n = b.back();
    bytes = memoryBytesOf(computed);
    panel = std::min<int64_t>(n, 2 * options.vectorBytes / bytes);
    lanes = std::min<int64_t>(panel, options.vectorBytes / bytes);
    // Registers for accumulators, two for the right operand, one for the left.
    rows = std::min<int64_t>(m, options.hasMaskedAccess ? 8 : options.vectorBytes == 16 ? 4 : 6);
  }

  Type computed;
  int64_t batch, m, n, k, bytes;
  int64_t panel; ///< columns of the right operand that are packed together
  int64_t lanes; ///< columns in one register
  int64_t rows;  ///< of a block of the accumulator, which has `panel` columns
};

/// Rows of the left operand, `pitch` bytes apart.
struct LeftOperand {
  Value address, pitch;
};

namespace {

/// Rows and columns of a product that somebody stores, in whole blocks; null: all.
struct StoredPart {
  Value rows, columns;
};

/// Emits the loops over blocks of the accumulator.
class ProductBuilder {
public:
  ProductBuilder(OpBuilder &builder, tile::DotOp dot, const ProductShape &shape,
                 const StoredPart &stored, const LeftOperand &lhs, Value rhs, Value acc,
                 bool isFirst)
      : builder_(builder), location_(dot.getLoc()), shape_(shape), stored_(stored), lhs_(lhs),
        rhs_(rhs), acc_(acc), isFirst_(isFirst), computed_(shape.computed),
        accumulated_(elementOf(dot.getAcc())), n_(shape.n), k_(shape.k), bytes_(shape.bytes),
        panel_(shape.panel), lanes_(shape.lanes) {}

  void emit() {
    const int64_t m = shape_.m, rows = shape_.rows, whole = m - m % rows;
    emitLoop(0, i64(shape_.batch), 1, [&](Value batch) {
      Value lhs = offset(lhs_.address, batch, m * k_ * bytes_),
            rhs = offset(rhs_, batch, k_ * n_ * bytes_),
            acc = offset(acc_, batch, m * n_ * memoryBytesOf(accumulated_));
      emitLoop(0, stored_.columns ? stored_.columns : i64(n_), panel_, [&](Value column) {
        Value panel = offset(rhs, column, k_ * bytes_);
        Value block = offset(acc, column, memoryBytesOf(accumulated_));
        auto emitRows = [&](int64_t count) {
          return [&, count](Value row) {
            emitBlock(offset(lhs, row, lhs_.pitch), panel,
                      offset(block, row, n_ * memoryBytesOf(accumulated_)), count);
          };
        };
        emitLoop(0, storedRows(whole), rows, emitRows(rows));
        if (whole < m)
          emitLoop(whole, storedRows(m), m - whole, emitRows(m - whole));
      });
    });
  }

private:
  Value i64(int64_t value) {
    return integerConstant(builder_, location_, builder_.getI64Type(), value);
  }

  Value offset(Value address, Value index, Value bytes) {
    return addBytes(builder_, location_, address,
                    arith::MulIOp::create(builder_, location_, index, bytes));
  }
  Value offset(Value address, Value index, int64_t bytes) {
    return offset(address, index, i64(bytes));
  }
  Value offset(Value address, int64_t bytes) {
    return bytes == 0 ? address : addBytes(builder_, location_, address, i64(bytes));
  }

  Value storedRows(int64_t most) {
    return stored_.rows
               ? Value(arith::MinSIOp::create(builder_, location_, stored_.rows, i64(most)))
               : i64(most);
  }

  void emitLoop(int64_t begin, Value end, int64_t step, llvm::function_ref<void(Value)> body) {
    if (getConstantIntValue(end) == begin + step) {
      body(i64(begin));
      return;
    }
    auto loop = scf::ForOp::create(builder_, location_, i64(begin), end, i64(step));
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    body(loop.getInductionVar());
  }

  Value load(Type element, Value address, unsigned lanes) {
    Value loaded =
        LLVM::LoadOp::create(builder_, location_, lanesType(memoryTypeOf(element), lanes), address,
                             memoryBytesOf(element));
    return fromMemory(builder_, location_, loaded, element);
  }

  /// rows x panel_ accumulators at `acc`, over all of K.
  void emitBlock(Value lhs, Value rhs, Value acc, int64_t rows) {
    Type type = lanesType(computed_, lanes_);
    int64_t accBytes = memoryBytesOf(accumulated_);
    auto accAddress = [&](int64_t row, int64_t lane) {
      return offset(acc, (row * n_ + lane) * accBytes);
    };
    SmallVector<Value> sums;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t lane = 0; lane < panel_; lane += lanes_) {
        if (isFirst_) {
          sums.push_back(zeroConstant(builder_, location_, type));
          continue;
        }
        Value sum = load(accumulated_, accAddress(row, lane), lanes_);
        if (accumulated_ != computed_)
          sum = arith::ExtFOp::create(builder_, location_, type, sum);
        sums.push_back(sum);
      }
    SmallVector<Value> rowAddresses{lhs};
    while (static_cast<int64_t>(rowAddresses.size()) < rows)
      rowAddresses.push_back(
          offset(lhs, i64(static_cast<int64_t>(rowAddresses.size())), lhs_.pitch));
    int64_t unroll = std::min<int64_t>(k_, 4);
    auto loop = scf::ForOp::create(builder_, location_, i64(0), i64(k_), i64(unroll), sums);
    {
      OpBuilder::InsertionGuard guard(builder_);
      builder_.setInsertionPointToEnd(loop.getBody());
      sums.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
      SmallVector<Value> columns = llvm::map_to_vector(rowAddresses, [&](Value address) {
        return offset(address, loop.getInductionVar(), bytes_);
      });
      Value row = offset(rhs, loop.getInductionVar(), panel_ * bytes_);
      for (int64_t k = 0; k < unroll; ++k)
        emitStep(columns, k, offset(row, k * panel_ * bytes_), sums);
      scf::YieldOp::create(builder_, location_, sums);
    }
    size_t next = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t lane = 0; lane < panel_; lane += lanes_) {
        Value sum = loop.getResult(next++);
        if (accumulated_ != computed_)
          sum = arith::TruncFOp::create(builder_, location_, lanesType(accumulated_, lanes_), sum);
        LLVM::StoreOp::create(builder_, location_, toMemory(builder_, location_, sum),
                              accAddress(row, lane), accBytes);
      }
  }

  /// One column of the left operand, `k` behind the addresses in its rows, times one row of the
  /// panel.
  void emitStep(ArrayRef<Value> columns, int64_t k, Value row, SmallVector<Value> &sums) {
    SmallVector<Value> right;
    for (int64_t lane = 0; lane < panel_; lane += lanes_)
      right.push_back(load(computed_, offset(row, lane * bytes_), lanes_));
    for (auto [r, column] : llvm::enumerate(columns)) {
      Value left =
          splat(builder_, location_, load(computed_, offset(column, k * bytes_), 1), lanes_);
      for (auto [index, value] : llvm::enumerate(right)) {
        Value &sum = sums[r * right.size() + index];
        sum = multiplyAdd(left, value, sum);
      }
    }
  }

  Value multiplyAdd(Value a, Value b, Value c) {
    if (computed_.isInteger())
      return arith::AddIOp::create(builder_, location_,
                                   arith::MulIOp::create(builder_, location_, a, b), c);
    auto contract =
        arith::FastMathFlagsAttr::get(builder_.getContext(), arith::FastMathFlags::contract);
    Value product = arith::MulFOp::create(builder_, location_, a, b, contract);
    return arith::AddFOp::create(builder_, location_, product, c, contract);
  }

  OpBuilder &builder_;
  Location location_;
  const ProductShape &shape_;
  const StoredPart &stored_;
  const LeftOperand &lhs_;
  Value rhs_, acc_;
  bool isFirst_; ///< the accumulator is zero and need not be read
  Type computed_, accumulated_;
  int64_t n_, k_, bytes_, panel_, lanes_;
};

StoredPart storedPart(OpBuilder &builder, tile::DotOp dot, const ProductShape &shape,
                      ProgramValues &values) {
  StoredPart part;
  const size_t rank = shapeOf(dot.getResult()).size();
  auto wholeBlocks = [&](Value extent, int64_t block, int64_t most) -> Value {
    if (!extent)
      return {};
    Location location = dot.getLoc();
    return arith::MinSIOp::create(builder, location, roundUp(builder, location, extent, block),
                                  integerConstant(builder, location, builder.getI64Type(), most));
  };
  if (shape.m > shape.rows)
    part.rows = wholeBlocks(emitStoredExtent(builder, dot.getResult(), rank - 2, values),
                            shape.rows, shape.m);
  if (shape.n > shape.panel)
    part.columns = wholeBlocks(emitStoredExtent(builder, dot.getResult(), rank - 1, values),
                               shape.panel, shape.n);
  return part;
}

/// True if all elements are +0 or 0.
bool isZero(Value tile) {
  if (auto splat = tile.getDefiningOp<tile::SplatOp>())
    return matchPattern(splat.getSource(), m_PosZeroFloat()) ||
           matchPattern(splat.getSource(), m_Zero());
  return matchPattern(tile, m_PosZeroFloat()) || matchPattern(tile, m_Zero());
}

/// If the tile is [..., H, W] reshaped to [..., H * W], the former; else null.
Value splitColumns(Value tile) {
  auto reshape = tile.getDefiningOp<tile::ReshapeOp>();
  if (!reshape)
    return {};
  ArrayRef<int64_t> from = shapeOf(reshape.getSource()), to = shapeOf(tile);
  const bool isSplit = from.size() == to.size() + 1 && from.drop_back(2) == to.drop_back() &&
                       from[from.size() - 2] * from.back() == to.back();
  return isSplit ? reshape.getSource() : Value();
}

/// Lets a root read its columns in two dimensions, along which more is known about accesses.
void readSplit(OpBuilder &builder, Root &root, Value source) {
  const int64_t width = shapeOf(source).back();
  Location location = source.getLoc();
  Value &extent = root.extents.back();
  if (extent)
    extent =
        arith::DivUIOp::create(builder, location, roundUp(builder, location, extent, width),
                               integerConstant(builder, location, builder.getI64Type(), width));
  root.extents.push_back({});
  root.tile = source;
  root.mergesLast = true;
}

} // namespace

Value ProgramLowering::pack(Value operand, Type element, int64_t panel, ArrayRef<Value> extents,
                            Value address) {
  bool isRowMajor = panel == 0 || panel == shapeOf(operand).back();
  if (Value buffer = values_.bufferOf(operand);
      buffer && isRowMajor && elementOf(operand) == element)
    return buffer;
  Root root{.tile = operand,
            .packedType = element,
            .panel = isRowMajor ? 0 : panel,
            .extents = SmallVector<Value, 3>(extents)};
  if (Value source = values_.bufferOf(operand) ? Value() : splitColumns(operand))
    readSplit(builder_, root, source);
  SmallVector<Root> roots;
  if (failed(addSharedValues(root.tile, roots)))
    return {};
  // Where the tile itself is kept too, it is read from there.
  if (!roots.empty()) {
    emitNest(builder_, operand.getLoc(), values_, roots, options_);
    bindShared(roots);
    if (values_.bufferOf(operand) && !address)
      return pack(operand, element, panel, extents);
  }
  root.buffer = address ? address : allocatePacked(operand, element);
  emitNest(builder_, operand.getLoc(), values_, root, options_);
  return root.buffer;
}

Value ProgramLowering::allocatePacked(Value operand, Type element) {
  auto type = cast<RankedTensorType>(operand.getType());
  return allocateBytes(operand.getLoc(), type.getNumElements() * memoryBytesOf(element));
}

FailureOr<Value> ProgramLowering::packUnlessPlain(Value operand, Value arePlain,
                                                  ArrayRef<Value> extents) {
  Type element = elementOf(operand);
  Value address = allocatePacked(operand, element);
  Location location = operand.getLoc();
  Value otherwise = arith::XOrIOp::create(
      builder_, location, arePlain, integerConstant(builder_, location, builder_.getI1Type(), 1));
  auto branch = scf::IfOp::create(builder_, location, otherwise, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(&branch.getThenRegion().front());
  // What else is copied on this way is not there on the other.
  ProgramValues::Buffers outside = values_.buffers();
  scopes_.emplace_back();
  Value packed = pack(operand, element, 0, extents, address);
  for (const std::unique_ptr<Memory> &memory : scopes_.back())
    releaseMemory(*memory);
  scopes_.pop_back();
  values_.restoreBuffers(std::move(outside));
  return packed ? FailureOr<Value>(packed) : FailureOr<Value>(failure());
}

FailureOr<LeftOperand> ProgramLowering::leftOperand(Value operand, const ProductShape &shape,
                                                    Value numRows, ArrayRef<Value> extents) {
  Location location = operand.getLoc();
  Value pitch = integerConstant(builder_, location, builder_.getI64Type(), shape.k * shape.bytes);
  auto load = operand.getDefiningOp<tile::LoadOp>();
  std::optional<PlainRows> plain;
  // Of few rows each is read once only.
  if (load && !values_.bufferOf(operand) && elementOf(operand) == shape.computed &&
      shape.m >= shape.rows && shape.m > 1)
    plain = emitPlainRows(builder_, load, numRows, values_);
  if (!plain) {
    Value packed = pack(operand, shape.computed, 0, extents);
    if (!packed)
      return failure();
    return LeftOperand{packed, pitch};
  }
  FailureOr<Value> packed = packUnlessPlain(operand, plain->arePlain, extents);
  if (failed(packed))
    return failure();
  auto select = [&](Value direct, Value other) -> Value {
    return arith::SelectOp::create(builder_, location, plain->arePlain, direct, other);
  };
  return LeftOperand{select(plain->address, *packed), select(plain->pitch, pitch)};
}

LogicalResult ProgramLowering::lowerDot(tile::DotOp dot) {
  if (failed(flush()))
    return failure();
  emitted_.insert(dot);
  const ProductShape shape(dot, options_);
  const StoredPart stored = storedPart(builder_, dot, shape, values_);
  SmallVector<Value, 3> lhsExtents(shapeOf(dot.getLhs()).size()), rhsExtents(lhsExtents);
  lhsExtents[lhsExtents.size() - 2] = stored.rows;
  rhsExtents.back() = stored.columns;
  Value numRows = stored.rows
                      ? stored.rows
                      : integerConstant(builder_, dot.getLoc(), builder_.getI64Type(), shape.m);
  FailureOr<LeftOperand> lhs = leftOperand(dot.getLhs(), shape, numRows, lhsExtents);
  if (failed(lhs))
    return failure();
  Value rhs = pack(dot.getRhs(), shape.computed, shape.panel, rhsExtents);
  if (!rhs)
    return failure();
  bool isFirst = isZero(dot.getAcc());
  Value acc;
  if (isFirst) {
    acc = allocate(dot.getResult());
  } else {
    DenseMap<Value, bool> known;
    if (failed(keep(dot.getAcc())))
      return failure();
    if (canTake(dot.getAcc(), known)) {
      acc = values_.bufferOf(dot.getAcc());
    } else {
      acc = allocate(dot.getResult());
      if (acc)
        writeTiles(dot.getAcc(), acc);
    }
  }
  if (!acc)
    return failure();
  ProductBuilder(builder_, dot, shape, stored, *lhs, rhs, acc, isFirst).emit();
  bindTile(dot.getResult(), acc, scopes_.size());
  return success();
}

} // namespace inlay::tile_to_cpu
