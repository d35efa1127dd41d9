// What AxisInfo says of a kernel's tiles, in two ways: the facts expected of one tile, and every
// fact compared with the elements' values over all programs and arguments of a list.
#include "compiler/transforms/tile/AxisInfo.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/TypeSwitch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

using namespace mlir;

namespace inlay::tile {
namespace {

constexpr int64_t kAnything = int64_t{1} << 30;

class Kernel {
public:
  /// A kernel of these operations with arguments %p (pointer to f32, aligned to 16 bytes), %n (i32,
  /// multiple of 16), %m (i32) and %bytes (pointer to i8).
  explicit Kernel(const std::string &body) {
    context_.loadDialect<TileDialect, arith::ArithDialect, func::FuncDialect, scf::SCFDialect>();
    module_ = parseSourceString<ModuleOp>(
        "func.func @kernel(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, "
        "%n: i32 {tile.divisibility = 16 : i64}, %m: i32, %bytes: !tile.ptr<i8>) "
        "attributes {tile.kernel} {\n" +
            body + "\n  return\n}",
        &context_);
    EXPECT_TRUE(module_) << body;
  }

  Block &body() { return (*module_->getOps<func::FuncOp>().begin()).getBody().front(); }
  Value last() { return std::prev(body().end(), 2)->getResult(0); }

private:
  MLIRContext context_;
  OwningOpRef<ModuleOp> module_;
};

std::string text(const AxisInfo &info) {
  std::string result;
  auto list = [&](const char *name, ArrayRef<int64_t> values) {
    result += std::string(result.empty() ? "" : " ") + name;
    for (int64_t value : values)
      result += value == kAnything ? " any" : " " + std::to_string(value);
  };
  list("contiguity", info.contiguity);
  list("divisibility", info.divisibility);
  list("constancy", info.constancy);
  if (info.constant)
    result += " constant " + std::to_string(*info.constant);
  return result;
}

/// The facts about the last value of a kernel.
std::string factsOf(const std::string &body) {
  Kernel kernel(body);
  AxisAnalysis analysis;
  return text(analysis.get(kernel.last()));
}

/// Integer arithmetic on the elements of tiles, as the target does it.
class Evaluator {
public:
  Evaluator(Kernel &kernel, int64_t program, std::vector<int64_t> arguments) : program_(program) {
    for (auto [argument, value] : llvm::zip(kernel.body().getArguments(), arguments))
      values_[argument] = {value};
    for (Operation &op : kernel.body().without_terminator())
      values_[op.getResult(0)] = evaluate(&op);
  }

  /// Elements in row-major order; null for values that depend on something undefined.
  const std::vector<std::optional<int64_t>> &get(Value value) { return values_[value]; }

private:
  using Elements = std::vector<std::optional<int64_t>>;

