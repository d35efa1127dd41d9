// Each rule of the semantic verifier, by an engine that breaks it and nothing else.
#include "engine/TestEngine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace inlay {
namespace {

struct BrokenEngine {
  const char *name;
  std::function<void(TestEngine &)> breakIt;
  const char *message;
};

void PrintTo(const BrokenEngine &broken, std::ostream *out) { *out << broken.name; }

class Verifier : public testing::TestWithParam<BrokenEngine> {};

/// The writer verifies with the reader, so a broken engine is never written.
TEST_P(Verifier, RefusesTheEngine) {
  TestEngine test = makeTestEngine();
  GetParam().breakIt(test);
  Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
  ASSERT_FALSE(bytes.isOk());
  EXPECT_THAT(bytes.status().message(), testing::HasSubstr(GetParam().message));
}

fb::ExprInstruction changed(const fb::ExprInstruction &step, uint8_t kind, uint32_t a) {
  return {kind, a, step.b(), step.c(), step.value()};
}

#define BREAK(name, statement, message)                                                            \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          [[maybe_unused]] fb::EngineT &e = test.engine;                                           \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

fb::LaunchT &launchOf(fb::EngineT &engine) { return *engine.steps[0]->kind.AsLaunch(); }

/// Replaces the copy by a call of my::f(x) = z with an attribute.
fb::HostCallT &callOf(fb::EngineT &engine) {
  fb::HostCallT call;
  call.function = "my::f";
  for (const uint32_t buffer : {0u, 2u}) {
    auto tensor = std::make_unique<fb::HostTensorT>();
    tensor->buffer = buffer;
    tensor->dtype = 12;
    tensor->shape = engine.inputs[0]->shape;
    (buffer == 0 ? call.inputs : call.outputs).push_back(std::move(tensor));
  }
  auto attribute = std::make_unique<fb::HostAttributeT>();
  attribute->name = "k";
  call.attributes.push_back(std::move(attribute));
  engine.steps[1]->kind.Set(std::move(call));
  return *engine.steps[1]->kind.AsHostCall();
}

#define BREAK_CALL(name, statement, message)                                                       \
  BREAK(name, fb::HostCallT &c = callOf(e); statement, message)
#define BREAK_ATTRIBUTE(name, ofKind, statement, message)                                          \
  BREAK_CALL(name, fb::HostAttributeT &a = *c.attributes[0]; a.kind = fb::HostValueKind::ofKind;   \
             statement, message)

INSTANTIATE_TEST_SUITE_P(
    HostCall, Verifier,
    testing::Values(
        BREAK_CALL("hostFunction", c.function = "",
                   "steps[1] calls a host function without a name"),
        BREAK_CALL("hostInput", c.inputs[0]->buffer = 9, "steps[1] refers to buffer 9"),
        BREAK_CALL("hostOutput", c.outputs[0]->buffer = 0,
                   "steps[1] writes buffer 0, an input or constant"),
        BREAK_CALL("hostWorkspace", c.workspace = 3,
                   "steps[1] writes buffer 3, an input or constant"),
        BREAK_CALL("hostDtype", c.inputs[0]->dtype = 99, "with a tensor of unknown dtype 99"),
        BREAK_CALL("hostRank", c.inputs[0]->shape.assign(65, 0), "or of rank 65"),
        BREAK_CALL("hostShape", c.inputs[0]->shape = {99}, "steps[1] refers to expression 99"),
        BREAK_ATTRIBUTE("hostBool", Bool, a.integer = 2, "gives attribute 'k' no bool of 0 or 1"),
        BREAK_ATTRIBUTE("hostDtypeValue", DType, a.integer = -1, "no known dtype"),
        BREAK_CALL("hostKind", c.attributes[0]->kind = fb::HostValueKind(99),
                   "gives attribute 'k' the unknown kind 99")),
    [](const auto &test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Engine, Verifier,
    testing::Values(
        BREAK("expressionKind", e.expressions[2] = changed(e.expressions[2], 200, 0),
              "expressions[2] has unknown kind 200"),
        BREAK("expressionOrder", e.expressions[2] = changed(e.expressions[2], 2, 2),
              "expressions[2] uses expression 2, which does not come before it"),
        BREAK("expressionFurtherOperand",
              e.expressions[2] = fb::ExprInstruction(15, 0, 0x7fffffff, 0, 0),
              "expressions[2] takes 1 operands and has a further one"),
        BREAK("expressionSymbol", e.expressions[1] = fb::ExprInstruction(1, 0, 0, 0, 7),
              "expressions[1] refers to symbol 7"),
        BREAK("scratchOfCuda", e.kernels[0]->images[0]->scratch_bytes = 64,
              "kernels[0] has an image for cuda:sm_80 with 64 bytes of scratch memory"),
        BREAK("bufferSize", e.buffers[0]->size_bytes = 99, "buffers[0] refers to expression 99"),
        BREAK("bufferKind", e.buffers[0]->kind = fb::BufferKind(9),
              "buffers[0] has unknown kind 9"),
        BREAK("bufferAlignment", e.buffers[1]->alignment_bytes = 48,
              "buffers[1] has alignment 48; expected a power of two"),
        BREAK("bufferSteps", e.buffers[1]->first_step = 2,
              "buffers[1] is first used in step 2 and last in step 1"),
        BREAK("bufferLastStep", e.buffers[1]->last_step = 2,
              "buffers[1] is last used in step 2; the engine has 2"),
        BREAK("liveRange", e.buffers[1]->first_step = 1,
              "steps[0] uses buffer 1, which lives from step 1 to 1"),
        BREAK("constantSegment", e.buffers[3]->segment = 3, "buffers[3] refers to segment 3"),
        BREAK("constantSize", test.segments[2].pop_back(), "is not its segment's 7 bytes"),
        BREAK("constantWithout", e.buffers[3]->segment = 4294967295u,
              "buffers[3] is a constant or state without segment"),
        BREAK("tensorName", e.inputs[0]->name = "", "input 0 has the name ''"),
        BREAK("tensorDtype", e.inputs[0]->dtype = 99, "input 'x' has unknown dtype 99"),
        BREAK("tensorRank", e.inputs[0]->shape.assign(65, 0), "input 'x' has rank 65"),
        BREAK("tensorShape", e.outputs[0]->shape[0] = 99, "output[0] refers to expression 99"),
        BREAK("tensorBuffer", e.outputs[0]->buffer = 1, "output 'z' refers to buffer 1"),
        BREAK("bufferWithoutTensor", e.outputs.clear(), "0 output tensors and 1 buffers"),
        BREAK("symbolRange", e.symbols[0]->min = 65, "symbols[0] has the range 65"),
        BREAK("profileRanges", addTestProfile(e, 1, 8, 64);
              e.profiles[0]->ranges.clear(), "profiles[0] has 0 ranges; the engine has 1 symbols"),
        BREAK("profileBelowSymbol", addTestProfile(e, 0, 8, 64),
              "profiles[0] gives symbols[0] the range 0 to 64 and opt 8; the symbol has 1 to"),
        BREAK("profileBeyondSymbol", e.symbols[0]->max = 64;
              addTestProfile(e, 1, 8, 65), "profiles[0] gives symbols[0] the range 1 to 65"),
        BREAK("profileOpt", addTestProfile(e, 1, 65, 64), "and opt 65"),
        BREAK("profileEmptyRange", addTestProfile(e, 9, 9, 8), "the range 9 to 8"),
        BREAK("symbolInput", e.symbols[0]->input = 1, "symbols[0] refers to input 1"),
        BREAK("symbolDimension", e.symbols[0]->dim = 1, "symbols[0] refers to dimension 1"),
        BREAK("symbolExpression", e.inputs[0]->shape[0] = 0,
              "symbols[0] is read from dimension 0 of input 0, which is another expression"),
        BREAK("parameterDtype", e.kernels[0]->parameters[0]->dtype = 0,
              "has a parameter of unknown kind 0 or dtype 0"),
        BREAK("imageSegment", e.kernels[0]->images[0]->segment = 9,
              "kernels[0] refers to segment 9"),
        BREAK("imageFormat", e.kernels[0]->images[0]->format = fb::ImageFormat(7),
              "image of unknown format 7"),
        BREAK("imageTarget", e.kernels[0]->images[0]->target = "cpu:x86-64-v3",
              "image for target 'cpu:x86-64-v3' that does not fit its format"),
        BREAK("imageWarps", e.kernels[0]->images[0]->num_warps = 0, "0 warps; expected 1 to 32"),
        BREAK("imageBlock", (e.kernels[0]->images[0]->block = {32, 33, 1}),
              "an image with a block of 3 extents and more than 1024 threads"),
        BREAK("imageBlockExtents", e.kernels[0]->images[0]->block = {32},
              "an image with a block of 1 extents and 0 threads; expected three"),
        BREAK("imageCluster", (e.kernels[0]->images[0]->cluster = {17, 1, 1}),
              "an image with a cluster of 3 extents and more than 16 blocks"),
        BREAK("imageClusterZero", (e.kernels[0]->images[0]->cluster = {2, 0, 1}),
              "an image with a cluster of 3 extents and 0 blocks"),
        BREAK("imageBlocksPerProgram", e.kernels[0]->images[0]->blocks_per_program = 0,
              "an image with 0 blocks per program"),
        BREAK("launchBlock", launchOf(e).block = {0}, "steps[0] has a block of 1 extents"),
        BREAK("launchBlockExtent", (launchOf(e).block = {0, 0, 99}),
              "steps[0] refers to expression 99"),
        BREAK("launchShared", launchOf(e).shared_bytes = 99, "steps[0] refers to expression 99"),
        BREAK("launchKernel", launchOf(e).kernel = 1, "steps[0] refers to kernel 1"),
        BREAK("launchGrid", launchOf(e).grid.pop_back(), "steps[0] has a grid of 2 extents"),
        BREAK("launchArgumentCount", launchOf(e).arguments.pop_back(),
              "steps[0] has 4 arguments; its kernel takes 5"),
        BREAK("launchPointer", launchOf(e).arguments[0]->kind = fb::ArgumentKind::Expression,
              "steps[0] argument 0 of kind 1 does not fit its parameter"),
        BREAK("launchScalar", launchOf(e).arguments[1]->kind = fb::ArgumentKind::Float,
              "steps[0] argument 1 of kind 2 does not fit its parameter"),
        BREAK("launchBuffer", launchOf(e).arguments[0]->index = 9, "steps[0] refers to buffer 9"),
        BREAK("copyWrites", e.steps[1]->kind.AsCopy()->target = 3,
              "steps[1] writes buffer 3, an input or constant"),
        BREAK("copySizes", e.steps[1]->kind.AsCopy()->source = 3,
              "steps[1] copies between buffers of different sizes"),
        BREAK("stepKind", e.steps[1]->kind.Reset(), "steps[1] has unknown kind 0"),
        BREAK("checkCondition", e.checks[0]->condition = 99, "checks[0] refers to expression 99")),
    [](const auto &test) { return std::string(test.param.name); });

#define BREAK_SIZE(name, statement, message)                                                       \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          test = makeSizeTestEngine();                                                             \
          fb::EngineT &e = test.engine;                                                            \
          [[maybe_unused]] fb::ReadSizeT &read = *e.steps[2]->kind.AsReadSize();                   \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

INSTANTIATE_TEST_SUITE_P(
    ComputedSizes, Verifier,
    testing::Values(
        BREAK_SIZE("sizeBoundIndex", e.symbols[1]->bound = 99,
                   "symbols[1] refers to expression 99"),
        BREAK_SIZE("sizeBoundNeedsItself", e.symbols[1]->bound = e.outputs[0]->shape[0],
                   "symbols[1] has a bound that needs symbol 1, which is read later"),
        BREAK_SIZE("sizeNeverRead", e.steps.erase(e.steps.begin() + 2);
                   for (auto &buffer : e.buffers) buffer->last_step = 2,
                   "symbols[1] has a bound, and no step reads it"),
        BREAK_SIZE("sizeOfInput", read.symbol = 0, "steps[2] reads symbol 0; expected 1"),
        BREAK_SIZE("sizeSymbol", read.symbol = 7, "steps[2] reads symbol 7; expected 1"),
        BREAK_SIZE("sizeReadTwice", e.steps[1]->kind.Set(fb::ReadSizeT(read)),
                   "steps[2] reads symbol 1; expected none"),
        BREAK_SIZE("sizeDtype", read.dtype = 12, "steps[2] reads a size of dtype 12"),
        BREAK_SIZE("sizeWidth", read.dtype = 5,
                   "steps[2] reads a size from buffer 5, which is not of 8 bytes"),
        BREAK_SIZE("sizeBuffer", read.buffer = 9, "steps[2] refers to buffer 9"),
        BREAK_SIZE("sizeBufferDead", e.buffers[5]->last_step = 1,
                   "steps[2] uses buffer 5, which lives from step 0 to 1"),
        BREAK_SIZE("inputOfComputedSize", e.inputs[1]->shape.push_back(e.outputs[0]->shape[0]),
                   "input 'count' has a dimension that needs symbol 1, which a kernel computes")),
    [](const auto &test) { return std::string(test.param.name); });

#define BREAK_UPDATE(name, statement, message)                                                     \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          test = makeUpdateTestEngine();                                                           \
          fb::EngineT &e = test.engine;                                                            \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

INSTANTIATE_TEST_SUITE_P(
    UpdatedInputs, Verifier,
    testing::Values(
        BREAK_UPDATE("updateOfNothing", e.outputs[0]->updated_input = 1,
                     "output 'z' updates input 1, which is not there"),
        BREAK_UPDATE("updateByInput", e.inputs[0]->updated_input = 0,
                     "input 'x' says that it updates an input"),
        BREAK_UPDATE(
            "updateReadsLater", e.steps[1]->kind.AsLaunch()->arguments[0]->index = 0,
            "output 'z' updates input 'x', but its first step is no copy of it, or a later "
            "one uses the input"),
        BREAK_UPDATE("updateOfAnother", e.steps[0]->kind.AsCopy()->source = 1,
                     "output 'z' updates input 'x', but its first step")),
    [](const auto &test) { return std::string(test.param.name); });

#define BREAK_CHOICE(name, statement, message)                                                     \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          test = makeTacticTestEngine();                                                           \
          fb::EngineT &e = test.engine;                                                            \
          fb::ChoiceT &choice = *e.choices[0];                                                     \
          (void)choice;                                                                            \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

INSTANTIATE_TEST_SUITE_P(
    Choices, Verifier,
    testing::Values(
        BREAK_CHOICE("tacticCondition", choice.tactics[0]->condition = 9999,
                     "choices[0] has tactic 'large' with expression 9999"),
        BREAK_CHOICE("tacticBuffer", choice.tactics[1]->alignments[0]->buffer = 17,
                     "choices[0] has tactic 'wide' with buffer 17; the engine has 4"),
        BREAK_CHOICE("tacticAlignment", choice.tactics[1]->alignments[0]->bytes = 48,
                     "choices[0] has tactic 'wide' with an alignment of 48 bytes"),
        BREAK_CHOICE("orderTwice", (choice.orders[0]->tactics = {0, 0, 2}),
                     "choices[0] has an order with tactic 0, which is not there or stands twice"),
        BREAK_CHOICE("orderOfNothing", choice.orders[0]->tactics.clear(),
                     "choices[0] has an empty order"),
        BREAK_CHOICE("orderWithoutLast", (choice.orders[0]->tactics = {2, 0}),
                     "choices[0] has an order that ends in tactic 'large', which has a condition"),
        BREAK_CHOICE("noOrder", choice.orders.clear(), "choices[0] has 0 orders"),
        BREAK_CHOICE("orderForOneProfile", choice.orders[0]->profile = 1,
                     "choices[0] has 1 orders, and the last one does not fit every device"),
        BREAK_CHOICE("launchOfNoChoice", e.steps[1]->kind.AsLaunch()->choice = 1,
                     "steps[1] belongs to tactic 1 of choice 1, which is not there"),
        BREAK_CHOICE("launchOfNoTactic", e.steps[1]->kind.AsLaunch()->tactic = 3,
                     "steps[1] belongs to tactic 3 of choice 0, which is not there")),
    [](const auto &test) { return std::string(test.param.name); });

#define BREAK_STATE(name, statement, message)                                                      \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          test = makeStateTestEngine();                                                            \
          fb::EngineT &e = test.engine;                                                            \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

INSTANTIATE_TEST_SUITE_P(
    State, Verifier,
    testing::Values(BREAK_STATE("stateWithoutSegment", e.buffers[2]->segment = 0xffffffff,
                                "buffers[2] is a constant or state without segment"),
                    BREAK_STATE("stateOfAnotherSize", e.buffers[2]->size_bytes = 1,
                                "buffers[2] is a constant or state whose size is not its segment's "
                                "8 bytes")),
    [](const auto &test) { return std::string(test.param.name); });

#define BREAK_LIBRARY(name, statement, message)                                                    \
  BrokenEngine {                                                                                   \
    name,                                                                                          \
        [](TestEngine &test) {                                                                     \
          test = makeLibraryTestEngine();                                                          \
          fb::EngineT &e = test.engine;                                                            \
          fb::ImageT &image = *e.kernels[1]->images[0];                                            \
          (void)image;                                                                             \
          statement;                                                                               \
        },                                                                                         \
        message                                                                                    \
  }

INSTANTIATE_TEST_SUITE_P(
    LibraryFunctions, Verifier,
    testing::Values(
        BREAK_LIBRARY("libraryBesideCode",
                      e.kernels[0]->images[0]->format = fb::ImageFormat::LibraryFunction,
                      "kernels[0] 'add_one_kernel' has "),
        BREAK_LIBRARY("libraryForOneArchitecture", image.target = "cuda:sm_90",
                      "kernels[1] 'library' has the library function 'vendor.add_one' for target "
                      "'cuda:sm_90' with 0 bytes; expected a name, 'cpu' or 'cuda', and no bytes"),
        BREAK_LIBRARY("libraryWithCode", image.segment = 0,
                      "kernels[1] 'library' has the library function 'vendor.add_one' for target "
                      "'cuda' with 13 bytes"),
        BREAK_LIBRARY("libraryWithoutName", image.entry.clear(),
                      "kernels[1] 'library' has the library function ''"),
        BREAK_LIBRARY("libraryIsLast", e.steps[2]->kind.AsLaunch()->kernel = 1,
                      "choices[0] has an order that ends in tactic 'any', which calls a library")),
    [](const auto &test) { return std::string(test.param.name); });

TEST(Verifier, AcceptsComputedSizesUpdatedInputsTacticsLibrariesAndState) {
  for (TestEngine (*make)() : {makeSizeTestEngine, makeUpdateTestEngine, makeTacticTestEngine,
                               makeLibraryTestEngine, makeStateTestEngine}) {
    TestEngine test = make();
    const Result<std::vector<std::byte>> bytes =
        writeEngineFile(std::move(test.engine), test.segments);
    ASSERT_TRUE(bytes.isOk()) << bytes.status().toString();
    EngineHeader header;
    std::memcpy(&header, bytes->data(), sizeof(header));
    EXPECT_EQ(header.flags, make == makeSizeTestEngine      ? kComputedSizesFlag
                            : make == makeTacticTestEngine  ? kTacticsFlag
                            : make == makeLibraryTestEngine ? kTacticsFlag | kLibraryFunctionsFlag
                            : make == makeStateTestEngine   ? kStateFlag
                                                            : 0u);
  }
}

} // namespace
} // namespace inlay
