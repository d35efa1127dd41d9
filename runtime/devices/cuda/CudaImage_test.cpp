#include "runtime/devices/cuda/CudaImage.h"

#include "engine/TestEngine.h"

#include <fmt/format.h>

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(CudaImage, ReadsTargets) {
  const auto plain = parseCudaTarget("cuda:sm_80"), specific = parseCudaTarget("cuda:sm_90a"),
             family = parseCudaTarget("cuda:sm_120f");
  ASSERT_TRUE(plain && specific && family);
  EXPECT_TRUE(plain->major == 8 && plain->minor == 0 && !plain->isSpecific);
  EXPECT_TRUE(specific->major == 9 && specific->minor == 0 && specific->isSpecific);
  EXPECT_TRUE(family->major == 12 && family->minor == 0 && family->isSpecific);
  for (const char *text : {"", "cuda", "cuda:", "cuda:sm_", "cuda:sm_x", "cuda:sm_9", "cuda:sm_90b",
                           "cuda:sm_90aa", "cpu:x86-64", "cuda:sm_99999999999"})
    EXPECT_FALSE(parseCudaTarget(text)) << text;
}

TEST(CudaImage, NamesTheTargetToBuildFor) {
  EXPECT_EQ(cudaTargetName(8, 6), "cuda:sm_86");
  EXPECT_EQ(cudaTargetName(9, 0), "cuda:sm_90a");
  EXPECT_EQ(cudaTargetName(12, 0), "cuda:sm_120a");
}

struct Choice {
  std::vector<std::string> images; // targets; those that end in '!' are cubins
  int major, minor;
  int expected; // index, -1 for none
};

TEST(CudaImage, ChoosesTheBestImageThatRuns) {
  const Choice choices[] = {
      {{"cuda:sm_80"}, 8, 0, 0},
      {{"cuda:sm_80"}, 12, 0, 0}, // PTX runs on whatever is newer
      {{"cuda:sm_80"}, 7, 5, -1},
      {{"cuda:sm_90"}, 8, 9, -1},
      {{"cuda:sm_80!"}, 8, 0, 0},
      {{"cuda:sm_80!"}, 8, 6, 0},  // a cubin runs on newer minor versions
      {{"cuda:sm_86!"}, 8, 0, -1}, // and not on older
      {{"cuda:sm_80!"}, 9, 0, -1}, // nor on another major one
      {{"cuda:sm_80", "cuda:sm_86", "cuda:sm_90"}, 8, 9, 1},
      {{"cuda:sm_80", "cuda:sm_80!"}, 8, 0, 1},
      {{"cuda:sm_80!", "cuda:sm_86!"}, 8, 6, 1},
      {{"cuda:sm_89", "cuda:sm_80!"}, 8, 9, 1},
      {{"cuda:sm_80", "cuda:sm_90a"}, 9, 0, 1}, // specific code on exactly its architecture
      {{"cuda:sm_80", "cuda:sm_90a"}, 10, 0, 0},
      {{"cuda:sm_90a"}, 12, 0, -1},
      {{"cuda:sm_90a"}, 8, 0, -1},
      {{"cuda:sm_90", "cuda:sm_90a", "cuda:sm_90!", "cuda:sm_90a!"}, 9, 0, 3},
      {{"cuda:other", "cpu:x86-64"}, 9, 0, -1},
      {{}, 9, 0, -1},
  };
  for (const Choice &choice : choices) {
    fb::KernelT kernel;
    kernel.name = "k";
    std::string trace = fmt::format("{}.{}:", choice.major, choice.minor);
    for (const std::string &target : choice.images) {
      auto image = std::make_unique<fb::ImageT>();
      const bool isCubin = target.ends_with('!');
      image->target = isCubin ? target.substr(0, target.size() - 1) : target;
      image->format = target.starts_with("cpu") ? fb::ImageFormat::X86SharedObject
                      : isCubin                 ? fb::ImageFormat::Cubin
                                                : fb::ImageFormat::Ptx;
      kernel.images.push_back(std::move(image));
      trace += " " + target;
    }
    SCOPED_TRACE(trace);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(fb::Kernel::Pack(builder, &kernel));
    const fb::Kernel *packed = flatbuffers::GetRoot<fb::Kernel>(builder.GetBufferPointer());
    const fb::Image *expected = choice.expected < 0
                                    ? nullptr
                                    : packed->images()->Get(static_cast<uint32_t>(choice.expected));
    EXPECT_EQ(chooseCudaImage(*packed, choice.major, choice.minor), expected);
  }
}

} // namespace
} // namespace inlay
