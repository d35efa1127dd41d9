#include "compiler/frontends/pt2/Pt2Import.h"

#include "compiler/dialects/graph/Graph.h"
#include "compiler/frontends/pt2/TestArchive.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <regex>

namespace inlay::pt2 {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Pt2Import : public testing::Test {
protected:
  Pt2Import()
      : handler_(&context_, [this](mlir::Diagnostic &) {
          ++numDiagnostics_;
          return mlir::success();
        }) {}

  Result<mlir::OwningOpRef<mlir::ModuleOp>> import(const std::string &path) {
    return importPt2(context_, path);
  }
  Result<mlir::OwningOpRef<mlir::ModuleOp>> import(const std::vector<TestMember> &members) {
    return import(write(makeZip(members)));
  }
  std::string write(std::span<const std::byte> bytes) {
    const std::string path =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".pt2";
    // A file that is cut and written anew is flushed to the disk by some file systems.
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  /// The test program with a part replaced.
  Result<mlir::OwningOpRef<mlir::ModuleOp>> importWith(std::string_view from, std::string_view to) {
    return import(testMembers(replaced(testProgramJson(), from, to)));
  }
  /// The model's text without its data.
  std::string textOf(const std::string &path) {
    auto module = import(path);
    EXPECT_TRUE(module.isOk()) << module.status().toString();
    return module.isOk() ? print(**module) : "";
  }
  static std::string print(mlir::ModuleOp module, bool withData = false) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    mlir::OpPrintingFlags flags;
    module.print(stream, withData ? flags : flags.elideLargeResourceString(0));
    return text;
  }
  static graph::ModelOp modelOf(Result<mlir::OwningOpRef<mlir::ModuleOp>> &module) {
    EXPECT_TRUE(module.isOk()) << module.status().toString();
    return module.isOk() ? *(*module)->getOps<graph::ModelOp>().begin() : graph::ModelOp();
  }
  /// Whatever a file holds, it is imported or refused with a message, never an error of our own.
  void expectImportedOrRefused(const std::string &path) {
    auto module = import(path);
    if (module.isOk())
      return;
    EXPECT_NE(module.status().code(), StatusCode::Internal) << module.status().toString();
    EXPECT_THAT(module.status().message(), HasSubstr(path));
  }

