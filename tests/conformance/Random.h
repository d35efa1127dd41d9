// Random numbers that are the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace inlay::conformance {

/// SplitMix64, seeded by a text.
class Random {
public:
  explicit Random(std::string_view seed) {
    for (char c : seed)
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// From 0 to `count` - 1.
  size_t below(size_t count) { return static_cast<size_t>(bits() % count); }
  /// In [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

private:
  uint64_t state_ = 0xcbf29ce484222325;
};

} // namespace inlay::conformance
