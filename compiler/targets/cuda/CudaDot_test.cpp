// tile.dot as PTX: the instructions that multiply, and ptxas taking them for each architecture.
#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/Target.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace inlay {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Dot {
  std::string name;
  std::string lhs, rhs, acc;
  std::vector<int64_t> shape; ///< M, N, K, or batch, M, N, K
  std::string precision = "";
};

std::string tileOf(std::vector<int64_t> shape, const std::string &element) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

/// Reads a dense tile of `shape` at %pointer.
std::string loadOf(const std::string &name, const std::vector<int64_t> &shape,
                   const std::string &element) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  const std::string flat = tileOf({count}, element), pointer = "!tile.ptr<" + element + ">",
                    pointers = tileOf({count}, pointer);
  return "%" + name + "r = tile.arange 0 to " + std::to_string(count) + " : " +
         tileOf({count}, "i32") + "\n%" + name + "s = tile.splat %" + name + "p : " + pointer +
         " -> " + pointers + "\n%" + name + "a = tile.addptr %" + name + "s, %" + name +
         "r : " + pointers + ", " + tileOf({count}, "i32") + "\n%" + name + "f = tile.load %" +
         name + "a : " + pointers + " -> " + flat + "\n%" + name + " = tile.reshape %" + name +
         "f : " + flat + " -> " + tileOf(shape, element) + "\n";
}

/// A kernel that stores x · y + z where z is.
std::string kernelOf(const Dot &dot) {
  std::vector<int64_t> batch(dot.shape.begin(), dot.shape.end() - 3);
  const int64_t m = *(dot.shape.end() - 3), n = *(dot.shape.end() - 2), k = dot.shape.back();
  std::vector<int64_t> lhs = batch, rhs = batch, acc = batch;
  lhs.insert(lhs.end(), {m, k});
  rhs.insert(rhs.end(), {k, n});
  acc.insert(acc.end(), {m, n});
  int64_t count = 1;
  for (int64_t size : acc)
    count *= size;
  const std::string result = tileOf(acc, dot.acc), flat = tileOf({count}, dot.acc);
  return "module attributes {tile.num_warps = 4 : i32} {\nfunc.func @kernel(%xp: !tile.ptr<" +
         dot.lhs + "> {tile.divisibility = 16 : i64}, %yp: !tile.ptr<" + dot.rhs +
         "> {tile.divisibility = 16 : i64}, %zp: !tile.ptr<" + dot.acc +
         "> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {\n" +
         loadOf("x", lhs, dot.lhs) + loadOf("y", rhs, dot.rhs) + loadOf("z", acc, dot.acc) +
         "%d = tile.dot %x, %y, %z " + dot.precision + " : " + tileOf(lhs, dot.lhs) + ", " +
         tileOf(rhs, dot.rhs) + " -> " + result + "\n%o = tile.reshape %d : " + result + " -> " +
         flat + "\ntile.store %za, %o : " + tileOf({count}, "!tile.ptr<" + dot.acc + ">") + ", " +
         flat + "\nreturn\n}\n}\n";
}

/// A product of rows of B × B with columns of a row-major matrix, B at a time.
std::string loopOf(int size, int numStages) {
  std::string text = R"(
module attributes {tile.num_warps = 4 : i32, tile.num_stages = STAGES : i32} {
func.func @kernel(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<BxBxf32>
  %by = arith.constant dense<B> : tensor<BxBxi32>
  %r = tile.arange 0 to B : tensor<Bxi32>
  %size = arith.constant dense<B> : tensor<Bx1xi32>
  %column = tile.expand_dims %r, 1 : tensor<Bxi32> -> tensor<Bx1xi32>
  %row = tile.expand_dims %r, 0 : tensor<Bxi32> -> tensor<1xBxi32>
  %starts = arith.muli %column, %size : tensor<Bx1xi32>
  %x = tile.broadcast %starts : tensor<Bx1xi32> -> tensor<BxBxi32>
  %y = tile.broadcast %row : tensor<1xBxi32> -> tensor<BxBxi32>
  %offsets = arith.addi %x, %y : tensor<BxBxi32>
  %base = tile.splat %p : !tile.ptr<f16> -> tensor<BxBx!tile.ptr<f16>>
  %ps = tile.addptr %base, %offsets : tensor<BxBx!tile.ptr<f16>>, tensor<BxBxi32>
  %out = tile.splat %o : !tile.ptr<f32> -> tensor<BxBx!tile.ptr<f32>>
  %os = tile.addptr %out, %offsets : tensor<BxBx!tile.ptr<f32>>, tensor<BxBxi32>
  %result:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %q = %ps) -> (tensor<BxBxf32>, tensor<BxBx!tile.ptr<f16>>) : i32 {
    %a = tile.load %q : tensor<BxBx!tile.ptr<f16>> -> tensor<BxBxf16>
    %t = tile.trans %a, [1, 0] : tensor<BxBxf16> -> tensor<BxBxf16>
    %d = tile.dot %a, %t, %acc : tensor<BxBxf16>, tensor<BxBxf16> -> tensor<BxBxf32>
    %next = tile.addptr %q, %by : tensor<BxBx!tile.ptr<f16>>, tensor<BxBxi32>
    scf.yield %d, %next : tensor<BxBxf32>, tensor<BxBx!tile.ptr<f16>>
  }
  tile.store %os, %result#0 : tensor<BxBx!tile.ptr<f32>>, tensor<BxBxf32>
  return
}
}
)";
  text = std::regex_replace(text, std::regex("STAGES"), std::to_string(numStages));
  return std::regex_replace(text, std::regex("B(?=x|>|\\b)"), std::to_string(size));
}

