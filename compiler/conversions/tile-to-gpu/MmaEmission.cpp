#include "compiler/conversions/tile-to-gpu/MmaEmission.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::MmaInstruction;
using tile::MmaType;

namespace {

/// Bits of fp32 that tf32 and bf16 keep.
constexpr int64_t kTF32Mask = 0xffffe000, kBF16Mask = 0xffff0000;

Value bitcastTo(OpBuilder &builder, Location location, Type type, Value value) {
  return value.getType() == type ? value : arith::BitcastOp::create(builder, location, type, value);
}

/// Drops the low bits: unlike rounding it cannot become infinite.
Value keepBits(OpBuilder &builder, Location location, Value value, int64_t mask) {
  Type i32 = builder.getI32Type();
  Value bits =
      arith::AndIOp::create(builder, location, bitcastTo(builder, location, i32, value),
                            integerConstant(builder, location, i32, static_cast<int32_t>(mask)));
  return bitcastTo(builder, location, value.getType(), bits);
}

/// The small part of a fp32, a little larger. Tensor cores cut it off to tf32, which takes
/// 0.35 / 1024 of it in the mean, and the product of two small parts is left out, which is another
/// 0.14 / 1024 for each; cut off, a part that is a tf32 stays what it is, since less than a unit of
/// its last place is added.
Value enlargeSmallPart(OpBuilder &builder, Location location, Value part) {
  constexpr double kFactor = 1 + 0.497 / 1024;
  Value factor =
      arith::ConstantOp::create(builder, location, builder.getFloatAttr(part.getType(), kFactor));
  return arith::MulFOp::create(builder, location, part, factor);
}

/// Integers of one width as one wider integer, the first in the low bits; and back.
Value packWord(OpBuilder &builder, Location location, ValueRange elements) {
  if (elements.size() == 1)
    return elements[0];
  auto type = cast<IntegerType>(elements[0].getType());
  const auto count = static_cast<unsigned>(elements.size());
  Value vector = LLVM::PoisonOp::create(builder, location, VectorType::get({int64_t{count}}, type));
  for (auto [i, element] : llvm::enumerate(elements))
    vector = LLVM::InsertElementOp::create(
        builder, location, vector, element,
        integerConstant(builder, location, builder.getI32Type(), static_cast<int64_t>(i)));
  return LLVM::BitcastOp::create(builder, location, builder.getIntegerType(type.getWidth() * count),
                                 vector);
}
Registers unpackWord(OpBuilder &builder, Location location, Value word, unsigned elementBits) {
  const unsigned count = word.getType().getIntOrFloatBitWidth() / elementBits;
  Value vector = LLVM::BitcastOp::create(
      builder, location, VectorType::get({int64_t{count}}, builder.getIntegerType(elementBits)),
      word);
  Registers elements;
  for (unsigned i = 0; i < count; ++i)
    elements.push_back(LLVM::ExtractElementOp::create(
        builder, location, vector, integerConstant(builder, location, builder.getI32Type(), i)));
  return elements;
}

StringRef accumulatorName(Type type) {
  return type.isInteger(32) ? "s32" : type.isF64() ? "f64" : type.isF16() ? "f16" : "f32";
}
StringRef accumulatorConstraint(Type type) { return type.isF64() ? "d" : type.isF32() ? "f" : "r"; }

/// Accumulator elements as the registers of the instruction: f16 come in pairs.
Registers toAccumulator(OpBuilder &builder, Location location, ValueRange elements) {
  if (!elements[0].getType().isF16())
    return Registers(elements);
  Registers words;
  for (size_t i = 0; i < elements.size(); i += 2)
    words.push_back(packWord(
        builder, location,
        {toMemory(builder, location, elements[i]), toMemory(builder, location, elements[i + 1])}));
  return words;
}

} // namespace

StringRef operandName(const MmaInstruction &mma, Type elementType) {
  switch (mma.type) {
  case MmaType::F16:
    return "f16";
  case MmaType::BF16:
    return "bf16";
  case MmaType::TF32:
    return "tf32";
  case MmaType::Int8:
    return "s8";
  case MmaType::F64:
    return "f64";
  case MmaType::Float8:
    return isa<Float8E5M2Type>(elementType) ? "e5m2" : "e4m3";
  }
  llvm_unreachable("unknown type");
}

