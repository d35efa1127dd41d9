#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace inlay::math_expansion {

namespace {

using Predicate = arith::CmpIPredicate;

/// x = quadrant pi/2 + remainder, |remainder| about pi/4 at most.
struct Quadrant {
  DoubleWord remainder;
  Value quadrant; ///< i64; its low two bits count
};

/// Up to this magnitude the quadrant has 20 bits and its products with parts of pi/2 are exact.
constexpr double kLargestDirect = 0x1p20;

/// Reduces f64 up to kLargestDirect, by subtracting quadrant * pi/2 in three parts.
Quadrant reduceDirectly(FloatBuilder &f, Value x) {
  auto [n, quadrant] = f.roundToInteger(f.mul(x, f.constant(0x1.45f306dc9c883p-1)));
  Value first = f.sub(x, f.mul(n, f.constant(0x1.921fb544p+0)));
  DoubleWord second = twoSum(f, first, f.mul(n, f.constant(-0x1.0b4611a6p-34)));
  Value third = f.sub(f.mul(n, f.constant(0x1.3198a2e037073p-69)), second.low);
  return {twoSum(f, second.high, f.neg(third)), quadrant};
}

/// The bits of 2/pi after the point, behind 64 zero bits.
constexpr uint64_t kTwoOverPi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};
constexpr int kWindowWords = 4;

/// 192 bits of 2/pi from bit `position` of the table on, most significant word first.
std::array<Value, 3> bitsOfTwoOverPi(FloatBuilder &f, Value position) {
  Value word = f.shrs(position, 6), shift = f.iand(position, f.integer(63));
  std::array<Value, kWindowWords> window;
  for (int i = 0; i < kWindowWords; ++i)
    window[i] = f.integer(int64_t(kTwoOverPi[i]));
  for (int start = 1; start + kWindowWords <= int(std::size(kTwoOverPi)); ++start) {
    Value isHere = f.icompare(Predicate::eq, word, f.integer(start));
    for (int i = 0; i < kWindowWords; ++i)
      window[i] = f.select(isHere, f.integer(int64_t(kTwoOverPi[start + i])), window[i]);
  }
  std::array<Value, 3> result;
  // Two shifts to the right, since one by 64 would be undefined.
  Value back = f.isub(f.integer(63), shift);
  for (int i = 0; i < 3; ++i) {
    Value high = arith::ShLIOp::create(f.builder(), f.location(), window[i], shift);
    Value low = arith::ShRUIOp::create(f.builder(), f.location(), f.shru(window[i + 1], 1), back);
    result[i] = f.ior(high, low);
  }
  return result;
}

/// An integer below 2^32 as a float, times 2^exponent.
Value wordToFloat(FloatBuilder &f, Value word, int exponent) {
  return f.mul(f.toFloat(word), f.constant(std::ldexp(1.0, exponent)));
}

/// A 126-bit fraction, given as two words, in two floats.
DoubleWord fractionToFloat(FloatBuilder &f, Value top, Value middle) {
  Value mask = f.integer(0xffffffff);
  DoubleWord sum =
      fastTwoSum(f, wordToFloat(f, f.shru(top, 32), -30), wordToFloat(f, f.iand(top, mask), -62));
  Value rest =
      f.add(wordToFloat(f, f.shru(middle, 32), -94), wordToFloat(f, f.iand(middle, mask), -126));
  return fastTwoSum(f, sum.high, f.add(sum.low, rest));
}

/// Reduces finite f64 of at least kLargestDirect by integer arithmetic after Payne and Hanek: of x
/// * 2/pi only the bits that matter modulo 4 are computed.
Quadrant reduceByBits(FloatBuilder &f, Value x) {
  Value bits = f.bits(f.abs(x));
  Value mantissa = f.ior(f.iand(bits, f.integer((int64_t(1) << 52) - 1)), f.integer(1LL << 52));
  // x = mantissa * 2^e; bits of 2/pi of weight 2^(2 - e) and more give multiples of 4.
  Value exponent = f.isub(f.shru(bits, 52), f.integer(1075));
  auto [high, middle, low] = bitsOfTwoOverPi(f, f.iadd(exponent, f.integer(62)));
  auto lowProduct = arith::MulUIExtendedOp::create(f.builder(), f.location(), mantissa, low);
  auto middleProduct = arith::MulUIExtendedOp::create(f.builder(), f.location(), mantissa, middle);
  Value topProduct = arith::MulIOp::create(f.builder(), f.location(), mantissa, high);
  Value second = f.iadd(middleProduct.getLow(), lowProduct.getHigh());
  Value carry = f.select(f.icompare(Predicate::ult, second, lowProduct.getHigh()), f.integer(1),
                         f.integer(0));
  Value first = f.iadd(f.iadd(topProduct, middleProduct.getHigh()), carry);
  // Two bits before the point; round them to the nearest integer.
  Value quadrant = f.shru(f.iadd(first, f.integer(1LL << 61)), 62);
  first = f.isub(first, f.shl(quadrant, 62));
  Value sign = f.shrs(first, 63);
  DoubleWord fraction = fractionToFloat(f, f.ixor(first, sign), f.ixor(second, sign));
  DoubleWord halfPi = {f.constant(0x1.921fb54442d18p+0), f.constant(0x1.1a62633145c07p-54)};
  DoubleWord remainder = multiply(f, fraction, halfPi);
  // Both signs: that of the rounded fraction and that of x.
  Value flip = f.ixor(f.iand(sign, f.integer(INT64_MIN)), f.iand(f.bits(x), f.integer(INT64_MIN)));
  auto withSign = [&](Value part) { return f.fromBits(f.ixor(f.bits(part), flip)); };
  Value isNegative = f.icompare(Predicate::slt, f.bits(x), f.integer(0));
  quadrant = f.select(isNegative, f.isub(f.integer(0), quadrant), quadrant);
  return {{withSign(remainder.high), withSign(remainder.low)}, quadrant};
}

