// Kernels of the Triton language as PTX for every architecture family, taken by ptxas where it is
// installed.
#include "compiler/dialects/tile/Tile.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/targets/Target.h"
#include "compiler/targets/cuda/CudaTarget.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

namespace inlay {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct Kernel {
  std::string name;
  std::string source; ///< a function `kernel`; imports are put before it
  std::string signature;
  std::map<std::string, ConstexprValue> constexprs;
};

std::string pointwise(const std::string &expression) {
  return R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(y_ptr + offsets, )" +
         expression + ", mask=mask)\n";
}

std::vector<Kernel> kernels() {
  const std::map<std::string, ConstexprValue> block = {{"BLOCK", int64_t{1024}}};
  std::vector<Kernel> all;
  for (const char *type : {"fp32", "fp16", "bf16", "fp64", "i8", "i16", "i32", "i64", "u8", "i1"}) {
    const std::string pointer = std::string("*") + type + ":16";
    all.push_back({std::string("add_one_") + type,
                   pointwise(type == std::string("i1") ? "x" : "x + 1"),
                   pointer + "," + pointer + ",i32", block});
  }
  all.push_back({"unaligned", pointwise("x * 2"), "*fp32,*fp16,i32", block});
  all.push_back({"casts", pointwise("x.to(tl.float32).to(tl.int8).to(tl.float16).to(tl.int64)"),
                 "*bf16:16,*i64:16,i32", block});
  all.push_back({"to_bf16", pointwise("x.to(tl.bfloat16)"), "*fp64:16,*bf16:16,i32", block});
  all.push_back({"functions",
                 pointwise("tl.exp(x) + tl.sin(x) + tl.sqrt(x) / tl.log(x) + tl.erf(x) + "
                           "tl.rsqrt(x) + tl.exp2(x) + tl.floor(x)"),
                 "*fp32:16,*fp32:16,i32", block});
  all.push_back({"doubles", pointwise("tl.exp(x) / tl.sqrt(x)"), "*fp64:16,*fp64:16,i32", block});
  all.push_back(
      {"divisions", pointwise("x // 3 + x % 7 + (x >> 2)"), "*i64:16,*i64:16,i32", block});
  all.push_back({"one_element", pointwise("x"), "*fp32:16,*fp32:16,i32", {{"BLOCK", int64_t{1}}}});
  all.push_back({"other_and_modifiers", R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = (offsets < n) & (offsets % 3 != 0)
    x = tl.load(x_ptr + offsets, mask=mask, other=2.5, cache_modifier='.ca', eviction_policy='evict_last')
    y = tl.load(x_ptr + offsets, mask=mask, other=-1, volatile=True)
    z = tl.load(x_ptr + offsets, eviction_policy='evict_first')
    w = tl.load(x_ptr + offsets, cache_modifier='.cg')
    tl.store(y_ptr + offsets, x + y + z + w, cache_modifier='.wt', eviction_policy='evict_first')
)",
                 "*fp16:16,*fp16:16,i32", block});
  all.push_back({"broadcast",
                 R"(
@triton.jit
def kernel(x_ptr, y_ptr, z_ptr, m, n, stride, M: tl.constexpr, N: tl.constexpr):
    rows = tl.program_id(0) * M + tl.arange(0, M)
    columns = tl.program_id(1) * N + tl.arange(0, N)
    x = tl.load(x_ptr + rows, mask=rows < m)
    y = tl.load(y_ptr + columns, mask=columns < n, other=1.0)
    mask = (rows < m)[:, None] & (columns < n)[None, :]
    tl.store(z_ptr + rows[:, None] * stride + columns[None, :], x[:, None] * y[None, :], mask=mask)
)",
                 "*fp32:16,*fp32:16,*fp32:16,i32,i32:16,i32:16",
                 {{"M", int64_t{32}}, {"N", int64_t{64}}}});
  all.push_back({"transpose",
                 R"(
@triton.jit
def kernel(x_ptr, y_ptr, m, n, B: tl.constexpr):
    rows = tl.program_id(0) * B + tl.arange(0, B)
    columns = tl.program_id(1) * B + tl.arange(0, B)
    x = tl.load(x_ptr + rows[:, None] * n + columns[None, :])
    tl.store(y_ptr + columns[None, :] * m + rows[:, None], x)
)",
                 "*fp16:16,*fp16:16,i32:16,i32:16",
                 {{"B", int64_t{32}}}});
  all.push_back({"loop", R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, count, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for i in range(count):
        total += tl.load(x_ptr + i * n + offsets, mask=offsets < n, other=0)
    if count > 3:
        total = total * 2
    tl.store(y_ptr + offsets, total, mask=offsets < n)
)",
                 "*fp32:16,*fp32:16,i32:16,i32", block});
  all.push_back({"softmax", R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0) * n
    columns = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row + columns, mask=columns < n, other=-float('inf'))
    x = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row + columns, x / tl.sum(x, axis=0), mask=columns < n)
)",
                 "*fp32:16,*fp32:16,i32:16", block});
  all.push_back({"row_sums",
                 R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, M: tl.constexpr, N: tl.constexpr):
    rows = tl.program_id(0) * M + tl.arange(0, M)
    total = tl.zeros([M], dtype=tl.float32)
    for start in range(0, n, N):
        columns = start + tl.arange(0, N)
        x = tl.load(x_ptr + rows[:, None] * n + columns[None, :], mask=columns[None, :] < n, other=0)
        total += tl.sum(x.to(tl.float32), axis=1)
    tl.store(y_ptr + rows, total)
)",
                 "*fp16:16,*fp32:16,i32:16",
                 {{"M", int64_t{16}}, {"N", int64_t{128}}}});
  all.push_back({"prefix_sums", R"(
@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
    tl.store(y_ptr + offsets, tl.cumsum(x, axis=0), mask=offsets < n)
)",
                 "*fp32:16,*fp32:16,i32:16", block});
  return all;
}

