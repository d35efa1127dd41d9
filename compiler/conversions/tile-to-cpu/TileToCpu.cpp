#include "compiler/conversions/tile-to-cpu/TileToCpu.h"

#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace inlay {

using namespace tile_to_cpu;

namespace {

/// The only kernel of a module, or null after an error.
func::FuncOp findKernel(ModuleOp module) {
  func::FuncOp found;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr(tile::kKernelAttr))
      continue;
    if (found) {
      function.emitError("a module must hold one kernel; '")
          << function.getName() << "' is another";
      return {};
    }
    found = function;
  }
  if (!found)
    module.emitError("the module holds no kernel (func.func with ") << tile::kKernelAttr << ")";
  return found;
}

/// Types the lowering has no arithmetic for, anywhere in the kernel.
LogicalResult verifyTypes(func::FuncOp kernel) {
  auto isSupported = [](Type type) {
    type = tile::elementTypeOf(type);
    if (auto pointer = dyn_cast<tile::PointerType>(type))
      type = pointer.getElementType();
    return isa<Float8E5M2Type, Float8E4M3FNType, Float8E4M3B11FNUZType, Float16Type, BFloat16Type,
               Float32Type, Float64Type, IndexType, tile::PointerType>(type) ||
           (type.isSignlessInteger() &&
            llvm::is_contained({1, 8, 16, 32, 64}, int(type.getIntOrFloatBitWidth())));
  };
  WalkResult result = kernel.walk([&](Operation *op) {
    for (Type type : llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()),
                                        SmallVector<Type>(op->getResultTypes())))
      if (!isSupported(type)) {
        op->emitError("type ") << type << " cannot be compiled for the CPU yet";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Builds the function with the CPU kernel ABI around one program.
class EntryBuilder {
public:
  EntryBuilder(func::FuncOp kernel, const TileToCpuOptions &options)
      : kernel_(kernel), options_(options), builder_(kernel), location_(kernel.getLoc()) {}

  LogicalResult build() {
    Type pointer = LLVM::LLVMPointerType::get(builder_.getContext()),
         i64Type = builder_.getI64Type();
    auto entry =
        func::FuncOp::create(builder_, location_, kernel_.getName(),
                             builder_.getFunctionType({pointer, pointer, i64Type, i64Type}, {}));
    Block *block = entry.addEntryBlock();
    builder_.setInsertionPointToStart(block);
    SmallVector<Value> arguments = loadArguments(block->getArgument(0));
    GridValues grid = loadGrid(block->getArgument(1));
    Value begin = block->getArgument(2), end = block->getArgument(3);
    Value step = integerConstant(builder_, location_, i64Type, 1);
    auto loop =
        scf::ForOp::create(builder_, location_, begin, end, step, firstProgram(grid, begin));
    Block *body = loop.getBody();
    if (body->mightHaveTerminator())
      body->getTerminator()->erase();
    builder_.setInsertionPointToStart(body);
    for (int axis = 0; axis < 3; ++axis)
      grid.programId[axis] = loop.getRegionIterArg(axis);
    if (failed(ProgramLowering(builder_, block, grid, options_).lower(kernel_, arguments)))
      return failure();
    scf::YieldOp::create(builder_, location_, nextProgram(grid));
    builder_.setInsertionPointToEnd(block);
    func::ReturnOp::create(builder_, location_);
    kernel_.erase();
    return success();
  }

private:
  Value loadAt(Value base, unsigned bytes, Type type, unsigned alignment) {
    Value address = addBytes(builder_, location_, base,
                             integerConstant(builder_, location_, builder_.getI64Type(), bytes));
    return LLVM::LoadOp::create(builder_, location_, type, address, alignment);
  }

  SmallVector<Value> loadArguments(Value array) {
    SmallVector<Value> arguments;
    for (auto [index, type] : llvm::enumerate(kernel_.getArgumentTypes())) {
      Value slot = loadAt(array, 8 * index, LLVM::LLVMPointerType::get(builder_.getContext()), 8);
      Value loaded =
          LLVM::LoadOp::create(builder_, location_, memoryTypeOf(type), slot, memoryBytesOf(type));
      arguments.push_back(fromMemory(builder_, location_, loaded, type));
    }
    return arguments;
  }

  GridValues loadGrid(Value array) {
    GridValues grid;
    for (int axis = 0; axis < 3; ++axis)
      grid.numPrograms[axis] = loadAt(array, 4 * axis, builder_.getI32Type(), 4);
    return grid;
  }

  /// x, y, z of a flattened program index. An empty grid has no programs; it must not divide by
  /// zero all the same.
  SmallVector<Value> firstProgram(const GridValues &grid, Value index) {
    Type i64Type = builder_.getI64Type(), i32 = builder_.getI32Type();
    SmallVector<Value> position;
    Value rest = index;
    for (int axis = 0; axis < 2; ++axis) {
      Value extent = arith::ExtUIOp::create(builder_, location_, i64Type, grid.numPrograms[axis]);
      extent = arith::MaxUIOp::create(builder_, location_, extent,
                                      integerConstant(builder_, location_, i64Type, 1));
      Value remainder = arith::RemUIOp::create(builder_, location_, rest, extent);
      position.push_back(arith::TruncIOp::create(builder_, location_, i32, remainder));
      rest = arith::DivUIOp::create(builder_, location_, rest, extent);
    }
    position.push_back(arith::TruncIOp::create(builder_, location_, i32, rest));
    return position;
  }

  /// x, y, z of the program after: x counts up and wraps into y, y into z.
  SmallVector<Value> nextProgram(const GridValues &grid) {
    Type i32 = builder_.getI32Type();
    Value zero = integerConstant(builder_, location_, i32, 0),
          one = integerConstant(builder_, location_, i32, 1);
    SmallVector<Value> position;
    Value carry = integerConstant(builder_, location_, builder_.getI1Type(), 1);
    for (int axis = 0; axis < 3; ++axis) {
      Value next = arith::AddIOp::create(builder_, location_, grid.programId[axis], one);
      Value wraps = arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, next,
                                          grid.numPrograms[axis]);
      Value wrapped = arith::SelectOp::create(builder_, location_, wraps, zero, next);
      position.push_back(
          arith::SelectOp::create(builder_, location_, carry, wrapped, grid.programId[axis]));
      carry = arith::AndIOp::create(builder_, location_, carry, wraps);
    }
    return position;
  }

  func::FuncOp kernel_;
  const TileToCpuOptions &options_;
  OpBuilder builder_;
  Location location_;
};

class TileToCpuPass : public PassWrapper<TileToCpuPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TileToCpuPass)

  TileToCpuPass() = default;
  explicit TileToCpuPass(const TileToCpuOptions &options) {
    vectorBytes_ = options.vectorBytes;
    hasMaskedAccess_ = options.hasMaskedAccess;
  }
  TileToCpuPass(const TileToCpuPass &other) : PassWrapper(other) {
    vectorBytes_ = other.vectorBytes_.getValue();
    hasMaskedAccess_ = other.hasMaskedAccess_.getValue();
  }

  StringRef getArgument() const override { return "inlay-tile-to-cpu"; }
  StringRef getDescription() const override {
    return "Lower a tile kernel to vector loops with the CPU kernel ABI";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, func::FuncDialect,
                    vector::VectorDialect, LLVM::LLVMDialect, tile::TileDialect>();
  }
  void runOnOperation() override {
    TileToCpuOptions options{vectorBytes_, hasMaskedAccess_};
    if (!llvm::is_contained({16u, 32u, 64u}, options.vectorBytes)) {
      getOperation().emitError("vector-bytes must be 16, 32 or 64, not ") << options.vectorBytes;
      return signalPassFailure();
    }
    func::FuncOp kernel = findKernel(getOperation());
    if (!kernel || failed(verifyTypes(kernel)) || failed(EntryBuilder(kernel, options).build()))
      signalPassFailure();
  }

private:
  Option<unsigned> vectorBytes_{*this, "vector-bytes", llvm::cl::desc("Bytes of a vector register"),
                                llvm::cl::init(32)};
  Option<bool> hasMaskedAccess_{*this, "masked-access",
                                llvm::cl::desc("Masked accesses are one instruction"),
                                llvm::cl::init(false)};
};

} // namespace

std::unique_ptr<Pass> createTileToCpuPass(const TileToCpuOptions &options) {
  return std::make_unique<TileToCpuPass>(options);
}

void registerTileToCpuPasses() {
  registerPass(createExpandOperationsForCpuPass);
  registerPass(createScalarizeRecurrencesPass);
  registerPass([] { return createTileToCpuPass(); });
}

} // namespace inlay
