// Operations that move and combine elements, as tile IR, run by the interpreter, against results
// written down here.
#include "tests/reference/TileInterpreter.h"

#include "compiler/dialects/tile/Tile.h"

#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre, testing::HasSubstr;

class TileOperations : public testing::Test {
protected:
  TileOperations() {
    context_.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                         mlir::scf::SCFDialect, mlir::func::FuncDialect>();
  }

  /// Runs one program of `@kernel(%p: ptr of `input`, %o: ptr of `output`)`. `%offs<n>` values are
  /// made by the body itself.
  template <typename In, typename Out>
  Status run(const std::string &input, const std::string &output, const std::string &body,
             std::vector<In> &in, std::vector<Out> &out, std::string *printed = nullptr) {
    std::string text = "func.func @kernel(%p: !tile.ptr<" + input + ">, %o: !tile.ptr<" + output +
                       ">) attributes {tile.kernel} {\n" + body + "\n  return\n}\n";
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context_);
    if (!module)
      return Status(StatusCode::InvalidArgument, "does not parse");
    In *inAddress = in.data();
    Out *outAddress = out.data();
    const void *arguments[] = {&inAddress, &outAddress};
    MemoryRange memory[] = {{in.data(), in.size() * sizeof(In)},
                            {out.data(), out.size() * sizeof(Out)}};
    return interpretTileKernel(*module, arguments, {1, 1, 1}, memory, printed);
  }

  mlir::MLIRContext context_;
};

/// IR that loads `%p + 0 … n-1` as `%x` of a shape, for the element type.
std::string load(const std::string &element, const std::string &shape, int count) {
  std::string n = std::to_string(count);
  return R"(
    %range = tile.arange 0 to )" +
         n + " : tensor<" + n + R"(xi32>
    %ps = tile.splat %p : !tile.ptr<)" +
         element + "> -> tensor<" + n + "x!tile.ptr<" + element + R"(>>
    %pp = tile.addptr %ps, %range : tensor<)" +
         n + "x!tile.ptr<" + element + ">>, tensor<" + n + R"(xi32>
    %flat = tile.load %pp : tensor<)" +
         n + "x!tile.ptr<" + element + ">> -> tensor<" + n + "x" + element + R"(>
    %x = tile.reshape %flat : tensor<)" +
         n + "x" + element + "> -> tensor<" + shape + "x" + element + ">\n";
}

/// IR that stores `%r` of a shape to `%o`.
std::string store(const std::string &element, const std::string &shape, int count) {
  std::string n = std::to_string(count), type = "tensor<" + n + "x" + element + ">",
              pointers = "tensor<" + n + "x!tile.ptr<" + element + ">>";
  return "%rr = tile.reshape %r : tensor<" + shape + "x" + element + "> -> " + type +
         "\n%orange = tile.arange 0 to " + n + " : tensor<" + n + "xi32>" +
         "\n%os = tile.splat %o : !tile.ptr<" + element + "> -> " + pointers +
         "\n%op = tile.addptr %os, %orange : " + pointers + ", tensor<" + n + "xi32>" +
         "\ntile.store %op, %rr : " + pointers + ", " + type;
}

TEST_F(TileOperations, ReduceCombinesInOrderAndRoundsEachStep) {
  // 1 + 2^-24 + 2^-24 is 1 in f32 from the left, and would be 1 + 2^-23 from the right.
  std::vector<float> in{1, 0x1p-24f, 0x1p-24f, 0, 5, 6, 7, 8}, out(2);
  Status status = run("f32", "f32", load("f32", "2x4", 8) + R"(
    %r = tile.reduce %x axis 1 : (tensor<2x4xf32>) -> tensor<2xf32> {
      ^bb0(%a: f32, %b: f32):
        %s = arith.addf %a, %b : f32
        tile.yield %s : f32
    })" + store("f32", "2", 2),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(1, 26));
}

TEST_F(TileOperations, ReduceOfTwoTilesToScalars) {
  std::vector<int32_t> in{3, 9, 2, 9}, out(2);
  Status status = run("i32", "i32",
                      load("i32", "4", 4) + R"(
    %v, %i = tile.reduce %x, %range axis 0 : (tensor<4xi32>, tensor<4xi32>) -> (i32, i32) {
      ^bb0(%a: i32, %ai: i32, %b: i32, %bi: i32):
        %c = arith.cmpi sge, %a, %b : i32
        %m = arith.select %c, %a, %b : i32
        %mi = arith.select %c, %ai, %bi : i32
        tile.yield %m, %mi : i32, i32
    }
    %v1 = tile.splat %v : i32 -> tensor<1xi32>
    %i1 = tile.splat %i : i32 -> tensor<1xi32>
    %r = tile.join %v1, %i1 : tensor<1xi32> -> tensor<1x2xi32>)" +
                          store("i32", "1x2", 2),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(9, 1));
}

