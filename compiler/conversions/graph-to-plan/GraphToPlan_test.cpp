#include "compiler/conversions/graph-to-plan/GraphToPlan.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/plugins/Manifest.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <sstream>

namespace inlay {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kKernels = R"py(
import triton
import triton.language as tl

@triton.jit
def scale_kernel(x_ptr, n, factor, y_ptr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * factor, mask=mask)
)py";

constexpr std::string_view kManifest = R"toml(
[[plugin]]
op = "my::scale"
inputs = ["X"]
attributes = [{ name = "factor", type = "float" }]
outputs = [{ name = "Y", like = "X" }]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 256 }
grid = ["ceildiv(X.numel, BLOCK)"]
args = ["X", "X.numel", "factor", "Y"]
)toml";

constexpr std::string_view kGraph = R"mlir(
graph.model @m inputs ["x"] ["args[0]"] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "16"], "float32">):
  %y = graph.call "my::scale" node "scale_1" (%x) names ["X"] arguments {factor = 2.0 : f64} : (!graph.tensor<["s0", "16"], "float32">) -> !graph.tensor<["s0", "16"], "float32">
  graph.output %y : !graph.tensor<["s0", "16"], "float32">
}
)mlir";

/// Converts texts; the kernel and manifest files lie in a folder of this test.
class GraphToPlanTest : public testing::Test {
protected:
  GraphToPlanTest() {
    mlir::DialectRegistry registry;
    registry
        .insert<graph::GraphDialect, plan::PlanDialect, tile::TileDialect, mlir::func::FuncDialect,
                mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
    context_.appendDialectRegistry(registry);
    context_.loadAllAvailableDialects();
    EXPECT_TRUE(writeFileAtomically(folder_.path("kernels.py"), kKernels).isOk());
  }

  Result<PlanConversion> convert(std::string_view graph, std::string_view manifest,
                                 const ImplementationPolicies &policies = {},
                                 const std::vector<std::string> &targets = {}) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(llvm::StringRef(graph), &context_);
    if (!module)
      return Status(StatusCode::Internal, "the graph of the test does not parse");
    PluginRegistry plugins;
    auto definitions = readManifest(folder_.path("plugins.toml"), manifest);
    if (!definitions.isOk())
      return definitions.status();
    for (auto &definition : *definitions)
      if (Status status = plugins.add(std::move(definition)); !status.isOk())
        return status;
    return convertGraphToPlan(*module, plugins, policies, targets);
  }

  /// The plan's text without the bodies of its kernels, or the error.
  std::string planText(std::string_view graph, std::string_view manifest = kManifest,
                       const ImplementationPolicies &policies = {}) {
    Result<PlanConversion> conversion = convert(graph, manifest, policies);
    if (!conversion.isOk()) {
      std::string text = conversion.status().toString();
      for (size_t at; (at = text.find(folder_.path(""))) != std::string::npos;)
        text.erase(at, folder_.path("").size());
      return text;
    }
    std::string text;
    auto program = *conversion->module->getOps<plan::ProgramOp>().begin();
    for (mlir::Operation &op : program.getBody().front()) {
      llvm::raw_string_ostream stream(text);
      op.print(stream, mlir::OpPrintingFlags().skipRegions());
      stream << "\n";
    }
    // The hash of a kernel changes with every change of its code; that it does is tested elsewhere.
    return std::regex_replace(text, std::regex("hash \"[0-9a-f]{16}\""), "hash \"HASH\"");
  }

  static std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string result(text);
    size_t at = result.find(from), count = 0;
    for (; at != std::string::npos; at = result.find(from, at + to.size()), ++count)
      result.replace(at, from.size(), to);
    EXPECT_GT(count, 0u) << from;
    return result;
  }

  mlir::MLIRContext context_;
  TemporaryFolder folder_;
};

