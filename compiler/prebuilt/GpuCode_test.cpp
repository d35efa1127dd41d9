// Reading PTX and cubins, on what Triton 3.6 and ptxas made of kernels whose parameters are known.
#include "base/File.h"
#include "compiler/prebuilt/KernelInterface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string fixture(const std::string &name) {
  Result<std::string> text = readFile("tests/prebuilt/" + name);
  EXPECT_TRUE(text.isOk()) << text.status().toString();
  return text.isOk() ? *text : "";
}

const KernelInterface &only(const Result<GpuCode> &code) {
  static const KernelInterface empty;
  EXPECT_TRUE(code.isOk()) << code.status().toString();
  if (!code.isOk() || (*code).kernels.size() != 1)
    return ADD_FAILURE() << "not one kernel", empty;
  return (*code).kernels[0];
}

std::vector<uint32_t> sizes(const KernelInterface &kernel) {
  std::vector<uint32_t> result;
  for (const CodeParameter &parameter : kernel.parameters)
    result.push_back(parameter.sizeBytes);
  return result;
}

constexpr std::string_view kHeader = ".version 8.0\n.target sm_80\n.address_size 64\n";

Result<GpuCode> ptx(const std::string &body) { return readPtx(std::string(kHeader) + body); }

const PassedArgument kX{DataType::Float32, true, "X"}, kY{DataType::Float32, true, "Y"},
    kN{DataType::Int32, false, "X.numel"}, kEps{DataType::Float32, false, "eps"},
    kWide{DataType::Int64, false, "i64(n)"};

TEST(Ptx, ReadsWhatTritonMade) {
  for (const auto &[name, architecture] :
       {std::pair("add_one_fp32.sm80.ptx", "sm_80"), {"add_one_fp16.sm90.ptx", "sm_90a"}}) {
    const Result<GpuCode> code = readPtx(fixture(name));
    const KernelInterface &kernel = only(code);
    EXPECT_EQ((*code).architecture, architecture);
    EXPECT_EQ((*code).ptxVersion, 87u);
    EXPECT_EQ(kernel.entry, "add_one_kernel");
    EXPECT_THAT(sizes(kernel), ElementsAre(8, 4, 8, 8, 8));
    EXPECT_EQ(kernel.parameters[0].kind, CodeParameter::Kind::Pointer);
    EXPECT_EQ(kernel.parameters[0].alignmentBytes, 8u);
    EXPECT_EQ(kernel.parameters[1].kind, CodeParameter::Kind::Integer);
    EXPECT_THAT(kernel.requiredBlock, ElementsAre(128, 1, 1));
  }
  const Result<GpuCode> matmul = readPtx(fixture("matmul_fp16.sm90.ptx"));
  EXPECT_THAT(sizes(only(matmul)), ElementsAre(8, 8, 4, 4, 4, 8, 8, 8));
}

TEST(Ptx, ReadsDirectivesAndAllKindsOfParameters) {
  const Result<GpuCode> code = ptx(R"(
/* a comment with { and .entry no( */
.global .align 4 .b8 text[6] = {65, 66}; // } "
.func (.param .b32 r) helper(.param .b32 a) { { ret; } }
.visible .entry one( .param .u64 .ptr .align 1 p, .param .f32 f,
  .param .align 64 .b8 map[128], .param .s16 h, .param .u8 b, .param .b64 x[2] )
.maxntid 64, 2 .minnctapersm 1 .reqnctapercluster 2, 1, 1 .explicitcluster .maxnreg 40 .pragma "a { b"; 
{ .reg .b32 %r<2>; bra L{; L: } }
.entry announced(.param .u32 a);
.weak .entry two() .reqntid 32 { ret; }
.section .debug_str { info_string0: .b8 123 }
)");
  ASSERT_TRUE(code.isOk()) << code.status().toString();
  ASSERT_EQ((*code).kernels.size(), 2u);
  const KernelInterface &one = (*code).kernels[0];
  EXPECT_THAT(sizes(one), ElementsAre(8, 4, 128, 2, 1, 16));
  EXPECT_EQ(one.parameters[2].alignmentBytes, 64u);
  EXPECT_EQ(one.parameters[1].kind, CodeParameter::Kind::Float);
  EXPECT_EQ(one.maxThreads, 128u);
  EXPECT_THAT(one.requiredCluster, ElementsAre(2, 1, 1));
  EXPECT_TRUE(one.hasMaxRegisters);
  EXPECT_THAT((*code).kernels[1].requiredBlock, ElementsAre(32, 1, 1));
  EXPECT_FALSE((*code).lookup("").isOk());
  EXPECT_THAT((*code).lookup("").status().message(), HasSubstr("2 kernels (one, two)"));
  EXPECT_THAT((*code).lookup("three").status().message(), HasSubstr("no kernel 'three'"));
  EXPECT_EQ((*(*code).lookup("two"))->entry, "two");
}