TEST_F(TileOperations, ScanForwardsAndBackwards) {
  std::vector<int32_t> in{1, 2, 3, 4, 10, 20, 30, 40}, out(8);
  // a - b is not associative: the order shows.
  for (const char *reverse : {"", "reverse"}) {
    Status status = run("i32", "i32",
                        load("i32", "2x4", 8) + R"(
    %r = tile.scan %x axis 1 )" +
                            reverse +
                            R"( : (tensor<2x4xi32>) -> tensor<2x4xi32> {
      ^bb0(%a: i32, %b: i32):
        %s = arith.subi %a, %b : i32
        tile.yield %s : i32
    })" + store("i32", "2x4", 8),
                        in, out);
    ASSERT_TRUE(status.isOk()) << status.message();
    if (*reverse)
      EXPECT_THAT(out, ElementsAre(-2, -1, 1, 4, -20, -10, 10, 40));
    else
      EXPECT_THAT(out, ElementsAre(1, -1, -4, -8, 10, -10, -40, -80));
  }
}

TEST_F(TileOperations, ScanAlongTheFirstDimension) {
  std::vector<int32_t> in{1, 2, 3, 4, 5, 6, 7, 8}, out(8);
  Status status = run("i32", "i32", load("i32", "4x2", 8) + R"(
    %r = tile.scan %x axis 0 : (tensor<4x2xi32>) -> tensor<4x2xi32> {
      ^bb0(%a: i32, %b: i32):
        %s = arith.addi %a, %b : i32
        tile.yield %s : i32
    })" + store("i32", "4x2", 8),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(1, 2, 4, 6, 9, 12, 16, 20));
}

TEST_F(TileOperations, DotOfBytesWithBatches) {
  std::vector<int8_t> in{1, 2, 3, -4, 5, 6, 7, -128};
  std::vector<int32_t> out(8);
  Status status = run("i8", "i32",
                      load("i8", "2x2x2", 8) + R"(
    %acc = arith.constant dense<100> : tensor<2x2x2xi32>
    %r = tile.dot %x, %x, %acc : tensor<2x2x2xi8>, tensor<2x2x2xi8> -> tensor<2x2x2xi32>)" +
                          store("i32", "2x2x2", 8),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out,
              ElementsAre(107, 94, 91, 122, 167, 100 + 30 - 768, 100 + 35 - 896, 100 + 42 + 16384));
}

TEST_F(TileOperations, DotRoundsToTheAccumulator) {
  // 1 · 1 + 2^-24 · 1 rounds to 1 in f32.
  std::vector<float> in{1, 0x1p-24f, 1, 1}, out(4);
  Status status = run("f32", "f32",
                      load("f32", "2x2", 4) + R"(
    %acc = arith.constant dense<0.0> : tensor<2x2xf32>
    %ones = arith.constant dense<1.0> : tensor<2x2xf32>
    %r = tile.dot %x, %ones, %acc precision ieee : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>)" +
                          store("f32", "2x2", 4),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(1, 1, 2, 2));
}

TEST_F(TileOperations, GatherAlongAnAxis) {
  std::vector<int32_t> in{10, 11, 12, 13, 20, 21, 22, 23}, out(4);
  Status status = run("i32", "i32",
                      load("i32", "2x4", 8) + R"(
    %i = arith.constant dense<[[3, 0], [1, 1]]> : tensor<2x2xi32>
    %r = tile.gather %x, %i axis 1 : tensor<2x4xi32>, tensor<2x2xi32> -> tensor<2x2xi32>)" +
                          store("i32", "2x2", 4),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(13, 10, 21, 21));
  status = run("i32", "i32", load("i32", "2x4", 8) + R"(
    %i = arith.constant dense<2> : tensor<2x4xi32>
    %r = tile.gather %x, %i axis 0 : tensor<2x4xi32>, tensor<2x4xi32> -> tensor<2x4xi32>)",
               in, out);
  EXPECT_EQ(status.code(), StatusCode::OutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("index 2 for a dimension of size 2"));
}

