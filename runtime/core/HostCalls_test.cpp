// Functions of the process that engines call: registering them, looking them up, calling them.
#include "runtime/core/TestContext.h"
#include "runtime/devices/null/NullDevice.h"

#include <inlay/host_function.h>

#include <atomic>
#include <thread>

namespace inlay {
namespace {

HostRegistry hostFunctions() {
  return HostRegistry({sizeof(inlay_host_api_t), inlay_host_function_register,
                       inlay_host_function_unregister, inlay_status_create, inlay_status_message,
                       inlay_status_free});
}

/// The test engine with its launch and copy replaced by z = my::f(x).
TestEngine makeHostEngine(const std::string &function = "my::f") {
  TestEngine test = makeTestEngine();
  test.engine.kernels.clear();
  test.engine.steps.clear();
  fb::HostCallT call;
  call.function = function;
  call.node = "f_1";
  for (const bool isInput : {true, false}) {
    auto tensor = std::make_unique<fb::HostTensorT>();
    tensor->buffer = isInput ? 0 : 2;
    tensor->dtype = 12; // float32
    tensor->shape = (isInput ? test.engine.inputs : test.engine.outputs)[0]->shape;
    (isInput ? call.inputs : call.outputs).push_back(std::move(tensor));
  }
  auto addAttribute = [&](const char *name, fb::HostValueKind kind) -> fb::HostAttributeT & {
    auto attribute = std::make_unique<fb::HostAttributeT>();
    attribute->name = name;
    attribute->kind = kind;
    call.attributes.push_back(std::move(attribute));
    return *call.attributes.back();
  };
  addAttribute("added", fb::HostValueKind::Float).number = 2.5;
  addAttribute("name", fb::HostValueKind::String).text = "six";
  addAttribute("list", fb::HostValueKind::IntList).integers = {1, -2, 3};
  addAttribute("weights", fb::HostValueKind::FloatList).numbers = {0.5};
  addAttribute("names", fb::HostValueKind::StringList).texts = {"a", "b"};
  for (const auto &[name, kind] : {std::pair("no_text", fb::HostValueKind::String),
                                   std::pair("no_ints", fb::HostValueKind::IntList),
                                   std::pair("no_bools", fb::HostValueKind::BoolList),
                                   std::pair("no_floats", fb::HostValueKind::FloatList),
                                   std::pair("no_strings", fb::HostValueKind::StringList)})
    addAttribute(name, kind); // which the file holds as absent
  addAttribute("nothing", fb::HostValueKind::None);
  addAttribute("flag", fb::HostValueKind::Bool).integer = 1;
  addAttribute("dtype", fb::HostValueKind::DType).integer = INLAY_DTYPE_FLOAT16;
  call.workspace = 1;
  test.engine.buffers[1]->kind = fb::BufferKind::Workspace;
  for (auto &buffer : test.engine.buffers)
    buffer->last_step = 0;
  auto step = std::make_unique<fb::StepT>();
  step->kind.Set(std::move(call));
  test.engine.steps.push_back(std::move(step));
  return test;
}

Result<std::shared_ptr<Engine>> load(TestEngine test) {
  Result<EngineFile> file = EngineFile::fromBytes(writeTestEngine(std::move(test)));
  if (!file.isOk())
    return std::move(file).status();
  return Engine::create(std::move(*file));
}

/// Registered while it lives.
struct Registered {
  Registered(std::string ofName, std::function<void(const HostCall &)> function,
             int32_t inputs = -1, int32_t outputs = -1)
      : name(std::move(ofName)) {
    hostFunctions().add(name, std::move(function), inputs, outputs);
  }
  ~Registered() { hostFunctions().remove(name); }
  std::string name;
};

void addToAll(const HostCall &call) {
  for (int64_t i = 0; i < call.input(0).numElements(); ++i)
    call.output(0).as<float>()[i] =
        call.input(0).as<float>()[i] + static_cast<float>(call.attribute("added").asFloat());
}

Status runOnce(ExecutionContext &context, int64_t n, TestMemory &x, TestMemory &z) {
  EXPECT_OK(context.bindInput(0, {x.data(), DataType::Float32, {&n, 1}, false}));
  EXPECT_OK(context.bindOutput(0, {z.data(), DataType::Float32, {&n, 1}, false}));
  return context.run(nullptr);
}

TEST(HostCalls, AFunctionGetsTensorsAttributesAndWorkspace) {
  Registered function("my::f", [](const HostCall &call) {
    addToAll(call);
    EXPECT_EQ(call.function(), "my::f");
    EXPECT_EQ(call.node(), "f_1");
    EXPECT_EQ(call.device(), "cpu");
    EXPECT_EQ(call.stream(), nullptr);
    EXPECT_EQ(call.numInputs(), 1u);
    EXPECT_EQ(call.numOutputs(), 1u);
    EXPECT_EQ(call.input(0).dtype(), INLAY_DTYPE_FLOAT32);
    EXPECT_EQ(call.input(0).rank(), 1);
    EXPECT_EQ(call.attribute("name").asString(), "six");
    EXPECT_THAT(call.attribute("list").asInts(), testing::ElementsAre(1, -2, 3));
    EXPECT_THAT(call.attribute("weights").asFloats(), testing::ElementsAre(0.5));
    EXPECT_THAT(call.attribute("names").asStrings(), testing::ElementsAre("a", "b"));
    EXPECT_EQ(call.attribute("no_text").asString(), "");
    EXPECT_THAT(call.attribute("no_ints").asInts(), testing::IsEmpty());
    EXPECT_THAT(call.attribute("no_floats").asFloats(), testing::IsEmpty());
    EXPECT_THAT(call.attribute("no_strings").asStrings(), testing::IsEmpty());
    EXPECT_TRUE(call.attribute("nothing").isNone());
    EXPECT_TRUE(call.attribute("flag").asBool());
    EXPECT_EQ(call.attribute("dtype").asDtype(), INLAY_DTYPE_FLOAT16);
    EXPECT_EQ(call.workspaceBytes(), 4u * static_cast<uint64_t>(call.input(0).size(0)));
    std::memset(call.workspace(), 1, call.workspaceBytes());
  });
  auto engine = load(makeHostEngine());
  ASSERT_TRUE(engine.isOk()) << engine.status().toString();
  auto context = makeTestContext(*engine, "cpu");
  const auto x = countingFloats(700), z = countingFloats(700);
  for (const int64_t n : {5, 700, 3}) {
    EXPECT_OK(runOnce(*context, n, *x, *z));
    EXPECT_EQ(z->floats()[n - 1], static_cast<float>(n - 1) + 2.5f);
  }
  EXPECT_EQ(context->statistics().numLaunches, 0u);
}

TEST(HostCalls, MissingFunctionsAreNamedWhenTheEngineIsLoaded) {
  EXPECT_THAT(load(makeHostEngine("my::missing")).status(),
              IsError(StatusCode::NotFound,
                      "the engine calls host functions that this process has not registered: "
                      "'my::missing' (node 'f_1'); registered are: none"));
  Registered other("my::other", addToAll);
  EXPECT_THAT(load(makeHostEngine("my::missing")).status(),
              IsError(StatusCode::NotFound, "registered are: my::other"));
}

TEST(HostCalls, FunctionsOfOtherTensorsAreRefused) {
  Registered function("my::f", addToAll, 2, 1);
  EXPECT_THAT(load(makeHostEngine()).status(),
              IsError(StatusCode::Incompatible,
                      "the engine calls host function 'my::f' (node 'f_1') with 1 inputs; the "
                      "registered function takes 2"));
}

TEST(HostCalls, AnErrorIsTheRunsErrorAndTheNextRunWorks) {
  bool isFailing = true;
  Registered function("my::f", [&](const HostCall &call) {
    if (isFailing)
      throw std::runtime_error("the camera is off");
    addToAll(call);
  });
  auto context = makeTestContext(*load(makeHostEngine()), "cpu");
  const auto x = countingFloats(10), z = countingFloats(10);
  EXPECT_THAT(runOnce(*context, 10, *x, *z),
              IsError(StatusCode::FailedPrecondition,
                      "the camera is off, while running step 0, host function 'my::f' (node "
                      "'f_1')"));
  isFailing = false;
  EXPECT_OK(runOnce(*context, 10, *x, *z));
  EXPECT_EQ(z->floats()[9], 11.5f);
}

TEST(HostCalls, WhatIsWrongWithAnAttributeOrTensorIsSaid) {
  const std::pair<std::function<void(const HostCall &)>, const char *> wrong[] = {
      {[](const HostCall &call) { call.attribute("added").asInt(); }, "'added' is not an int"},
      {[](const HostCall &call) { call.attribute("none"); }, "there is no attribute 'none'"},
      {[](const HostCall &call) { call.input(1); }, "there is no tensor 1 among 1"},
      {[](const HostCall &) { throw 7; }, "threw what is no std::exception"}};
  const auto x = countingFloats(10), z = countingFloats(10);
  for (const auto &[function, says] : wrong) {
    Registered registered("my::f", function);
    auto context = makeTestContext(*load(makeHostEngine()), "cpu");
    EXPECT_NE(runOnce(*context, 10, *x, *z).message().find(says), std::string::npos) << says;
  }
}

TEST(HostCalls, NamesAreTakenOnceAndEnginesKeepWhatTheyFound) {
  auto alive = std::make_shared<int>(0);
  hostFunctions().add("my::f", [alive](const HostCall &call) {
    addToAll(call);
    ++*alive;
  });
  EXPECT_THROW(hostFunctions().add("my::f", addToAll), std::runtime_error);
  {
    auto context = makeTestContext(*load(makeHostEngine()), "cpu");
    hostFunctions().remove("my::f");
    EXPECT_THROW(hostFunctions().remove("my::f"), std::runtime_error);
    const auto x = countingFloats(10), z = countingFloats(10);
    EXPECT_OK(runOnce(*context, 10, *x, *z));
    EXPECT_EQ(*alive, 1);
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1); // destroyed with the last engine
}

TEST(HostCalls, IncompleteRegistrationsAreRefused) {
  inlay_host_function_t raw{};
  const auto expect = [&](const char *says) {
    inlay_status_t *status = inlay_host_function_register(&raw);
    ASSERT_NE(status, nullptr);
    EXPECT_NE(std::string(inlay_status_message(status)).find(says), std::string::npos)
        << inlay_status_message(status);
    inlay_status_free(status);
  };
  expect("struct_size of a host function is 0");
  raw.struct_size = sizeof(raw);
  expect("needs a name and a function to call");
  raw.name = "my::f";
  expect("needs a name and a function to call");
  inlay_status_t *status = inlay_host_library_load("/nonexistent/lib.so");
  EXPECT_EQ(inlay_status_code(status), INLAY_STATUS_NOT_FOUND) << inlay_status_message(status);
  inlay_status_free(status);
}

TEST(HostCalls, TheNullDeviceCallsNothing) {
  int numCalls = 0;
  Registered function("my::f", [&](const HostCall &) { ++numCalls; });
  auto context = makeTestContext(*load(makeHostEngine()), "null");
  const auto x = countingFloats(10), z = countingFloats(10);
  EXPECT_OK(runOnce(*context, 10, *x, *z));
  EXPECT_EQ(numCalls, 0);
}

TEST(HostCalls, ProfilesAndDebugModeSeeThem) {
  Registered function("my::f", [](const HostCall &call) {
    addToAll(call);
    call.output(0).as<float>()[call.output(0).numElements()] = 1;
  });
  auto engine = *load(makeHostEngine());
  const auto x = countingFloats(10), z = countingFloats(11);
  auto debugged = makeTestContext(engine, "cpu", 1, 0, true);
  EXPECT_THAT(runOnce(*debugged, 10, *x, *z),
              IsError(StatusCode::OutOfRange, "a write outside of output 'z' (40 bytes): byte 1 "
                                              "behind it is now 0x00, while running step 0, host "
                                              "function 'my::f' (node 'f_1')"));
  auto context = makeTestContext(engine, "cpu");
  std::vector<ProfiledStep> steps;
  EXPECT_OK(context->setProfiler([&](const ProfiledStep &step) { steps.push_back(step); }));
  EXPECT_OK(runOnce(*context, 10, *x, *z));
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].kind, ProfiledStep::Kind::HostCall);
  EXPECT_STREQ(steps[0].name, "my::f");
  EXPECT_EQ(steps[0].sizeBytes, 80u);
}

TEST(HostCalls, ManyThreadsRegisterLoadAndRun) {
  std::atomic<int> numWrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const std::string name = "my::f" + std::to_string(t);
      const auto x = countingFloats(100), z = countingFloats(100);
      for (int i = 0; i < 50; ++i) {
        hostFunctions().add(name, addToAll);
        auto engine = load(makeHostEngine(name));
        hostFunctions().remove(name);
        if (!engine.isOk()) {
          ++numWrong;
          continue;
        }
        auto context = makeTestContext(*engine, "cpu", 1);
        numWrong += !runOnce(*context, 100, *x, *z).isOk() || z->floats()[99] != 101.5f;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numWrong, 0);
}

} // namespace
} // namespace inlay