/// Reduces any finite f64. The slow way runs only if a lane needs it.
Quadrant reduceDouble(FloatBuilder &f, Value x) {
  Quadrant direct = reduceDirectly(f, x);
  Value isLarge = f.greater(f.abs(x), f.constant(kLargestDirect));
  OpBuilder &builder = f.builder();
  SmallVector<Type> types = {f.type(), f.type(), f.integerType()};
  auto branch = scf::IfOp::create(builder, f.location(), types, anyLane(f, isLarge),
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  Quadrant slow = reduceByBits(f, f.select(isLarge, x, f.constant(kLargestDirect)));
  SmallVector<Value> chosen = {
      f.select(isLarge, slow.remainder.high, direct.remainder.high),
      f.select(isLarge, slow.remainder.low, direct.remainder.low),
      f.select(isLarge, slow.quadrant, direct.quadrant),
  };
  scf::YieldOp::create(builder, f.location(), chosen);
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, f.location(),
                       ValueRange{direct.remainder.high, direct.remainder.low, direct.quadrant});
  return {{branch.getResult(0), branch.getResult(1)}, branch.getResult(2)};
}

/// Reduces f32 in f64, whose second word then is not needed.
Quadrant reduce(FloatBuilder &f, Value x) {
  if (f.isDouble())
    return reduceDouble(f, x);
  FloatBuilder f64 = f.withElement(f.builder().getF64Type());
  Quadrant wide = reduceDouble(f64, f.extend(x));
  Value high = f.truncate(wide.remainder.high);
  Value low = f.truncate(f64.sub(wide.remainder.high, f.extend(high)));
  return {{high, low}, wide.quadrant};
}

/// sin(r) in two words that need not be normalised.
DoubleWord sineOfReduced(FloatBuilder &f, DoubleWord r) {
  Value z = f.mul(r.high, r.high);
  Value series = f.isDouble() ? f.polynomial(z, kSinF64) : f.polynomial(z, kSinF32);
  Value slope = f.mulAdd(z, f.constant(-0.5), f.constant(1));
  return {r.high, f.mulAdd(f.mul(z, r.high), series, f.mul(r.low, slope))};
}

/// cos(r) in two words.
DoubleWord cosineOfReduced(FloatBuilder &f, DoubleWord r) {
  Value z = f.mul(r.high, r.high), half = f.mul(z, f.constant(0.5));
  Value series = f.isDouble() ? f.polynomial(z, kCosF64) : f.polynomial(z, kCosF32);
  DoubleWord start = fastTwoSum(f, f.constant(1), f.neg(half));
  Value rest = f.mulAdd(f.mul(z, z), series, f.neg(f.mul(r.high, r.low)));
  return {start.high, f.add(start.low, rest)};
}

Value hasBit(FloatBuilder &f, Value integer, int64_t bit) {
  Value masked = f.iand(integer, f.integerLike(integer, bit));
  return f.icompare(Predicate::ne, masked, f.integerLike(integer, 0));
}

Value nanUnlessFinite(FloatBuilder &f, Value x, Value result) {
  return f.select(f.isFinite(x), result, f.constant(std::numeric_limits<double>::quiet_NaN()));
}

/// sin(x + quarters pi/2).
Value shiftedSine(FloatBuilder &f, Value x, int quarters) {
  Quadrant reduced = reduce(f, x);
  Value quadrant = f.iadd(reduced.quadrant, f.integerLike(reduced.quadrant, quarters));
  DoubleWord sine = sineOfReduced(f, reduced.remainder);
  DoubleWord cosine = cosineOfReduced(f, reduced.remainder);
  Value value =
      f.select(hasBit(f, quadrant, 1), f.add(cosine.high, cosine.low), f.add(sine.high, sine.low));
  return nanUnlessFinite(f, x, f.select(hasBit(f, quadrant, 2), f.neg(value), value));
}

} // namespace

Value expandSin(FloatBuilder &f, Value x) {
  // The sum of two words loses the sign of zero.
  return f.select(f.equal(x, f.constant(0)), x, shiftedSine(f, x, 0));
}

Value expandCos(FloatBuilder &f, Value x) { return shiftedSine(f, x, 1); }

Value expandTan(FloatBuilder &f, Value x) {
  Quadrant reduced = reduce(f, x);
  DoubleWord sine = sineOfReduced(f, reduced.remainder);
  DoubleWord cosine = cosineOfReduced(f, reduced.remainder);
  Value isOdd = hasBit(f, reduced.quadrant, 1);
  DoubleWord above = {f.select(isOdd, f.neg(cosine.high), sine.high),
                      f.select(isOdd, f.neg(cosine.low), sine.low)};
  DoubleWord below = {f.select(isOdd, sine.high, cosine.high),
                      f.select(isOdd, sine.low, cosine.low)};
  Value result =
      divide(f, fastTwoSum(f, above.high, above.low), fastTwoSum(f, below.high, below.low));
  return f.select(f.equal(x, f.constant(0)), x, nanUnlessFinite(f, x, result));
}

} // namespace inlay::math_expansion