TEST_F(GraphToPlanTest, LaunchesTheKernelOfACall) {
  EXPECT_EQ(planText(kGraph),
            R"mlir(plan.symbol "s0" in 1 to 64 opt 8 from 0 dim 0
plan.input "x" "float32" ["s0", "16"] in @x path "args[0]"
plan.output "y" "float32" ["s0", "16"] in @y
plan.buffer @x input "64*s0"
plan.buffer @y output "64*s0"
plan.kernel @scale_kernel source "kernels.py:scale_kernel" signature ["*fp32:16", "i32:16", "fp32", "*fp32:16"] constexprs {BLOCK = 256 : i64} hash "HASH" {...}
plan.launch @scale_kernel grid ["ceildiv(16*s0, 256)", "1", "1"] arguments [@x, "16*s0", 2.000000e+00, @y] plugin "my::scale" node "scale_1" with "factor = 2.0"
)mlir");
}

TEST_F(GraphToPlanTest, CallsTheHostFunctionWherePoliciesSaySo) {
  const std::string both =
      replaced(kManifest, "op = \"my::scale\"",
               "op = \"my::scale\"\njit = true\njit_workspace = \"2 * X.size_bytes\"");
  EXPECT_THAT(planText(kGraph, both), HasSubstr("plan.launch @scale_kernel"));
  ImplementationPolicies policies;
  ASSERT_TRUE(policies.add("strict-jit").isOk());
  EXPECT_EQ(planText(kGraph, both, policies),
            R"mlir(plan.symbol "s0" in 1 to 64 opt 8 from 0 dim 0
plan.input "x" "float32" ["s0", "16"] in @x path "args[0]"
plan.output "y" "float32" ["s0", "16"] in @y
plan.buffer @x input "64*s0"
plan.buffer @y output "64*s0"
plan.buffer @scale_1.workspace workspace "128*s0"
plan.host_call "my::scale" inputs [@x] outputs [@y] dtypes ["float32", "float32"] shapes [["s0", "16"], ["s0", "16"]] attributes {factor = 2.000000e+00 : f64} workspace @scale_1.workspace node "scale_1"
)mlir");
  EXPECT_EQ(
      planText(kGraph, kManifest, policies),
      "INVALID_ARGUMENT: the build asks for strict-jit, but plugin my::scale (plugins.toml:2) "
      "has no host function (jit)");
  const std::string own =
      replaced(both, "jit = true", "jit = true\nimplementation = \"prefer-jit\"");
  EXPECT_THAT(planText(kGraph, own), HasSubstr("plan.host_call \"my::scale\""));
  Result<PlanConversion> conversion = convert(kGraph, own);
  ASSERT_TRUE(conversion.isOk());
  EXPECT_TRUE(conversion->implementations["scale_1"].isJit);
  EXPECT_EQ(conversion->implementations["scale_1"].reason, "prefer-jit of the plugin");
}

TEST_F(GraphToPlanTest, APluginMayHaveNoKernels) {
  const std::string_view launch = kManifest.substr(kManifest.find("[[plugin.launch]]"));
  const std::string only = replaced(replaced(kManifest, launch, ""), "op =", "jit = true\nop =");
  EXPECT_THAT(planText(kGraph, only), HasSubstr("plan.host_call \"my::scale\""));
  ImplementationPolicies policies;
  ASSERT_TRUE(policies.add("my::scale=strict-aot").isOk());
  EXPECT_EQ(planText(kGraph, only, policies),
            "INVALID_ARGUMENT: the build for my::scale asks for strict-aot, but plugin my::scale "
            "(plugins.toml:2) has no kernels (aot): it is a host function");
  EXPECT_THAT(planText(kGraph, replaced(only, "jit = true", "jit = false")),
              HasSubstr("key 'launch' is missing"));
  EXPECT_THAT(planText(kGraph, replaced(only, "jit = true", "jit = 1")),
              HasSubstr("'jit' is an integer; expected a boolean"));
  EXPECT_THAT(planText(kGraph, replaced(kManifest, "op =", "jit_workspace = \"4\"\nop =")),
              HasSubstr("jit_workspace is for plugins with jit = true"));
  EXPECT_THAT(
      planText(kGraph, replaced(only, "jit = true", "jit = true\nimplementation = \"aot\"")),
      HasSubstr("implementation: 'aot' is no policy; expected prefer-aot"));
}