Kernel find(const std::string &name) {
  for (Kernel &kernel : kernels())
    if (kernel.name == name)
      return kernel;
  ADD_FAILURE() << "no kernel " << name;
  return {};
}

/// Keeps ptxas away where a test looks at PTX only: it takes most of the time.
class WithoutPtxas {
public:
  WithoutPtxas() : path_(std::getenv("PATH")) { setenv("PATH", "/nonexistent", 1); }
  ~WithoutPtxas() { setenv("PATH", path_.c_str(), 1); }

private:
  std::string path_;
};

std::unique_ptr<mlir::MLIRContext> makeContext() {
  auto context = std::make_unique<mlir::MLIRContext>();
  context->loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                       mlir::scf::SCFDialect, mlir::func::FuncDialect>();
  return context;
}

Result<std::vector<KernelImage>> compile(const Kernel &kernel, const std::string &target,
                                         int numWarps = 4) {
  auto context = makeContext();
  triton::KernelRequest request;
  request.path = "kernel.py";
  request.source = "import triton\nimport triton.language as tl\n" + kernel.source;
  request.function = "kernel";
  request.signature = triton::splitSignature(kernel.signature);
  request.constexprs = kernel.constexprs;
  request.numWarps = numWarps;
  auto module = triton::importKernel(*context, request);
  if (!module.isOk())
    return module.status();
  auto targets = createTargets(target);
  if (!targets.isOk())
    return targets.status();
  return targets->front()->compile(**module, {});
}

std::string textOf(const KernelImage &image) {
  return std::string(reinterpret_cast<const char *>(image.bytes.data()), image.bytes.size());
}

std::string ptxOf(const Kernel &kernel, const std::string &target = "cuda:sm_90a",
                  int numWarps = 4) {
  WithoutPtxas without;
  auto images = compile(kernel, target, numWarps);
  if (!images.isOk()) {
    ADD_FAILURE() << kernel.name << ": " << images.status().toString();
    return "";
  }
  EXPECT_EQ(images->size(), 1u);
  EXPECT_EQ(images->front().format, ImageFormat::Ptx);
  return textOf(images->front());
}

int count(const std::string &text, const std::string &pattern) {
  const std::regex regex(pattern);
  return static_cast<int>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex), std::sregex_iterator()));
}

const std::vector<std::string> kArchitectures = {
#define INLAY_CUDA_ARCHITECTURE(name, ptxVersion) name,
#include "compiler/targets/cuda/Architectures.def"
#undef INLAY_CUDA_ARCHITECTURE
};

