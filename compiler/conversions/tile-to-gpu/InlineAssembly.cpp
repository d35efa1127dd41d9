// tile.inline_asm: the user's PTX, called once for every `pack` registers of a thread.
#include "compiler/conversions/tile-to-gpu/InlineAssembly.h"

#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/Shuffle.h"
#include "compiler/transforms/tile/InlineAssembly.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

using tile::RegisterPacking;

/// cvt has .satfinite for all its types since PTX 8.1 (PTX ISA, "cvt").
constexpr int32_t kSatfinitePtxVersion = 81;

unsigned bitsOf(Type element) {
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}

/// Whether the register of a constraint takes an element as it is.
bool takesWhole(Type element, const RegisterPacking &packing, const ptx::Constraint &constraint) {
  return packing.perRegister == 1 &&
         (constraint.isImmediate() || bitsOf(element) == constraint.width());
}

/// The type of a call's value in a register that elements are packed into.
Type registerType(OpBuilder &builder, const ptx::Constraint &constraint) {
  if (constraint.letter == 'f')
    return builder.getF32Type();
  if (constraint.letter == 'd')
    return builder.getF64Type();
  return builder.getIntegerType(constraint.width());
}

/// Elements in one register, the first in the lowest bits; the rest is 0.
Value packed(OpBuilder &builder, Location location, ValueRange elements,
             const ptx::Constraint &constraint) {
  Type type = registerType(builder, constraint);
  Type bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
  const unsigned step = tile::registerBitsOf(elements.front().getType());
  Value word;
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value part = toBits(builder, location, element);
    if (part.getType() != bits)
      part = arith::ExtUIOp::create(builder, location, bits, part);
    if (i != 0)
      part = arith::ShLIOp::create(
          builder, location, part,
          integerConstant(builder, location, bits, static_cast<int64_t>(i) * step));
    word = word ? arith::OrIOp::create(builder, location, word, part).getResult() : part;
  }
  return fromBits(builder, location, word, type);
}

/// Element i of a register.
Value unpacked(OpBuilder &builder, Location location, Value word, unsigned i, Type element) {
  Value bits = toBits(builder, location, word);
  if (i != 0)
    bits = arith::ShRUIOp::create(
        builder, location, bits,
        integerConstant(builder, location, bits.getType(),
                        static_cast<int64_t>(i) * tile::registerBitsOf(element)));
  if (bits.getType().getIntOrFloatBitWidth() != bitsOf(element))
    bits =
        arith::TruncIOp::create(builder, location, builder.getIntegerType(bitsOf(element)), bits);
  return fromBits(builder, location, bits, element);
}

} // namespace

std::string inlineAssemblyMark(unsigned number) {
  return llvm::formatv("// inline_asm {0}\n", number).str();
}

LogicalResult KernelLowering::lowerInlineAsm(tile::InlineAsmOp op) {
  Location location = op.getLoc();
  const unsigned pack = op.getPack();
  FailureOr<std::vector<ptx::Constraint>> constraints = tile::checkedConstraints(op);
  if (failed(constraints))
    return failure();
  if (op.getText().contains(".satfinite"))
    raisePtxVersion(kSatfinitePtxVersion);
  unsigned numRegisters = 1;
  for (TypeRange types : {TypeRange(op.getOperandTypes()), TypeRange(op.getResultTypes())})
    for (Type type : types)
      numRegisters = std::max(numRegisters, static_cast<unsigned>(flattenTypes(type).size()));
  SmallVector<Type> elements, outputs;
  for (Type type : op.getResultTypes()) {
    Type element = valueTypeOf(tile::elementTypeOf(type));
    elements.push_back(element);
    RegisterPacking packing(element, pack);
    for (unsigned i = 0; i < packing.numRegisters; ++i) {
      const ptx::Constraint &constraint = (*constraints)[outputs.size()];
      outputs.push_back(
          takesWhole(element, packing, constraint) ? element : registerType(builder_, constraint));
    }
  }
  Type result = outputs.size() == 1
                    ? outputs.front()
                    : LLVM::LLVMStructType::getLiteral(builder_.getContext(), outputs);
  // LLVM reads a blank as a constraint.
  std::string registers = op.getConstraints().str();
  llvm::erase_if(registers, [](char c) { return c == ' ' || c == '\t' || c == '\n'; });
  const std::string text = inlineAssemblyMark(numInlineAssemblies_++) + op.getText().str();
  std::vector<Registers> results(op.getNumResults());
  for (unsigned first = 0; first < numRegisters; first += pack) {
    Registers inputs;
    for (Value operand : op.getOperands()) {
      // A thread with fewer registers than a call takes repeats its last.
      Registers group;
      for (unsigned i = 0; i < pack; ++i)
        group.push_back(at(operand, std::min(first + i, numRegisters - 1)));
      Type element = group.front().getType();
      RegisterPacking packing(element, pack);
      for (unsigned i = 0; i < pack; i += packing.perRegister) {
        const ptx::Constraint &constraint = (*constraints)[outputs.size() + inputs.size()];
        inputs.push_back(takesWhole(element, packing, constraint)
                             ? group[i]
                             : packed(builder_, location,
                                      ValueRange(group).slice(i, packing.perRegister), constraint));
      }
    }
    Value called = LLVM::InlineAsmOp::create(builder_, location, TypeRange(result), inputs, text,
                                             registers, /*has_side_effects=*/!op.getIsPure(),
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
      RegisterPacking packing(element, pack);
      for (unsigned k = 0; k < pack && first + k < numRegisters; ++k) {
        Value word = rest[k / packing.perRegister];
        results[i].push_back(
            word.getType() == element
                ? word
                : unpacked(builder_, location, word, k % packing.perRegister, element));
      }
      rest = rest.drop_front(packing.numRegisters);
    }
  }
  for (auto [value, given] : llvm::zip(op.getResults(), results)) {
    if (!isa<RankedTensorType>(value.getType()))
      given.resize(1);
    registers_[value] = std::move(given);
  }
  return success();
}

} // namespace inlay::tile_to_gpu
