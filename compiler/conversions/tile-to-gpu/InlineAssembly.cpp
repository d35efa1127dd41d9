// tile.inline_asm: the user's PTX, called once for every `pack` registers of a thread.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/Shuffle.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

constexpr unsigned kWordBits = 32;

unsigned bitsOf(Type element) {
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}
/// i1 is a byte, as in memory.
unsigned storedBits(Type element) { return std::max(8u, bitsOf(element)); }

/// How many elements one operand of the assembly holds.
unsigned perOperand(Type element) {
  return storedBits(element) < kWordBits ? kWordBits / storedBits(element) : 1;
}

/// The elements of one call as operands: words of several narrow ones, the rest of the last word 0.
Registers packed(OpBuilder &builder, Location location, ValueRange elements) {
  Type element = elements.front().getType();
  const unsigned perWord = perOperand(element);
  if (perWord == 1)
    return Registers(elements);
  Type i32 = builder.getI32Type();
  Registers words;
  for (size_t first = 0; first < elements.size(); first += perWord) {
    Value word;
    for (size_t i = first; i < std::min(elements.size(), first + perWord); ++i) {
      Value part =
          arith::ExtUIOp::create(builder, location, i32, toBits(builder, location, elements[i]));
      if (i > first)
        part = arith::ShLIOp::create(
            builder, location, part,
            integerConstant(builder, location, i32,
                            static_cast<int64_t>(i - first) * storedBits(element)));
      word = word ? arith::OrIOp::create(builder, location, word, part).getResult() : part;
    }
    words.push_back(word);
  }
  return words;
}

/// Element i of what the assembly gave for one result.
Value unpacked(OpBuilder &builder, Location location, ValueRange words, unsigned i, Type element) {
  const unsigned perWord = perOperand(element);
  Value word = words[i / perWord];
  if (perWord == 1)
    return word;
  if (i % perWord)
    word = arith::ShRUIOp::create(
        builder, location, word,
        integerConstant(builder, location, word.getType(),
                        static_cast<int64_t>(i % perWord) * storedBits(element)));
  Value bits =
      arith::TruncIOp::create(builder, location, builder.getIntegerType(bitsOf(element)), word);
  return fromBits(builder, location, bits, element);
}

} // namespace

LogicalResult KernelLowering::lowerInlineAsm(tile::InlineAsmOp op) {
  Location location = op.getLoc();
  const unsigned pack = op.getPack();
  unsigned numRegisters = 1;
  for (TypeRange types : {TypeRange(op.getOperandTypes()), TypeRange(op.getResultTypes())})
    for (Type type : types)
      numRegisters = std::max(numRegisters, static_cast<unsigned>(flattenTypes(type).size()));
  SmallVector<Type> elements, outputs;
  SmallVector<unsigned> outputsOf;
  for (Type type : op.getResultTypes()) {
    Type element = valueTypeOf(tile::elementTypeOf(type));
    elements.push_back(element);
    const unsigned perWord = perOperand(element);
    outputsOf.push_back(llvm::divideCeil(pack, perWord));
    outputs.append(outputsOf.back(), perWord == 1 ? element : builder_.getI32Type());
  }
  Type result = outputs.size() == 1
                    ? outputs.front()
                    : LLVM::LLVMStructType::getLiteral(builder_.getContext(), outputs);
  std::vector<Registers> results(op.getNumResults());
  for (unsigned first = 0; first < numRegisters; first += pack) {
    Registers inputs;
    for (Value operand : op.getOperands()) {
      // A thread with fewer registers than a call takes repeats its last.
      Registers group;
      for (unsigned i = 0; i < pack; ++i)
        group.push_back(at(operand, std::min(first + i, numRegisters - 1)));
      inputs.append(packed(builder_, location, group));
    }
    Value called =
        LLVM::InlineAsmOp::create(builder_, location, TypeRange(result), inputs, op.getText(),
                                  op.getConstraints(), /*has_side_effects=*/!op.getIsPure(),
                                  /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                  LLVM::AsmDialectAttr(), ArrayAttr())
            .getResult(0);
    Registers given;
    for (size_t i = 0; i < outputs.size(); ++i)
      given.push_back(outputs.size() == 1 ? called
                                          : LLVM::ExtractValueOp::create(builder_, location, called,
                                                                         static_cast<int64_t>(i))
                                                .getResult());
    ValueRange rest = given;
    for (auto [i, element] : llvm::enumerate(elements)) {
      ValueRange words = rest.take_front(outputsOf[i]);
      rest = rest.drop_front(outputsOf[i]);
      for (unsigned k = 0; k < pack && first + k < numRegisters; ++k)
        results[i].push_back(unpacked(builder_, location, words, k, element));
    }
  }
  for (auto [value, registers] : llvm::zip(op.getResults(), results)) {
    if (!isa<RankedTensorType>(value.getType()))
      registers.resize(1);
    registers_[value] = std::move(registers);
  }
  return success();
}

} // namespace inlay::tile_to_gpu