  static unsigned widthOf(Type type) {
    Type element = elementTypeOf(type);
    return isa<PointerType>(element) ? 64 : element.getIntOrFloatBitWidth();
  }
  static int64_t wrapped(int64_t value, unsigned width) {
    return width == 64
               ? value
               : static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - width)) >> (64 - width);
  }
  static uint64_t unsignedOf(int64_t value, unsigned width) {
    return width == 64 ? static_cast<uint64_t>(value)
                       : static_cast<uint64_t>(value) & ((uint64_t{1} << width) - 1);
  }
  static ArrayRef<int64_t> shapeOf(Value value) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor ? tensor.getShape() : ArrayRef<int64_t>();
  }
  static int64_t countOf(Value value) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor ? tensor.getNumElements() : 1;
  }

  /// The operand's element for each of the result's, given how coordinates map.
  Elements gathered(Operation *op, llvm::function_ref<void(SmallVectorImpl<int64_t> &)> toOperand) {
    Value result = op->getResult(0), source = op->getOperand(0);
    Elements elements;
    for (int64_t i = 0; i < countOf(result); ++i) {
      SmallVector<int64_t> at(shapeOf(result).size());
      int64_t rest = i;
      for (size_t d = at.size(); d-- > 0; rest /= shapeOf(result)[d])
        at[d] = rest % shapeOf(result)[d];
      toOperand(at);
      int64_t index = 0;
      for (auto [size, coordinate] : llvm::zip_equal(shapeOf(source), at))
        index = index * size + coordinate;
      elements.push_back(values_[source][static_cast<size_t>(index)]);
    }
    return elements;
  }

  Elements evaluate(Operation *op) {
    Value result = op->getResult(0);
    const size_t count = static_cast<size_t>(countOf(result));
    APInt constant;
    if (matchPattern(op, m_ConstantInt(&constant)))
      return Elements(count, constant.getSExtValue());
    if (auto arange = dyn_cast<ArangeOp>(op)) {
      Elements elements;
      for (size_t i = 0; i < count; ++i)
        elements.push_back(static_cast<int32_t>(arange.getStart()) + static_cast<int64_t>(i));
      return elements;
    }
    if (isa<ProgramIdOp>(op))
      return {program_};
    if (isa<SplatOp>(op))
      return Elements(count, values_[op->getOperand(0)].front());
    if (auto expand = dyn_cast<ExpandDimsOp>(op))
      return gathered(op, [&](auto &at) { at.erase(at.begin() + expand.getAxis()); });
    if (isa<BroadcastOp>(op))
      return gathered(op, [&](auto &at) {
        for (auto [size, coordinate] : llvm::zip_equal(shapeOf(op->getOperand(0)), at))
          coordinate = size == 1 ? 0 : coordinate;
      });
    if (auto trans = dyn_cast<TransOp>(op))
      return gathered(op, [&](auto &at) {
        SmallVector<int64_t> from(at.size());
        for (auto [i, dimension] : llvm::enumerate(trans.getOrder()))
          from[static_cast<size_t>(dimension)] = at[i];
        at.assign(from.begin(), from.end());
      });
    Elements elements;
    for (size_t i = 0; i < count; ++i) {
      SmallVector<int64_t> operands;
      bool isDefined = true;
      for (Value operand : op->getOperands()) {
        const Elements &from = values_[operand];
        std::optional<int64_t> element = from[from.size() == 1 ? 0 : i];
        isDefined &= element.has_value();
        operands.push_back(element.value_or(0));
      }
      std::optional<int64_t> value;
      if (isDefined)
        value = element(op, operands);
      const unsigned width = widthOf(result.getType());
      // The analysis takes for granted that indices do not overflow.
      if (value && width >= 32 &&
          isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::ShLIOp>(op) &&
          *value != wrapped(*value, width))
        value = std::nullopt;
      elements.push_back(value ? std::optional(wrapped(*value, width)) : value);
    }
    return elements;
  }

  std::optional<int64_t> element(Operation *op, ArrayRef<int64_t> v) {
    const unsigned width = widthOf(op->getOperand(0).getType());
    auto unsignedAt = [&](unsigned i) { return unsignedOf(v[i], width); };
    const bool divides = isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op);
    if (divides && (v[1] == 0 || v[1] == -1))
      return std::nullopt;
    const bool shifts = isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op);
    if (shifts && unsignedAt(1) >= width)
      return std::nullopt;
    return llvm::TypeSwitch<Operation *, std::optional<int64_t>>(op)
        .Case([&](arith::AddIOp) { return v[0] + v[1]; })
        .Case([&](arith::SubIOp) { return v[0] - v[1]; })
        .Case([&](arith::MulIOp) {
          return static_cast<int64_t>(static_cast<uint64_t>(v[0]) * static_cast<uint64_t>(v[1]));
        })
        .Case([&](arith::DivSIOp) { return v[0] / v[1]; })
        .Case([&](arith::RemSIOp) { return v[0] % v[1]; })
        .Case([&](arith::DivUIOp) { return static_cast<int64_t>(unsignedAt(0) / unsignedAt(1)); })
        .Case([&](arith::RemUIOp) { return static_cast<int64_t>(unsignedAt(0) % unsignedAt(1)); })
        .Case([&](arith::ShLIOp) { return v[0] * (int64_t{1} << v[1]); })
        .Case([&](arith::ShRSIOp) { return v[0] >> v[1]; })
        .Case([&](arith::ShRUIOp) { return static_cast<int64_t>(unsignedAt(0) >> v[1]); })
        .Case([&](arith::MinSIOp) { return std::min(v[0], v[1]); })
        .Case([&](arith::MaxSIOp) { return std::max(v[0], v[1]); })
        .Case([&](arith::MinUIOp) { return unsignedAt(0) < unsignedAt(1) ? v[0] : v[1]; })
        .Case([&](arith::MaxUIOp) { return unsignedAt(0) < unsignedAt(1) ? v[1] : v[0]; })
        .Case([&](arith::AndIOp) { return v[0] & v[1]; })
        .Case([&](arith::OrIOp) { return v[0] | v[1]; })
        .Case([&](arith::ExtSIOp) { return v[0]; })
        .Case([&](arith::TruncIOp) { return v[0]; })
        .Case([&](arith::ExtUIOp) { return static_cast<int64_t>(unsignedAt(0)); })
        .Case([&](arith::SelectOp) { return v[0] ? v[1] : v[2]; })
        .Case([&](arith::CmpIOp cmp) {
          return static_cast<int64_t>(arith::applyCmpPredicate(
              cmp.getPredicate(), APInt(width, unsignedAt(0)), APInt(width, unsignedAt(1))));
        })
        .Case([&](AddPtrOp add) {
          return v[0] + v[1] * (elementTypeOf(add.getPtr().getType()) ==
                                        PointerType::get(Float32Type::get(op->getContext()))
                                    ? 4
                                    : 1);
        })
        .Case([&](PtrCastOp) { return v[0]; });
  }

  int64_t program_;
  llvm::DenseMap<Value, Elements> values_;
};

