// Control flow, helpers, module-level names.
#include "compiler/frontends/triton/TestSupport.h"

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ControlFlow, ConstexprIfVisitsOnlyTheLiveBranch) {
  constexpr std::string_view body = "if FLAG:\n    x = 1.0\nelse:\n    x = undefined_name + "
                                    "tl.zeros((3,), tl.float32)\ntl.store(p, x)";
  EXPECT_THAT(importBody("p, FLAG: tl.constexpr", body, "*fp32", {{"FLAG", true}}),
              StartsWith("module"));
  EXPECT_THAT(importBody("p, FLAG: tl.constexpr", body, "*fp32", {{"FLAG", false}}),
              HasSubstr("name 'undefined_name' is not defined"));
  EXPECT_THAT(importBody("p, q, N: tl.constexpr",
                         "if q is not None and N % 2 == 0:\n    tl.store(p, tl.load(q))\nelif N == "
                         "3:\n    tl.store(p, 3.0)\nelse:\n    pass",
                         "*fp32", {{"N", int64_t{3}}, {"q", std::monostate{}}}),
              AllOf(HasSubstr("3.0"), Not(HasSubstr("tile.load"))));
}

TEST(ControlFlow, DynamicIfMergesNames) {
  std::string ir = importBody(
      "p, n", "x = 1\nif n > 3:\n    x = 2\n    y = x + n\nelse:\n    y = n\ntl.store(p, x + y)",
      "*i32, i32");
  EXPECT_THAT(ir, AllOf(StartsWith("module"), HasSubstr("arith.select")));
  ir = importBody(
      "p, n",
      "x = tl.load(p)\nif n > 3:\n    x = tl.load(p + 1)\n    tl.store(p, x)\ntl.store(p, x)",
      "*i32, i32");
  EXPECT_THAT(ir, AllOf(HasSubstr("scf.if"), HasSubstr("-> (i32)"), HasSubstr("scf.yield")));
}

TEST(ControlFlow, DynamicIfKeepsTypes) {
  EXPECT_THAT(importBody("p, n", "x = 1\nif n > 3:\n    x = 2.0\ntl.store(p, x)", "*fp32, i32"),
              HasSubstr("'x' must have one type before and in all branches of an 'if' on a "
                        "run-time condition, not i32 and fp32"));
  EXPECT_THAT(
      importBody("p, n", "if n > 3:\n    x = 2.0\nelse:\n    x = 1\ntl.store(p, x)", "*fp32, i32"),
      HasSubstr("'x' must have one type"));
  EXPECT_THAT(
      importBody("p, n", "if n > 3:\n    x = 2.0\ntl.store(p, x)", "*fp32, i32"),
      HasSubstr(
          "'x' is not defined here: it gets a value only in one branch of the 'if' in line 4"));
  EXPECT_THAT(importBody("p, n", "x = None\nif n > 3:\n    x = 2.0\ntl.store(p, x)", "*fp32, i32"),
              HasSubstr("'x' must have one type"));
  EXPECT_THAT(importBody("p, n", "if tl.arange(0, 4) > n:\n    tl.store(p, 1)", "*i32, i32"),
              HasSubstr("use tl.where to choose per element"));
}

TEST(ControlFlow, EarlyReturn) {
  std::string ir =
      importBody("p, n", "pid = tl.program_id(0)\nif pid >= n:\n    return\ntl.store(p + pid, 1.0)",
                 "*fp32, i32");
  EXPECT_THAT(ir, AllOf(HasSubstr("scf.if"), HasSubstr("tile.store"), Not(HasSubstr("ERROR"))));
  EXPECT_LT(ir.find("scf.if"), ir.find("tile.store"));
  // A return in a nested branch: what follows runs on every other way.
  ir = importBody("p, n",
                  "if n > 1:\n    tl.store(p, 1)\n    if n > 2:\n        return\n    tl.store(p, "
                  "2)\ntl.store(p, 3)",
                  "*i32, i32");
  EXPECT_THAT(ir, StartsWith("module"));
  EXPECT_THAT(importBody("p, n", "return 1", "*i32, i32"),
              HasSubstr("kernel 'kernel' returns 1, but a kernel returns nothing"));
  EXPECT_THAT(importBody("p, n", "for i in range(n):\n    if i > 2:\n        return", "*i32, i32"),
              HasSubstr("'return' under a run-time condition inside a loop is not supported"));
  EXPECT_THAT(importBody("p, n", "for i in range(n):\n    return", "*i32, i32"),
              HasSubstr("'return' inside a loop is not supported"));
}