TEST(CudaTarget, NamesStandForArchitectures) {
  for (const std::string &architecture : kArchitectures) {
    auto targets = createTargets("cuda:" + architecture);
    ASSERT_TRUE(targets.isOk()) << targets.status().toString();
    ASSERT_EQ(targets->size(), 1u);
    EXPECT_EQ(targets->front()->name(), "cuda:" + architecture);
  }
  auto baseline = createTargets("cuda");
  ASSERT_TRUE(baseline.isOk());
  ASSERT_EQ(baseline->size(), 1u);
  EXPECT_EQ(baseline->front()->name(), "cuda:sm_80");
}

TEST(CudaTarget, UnknownNamesAreErrorsThatNameTheKnown) {
  for (const char *name : {"cuda:", "cuda:sm_75", "cuda:sm_90A", "cuda:90a", "cuda:sm_90a ",
                           "cuda:sm_90a:fast", "cuda:compute_90"}) {
    auto targets = createTargets(name);
    ASSERT_FALSE(targets.isOk()) << name;
    EXPECT_EQ(targets.status().code(), StatusCode::InvalidArgument);
    EXPECT_THAT(targets.status().message(),
                HasSubstr("unknown GPU architecture '" + std::string(name).substr(5) + "'"));
    EXPECT_THAT(targets.status().message(), HasSubstr("sm_80, sm_86"));
  }
  for (const char *name : {"", "gpu", "CUDA", "cudax:sm_80", "sm_90a", "hip:gfx942"}) {
    auto targets = createTargets(name);
    ASSERT_FALSE(targets.isOk()) << name;
    EXPECT_EQ(targets.status().code(), StatusCode::InvalidArgument);
    EXPECT_THAT(targets.status().message(),
                HasSubstr("unknown target '" + std::string(name) + "'; targets are cpu"));
  }
}

TEST(CudaTarget, WritesTheArchitectureAndItsVersion) {
  for (const std::string &architecture : kArchitectures) {
    const std::string ptx = ptxOf(find("add_one_fp32"), "cuda:" + architecture);
    EXPECT_THAT(ptx, HasSubstr(".target " + architecture + "\n"));
  }
  EXPECT_THAT(ptxOf(find("add_one_fp32"), "cuda"), HasSubstr(".version 7.4\n.target sm_80\n"));
  EXPECT_THAT(ptxOf(find("add_one_fp32"), "cuda:sm_120"), HasSubstr(".version 8.7\n"));
}

TEST(CudaTarget, EntryHasTheKernelsParametersAndThreads) {
  const std::string ptx = ptxOf(find("broadcast"), "cuda:sm_90a", 8);
  EXPECT_EQ(count(ptx, "\\.visible \\.entry kernel\\("), 1);
  EXPECT_EQ(count(ptx, "\\.param \\.u64 [^\n]*kernel_param_[012]\\b"), 3);
  EXPECT_EQ(count(ptx, "\\.param \\.u32 kernel_param_[345]\\b"), 3);
  EXPECT_THAT(ptx, Not(HasSubstr("kernel_param_6")));
  EXPECT_THAT(ptx, ContainsRegex("\\.reqntid 256\n"));
  // Nothing else is defined or called.
  EXPECT_EQ(count(ptx, "\\.func|\\.extern|call\\."), 0) << ptx;
}

TEST(CudaTarget, SaysWhatALauncherMustKnow) {
  WithoutPtxas without;
  auto images = compile(find("add_one_fp32"), "cuda:sm_90a", 2);
  ASSERT_TRUE(images.isOk());
  const KernelImage &image = images->front();
  EXPECT_EQ(image.target, "cuda:sm_90a");
  EXPECT_EQ(image.entry, "kernel");
  EXPECT_EQ(image.numWarps, 2u);
  EXPECT_EQ(image.sharedBytes, 0u);
  EXPECT_EQ(image.ptxVersion, 80u);
  EXPECT_NE(image.bytes.back(), std::byte{0});
}

