#include "engine/EngineText.h"

#include "engine/TestEngine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace inlay {
namespace {

EngineFile makeFile(const std::function<void(TestEngine &)> &change = [](TestEngine &) {}) {
  TestEngine test = makeTestEngine();
  change(test);
  Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
  EXPECT_TRUE(bytes.isOk()) << bytes.status().toString();
  return EngineFile::fromBytes(std::move(*bytes)).value();
}

/// Offsets and the file's size may move when the schema grows; they are not part of the rule.
TEST(EngineText, PrintsEverySection) {
  const std::string text = engineToText(makeFile());
  for (const char *line : {
           "engine 'add_one' (format 1, ",
           "symbol n: 1 to unbounded, tuned for 64, from dimension 0 of input 'x'\n",
           "input 'x': float32[n] in buffer 0\n",
           "output 'z': float32[n] in buffer 2\n",
           "buffer 1: Intermediate, 4*n bytes, aligned to 256, steps 0 to 1\n",
           "buffer 3: Constant, 8 bytes, aligned to 256, steps 0 to 1, segment 2\n",
           "kernel 0 'add_one_kernel'(float32* x_ptr, int32 n, float32* y_ptr, float32* bias_ptr, "
           "float32 scale) from 'add_one.py:add_one_kernel'\n",
           "  image cuda:sm_80: Ptx, entry 'add_one_kernel', segment 0 of 13 bytes, xxh64 ",
           ", 4 warps, 0 bytes shared, 0 registers, 0 bytes spilled, PTX 7.5\n",
           "  image cpu:x86-64-v3: X86SharedObject, ",
           "step 0: launch kernel 0 'add_one_kernel' on grid [ceildiv(n, 256), 1, 1], plugin "
           "'my::add_one', node 'add_one_1'\n"
           "  x_ptr = buffer 0\n  n = n\n  y_ptr = buffer 1\n  bias_ptr = buffer 3\n  scale = "
           "0.5\n",
           "step 1: copy buffer 1 to buffer 2\n",
           "check n <= 1000, else 'n is at most 1000'\n",
           "segment 2: 8 bytes at ",
           "build targets = 'cuda,cpu'\n",
       })
    EXPECT_THAT(text, testing::HasSubstr(line));
}

TEST(EngineText, PrintsComputedSizesAndUpdatedInputs) {
  const std::string text =
      engineToText(makeFile([](TestEngine &test) { test = makeSizeTestEngine(); }));
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "symbol u: 0 to unbounded, tuned for 32, computed by a kernel, at most n\n"));
  EXPECT_THAT(text, testing::HasSubstr("step 2: read int32 of u from buffer 5, plugin "
                                       "'my::select', node 'select_1'\n"));
  const nlohmann::json json = nlohmann::json::parse(
      engineToJson(makeFile([](TestEngine &test) { test = makeSizeTestEngine(); })));
  EXPECT_EQ(json["symbols"][1]["bound"], "n");
  EXPECT_EQ(json["steps"][2]["kind"], "read_size");
  EXPECT_EQ(json["steps"][2]["symbol"], "u");
  const EngineFile update = makeFile([](TestEngine &test) { test = makeUpdateTestEngine(); });
  EXPECT_THAT(engineToText(update), testing::HasSubstr("output 'z': float32[n] in buffer 2, may be "
                                                       "the memory of input 'x'\n"));
  EXPECT_EQ(nlohmann::json::parse(engineToJson(update))["outputs"][0]["updated_input"], 0);
}

