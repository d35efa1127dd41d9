// Signatures, whole kernels, and hostile files.
#include "compiler/frontends/triton/TestSupport.h"

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ImportKernel, TutorialKernel) {
  std::string ir = import(requestFromFile("add_one.py", "add_one_kernel", "*fp32:16, i32, *fp32:16",
                                          {{"BLOCK_SIZE", int64_t{256}}}));
  EXPECT_THAT(ir, AllOf(HasSubstr("tile.num_warps = 4 : i32"),
                        HasSubstr("func.func @add_one_kernel(%arg0: !tile.ptr<f32> "
                                  "{tile.divisibility = 16 : i64, tile.name = \"x_ptr\"}, "
                                  "%arg1: i32 {tile.name = \"n_elements\"}, %arg2: !tile.ptr<f32> "
                                  "{tile.divisibility = 16 : i64, tile.name = \"y_ptr\"}) "
                                  "attributes {tile.kernel}"),
                        HasSubstr("%9 = tile.load %8 mask %6 : tensor<256x!tile.ptr<f32>> mask "
                                  "tensor<256xi1> -> tensor<256xf32>"),
                        HasSubstr("%10 = arith.addf %9, %cst fastmath<contract> : tensor<256xf32>"),
                        HasSubstr("tile.store %12, %10 mask %6 : tensor<256x!tile.ptr<f32>>, "
                                  "tensor<256xf32> mask tensor<256xi1>")));
}

