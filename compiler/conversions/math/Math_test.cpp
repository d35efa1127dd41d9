// Every function, compiled to machine code with and without the fma instruction, on scalars and on
// vectors, against the C library in a wider type. The largest errors are recorded as the property
// `largestError` (--gtest_output=xml:FILE); MathExpansion.md lists them.
#include "compiler/conversions/math/MathExpansion.h"
#include "compiler/targets/LowerToLlvm.h"
#include "compiler/targets/cpu/CodeGeneration.h"
#include "compiler/targets/cpu/CompiledKernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace inlay {
namespace {

using testing::LoadedKernel;

constexpr uint64_t kSeed = 20240611;

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
template <typename T>
using Bits = std::conditional_t<std::is_same_v<T, float>, uint32_t, uint64_t>;

/// One function: how MLIR spells it, its value, its error bound, and where most of its points lie.
template <typename T>
struct Function {
  const char *name;
  int arity;
  Wide<T> (*value)(T a, T b, T c);
  double bound; ///< in units in the last place
  double low, high;
};

template <typename T>
std::vector<Function<T>> functions() {
  using W = Wide<T>;
  constexpr bool isSingle = std::is_same_v<T, float>;
  constexpr double range = isSingle ? 110 : 760;
  return {
      {"math.exp", 1, [](T a, T, T) { return std::exp(W(a)); }, 1, -range, range},
      {"math.exp2", 1, [](T a, T, T) { return std::exp2(W(a)); }, 1.5, -1.5 * range, 1.5 * range},
      {"math.expm1", 1, [](T a, T, T) { return std::expm1(W(a)); }, 1, -2, 2},
      {"math.tanh", 1, [](T a, T, T) { return std::tanh(W(a)); }, 1.5, -3, 3},
      {"math.log", 1, [](T a, T, T) { return std::log(W(a)); }, 1, 0.25, 4},
      {"math.log2", 1, [](T a, T, T) { return std::log2(W(a)); }, 1, 0.25, 4},
      {"math.log10", 1, [](T a, T, T) { return std::log10(W(a)); }, 1, 0.25, 4},
      {"math.log1p", 1, [](T a, T, T) { return std::log1p(W(a)); }, 1, -0.99, 2},
      {"math.sin", 1, [](T a, T, T) { return std::sin(W(a)); }, 1, -100, 100},
      {"math.cos", 1, [](T a, T, T) { return std::cos(W(a)); }, 1, -100, 100},
      {"math.tan", 1, [](T a, T, T) { return std::tan(W(a)); }, 1, -100, 100},
      {"math.erf", 1, [](T a, T, T) { return std::erf(W(a)); }, 1.5, -4, 4},
      {"math.erfc", 1, [](T a, T, T) { return std::erfc(W(a)); }, 2.5, -2, isSingle ? 11 : 28},
      {"math.sinh", 1, [](T a, T, T) { return std::sinh(W(a)); }, 2, -3, 3},
      {"math.cosh", 1, [](T a, T, T) { return std::cosh(W(a)); }, 2, -3, 3},
      {"math.asin", 1, [](T a, T, T) { return std::asin(W(a)); }, 2, -1, 1},
      {"math.acos", 1, [](T a, T, T) { return std::acos(W(a)); }, 2, -1, 1},
      {"math.atan", 1, [](T a, T, T) { return std::atan(W(a)); }, 1, -5, 5},
      {"math.atan2", 2, [](T a, T b, T) { return std::atan2(W(a), W(b)); }, 1.5, -5, 5},
      {"math.cbrt", 1, [](T a, T, T) { return std::cbrt(W(a)); }, 1, -10, 10},
      {"math.powf", 2, [](T a, T b, T) { return std::pow(W(a), W(b)); }, 2, -20, 20},
      {"math.rsqrt", 1, [](T a, T, T) { return 1 / std::sqrt(W(a)); }, 1.5, 0, 8},
      {"math.round", 1, [](T a, T, T) { return std::round(W(a)); }, 0, -50, 50},
      {"arith.remf", 2, [](T a, T b, T) { return std::fmod(W(a), W(b)); }, 0, -50, 50},
      {"math.fma", 3, [](T a, T b, T c) { return W(std::fma(a, b, c)); }, 0, -2, 2},
  };
}

template <typename T>
struct Samples {
  std::vector<T> a, b, c;
  void append(T x, T y, T z) {
    a.push_back(x);
    b.push_back(y);
    c.push_back(z);
  }
};

template <typename T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {
      T(0), Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity(),
      Limits::epsilon(), T(0.5), T(1), T(1.5), T(2), T(2.5), T(3), T(0.75), T(17), T(88.72283),
      T(103.9), T(709.7827), T(745.13), T(8388609), T(0x1p52) + 1, T(1048576), T(1048577), T(1e10),
      // Close to multiples of pi/2: the hardest ones for f32 and f64.
      T(0x1.f37624p+59), T(0x1.6ac5b262ca1ffp+849), T(std::numbers::pi), T(std::numbers::pi / 2)};
  for (T value : {T(0.5), T(1), T(2), Limits::min()})
    values.push_back(std::nextafter(value, T(0)));
  size_t count = values.size();
  for (size_t i = 0; i < count; ++i)
    values.push_back(-values[i]);
  values.push_back(Limits::quiet_NaN());
  return values;
}