TEST_F(GraphToPlanTest, FloatArgumentsMayDependOnSizes) {
  const std::string manifest =
      replaced(kManifest, "\"factor\", \"Y\"", "\"factor / sqrt(X.shape[0])\", \"Y\"");
  EXPECT_THAT(planText(kGraph, manifest),
              HasSubstr("arguments [@x, \"16*s0\", {float = \"(2.0 / sqrt(s0))\"}, @y]"));
  const std::string fixed = replaced(kGraph, "[\"s0\", \"16\"]", "[\"16\", \"16\"]");
  EXPECT_THAT(planText(fixed, manifest), HasSubstr("arguments [@x, \"256\", 5.000000e-01, @y]"));
}

TEST_F(GraphToPlanTest, IntegersBeyondTheirTypeAreErrorsOfTheBuild) {
  const std::string large = replaced(kGraph, "[\"s0\", \"16\"]", "[\"268435456\", \"16\"]");
  EXPECT_THAT(planText(large),
              HasSubstr("launch of scale_kernel: argument 'X.numel' has the value 4294967296, "
                        "outside the range of int32, -2147483648 to 2147483647; pass it as int64"));
  EXPECT_THAT(planText(large, replaced(kManifest, "\"X.numel\"", "\"u8(X.shape[1] * 16)\"")),
              HasSubstr("argument 'u8(X.shape[1] * 16)' has the value 256, outside the range of "
                        "uint8, 0 to 255"));
}

/// Two more plugins for my::scale beside kManifest's: for multiples of 4 elements, and for other
/// types.
constexpr std::string_view kVariants = R"toml(
[[plugin]]
op = "my::scale"
variant = "vector"
priority = 1
inputs = ["X"]
attributes = [{ name = "factor", type = "float" }]
outputs = [{ name = "Y", like = "X" }]
when = ["X.shape[0] % 4 == 0"]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 1024 }
grid = ["ceildiv(X.numel, BLOCK)"]
args = ["X", "X.numel", "factor", "Y"]

[[plugin]]
op = "my::scale"
variant = "half"
priority = 2
inputs = ["X"]
attributes = [{ name = "factor", type = "float" }]
outputs = [{ name = "Y", like = "X" }]
types = ["FP16|BF16, FP16|BF16"]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 512 }
grid = ["ceildiv(X.numel, BLOCK)"]
args = ["X", "X.numel", "factor", "Y"]
)toml";

class VariantsTest : public GraphToPlanTest {
protected:
  /// Which plugin serves the node "scale_1", and why others do not; or the error.
  std::string chosen(std::string_view graph, const std::string &manifest,
                     const std::vector<std::string> &targets = {}) {
    Result<PlanConversion> conversion = convert(graph, manifest, {}, targets);
    std::string text =
        conversion.isOk() ? conversion->plugins["scale_1"] : conversion.status().toString();
    if (conversion.isOk())
      for (const std::string &note : conversion->notes)
        text += "\n" + note;
    for (size_t at; (at = text.find(folder_.path(""))) != std::string::npos;)
      text.erase(at, folder_.path("").size());
    return text;
  }
};

TEST_F(VariantsTest, TakeTheFirstByPriorityThatServesTheNode) {
  const std::string manifest = std::string(kManifest) + std::string(kVariants);
  const std::string half = replaced(kGraph, "float32", "float16");
  EXPECT_EQ(chosen(half, manifest), "plugins.toml:29, variant 'half'");

  const std::string noHalf =
      "\npassed over: node scale_1 (my::scale, plugin at plugins.toml:29): its types are float32 "
      "-> "
      "float32; the plugin takes float16 -> float16; bfloat16 -> bfloat16, while converting node "
      "scale_1 (my::scale, plugin at plugins.toml:29)";
  const std::string fixed = replaced(kGraph, "[\"s0\", \"16\"]", "[\"8\", \"16\"]");
  EXPECT_EQ(chosen(fixed, manifest), "plugins.toml:14, variant 'vector'" + noHalf);
  EXPECT_THAT(planText(fixed, manifest), HasSubstr("{BLOCK = 1024 : i64}"));

  EXPECT_EQ(chosen(kGraph, manifest),
            "plugins.toml:2" + noHalf +
                "\npassed over: node scale_1 (my::scale, plugin at plugins.toml:14): its condition "
                "'X.shape[0] % 4 == 0' is not known to hold for all sizes: 0 == s0 % 4");
}