/// Compares what is said of a value with its elements.
std::string firstLie(Value value, const AxisInfo &info, ArrayRef<std::optional<int64_t>> elements) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape =
      tensor ? SmallVector<int64_t>(tensor.getShape()) : SmallVector<int64_t>{1};
  Type element = elementTypeOf(value.getType());
  int64_t unit = 1;
  if (auto pointer = dyn_cast<PointerType>(element))
    unit = pointer.getElementType().getIntOrFloatBitWidth() / 8;
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0; stride *= shape[d])
    for (size_t i = 0; i < elements.size(); ++i) {
      const int64_t at = static_cast<int64_t>(i) / stride % shape[d];
      auto fromFirst = [&](int64_t group) { return at % std::min(group, shape[d]); };
      auto first = [&](int64_t group) {
        return elements[i - static_cast<size_t>(fromFirst(group) * stride)];
      };
      auto lie = [&](const std::string &what) {
        return what + " along dimension " + std::to_string(d) + " is wrong at element " +
               std::to_string(i) + ", " + std::to_string(*elements[i]);
      };
      if (!elements[i])
        continue;
      if (info.constant && elements[i] != info.constant)
        return lie("constant");
      if (first(info.constancy[d]) && elements[i] != first(info.constancy[d]))
        return lie("constancy");
      const auto start = first(info.contiguity[d]);
      if (start && *elements[i] != *start + unit * fromFirst(info.contiguity[d]))
        return lie("contiguity");
      if (start && *start % info.divisibility[d] != 0)
        return lie("divisibility");
    }
  return "";
}

/// Checks every value of a kernel for a few programs and arguments.
void expectTrue(const std::string &body) {
  Kernel kernel(body);
  AxisAnalysis analysis;
  for (int64_t program : {0, 3})
    for (int64_t n : {48, 0, -32})
      for (int64_t m : {1, 3, 12, -8}) {
        Evaluator evaluator(kernel, program, {48, n, m, 7});
        for (Operation &op : kernel.body().without_terminator()) {
          const AxisInfo info = analysis.get(op.getResult(0));
          const std::string lie = firstLie(op.getResult(0), info, evaluator.get(op.getResult(0)));
          if (lie.empty())
            continue;
          std::string operation;
          llvm::raw_string_ostream stream(operation);
          op.print(stream);
          FAIL() << lie << ":\n"
                 << operation << "\nis said to have " << text(info) << "\nfor program " << program
                 << ", n " << n << ", m " << m << ", in\n"
                 << body;
        }
      }
}

/// A 1-D kernel: every line is OP of tiles of 64 i32; %r is arange(0, 64), %pid the program, %ns
/// and %ms splats of %n and %m, %cK a splat of K.
std::string prelude() {
  std::string result = R"(
    %pid = tile.program_id 0 : i32
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %low = tile.arange -32 to 32 : tensor<64xi32>
    %odd = tile.arange 1 to 65 : tensor<64xi32>
    %ids = tile.splat %pid : i32 -> tensor<64xi32>
    %ns = tile.splat %n : i32 -> tensor<64xi32>
    %ms = tile.splat %m : i32 -> tensor<64xi32>
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
)";
  for (int value : {0, 1, 2, 4, 12, 16, 64, -4})
    result += "    %" + std::string(value < 0 ? "neg" : "c") + std::to_string(std::abs(value)) +
              " = arith.constant dense<" + std::to_string(value) + "> : tensor<64xi32>\n";
  return result;
}

