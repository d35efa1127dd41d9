// Tiles of products on CPUs: those with the least estimated time.
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <limits>

namespace inlay {

namespace {

// Cycles on a core that multiplies 32 pairs of float32 in one, measured on Sapphire Rapids. Cores
// with shorter registers copy as much slower as they multiply.
constexpr double kPairs = 32;
constexpr double kRowElement = 0.3;     // to copy an element of A to where it is multiplied
constexpr double kColumnElement = 0.55; // and of B
constexpr double kWindowVector = 8;     // what a register of pixels sees through one tap
constexpr double kStridedVector = 15;   // where they are not neighbours
constexpr double kSum = 0.5;            // to begin, finish and store a sum
constexpr double kStep = 4;             // of k, for what it costs to load and store sums

constexpr int64_t kBlockRows = 8, kBlockBytes = 128; // sums that are in registers at a time
constexpr int64_t kMostBlocks = 8;                   // along one side of a tile
constexpr int64_t kWindowLanes = 32;
/// Programs for so many threads should be there; the build does not know how many a machine has.
constexpr int64_t kThreads = 8;
constexpr int64_t kUnknown = 256; // what sizes count as that are not known

struct Numbers {
  int64_t count, m, k;
  double pairs; // that are multiplied in a cycle
  int64_t blockColumns;
};

int64_t numberOf(const Expr &size, int64_t unknown) {
  return std::max<int64_t>(size.constantValue().value_or(unknown), 1);
}

Numbers numbersOf(const Expr &count, const Expr &m, const Expr &k, DataType dtype) {
  const int64_t bytes = dtype == DataType::Float64 ? 8 : 4;
  return {numberOf(count, 1), numberOf(m, kUnknown), numberOf(k, kUnknown),
          kPairs * 4 / double(bytes), kBlockBytes / bytes};
}

/// Lets `use(size, times)` see the sizes of the tiles that a dimension is cut into.
template <typename Use>
void forEachTile(int64_t size, int64_t tile, Use use) {
  if (size >= tile)
    use(tile, size / tile);
  if (size % tile != 0)
    use(size % tile, 1);
}

/// Of all programs on one core, where a program's columns come in `columns(tile, times, cycles of
/// an element of k)`.
template <typename ForEachColumns>
double cyclesOf(const Numbers &size, int64_t tileM, int64_t tileK, ForEachColumns forEachColumns) {
  const auto k = double(roundUp(size.k, tileK));
  double cycles = 0;
  forEachTile(size.m, tileM, [&](int64_t m, int64_t timesM) {
    forEachColumns([&](int64_t n, int64_t times, double copying) {
      const auto sums = double(roundUp(m, kBlockRows) * roundUp(n, size.blockColumns));
      cycles += double(timesM * times) * (k * (sums / size.pairs * (1 + kStep / double(tileK)) +
                                               double(m) * kRowElement + copying) +
                                          double(m * n) * kSum);
    });
  });
  return cycles * double(size.count);
}

/// Good on one thread and on many.
double scoreOf(double cycles, int64_t programs) {
  return cycles * cycles * double(divideUp(programs, kThreads)) / double(programs);
}

/// Calls `use` with powers of two.
template <typename Use>
void forEachPower(int64_t least, int64_t most, Use use) {
  for (int64_t value = least; value <= most; value *= 2)
    use(value);
}

} // namespace

ProductTiles tilesForCpu(const ProductSize &size) {
  const Numbers numbers = numbersOf(size.count, size.m, size.k, size.dtype);
  const int64_t n = numberOf(size.n, kUnknown);
  ProductTiles best{};
  double least = std::numeric_limits<double>::max();
  const int64_t most = kMostBlocks * numbers.blockColumns;
  forEachPower(1, tileFor(Expr(numbers.m), 1, most, most), [&](int64_t tileM) {
    forEachPower(16, tileFor(Expr(n), 16, most, most), [&](int64_t tileN) {
      forEachPower(16, tileFor(Expr(numbers.k), 16, most / 2, most / 2), [&](int64_t tileK) {
        const double cycles = cyclesOf(numbers, tileM, tileK, [&](auto use) {
          forEachTile(n, tileN, [&](int64_t columns, int64_t times) {
            use(columns, times, double(columns) * kColumnElement);
          });
        });
        const double score =
            scoreOf(cycles, numbers.count * divideUp(numbers.m, tileM) * divideUp(n, tileN));
        if (score < least) {
          least = score;
          best = {tileM, tileN, tileK};
        }
      });
    });
  });
  return best;
}

WindowTiles windowTilesForCpu(const WindowSize &size) {
  const Numbers numbers = numbersOf(size.count, size.m, size.k, size.dtype);
  const int64_t height = numberOf(size.height, 16), width = numberOf(size.width, 16);
  const double vectorCycles = size.isStrided ? kStridedVector : kWindowVector;
  WindowTiles best{};
  double least = std::numeric_limits<double>::max();
  const int64_t most = kMostBlocks * numbers.blockColumns;
  const auto consider = [&](int64_t tileM, int64_t tileH, int64_t tileW, int64_t tileK) {
    const double cycles = cyclesOf(numbers, tileM, tileK, [&](auto use) {
      forEachTile(height, tileH, [&](int64_t rows, int64_t times) {
        const auto vectors = double(rows * divideUp(tileW, kWindowLanes));
        use(rows * tileW, times * divideUp(width, tileW), vectors * vectorCycles);
      });
    });
    const double score = scoreOf(cycles, numbers.count * divideUp(numbers.m, tileM) *
                                             divideUp(height, tileH) * divideUp(width, tileW));
    if (score < least) {
      least = score;
      best = {tileM, tileH, tileW, tileK};
    }
  };
  forEachPower(1, tileFor(Expr(numbers.m), 1, most, most), [&](int64_t tileM) {
    forEachPower(8, tileFor(Expr(width), 8, 64, 64), [&](int64_t tileW) {
      forEachPower(1, tileFor(Expr(height), 1, most / tileW, 1), [&](int64_t tileH) {
        forEachPower(16, tileFor(Expr(numbers.k), 16, most / 2, most / 2),
                     [&](int64_t tileK) { consider(tileM, tileH, tileW, tileK); });
      });
    });
  });
  return best;
}

} // namespace inlay