TEST_F(VariantsTest, OfStaticShapesAndOtherTargetsArePassedOver) {
  const std::string isStatic =
      std::string(kManifest) + replaced(kVariants, "when = [\"X.shape[0] % 4 == 0\"]",
                                        "static_shapes = true\ntargets = [\"cuda\"]");
  const std::string fixed = replaced(kGraph, "[\"s0\", \"16\"]", "[\"8\", \"16\"]");
  EXPECT_THAT(chosen(fixed, isStatic, {"cuda:sm_90a"}),
              StartsWith("plugins.toml:14, variant 'vector'"));
  EXPECT_THAT(chosen(kGraph, isStatic, {"cuda:sm_90a"}),
              testing::AllOf(StartsWith("plugins.toml:2\n"),
                             HasSubstr("plugin at plugins.toml:14): the plugin takes static shapes "
                                       "only; dimension 0 of input 0 is s0")));
  EXPECT_THAT(chosen(fixed, isStatic, {"cuda:sm_90a", "cpu:x86-64-v3"}),
              testing::AllOf(StartsWith("plugins.toml:2\n"),
                             HasSubstr("plugin at plugins.toml:14): the build is for "
                                       "cpu:x86-64-v3; the plugin takes cuda")));
  // Alone, it is refused with that reason.
  EXPECT_THAT(chosen(kGraph, replaced(kManifest, "inputs =", "static_shapes = true\ninputs =")),
              HasSubstr("the plugin takes static shapes only; dimension 0 of input 0 is s0"));
}

TEST_F(VariantsTest, RefuseANodeThatNoneServes) {
  const std::string odd = replaced(kGraph, "[\"s0\", \"16\"]", "[\"7\", \"16\"]");
  EXPECT_EQ(
      chosen(odd, std::string(kVariants)),
      "INVALID_ARGUMENT: node scale_1 (my::scale): none of the operator's 2 plugins serves "
      "it:\n  node scale_1 (my::scale, plugin at plugins.toml:17): its types are float32 -> "
      "float32; the plugin takes float16 -> float16; bfloat16 -> bfloat16, while converting "
      "node scale_1 (my::scale, plugin at plugins.toml:17)\n  node scale_1 (my::scale, plugin "
      "at plugins.toml:2): its condition 'X.shape[0] % 4 == 0' does not hold");
}

/// Beside kManifest's, plugins that write in place.
constexpr std::string_view kInPlace = R"toml(
[[plugin]]
op = "my::increment"
inputs = ["X"]
outputs = [{ name = "Y", aliased = "X" }]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 256 }
grid = ["ceildiv(X.numel, BLOCK)"]
args = ["X", "X.numel", 3.0, "Y"]

[[plugin]]
op = "my::both"
inputs = ["X", "Y"]
outputs = [{ name = "A", aliased = "Y" }, { name = "B", aliased = "X" }]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 256 }
grid = ["ceildiv(X.numel, BLOCK)"]
args = ["A", "X.numel", 3.0, "B"]
)toml";

class InPlaceTest : public GraphToPlanTest {
protected:
  /// The copies and launches of a graph, without what they have in common; or the error. In `calls`
  /// T stands for the type of all tensors.
  std::string steps(std::string_view calls, std::string_view outputs = R"("y")") {
    const std::string type = "!graph.tensor<[\"s0\"], \"float32\">";
    std::string graph =
        "graph.model @m inputs [\"x\"] [\"\"] outputs [" + std::string(outputs) + "] [" +
        (outputs.find(',') == std::string_view::npos ? "\"\"" : "\"\", \"\"") +
        "] symbols [{name = \"s0\", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {\n"
        "^bb0(%x: T):\n" +
        std::string(calls) + "}\n";
    graph = std::regex_replace(graph, std::regex("\\bT\\b"), type);
    const std::string text = planText(graph, std::string(kManifest) + std::string(kInPlace));
    std::string result;
    for (std::istringstream lines(text); std::getline(lines, line_);)
      if (!line_.starts_with("plan.") || line_.starts_with("plan.copy"))
        result += line_ + "\n";
      else if (line_.starts_with("plan.launch"))
        result += line_.substr(line_.find("arguments")) + "\n";
    // What the nodes' attributes are is another test's business.
    return std::regex_replace(result, std::regex(" with \"[^\n]*"), "");
  }

private:
  std::string line_;
};

