#include "compiler/frontends/pt2/ExportedProgram.h"

#include "compiler/frontends/pt2/TestArchive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace inlay::pt2 {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

ExportedProgram parse(const std::string &json) {
  Result<ExportedProgram> program = parseExportedProgram(bytesOf(json));
  EXPECT_TRUE(program.isOk()) << program.status().toString();
  return program.isOk() ? std::move(*program) : ExportedProgram();
}

/// The error of the test program with a part replaced.
Status errorOf(std::string_view from, std::string_view to) {
  return parseExportedProgram(bytesOf(replaced(testProgramJson(), from, to))).status();
}

/// The test program's argument `steps` with another value.
template <typename T>
T argumentOf(std::string_view json) {
  const ExportedProgram program =
      parse(replaced(testProgramJson(), R"({"as_ints": [1, 2]})", json));
  const T *value = std::get_if<T>(&program.nodes[0].inputs[2].argument.value);
  EXPECT_NE(value, nullptr) << json;
  return value ? *value : T();
}

TEST(Pt2ExportedProgram, ReadsGraphAndSignature) {
  const ExportedProgram program = parse(testProgramJson());
  EXPECT_EQ(program.torchVersion, "2.11.0");
  ASSERT_EQ(program.nodes.size(), 1u);
  const Node &node = program.nodes[0];
  EXPECT_EQ(node.target, "torch.ops.my.f.default");
  EXPECT_EQ(node.name, "f");
  EXPECT_THAT(node.stackTrace, HasSubstr("line 7, in forward"));
  ASSERT_EQ(node.inputs.size(), 4u);
  EXPECT_EQ(node.inputs[0].name, "X");
  EXPECT_EQ(std::get<TensorRef>(node.inputs[0].argument.value).name, "x");
  EXPECT_EQ(std::get<std::string>(node.inputs[3].argument.value), "fast");
  EXPECT_EQ(std::get<TensorRef>(node.outputs[0].value).name, "y");

  ASSERT_EQ(program.inputSpecs.size(), 2u);
  EXPECT_EQ(program.inputSpecs[0].kind, InputKind::Parameter);
  EXPECT_EQ(program.inputSpecs[0].name, "p_weight");
  EXPECT_EQ(program.inputSpecs[0].fullName, "fc.weight");
  EXPECT_EQ(program.inputSpecs[1].kind, InputKind::User);
  EXPECT_TRUE(program.inputSpecs[1].isTensor);
  EXPECT_TRUE(program.outputSpecs[0].isUserOutput);
  EXPECT_THAT(program.argumentNames, ElementsAre("x"));

  const TensorMeta &x = program.tensors.at("x"), &y = program.tensors.at("y");
  EXPECT_EQ(x.dtype, DataType::Float32);
  EXPECT_EQ(x.sizes[0], Expr::symbol("s0"));
  EXPECT_EQ(x.hints.at("s0"), 8);
  EXPECT_EQ(y.sizes[0], Expr::symbol("s0") + Expr(2));
  EXPECT_EQ(y.strides[0], Expr(4));
  EXPECT_EQ(program.ranges.at("s0").min, 2);
  EXPECT_EQ(program.ranges.at("s0").max, 64);
}