SmallVector<Value> splitForMma(OpBuilder &builder, Location location, const MmaInstruction &mma,
                               Value element) {
  Type type = element.getType(), f16 = builder.getF16Type(), bf16 = builder.getBF16Type();
  if (mma.type == MmaType::F16 && type != f16)
    return {arith::ExtFOp::create(builder, location, f16, element)};
  if (!type.isF32() || (mma.type == MmaType::TF32 && mma.parts == 1))
    return {element}; // The hardware ignores the bits that tf32 has not.
  SmallVector<Value> parts;
  Value rest = element;
  for (unsigned i = 0; i < mma.parts; ++i) {
    const bool isLast = i + 1 == mma.parts;
    // Cut-off parts have the element's sign: in long chains of products of positive numbers the
    // errors would add up. bf16 rounds its last part.
    Value part =
        mma.type == MmaType::TF32 && isLast ? enlargeSmallPart(builder, location, rest) : rest;
    if (!isLast)
      part = keepBits(builder, location, part, mma.type == MmaType::TF32 ? kTF32Mask : kBF16Mask);
    parts.push_back(mma.type == MmaType::TF32
                        ? part
                        : arith::TruncFOp::create(builder, location, bf16, part).getResult());
    if (!isLast)
      rest = arith::SubFOp::create(builder, location, rest, part);
  }
  return parts;
}

Registers packFragment(OpBuilder &builder, Location location, const MmaInstruction &mma,
                       ValueRange elements) {
  if (mma.type == MmaType::F64)
    return Registers(elements);
  Registers words;
  for (size_t i = 0; i < elements.size(); i += mma.perWord()) {
    Registers bits;
    for (Value element : elements.slice(i, mma.perWord())) {
      Value memory = toMemory(builder, location, element);
      bits.push_back(bitcastTo(builder, location,
                               builder.getIntegerType(memory.getType().getIntOrFloatBitWidth()),
                               memory));
    }
    words.push_back(packWord(builder, location, bits));
  }
  return words;
}

Registers emitMma(OpBuilder &builder, Location location, const MmaInstruction &mma, Type lhsType,
                  Type rhsType, ValueRange lhs, ValueRange rhs, ValueRange acc) {
  Type accType = acc[0].getType();
  Registers operands(lhs);
  operands.append(rhs.begin(), rhs.end());
  const size_t numFactors = operands.size();
  Registers accWords = toAccumulator(builder, location, acc);
  operands.append(accWords);

  std::string text, constraints;
  llvm::raw_string_ostream stream(text), list(constraints);
  size_t operand = 0;
  auto printGroup = [&](size_t count) {
    stream << (operand ? ", {" : " {");
    for (size_t i = 0; i < count; ++i)
      stream << (i ? ", " : "") << "$" << operand++;
    stream << "}";
  };
  stream << "mma.sync.aligned.m" << mma.m << "n" << mma.n << "k" << mma.k << ".row.col."
         << accumulatorName(accType) << "." << operandName(mma, lhsType) << "."
         << operandName(mma, rhsType) << "." << accumulatorName(accType);
  printGroup(accWords.size());
  printGroup(lhs.size());
  printGroup(rhs.size());
  printGroup(accWords.size());
  stream << ";";
  for (size_t i = 0; i < accWords.size(); ++i)
    list << "=" << accumulatorConstraint(accType) << ",";
  for (size_t i = 0; i < numFactors; ++i)
    list << (mma.type == MmaType::F64 ? "d," : "r,");
  for (size_t i = 0; i < accWords.size(); ++i)
    list << (i ? "," : "") << i;

  Type wordType = accWords[0].getType();
  SmallVector<Type> types(accWords.size(), wordType);
  Value result =
      LLVM::InlineAsmOp::create(
          builder, location, LLVM::LLVMStructType::getLiteral(builder.getContext(), types),
          operands, text, constraints, /*has_side_effects=*/false,
          /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
          .getResult(0);
  Registers elements;
  for (size_t i = 0; i < accWords.size(); ++i) {
    Value word = LLVM::ExtractValueOp::create(builder, location, result, static_cast<int64_t>(i));
    if (!accType.isF16()) {
      elements.push_back(word);
      continue;
    }
    for (Value half : unpackWord(builder, location, word, 16))
      elements.push_back(fromMemory(builder, location, half, accType));
  }
  return elements;
}

} // namespace inlay::tile_to_gpu