constexpr const char *kScale =
    R"(%t = graph.call "my::scale" node "scale" (%x) names ["X"] arguments {factor = 2.0 : f64} : (T) -> T
)";

TEST_F(InPlaceTest, TakesOverWhatNobodyReadsAfterwards) {
  // Even what the first call writes then lies in the output.
  EXPECT_EQ(steps(std::string(kScale) + R"(
  %u = graph.call "my::increment" node "first" (%t) names ["X"] arguments {} : (T) -> T
  %y = graph.call "my::increment" node "second" (%u) names ["X"] arguments {} : (T) -> T
  graph.output %y : T
)"),
            R"(arguments [@x, "s0", 2.000000e+00, @y] plugin "my::scale" node "scale"
arguments [@y, "s0", 3.000000e+00, @y] plugin "my::increment" node "first"
arguments [@y, "s0", 3.000000e+00, @y] plugin "my::increment" node "second"
)");
}

TEST_F(InPlaceTest, CopiesWhatIsReadLater) {
  EXPECT_EQ(steps(std::string(kScale) + R"(
  %y = graph.call "my::increment" node "first" (%t) names ["X"] arguments {} : (T) -> T
  %z = graph.call "my::increment" node "second" (%t) names ["X"] arguments {} : (T) -> T
  graph.output %y, %z : T, T
)",
                  R"("y", "z")"),
            R"(arguments [@x, "s0", 2.000000e+00, @z] plugin "my::scale" node "scale"
plan.copy @z to @y
arguments [@y, "s0", 3.000000e+00, @y] plugin "my::increment" node "first"
arguments [@z, "s0", 3.000000e+00, @z] plugin "my::increment" node "second"
)");
}

TEST_F(InPlaceTest, CopiesInputsOutputsAndConstants) {
  EXPECT_EQ(steps(R"(
  %y = graph.call "my::increment" node "first" (%x) names ["X"] arguments {} : (T) -> T
  graph.output %y : T
)"),
            R"(plan.copy @x to @y
arguments [@y, "s0", 3.000000e+00, @y] plugin "my::increment" node "first"
)");
  EXPECT_EQ(steps(std::string(kScale) + R"(
  %u = graph.call "my::increment" node "first" (%t) names ["X"] arguments {} : (T) -> T
  graph.output %u, %t : T, T
)",
                  R"("u", "t")"),
            R"(arguments [@x, "s0", 2.000000e+00, @t] plugin "my::scale" node "scale"
plan.copy @t to @u
arguments [@u, "s0", 3.000000e+00, @u] plugin "my::increment" node "first"
)");
  EXPECT_EQ(steps(R"(
  %c = graph.constant "c" dense<0> : tensor<32xi8> : !graph.tensor<["8"], "float32">
  %y = graph.call "my::increment" node "first" (%c) names ["X"] arguments {} : (!graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  graph.output %y : !graph.tensor<["8"], "float32">
)"),
            R"(plan.copy @c to @y
arguments [@y, "8", 3.000000e+00, @y] plugin "my::increment" node "first"
)");
}

TEST_F(InPlaceTest, GivesEachOfTwoOutputsItsOwnMemory) {
  EXPECT_EQ(steps(std::string(kScale) + R"(
  %y, %z = graph.call "my::both" node "both" (%t, %t) names ["X", "Y"] arguments {} : (T, T) -> (T, T)
  graph.output %y, %z : T, T
)",
                  R"("y", "z")"),
            R"(arguments [@x, "s0", 2.000000e+00, @scale] plugin "my::scale" node "scale"
plan.copy @scale to @y
plan.copy @scale to @z
arguments [@y, "s0", 3.000000e+00, @z] plugin "my::both" node "both"
)");
}