TEST(CudaTarget, AddOneMoves128BitsUnderAPredicate) {
  for (const char *type : {"fp32", "fp16", "bf16", "fp64", "i8", "i16", "i32", "i64", "u8", "i1"}) {
    SCOPED_TRACE(type);
    Kernel kernel = find(std::string("add_one_") + type);
    kernel.constexprs["BLOCK"] = int64_t{2048};
    const std::string ptx = ptxOf(kernel);
    EXPECT_GE(count(ptx, "@%p[0-9]+ ld\\.global\\.(v4\\.b32|v2\\.b64)"), 1);
    EXPECT_GE(count(ptx, "@%p[0-9]+ st\\.global\\.(v4\\.b32|v2\\.b64)"), 1);
    // No access is unconditional: elements outside the mask are not touched.
    EXPECT_EQ(count(ptx, "(^|\n)\\s*(ld|st)\\.global"), 0) << ptx;
  }
}

TEST(CudaTarget, KnownDivisibilityLeavesOneAccess) {
  Kernel kernel = find("add_one_fp32");
  kernel.signature = "*fp32:16,*fp32:16,i32:16";
  kernel.constexprs["BLOCK"] = int64_t{512};
  const std::string ptx = ptxOf(kernel);
  EXPECT_EQ(count(ptx, "ld\\.global"), 1) << ptx;
  EXPECT_EQ(count(ptx, "st\\.global"), 1) << ptx;
}

TEST(CudaTarget, KeepsEverythingInRegisters) {
  for (const Kernel &kernel : kernels())
    EXPECT_THAT(ptxOf(kernel), Not(HasSubstr(".local"))) << kernel.name;
}

TEST(CudaTarget, TransposesThroughSharedMemory) {
  const std::string ptx = ptxOf(find("transpose"));
  EXPECT_THAT(ptx, ContainsRegex("\\.shared \\.align 128 \\.b8 [a-z_]*\\[2048\\]"));
  EXPECT_EQ(count(ptx, "bar\\.sync|barrier\\.sync"), 1) << ptx;
  EXPECT_GE(count(ptx, "ld\\.global\\.v4"), 1) << ptx;
  EXPECT_GE(count(ptx, "st\\.global\\.v4"), 1) << ptx;
}

TEST(CudaTarget, AsksForMoreSharedMemoryThanCodeDeclares) {
  // A gather from 64 KiB: more than the 48 a kernel may declare, less than every architecture has.
  auto compileGather = [](int size, const char *name) {
    const std::string count = std::to_string(size);
    const std::string tile = "tensor<" + count + "xi32>";
    const std::string pointers = "tensor<" + count + "x!tile.ptr<i32>>";
    auto context = makeContext();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        "module attributes {tile.num_warps = 8 : i32} {\n"
        "func.func @kernel(%p: !tile.ptr<i32>) attributes {tile.kernel} {\n"
        "  %r = tile.arange 0 to " +
            count + " : " + tile +
            "\n"
            "  %ps = tile.splat %p : !tile.ptr<i32> -> " +
            pointers +
            "\n"
            "  %a = tile.addptr %ps, %r : " +
            pointers + ", " + tile +
            "\n"
            "  %v = tile.load %a : " +
            pointers + " -> " + tile +
            "\n"
            "  %g = tile.gather %v, %v axis 0 : " +
            tile + ", " + tile + " -> " + tile +
            "\n"
            "  tile.store %a, %g : " +
            pointers + ", " + tile +
            "\n"
            "  return\n}\n}",
        context.get());
    EXPECT_TRUE(module);
    auto target = createTargets(name);
    EXPECT_TRUE(target.isOk());
    WithoutPtxas without;
    return target->front()->compile(*module, {});
  };
  auto images = compileGather(16384, "cuda:sm_86");
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  EXPECT_EQ(images->front().sharedBytes, 65536u);
  EXPECT_THAT(textOf(images->front()),
              ContainsRegex("\\.extern \\.shared \\.align 128 \\.b8 inlay_shared\\[\\]"));
  auto tooLarge = compileGather(32768, "cuda:sm_86");
  ASSERT_FALSE(tooLarge.isOk());
  EXPECT_THAT(tooLarge.status().message(), HasSubstr("131072 bytes"));
}

TEST(CudaTarget, IsDeterministic) {
  for (const Kernel &kernel : kernels())
    EXPECT_EQ(ptxOf(kernel), ptxOf(kernel)) << kernel.name;
}