std::string binary(const std::string &name, const std::string &op, const std::string &a,
                   const std::string &b) {
  const bool isComparison = op.starts_with("arith.cmpi");
  return "    %" + name + " = " + op + (isComparison ? ", " : " ") + a + ", " + b +
         " : tensor<64xi32>\n";
}

TEST(AxisInfo, OfSources) {
  EXPECT_EQ(factsOf("%r = tile.arange 0 to 64 : tensor<64xi32>"),
            "contiguity 64 divisibility any constancy 1");
  EXPECT_EQ(factsOf("%r = tile.arange 8 to 72 : tensor<64xi32>"),
            "contiguity 64 divisibility 8 constancy 1");
  EXPECT_EQ(factsOf("%r = tile.arange -4 to 4 : tensor<8xi32>"),
            "contiguity 8 divisibility 4 constancy 1");
  EXPECT_EQ(factsOf("%r = tile.arange 0 to 1 : tensor<1xi32>"),
            "contiguity 1 divisibility any constancy 1");
  EXPECT_EQ(factsOf("%s = tile.splat %n : i32 -> tensor<64xi32>"),
            "contiguity 1 divisibility 16 constancy 64");
  EXPECT_EQ(factsOf("%s = tile.splat %m : i32 -> tensor<4x8xi32>"),
            "contiguity 1 1 divisibility 1 1 constancy 4 8");
  EXPECT_EQ(factsOf("%c = arith.constant dense<24> : tensor<64xi32>"),
            "contiguity 1 divisibility 8 constancy 64 constant 24");
  EXPECT_EQ(factsOf("%c = arith.constant dense<[1, 2]> : tensor<2xi32>"),
            "contiguity 1 divisibility 1 constancy 1");
  EXPECT_EQ(factsOf("%i = tile.program_id 0 : i32"), "contiguity 1 divisibility 1 constancy 1");
}

TEST(AxisInfo, OfTheSmallestNumberIsAPowerOfTwo) {
  EXPECT_EQ(factsOf("%c = arith.constant dense<-9223372036854775808> : tensor<64xi64>"),
            "contiguity 1 divisibility any constancy 64 constant -9223372036854775808");
}

TEST(AxisInfo, OfTheUsualOffsets) {
  const std::string offsets = prelude() + binary("start", "arith.muli", "%ids", "%c64") +
                              binary("offs", "arith.addi", "%start", "%r");
  EXPECT_EQ(factsOf(offsets), "contiguity 64 divisibility 64 constancy 1");
  EXPECT_EQ(
      factsOf(offsets + "%a = tile.addptr %ps, %offs : tensor<64x!tile.ptr<f32>>, tensor<64xi32>"),
      "contiguity 64 divisibility 16 constancy 1");
  // n is a multiple of 16: no group of 16 is cut.
  EXPECT_EQ(factsOf(offsets + binary("mask", "arith.cmpi slt", "%offs", "%ns")),
            "contiguity 1 divisibility 1 constancy 16");
  EXPECT_EQ(factsOf(offsets + binary("mask", "arith.cmpi slt", "%offs", "%ms")),
            "contiguity 1 divisibility 1 constancy 1");
}

TEST(AxisInfo, OfComparisonsDependsOnTheSide) {
  for (const char *predicate : {"slt", "ult", "sge", "uge"}) {
    EXPECT_EQ(
        factsOf(prelude() + binary("x", std::string("arith.cmpi ") + predicate, "%r", "%c16")),
        "contiguity 1 divisibility 1 constancy 16");
    EXPECT_EQ(
        factsOf(prelude() + binary("x", std::string("arith.cmpi ") + predicate, "%c16", "%r")),
        "contiguity 1 divisibility 1 constancy 1");
  }
  for (const char *predicate : {"sgt", "ugt", "sle", "ule"}) {
    EXPECT_EQ(
        factsOf(prelude() + binary("x", std::string("arith.cmpi ") + predicate, "%c16", "%r")),
        "contiguity 1 divisibility 1 constancy 16");
    EXPECT_EQ(
        factsOf(prelude() + binary("x", std::string("arith.cmpi ") + predicate, "%r", "%c16")),
        "contiguity 1 divisibility 1 constancy 1");
  }
}