  mlir::MLIRContext context_;
  mlir::ScopedDiagnosticHandler handler_;
  int numDiagnostics_ = 0;
};

TEST_F(Pt2Import, ModelsOfPyTorchBecomeGraphs) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"add_one",
       {R"(graph.model @add_one inputs ["X"] ["[0][0]"] outputs ["add_one"] [""] symbols [] checks [])",
        R"(graph.call "my::add_one" node "add_one"(%arg0) names ["X"] arguments {} : (!graph.tensor<["64", "64"], "float32">) -> !graph.tensor<["64", "64"], "float32">)",
        R"(graph.output %0 : !graph.tensor<["64", "64"], "float32">)"}},
      {"add_one_dynamic",
       {R"(symbols [{max = 65536 : i64, min = 1 : i64, name = "s29", opt = 1000 : i64}])",
        R"((!graph.tensor<["s29"], "float32">) -> !graph.tensor<["s29"], "float32">)"}},
      {"add_one_dynamic2d",
       {R"(symbols [{max = 64 : i64, min = 1 : i64, name = "s29", opt = 8 : i64}, {max = 128 : i64, min = 2 : i64, name = "s27", opt = 16 : i64}])",
        R"(^bb0(%arg0: !graph.tensor<["s29", "s27"], "float32">):)"}},
      {"add_one_fp16", {R"(^bb0(%arg0: !graph.tensor<["33", "7"], "float16">):)"}},
      {"add_one_triton_op",
       {R"(inputs ["x"] ["[0][0]"] outputs ["add_one_t"] [""])", R"(graph.call "my::add_one_t")"}},
      {"circ_pad",
       {R"(arguments {pads = [1, 2, 3, 4]} : (!graph.tensor<["2", "3", "8", "9"], "float32">) -> !graph.tensor<["2", "3", "15", "12"], "float32">)"}},
      {"circ_pad_dynamic",
       {R"(symbols [{max = 64 : i64, min = 1 : i64, name = "s77", opt = 2 : i64}, {max = 64 : i64, min = 4 : i64, name = "s53", opt = 8 : i64}])",
        R"((!graph.tensor<["s77", "3", "s53", "9"], "float32">) -> !graph.tensor<["s77", "3", "s53 + 7", "12"], "float32">)"}},
      {"dict_io",
       {R"(inputs ["batch['pair'][0]", "batch['pair'][1]"] ["[0][0]['pair'][0]", "[0][0]['pair'][1]"])",
        R"(outputs ["sum", "mul", "relu", "argmax"] ["['sum']", "['parts'][0]", "['parts'][1][0]", "['parts'][1][1]"])",
        R"(graph.call "aten::argmax" node "argmax"(%arg0) names ["self"] arguments {dim = -1 : i64})",
        R"(-> !graph.tensor<["3"], "int64">)"}},
      {"elementwise_mul_f32",
       {R"(inputs ["lhs", "rhs"] ["[0][0]", "[0][1]"])",
        R"(graph.call "torchtrt_ex::elementwise_mul" node "elementwise_mul"(%arg0, %arg1) names ["X", "Y"])"}},
      {"elementwise_mul_i32", {R"(!graph.tensor<["256", "256"], "int32">)"}},
      // A buffer that the model changes: its new value after the run. An element of a list that is
      // None has no operand.
      {"kv_cache.core",
       {R"(names ["self", "indices[0]", "values"])",
        R"(graph.update %0 with %2 : <["4", "8"], "float32">, <["4", "8"], "float32">)"}},
      // None among operands is a name without a value; sequences of numbers are arrays.
      {"cnn",
       {R"(graph.call "aten::conv2d" node "conv2d"(%arg0, %0) names ["input", "weight"] arguments {bias, padding = [1, 1], stride = [1, 1]})",
        R"(graph.constant "b1.num_batches_tracked" dense_resource<b1.num_batches_tracked> : tensor<8xi8> : <[], "int64">)"}},
      // A buffer that is not in the state dictionary has its first value all the same.
      {"kv_cache",
       {R"(graph.constant "scratch" dense_resource<scratch> : tensor<32xi8> : <["8"], "float32">)",
        R"(%2 = graph.call "aten::index_copy" node "index_copy_"(%0, %arg1, %arg0))",
        R"(graph.update %0 with %2 : <["4", "8"], "float32">, <["4", "8"], "float32">)"}},
      {"mlp",
       {R"(graph.call "aten::linear" node "linear"(%arg0, %0, %1) names ["input", "weight", "bias"] arguments {} : (!graph.tensor<["s77", "96"], "float32">)",
        R"(graph.output %10 : !graph.tensor<["s77", "10"], "float32">)"}},
      {"rms_block",
       {R"(graph.call "sample::rms_norm" node "rms_norm"(%arg0, %0) names ["X", "W"] arguments {eps = 9.9999999999999995E-7 : f64})"}},
      {"tiny_lm",
       {R"(^bb0(%arg0: !graph.tensor<["s23", "s27"], "int64">):)",
        R"(graph.constant "e.weight" dense_resource<e.weight> : tensor<65536xi8> : <["256", "64"], "float32">)"}},
      {"odd_T",
       {R"(%1:3 = graph.call "aten::split_with_sizes")",
        R"(%2 = graph.call "aten::clone" node "lift_fresh_copy"(%0))",
        R"(names ["self", "indices[1]"] arguments {"indices[0]"})",
        R"(names ["self", "indices[0]"] arguments {} :)",
        R"(graph.plain_outputs = [{path = "['n']", value = 4 : i64}])"}},
      {"tri_hop",
       {R"("higher_order::triton_kernel_wrapper_functional")", R"(names ["args[0]", "args[)"}},
      {"weights_T", {R"(graph.plain_outputs = [{path = "[5]", value}])"}},
      {"nograd_T",
       {R"(%0 = graph.call "aten::mul.Tensor" node "mul.mul"(%arg0))",
        R"(%1 = graph.call "aten::add.Tensor" node "add"(%0))"}},
      {"odd_dyn_T",
       {R"(arguments {shape = [#graph.expr<"2*s77">, -1]})",
        R"(arguments {dim = 0 : i64, end = #graph.expr<"s77">, start})",
        R"(graph.plain_outputs = [{path = "['n']", value = #graph.expr<"s77">}])"}},
      {"state_T",
       {R"(%1 = graph.call "aten::add.Tensor" node "add_"(%0, %arg0))",
        R"(%2 = graph.call "aten::mul.Tensor" node "mul"(%1))", "graph.update %0 with %1"}},
      {"tri_mut_F",
       {R"(%1 = graph.call "my::inc_" node "auto_functionalized_v2"(%0) names ["X"])"}},
      {"tri_mut_T",
       {R"(%1 = graph.call "my::inc_" node "inc_"(%0) names ["X"])", "graph.output %1"}},
      {"mixed_add_one",
       {R"(graph.constant "fc1.weight" dense_resource<fc1.weight> : tensor<32768xi8> : <["128", "64"], "float32">)",
        R"(graph.call "aten::layer_norm" node "layer_norm"(%9, %4, %5) names ["input", "weight", "bias"] arguments {cudnn_enable = false, eps = 1.000000e-05 : f64, normalized_shape = [32]})",
        R"(graph.output %11 : !graph.tensor<["s77", "32"], "float32">)"}},
      // A size that depends on data is a symbol, whose range the exporter recorded.
      {"non_zero",
       {R"(symbols [{max = 9223372036854775807 : i64, min = 0 : i64, name = "u0", opt = 0 : i64}])",
        R"(graph.call "sample::non_zero_plugin" node "non_zero_plugin"(%arg0) names ["X"] arguments {} : (!graph.tensor<["16", "16"], "float32">) -> !graph.tensor<["u0", "2"], "int32">)"}},
      // What the caller leaves out is left to the plugin's defaults.
      {"cond_T", {R"(graph.call "aten::where.self" node "cond.0")"}},
      {"scale_mul_defaults", {R"(names ["X", "Y"] arguments {} :)"}},
      {"scale_mul_kwargs",
       {R"(names ["X", "Y"] arguments {a = 3 : i64, b = 1.000000e+00 : f64} :)"}},
      {"split_sign_dict",
       {R"(outputs ["pos", "neg"] ["['pos']", "['neg']"])",
        R"(%0:2 = graph.call "sample::split_sign" node "split_sign"(%arg0) names ["X"])",
        R"(graph.call "aten::mul.Tensor" node "mul"(%0#0) names ["self"] arguments {other = 2 : i64})",
        R"(graph.call "aten::sub.Tensor" node "sub"(%0#1) names ["self"] arguments {other = 1 : i64})"}}};
  for (const auto &[name, parts] : expected) {
    const std::string text = textOf("tests/models/" + name + ".pt2");
    for (const std::string &part : parts)
      EXPECT_THAT(text, HasSubstr(part)) << name;
  }
  for (const std::string &path : modelPaths()) {
    const std::string name = std::filesystem::path(path).stem().string();
    EXPECT_TRUE(expected.contains(name)) << "no expectation of " << path;
  }
  EXPECT_EQ(numDiagnostics_, 0);
}