TEST(CudaTarget, LeavesTheModuleAndGivesItsStages) {
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @kernel(%p: !tile.ptr<i32>, %n: i32) attributes {tile.kernel} {\n"
      "  tile.store %p, %n : !tile.ptr<i32>, i32\n  return\n}",
      context.get());
  ASSERT_TRUE(module);
  auto print = [&] {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module->print(stream);
    return text;
  };
  const std::string before = print();
  std::vector<std::string> stages;
  auto target = createTargets("cuda:sm_80");
  ASSERT_TRUE(target.isOk());
  WithoutPtxas without;
  KernelCompileOptions options;
  options.stageSink = [&](std::string_view stage, std::string_view text) {
    EXPECT_FALSE(text.empty());
    stages.emplace_back(stage);
  };
  auto images = target->front()->compile(*module, options);
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  EXPECT_EQ(print(), before);
  EXPECT_THAT(stages, testing::ElementsAre("tile", "llvm", "ll", "ptx"));
  for (const char *only : {"tile", "llvm", "ll", "ptx"}) {
    stages.clear();
    options.onlyStage = only;
    ASSERT_TRUE(target->front()->compile(*module, options).isOk());
    EXPECT_THAT(stages, testing::ElementsAre(only));
  }
}

TEST(CudaTarget, UnknownOpsAreErrorsAtTheirPlace) {
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @kernel(%p: !tile.ptr<i128>, %n: i128) attributes {tile.kernel} {\n"
      "  %m = arith.addi %n, %n : i128\n  tile.store %p, %m : !tile.ptr<i128>, i128\n  return\n}",
      mlir::ParserConfig(context.get()), "model.mlir");
  ASSERT_TRUE(module);
  auto target = createTargets("cuda:sm_80");
  ASSERT_TRUE(target.isOk());
  auto images = target->front()->compile(*module, {});
  ASSERT_FALSE(images.isOk());
  EXPECT_EQ(images.status().code(), StatusCode::Unimplemented);
  EXPECT_EQ(images.status().message(),
            "the kernel cannot be compiled for cuda:sm_80: "
            "model.mlir:2:8: type 'i128' cannot be compiled for GPUs yet");
}

/// ptxas takes the PTX of every kernel.
class Assembled : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Architectures, Assembled,
                         testing::Values("sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"),
                         [](const auto &test) { return test.param; });

TEST_P(Assembled, EveryKernel) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk()) << ptxas.status().toString();
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set: PTX is not assembled";
  for (const Kernel &kernel : kernels()) {
    SCOPED_TRACE(kernel.name);
    auto images = compile(kernel, "cuda:" + GetParam());
    ASSERT_TRUE(images.isOk()) << images.status().toString();
    if (images->size() == 1)
      GTEST_SKIP() << **ptxas << " is too old for " << GetParam() << ": its PTX is not assembled";
    ASSERT_EQ(images->size(), 2u);
    const KernelImage &cubin = images->back();
    EXPECT_EQ(cubin.format, ImageFormat::Cubin);
    EXPECT_EQ(textOf(cubin).substr(1, 3), "ELF");
    EXPECT_GT(cubin.registers, 0u);
    EXPECT_EQ(cubin.spillBytes, 0u);
  }
}

