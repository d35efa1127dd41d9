#include "tests/conformance/Inputs.h"

#include "runtime/core/ArgumentValue.h"
#include "tests/conformance/Random.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

namespace inlay::conformance {
namespace {

bool dtypeIsFloat(DataType dtype) { return dataTypeKind(dtype) == DataTypeKind::Float; }
bool dtypeIsFloat8(DataType dtype) { return dtypeIsFloat(dtype) && dataTypeSizeBytes(dtype) == 1; }

/// Bits of a number rounded to the type. 8-bit floats are searched for: the nearest of 256 values.
uint64_t bitsOf(double value, DataType dtype) {
  uint64_t bits = 0;
  if (dtypeIsFloat8(dtype)) {
    double best = INFINITY;
    for (uint32_t candidate = 0; candidate < 256; ++candidate) {
      double distance = std::fabs(fromFloat8(static_cast<uint8_t>(candidate), dtype) - value);
      if (distance < best ||
          (std::isnan(value) && std::isnan(fromFloat8(static_cast<uint8_t>(candidate), dtype)))) {
        best = std::isnan(value) ? -1 : distance;
        bits = candidate;
      }
    }
    return bits;
  }
  if (storeFloat(dtype, value, bits))
    return bits;
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

/// Largest finite value, smallest normal value and smallest value of a float type.
struct FloatLimits {
  double largest, normal, denormal;
};
FloatLimits floatLimits(DataType dtype) {
  switch (dtype) {
  case DataType::Float16:
    return {65504, 0x1p-14, 0x1p-24};
  case DataType::BFloat16:
    return {0x1.fep127, 0x1p-126, 0x1p-133};
  case DataType::Float64:
    return {std::numeric_limits<double>::max(), 0x1p-1022, 0x1p-1074};
  case DataType::Float8E4M3FN:
    return {448, 0x1p-6, 0x1p-9};
  case DataType::Float8E5M2:
    return {57344, 0x1p-14, 0x1p-16};
  default:
    return {std::numeric_limits<float>::max(), 0x1p-126, 0x1p-149};
  }
}

/// Values at which operations tend to go wrong.
std::vector<uint64_t> edgeValues(DataType dtype, Fill fill) {
  std::vector<uint64_t> edges;
  if (dtypeIsFloat(dtype)) {
    auto [largest, normal, denormal] = floatLimits(dtype);
    std::vector<double> values{1,       -1,       0.5,          -2.5,
                               3.0,     largest,  -largest,     normal,
                               -normal, denormal, 3 * denormal, normal - denormal};
    if (fill != Fill::Nonzero)
      values.insert(values.end(), {0.0, -0.0});
    if (fill == Fill::Any)
      values.insert(values.end(), {NAN, INFINITY, -INFINITY});
    for (double value : values)
      edges.push_back(bitsOf(value, dtype));
    return edges;
  }
  unsigned width = static_cast<unsigned>(dataTypeSizeBytes(dtype)) * 8;
  uint64_t top = uint64_t{1} << (width - 1);
  bool isSigned = dataTypeKind(dtype) == DataTypeKind::Signed;
  edges = {1, 2, 3, 7, top - 1, top / 2, top + 1};
  if (fill != Fill::Nonzero)
    edges.insert(edges.end(), {0, top, ~uint64_t{0}});
  else if (!isSigned)
    edges.insert(edges.end(), {top, ~uint64_t{0}});
  return edges;
}

uint64_t randomValue(Random &random, DataType dtype, Fill fill) {
  if (dtypeIsFloat(dtype)) {
    // Magnitudes over many powers of two, inside what every type holds.
    double magnitude = std::exp2(random.unit() * 10 - 5);
    return bitsOf(random.bits() & 1 ? magnitude : -magnitude, dtype);
  }
  uint64_t bits = random.bits();
  if (fill == Fill::Nonzero)
    bits |= 2; // neither 0 nor, as it clears the sign's neighbour below, -1
  if (fill == Fill::Nonzero && dataTypeKind(dtype) == DataTypeKind::Signed)
    bits &= ~(uint64_t{1} << (static_cast<unsigned>(dataTypeSizeBytes(dtype)) * 8 - 2));
  return bits;
}

/// Makes the bits of element after element.
std::function<uint64_t(size_t)> elementMaker(const Argument &argument, Random &random) {
  DataType dtype = argument.dtype;
  switch (argument.fill) {
  case Fill::Output:
    return [dtype](size_t) { return bitsOf(-77, dtype); };
  case Fill::Zero:
    return [](size_t) { return uint64_t{0}; };
  case Fill::Index:
    return [dtype](size_t i) { return bitsOf(static_cast<double>(i), dtype); };
  case Fill::List:
    return [dtype, list = argument.list](size_t i) { return bitsOf(list.at(i), dtype); };
  case Fill::Integers:
    return [dtype, &random](size_t) {
      double value = std::floor(random.unit() * 8) - 4;
      bool isUnsigned = !dtypeIsFloat(dtype) && dataTypeKind(dtype) != DataTypeKind::Signed;
      return bitsOf(isUnsigned ? std::fabs(value) : value, dtype);
    };
  case Fill::Range:
    return [=, &random](size_t) {
      double value = argument.low + random.unit() * (argument.high - argument.low);
      return bitsOf(dtypeIsFloat(dtype) ? value : std::floor(value), dtype);
    };
  case Fill::Any:
  case Fill::Finite:
  case Fill::Nonzero:
    break;
  }
  return [dtype, fill = argument.fill, edges = edgeValues(dtype, argument.fill), &random](size_t) {
    // Edges come often and anywhere, so that those of two tensors meet.
    return random.bits() % 4 == 0 ? edges[random.bits() % edges.size()]
                                  : randomValue(random, dtype, fill);
  };
}

} // namespace

double elementValue(const NpyTensor &tensor, size_t index) {
  size_t size = static_cast<size_t>(dataTypeSizeBytes(tensor.dtype));
  uint64_t bits = 0;
  std::memcpy(&bits, tensor.data.data() + index * size, size);
  switch (tensor.dtype) {
  case DataType::Float64:
    return std::bit_cast<double>(bits);
  case DataType::Float32:
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  case DataType::Float16:
    return fromFloat16(static_cast<uint16_t>(bits));
  case DataType::BFloat16:
    return fromBFloat16(static_cast<uint16_t>(bits));
  case DataType::Float8E4M3FN:
  case DataType::Float8E5M2:
    return fromFloat8(static_cast<uint8_t>(bits), tensor.dtype);
  default:
    break;
  }
  unsigned shift = 64 - 8 * static_cast<unsigned>(size);
  return dataTypeKind(tensor.dtype) == DataTypeKind::Signed
             ? static_cast<double>(static_cast<int64_t>(bits << shift) >> shift)
             : static_cast<double>(bits);
}

NpyTensor makeTensor(const Row &row, const Argument &argument) {
  NpyTensor tensor;
  tensor.dtype = argument.dtype;
  tensor.shape = argument.shape;
  size_t count = 1, size = static_cast<size_t>(dataTypeSizeBytes(argument.dtype));
  for (int64_t extent : argument.shape)
    count *= static_cast<size_t>(extent);
  tensor.data.resize(count * size);
  Random random(row.fullName() + ":" + argument.name);
  std::function<uint64_t(size_t)> make = elementMaker(argument, random);
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = make(i);
    if (argument.dtype == DataType::Bool)
      bits &= 1;
    std::memcpy(tensor.data.data() + i * size, &bits, size);
  }
  return tensor;
}

std::vector<tools::KernelArgument> makeArguments(const Row &row,
                                                 const std::vector<Argument> &arguments) {
  std::vector<tools::KernelArgument> made;
  for (const Argument &argument : arguments)
    if (argument.isTensor)
      made.emplace_back(makeTensor(row, argument));
    else
      made.emplace_back(bitsOf(argument.value, argument.dtype));
  return made;
}

std::string signatureEntry(const Argument &argument) {
  std::string type(dataTypeTritonName(argument.dtype));
  if (argument.isTensor)
    return "*" + type + ":16";
  bool isDivisible = !dtypeIsFloat(argument.dtype) && argument.dtype != DataType::Bool &&
                     std::fmod(argument.value, 16) == 0;
  return type + (isDivisible ? ":16" : "");
}

std::vector<std::string> signatureOf(const std::vector<Argument> &arguments) {
  std::vector<std::string> entries;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const size_t dot = arguments[i].name.find('.');
    if (dot == std::string::npos) {
      entries.push_back(signatureEntry(arguments[i]));
      continue;
    }
    const std::string prefix = arguments[i].name.substr(0, dot + 1);
    std::string tuple = "(" + signatureEntry(arguments[i]) + ",";
    while (i + 1 < arguments.size() && arguments[i + 1].name.starts_with(prefix))
      tuple += signatureEntry(arguments[++i]) + ",";
    entries.push_back(tuple + ")");
  }
  return entries;
}

} // namespace inlay::conformance