/// What is imported can be printed and read again.
TEST_F(Pt2Import, TextReadsBack) {
  for (const char *name : {"add_one_dynamic", "mixed_add_one", "dict_io"}) {
    auto module = import(std::string("tests/models/") + name + ".pt2");
    ASSERT_TRUE(module.isOk()) << module.status().toString();
    const std::string text = print(**module, /*withData=*/true);
    mlir::MLIRContext other;
    other.loadDialect<graph::GraphDialect>();
    auto again = mlir::parseSourceString<mlir::ModuleOp>(text, &other);
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(print(*again, /*withData=*/true), text) << name;
  }
}

TEST_F(Pt2Import, CallsAndConstantsKeepNamesDataAndPlace) {
  auto module = import(testMembers());
  graph::ModelOp model = modelOf(module);
  ASSERT_TRUE(model);
  const std::string text = print(**module);
  EXPECT_THAT(
      text,
      AllOf(
          HasSubstr(R"(inputs ["x"] ["[0][0]"] outputs ["out"] ["['out']"])"),
          HasSubstr(R"({max = 64 : i64, min = 2 : i64, name = "s0", opt = 8 : i64})"),
          HasSubstr(
              R"("my::f" node "f"(%arg0, %0) names ["X", "W"] arguments {mode = "fast", steps = [1, 2]})"),
          HasSubstr(R"(-> !graph.tensor<["s0 + 2", "4"], "float32">)")));
  auto constant = *model.getBlock().getOps<graph::ConstantOp>().begin();
  EXPECT_EQ(constant.getName(), "fc.weight");
  auto data = llvm::cast<mlir::DenseResourceElementsAttr>(constant.getData());
  EXPECT_EQ(data.getRawHandle().getBlob()->getData().size(), 24u);
  const auto *floats =
      reinterpret_cast<const float *>(data.getRawHandle().getBlob()->getData().data());
  EXPECT_THAT(std::vector<float>(floats, floats + 6), ElementsAre(0, 1, 2, 3, 4, 5));
  // The innermost frame, without the folder of whoever exported.
  auto call = *model.getBlock().getOps<graph::CallOp>().begin();
  auto location = llvm::cast<mlir::FileLineColLoc>(call.getLoc());
  EXPECT_EQ(location.getFilename().getValue(), "model.py");
  EXPECT_EQ(location.getLine(), 7u);
}