TEST(Ptx, RefusesWhatItCannotRead) {
  const std::pair<std::string, const char *> cases[] = {
      {"", "expected .version"},
      {".version x.y .target sm_80 .address_size 64", "'x.y' is no version"},
      {".version 8.0 .target debug .address_size 64", "no architecture"},
      {".version 8.0 .target sm_80 .address_size 32", "32 bits; expected 64"},
      {".version 8.0 .target sm_80 .entry k() {}", "expected .address_size"},
      {std::string(kHeader) + ".entry k(.param .u64 a {}", "line 4: found '{'"},
      {std::string(kHeader) + ".entry k(.param .q64 a) {}", "no type"},
      {std::string(kHeader) + ".entry k(.param .b8 a[99999999]) {}", "unknown size"},
      {std::string(kHeader) + ".entry k(.param .b64 a[30000]) {}", "more than 32764 bytes"},
      {std::string(kHeader) + ".entry k() { {", "not closed"},
      {std::string(kHeader) + ".entry k() .reqntid 32", "no body"},
      {std::string(kHeader) + ".entry k() .reqntid 0 {}", "at least 1"},
      {std::string(kHeader) + ".entry k() }", "'k' has no body"},
      {std::string(kHeader) + "}", "closes nothing"}};
  for (const auto &[text, message] : cases) {
    const Result<GpuCode> code = readPtx(text);
    ASSERT_FALSE(code.isOk()) << text;
    EXPECT_THAT(code.status().message(), HasSubstr(message)) << text;
  }
}

TEST(Cubin, ReadsWhatTritonMade) {
  for (const auto &[name, architecture] :
       {std::pair("add_one_fp32.sm80.cubin", "sm_80"), {"add_one_fp16.sm90.cubin", "sm_90a"}}) {
    const Result<GpuCode> code = readCubin(fixture(name));
    const KernelInterface &kernel = only(code);
    EXPECT_EQ((*code).architecture, architecture);
    EXPECT_EQ(kernel.entry, "add_one_kernel");
    EXPECT_THAT(sizes(kernel), ElementsAre(8, 4, 8, 8, 8));
    EXPECT_EQ(kernel.parameters[0].kind, CodeParameter::Kind::Pointer);
    EXPECT_EQ(kernel.parameters[1].kind, CodeParameter::Kind::Unknown);
    EXPECT_THAT(kernel.requiredBlock, ElementsAre(128, 1, 1));
    EXPECT_GE(kernel.registers, 8u);
  }
  const Result<GpuCode> matmul = readCubin(fixture("matmul_fp16.sm90.cubin"));
  EXPECT_THAT(sizes(only(matmul)), ElementsAre(8, 8, 4, 4, 4, 8, 8, 8));
}

/// kernels.ptx assembled by ptxas of CUDA 13, whose headers have another layout.
TEST(Cubin, ReadsWhatPtxas13Made) {
  for (const char *architecture : {"sm_90", "sm_90a", "sm_100", "sm_120a"}) {
    const Result<GpuCode> code =
        readCubin(fixture(std::string("kernels.") + architecture + ".cubin"));
    ASSERT_TRUE(code.isOk()) << code.status().toString();
    EXPECT_EQ((*code).architecture, architecture);
    const KernelInterface &kernel = **(*code).lookup("all_kinds");
    EXPECT_THAT(sizes(kernel), ElementsAre(8, 4, 8, 1, 20, 2, 8));
    EXPECT_EQ(kernel.maxThreads, 256u);
    EXPECT_GE(kernel.registers, 8u);
    EXPECT_THAT((**(*code).lookup("in_cluster")).requiredCluster, ElementsAre(2, 1, 1));
  }
}

