// Host segments from C++, over the two shared libraries: built, refused and served in one program.
#include <inlay/compiler.h>
#include <inlay/engine.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace inlay {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char *kModel =
    R"(graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s"], "float32">):
  %w = graph.constant "w" dense<2.0> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %a = graph.call "aten::neg" node "neg" (%x) names ["self"] arguments {} : (!graph.tensor<["s"], "float32">) -> !graph.tensor<["s"], "float32">
  %b = graph.call "my::scale" node "scale" (%a, %w) names ["self", "by"] arguments {plus = 3 : i64} : (!graph.tensor<["s"], "float32">, !graph.tensor<["1"], "float32">) -> !graph.tensor<["s"], "float32">
  %y = graph.call "aten::neg" node "neg_1" (%b) names ["self"] arguments {} : (!graph.tensor<["s"], "float32">) -> !graph.tensor<["s"], "float32">
  graph.output %y : !graph.tensor<["s"], "float32">
}
)";

class Partition : public testing::Test {
protected:
  Partition()
      : folder_(std::filesystem::temp_directory_path() /
                ("inlay_partition_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    options_.model = (folder_ / "m.mlir").string();
    std::ofstream(options_.model) << kModel;
  }
  ~Partition() override { std::filesystem::remove_all(folder_); }

  std::string buildError() const {
    try {
      build(options_);
    } catch (const BuildError &error) {
      return error.what();
    }
    return "";
  }
  static std::string loadError(const CompiledEngine &built) {
    try {
      Engine::fromMemory(built.data(), built.sizeBytes());
    } catch (const std::exception &error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
  BuildOptions options_;
};

TEST_F(Partition, AFunctionServesASegment) {
  EXPECT_THAT(buildError(), HasSubstr("no plugin for 1 of the model's operators"));
  options_.allowsHostSegments = true;
  const CompiledEngine built = build(options_);
  EXPECT_THAT(loadError(built),
              AllOf(HasSubstr("has not registered: 'segment::m_0'"),
                    HasSubstr("input 0: neg: float32[s]"), HasSubstr("input 1: w: float32[1]"),
                    HasSubstr("output 0: scale: float32[s]"),
                    HasSubstr("= my::scale(self = neg, by = w, plus = 3)")));
  const auto serve = [](const HostCall &call) {
    EXPECT_THAT(call.attribute("inputs").asStrings(),
                ElementsAre("neg: float32[s]", "w: float32[1]"));
    for (int64_t i = 0; i < call.input(0).numElements(); ++i)
      call.output(0).as<float>()[i] =
          call.input(0).as<float>()[i] * call.input(1).as<float>()[0] + 3;
  };
  hostFunctions().add("segment::m_0", serve, 1, 1);
  EXPECT_THAT(loadError(built), AllOf(HasSubstr("with 2 inputs; the registered function takes 1"),
                                      HasSubstr("input 1: w: float32[1]")));
  hostFunctions().remove("segment::m_0");
  hostFunctions().add("segment::m_0", serve, 2, 1);
  Engine engine = Engine::fromMemory(built.data(), built.sizeBytes());
  Context context = engine.createContext();
  for (int64_t count : {1, 5, 64}) {
    HostTensor x(INLAY_DTYPE_FLOAT32, {count}), y(INLAY_DTYPE_FLOAT32, {count});
    for (int64_t i = 0; i < count; ++i)
      x.data<float>()[i] = static_cast<float>(i);
    context.bind("x", x).bind("y", y);
    context.run();
    for (int64_t i = 0; i < count; ++i)
      EXPECT_EQ(y.data<float>()[i], static_cast<float>(2 * i - 3));
  }
  hostFunctions().remove("segment::m_0");
}

TEST_F(Partition, WhatIsExcludedAndSmallBlocksAreInSegments) {
  options_.excluded = {"neg_1"};
  EXPECT_THAT(buildError(), HasSubstr("'neg_1' is to be excluded"));
  options_.allowsHostSegments = true;
  EXPECT_THAT(loadError(build(options_)), AllOf(HasSubstr("output 0: neg_1: float32[s]"),
                                                HasSubstr("aten::neg(self = scale)")));
  options_.minBlockCalls = 2;
  EXPECT_THAT(loadError(build(options_)),
              AllOf(HasSubstr("input 0: x: float32[s]"), HasSubstr("aten::neg(self = x)")));
  options_.excluded = {"neg_2"};
  EXPECT_THAT(buildError(), HasSubstr("it has 'neg_1'"));
}

TEST_F(Partition, ASegmentMayTakeNothing) {
  std::ofstream(options_.model)
      << R"(graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  %a = graph.call "my::make" node "make" () names [] arguments {} : () -> !graph.tensor<["4"], "float32">
  %y = graph.call "aten::add.Tensor" node "add" (%x, %a) names ["self", "other"] arguments {} : (!graph.tensor<["4"], "float32">, !graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  graph.output %y : !graph.tensor<["4"], "float32">
}
)";
  options_.allowsHostSegments = true;
  const CompiledEngine built = build(options_);
  hostFunctions().add("segment::m_0", [](const HostCall &call) {
    EXPECT_THROW(call.attribute("inputs"), std::out_of_range);
    EXPECT_EQ(call.numInputs(), 0u);
    std::fill_n(call.output(0).as<float>(), 4, 7.0f);
  });
  Engine engine = Engine::fromMemory(built.data(), built.sizeBytes());
  hostFunctions().remove("segment::m_0"); // the engine keeps it
  Context context = engine.createContext();
  HostTensor x(INLAY_DTYPE_FLOAT32, {4}), y(INLAY_DTYPE_FLOAT32, {4});
  x.data<float>()[3] = 1;
  context.bind("x", x).bind("y", y);
  context.run();
  EXPECT_EQ(y.data<float>()[3], 8);
}

} // namespace
} // namespace inlay