/// All combinations of edge values, then points of four kinds: any bits, a dense range, near one,
/// and small results after cancellation or underflow.
template <typename T>
Samples<T> sample(const Function<T> &function, size_t count) {
  Samples<T> samples;
  const std::vector<T> edge = edges<T>(), once = {T(0)};
  for (T x : edge)
    for (T y : function.arity > 1 ? edge : once)
      for (T z : function.arity > 2 ? edge : once)
        samples.append(x, y, z);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> dense(function.low, function.high), unit(-1, 1);
  auto anyBits = [&] { return std::bit_cast<T>(Bits<T>(random())); };
  constexpr int kDigits = std::numeric_limits<T>::digits;
  constexpr int kSmallest = std::numeric_limits<T>::min_exponent;
  // Loops take whole vectors.
  while (samples.a.size() % 16)
    samples.append(anyBits(), anyBits(), anyBits());
  while (samples.a.size() < count || samples.a.size() % 16) {
    samples.append(anyBits(), anyBits(), anyBits());
    samples.append(T(dense(random)), T(dense(random)), T(dense(random)));
    T nearOne = T(1 + std::ldexp(unit(random), -int(random() % kDigits)));
    samples.append(nearOne, random() % 2 ? anyBits() : T(dense(random)), -nearOne);
    T small = std::ldexp(T(dense(random)), kSmallest / 2), other = T(dense(random));
    if (random() % 2)
      samples.append(small, std::ldexp(other, kSmallest / 2 - int(random() % kDigits)),
                     std::ldexp(T(unit(random)), kSmallest - int(random() % kDigits)));
    else
      samples.append(small, other, -small * other);
  }
  return samples;
}

std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// A loop that applies the function to arrays; the arguments are the arrays' addresses.
std::string loopText(const char *name, int arity, const std::string &element, int lanes) {
  std::string type = lanes == 1 ? element : "vector<" + std::to_string(lanes) + "x" + element + ">";
  std::string load = R"(
      %q$N = llvm.getelementptr %arguments[$N] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %array$N = llvm.load %q$N : !llvm.ptr -> !llvm.ptr
      %p$N = llvm.getelementptr %array$N[%i] : (!llvm.ptr, i64) -> !llvm.ptr, $E)";
  std::string body;
  std::string operands;
  for (int i = 0; i < 4; ++i) {
    body += replaceAll(load, "$N", std::to_string(i));
    if (i >= arity)
      continue;
    std::string value = "%v" + std::to_string(i);
    body += "\n      " + value + " = llvm.load %p" + std::to_string(i) +
            " {alignment = 4 : i64} : !llvm.ptr -> $T";
    operands += (i ? ", " : "") + value;
  }
  std::string text = R"(
  func.func @kernel(%arguments: !llvm.ptr, %grid: !llvm.ptr, %begin: i64, %end: i64) {
    %step = arith.constant $L : i64
    scf.for %i = %begin to %end step %step : i64 {)" +
                     body + R"(
      %result = $F $O : $T
      llvm.store %result, %p3 {alignment = 4 : i64} : $T, !llvm.ptr
    }
    return
  })";
  text = replaceAll(replaceAll(text, "$T", type), "$E", element);
  text = replaceAll(replaceAll(text, "$L", std::to_string(lanes)), "$O", operands);
  return replaceAll(text, "$F", name);
}