TEST(AxisInfo, OfMasksThatAreCombined) {
  EXPECT_EQ(factsOf(prelude() + binary("a", "arith.cmpi slt", "%r", "%c16") +
                    binary("b", "arith.cmpi sge", "%r", "%c4") +
                    "%ab = arith.andi %a, %b : tensor<64xi1>"),
            "contiguity 1 divisibility 1 constancy 4");
}

TEST(AxisInfo, OfQuotientsAndRemainders) {
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.divsi", "%r", "%c16")),
            "contiguity 1 divisibility 1 constancy 16");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.divsi", "%r", "%c12")),
            "contiguity 1 divisibility 1 constancy 4");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.remsi", "%r", "%c16")),
            "contiguity 16 divisibility 16 constancy 1");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.remsi", "%r", "%c12")),
            "contiguity 4 divisibility 4 constancy 1");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.remsi", "%odd", "%c16")),
            "contiguity 1 divisibility 1 constancy 1");
  const std::string offsets = prelude() + binary("start", "arith.muli", "%ids", "%c64") +
                              binary("offs", "arith.addi", "%start", "%r");
  EXPECT_EQ(factsOf(offsets + binary("q", "arith.divsi", "%offs", "%c16")),
            "contiguity 1 divisibility 1 constancy 16");
  EXPECT_EQ(factsOf(offsets + binary("q", "arith.remsi", "%offs", "%ns")),
            "contiguity 16 divisibility 16 constancy 1");
}

TEST(AxisInfo, OfNegativeDividendsIsNothing) {
  // Division rounds to zero: -4 … 3 divided by 4 is -1, 0, 0, 0, 0, 0, 0, 0.
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.divsi", "%low", "%c4")),
            "contiguity 1 divisibility 1 constancy 1");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.remsi", "%low", "%c4")),
            "contiguity 1 divisibility 1 constancy 1");
  EXPECT_EQ(factsOf(prelude() + binary("s", "arith.subi", "%r", "%c4") +
                    binary("q", "arith.divsi", "%s", "%c4")),
            "contiguity 1 divisibility 1 constancy 1");
  // Shifts round down, unsigned division knows no negative numbers.
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.shrsi", "%low", "%c2")),
            "contiguity 1 divisibility 1 constancy 4");
  EXPECT_EQ(factsOf(prelude() + binary("q", "arith.divui", "%low", "%c4")),
            "contiguity 1 divisibility 1 constancy 4");
}

TEST(AxisInfo, OfQuotientsByNegativeDivisors) {
  // Program ids divided by -4 are no longer ≥ 0: from -192 on, division by 16 rounds up.
  const std::string rows = prelude() + binary("ids4", "arith.muli", "%ids", "%c4");
  const std::string offsets = binary("start", "arith.muli", "%row", "%c64") +
                              binary("offs", "arith.addi", "%start", "%r") +
                              binary("q", "arith.divsi", "%offs", "%c16");
  const std::string nothing = "contiguity 1 divisibility 1 constancy 1";
  const std::string written = rows + binary("row", "arith.divsi", "%ids4", "%neg4") + offsets;
  EXPECT_EQ(factsOf(written), nothing);
  expectTrue(written);
  const std::string computed = rows + binary("minus4", "arith.subi", "%c0", "%c4") +
                               binary("row", "arith.divsi", "%ids4", "%minus4") + offsets;
  EXPECT_EQ(factsOf(computed), nothing);
  expectTrue(computed);
  EXPECT_EQ(factsOf(rows + binary("row", "arith.divsi", "%ids4", "%c4") + offsets),
            "contiguity 1 divisibility 1 constancy 16");
}