TEST(Pt2ExportedProgram, ReadsEveryKindOfArgument) {
  EXPECT_EQ(argumentOf<bool>(R"({"as_bool": true})"), true);
  EXPECT_EQ(argumentOf<int64_t>(R"({"as_int": 9223372036854775807})"), INT64_MAX);
  EXPECT_EQ(argumentOf<int64_t>(R"({"as_int": -9223372036854775808})"), INT64_MIN);
  EXPECT_EQ(argumentOf<int64_t>(R"({"as_sym_int": {"as_int": 3}})"), 3);
  EXPECT_EQ(argumentOf<SymIntRef>(R"({"as_sym_int": {"as_name": "sym_size"}})").name, "sym_size");
  EXPECT_EQ(argumentOf<double>(R"({"as_float": 1e-05})"), 1e-05);
  EXPECT_EQ(argumentOf<double>(R"({"as_float": 1})"), 1.0);
  EXPECT_EQ(argumentOf<double>(R"({"as_float": "Infinity"})"), HUGE_VAL);
  EXPECT_EQ(argumentOf<double>(R"({"as_float": "-Infinity"})"), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(argumentOf<double>(R"({"as_float": "NaN"})")));
  EXPECT_EQ(argumentOf<std::string>("{\"as_string\": \"\\u00e9 \\ud83d\\ude00\"}"),
            "\xc3\xa9 \xf0\x9f\x98\x80");
  EXPECT_EQ(argumentOf<DataType>(R"({"as_scalar_type": 13})"), DataType::BFloat16);
  argumentOf<NoneArgument>(R"({"as_none": true})");
  EXPECT_THAT(argumentOf<std::vector<bool>>(R"({"as_bools": [true, false]})"),
              ElementsAre(true, false));
  EXPECT_THAT(argumentOf<std::vector<int64_t>>(R"({"as_ints": []})"), ElementsAre());
  EXPECT_THAT(argumentOf<std::vector<double>>(R"({"as_floats": [1, 0.5]})"), ElementsAre(1, 0.5));
  EXPECT_THAT(argumentOf<std::vector<std::string>>(R"({"as_strings": ["a", ""]})"),
              ElementsAre("a", ""));
  EXPECT_EQ(argumentOf<std::vector<TensorRef>>(R"({"as_tensors": [{"name": "x"}]})")[0].name, "x");
  const auto optional = argumentOf<OptionalTensors>(
      R"({"as_optional_tensors": [{"as_none": true}, {"as_tensor": {"name": "x"}}]})");
  ASSERT_EQ(optional.size(), 2u);
  EXPECT_FALSE(optional[0]);
  EXPECT_EQ(optional[1]->name, "x");
  const auto sizes =
      argumentOf<SymInts>(R"({"as_sym_ints": [{"as_int": 4}, {"as_name": "sym_size"}]})");
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(std::get<int64_t>(sizes[0]), 4);
  EXPECT_EQ(std::get<SymIntRef>(sizes[1]).name, "sym_size");
  EXPECT_EQ(argumentOf<std::string>(R"({"as_device": {"type": "cuda", "index": 1}})"), "cuda:1");
  EXPECT_EQ(argumentOf<std::string>(R"({"as_device": {"type": "cpu", "index": null}})"), "cpu");
  EXPECT_EQ(argumentOf<std::string>(R"({"as_layout": 7})"), "strided");
  EXPECT_EQ(argumentOf<std::string>(R"({"as_memory_format": 2})"), "channels_last");
  EXPECT_EQ(argumentOf<std::string>(R"({"as_operator": "torch.ops.a.b.c"})"), "torch.ops.a.b.c");
  EXPECT_EQ(argumentOf<SymBoolRef>(R"({"as_sym_bool": {"as_name": "ge"}})").name, "ge");
  EXPECT_EQ(argumentOf<bool>(R"({"as_sym_bool": {"as_bool": true}})"), true);
  EXPECT_EQ(argumentOf<TensorRef>(R"({"as_optional_tensor": {"as_tensor": {"name": "x"}}})").name,
            "x");
  const auto graph = argumentOf<GraphArgument>(
      R"json({"as_graph": {"name": "g", "graph": {"inputs": [{"as_tensor": {"name": "a"}}],
          "outputs": [], "nodes": [{"target": "t", "name": "n", "inputs": [], "outputs": []}],
          "tensor_values": {}, "sym_bool_values": {
            "b": {"as_expr": {"expr_str": "GreaterThan(Symbol('s0'), Integer(2))"}},
            "f": {"as_expr": {"expr_str": "sqrt(Symbol('s0'))"}}}}}})json");
  EXPECT_EQ(graph.name, "g");
  EXPECT_EQ(graph.graph->nodes.at(0).name, "n");
  EXPECT_EQ(graph.graph->symBools.size(), 1u);
  EXPECT_EQ(argumentOf<OtherArgument>(R"({"as_complex": {"real": 1, "imag": 0}})").key,
            "as_complex");
}