/// A product, in tiles of 128 × 128 × K, of row-major rows with row-major columns of another matrix
/// or, with `isTransposed`, with columns that are rows in memory.
std::string productOf(const std::string &element, const std::string &sum, int k, bool isTransposed,
                      const std::string &attributes = "") {
  std::string text = R"(
module attributes {tile.num_warps = 4 : i32, tile.num_stages = 3 : i32} {
func.func @kernel(%p: !tile.ptr<TYPE> {tile.divisibility = 16 : i64}, %s: i32 {tile.divisibility = 16 : i64}, %o: !tile.ptr<SUM>, %n: i32) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<ZERO> : tensor<128x128xSUM>
  %rows = tile.arange 0 to 128 : tensor<128xi32>
  %depth = tile.arange 0 to KK : tensor<KKxi32>
  %down = tile.expand_dims %rows, 1 : tensor<128xi32> -> tensor<128x1xi32>
  %across = tile.expand_dims %depth, 0 : tensor<KKxi32> -> tensor<1xKKxi32>
  %stride = tile.splat %s : i32 -> tensor<128x1xi32>
  %starts = arith.muli %down, %stride : tensor<128x1xi32>
  %x = tile.broadcast %starts : tensor<128x1xi32> -> tensor<128xKKxi32>
  %y = tile.broadcast %across : tensor<1xKKxi32> -> tensor<128xKKxi32>
  %offsets = arith.addi %x, %y : tensor<128xKKxi32>
  %base = tile.splat %p : !tile.ptr<TYPE> -> tensor<128xKKx!tile.ptr<TYPE>>
  %as = tile.addptr %base, %offsets : tensor<128xKKx!tile.ptr<TYPE>>, tensor<128xKKxi32>
  %wide = tile.expand_dims %rows, 0 : tensor<128xi32> -> tensor<1x128xi32>
  %deep = tile.expand_dims %depth, 1 : tensor<KKxi32> -> tensor<KKx1xi32>
  %pitch = tile.splat %s : i32 -> tensor<KKx1xi32>
  %lines = arith.muli %deep, %pitch : tensor<KKx1xi32>
  %u = tile.broadcast %lines : tensor<KKx1xi32> -> tensor<KKx128xi32>
  %v = tile.broadcast %wide : tensor<1x128xi32> -> tensor<KKx128xi32>
  %places = arith.addi %u, %v : tensor<KKx128xi32>
  %bbase = tile.splat %p : !tile.ptr<TYPE> -> tensor<KKx128x!tile.ptr<TYPE>>
  %bs = tile.addptr %bbase, %places : tensor<KKx128x!tile.ptr<TYPE>>, tensor<KKx128xi32>
  %out = tile.splat %o : !tile.ptr<SUM> -> tensor<128x128x!tile.ptr<SUM>>
  %flat = tile.broadcast %wide : tensor<1x128xi32> -> tensor<128x128xi32>
  %os = tile.addptr %out, %flat : tensor<128x128x!tile.ptr<SUM>>, tensor<128x128xi32>
  %d = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<128x128xSUM>) : i32 {
    %a = tile.load %as : tensor<128xKKx!tile.ptr<TYPE>> -> tensor<128xKKxTYPE>
    RIGHT
    %e = tile.dot %a, %b, %acc ATTRIBUTES : tensor<128xKKxTYPE>, tensor<KKx128xTYPE> -> tensor<128x128xSUM>
    scf.yield %e : tensor<128x128xSUM>
  }
  tile.store %os, %d : tensor<128x128x!tile.ptr<SUM>>, tensor<128x128xSUM>
  return
}
}
)";
  const std::string right =
      isTransposed ? "%t = tile.load %as : tensor<128xKKx!tile.ptr<TYPE>> -> tensor<128xKKxTYPE>\n"
                     "    %b = tile.trans %t, [1, 0] : tensor<128xKKxTYPE> -> tensor<KKx128xTYPE>"
                   : "%b = tile.load %bs : tensor<KKx128x!tile.ptr<TYPE>> -> tensor<KKx128xTYPE>";
  for (const auto &[word, value] :
       std::vector<std::pair<std::string, std::string>>{{"RIGHT", right},
                                                        {"ATTRIBUTES", attributes},
                                                        {"ZERO", sum == "i32" ? "0" : "0.0"},
                                                        {"TYPE", element},
                                                        {"SUM", sum},
                                                        {"KK", std::to_string(k)}})
    text = std::regex_replace(text, std::regex(word), value);
  return text;
}