TEST(AxisInfo, OfArithmeticThatWrapsAround) {
  // 64 bytes from 96 on: 96 … 127, -128 … -97.
  EXPECT_EQ(
      factsOf(
          prelude() +
          "%c = arith.constant dense<96> : tensor<64xi8>\n%t = arith.trunci %r : tensor<64xi32> to "
          "tensor<64xi8>\n%s = arith.addi %t, %c : tensor<64xi8>"),
      "contiguity 32 divisibility 32 constancy 1");
  EXPECT_EQ(factsOf("%r = tile.arange 0 to 1024 : tensor<1024xi32>\n%t = arith.trunci %r : "
                    "tensor<1024xi32> to tensor<1024xi8>"),
            "contiguity 128 divisibility 128 constancy 1");
  EXPECT_EQ(factsOf("%r = tile.arange 1 to 1025 : tensor<1024xi32>\n%t = arith.trunci %r : "
                    "tensor<1024xi32> to tensor<1024xi8>"),
            "contiguity 1 divisibility 1 constancy 1");
  // 65536 * 65536 is 0 in 32 bits.
  EXPECT_EQ(factsOf("%c = arith.constant dense<65536> : tensor<64xi32>\n%s = arith.muli %c, %c : "
                    "tensor<64xi32>"),
            "contiguity 1 divisibility any constancy 64 constant 0");
  EXPECT_EQ(factsOf("%c = arith.constant dense<4611686018427387904> : tensor<64xi64>\n%s = "
                    "arith.muli %c, %c : tensor<64xi64>"),
            "contiguity 1 divisibility any constancy 64 constant 0");
  EXPECT_EQ(factsOf("%c = arith.constant dense<true> : tensor<64xi1>\n%s = arith.extui %c : "
                    "tensor<64xi1> to tensor<64xi32>"),
            "contiguity 1 divisibility 1 constancy 64 constant 1");
  EXPECT_EQ(factsOf("%c = arith.constant dense<256> : tensor<64xi32>\n%s = arith.trunci %c : "
                    "tensor<64xi32> to tensor<64xi8>"),
            "contiguity 1 divisibility 256 constancy 64 constant 0");
}

TEST(AxisInfo, OfTwoDimensions) {
  const std::string rowsAndColumns = R"(
    %r = tile.arange 0 to 16 : tensor<16xi32>
    %c = tile.arange 0 to 32 : tensor<32xi32>
    %rows = tile.expand_dims %r, 1 : tensor<16xi32> -> tensor<16x1xi32>
    %columns = tile.expand_dims %c, 0 : tensor<32xi32> -> tensor<1x32xi32>
    %stride = tile.splat %n : i32 -> tensor<16x1xi32>
    %starts = arith.muli %rows, %stride : tensor<16x1xi32>
    %a = tile.broadcast %starts : tensor<16x1xi32> -> tensor<16x32xi32>
    %b = tile.broadcast %columns : tensor<1x32xi32> -> tensor<16x32xi32>
    %offs = arith.addi %a, %b : tensor<16x32xi32>
)";
  EXPECT_EQ(factsOf(rowsAndColumns), "contiguity 1 32 divisibility 1 16 constancy 1 1");
  EXPECT_EQ(factsOf(rowsAndColumns +
                    "%t = tile.trans %offs, [1, 0] : tensor<16x32xi32> -> tensor<32x16xi32>"),
            "contiguity 32 1 divisibility 16 1 constancy 1 1");
  // The rows' starts may be computed before they get a second dimension.
  EXPECT_EQ(factsOf(R"(
    %r = tile.arange 0 to 16 : tensor<16xi32>
    %stride = tile.splat %n : i32 -> tensor<16xi32>
    %starts = arith.muli %r, %stride : tensor<16xi32>
    %rows = tile.expand_dims %starts, 1 : tensor<16xi32> -> tensor<16x1xi32>)"),
            "contiguity 1 1 divisibility 16 16 constancy 1 1");
  expectTrue(rowsAndColumns + R"(
    %t = tile.trans %offs, [1, 0] : tensor<16x32xi32> -> tensor<32x16xi32>
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<32x16x!tile.ptr<f32>>
    %x = tile.addptr %ps, %t : tensor<32x16x!tile.ptr<f32>>, tensor<32x16xi32>)");
}

TEST(AxisInfo, OfPointers) {
  const std::string pointers =
      prelude() + "%a = tile.addptr %ps, %r : tensor<64x!tile.ptr<f32>>, tensor<64xi32>\n";
  EXPECT_EQ(factsOf(pointers), "contiguity 64 divisibility 16 constancy 1");
  // As bytes the addresses are four apart.
  const std::string bytes =
      pointers + "%b = tile.ptr_cast %a : tensor<64x!tile.ptr<f32>> -> tensor<64x!tile.ptr<i8>>\n";
  EXPECT_EQ(factsOf(bytes), "contiguity 1 divisibility 4 constancy 1");
  expectTrue(bytes);
  EXPECT_EQ(factsOf(prelude() +
                    "%a = tile.addptr %ps, %odd : tensor<64x!tile.ptr<f32>>, tensor<64xi32>\n"),
            "contiguity 64 divisibility 4 constancy 1");
  EXPECT_EQ(factsOf("%s = tile.splat %bytes : !tile.ptr<i8> -> tensor<64x!tile.ptr<i8>>"),
            "contiguity 1 divisibility 1 constancy 64");
}