TEST(Pt2ExportedProgram, ReadsEveryElementType) {
  const std::pair<int, DataType> types[] = {
      {1, DataType::UInt8},       {2, DataType::Int8},    {3, DataType::Int16},
      {4, DataType::Int32},       {5, DataType::Int64},   {6, DataType::Float16},
      {7, DataType::Float32},     {8, DataType::Float64}, {12, DataType::Bool},
      {13, DataType::BFloat16},   {28, DataType::UInt16}, {29, DataType::Float8E4M3FN},
      {30, DataType::Float8E5M2}, {34, DataType::UInt32}, {35, DataType::UInt64}};
  for (const auto &[number, type] : types)
    EXPECT_EQ(argumentOf<DataType>("{\"as_scalar_type\": " + std::to_string(number) + "}"), type);
  for (int number : {-1, 0, 9, 10, 11, 14, 999}) {
    const Status status = errorOf("\"dtype\": 7", "\"dtype\": " + std::to_string(number));
    EXPECT_EQ(status.code(), StatusCode::Unimplemented);
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("graph_module.graph.tensor_values.p_weight.dtype"),
                      HasSubstr("scalar type " + std::to_string(number))));
  }
}

TEST(Pt2ExportedProgram, ReadsEveryKindOfInput) {
  const auto specOf = [](std::string_view json) {
    return parse(replaced(testProgramJson(),
                          R"({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})", json))
        .inputSpecs[1];
  };
  EXPECT_EQ(specOf(R"({"user_input": {"arg": {"as_int": 3}}})").isTensor, false);
  EXPECT_EQ(specOf(R"({"constant_input": {"name": "k", "value": {"as_int": 3}}})").kind,
            InputKind::Literal);
  const InputSpec buffer =
      specOf(R"({"buffer": {"arg": {"name": "x"}, "buffer_name": "cache", "persistent": false}})");
  EXPECT_EQ(buffer.kind, InputKind::Buffer);
  EXPECT_EQ(buffer.fullName, "cache");
  EXPECT_FALSE(buffer.isPersistent);
  const InputSpec constant =
      specOf(R"({"tensor_constant": {"arg": {"name": "x"}, "tensor_constant_name": "c"}})");
  EXPECT_EQ(constant.kind, InputKind::TensorConstant);
  EXPECT_EQ(constant.fullName, "c");
  const InputSpec token = specOf(R"({"token": {"arg": {"name": "x"}}})");
  EXPECT_EQ(token.kind, InputKind::Other);
  EXPECT_EQ(token.fullName, "token");
}

TEST(Pt2ExportedProgram, OptionalPartsMayBeMissing) {
  std::string json = testProgramJson();
  for (const char *part : {"\"guards_code\": []", "\"torch_version\": \"2.11.0\",",
                           "\"range_constraints\": {\"s0\": {\"min_val\": 2, \"max_val\": 64}},",
                           ",\n    \"sym_int_values\": {}", "\"name\": \"f\","})
    json = replaced(json, part, "");
  json = replaced(json, "\"minor\": 17},\n\n", "\"minor\": 17}\n");
  json = replaced(json, "\"module_call_graph\": [", "\"module_call_graph\": null, \"other\": [");
  const ExportedProgram program = parse(json);
  EXPECT_TRUE(program.ranges.empty());
  EXPECT_TRUE(program.inSpec.empty());
  const ExportedProgram open =
      parse(replaced(testProgramJson(), "\"max_val\": 64", "\"max_val\": null"));
  EXPECT_FALSE(open.ranges.at("s0").max);
}

TEST(Pt2ExportedProgram, RefusesOtherSchemaVersions) {
  for (const char *version : {"7", "9", "-1"}) {
    const Status status = errorOf("\"major\": 8", std::string("\"major\": ") + version);
    EXPECT_EQ(status.code(), StatusCode::Incompatible);
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("schema_version.major"), HasSubstr(std::string("found ") + version),
                      HasSubstr("2.11.0"), HasSubstr("expected 8")));
  }
  EXPECT_TRUE(
      parseExportedProgram(bytesOf(replaced(testProgramJson(), "\"minor\": 17", "\"minor\": 99")))
          .isOk());
}

struct WrongPart {
  const char *from, *to;
  const char *path, *found, *expected;
};