Result<std::vector<KernelImage>> compileText(const std::string &text, const std::string &target) {
  mlir::MLIRContext context;
  context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect, mlir::func::FuncDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(module) << text;
  auto targets = createTargets(target);
  EXPECT_TRUE(targets.isOk());
  return targets->front()->compile(*module, {});
}

Result<std::vector<KernelImage>> compile(const Dot &dot, const std::string &target) {
  return compileText(kernelOf(dot), target);
}
std::string ptxOf(const Dot &dot, const std::string &target) {
  auto images = compile(dot, target);
  EXPECT_TRUE(images.isOk()) << dot.name << ": " << images.status().toString();
  if (!images.isOk())
    return "";
  const auto &bytes = images->front().bytes;
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

int count(const std::string &text, const std::string &pattern) {
  const std::regex regex(pattern);
  return static_cast<int>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex), std::sregex_iterator()));
}

std::vector<Dot> dots() {
  return {{"f16", "f16", "f16", "f32", {32, 64, 32}},
          {"f16_in_f16", "f16", "f16", "f16", {32, 32, 16}},
          {"bf16", "bf16", "bf16", "f32", {64, 32, 16}},
          {"tf32", "f32", "f32", "f32", {32, 32, 16}},
          {"tf32x3", "f32", "f32", "f32", {16, 32, 16}, "precision tf32x3"},
          {"bf16x3", "f32", "f32", "f32", {16, 16, 16}, "precision bf16x3"},
          {"bf16x6", "f32", "f32", "f32", {16, 16, 16}, "precision bf16x6"},
          {"ieee", "f32", "f32", "f32", {32, 32, 16}, "precision ieee"},
          {"f64", "f64", "f64", "f64", {16, 16, 16}},
          {"i8", "i8", "i8", "i32", {32, 32, 32}},
          {"one_row", "f16", "f16", "f32", {1, 64, 32}},
          {"one_column", "bf16", "bf16", "f32", {64, 1, 32}},
          {"one_of_each", "f16", "f16", "f32", {1, 1, 16}},
          {"small_k", "f16", "f16", "f32", {16, 16, 4}},
          {"small_k_in_f16", "f16", "f16", "f16", {16, 16, 8}},
          {"small_k_of_i8", "i8", "i8", "i32", {16, 16, 16}},
          {"batched", "f16", "f16", "f32", {4, 16, 16, 32}},
          {"batched_ieee", "f32", "f32", "f32", {2, 16, 16, 16}, "precision ieee"}};
}
std::vector<Dot> float8Dots() {
  return {{"e4m3", "f8E4M3FN", "f8E4M3FN", "f32", {32, 32, 64}},
          {"mixed", "f8E4M3FN", "f8E5M2", "f32", {16, 32, 32}},
          {"e5m2_in_f16", "f8E5M2", "f8E5M2", "f16", {16, 16, 32}}};
}

Dot find(const std::string &name) {
  for (const std::vector<Dot> &list : {dots(), float8Dots()})
    for (const Dot &dot : list)
      if (dot.name == name)
        return dot;
  ADD_FAILURE() << "no dot " << name;
  return {};
}