TEST_F(Pt2Import, ArgumentsOfEveryKind) {
  const std::pair<const char *, const char *> literals[] = {
      {R"({"as_none": true})", "arguments {mode, steps"},
      {R"({"as_bool": false})", "{mode = false, "},
      {R"({"as_int": -9223372036854775808})", "{mode = -9223372036854775808 : i64, "},
      {R"({"as_float": 0.1})", "{mode = 1.000000e-01 : f64, "},
      {R"({"as_float": "-Infinity"})", "{mode = 0xFFF0000000000000 : f64, "},
      {R"({"as_string": "a\"\\b\n"})", R"({mode = "a\22\\b\0A", )"},
      {R"({"as_scalar_type": 6})", R"({mode = #graph.dtype<"float16">, )"},
      {R"({"as_bools": [true]})", "{mode = [true], "},
      {R"({"as_ints": []})", "{mode = [], "},
      {R"({"as_tensors": []})", "{mode = [], "},
      {R"({"as_floats": [1]})", "{mode = [1.000000e+00], "},
      {R"({"as_strings": ["a", "b"]})", R"({mode = ["a", "b"], )"},
      {R"({"as_sym_int": {"as_int": 3}})", "{mode = 3 : i64, "},
      {R"({"as_sym_ints": [{"as_int": 3}, {"as_int": 4}]})", "{mode = [3, 4], "},
      {R"({"as_optional_tensors": []})", "{mode = [], "},
      {R"({"as_optional_tensors": [{"as_none": true}]})", R"({"mode[0]", steps)"},
      {R"({"as_tensors": [{"name": "x"}, {"name": "p_weight"}]})",
       R"(names ["X", "W", "mode[0]", "mode[1]"])"},
      {R"({"as_device": {"type": "cuda", "index": 0}})", R"({mode = "cuda:0", )"}};
  for (const auto &[json, text] : literals) {
    auto module = importWith(R"({"as_string": "fast"})", json);
    ASSERT_TRUE(module.isOk()) << json << module.status().toString();
    EXPECT_THAT(print(**module), HasSubstr(text)) << json;
  }
  // A symbolic integer that turned out constant is a literal.
  std::string program = replaced(testProgramJson(), R"({"as_string": "fast"})",
                                 R"({"as_sym_int": {"as_name": "k"}})");
  auto module = import(testMembers(
      replaced(program, R"("sym_int_values": {})", R"("sym_int_values": {"k": {"as_int": 5}})")));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module), HasSubstr("{mode = 5 : i64, "));
  // One that changes between runs is an expression, also in a list.
  const std::string sizes =
      R"json("sym_int_values": {"k": {"as_expr": {"expr_str": "Mul(Integer(2), Symbol('s0'))"}}})json";
  module = import(testMembers(replaced(program, R"("sym_int_values": {})", sizes)));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module), HasSubstr(R"({mode = #graph.expr<"2*s0">, )"));
  program = replaced(testProgramJson(), R"({"as_string": "fast"})",
                     R"({"as_sym_ints": [{"as_name": "k"}, {"as_int": -1}]})");
  module = import(testMembers(replaced(program, R"("sym_int_values": {})", sizes)));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module), HasSubstr(R"({mode = [#graph.expr<"2*s0">, -1], )"));
}

TEST_F(Pt2Import, ArgumentsThatAreNotSupportedAreNamed) {
  const std::pair<const char *, const char *> literals[] = {
      {R"({"as_sym_int": {"as_name": "k"}})", "the integer 'k', which nothing defines"},
      {R"({"as_sym_ints": [{"as_int": 1}, {"as_name": "k"}]})", "a size that depends on data"},
      {R"({"as_sym_bool": {"as_name": "k"}})", "a condition on sizes"},
      {R"({"as_complex": {"real": 0, "imag": 1}})", "of kind as_complex"},
      {R"({"as_graph": {"name": "g", "graph": {"inputs": [], "outputs": [], "nodes": [], "tensor_values": {}}}})",
       "a graph"}};
  for (const auto &[json, text] : literals) {
    auto module = importWith(R"({"as_string": "fast"})", json);
    ASSERT_FALSE(module.isOk()) << json;
    EXPECT_EQ(module.status().code(), StatusCode::Unimplemented);
    EXPECT_THAT(module.status().message(),
                AllOf(HasSubstr("1 problem:"), HasSubstr("my::f (node f, model.py:7)"),
                      HasSubstr("argument 'mode' is " + std::string(text))));
  }
}

/// A parameter whose view or configuration does not fit the graph.
TEST_F(Pt2Import, DataMustFitTheGraph) {
  const std::tuple<const char *, const char *, const char *> changes[] = {
      {R"("p_weight": {"dtype": 7, "sizes": [{"as_int": 2})",
       R"("p_weight": {"dtype": 7, "sizes": [{"as_int": 4})", "expected float32[4, 3]"},
      {R"("p_weight": {"dtype": 7)", R"("p_weight": {"dtype": 6)", "expected float16[2, 3]"}};
  for (const auto &[from, to, expected] : changes) {
    const auto module = importWith(from, to);
    ASSERT_FALSE(module.isOk());
    EXPECT_EQ(module.status().code(), StatusCode::DataLoss);
    EXPECT_THAT(module.status().message(),
                AllOf(HasSubstr("'fc.weight' is float32[2, 3]"), HasSubstr(expected)));
  }
  EXPECT_THAT(importWith(R"("p_weight": {"dtype")", R"("q": {"dtype")").status().message(),
              HasSubstr("tensor_values has no entry for 'p_weight'"));
}