class ComputedSizesTest : public GraphToPlanTest {
protected:
  /// What converting a call of a plugin with a size "count" says, that plugin having one thing
  /// replaced.
  std::string converted(std::string_view from = "", std::string_view to = "",
                        std::string_view type = R"(!graph.tensor<["u0"], "float32">)") {
    constexpr std::string_view kPlugin = R"toml(
[[plugin]]
op = "my::select"
inputs = ["X"]
sizes = [{ name = "count", max = "X.numel" }]
outputs = [{ name = "Y", shape = ["count"], dtype = "X.dtype" }]

[[plugin.launch]]
kernel = "kernels.py:scale_kernel"
constexprs = { BLOCK = 256 }
grid = [1]
args = ["X", "X.numel", 3.0, "Y"]
)toml";
    const std::string graph =
        "graph.model @m inputs [\"x\"] [\"\"] outputs [\"y\"] [\"\"] symbols [{name = \"s0\", min "
        "= "
        "1 : i64, max = 64 : i64, opt = 8 : i64}, {name = \"u0\", min = 0 : i64, max = "
        "9223372036854775807 : i64, opt = 0 : i64}] checks [] {\n^bb0(%x: "
        "!graph.tensor<[\"s0\"], \"float32\">):\n%y = graph.call \"my::select\" node \"n\" (%x) "
        "names [\"X\"] arguments {} : (!graph.tensor<[\"s0\"], \"float32\">) -> " +
        std::string(type) + "\ngraph.output %y : " + std::string(type) + "\n}\n";
    return planText(graph, from.empty() ? std::string(kPlugin) : replaced(kPlugin, from, to));
  }
};

TEST_F(ComputedSizesTest, AreReadAfterTheLaunches) {
  EXPECT_THAT(converted(), HasSubstr("plan.computed \"u0\" bound \"s0\" max 64 opt 8"));
  EXPECT_THAT(converted(), HasSubstr("plan.read_size \"u0\" from @n.count \"int32\""));
}

TEST_F(ComputedSizesTest, AreNotKnownToTheirOwnLaunches) {
  EXPECT_THAT(converted("grid = [1]", "grid = [\"count\"]"),
              HasSubstr("'count' is known only after the kernels have run, and is no number here; "
                        "a kernel writes it, by the argument \"count\""));
  EXPECT_THAT(converted("grid = [1]", "grid = [\"Y.numel\"]"),
              HasSubstr("launch of scale_kernel needs u0, the size 'count', which is known only "
                        "after the launches of this node"));
  EXPECT_THAT(converted("\"X.numel\", 3.0", "\"Y.shape[0]\", 3.0"),
              HasSubstr("needs u0, the size 'count'"));
}

TEST_F(ComputedSizesTest, AreSymbolsOfTheirOwn) {
  EXPECT_THAT(converted("", "", R"(!graph.tensor<["s0"], "float32">)"),
              HasSubstr("output 0: dimension 0 is the computed size 'count', but the model "
                        "recorded s0, which is no size of its own that depends on data"));
  EXPECT_THAT(converted("shape = [\"count\"]", "shape = [\"2 * count\"]"),
              HasSubstr("the computed size 'count' is no dimension of an output"));
  EXPECT_THAT(converted("sizes = [{ name = \"count\", max = \"X.numel\" }]\noutputs = [{ name = "
                        "\"Y\", shape = [\"count\"]",
                        "outputs = [{ name = \"Y\", shape = [\"X.numel\"]"),
              HasSubstr("output 0: dimension 0 is described as s0, but the model recorded u0"));
}

TEST_F(InPlaceTest, RefusesOtherTypesAndShapes) {
  constexpr const char *kCall = R"(
  %y = graph.call "my::increment" node "first" (%x) names ["X"] arguments {} : (T) -> OTHER
  graph.output %y : OTHER
)";
  EXPECT_EQ(steps(replaced(kCall, "OTHER", R"(!graph.tensor<["s0"], "float16">)")),
            "INVALID_ARGUMENT: node first (my::increment, plugin at plugins.toml:14): output 0 is "
            "described as float32, but the model recorded float16\n");
  // The same for all sizes that are possible, but not known to be.
  const std::string same = parseExpr("min(s0, 100)")->toString();
  EXPECT_EQ(steps(replaced(kCall, "OTHER", "!graph.tensor<[\"" + same + "\"], \"float32\">")),
            "INVALID_ARGUMENT: node first (my::increment, plugin at plugins.toml:14): output 0 is "
            "aliased to input 'X', whose shape is [s0], but its own is [" +
                same + "]\n");
}

} // namespace
} // namespace inlay