TEST(CudaDot, InstructionsFitTheTypes) {
  const std::vector<std::tuple<const char *, const char *, int>> expected = {
      // 32 × 64 × 32 on 4 warps: 2·2 warps of 16 × 32, each 4 tiles along N, 2 along K.
      {"f16", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 8},
      {"f16_in_f16", "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", 2},
      {"bf16", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 4},
      {"tf32", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 4},
      {"tf32x3", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 2 * 3},
      {"bf16x3", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 3},
      {"bf16x6", "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 6},
      {"f64", "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64", 4},
      {"i8", "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", 2},
      {"one_row", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 4},
      {"batched", "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 4}};
  for (const auto &[name, instruction, number] : expected) {
    const std::string ptx = ptxOf(find(name), "cuda:sm_80");
    EXPECT_EQ(count(ptx, std::regex_replace(std::string(instruction), std::regex("\\."), "\\.")),
              number)
        << name;
    EXPECT_EQ(count(ptx, "mma\\.sync"), number) << name;
  }
}

TEST(CudaDot, WithoutTensorCoresAreLoopsOfBoundedSize) {
  for (const char *name : {"ieee", "small_k", "small_k_in_f16", "small_k_of_i8", "batched_ieee"})
    EXPECT_THAT(ptxOf(find(name), "cuda:sm_80"), Not(HasSubstr("mma."))) << name;
  Dot deep = find("ieee");
  deep.shape = {16, 16, 256};
  const std::string ptx = ptxOf(deep, "cuda:sm_80");
  EXPECT_GE(count(ptx, "fma\\.rn\\.f32"), 2);
  EXPECT_LE(count(ptx, "fma\\.rn\\.f32"), 2 * 32);
}

TEST(CudaDot, Float8TakesTensorCoresAndTheirPtxVersion) {
  const std::string ptx = ptxOf(find("mixed"), "cuda:sm_90a");
  EXPECT_THAT(ptx, HasSubstr("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32"));
  EXPECT_THAT(ptx, HasSubstr(".version 8.4\n"));
  EXPECT_THAT(ptxOf(find("f16"), "cuda:sm_90a"), HasSubstr(".version 8.0\n"));
}

TEST(CudaDot, OperandsPastSharedMemoryAreAnError) {
  Dot large = find("ieee");
  large.shape = {64, 16, 1024};
  auto images = compile(large, "cuda:sm_80");
  ASSERT_FALSE(images.isOk());
  EXPECT_THAT(images.status().toString(), HasSubstr("327680 bytes and the GPU has 166912 bytes"));
}

TEST(CudaDot, LoopsCopyAheadAndReadMatrices) {
  auto images = compileText(loopOf(64, 3), "cuda:sm_80");
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  const auto &bytes = images->front().bytes;
  const std::string ptx(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  // 64 × 64 halves are 4 copies of 16 bytes a thread: twice ahead and once in the loop.
  EXPECT_EQ(count(ptx, "cp\\.async\\.cg\\.shared\\.global"), 3 * 4);
  EXPECT_EQ(count(ptx, "cp\\.async\\.wait_group[ \t]+1;"), 1);
  // Rows for the left operand; for the right one, rows of the untransposed tile.
  EXPECT_EQ(count(ptx, "ldmatrix\\.sync\\.aligned\\.m8n8\\.x4\\.shared\\.b16"), 2 * 8);
  EXPECT_EQ(count(ptx, "ldmatrix[^;]*trans"), 0);
  EXPECT_EQ(images->front().sharedBytes, 0u) << "24 KiB are declared in the code";
}

TEST(CudaDot, LargeRingsAskTheLaunchForSharedMemory) {
  auto images = compileText(loopOf(128, 4), "cuda:sm_90a");
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  // Four stages, and the slot that groups of warps read meanwhile.
  EXPECT_EQ(images->front().sharedBytes, 5u * 128 * 128 * 2);
  // On a GPU with less, as many slots as fit.
  images = compileText(loopOf(128, 4), "cuda:sm_86");
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  EXPECT_EQ(images->front().sharedBytes, 2u * 128 * 128 * 2);
}

std::string ptxOfText(const std::string &text, const std::string &target) {
  auto images = compileText(text, target);
  EXPECT_TRUE(images.isOk()) << images.status().toString();
  if (!images.isOk())
    return "";
  const auto &bytes = images->front().bytes;
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

TEST(CudaDot, GroupsOfWarpsMultiplyFromRings) {
  const std::string ptx = ptxOfText(productOf("f16", "f32", 64, false), "cuda:sm_90a");
  // Two tiles of 64 rows, four steps along K; the right operand's neighbours are along N.
  EXPECT_EQ(count(ptx, "wgmma\\.mma_async\\.sync\\.aligned\\.m64n128k16\\.f32\\.f16\\.f16 "
                       "[^;]*, lhs, rhs, 1, 1, 1, 0, 1;"),
            2 * 4);
  EXPECT_EQ(count(ptx, "wgmma\\.wait_group\\.sync\\.aligned 1;"), 1) << "in the loop";
  EXPECT_EQ(count(ptx, "wgmma\\.wait_group\\.sync\\.aligned 0;"), 1) << "behind it";
  EXPECT_EQ(count(ptx, "fence\\.proxy\\.async\\.shared::cta;"), 2)
      << "one for each wait for copies";
  EXPECT_EQ(count(ptx, "ldmatrix|mma\\.sync\\."), 0);
  EXPECT_THAT(ptx, HasSubstr(".align 1024 .b8 inlay_shared"));
  for (const char *other : {"cuda:sm_80", "cuda:sm_90", "cuda:sm_100a"}) {
    const std::string elsewhere = ptxOfText(productOf("f16", "f32", 64, false), other);
    EXPECT_EQ(count(elsewhere, "wgmma"), 0) << other;
    EXPECT_GT(count(elsewhere, "mma\\.sync\\."), 0) << other;
  }
}

TEST(CudaDot, GroupsOfWarpsMultiplyTypesAsTheyLie) {
  // Neighbours along K: every type. Along N: only those of 16 bits.
  struct Case {
    const char *element, *sum;
    int k;
    const char *attributes, *instruction;
  };
  for (const Case &c :
       {Case{"f32", "f32", 32, "", "m64n128k8.f32.tf32.tf32"},
        Case{"bf16", "f32", 64, "", "m64n128k16.f32.bf16.bf16"},
        Case{"i8", "i32", 128, "", "m64n128k32.s32.s8.s8"},
        Case{"f8E5M2", "f32", 64, "{maxNumImprecise = 1024 : i32}", "m64n128k32.f32.e5m2.e5m2"}}) {
    EXPECT_THAT(ptxOfText(productOf(c.element, c.sum, c.k, true, c.attributes), "cuda:sm_90a"),
                HasSubstr(std::string("wgmma.mma_async.sync.aligned.") + c.instruction));
    const bool isNarrow = std::string(c.element) == "bf16";
    EXPECT_EQ(count(ptxOfText(productOf(c.element, c.sum, c.k, false, c.attributes), "cuda:sm_90a"),
                    "wgmma") > 0,
              isNarrow)
        << c.element;
  }
}

TEST(CudaDot, AssemblerLetsGroupsOfWarpsRunAhead) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk()) << ptxas.status().toString();
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set: PTX is not assembled";
  for (const auto &[element, sum, k] : {std::tuple("f16", "f32", 64),
                                        {"bf16", "f32", 32},
                                        {"f32", "f32", 32},
                                        {"i8", "i32", 128}}) {
    const std::string ptx = ptxOfText(productOf(element, sum, k, true), "cuda:sm_90a");
    ASSERT_THAT(ptx, HasSubstr("wgmma.mma_async")) << element;
    auto assembled = assemblePtx(**ptxas, ptx, "sm_90a");
    ASSERT_TRUE(assembled.isOk()) << assembled.status().toString();
    ASSERT_TRUE(assembled->has_value());
    // "wgmma.mma_async instructions are serialized", C7510 to C7515.
    EXPECT_EQ((*assembled)->advice, "") << element;
    EXPECT_EQ((*assembled)->spillBytes, 0u) << element;
  }
}

/// ptxas takes the PTX of every dot.
class AssembledDot : public testing::TestWithParam<const char *> {};

TEST_P(AssembledDot, Assembles) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk()) << ptxas.status().toString();
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set: PTX is not assembled";
  std::vector<Dot> all = dots();
  if (std::string(GetParam()) != "sm_80")
    for (const Dot &dot : float8Dots())
      all.push_back(dot);
  for (const Dot &dot : all) {
    auto images = compile(dot, std::string("cuda:") + GetParam());
    ASSERT_TRUE(images.isOk()) << dot.name << ": " << images.status().toString();
    if (images->size() == 1)
      GTEST_SKIP() << **ptxas << " is too old for " << GetParam() << ": its PTX is not assembled";
    EXPECT_EQ(images->front().spillBytes, 0u) << dot.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, AssembledDot,
                         testing::Values("sm_80", "sm_90a", "sm_100a", "sm_120"),
                         [](const auto &test) { return test.param; });

} // namespace
} // namespace inlay