/// Arguments that are no tensors stand in the graph where they are used; the model has no such
/// input, but later inputs keep their names.
TEST_F(Pt2Import, LiteralInputsAreNoInputs) {
  std::string json = replaced(testProgramJson(), R"({"user_input": {"arg": {"as_tensor")",
                              R"({"constant_input": {"name": "k", "value": {"as_int": 3}}},
                                 {"user_input": {"arg": {"as_tensor")");
  json = replaced(json, R"({"as_tensor": {"name": "x"}}],)",
                  R"({"as_int": 3}, {"as_tensor": {"name": "x"}}],)");
  json =
      replaced(json, R"([{\"type\": null,)",
               R"([{\"type\": null, \"context\": null, \"children_spec\": []}, {\"type\": null,)");
  json = replaced(json, R"("forward_arg_names": ["x"])", R"("forward_arg_names": ["k", "value"])");
  auto module = import(testMembers(json));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module), HasSubstr(R"(inputs ["value"] ["[0][1]"])"));
}

TEST_F(Pt2Import, NamesAreFilledInAndMadeUnique) {
  // No trees at all: the graph's names.
  auto module = importWith(R"("module_call_graph": [)", R"("module_call_graph": null, "other": [)");
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module), HasSubstr(R"(inputs ["x"] [""] outputs ["y"] [""])"));
  // The same output twice, and an empty key.
  std::string json =
      replaced(testProgramJson(), R"("outputs": [{"as_tensor": {"name": "y"}}],)",
               R"("outputs": [{"as_tensor": {"name": "y"}}, {"as_tensor": {"name": "y"}}],)");
  json = replaced(json, R"({"user_output": {"arg": {"as_tensor": {"name": "y"}}}})",
                  R"({"user_output": {}}, {"user_output": {}})");
  auto twice = import(testMembers(json));
  ASSERT_TRUE(twice.isOk()) << twice.status().toString();
  EXPECT_THAT(print(**twice), HasSubstr(R"(outputs ["out", "y"] ["['out']", ""])"));
  auto same = import(testMembers(replaced(json, R"("out_spec")", R"("outer_spec")")));
  ASSERT_TRUE(same.isOk()) << same.status().toString();
  EXPECT_THAT(print(**same), HasSubstr(R"(outputs ["y", "y_1"] ["", ""])"));
  auto empty = importWith(R"([\\\"out\\\"])", R"([\\\"\\\"])");
  ASSERT_TRUE(empty.isOk()) << empty.status().toString();
  EXPECT_THAT(print(**empty), HasSubstr(R"(outputs ["output"] ["['']"])"));
  EXPECT_TRUE(importWith(R"("forward_arg_names": ["x"])", R"("forward_arg_names": [""])").isOk());
}

TEST_F(Pt2Import, RangesAreCheckedAndHintsClamped) {
  const auto symbolsWith = [&](std::string_view from, std::string_view to) {
    auto module = importWith(from, to);
    EXPECT_TRUE(module.isOk()) << module.status().toString();
    return module.isOk() ? print(**module) : "";
  };
  EXPECT_THAT(
      symbolsWith(R"("max_val": 64)", R"("max_val": null)"),
      HasSubstr(R"({max = 9223372036854775807 : i64, min = 2 : i64, name = "s0", opt = 8)"));
  EXPECT_THAT(symbolsWith(R"("min_val": 2)", R"("min_val": null)"), HasSubstr("min = 0 : i64"));
  EXPECT_THAT(symbolsWith(R"("min_val": 2)", R"("min_val": -5)"), HasSubstr("min = 0 : i64"));
  EXPECT_THAT(symbolsWith(R"("hint": {"as_int": 8})", R"("hint": {"as_int": 800})"),
              HasSubstr("opt = 64 : i64"));
  EXPECT_THAT(symbolsWith(R"("hint": {"as_int": 8})", R"("hint": null)"),
              HasSubstr("opt = 2 : i64"));
  for (const char *range : {R"("max_val": 1)", R"("max_val": -1)"}) {
    const auto module = importWith(R"("max_val": 64)", range);
    ASSERT_FALSE(module.isOk());
    EXPECT_EQ(module.status().code(), StatusCode::InvalidArgument);
    EXPECT_THAT(module.status().message(), HasSubstr("range_constraints.s0: found the range 2 to"));
  }
  // A symbol that is only part of sizes is declared; whether it can be solved for is not asked
  // here.
  EXPECT_THAT(symbolsWith("Symbol('s0', positive=True, integer=True)",
                          "Mul(Integer(2), Symbol('s0', positive=True, integer=True))"),
              AllOf(HasSubstr(R"({max = 64 : i64, min = 2 : i64, name = "s0", opt = 2 : i64})"),
                    HasSubstr(R"(!graph.tensor<["2*s0", "4"], "float32">)")));
}