/// Which the file holds as absent.
TEST(EngineText, PrintsEmptyAttributes) {
  const EngineFile file = makeFile([](TestEngine &test) {
    fb::HostCallT call;
    call.function = "my::f";
    auto tensor = std::make_unique<fb::HostTensorT>();
    tensor->buffer = 2;
    tensor->dtype = 12; // float32
    tensor->shape = test.engine.outputs[0]->shape;
    call.outputs.push_back(std::move(tensor));
    for (const auto &[name, kind] : {std::pair("text", fb::HostValueKind::String),
                                     std::pair("bools", fb::HostValueKind::BoolList),
                                     std::pair("ints", fb::HostValueKind::IntList),
                                     std::pair("floats", fb::HostValueKind::FloatList),
                                     std::pair("texts", fb::HostValueKind::StringList)}) {
      auto attribute = std::make_unique<fb::HostAttributeT>();
      attribute->name = name;
      attribute->kind = kind;
      call.attributes.push_back(std::move(attribute));
    }
    test.engine.steps[1]->kind.Set(std::move(call));
  });
  EXPECT_THAT(
      engineToText(file),
      testing::HasSubstr("  text = ''\n  bools = []\n  ints = []\n  floats = []\n  texts = []\n"));
  const nlohmann::json attributes =
      nlohmann::json::parse(engineToJson(file))["steps"][1]["attributes"];
  EXPECT_EQ(attributes.dump(), R"({"bools":[],"floats":[],"ints":[],"text":"","texts":[]})");
}

TEST(EngineText, NamesCannotForgeLines) {
  const std::string text =
      engineToText(makeFile([](TestEngine &test) { test.engine.name = "a'\nsegment 9\x01"; }));
  EXPECT_THAT(text, testing::StartsWith("engine 'a\\'\\nsegment 9\\x01' (format"));
}

TEST(EngineText, JsonHoldsTheSame) {
  const nlohmann::json json = nlohmann::json::parse(engineToJson(makeFile()));
  EXPECT_EQ(json["name"], "add_one");
  EXPECT_FALSE(json["symbols"][0].contains("max"));
  EXPECT_EQ(json["inputs"][0]["shape"], nlohmann::json({"n"}));
  EXPECT_EQ(json["kernels"][0]["images"][0]["ptx_version"], 75);
  EXPECT_EQ(json["steps"][0]["grid"][0], "ceildiv(n, 256)");
  EXPECT_EQ(json["steps"][0]["arguments"][4]["float"], 0.5);
  EXPECT_EQ(json["steps"][1]["kind"], "copy");
  EXPECT_EQ(json["build_record"]["targets"], "cuda,cpu");
}

TEST(EngineText, JsonSurvivesNamesThatAreNoUtf8) {
  const std::string json =
      engineToJson(makeFile([](TestEngine &test) { test.engine.name = "\xff\xfe"; }));
  EXPECT_TRUE(nlohmann::json::accept(json));
}

/// Each step doubles the expression; the text must not.
TEST(EngineText, RepeatedDoublingStaysSmall) {
  const EngineFile file = makeFile([](TestEngine &test) {
    auto &steps = test.engine.expressions;
    steps.emplace_back(static_cast<uint8_t>(ExprKind::FloorDiv), 0, 0, 0, 0);
    for (int i = 0; i < 2000; ++i) {
      const auto last = static_cast<uint32_t>(steps.size() - 1);
      steps.emplace_back(static_cast<uint8_t>(i % 2 ? ExprKind::FloorDiv : ExprKind::Mod), last,
                         last, 0, 0);
    }
  });
  EXPECT_LT(engineToText(file).size(), 2'000'000u);
}

TEST(EngineText, PrintsProfiles) {
  const EngineFile file = makeFile([](TestEngine &test) {
    addTestProfile(test.engine, 1, 8, 64);
    addTestProfile(test.engine, 65, 512, std::numeric_limits<int64_t>::max());
  });
  const std::string text = engineToText(file);
  EXPECT_THAT(text, testing::HasSubstr("profile 1: n 1 to 64, tuned for 8\n"
                                       "profile 2: n 65 to unbounded, tuned for 512\n"));
  const auto json = nlohmann::json::parse(engineToJson(file));
  EXPECT_EQ(json["profiles"][0][0]["max"], 64);
  EXPECT_EQ(json["profiles"][1][0]["opt"], 512);
  EXPECT_FALSE(json["profiles"][1][0].contains("max"));
  EXPECT_TRUE(nlohmann::json::parse(engineToJson(makeFile()))["profiles"].empty());
}

} // namespace
} // namespace inlay