TEST(ControlFlow, ForLoops) {
  std::string ir =
      importBody("p, o, n",
                 "i = tl.arange(0, 8)\nacc = tl.zeros((8,), tl.float32)\nfor k in range(0, n):\n   "
                 " acc += tl.load(p + k * 8 + i)\ntl.store(o + i, acc)",
                 "*fp32, *fp32, i32");
  EXPECT_THAT(ir, AllOf(HasSubstr("scf.for"), HasSubstr("iter_args"),
                        HasSubstr("-> (tensor<8xf32>)"), HasSubstr(": i32")));
  EXPECT_THAT(importBody("p, n", "for k in range(n):\n    tl.store(p + k, 1)", "*i32, i64"),
              HasSubstr("scf.for %arg2 = %c0_i64"));
  EXPECT_THAT(
      importBody("p, n",
                 "for k in tl.range(0, n, 2, num_stages=3, flatten=True):\n    tl.store(p + k, 1)",
                 "*i32, i32"),
      HasSubstr("tile.num_stages = 3 : i64"));
  // A negative step counts down.
  EXPECT_THAT(importBody("p, n", "for k in range(n, 0, -2):\n    tl.store(p + k, k)", "*i32, i32"),
              AllOf(HasSubstr("scf.for"), HasSubstr("step %c2_i32"), HasSubstr("arith.subi")));
  EXPECT_THAT(importBody("p, n", "for k in range(n):\n    x = k\ntl.store(p, x)", "*i32, i32"),
              HasSubstr("'x' is not defined here: it gets a value only inside the loop in line 4"));
  EXPECT_THAT(importBody("p, n",
                         "acc = 0.0\nfor k in range(n):\n    acc += tl.load(p + tl.arange(0, 4))",
                         "*fp32, i32"),
              HasSubstr("'acc' must keep its type through the loop: before it and after an "
                        "iteration it is fp32 and fp32[4]"));
  EXPECT_THAT(importBody("p, n", "for k in range(1.5):\n    pass", "*fp32, i32"),
              HasSubstr("the bounds of a range must be integer scalars, not fp32"));
  EXPECT_THAT(importBody("p, n", "for k in n:\n    pass", "*fp32, i32"),
              HasSubstr("'for' in a kernel runs over range"));
  EXPECT_THAT(importBody("p, n", "for k in range(n):\n    break", "*fp32, i32"),
              HasSubstr("'break' is not supported in kernels"));
}

TEST(ControlFlow, StaticRangeUnrolls) {
  std::string ir =
      importBody("p, N: tl.constexpr",
                 "for k in tl.static_range(N):\n    if k % 2 == 0:\n        tl.store(p + k, k)",
                 "*i32", {{"N", int64_t{5}}});
  EXPECT_THAT(ir, Not(HasSubstr("scf")));
  size_t stores = 0;
  for (size_t at = ir.find("tile.store"); at != std::string::npos;
       at = ir.find("tile.store", at + 1))
    ++stores;
  EXPECT_EQ(stores, 3u);
  EXPECT_THAT(importBody("p, n", "for k in tl.static_range(n):\n    pass", "*i32, i32"),
              HasSubstr("must be compile-time integers"));
}

TEST(ControlFlow, WhileLoops) {
  std::string ir =
      importBody("p, n", "i = 0\nwhile i < n:\n    tl.store(p + i, i)\n    i += 1\ntl.store(p, i)",
                 "*i32, i32");
  EXPECT_THAT(ir, AllOf(HasSubstr("scf.while"), HasSubstr("scf.condition")));
  EXPECT_THAT(importBody("p, n", "i = 0\nwhile i < n:\n    i = 1.5", "*i32, i32"),
              HasSubstr("'i' must keep its type through the loop"));
}

TEST(ControlFlow, ConditionalExpressions) {
  EXPECT_THAT(importBody("p, n", "x = 1 if n > 2 else 2\ntl.store(p, x)", "*i32, i32"),
              HasSubstr("arith.select"));
  EXPECT_THAT(importBody("p, n", "x = 1 if n > 2 else 2.0\ntl.store(p, x)", "*i32, i32"),
              HasSubstr("must have one type, not i32 and fp32"));
  EXPECT_THAT(importBody("p, n", "x = tl.load(p) if n > 2 else tl.load(p + 1)\ntl.store(p, x)",
                         "*i32, i32"),
              HasSubstr("scf.if"));
}

