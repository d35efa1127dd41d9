// Integer instructions of PTX, bit by bit where the ISA writes them so.
#include "tests/reference/Cell.h"
#include "tests/reference/PtxMachine.h"

#include <algorithm>
#include <bit>

namespace inlay::reference {

using ptx::Instruction;
using ptx::Modifier;
using ptx::Opcode;

namespace {

using Wide = __int128;

uint64_t bitOf(uint64_t bits, uint64_t place) { return bits >> place & 1; }

uint64_t extractField(uint64_t value, uint64_t start, uint64_t length, unsigned width,
                      bool isSigned) {
  start &= 0xff;
  length &= 0xff;
  uint64_t last = width - 1, sign = 0, result = 0;
  if (isSigned && length != 0)
    sign = bitOf(value, std::min(start + length - 1, last));
  for (uint64_t i = 0; i <= last; ++i)
    result |= (i < length && start + i <= last ? bitOf(value, start + i) : sign) << i;
  return result;
}

uint64_t insertField(uint64_t field, uint64_t value, uint64_t start, uint64_t length,
                     unsigned width) {
  start &= 0xff;
  length &= 0xff;
  for (uint64_t i = 0; i < length && start + i < width; ++i)
    value = (value & ~(uint64_t{1} << (start + i))) | bitOf(field, i) << (start + i);
  return value;
}

uint64_t findLeading(uint64_t value, unsigned width, bool isSigned, bool isAmount) {
  if (isSigned && bitOf(value, width - 1))
    value = ~value;
  for (unsigned i = width; i-- > 0;)
    if (bitOf(value, i))
      return isAmount ? width - 1 - i : i;
  return 0xffffffff;
}

uint64_t lookup3(uint64_t a, uint64_t b, uint64_t c, uint64_t table) {
  uint64_t result = 0;
  for (unsigned i = 0; i < 32; ++i)
    result |= bitOf(table, bitOf(a, i) << 2 | bitOf(b, i) << 1 | bitOf(c, i)) << i;
  return result;
}

uint64_t permuteBytes(const Instruction &instruction, uint64_t a, uint64_t b, uint64_t selector) {
  auto byteAt = [&](uint64_t i) { return (b << 32 | a) >> (8 * (i & 7)) & 0xff; };
  uint64_t c = selector & 3, result = 0;
  for (uint64_t i = 0; i < 4; ++i) {
    uint64_t choice = selector >> (4 * i) & 15;
    if (instruction.has(Modifier::F4e))
      choice = c + i;
    if (instruction.has(Modifier::B4e))
      choice = (c - i) & 7;
    if (instruction.has(Modifier::Rc8))
      choice = c;
    if (instruction.has(Modifier::Ecl))
      choice = std::max(i, c);
    if (instruction.has(Modifier::Ecr))
      choice = std::min(i, c);
    if (instruction.has(Modifier::Rc16))
      choice = 2 * (c & 1) + (i & 1);
    uint64_t byte = byteAt(choice);
    if (choice & 8)
      byte = bitOf(byte, 7) ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}

uint64_t byteProducts(const Instruction &instruction, const std::vector<uint64_t> &a) {
  auto byteOf = [](uint64_t word, unsigned i, bool isSigned) -> int64_t {
    uint64_t byte = word >> (8 * i) & 0xff;
    return isSigned ? signedOf(byte, 8) : static_cast<int64_t>(byte);
  };
  int64_t sum = static_cast<int64_t>(a[2]);
  for (unsigned i = 0; i < 4; ++i)
    sum += byteOf(a[0], i, instruction.type.isSigned()) *
           byteOf(a[1], i, instruction.source.isSigned());
  return static_cast<uint64_t>(sum) & 0xffffffff;
}

uint64_t funnelShift(const Instruction &instruction, const std::vector<uint64_t> &a) {
  uint64_t amount = instruction.has(Modifier::Wrap) ? a[2] & 31 : std::min<uint64_t>(a[2], 32);
  uint64_t both = a[1] << 32 | a[0];
  for (uint64_t i = 0; i < amount; ++i)
    both = instruction.has(Modifier::Right) ? both >> 1 : both << 1;
  return instruction.has(Modifier::Right) ? both & 0xffffffff : both >> 32;
}

uint64_t shift(uint64_t value, uint64_t amount, unsigned width, bool isRight, bool isSigned) {
  for (uint64_t i = 0; i < std::min<uint64_t>(amount, width); ++i)
    value =
        isRight ? value >> 1 | (isSigned ? value & (uint64_t{1} << (width - 1)) : 0) : value << 1;
  return value;
}

} // namespace

uint64_t ptxIntegerLane(const Instruction &instruction, const std::vector<uint64_t> &a) {
  const ptx::Type type = instruction.type;
  const unsigned width = type.bits;
  const bool isSigned = type.isSigned();
  auto number = [&](size_t i) -> Wide {
    return isSigned ? Wide(signedOf(a[i], width)) : Wide(a[i]);
  };
  auto bits = [&](Wide value) {
    if (instruction.has(Modifier::Sat))
      value = std::clamp<Wide>(value, INT32_MIN, INT32_MAX);
    if (instruction.has(Modifier::Relu))
      value = std::max<Wide>(value, 0);
    return static_cast<uint64_t>(value) & maskOf(width);
  };
  auto product = [&]() -> Wide {
    if (instruction.has(Modifier::Wide) || instruction.has(Modifier::Lo))
      return number(0) * number(1);
    // 64-bit factors fill 128 bits without a sign.
    if (!isSigned)
      return Wide(static_cast<unsigned __int128>(a[0]) * a[1] >> width);
    return number(0) * number(1) >> width;
  };
  switch (instruction.opcode) {
  case Opcode::Add:
    return bits(number(0) + number(1));
  case Opcode::Sub:
    return bits(number(0) - number(1));
  case Opcode::Mul:
    return static_cast<uint64_t>(product()) &
           maskOf(instruction.has(Modifier::Wide) ? 2 * width : width);
  case Opcode::Mad: {
    if (instruction.has(Modifier::Wide))
      return (static_cast<uint64_t>(product()) + a[2]) & maskOf(2 * width);
    return bits(product() + number(2));
  }
  case Opcode::Div:
    return a[1] == 0 ? 0 : bits(number(0) / number(1));
  case Opcode::Rem:
    return a[1] == 0 ? 0 : bits(number(0) % number(1));
  case Opcode::Abs:
    return bits(number(0) < 0 ? -number(0) : number(0));
  case Opcode::Neg:
    return bits(-number(0));
  case Opcode::Min:
    return bits(std::min(number(0), number(1)));
  case Opcode::Max:
    return bits(std::max(number(0), number(1)));
  case Opcode::Popc:
    return static_cast<uint64_t>(std::popcount(a[0]));
  case Opcode::Clz:
    return static_cast<uint64_t>(std::countl_zero(a[0])) - (64 - width);
  case Opcode::Bfind:
    return findLeading(a[0], width, isSigned, instruction.has(Modifier::Shiftamt));
  case Opcode::Brev: {
    uint64_t result = 0;
    for (unsigned i = 0; i < width; ++i)
      result |= bitOf(a[0], i) << (width - 1 - i);
    return result;
  }
  case Opcode::Bfe:
    return extractField(a[0], a[1], a[2], width, isSigned);
  case Opcode::Bfi:
    return insertField(a[0], a[1], a[2], a[3], width);
  case Opcode::Dp4a:
    return byteProducts(instruction, a);
  case Opcode::And:
    return a[0] & a[1];
  case Opcode::Or:
    return a[0] | a[1];
  case Opcode::Xor:
    return a[0] ^ a[1];
  case Opcode::Not:
    return ~a[0] & maskOf(width);
  case Opcode::Cnot:
    return a[0] == 0;
  case Opcode::Lop3:
    return lookup3(a[0], a[1], a[2], a[3]);
  case Opcode::Shl:
    return shift(a[0], a[1], width, false, false) & maskOf(width);
  case Opcode::Shr:
    return shift(a[0], a[1], width, true, isSigned);
  case Opcode::Shf:
    return funnelShift(instruction, a);
  default: // prmt
    return permuteBytes(instruction, a[0], a[1], a[2]);
  }
}

} // namespace inlay::reference