/// What the exporter relied on is checked at run time, in the user's words.
TEST_F(Pt2Import, GuardsAndAssertionsBecomeChecks) {
  std::string json = replaced(
      testProgramJson(), R"("guards_code": [])",
      R"("guards_code": ["L['x'].size()[0] % 8 == 0", "L['x'].size()[0] <= 64", "L['x'].stride()[0] == 4"])");
  json = replaced(json, R"("nodes": [)", R"("nodes": [
      {"target": "_operator.le", "name": "le", "inputs": [], "outputs": [{"as_sym_bool": {"as_name": "le"}}]},
      {"target": "torch.ops.aten._assert_scalar.default", "name": "a", "inputs": [
        {"name": "self", "arg": {"as_sym_bool": {"as_name": "le"}}},
        {"name": "assert_msg", "arg": {"as_string": "at most 32 rows"}}], "outputs": []},)");
  json = replaced(
      json, R"("sym_int_values": {})",
      R"json("sym_int_values": {}, "sym_bool_values": {"le": {"as_expr": {"expr_str": "LessThan(Symbol('s0'), Integer(32))"}}})json");
  auto module = import(testMembers(json));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(
      print(**module),
      AllOf(
          HasSubstr(
              R"(checks [{condition = "0 == s0 % 8", message = "the model was exported for inputs with x.size(0) % 8 == 0"}, {condition = "s0 <= 32", message = "at most 32 rows"}])"),
          HasSubstr(R"(graph.unread_guards = ["L['x'].stride()[0] == 4"])")));
}

/// Training IR: in-place operators become values, regions without gradients disappear.
TEST_F(Pt2Import, TrainingFormsBecomeFunctional) {
  const std::string node = R"({"target": "torch.ops.aten.relu_.default", "name": "relu_",
    "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "p_weight"}}}],
    "outputs": [{"as_tensor": {"name": "relu_"}}]})";
  std::string json = replaced(testProgramJson(), R"("nodes": [)", R"("nodes": [)" + node + ",");
  json = replaced(
      json, R"("y": {"dtype")",
      R"("relu_": {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [{"as_int": 3}, {"as_int": 1}]}, "y": {"dtype")");
  auto module = import(testMembers(json));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(print(**module),
              AllOf(HasSubstr(R"(%1 = graph.call "aten::relu" node "relu_"(%0) names ["self"])"),
                    HasSubstr(R"("my::f" node "f"(%arg0, %1))"),
                    HasSubstr(R"(graph.update %0 with %1)")));
}

/// The caller's tensor stays as it is.
TEST_F(Pt2Import, TheNewValueOfAnInputIsAnOutputOfItsName) {
  const std::string node = R"({"target": "torch.ops.aten.relu_.default", "name": "relu_",
    "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}}],
    "outputs": [{"as_tensor": {"name": "relu_"}}]})";
  std::string json = replaced(testProgramJson(), R"("nodes": [)", R"("nodes": [)" + node + ",");
  json = replaced(
      json, R"("y": {"dtype")",
      R"("relu_": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "s0", "hint": null}}, {"as_int": 4}], "strides": [{"as_int": 4}, {"as_int": 1}]}, "y": {"dtype")");
  auto module = import(testMembers(json));
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  const std::string text = print(**module);
  EXPECT_THAT(text, HasSubstr(R"(graph.call "aten::relu" node "relu_"(%arg0) names ["self"])"));
  EXPECT_THAT(text, HasSubstr(R"(, "x"] [)"));
  EXPECT_THAT(text, testing::Not(HasSubstr("graph.update")));
}

/// One report with each operator's place, and nothing about those that only use failed results.
TEST_F(Pt2Import, AllProblemsAreReportedAtOnce) {
  const auto node = [](int line, std::string_view target, std::string_view input,
                       std::string_view output) {
    std::string json =
        R"({"target": "TARGET", "name": "OUTPUT", "inputs": [{"name": "X", "arg": {"as_tensor": {"name": "INPUT"}}}],
            "outputs": [{"as_tensor": {"name": "OUTPUT"}}],
            "metadata": {"stack_trace": "File \"/somewhere/net.py\", line LINE, in forward"}},)";
    json = replaced(json, "TARGET", target);
    json = replaced(replaced(json, "OUTPUT", output), "OUTPUT", output);
    return replaced(replaced(json, "INPUT", input), "LINE", std::to_string(line));
  };
  const std::string nodes =
      node(11, "torch.ops.higher_order.cond", "x", "a") + node(12, "_operator.add", "x", "b") +
      node(13, "torch.ops.my.g.default", "a", "y2") +
      node(14, "torch.ops.aten.resize_.default", "x", "c") +
      node(15, "torch.ops.my.g.default", "nowhere", "d") +
      node(16, "torch.ops.my.g.default", "x", "unknown") + node(17, "torch.ops.", "x", "e");
  std::string json = replaced(testProgramJson(), R"("nodes": [)", R"("nodes": [)" + nodes);
  for (const char *name : {"a", "b", "c", "d", "e", "y2"})
    json = replaced(json, R"("y": {"dtype")",
                    "\"" + std::string(name) +
                        R"(": {"dtype": 7, "sizes": [], "strides": []}, "y": {"dtype")");
  const auto module = import(testMembers(json));
  ASSERT_FALSE(module.isOk());
  EXPECT_EQ(module.status().code(), StatusCode::Unimplemented);
  EXPECT_THAT(
      module.status().message(),
      AllOf(HasSubstr("6 problems:"),
            HasSubstr("higher_order::cond (node a, net.py:11): this higher-order"),
            HasSubstr("_operator.add (node b, net.py:12): this higher-order or Python"),
            HasSubstr("aten::resize_ (node c, net.py:14): changes the shape of its argument"),
            HasSubstr("my::g (node d, net.py:15): argument 'X' refers to 'nowhere'"),
            HasSubstr("my::g (node unknown, net.py:16): output 'unknown' has no entry"),
            HasSubstr("torch.ops. (node e, net.py:17)")));
  EXPECT_THAT(module.status().message(), Not(HasSubstr("net.py:13")));
  EXPECT_THAT(module.status().message(), Not(HasSubstr("/somewhere")));
}

