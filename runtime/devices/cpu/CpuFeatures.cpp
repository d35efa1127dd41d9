#include "runtime/devices/cpu/CpuFeatures.h"

#include <cpuid.h>

#include <cstdint>

namespace inlay {
namespace {

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf) {
  Registers r;
  if (!__get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx))
    return {};
  return r;
}

constexpr bool hasBits(uint32_t word, uint32_t bits) { return (word & bits) == bits; }
constexpr uint32_t bit(int index) { return uint32_t{1} << index; }

/// The register states the system saves, XCR0.
uint32_t savedStates() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

} // namespace

std::string cpuBrand() {
  constexpr uint32_t kFirst = 0x80000002, kLast = 0x80000004;
  std::string brand;
  for (uint32_t leaf = kFirst; leaf <= kLast; ++leaf) {
    const Registers r = cpuid(leaf);
    for (uint32_t word : {r.eax, r.ebx, r.ecx, r.edx})
      for (int shift = 0; shift < 32; shift += 8)
        if (const char c = static_cast<char>(word >> shift & 0xff); c != 0)
          brand.push_back(c);
  }
  const size_t first = brand.find_first_not_of(' '), last = brand.find_last_not_of(' ');
  return first == std::string::npos ? "" : brand.substr(first, last - first + 1);
}

int cpuLevel() {
  const Registers basic = cpuid(1), structured = cpuid(7), extended = cpuid(0x80000001);
  // cmpxchg16b, sse3, ssse3, sse4.1, sse4.2, popcnt; lahf
  const uint32_t v2 = bit(13) | bit(0) | bit(9) | bit(19) | bit(20) | bit(23);
  if (!hasBits(basic.ecx, v2) || !hasBits(extended.ecx, bit(0)))
    return 0;
  // fma, movbe, osxsave, avx, f16c; bmi1, avx2, bmi2; lzcnt
  const uint32_t v3 = bit(12) | bit(22) | bit(27) | bit(28) | bit(29);
  if (!hasBits(basic.ecx, v3) || !hasBits(structured.ebx, bit(3) | bit(5) | bit(8)) ||
      !hasBits(extended.ecx, bit(5)) || !hasBits(savedStates(), bit(1) | bit(2)))
    return 1;
  // avx512f, dq, cd, bw, vl
  const uint32_t v4 = bit(16) | bit(17) | bit(28) | bit(30) | bit(31);
  if (!hasBits(structured.ebx, v4) || !hasBits(savedStates(), bit(5) | bit(6) | bit(7)))
    return 2;
  return 3;
}

} // namespace inlay