/// Each wrong part is named by its place, what is there and what should be.
TEST(Pt2ExportedProgram, ErrorsSayWhereWhatAndWhatInstead) {
  const WrongPart parts[] = {
      {"\"target\": \"torch.ops.my.f.default\"", "\"target\": 7",
       "graph_module.graph.nodes[0].target", "found 7", "expected a string"},
      {"\"target\": \"torch.ops.my.f.default\", ", "", "graph_module.graph.nodes[0]",
       "field 'target'", "missing or null"},
      {"{\"as_string\": \"fast\"}", "{\"as_string\": [1]}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_string", "found an array",
       "expected a string"},
      {"{\"as_string\": \"fast\"}", "{\"as_thing\": 1}",
       "graph_module.graph.nodes[0].inputs[3].arg", "'as_thing'", "expected one of"},
      {"{\"as_string\": \"fast\"}", "{\"as_int\": 1, \"as_float\": 1}",
       "graph_module.graph.nodes[0].inputs[3].arg", "2 keys", "expected exactly one"},
      {"{\"as_string\": \"fast\"}", "{}", "graph_module.graph.nodes[0].inputs[3].arg", "0 keys",
       "expected exactly one"},
      {"{\"as_string\": \"fast\"}", "\"fast\"", "graph_module.graph.nodes[0].inputs[3].arg",
       "found the string 'fast'", "expected an object with exactly one key"},
      {"{\"as_string\": \"fast\"}", "{\"as_int\": 1.5}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_int", "found 1.5", "expected an integer"},
      {"{\"as_string\": \"fast\"}", "{\"as_int\": 9223372036854775808}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_int", "found 9223372036854775808",
       "expected an integer"},
      {"{\"as_string\": \"fast\"}", "{\"as_float\": \"inf\"}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_float", "found the string 'inf'",
       "expected a number"},
      {"{\"as_string\": \"fast\"}", "{\"as_bool\": 1}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_bool", "found 1", "expected a boolean"},
      {"{\"as_string\": \"fast\"}", "{\"as_sym_int\": {\"as_float\": 1}}",
       "graph_module.graph.nodes[0].inputs[3].arg.as_sym_int", "'as_float'",
       "expected as_int or as_name"},
      {"{\"as_string\": \"fast\"}", "{\"as_optional_tensors\": [{\"as_int\": 1}]}",
       "nodes[0].inputs[3].arg.as_optional_tensors[0]", "'as_int'",
       "expected as_tensor or as_none"},
      {"{\"as_ints\": [1, 2]}", "{\"as_ints\": [1, null]}",
       "graph_module.graph.nodes[0].inputs[2].arg.as_ints[1]", "found null", "expected an integer"},
      {"{\"as_ints\": [1, 2]}", "{\"as_ints\": 1}",
       "graph_module.graph.nodes[0].inputs[2].arg.as_ints", "found 1", "expected an array"},
      {"\"sizes\": [{\"as_int\": 2}", "\"sizes\": [{\"as_int\": -2}",
       "graph_module.graph.tensor_values.p_weight.sizes", "found the size -2",
       "expected an integer from 0"},
      {"\"sizes\": [{\"as_int\": 2}", "\"sizes\": [{\"as_bool\": true}",
       "graph_module.graph.tensor_values.p_weight.sizes[0]", "'as_bool'",
       "expected as_int or as_expr"},
      {"\"sizes\": [{\"as_int\": 2}, {\"as_int\": 3}]", "\"sizes\": []",
       "graph_module.graph.tensor_values.p_weight", "found 0 sizes and 2 strides",
       "expected as many"},
      {"\"hint\": {\"as_int\": 8}", "\"hint\": {\"as_int\": true}",
       "graph_module.graph.tensor_values.x.sizes[0].as_expr.hint.as_int", "found true",
       "expected an integer"},
      {"\"tensor_values\": {", "\"tensor_values\": [], \"other\": {",
       "graph_module.graph.tensor_values", "found an array", "expected an object"},
      {"\"input_specs\": [", "\"input_specs\": [{\"token\": {}},", "graph_module.signature",
       "found 3 input_specs", "expected as many as the graph's 2 inputs"},
      {"\"min_val\": 2", "\"min_val\": \"2\"", "range_constraints.s0.min_val",
       "found the string '2'", "expected an integer"},
      {"\"guards_code\": []", "\"guards_code\": [1]", "guards_code[0]", "found 1",
       "expected a string"},
      {"\"fqn\": \"\"", "\"fqn\": 0", "graph_module.module_call_graph[0].fqn", "found 0",
       "expected a string"},
      {"\"major\": 8", "\"major\": \"8\"", "schema_version.major", "found the string '8'",
       "expected an integer"},
      {"\"schema_version\"", "\"scheme_version\"", "the top of the JSON", "field 'schema_version'",
       "missing or null"},
  };
  for (const WrongPart &part : parts) {
    const Status status = errorOf(part.from, part.to);
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument) << part.to;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr(part.path), HasSubstr(part.found), HasSubstr(part.expected)))
        << part.to;
  }
}