/// What the dialect's verifier would refuse is refused with a place in the program before.
TEST_F(Pt2Import, GraphsThatWouldNotVerifyAreRefused) {
  const std::tuple<const char *, const char *, const char *> changes[] = {
      {R"({"name": "W")", R"({"name": "X")", "argument name 'X' is empty, used twice"},
      {R"({"name": "mode")", R"({"name": "X")", "argument name 'X' is empty, used twice"},
      {R"({"name": "mode")", R"({"name": "steps")", "argument name 'steps' is empty, used twice"},
      {R"({"name": "mode")", R"({"name": "")", "argument name '' is empty, used twice"},
      {R"("outputs": [{"as_tensor": {"name": "y"}}],
      "metadata")",
       R"("outputs": [{"as_tensor": {"name": "x"}}],
      "metadata")",
       "the graph defines 'x' twice"},
      {R"("arg": {"name": "p_weight"})", R"("arg": {"name": "q"})", "no entry for 'q'"},
      {R"({"as_tensor": {"name": "y"}}],
    "nodes")",
       R"({"as_tensor": {"name": "z"}}],
    "nodes")",
       "output 0 refers to 'z', which no node or input defines"},
      {R"({"as_tensor": {"name": "y"}}],
    "nodes")",
       R"({"as_complex": {}}],
    "nodes")",
       "output 0 is of kind as_complex"},
      {R"({"user_output": )", R"({"loss_output": )", "output 0 is of kind loss_output"},
      {R"({"user_output": )", R"({"buffer_mutation": )", "the field 'buffer_name' is missing"},
      {R"({"user_output": {)", R"({"buffer_mutation": {"buffer_name": "b", )",
       "output 0, a buffer_mutation, changes 'b', which is no input"},
      {R"({"user_output": {)", R"({"user_input_mutation": {"user_input_name": "x", )",
       "output 0, a user_input_mutation, gives 'x' a value of another type"},
      {R"({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})",
       R"({"user_input": {"arg": {"as_int": 1}}})", "input 1 is a symbolic integer"},
      {R"({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})", R"({"token": {}})",
       "input 1 is of kind token"}};
  for (const auto &[from, to, message] : changes) {
    const auto module = importWith(from, to);
    ASSERT_FALSE(module.isOk()) << to;
    EXPECT_NE(module.status().code(), StatusCode::Internal) << module.status().toString();
    EXPECT_THAT(module.status().message(), HasSubstr(message));
  }
  EXPECT_EQ(numDiagnostics_, 0);
}

TEST_F(Pt2Import, ErrorsNameFileAndMember) {
  EXPECT_EQ(import("no/such.pt2").status().code(), StatusCode::NotFound);
  struct Case {
    size_t member;
    std::string content;
    const char *message;
  };
  for (const Case &test :
       {Case{3, "{", "reading models/model.json"},
        Case{3, replaced(testProgramJson(), R"("major": 8)", R"("major": 7)"),
             "reading models/model.json"},
        Case{1, "{", "reading data/weights/model_weights_config.json"},
        Case{2, "[]", "reading data/constants/model_constants_config.json"},
        Case{0, "1234",
             "'fc.weight' needs 24 bytes of member 'data/weights/weight_0', which has 4"},
        Case{6, "big", "'byteorder'"}}) {
    std::vector<TestMember> members = testMembers();
    members[test.member].content = test.content;
    const Status status = import(members).status();
    EXPECT_FALSE(status.isOk());
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr(test.message), HasSubstr("ErrorsNameFileAndMember.pt2'")));
  }
  for (size_t missing : {0, 1, 3}) {
    std::vector<TestMember> members = testMembers();
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(missing));
    const Status status = import(members).status();
    EXPECT_EQ(status.code(), StatusCode::DataLoss);
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("has no member '"), HasSubstr("ErrorsNameFileAndMember.pt2'")));
  }
}

