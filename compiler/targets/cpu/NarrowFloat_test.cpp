// Conversions of 8-bit and 16-bit floats on the CPU: every code of every format, against LLVM's
// software arithmetic.
#include "compiler/targets/cpu/KernelFixture.h"

#include "llvm/ADT/APFloat.h"

#include <bit>
#include <cmath>
#include <random>

namespace inlay {
namespace {

using llvm::APFloat, llvm::APInt;
using testing::CpuKernel, testing::fill, testing::GuardedBuffer, testing::LoadedKernel;

class NarrowFloats : public CpuKernel {};
INSTANTIATE_TEST_SUITE_P(Levels, NarrowFloats, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

struct Format {
  const char *type;
  const llvm::fltSemantics &(*semantics)();
  bool saturates;
};
const Format kFormats[] = {{"f8E5M2", APFloat::Float8E5M2, true},
                           {"f8E4M3FN", APFloat::Float8E4M3FN, true},
                           {"f8E4M3B11FNUZ", APFloat::Float8E4M3B11FNUZ, true},
                           {"f16", APFloat::IEEEhalf, false},
                           {"bf16", APFloat::BFloat, false}};
constexpr int kNumFloat8 = 3;

int bitsOf(const Format &format) { return int(APFloat::getSizeInBits(format.semantics())); }

/// y = convert(x) for 64 elements a program; `op` is extf or truncf.
std::string conversion(const std::string &op, const std::string &from, const std::string &to,
                       const std::string &mode = "") {
  return fill(R"(
    %pid = tile.program_id 0 : i32
    %size = arith.constant 64 : i32
    %start = arith.muli %pid, %size : i32
    %range = tile.arange 0 to 64 : tensor<64xi32>
    %starts = tile.splat %start : i32 -> tensor<64xi32>
    %offs = arith.addi %starts, %range : tensor<64xi32>
    %xs = tile.splat %x : !tile.ptr<$F> -> tensor<64x!tile.ptr<$F>>
    %xp = tile.addptr %xs, %offs : tensor<64x!tile.ptr<$F>>, tensor<64xi32>
    %v = tile.load %xp : tensor<64x!tile.ptr<$F>> -> tensor<64x$F>
    %w = arith.$O %v $M : tensor<64x$F> to tensor<64x$T>
    %ys = tile.splat %y : !tile.ptr<$T> -> tensor<64x!tile.ptr<$T>>
    %yp = tile.addptr %ys, %offs : tensor<64x!tile.ptr<$T>>, tensor<64xi32>
    tile.store %yp, %w : tensor<64x!tile.ptr<$T>>, tensor<64x$T>)",
              {{"$F", from}, {"$T", to}, {"$O", op}, {"$M", mode}});
}
std::string conversionArguments(const std::string &from, const std::string &to) {
  return "%x: !tile.ptr<" + from + ">, %y: !tile.ptr<" + to + ">";
}

template <typename From, typename To>
std::vector<To> run(const LoadedKernel &kernel, std::vector<From> x) {
  size_t count = x.size();
  x.resize((count + 63) / 64 * 64);
  std::vector<To> y(x.size());
  const void *from = x.data(), *to = y.data();
  kernel.run({&from, &to}, uint32_t(x.size() / 64));
  y.resize(count);
  return y;
}

TEST_P(NarrowFloats, EveryCodeOfEightBitsWidens) {
  for (int f = 0; f < kNumFloat8; ++f) {
    const Format &format = kFormats[f];
    LoadedKernel kernel =
        compile(conversionArguments(format.type, "f32"), conversion("extf", format.type, "f32"));
    std::vector<uint8_t> codes(256);
    for (int i = 0; i < 256; ++i)
      codes[i] = uint8_t(i);
    std::vector<float> wide = run<uint8_t, float>(kernel, codes);
    for (int i = 0; i < 256; ++i) {
      APFloat value(format.semantics(), APInt(8, i));
      bool lost;
      value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
      if (value.isNaN())
        EXPECT_TRUE(std::isnan(wide[i])) << format.type << " " << i;
      else
        EXPECT_EQ(std::bit_cast<uint32_t>(wide[i]), value.bitcastToAPInt().getZExtValue())
            << format.type << " " << i;
    }
  }
}

/// The code of the nearest value, or of the nearest toward zero.
uint64_t narrowed(float x, const Format &format, bool towardZero) {
  APFloat value(x), largest = APFloat::getLargest(format.semantics());
  bool lost;
  if (format.saturates && !std::isnan(x)) {
    APFloat limit = largest;
    limit.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
    if (std::abs(x) > limit.convertToFloat()) {
      if (std::signbit(x))
        largest.changeSign();
      return largest.bitcastToAPInt().getZExtValue();
    }
  }
  value.convert(format.semantics(),
                towardZero ? APFloat::rmTowardZero : APFloat::rmNearestTiesToEven, &lost);
  return value.bitcastToAPInt().getZExtValue();
}

std::vector<float> floatSamples() {
  std::vector<float> samples = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN, 0x1p-149f, 1e38f};
  // Around every value of every format: itself, its neighbours in f32, and the middle to the next.
  for (const Format &format : kFormats) {
    int bits = bitsOf(format), step = bits == 16 ? 13 : 1;
    for (int code = 0; code + 1 < 1 << bits; code += step) {
      float ends[2];
      for (int i = 0; i < 2; ++i) {
        APFloat value(format.semantics(), APInt(bits, code + i));
        bool lost;
        value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
        ends[i] = value.convertToFloat();
      }
      float middle = ends[0] + (ends[1] - ends[0]) / 2;
      for (float x : {ends[0], middle})
        if (std::isfinite(x)) {
          samples.push_back(x);
          samples.push_back(std::nextafter(x, INFINITY));
          samples.push_back(std::nextafter(x, -INFINITY));
        }
    }
  }
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i)
    samples.push_back(std::bit_cast<float>(uint32_t(random())));
  return samples;
}