TEST(ImportKernel, KernelsFromFiles) {
  struct Row {
    std::string_view function, signature;
    std::map<std::string, ConstexprValue> constexprs;
    std::string_view expected;
  };
  const std::map<std::string, ConstexprValue> block{{"BLOCK", int64_t{128}}};
  const Row rows[] = {
      {"gelu_kernel", "*fp16, *fp16, i32", block, "math.erf"},
      {"gelu_tanh_kernel", "*bf16, *bf16, i32", block, "math.tanh"},
      {"silu_kernel", "*fp32, *fp32, i32", block, "math.exp"},
      {"swiglu_kernel", "*bf16, *bf16, *bf16, i32, i32", block, "math.exp"},
      {"add_2d_kernel",
       "*fp32, *fp32, *fp32, i32, i32, i32",
       {{"BLOCK_M", int64_t{16}}, {"BLOCK_N", int64_t{32}}},
       "tensor<16x32xf32>"},
      {"rotary_kernel",
       "*fp16, *fp32, *fp32, *fp16, i32, i32",
       {{"HALF", int64_t{32}}},
       "arith.subf"},
      {"bias_activation_kernel",
       "*fp16, *fp16, *fp16, i32, i32",
       {{"BLOCK", int64_t{64}}, {"ACTIVATION", std::string("relu")}},
       "arith.maxnumf"},
      {"bias_activation_kernel",
       "*fp16, *fp16, *fp16, i32, i32",
       {{"BLOCK", int64_t{64}}, {"ACTIVATION", std::string("")}},
       "arith.addf"},
      {"circ_pad_kernel",
       "*fp32, *fp32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32", block,
       "arith.remsi"},
      {"elementwise_mul_kernel", "*i32, *i32, *i32, i32", block, "arith.muli"},
      {"split_sign_kernel", "*fp32, *fp32, *fp32, i32", block, "arith.minnumf"},
      {"grid_stride_kernel", "*fp32, *fp32, i64", block, "scf.for"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(import(requestFromFile("pointwise.py", std::string(row.function), row.signature,
                                       row.constexprs)),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.function;
}

TEST(ImportKernel, SignatureTypes) {
  std::string ir = importBody("a, b, c, d, e, f, g",
                              "tl.store(a, tl.load(b) + c + d + e)\ntl.static_assert(f == 1)",
                              "*i64, *ki32:8, i32:16, u8, i64, i32:1, fp32");
  EXPECT_THAT(
      ir, AllOf(HasSubstr("%arg1: !tile.ptr<i32> {tile.divisibility = 8 : i64, tile.name = \"b\"}"),
                HasSubstr("%arg2: i32 {tile.divisibility = 16 : i64, tile.name = \"c\"}"),
                HasSubstr("%arg3: i8 {tile.name = \"d\", tile.signedness = \"unsigned\"}"),
                HasSubstr("%arg5: f32 {tile.name = \"g\"}"), Not(HasSubstr("\"f\""))));
  EXPECT_THAT(importBody("a, b: tl.constexpr = 3, c=4.5, *, d=7",
                         "tl.static_assert(b == 3 and c == 4.5 and d == 7)\ntl.store(a, b)",
                         "*i64"),
              StartsWith("module"));
  EXPECT_THAT(importBody("a, t: tl.constexpr, s: 'tl.constexpr'",
                         "tl.store(a, tl.full((), 1, t))\ntl.static_assert(s == 'x')", "*fp16",
                         {{"t", DataType::Float16}, {"s", std::string("x")}}),
              StartsWith("module"));
  EXPECT_THAT(
      importBody("a, B: tl.constexpr", "tl.store(a, B)", "*i32, constexpr", {{"B", int64_t{3}}}),
      StartsWith("module"));
}

TEST(ImportKernel, TuplesOfTheSignatureAreArgumentsOneByOne) {
  EXPECT_THAT(
      importBody("t, s, one",
                 "p, (q, n) = t\n"
                 "tl.static_assert(s[0] == 4 and s[2] is None and s[3] == -1 and s[4] == 0.5)\n"
                 "tl.static_assert(s[5] and s[6] == 1 and len(one) == 1)\n"
                 "tl.store(p, tl.load(q) + n + s[1] + one[0])",
                 "(*i32:16, (*ki32, i32)), (=4, i64, =None, =-1, =0.5, =True, i32:1), (i8,)"),
      AllOf(HasSubstr("%arg0: !tile.ptr<i32> {tile.divisibility = 16 : i64, "
                      "tile.name = \"t.0\"}"),
            HasSubstr("tile.name = \"t.1.0\""), HasSubstr("tile.name = \"t.1.1\""),
            HasSubstr("%arg3: i64 {tile.name = \"s.1\"}"),
            HasSubstr("%arg4: i8 {tile.name = \"one.0\"}")));
}

TEST(ImportKernel, SignatureErrors) {
  struct Row {
    std::string_view signature;
    std::map<std::string, ConstexprValue> constexprs;
    std::string_view expected;
  };
  const Row rows[] = {
      {"*fp32",
       {{"B", int64_t{4}}},
       "the signature has 1 entries (*fp32), but there is none for parameter 'n'"},
      {"*fp32, i32, i32",
       {{"B", int64_t{4}}},
       "but the kernel takes 2 run-time parameters; 'i32' is left over; the kernel is kernel(p, n, "
       "B: tl.constexpr)"},
      {"*fp32, i32", {}, "parameter 'B' is a tl.constexpr without a default and no value is given"},
      {"*fp32, i32",
       {{"B", int64_t{4}}, {"C", int64_t{4}}},
       "has no parameter 'C' to give a compile-time value to; its parameters are kernel(p, n, B: "
       "tl.constexpr)"},
      {"*float, i32",
       {{"B", int64_t{4}}},
       "signature entry '*float' of parameter 'p' is not a type"},
      {"*fp32, int32",
       {{"B", int64_t{4}}},
       "signature entry 'int32' of parameter 'n' is not a type"},
      {"*fp32:3, i32", {{"B", int64_t{4}}}, "after ':' a power of two is expected, not '3'"},
      {"*fp32, fp32:1", {{"B", int64_t{4}}}, "':1' (always equal to 1) is for integers"},
      {"*fp32, fp32:16", {{"B", int64_t{4}}}, "divisibility is for pointers and integers"},
      {", ", {{"B", int64_t{4}}}, "is not a type"},
      {"*fp32, (i32, i3)",
       {{"B", int64_t{4}}},
       "signature entry 'i3' of parameter 'n.1' is not a type"},
      {"*fp32, (i32", {{"B", int64_t{4}}}, "signature entry '(i32' of parameter 'n' has no ')'"},
      {"*fp32, (i32, =x)", {{"B", int64_t{4}}}, "'=x' is no value; expected a number, True, False"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importBody("p, n, B: tl.constexpr", "pass", row.signature, row.constexprs),
                AllOf(StartsWith("ERROR"), HasSubstr(row.expected)))
        << row.signature;
  KernelRequest missing =
      request("@triton.jit\ndef other(): pass\n@triton.jit\ndef third(): pass\n", "");
  EXPECT_EQ(import(missing),
            "ERROR test.py has no @triton.jit function 'kernel'; it has other, third");
  missing.source = "";
  EXPECT_EQ(import(missing),
            "ERROR test.py has no @triton.jit function 'kernel'; it has none at all");
}

TEST(ImportKernel, SplitSignature) {
  EXPECT_THAT(splitSignature("*fp32:16, i32 ,tensordesc<fp16[128, 64]>"),
              ElementsAre("*fp32:16", "i32", "tensordesc<fp16[128, 64]>"));
  EXPECT_THAT(splitSignature("  "), ElementsAre());
  EXPECT_THAT(splitSignature("i32,"), ElementsAre("i32", ""));
}

TEST(ImportKernel, DiagnosticsShowTheLineAndEveryError) {
  EXPECT_EQ(importBody("p, n", "x = tl.load(p) + foo\ny = libdevice.j2(n)", "*fp32, i32"),
            "ERROR test.py:4:22: error: name 'foo' is not defined\n"
            "        x = tl.load(p) + foo\n"
            "                         ^~~\n"
            "test.py:5:9: error: libdevice.j2 is not supported yet\n"
            "        y = libdevice.j2(n)\n"
            "            ^~~~~~~~~~~~~~~");
  // One mistake, one error: what depends on it is silent.
  std::string text = importBody("p, n",
                                "x = foo + 1\ny = x * 2\nif y > 3:\n    z = y\nfor i in "
                                "range(y):\n    n = y\ntl.store(p, y + n)",
                                "*fp32, i32");
  EXPECT_EQ(text.find("error:"), text.rfind("error:")) << text;
}

TEST(ImportKernel, DecoratorsAndLocations) {
  KernelRequest kernel = request(
      "@triton.autotune(configs=[triton.Config({'B': 4})], key=['n'])\n@triton.heuristics({'E': "
      "lambda args: args['n'] % 2})\n@triton.jit(do_not_specialize=['n'])\n"
      "def kernel(p, n, B: tl.constexpr):\n    tl.store(p, n)\n",
      "*i32, i32", {{"B", int64_t{4}}});
  std::vector<std::string> notes;
  kernel.notes = [&](std::string_view note) { notes.emplace_back(note); };
  EXPECT_THAT(import(kernel), StartsWith("module"));
  EXPECT_THAT(notes,
              ElementsAre(HasSubstr("'@triton.autotune' of kernel 'kernel' is passed over")));
  mlir::MLIRContext context;
  auto module = importKernel(context, kernel);
  ASSERT_TRUE(module.isOk());
  std::string text;
  llvm::raw_string_ostream stream(text);
  (**module)->print(stream, mlir::OpPrintingFlags().enableDebugInfo(true));
  EXPECT_THAT(text, HasSubstr("loc(\"test.py\":6:5)"));
}

TEST(ListKernels, NamesParametersAndErrors) {
  auto kernels =
      listKernels("k.py", "import triton\n@triton.jit\ndef a(x, B: tl.constexpr, c: 'tl.constexpr' "
                          "= 3): pass\ndef f(): pass\n@foo.jit\ndef g(y): return y\n"
                          "if x:\n  @triton.jit\n  def h(): pass\nw = triton.jit(f)\n");
  ASSERT_TRUE(kernels.isOk());
  ASSERT_EQ(kernels->size(), 4u);
  EXPECT_EQ((*kernels)[0].name, "a");
  EXPECT_EQ((*kernels)[0].line, 3);
  ASSERT_EQ((*kernels)[0].parameters.size(), 3u);
  EXPECT_FALSE((*kernels)[0].parameters[0].isConstexpr);
  EXPECT_TRUE((*kernels)[0].parameters[1].isConstexpr);
  EXPECT_TRUE((*kernels)[0].parameters[2].isConstexpr);
  EXPECT_TRUE((*kernels)[0].parameters[2].hasDefault);
  auto bad = listKernels("k.py", "@triton.jit\ndef a(x):\n    y = x +\n    z = (1\n    w = 2 "
                                 "2\n\n@triton.jit\ndef b(x):\n\ty = ]\n");
  ASSERT_FALSE(bad.isOk());
  EXPECT_THAT(
      bad.status().message(),
      AllOf(HasSubstr("k.py:3:12: error: expected an expression, found the end of the line"),
            HasSubstr(
                "k.py:9:6: error: expected an expression, found ']'\n    \ty = ]\n    \t    ^")));
}

TEST(ImportKernel, HostileKernels) {
  std::string deep = "x = " + std::string(100000, '(') + "1" + std::string(100000, ')');
  EXPECT_THAT(importBody("p", deep, "*i32"), HasSubstr("this is nested deeper than 200 levels"));
  std::string chain = "x = n";
  for (int i = 0; i < 100000; ++i)
    chain += " + 1";
  EXPECT_THAT(importBody("n", chain, "i32"),
              HasSubstr("this expression is deeper than 200 operations"));
  EXPECT_THAT(importBody("n", "x = " + std::string(100000, '-') + "n", "i32"),
              HasSubstr("nested deeper"));
  EXPECT_THAT(importBody(
                  "n",
                  "x = " +
                      [] {
                        std::string t;
                        for (int i = 0; i < 50000; ++i)
                          t += "not ";
                        return t;
                      }() +
                      "n",
                  "i32"),
              HasSubstr("nested deeper"));
  std::string ifs;
  for (int i = 0; i < 300; ++i)
    ifs += std::string(i, ' ') + "if n:\n";
  EXPECT_THAT(importBody("n", ifs + std::string(300, ' ') + "pass", "i32"),
              HasSubstr("nested deeper"));
  EXPECT_THAT(importBody("p", "for i in tl.static_range(1000000000):\n    tl.store(p, i)", "*i32"),
              HasSubstr("the kernel is too large"));
  EXPECT_THAT(importBody("p", "x = (1,) * 1000000000", "*i32"),
              HasSubstr("the repeated tuple is too long"));
  EXPECT_THAT(importBody("p", "tl.zeros((1048576, 2), tl.float32)", "*i32"),
              HasSubstr("more than the allowed 1048576 elements"));
  EXPECT_THAT(importBody("p", "x = '\\xZZ'", "*i32"),
              HasSubstr("is not followed by the digits of a character"));
  EXPECT_THAT(importBody("p", "x = f'{1 +}'", "*i32"), HasSubstr("ERROR"));
  EXPECT_THAT(importBody("p", "x = 'abc", "*i32"), HasSubstr("this string has no end"));
  EXPECT_THAT(importBody("p", "x = 12ab", "*i32"), HasSubstr("this is not a number"));
  EXPECT_THAT(importBody("p", "x = 1 ? 2", "*i32"), HasSubstr("ERROR"));
}

TEST(ImportKernel, BrokenPythonAroundAKernelDoesNotMatter) {
  constexpr std::string_view kernel = "\n@triton.jit\ndef kernel(p):\n    tl.store(p, 1)\n";
  for (std::string_view before :
       {"x = (1, [2\n", "x = 'unterminated\n", "?? $$ !!\n", "def f(:\n    pass\n",
        "class C:\n  def f(self: ...\n", "if x\n    y = 1\n",
        "match x:\n    case {'a': 1}:\n        pass\n", "x = yield\n", "\xff\xfe\n",
        "async def f():\n    await g()\n", "with open('x') as f, g() as h:\n    pass\n",
        "  indented = 1\n", "lambda: (yield)\n", "@decorated\n\nclass D: pass\n",
        "try:\n    import x\nexcept (A, B) as e:\n    pass\nelse:\n    y = 1\nfinally:\n    z = "
        "2\n",
        "for i in range(3): print(i)\nelse: pass\n", "x = f'{a!r:>{w}}' f\"{'nested'}\"\n",
        "\tx = 1\n\ty = 2\n"})
    EXPECT_THAT(import(request(std::string(before) + std::string(kernel), "*i32")),
                StartsWith("module"))
        << before;
}

} // namespace
} // namespace inlay::triton