/// The same model as PyTorch 2.6, 2.8 and 2.9 write it.
TEST_F(Pt2Import, GenerationsOfTheArchiveGiveTheSameGraph) {
  const std::vector<TestMember> newest = testMembers();
  auto module = import(newest);
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  // Names of resources are unique in a context: fc.weight_1 is the second of its name.
  const auto textOf = [](mlir::ModuleOp op) {
    const std::string text = std::regex_replace(print(op, /*withData=*/true),
                                                std::regex("fc\\.weight_[0-9]+"), "fc.weight");
    // In front of the bytes stands how they are aligned: as in the archive, where they stay.
    return std::regex_replace(text, std::regex("\"0x[0-9A-F]{2}000000"), "\"0x");
  };
  const std::string expected = textOf(**module);
  const std::vector<std::byte> zip =
      makeZip({{"archive/data.pkl", pickledDict({{"fc.weight", "0", 0, {2, 3}, {3, 1}, true}})},
               {"archive/data/0", newest[0].content}});
  const std::string weights(reinterpret_cast<const char *>(zip.data()), zip.size());
  const std::vector<TestMember> older[] = {{{"serialized_exported_program.json", testProgramJson()},
                                            {"serialized_state_dict.pt", weights},
                                            {"version", "8.1"}},
                                           {{"m/archive_format", "pt2"},
                                            {"m/models/model.json", testProgramJson()},
                                            {"m/data/weights/model.pt", weights}}};
  for (const std::vector<TestMember> &members : older) {
    auto again = import(members);
    ASSERT_TRUE(again.isOk()) << again.status().toString();
    EXPECT_EQ(textOf(**again), expected);
  }
}

TEST_F(Pt2Import, TruncatedFilesAreRefused) {
  const std::vector<std::byte> zip = makeZip(testMembers());
  for (size_t size = 0; size < zip.size(); size += 1 + size % 7) {
    const std::string path = write(std::span(zip).first(size));
    const auto module = import(path);
    ASSERT_FALSE(module.isOk()) << size;
    ASSERT_THAT(module.status().message(), HasSubstr(path));
  }
}

/// Members are stored, so that each changed bit of them reaches the readers: nothing may crash and
/// nothing may reach the verifier.
TEST_F(Pt2Import, ChangedFilesAreImportedOrRefused) {
  constexpr unsigned kSeed = 20261124;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::vector<std::byte> zip = makeZip(testMembers());
  for (size_t i = 0; i < zip.size(); ++i) {
    std::vector<std::byte> changed = zip;
    changed[i] ^= static_cast<std::byte>(1 << random() % 8);
    expectImportedOrRefused(write(changed));
  }
  for (const char *name : {"circ_pad_dynamic", "dict_io", "kv_cache.core", "non_zero"}) {
    const std::string model = contentOf(std::string("tests/models/") + name + ".pt2");
    for (int round = 0; round < 300; ++round) {
      std::string changed = model;
      for (int i = 0; i < 4; ++i)
        changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
      expectImportedOrRefused(write(bytesOf(changed)));
    }
  }
  EXPECT_EQ(numDiagnostics_, 0);
}

/// Words of the program in wrong places: more of what still parses.
TEST_F(Pt2Import, ProgramsWithExchangedPartsAreImportedOrRefused) {
  constexpr unsigned kSeed = 20261124;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::string json = testProgramJson();
  constexpr std::string_view kWords[] = {"\"x\"",
                                         "\"y\"",
                                         "\"p_weight\"",
                                         "\"\"",
                                         "null",
                                         "[]",
                                         "{}",
                                         "0",
                                         "-1",
                                         "64",
                                         "7",
                                         "9223372036854775807",
                                         "{\"as_int\": 0}",
                                         "{\"as_none\": true}",
                                         "\"Symbol('s1')\"",
                                         "{\"as_tensor\": {\"name\": \"x\"}}",
                                         "\"torch.ops.a.b_.c\""};
  std::vector<std::pair<size_t, size_t>> places; // of strings and numbers
  for (size_t i = 0; i < json.size(); ++i) {
    const size_t begin = i;
    if (json[i] == '"')
      do
        i += json[i] == '\\' ? 2 : 1;
      while (json[i] != '"');
    else if (!std::isdigit(static_cast<unsigned char>(json[i])))
      continue;
    places.emplace_back(begin, i + 1 - begin);
  }
  for (int round = 0; round < 3000; ++round) {
    std::string changed = json;
    const auto [begin, size] = places[random() % places.size()];
    const auto [other, otherSize] = places[random() % places.size()];
    changed.replace(begin, size,
                    random() % 2 ? std::string(kWords[random() % std::size(kWords)])
                                 : json.substr(other, otherSize));
    expectImportedOrRefused(write(makeZip(testMembers(changed))));
  }
  EXPECT_EQ(numDiagnostics_, 0);
}

} // namespace
} // namespace inlay::pt2