TEST_F(TileOperations, HistogramCountsWhatIsInsideAndMasked) {
  std::vector<int32_t> in{0, 1, 1, 3, 4, -1, 1, 0}, out(4);
  Status status = run("i32", "i32",
                      load("i32", "8", 8) + R"(
    %seven = arith.constant dense<7> : tensor<8xi32>
    %m = arith.cmpi slt, %range, %seven : tensor<8xi32>
    %r = tile.histogram %x mask %m : tensor<8xi32> mask tensor<8xi1> -> tensor<4xi32>)" +
                          store("i32", "4", 4),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(1, 3, 0, 1));
}

TEST_F(TileOperations, JoinAndSplit) {
  std::vector<int32_t> in{1, 2, 3, 4}, out(4);
  Status status = run("i32", "i32",
                      load("i32", "2x2", 4) + R"(
    %a, %b = tile.split %x : tensor<2x2xi32> -> tensor<2xi32>
    %r = tile.join %b, %a : tensor<2xi32> -> tensor<2x2xi32>)" +
                          store("i32", "2x2", 4),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(2, 1, 4, 3));
}

TEST_F(TileOperations, AtomicsSeeEachOther) {
  struct Case {
    const char *kind;
    int32_t beforeLast, result;
  };
  // Memory holds 1; 2, 4 and -1 are applied to it, the first element is masked off.
  for (Case c : {Case{"add", 7, 6},
                 {"and", 0, 0},
                 {"or", 7, -1},
                 {"xor", 7, ~7},
                 {"max", 4, 4},
                 {"min", 1, -1},
                 {"umax", 4, -1},
                 {"umin", 1, 1},
                 {"xchg", 4, -1}}) {
    std::vector<int32_t> in{100, 2, 4, -1}, out{1, 0};
    Status status = run("i32", "i32",
                        load("i32", "4", 4) + R"(
    %os = tile.splat %o : !tile.ptr<i32> -> tensor<4x!tile.ptr<i32>>
    %zero = arith.constant dense<0> : tensor<4xi32>
    %mask = arith.cmpi ne, %range, %zero : tensor<4xi32>
    %old = tile.atomic_rmw )" +
                            std::string(c.kind) + R"( %os, %x mask %mask
      : tensor<4x!tile.ptr<i32>>, tensor<4xi32> mask tensor<4xi1>
    %last = tile.reduce %old axis 0 : (tensor<4xi32>) -> i32 {
      ^bb0(%a: i32, %b: i32):
        tile.yield %b : i32
    }
    %one = arith.constant 1 : i32
    %o1 = tile.addptr %o, %one : !tile.ptr<i32>, i32
    tile.store %o1, %last : !tile.ptr<i32>, i32)",
                        in, out);
    ASSERT_TRUE(status.isOk()) << status.message();
    EXPECT_THAT(out, ElementsAre(c.result, c.beforeLast)) << c.kind;
  }
}

TEST_F(TileOperations, FloatsAreAddedAtomicallyAndComparedByTheirBits) {
  std::vector<float> in{0.5f, 0.25f}, out{1, -0.0f};
  Status status = run("f32", "f32", load("f32", "2", 2) + R"(
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<2x!tile.ptr<f32>>
    %old = tile.atomic_rmw fadd %os, %x : tensor<2x!tile.ptr<f32>>, tensor<2xf32>
    %i = arith.constant 1 : i32
    %o1 = tile.addptr %o, %i : !tile.ptr<f32>, i32
    %zero = arith.constant 0.0 : f32
    %seven = arith.constant 7.0 : f32
    %was = tile.atomic_cas %o1, %zero, %seven : !tile.ptr<f32>, f32)",
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(out[0], 1.75f);
  EXPECT_TRUE(out[1] == 0 && std::signbit(out[1])); // -0 is not +0 bit for bit
}

TEST_F(TileOperations, CompareAndSwapGivesWhatWasThere) {
  std::vector<int32_t> in{0}, out{5, 0, 0};
  Status status = run("i32", "i32", R"(
    %one = arith.constant 1 : i32
    %two = arith.constant 2 : i32
    %five = arith.constant 5 : i32
    %o1 = tile.addptr %o, %one : !tile.ptr<i32>, i32
    %o2 = tile.addptr %o, %two : !tile.ptr<i32>, i32
    %a = tile.atomic_cas %o, %five, %two : !tile.ptr<i32>, i32
    %b = tile.atomic_cas %o, %five, %one : !tile.ptr<i32>, i32
    tile.store %o1, %a : !tile.ptr<i32>, i32
    tile.store %o2, %b : !tile.ptr<i32>, i32)",
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(2, 5, 2));
}