/// Ops that threads do together, in one kernel of tile IR.
constexpr const char *kExchanges = R"(module attributes {tile.num_warps = 4 : i32} {
  func.func @all(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %y: !tile.ptr<i32> {tile.divisibility = 16 : i64}, %h: !tile.ptr<f16>, %b: !tile.ptr<bf16>, %n: i32) attributes {tile.kernel} {
    %r = tile.arange 0 to 256 : tensor<256xi32>
    %xs = tile.splat %x : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
    %a = tile.addptr %xs, %r : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
    %v = tile.load %a : tensor<256x!tile.ptr<f32>> -> tensor<256xf32>
    %s = tile.scan %v axis 0 reverse : (tensor<256xf32>) -> tensor<256xf32> {
    ^bb0(%p: f32, %q: f32):
      %t = arith.addf %p, %q : f32
      tile.yield %t : f32
    }
    %ns = tile.splat %n : i32 -> tensor<256xi32>
    %m = arith.cmpi slt, %r, %ns : tensor<256xi32>
    %old = tile.atomic_rmw fadd %a, %s mask %m : tensor<256x!tile.ptr<f32>>, tensor<256xf32> mask tensor<256xi1>
    tile.store %a, %old : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
    %ys = tile.splat %y : !tile.ptr<i32> -> tensor<256x!tile.ptr<i32>>
    %ya = tile.addptr %ys, %r : tensor<256x!tile.ptr<i32>>, tensor<256xi32>
    %yv = tile.load %ya : tensor<256x!tile.ptr<i32>> -> tensor<256xi32>
    %g = tile.gather %s, %yv axis 0 : tensor<256xf32>, tensor<256xi32> -> tensor<256xf32>
    %hist = tile.histogram %yv mask %m : tensor<256xi32> mask tensor<256xi1> -> tensor<16xi32>
    %r16 = tile.arange 0 to 16 : tensor<16xi32>
    %ys16 = tile.splat %y : !tile.ptr<i32> -> tensor<16x!tile.ptr<i32>>
    %ya16 = tile.addptr %ys16, %r16 : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
    %o16 = tile.atomic_rmw umax %ya16, %hist order relaxed scope cta : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
    tile.store %ya16, %o16 : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
    tile.store %a, %g : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    scf.while : () -> () {
      %lock = tile.atomic_cas %y, %c0, %c1 order acquire : !tile.ptr<i32>, i32
      %taken = arith.cmpi eq, %lock, %c1 : i32
      scf.condition(%taken)
    } do {
      scf.yield
    }
    %one = arith.constant 1.0 : f16
    %ho = tile.atomic_rmw fadd %h, %one : !tile.ptr<f16>, f16
    %oneb = arith.constant 1.0 : bf16
    %bo = tile.atomic_rmw fadd %b, %oneb : !tile.ptr<bf16>, bf16
    tile.store %b, %bo : !tile.ptr<bf16>, bf16
    %un = tile.atomic_rmw xchg %y, %c0 order release : !tile.ptr<i32>, i32
    %j = tile.join %v, %g : tensor<256xf32> -> tensor<256x2xf32>
    %jr = tile.reshape %j : tensor<256x2xf32> -> tensor<512xf32>
    %r512 = tile.arange 0 to 512 : tensor<512xi32>
    %xs5 = tile.splat %x : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
    %a5 = tile.addptr %xs5, %r512 : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
    tile.store %a5, %jr : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
    %v5 = tile.load %a5 : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
    %v52 = tile.reshape %v5 : tensor<512xf32> -> tensor<256x2xf32>
    %e, %o = tile.split %v52 : tensor<256x2xf32> -> tensor<256xf32>
    %as = tile.inline_asm "add.f32 $0, $1, $2;", "=f,f,f" pack 1 pure (%e, %o) : (tensor<256xf32>, tensor<256xf32>) -> (tensor<256xf32>)
    tile.store %a, %as : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
    tile.print "value" (%e, %n) signed [1, 1] : tensor<256xf32>, i32
    tile.assert %m, "mask" : tensor<256xi1>
    %tab = arith.constant dense<[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]> : tensor<16xi32>
    tile.store %ya16, %tab : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
    return
  }
})";

TEST_P(Assembled, Exchanges) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk()) << ptxas.status().toString();
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set: PTX is not assembled";
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(kExchanges, context.get());
  ASSERT_TRUE(module);
  auto target = createTargets("cuda:" + GetParam());
  ASSERT_TRUE(target.isOk());
  auto images = target->front()->compile(*module, {});
  ASSERT_TRUE(images.isOk()) << images.status().toString();
  if (images->size() == 1)
    GTEST_SKIP() << **ptxas << " is too old for " << GetParam() << ": its PTX is not assembled";
  EXPECT_EQ(images->back().spillBytes, 0u);
}

TEST(PtxAssembler, MissingProgramIsAnError) {
  setenv("INLAY_PTXAS", "/nonexistent/ptxas", 1);
  auto ptxas = findPtxas();
  unsetenv("INLAY_PTXAS");
  ASSERT_FALSE(ptxas.isOk());
  EXPECT_EQ(ptxas.status().code(), StatusCode::NotFound);
  EXPECT_THAT(ptxas.status().message(), HasSubstr("'/nonexistent/ptxas'"));
}