TEST(AxisInfo, OfLoadsKeepsWhatIsEqual) {
  EXPECT_EQ(factsOf(prelude() + "%v = tile.load %ps : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>"),
            "contiguity 1 divisibility 1 constancy 64");
  EXPECT_EQ(factsOf(prelude() + binary("mask", "arith.cmpi slt", "%r", "%c16") +
                    "%v = tile.load %ps mask %mask : tensor<64x!tile.ptr<f32>> mask tensor<64xi1> "
                    "-> tensor<64xf32>"),
            "contiguity 1 divisibility 1 constancy 16");
}

TEST(AxisInfo, TakesTheUsersWord) {
  EXPECT_EQ(
      factsOf("%s = tile.splat %m {tile.divisibility = array<i64: 32>} : i32 -> tensor<64xi32>"),
      "contiguity 1 divisibility 32 constancy 64");
  EXPECT_EQ(
      factsOf(prelude() +
              "%x = arith.remsi %r, %ms {tile.contiguity = array<i64: 8>, tile.divisibility = "
              "array<i64: 8>} : tensor<64xi32>"),
      "contiguity 8 divisibility 8 constancy 1");
  EXPECT_EQ(
      factsOf(prelude() +
              "%x = arith.cmpi slt, %r, %ms {tile.constancy = array<i64: 4>} : tensor<64xi32>"),
      "contiguity 1 divisibility 1 constancy 4");
}

TEST(AxisInfo, OfLoopsKeepsWhatEveryRoundKeeps) {
  Kernel kernel(R"(
    %c0 = arith.constant 0 : i32
    %c16 = arith.constant 16 : i32
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %a = tile.addptr %ps, %r : tensor<64x!tile.ptr<f32>>, tensor<64xi32>
    %steps = tile.splat %c16 : i32 -> tensor<64xi32>
    %x:4 = scf.for %i = %c0 to %n step %c16
        iter_args(%same = %r, %pointers = %a, %count = %c0, %odd = %r)
        -> (tensor<64xi32>, tensor<64x!tile.ptr<f32>>, i32, tensor<64xi32>) : i32 {
      %next = tile.addptr %pointers, %steps : tensor<64x!tile.ptr<f32>>, tensor<64xi32>
      %more = arith.addi %count, %i : i32
      %ms = tile.splat %m : i32 -> tensor<64xi32>
      %other = arith.addi %odd, %ms : tensor<64xi32>
      scf.yield %same, %next, %more, %other : tensor<64xi32>, tensor<64x!tile.ptr<f32>>, i32, tensor<64xi32>
    })");
  AxisAnalysis analysis;
  auto loop = cast<scf::ForOp>(*std::prev(kernel.body().end(), 2));
  EXPECT_EQ(text(analysis.get(loop.getInductionVar())), "contiguity 1 divisibility 16 constancy 1");
  const char *facts[] = {
      "contiguity 64 divisibility any constancy 1", "contiguity 64 divisibility 16 constancy 1",
      "contiguity 1 divisibility 16 constancy 1", "contiguity 64 divisibility 1 constancy 1"};
  for (unsigned i = 0; i < 4; ++i) {
    EXPECT_EQ(text(analysis.get(loop.getRegionIterArg(i))), facts[i]) << i;
    EXPECT_EQ(text(analysis.get(loop.getResult(i))), facts[i]) << i;
  }
}