TEST_F(TileOperations, DescribedTensorsArePaddedAndClipped) {
  // A 2 x 3 tensor with rows of 4 elements; the tile of 2 x 4 starts at (1, -1).
  std::vector<float> in{1, 2, 3, 99, 4, 5, 6, 99}, out(8, -1);
  std::string prefix = R"(
    %two = arith.constant 2 : i64
    %three = arith.constant 3 : i64
    %four = arith.constant 4 : i64
    %one64 = arith.constant 1 : i64
    %one = arith.constant 1 : i32
    %zero = arith.constant 0 : i32
    %minus = arith.constant -1 : i32
)";
  Status status = run("f32", "f32",
                      prefix + R"(
    %r = tile.descriptor_load %p sizes %two, %three strides %four, %one64 offsets %one, %minus padding nan
      : !tile.ptr<f32> -> tensor<2x4xf32>)" +
                          store("f32", "2x4", 8),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out,
              ElementsAre(testing::NanSensitiveFloatEq(NAN), 4, 5, 6,
                          testing::NanSensitiveFloatEq(NAN), testing::NanSensitiveFloatEq(NAN),
                          testing::NanSensitiveFloatEq(NAN), testing::NanSensitiveFloatEq(NAN)));
  out.assign(8, -1);
  status = run("f32", "f32", prefix + load("f32", "2x4", 8) + R"(
    tile.descriptor_store %o, %x sizes %two, %three strides %four, %one64 offsets %one, %zero
      : !tile.ptr<f32>, tensor<2x4xf32>)",
               in, out);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_THAT(out, ElementsAre(-1, -1, -1, -1, 1, 2, 3, -1));
}

TEST_F(TileOperations, PrintsElementsWithTheirPlaces) {
  std::vector<int32_t> in{-1, 2}, out(1);
  std::string printed;
  Status status = run("i32", "i32", load("i32", "2x1", 2) + R"(
    %half = arith.constant 0.5 : f32
    tile.print "x" (%x, %half) signed [1, 1] : tensor<2x1xi32>, f32
    tile.print "h" hex (%x) signed [0] : tensor<2x1xi32>)",
                      in, out, &printed);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(printed, "pid (0, 0, 0) idx (0, 0) x: -1\n"
                     "pid (0, 0, 0) idx (1, 0) x: 2\n"
                     "pid (0, 0, 0) idx () x: 0.500000\n"
                     "pid (0, 0, 0) idx (0, 0) h: 0xffffffff\n"
                     "pid (0, 0, 0) idx (1, 0) h: 0x00000002\n");
}

TEST_F(TileOperations, AFailedAssertionNamesItsMessage) {
  std::vector<int32_t> in{1, 0}, out(1);
  Status status = run("i32", "i32", load("i32", "2", 2) + R"(
    %c = arith.trunci %x : tensor<2xi32> to tensor<2xi1>
    tile.assert %c, "all are odd" : tensor<2xi1>)",
                      in, out);
  EXPECT_EQ(status.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("assertion failed at element 1: all are odd"));
}

/// Bytes of four elements in one register, the first in the lowest bits.
TEST_F(TileOperations, InlineAssemblyPacksElements) {
  std::vector<int8_t> in{1, 2, 3, 4, 5, 6, 7, -8}, out(8);
  Status status = run("i8", "i8", load("i8", "8", 8) + R"(
    %r = tile.inline_asm "{ .reg .pred p; setp.gt.s32 p, $1, 0; @p prmt.b32 $0, $1, 0, 0x0123; @!p mov.b32 $0, 0x7f; }", "=r,r" pack 4 pure (%x) : (tensor<8xi8>) -> tensor<8xi8>
    )" + store("i8", "8", 8),
                      in, out);
  ASSERT_TRUE(status.isOk()) << status.toString();
  EXPECT_THAT(out, ElementsAre(4, 3, 2, 1, 0x7f, 0, 0, 0));
}

TEST_F(TileOperations, InlineAssemblyOfOtherInstructionsIsAnError) {
  std::vector<int32_t> in{1}, out(1);
  Status status = run("i32", "i32", R"(
    %c = arith.constant 1 : i32
    %r = tile.inline_asm "shfl.sync.up.b32 $0, $1, 1, 0, -1;", "=r,r" pack 1 pure (%c) : (i32) -> i32)",
                      in, out);
  EXPECT_EQ(status.code(), StatusCode::Unimplemented);
  EXPECT_THAT(status.message(), HasSubstr("instruction 'shfl': it works between the threads"));
}

} // namespace
} // namespace inlay