TEST(Pt2ExportedProgram, ErrorsOfArgumentsNameTheOperator) {
  EXPECT_THAT(errorOf("{\"as_string\": \"fast\"}", "{\"as_bool\": 1}").message(),
              HasSubstr("reading argument 'mode' of torch.ops.my.f.default"));
}

TEST(Pt2ExportedProgram, RefusesNamesUsedTwice) {
  for (const char *name : {"p_weight", "x"}) {
    const Status status = errorOf("\"y\": {\"dtype\"", "\"" + std::string(name) + "\": {\"dtype\"");
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("graph_module.graph.tensor_values: found the field '" +
                                            std::string(name) + "' twice"));
  }
}

TEST(Pt2ExportedProgram, RefusesWhatIsNoJson) {
  for (const char *text :
       {"", " ", "{", "[1, 2", "{\"a\": tru}", "{} {}", "\xff\xfe", "{\"a\": \"\x01\"}"}) {
    const Status status = parseExportedProgram(bytesOf(text)).status();
    EXPECT_EQ(status.code(), StatusCode::DataLoss) << text << status.toString();
    EXPECT_THAT(status.message(), HasSubstr("the JSON is not valid"));
  }
  for (const char *text : {"null", "7", "[]", "\"text\""})
    EXPECT_THAT(parseExportedProgram(bytesOf(text)).status().message(),
                HasSubstr("the top of the JSON: found"));
}

TEST(Pt2ExportedProgram, RefusesDeepNesting) {
  for (size_t depth : {300, 100'000}) {
    const std::string nested = std::string(depth, '[') + std::string(depth, ']');
    const Status status = errorOf("\"guards_code\": []", "\"guards_code\": " + nested);
    EXPECT_EQ(status.code(), StatusCode::DataLoss);
    EXPECT_THAT(status.message(), HasSubstr("not valid"));
  }
}

TEST(Pt2ExportedProgram, RefusesSizesThatNoTypeCanHold) {
  const std::string symbol = "Symbol('s0', positive=True, integer=True)";
  const Status status = errorOf(symbol, "Symbol('s 0\\\"]', positive=True, integer=True)");
  EXPECT_EQ(status.code(), StatusCode::Unimplemented);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("graph_module.graph.tensor_values.x.sizes[0]"), HasSubstr("s 0")));
  EXPECT_THAT(errorOf(symbol, "sin(Symbol('s0'))").message(),
              AllOf(HasSubstr("tensor_values.x.sizes[0]"), HasSubstr("sin")));
  std::string many = "{\"as_int\": 1}";
  for (int i = 0; i < 64; ++i)
    many += ", {\"as_int\": 1}";
  EXPECT_THAT(
      errorOf("\"sizes\": [{\"as_int\": 2}, {\"as_int\": 3}], \"strides\": [{\"as_int\": 3}, "
              "{\"as_int\": 1}]",
              "\"sizes\": [" + many + "], \"strides\": [" + many + "]")
          .message(),
      HasSubstr("found 65 sizes and 65 strides, expected as many, and at most 64"));
}