/// What the inner loop finds out about the outer's values is found again once they are known
/// better.
TEST(AxisInfo, OfNestedLoops) {
  Kernel kernel(R"(
    %c0 = arith.constant 0 : i32
    %c8 = arith.constant 8 : i32
    %c6 = arith.constant 6 : i32
    %x = scf.for %i = %c0 to %n step %c8 iter_args(%a = %c0) -> (i32) : i32 {
      %y = scf.for %j = %c0 to %n step %c8 iter_args(%b = %a) -> (i32) : i32 {
        %next = arith.addi %b, %c8 : i32
        scf.yield %next : i32
      }
      %z = arith.addi %y, %c6 : i32
      scf.yield %z : i32
    })");
  AxisAnalysis analysis;
  auto outer = cast<scf::ForOp>(*std::prev(kernel.body().end(), 2));
  auto inner = cast<scf::ForOp>(outer.getBody()->front());
  EXPECT_EQ(text(analysis.get(inner.getRegionIterArg(0))),
            "contiguity 1 divisibility 2 constancy 1");
  EXPECT_EQ(text(analysis.get(outer.getResult(0))), "contiguity 1 divisibility 2 constancy 1");
  EXPECT_TRUE(analysis.get(outer.getResult(0)).isNonNegative);
}

TEST(AxisInfo, OfWhileLoopsAndBranches) {
  Kernel kernel(R"(
    %c0 = arith.constant 0 : i32
    %c4 = arith.constant 4 : i32
    %c12 = arith.constant 12 : i32
    %x = scf.while (%a = %c0) : (i32) -> i32 {
      %more = arith.cmpi slt, %a, %n : i32
      scf.condition(%more) %a : i32
    } do {
    ^bb0(%b: i32):
      %if = arith.cmpi slt, %b, %m : i32
      %step = scf.if %if -> (i32) {
        scf.yield %c4 : i32
      } else {
        scf.yield %c12 : i32
      }
      %next = arith.addi %b, %step : i32
      scf.yield %next : i32
    })");
  AxisAnalysis analysis;
  EXPECT_EQ(text(analysis.get(kernel.last())), "contiguity 1 divisibility 4 constancy 1");
}

const std::vector<std::string> kOperations = {
    "arith.addi",     "arith.subi",     "arith.muli",     "arith.divsi",    "arith.divui",
    "arith.remsi",    "arith.remui",    "arith.shli",     "arith.shrsi",    "arith.shrui",
    "arith.minsi",    "arith.maxsi",    "arith.minui",    "arith.maxui",    "arith.andi",
    "arith.ori",      "arith.cmpi slt", "arith.cmpi sle", "arith.cmpi sgt", "arith.cmpi sge",
    "arith.cmpi ult", "arith.cmpi uge", "arith.cmpi eq"};
const std::vector<std::string> kLeaves = {"%r",  "%low", "%odd", "%ids", "%ns",  "%ms",  "%c0",
                                          "%c1", "%c2",  "%c4",  "%c12", "%c16", "%c64", "%neg4"};

TEST(AxisInfo, IsTrueOfEveryOperation) {
  for (const std::string &op : kOperations)
    for (const std::string &a : kLeaves) {
      std::string body = prelude();
      for (const std::string &b : kLeaves)
        body += binary("x" + b.substr(1), op, a, b);
      expectTrue(body);
    }
}

/// Random operations on earlier results, with selects and casts to and from a byte.
TEST(AxisInfo, IsTrueOfRandomKernels) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    auto choose = [&](const std::vector<std::string> &from) {
      return from[random() % from.size()];
    };
    std::vector<std::string> numbers = kLeaves, masks;
    std::string body = prelude();
    for (int i = 0; i < 12; ++i) {
      const std::string name = "v" + std::to_string(i);
      const std::string a = choose(numbers), b = choose(numbers);
      if (!masks.empty() && random() % 4 == 0) {
        body += "    %" + name + " = arith.select " + choose(masks) + ", " + a + ", " + b +
                " : tensor<64xi1>, tensor<64xi32>\n";
      } else if (random() % 6 == 0) {
        body += "    %n" + name + " = arith.trunci " + a + " : tensor<64xi32> to tensor<64xi8>\n" +
                "    %" + name + " = arith.ext" + (random() % 2 ? "si" : "ui") + " %n" + name +
                " : tensor<64xi8> to tensor<64xi32>\n";
      } else {
        const std::string op = choose(kOperations);
        body += binary(name, op, a, b);
        if (op.starts_with("arith.cmpi")) {
          masks.push_back("%" + name);
          continue;
        }
      }
      numbers.push_back("%" + name);
      if (random() % 4 == 0)
        body += "    %p" + name + " = tile.addptr %ps, %" + name +
                " : tensor<64x!tile.ptr<f32>>, tensor<64xi32>\n";
    }
    expectTrue(body);
    if (HasFatalFailure())
      return;
  }
}

} // namespace
} // namespace inlay::tile