Result<LoadedKernel> compileLoop(const std::string &text, const CpuLevel &level) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::MLIRContext mlirContext(registry);
  mlirContext
      .loadDialect<mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                   mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::vector::VectorDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &mlirContext);
  if (!module)
    return Status(StatusCode::InvalidArgument, "the loop's text does not parse");
  mlir::PassManager passes(&mlirContext);
  passes.addPass(createMathExpansionPass({level.hasFma, level.hasF16Conversion}));
  passes.addPass(createLowerToLlvmPass());
  if (mlir::failed(passes.run(*module)))
    return Status(StatusCode::Internal, "lowering failed");
  llvm::LLVMContext context;
  auto llvmModule = mlir::translateModuleToLLVMIR(*module, context, "kernel");
  if (!llvmModule)
    return Status(StatusCode::Internal, "translation to LLVM IR failed");
  auto machine = createTargetMachine(level);
  if (!machine.isOk())
    return std::move(machine).status();
  optimize(*llvmModule, **machine, level);
  auto object = generateCode(*llvmModule, **machine, llvm::CodeGenFileType::ObjectFile);
  if (!object.isOk())
    return std::move(object).status();
  auto bytes = linkSharedObject(*object);
  if (!bytes.isOk())
    return std::move(bytes).status();
  KernelImage image;
  image.entry = "kernel";
  image.bytes = std::move(*bytes);
  return LoadedKernel::load(image);
}

/// Distance from the exact value in units in the last place of T there; infinite where a special
/// value or the sign of zero is wrong.
template <typename T>
double errorInUlps(T found, Wide<T> exact) {
  using Limits = std::numeric_limits<T>;
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(found))
    return std::isnan(exact) && std::isnan(found) ? 0 : kWrong;
  T nearest = T(exact);
  if (std::signbit(found) != std::signbit(nearest))
    return kWrong;
  if (found == nearest && (std::isinf(found) || Wide<T>(found) == exact))
    return 0;
  if (std::isinf(exact))
    return kWrong;
  // The successor of the largest number stands for infinity.
  Wide<T> value = std::isinf(found)
                      ? std::copysign(std::ldexp(Wide<T>(1), Limits::max_exponent), Wide<T>(found))
                      : Wide<T>(found);
  int exponent = exact == 0 ? Limits::min_exponent : std::ilogb(exact);
  exponent = std::clamp(exponent, Limits::min_exponent - 1, Limits::max_exponent - 1);
  return double(std::abs(std::ldexp(value - exact, Limits::digits - 1 - exponent)));
}

template <typename T>
void check(const Function<T> &function, size_t count) {
  Samples<T> samples = sample(function, count);
  std::vector<Wide<T>> exact(samples.a.size());
  for (size_t i = 0; i < exact.size(); ++i)
    exact[i] = function.value(samples.a[i], samples.b[i], samples.c[i]);
  std::string element = std::is_same_v<T, float> ? "f32" : "f64";
  double largest = 0;
  for (const CpuLevel &level : {kCpuLevels[0], kCpuLevels[1]}) {
    ASSERT_TRUE(testing::machineHas(level.name)) << "this machine cannot run " << level.name;
    for (int lanes : {1, std::is_same_v<T, float> ? 8 : 4}) {
      auto kernel = compileLoop(loopText(function.name, function.arity, element, lanes), level);
      ASSERT_TRUE(kernel.isOk()) << kernel.status().toString();
      std::vector<T> found(exact.size());
      const void *arrays[] = {samples.a.data(), samples.b.data(), samples.c.data(), found.data()};
      kernel->run(arrays, nullptr, 0, found.size());
      size_t worst = 0;
      double error = 0;
      for (size_t i = 0; i < found.size(); ++i)
        if (double here = errorInUlps(found[i], exact[i]); here > error) {
          error = here;
          worst = i;
        }
      largest = std::max(largest, error);
      EXPECT_LE(error, function.bound)
          << std::hexfloat << function.name << " " << element << " on " << level.name << ", "
          << lanes << " lanes, of " << samples.a[worst] << ", " << samples.b[worst] << ", "
          << samples.c[worst] << ": found " << found[worst] << ", expected " << exact[worst]
          << "; seed " << kSeed;
    }
  }
  ::testing::Test::RecordProperty("largestError", std::to_string(largest));
}

template <typename T>
std::string testName(const ::testing::TestParamInfo<Function<T>> &info) {
  return std::string(info.param.name).substr(std::string(info.param.name).find('.') + 1);
}

class MathSingle : public ::testing::TestWithParam<Function<float>> {};
TEST_P(MathSingle, IsWithinItsBound) { check(GetParam(), 1 << 20); }
INSTANTIATE_TEST_SUITE_P(Functions, MathSingle, ::testing::ValuesIn(functions<float>()),
                         testName<float>);

class MathDouble : public ::testing::TestWithParam<Function<double>> {};
TEST_P(MathDouble, IsWithinItsBound) { check(GetParam(), 1 << 18); }
INSTANTIATE_TEST_SUITE_P(Functions, MathDouble, ::testing::ValuesIn(functions<double>()),
                         testName<double>);

} // namespace
} // namespace inlay