TEST(ControlFlow, Assignment) {
  EXPECT_THAT(importBody("p", "x: tl.constexpr = 8\ntl.store(p + tl.arange(0, x), 1)", "*i32"),
              StartsWith("module"));
  EXPECT_THAT(importBody("p", "x = 8\ntl.store(p + tl.arange(0, x), 1)", "*i32"),
              HasSubstr("'end' must be a compile-time integer, not a tensor of type i32; declare "
                        "the name as 'x: tl.constexpr'"));
  EXPECT_THAT(importBody("p", "x: tl.constexpr = 8\nx = 9", "*i32"),
              HasSubstr("'x' is a tl.constexpr and cannot be assigned again"));
  EXPECT_THAT(importBody("p", "x: tl.constexpr = tl.load(p)", "*i32"),
              HasSubstr("must be known at compile time"));
  EXPECT_THAT(importBody("p", "a, (b, c) = 1, (2, 3)\ntl.store(p, a + b + c)", "*i32"),
              StartsWith("module"));
  EXPECT_THAT(importBody("p", "a, b = 1, 2, 3", "*i32"),
              HasSubstr("2 targets cannot take a tuple of 3 elements"));
  EXPECT_THAT(importBody("p", "a = b = 1\ntl.store(p, a + b)", "*i32"), StartsWith("module"));
  EXPECT_THAT(importBody("p", "p[0] = 1", "*i32"), HasSubstr("use tl.store through a pointer"));
  EXPECT_THAT(
      importBody("p",
                 "shape = (4, 2)\nx = tl.zeros(shape, tl.int32)\ntl.static_assert(x.shape[0] == "
                 "4)\ntl.store(p + tl.arange(0, 8), x.reshape(8))",
                 "*i32"),
      StartsWith("module"));
  EXPECT_THAT(importBody("p", "tl.static_assert(1 > 2, 'never')", "*i32"),
              HasSubstr("static_assert failed: never"));
  EXPECT_THAT(importBody("p", "assert 1 > 2, 'never'", "*i32"),
              HasSubstr("assertion failed: never"));
}

constexpr std::string_view kHelpers = R"(
@triton.jit
def scale(x, factor=2, offset: tl.constexpr = 1):
    return x * factor + offset

@triton.jit
def divmod_(a, b):
    return a // b, a % b

@triton.jit
def apply(x, FN: tl.constexpr):
    return FN(x)

@triton.jit
def clipped(x, n):
    if n > 3:
        return x
    return -x

@triton.jit
def total(first, *rest):
    acc = first
    for i in tl.static_range(len(rest)):
        acc += rest[i]
    return acc

@triton.jit
def forever(n):
    return again(n)

@triton.jit
def again(n):
    return forever(n)

@triton.jit
def bad(x):
    y = x + 1
    return y + undefined_thing

def plain(x):
    return x

@triton.jit
def silly(x):
    if x > 0:
        return 1
    return 2.0
)";

std::string importWithHelpers(std::string_view body) {
  return import(request(fmt::format("{}\n@triton.jit\ndef kernel(p, n):\n    {}\n", kHelpers, body),
                        "*i32, i32"));
}

TEST(Helpers, AreSpecialisedAndInlined) {
  for (std::string_view body :
       {"tl.store(p, scale(n))", "tl.store(p, scale(n, offset=3, factor=n))",
        "q, r = divmod_(n, 3); tl.store(p, q + r)", "tl.store(p, apply(n, scale))",
        "tl.store(p, clipped(n, 5))", "t = (n, 2); tl.store(p, total(*t, 3))",
        "tl.store(p, scale(*(n, 4)))"})
    EXPECT_THAT(importWithHelpers(body), AllOf(StartsWith("module"), Not(HasSubstr("call"))))
        << body;
  EXPECT_THAT(importWithHelpers("tl.store(p, clipped(n, n))"), HasSubstr("scf.if"));
}

