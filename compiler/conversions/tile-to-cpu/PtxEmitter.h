// Inline PTX as arithmetic on tiles: registers hold values, a predicate in front of an instruction
// chooses between the old and the new one.
#pragma once

#include "compiler/conversions/tile-to-cpu/ElementBuilder.h"
#include "compiler/ptx/Program.h"

namespace inlay::tile_to_cpu {

/// Some bits of a register: an integer or a float.
struct RegisterPart {
  mlir::Value value;
  /// A float that arithmetic gave: where it is NaN its bits are PTX's canonical NaN, whatever the
  /// CPU computes (PTX ISA, "Floating-Point Instructions").
  bool isComputed = false;
};

/// A register's bits, the lowest first. Parts are kept apart as long as nobody needs them together,
/// so that packing and unpacking costs nothing. Empty if the register was never written.
using RegisterParts = llvm::SmallVector<RegisterPart, 2>;

/// Runs the instructions of a program on the values of its registers.
class PtxEmitter {
public:
  PtxEmitter(mlir::OpBuilder &builder, mlir::Location location, mlir::Type shape,
             const ptx::Program &program)
      : e_(builder, location, shape), program_(program), registers_(program.registers.size()) {}

  ElementBuilder &elements() { return e_; }
  void setRegister(uint32_t index, RegisterParts parts) { registers_[index] = std::move(parts); }
  /// `bits` bits of a register from bit `offset` on, as an integer; 0 if it was never written.
  mlir::Value registerBits(uint32_t index, unsigned offset, unsigned bits);
  /// The register as `element`, a type as wide as `bits` says, without going over integers if it
  /// is one.
  mlir::Value registerAs(uint32_t index, unsigned offset, mlir::Type element);
  /// Runs all instructions.
  void run();
  /// True if the program has a barrier or fence.
  bool hasBarrier() const { return hasBarrier_; }

private:
  // Operands and results.
  mlir::Type elementTypeOf(ptx::Type lane);
  mlir::Value bitsOf(const RegisterPart &part);
  mlir::Value extract(const RegisterParts &parts, unsigned offset, unsigned bits);
  RegisterParts partsOf(const ptx::Operand &operand);
  /// Lane `lane` of an operand as its type says.
  mlir::Value read(const ptx::Operand &operand, unsigned lane = 0);
  void write(const ptx::Instruction &instruction, const ptx::Operand &result, RegisterParts parts);
  void writeScalar(const ptx::Instruction &instruction, mlir::Value value);
  mlir::Value predicate(const ptx::Operand &operand);
  mlir::Value gridIndex(const ptx::Operand &operand);

  void runInstruction(const ptx::Instruction &instruction);
  void runMov(const ptx::Instruction &instruction);
  void runSetp(const ptx::Instruction &instruction);
  void runLanes(const ptx::Instruction &instruction);
  bool runPartwise(const ptx::Instruction &instruction);

  // PtxIntegers.cpp
  mlir::Value integerLane(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value saturatedSum(mlir::Value a, mlir::Value b, bool isSubtraction);
  mlir::Value highProduct(mlir::Value a, mlir::Value b, bool isSigned);
  mlir::Value minimum(mlir::Value a, mlir::Value b, bool isSigned, bool isMaximum);
  mlir::Value shiftLeft(mlir::Value a, mlir::Value by);
  mlir::Value shiftRight(mlir::Value a, mlir::Value by, bool isSigned);
  mlir::Value lowMask(mlir::Value length, unsigned bits);
  mlir::Value lookup3(llvm::ArrayRef<mlir::Value> a, unsigned table);
  mlir::Value reverseBits(mlir::Value a);
  mlir::Value findLeading(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value extractField(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value insertField(llvm::ArrayRef<mlir::Value> a);
  mlir::Value funnelShift(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value permuteBytes(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value byteProducts(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value compare(const ptx::Instruction &instruction, ptx::Type type, mlir::Value a,
                      mlir::Value b);

  // PtxFloats.cpp
  mlir::Value floatLane(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value floatArithmetic(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value directed(const ptx::Instruction &instruction, llvm::ArrayRef<mlir::Value> a);
  mlir::Value narrowFma(llvm::ArrayRef<mlir::Value> a);
  mlir::Value toOdd(mlir::Value value, mlir::Value error);
  mlir::Value sumToOdd(mlir::Value a, mlir::Value b);
  mlir::Value minimumFloat(const ptx::Instruction &instruction, mlir::Value a, mlir::Value b);
  mlir::Value testFloat(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value flush(mlir::Value a);
  mlir::Value saturate(mlir::Value a);
  mlir::Value relu(mlir::Value a);
  mlir::Value canonicalNanBits(mlir::Type element);

  // PtxConversions.cpp
  RegisterParts convert(const ptx::Instruction &instruction);
  mlir::Value convertScalar(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value integerToInteger(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value integerToFloat(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value floatToInteger(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value floatToFloat(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value roundToIntegral(const ptx::Instruction &instruction, mlir::Value a);
  /// A wider float rounded to `element` in the instruction's direction, to nearest without one.
  mlir::Value narrow(const ptx::Instruction &instruction, mlir::Value a, mlir::Type element);
  mlir::Value toTf32(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value toNarrowBits(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value toScale(const ptx::Instruction &instruction, mlir::Value a);
  mlir::Value encodeSmall(ptx::Kind kind, mlir::Value a);
  mlir::Value decodeSmall(ptx::Kind kind, mlir::Value bits);

  ElementBuilder e_;
  const ptx::Program &program_;
  std::vector<RegisterParts> registers_;
  bool hasBarrier_ = false;
};

} // namespace inlay::tile_to_cpu