/// A refusal of the user's text is reported at the kernel's line.
TEST(PtxAssembler, RefusedInlineAssemblyIsAnErrorAtItsPlace) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk()) << ptxas.status().toString();
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set: PTX is not assembled";
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
module attributes {tile.num_warps = 1 : i32} {
  func.func @kernel(%p: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %v = tile.load %p : !tile.ptr<f32> -> f32
    %good = tile.inline_asm "neg.f32 $0, $1;", "=f,f" pack 1 pure (%v) : (f32) -> f32 loc("user.py":7:9)
    %bad = tile.inline_asm "abs.f32 $0, $1;\n ex2.f32 $0, $0;", "=f, f" pack 1 pure (%good) : (f32) -> f32 loc("user.py":8:9)
    tile.store %p, %bad : !tile.ptr<f32>, f32
    return
  }
})",
                                                        context.get());
  ASSERT_TRUE(module);
  auto target = createTargets("cuda:sm_80");
  ASSERT_TRUE(target.isOk());
  auto images = target->front()->compile(*module, {});
  ASSERT_FALSE(images.isOk());
  EXPECT_THAT(images.status().message(),
              AllOf(HasSubstr("user.py:8:9: ptxas refuses this inline assembly for sm_80: .approx "
                              "modifier required for instruction 'ex2', in 'ex2.f32 "),
                    Not(HasSubstr("user.py:7"))));
}

TEST(PtxAssembler, ConstraintsThatDoNotFitAreErrors) {
  struct Row {
    const char *op, *reason;
  };
  for (const Row &row :
       {Row{R"("x;", "=f" pack 1 pure (%v) : (f32) -> f32)",
            "operand 0 of type 'f32' needs 1 registers with pack 1, but the constraints '=f' have "
            "too few inputs"},
        Row{R"("x;", "=f,f,f" pack 1 pure (%v) : (f32) -> f32)",
            "name 3 registers, but results and operands need 2"},
        Row{R"("x;", "=f,h" pack 1 pure (%v) : (f32) -> f32)",
            "passes 32 bits at a time with pack 1, but constraint 'h' is a register of 16"},
        Row{R"("x;", "=f,y" pack 1 pure (%v) : (f32) -> f32)",
            "entry 2 of the constraints, 'y', is not known"}}) {
    auto context = makeContext();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(std::string(R"(
module attributes {tile.num_warps = 1 : i32} {
  func.func @kernel(%p: !tile.ptr<f32>) attributes {tile.kernel} {
    %v = tile.load %p : !tile.ptr<f32> -> f32
    %r = tile.inline_asm )") + row.op + "\n tile.store %p, %r : !tile.ptr<f32>, f32\n return\n}\n}",
                                                          context.get());
    ASSERT_TRUE(module) << row.op;
    for (const char *name : {"cuda:sm_80", "cpu:x86-64-v3"}) {
      auto target = createTargets(name);
      ASSERT_TRUE(target.isOk());
      EXPECT_THAT(target->front()->compile(*module, {}).status().message(), HasSubstr(row.reason))
          << name;
    }
  }
}

TEST(PtxAssembler, WrongPtxIsAnErrorWithItsReport) {
  auto ptxas = findPtxas();
  ASSERT_TRUE(ptxas.isOk());
  if (!*ptxas)
    GTEST_SKIP() << "there is no ptxas in PATH and INLAY_PTXAS is not set";
  auto assembled = assemblePtx(**ptxas, ".version 7.4\n.target sm_80\nnonsense\n", "sm_80");
  ASSERT_FALSE(assembled.isOk());
  EXPECT_EQ(assembled.status().code(), StatusCode::Internal);
  EXPECT_THAT(assembled.status().message(), HasSubstr("nonsense"));
  // What it is too old for is none.
  auto unknown = assemblePtx(**ptxas, ".version 7.4\n.target sm_80\n", "sm_999");
  ASSERT_TRUE(unknown.isOk()) << unknown.status().toString();
  EXPECT_FALSE(unknown->has_value());
}

} // namespace
} // namespace inlay