TEST(Helpers, Errors) {
  EXPECT_EQ(importWithHelpers("tl.store(p, bad(n))"),
            "ERROR test.py:39:16: error: name 'undefined_thing' is not defined\n"
            "        return y + undefined_thing\n"
            "                   ^~~~~~~~~~~~~~~\n"
            "test.py:52:17: note: in call of helper 'bad' here\n"
            "        tl.store(p, bad(n))\n"
            "                    ^~~~~~");
  std::string recursion = importWithHelpers("forever(n)");
  EXPECT_THAT(recursion, AllOf(HasSubstr("'forever' calls itself more than 64 levels deep"),
                               HasSubstr("in call of helper 'again' here"),
                               HasSubstr("in call of helper 'forever' here")));
  EXPECT_THAT(importWithHelpers("plain(n)"), HasSubstr("'plain' is a plain Python function"));
  EXPECT_THAT(importWithHelpers("scale()"),
              HasSubstr("'scale' needs an argument for its parameter 'x'"));
  EXPECT_THAT(importWithHelpers("scale(1, 2, 3, 4)"),
              HasSubstr("'scale' takes 3 arguments, not 4"));
  EXPECT_THAT(importWithHelpers("scale(1, y=3)"), HasSubstr("'scale' has no parameter 'y'"));
  EXPECT_THAT(importWithHelpers("scale(1, x=3)"),
              HasSubstr("parameter 'x' of 'scale' is given twice"));
  // The annotation tl.constexpr of a helper's parameter does not keep tensors out.
  EXPECT_THAT(importWithHelpers("tl.store(p, scale(1, offset=n))"), StartsWith("module"));
  EXPECT_THAT(importWithHelpers("silly(n)"),
              HasSubstr("the ways out of 'silly' return different things: i32 and fp32"));
}

TEST(ModuleScope, ConstantsAreEvaluatedWhenNeeded) {
  constexpr std::string_view source = R"(
from triton import language as L
import triton.language.math as tlm
from triton.language.extra.cuda.libdevice import tanh as fast_tanh
SIZE = 4 * 2
LOG2E: tl.constexpr = 1.4426950408889634
BIG = tl.constexpr(SIZE * 2)
KIND = torch.float16
NAMES = ("a", "b")
MODE = os.environ.get("INLAY_TEST_MODE", "fast")
alias = libdevice.tanh
BROKEN = compute_at_import_time(3)
try:
    from triton.language.extra.libdevice import pow
except ImportError:
    pow = None
if triton.__version__ >= "2.0":
    WHICH = 1
else:
    WHICH = 2
if torch.cuda.is_available():
    DEVICE = "cuda"
    OPTION = 1
else:
    OPTION = 2

def helper_(x):
    return x * SIZE
helper = triton.jit(helper_)

@triton.jit
def kernel(p, o):
    i = L.arange(0, SIZE)
    x = tl.load(p + i)
    y = alias(x) * LOG2E + tlm.exp2(x) + fast_tanh(x) + pow(x, 2.0)
    tl.static_assert(BIG == 16 and KIND == tl.float16 and NAMES[1] == "b" and MODE == "fast" and WHICH == 1)
    tl.store(o + i, helper(y).to(KIND) + OPTION)
)";
  KernelRequest kernel = request(source, "*fp32, *fp16");
  std::vector<std::string> notes;
  kernel.notes = [&](std::string_view note) { notes.emplace_back(note); };
  EXPECT_THAT(import(kernel), AllOf(StartsWith("module"), HasSubstr("math.tanh"),
                                    HasSubstr("math.exp2"), HasSubstr("math.powf")));
  EXPECT_THAT(notes, testing::ElementsAre(HasSubstr("'OPTION' is taken from the 'if' part")));
  KernelRequest broken =
      request(std::string(source) + "\n@triton.jit\ndef other(p):\n    tl.store(p, BROKEN)\n",
              "*fp32", {}, "other");
  EXPECT_THAT(import(broken),
              HasSubstr("'BROKEN' is needed here, but its value at module level is not known at "
                        "compile time: name 'compute_at_import_time' is not defined"));
}

TEST(ModuleScope, CyclesAndSelfReferencesEnd) {
  EXPECT_THAT(
      import(request("A = B\nB = A\n@triton.jit\ndef kernel(p):\n    tl.store(p, A)\n", "*i32")),
      StartsWith("ERROR"));
  EXPECT_THAT(import(request("A = 1\nA = A + 1\n@triton.jit\ndef kernel(p):\n    "
                             "tl.static_assert(A == 2)\n    tl.store(p, A)\n",
                             "*i32")),
              StartsWith("module"));
  EXPECT_THAT(import(request("A = A\n@triton.jit\ndef kernel(p):\n    tl.store(p, A)\n", "*i32")),
              StartsWith("ERROR"));
}

} // namespace
} // namespace inlay::triton