template <typename Code>
void checkNarrowing(const LoadedKernel &kernel, const Format &format, bool towardZero) {
  std::vector<float> samples = floatSamples();
  std::vector<Code> codes = run<float, Code>(kernel, samples);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (std::isnan(samples[i])) {
      EXPECT_TRUE(APFloat(format.semantics(), APInt(bitsOf(format), codes[i])).isNaN());
      continue;
    }
    ASSERT_EQ(codes[i], narrowed(samples[i], format, towardZero))
        << std::hexfloat << samples[i] << " to " << format.type << (towardZero ? " rtz" : "");
  }
}

TEST_P(NarrowFloats, NarrowsToTheNearestAndTowardZero) {
  for (const Format &format : kFormats)
    for (bool towardZero : {false, true}) {
      LoadedKernel kernel =
          compile(conversionArguments("f32", format.type),
                  conversion("truncf", "f32", format.type, towardZero ? "toward_zero" : ""));
      if (bitsOf(format) == 8)
        checkNarrowing<uint8_t>(kernel, format, towardZero);
      else
        checkNarrowing<uint16_t>(kernel, format, towardZero);
    }
}

TEST_P(NarrowFloats, EveryHalfNarrowsToEightBits) {
  std::vector<uint16_t> halves(1 << 16);
  for (size_t i = 0; i < halves.size(); ++i)
    halves[i] = uint16_t(i);
  for (int f = 0; f < kNumFloat8; ++f)
    for (const Format &from : {kFormats[3], kFormats[4]}) {
      const Format &format = kFormats[f];
      LoadedKernel kernel = compile(conversionArguments(from.type, format.type),
                                    conversion("truncf", from.type, format.type));
      std::vector<uint8_t> codes = run<uint16_t, uint8_t>(kernel, halves);
      for (size_t i = 0; i < halves.size(); ++i) {
        APFloat value(from.semantics(), APInt(16, i));
        bool lost;
        value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
        if (value.isNaN())
          ASSERT_TRUE(APFloat(format.semantics(), APInt(8, codes[i])).isNaN()) << i;
        else
          ASSERT_EQ(codes[i], narrowed(value.convertToFloat(), format, false))
              << from.type << " " << i << " to " << format.type;
      }
    }
}

TEST_P(NarrowFloats, EightBitsWidenToHalves) {
  for (int f = 0; f < kNumFloat8; ++f)
    for (const Format &to : {kFormats[3], kFormats[4]}) {
      LoadedKernel kernel = compile(conversionArguments(kFormats[f].type, to.type),
                                    conversion("extf", kFormats[f].type, to.type));
      std::vector<uint8_t> codes(256);
      for (int i = 0; i < 256; ++i)
        codes[i] = uint8_t(i);
      std::vector<uint16_t> wide = run<uint8_t, uint16_t>(kernel, codes);
      for (int i = 0; i < 256; ++i) {
        APFloat value(kFormats[f].semantics(), APInt(8, i));
        bool lost;
        value.convert(to.semantics(), APFloat::rmNearestTiesToEven, &lost);
        if (value.isNaN())
          EXPECT_TRUE(APFloat(to.semantics(), APInt(16, wide[i])).isNaN());
        else
          EXPECT_EQ(wide[i], value.bitcastToAPInt().getZExtValue()) << kFormats[f].type << " " << i;
      }
    }
}

} // namespace
} // namespace inlay