/// Long texts of a program are cut in messages.
TEST(Pt2ExportedProgram, MessagesStayShort) {
  const std::string text(100'000, 'k');
  for (const Status &status :
       {errorOf("\"dtype\": 7", "\"dtype\": \"" + text + "\""),
        errorOf("{\"as_string\": \"fast\"}", "{\"" + text + "\": 1}"),
        errorOf("\"y\": {\"dtype\": 7", "\"" + text + "\": {\"dtype\": []")}) {
    EXPECT_FALSE(status.isOk());
    EXPECT_LT(status.message().size(), 500u);
    EXPECT_THAT(status.message(), HasSubstr("kkk..."));
  }
}

/// Any change must be refused or read, whatever it is.
TEST(Pt2ExportedProgram, ChangedBytesAreRefusedOrRead) {
  const std::string json = testProgramJson();
  const auto use = [](const std::string &changed) {
    Result<ExportedProgram> program = parseExportedProgram(bytesOf(changed));
    if (!program.isOk())
      EXPECT_FALSE(program.status().message().empty());
  };
  for (size_t size = 0; size < json.size(); ++size)
    EXPECT_FALSE(parseExportedProgram(bytesOf(json.substr(0, size))).isOk()) << size;
  constexpr unsigned kSeed = 20261124;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  constexpr std::string_view kBytes = "\"'{}[],:0179-.eE truefalsn\\\x00\x80\xff";
  for (size_t i = 0; i < json.size(); ++i) {
    std::string changed = json;
    changed[i] = static_cast<char>(changed[i] ^ (1 << random() % 8));
    use(changed);
    changed[i] = kBytes[random() % kBytes.size()];
    use(changed);
    changed = json;
    use(changed.erase(i, 1 + random() % 8));
  }
}

std::vector<std::string> pathsOf(std::string_view tree) {
  Result<std::vector<std::string>> paths = leafPaths(tree);
  EXPECT_TRUE(paths.isOk()) << paths.status().toString();
  return paths.isOk() ? *paths : std::vector<std::string>();
}

constexpr const char *kLeaf = R"({"type": null, "context": null, "children_spec": []})";
std::string tree(std::string_view type, std::string_view context, std::string_view children) {
  return R"({"type": ")" + std::string(type) + R"(", "context": ")" + std::string(context) +
         R"(", "children_spec": [)" + std::string(children) + "]}";
}
std::string spec(const std::string &root) { return "[1, " + root + "]"; }

TEST(Pt2LeafPaths, NameLeavesInFlattenedOrder) {
  const std::string leaf = kLeaf;
  EXPECT_THAT(pathsOf(spec(leaf)), ElementsAre(""));
  EXPECT_THAT(pathsOf(spec(tree("builtins.tuple", "null", leaf + "," + leaf))),
              ElementsAre("[0]", "[1]"));
  EXPECT_THAT(pathsOf(spec(tree("builtins.tuple", "null", ""))), ElementsAre());
  const std::string list = tree("builtins.list", "null", leaf + "," + leaf);
  EXPECT_THAT(pathsOf(spec(tree("builtins.dict", R"([\"pos\", \"neg\", 3])",
                                leaf + "," + list + "," + leaf))),
              ElementsAre("['pos']", "['neg'][0]", "['neg'][1]", "[3]"));
  EXPECT_THAT(pathsOf(spec(tree("collections.OrderedDict", R"([\"a\"])", leaf))),
              ElementsAre("['a']"));
  // Keys that are kept elsewhere, or too few: numbers instead.
  EXPECT_THAT(pathsOf(spec(tree("collections.defaultdict", R"({\"dict_context\": []})", leaf))),
              ElementsAre("[0]"));
  EXPECT_THAT(pathsOf(spec(tree("builtins.dict", R"([\"a\"])", leaf + "," + leaf))),
              ElementsAre("['a']", "[1]"));
}

TEST(Pt2LeafPaths, RefusesWhatIsNoTree) {
  for (const char *text :
       {"7", "[1]", "[]", "{}", "[1, 7]", "[1, [2]]", R"([1, {"type": 3, "children_spec": []}])",
        R"([1, {"type": "builtins.list", "children_spec": 3}])",
        R"([1, {"type": "builtins.list"}])",
        R"([1, {"type": "builtins.list", "children_spec": [1]}])"}) {
    const Status status = leafPaths(text).status();
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument) << text;
    EXPECT_THAT(status.message(), testing::AnyOf(HasSubstr("expected"), HasSubstr("missing")));
  }
  EXPECT_EQ(leafPaths("[1, ").status().code(), StatusCode::DataLoss);
  std::string deep = kLeaf;
  for (int i = 0; i < 300; ++i)
    deep = tree("builtins.list", "null", deep);
  EXPECT_EQ(leafPaths(spec(deep)).status().code(), StatusCode::DataLoss);
}

/// A key of 100 kB above 10000 leaves would need 1 GB.
TEST(Pt2LeafPaths, RefusesPathsThatGrowOverTheLimit) {
  std::string leaves = "{}";
  for (int i = 0; i < 10'000; ++i)
    leaves += ",{}";
  const std::string root = tree("builtins.dict", R"([\")" + std::string(100'000, 'k') + R"(\"])",
                                tree("builtins.list", "null", leaves));
  const Status status = leafPaths(spec(root)).status();
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("more than 67108864 bytes"));
}

} // namespace
} // namespace inlay::pt2