TEST(Cubin, SurvivesDamage) {
  const std::string good = fixture("add_one_fp32.sm90.cubin");
  std::mt19937 random(1);
  for (size_t size = 0; size < good.size(); size += 37)
    (void)readCubin(good.substr(0, size));
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k)
      bad[random() % bad.size()] = static_cast<char>(random());
    (void)readCubin(bad);
  }
  EXPECT_THAT(readCubin("garbage").status().message(), HasSubstr("no 64-bit little-endian ELF"));
  std::string other = good;
  other[18] = 62;
  other[19] = 0;
  EXPECT_THAT(readCubin(other).status().message(), HasSubstr("machine 62"));
}

TEST(CompareParameters, CountsScratchPointers) {
  const Result<GpuCode> code = readPtx(fixture("add_one_fp32.sm90.ptx"));
  const KernelInterface &kernel = only(code);
  const PassedArgument arguments[] = {kX, kN, kY};
  EXPECT_EQ(*compareParameters(kernel, arguments, 2), 2u);
  const PassedArgument withScratch[] = {kX, kN, kY, kX, kX};
  EXPECT_EQ(*compareParameters(kernel, withScratch, 0), 0u);
}

TEST(CompareParameters, NamesWhatDoesNotFit) {
  const Result<GpuCode> code = readPtx(fixture("add_one_fp32.sm90.ptx"));
  const KernelInterface &kernel = only(code);
  const auto message = [&](std::vector<PassedArgument> arguments, uint32_t maxScratch) {
    const Result<uint32_t> result = compareParameters(kernel, arguments, maxScratch);
    return result.isOk() ? "" : result.status().message();
  };
  EXPECT_THAT(message({kX, kN, kY}, 0),
              HasSubstr("has 5 parameters, but the launch passes 3 arguments"));
  EXPECT_THAT(message({kX, kN}, 2), HasSubstr("of which at most 2 may be scratch pointers"));
  EXPECT_THAT(
      message({kX, kY, kN}, 2),
      HasSubstr("parameter 1 of kernel 'add_one_kernel' is 4-byte integer, but argument 'Y' "
                "(*float32) has 8 bytes"));
  EXPECT_THAT(message({kX, kWide, kY}, 2), HasSubstr("argument 'i64(n)' (int64) has 8 bytes"));
  EXPECT_THAT(message({kX, kEps, kY}, 2), HasSubstr("'eps' (float32) has 4 bytes"));
  EXPECT_THAT(message({kX, kN, kWide}, 2), HasSubstr("is 8-byte pointer, but argument 'i64(n)'"));
  EXPECT_THAT(message({kX, kN, kY}, 2), "");
  const Result<GpuCode> odd = ptx(".entry k(.param .u64 a, .param .u32 b) { ret; }");
  const PassedArgument one[] = {kX};
  EXPECT_THAT(compareParameters(only(odd), one, 2).status().message(),
              HasSubstr("no scratch pointer"));
}

TEST(RunsOn, KnowsWhichCodeServesWhichTarget) {
  EXPECT_TRUE(runsOn("sm_80", false, "sm_90a"));
  EXPECT_TRUE(runsOn("sm_80", true, "sm_86"));
  EXPECT_FALSE(runsOn("sm_80", true, "sm_90a"));
  EXPECT_FALSE(runsOn("sm_90", false, "sm_80"));
  EXPECT_TRUE(runsOn("sm_90a", false, "sm_90a"));
  EXPECT_FALSE(runsOn("sm_90a", false, "sm_90"));
  EXPECT_FALSE(runsOn("sm_90a", false, "sm_100a"));
  EXPECT_TRUE(runsOn("sm_90", true, "sm_90a"));
  EXPECT_TRUE(runsOn("sm_100f", false, "sm_103"));
  EXPECT_FALSE(runsOn("sm_100f", false, "sm_120"));
  EXPECT_FALSE(runsOn("compute_90", false, "sm_90"));
}

} // namespace
} // namespace inlay
