// Inline PTX run one element after the other, slowly and plainly: what every target is compared
// with. Registers hold bits.
#pragma once

#include "compiler/ptx/Program.h"

#include <array>

namespace inlay::reference {

/// Runs a program's instructions on registers of bits.
class PtxMachine {
public:
  /// `program` is borrowed and outlives the machine.
  PtxMachine(const ptx::Program &program, std::array<uint32_t, 3> grid,
             std::array<uint32_t, 3> index)
      : program_(program), grid_(grid), index_(index), registers_(program.registers.size(), 0) {}

  uint64_t &at(uint32_t index) { return registers_[index]; }
  void run();

private:
  uint64_t read(const ptx::Operand &operand) const;
  void write(const ptx::Operand &result, uint64_t bits);
  bool isTrue(const ptx::Operand &operand) const { return (read(operand) & 1) != 0; }
  void step(const ptx::Instruction &instruction);

  const ptx::Program &program_;
  std::array<uint32_t, 3> grid_, index_;
  std::vector<uint64_t> registers_;
};

/// One lane of an instruction: `a` are the lanes' bits. PtxIntegers.cpp and PtxFloats.cpp.
uint64_t ptxIntegerLane(const ptx::Instruction &instruction, const std::vector<uint64_t> &a);
uint64_t ptxFloatLane(const ptx::Instruction &instruction, const std::vector<uint64_t> &a);
bool ptxCompare(const ptx::Instruction &instruction, ptx::Type type, uint64_t a, uint64_t b);
bool ptxTest(const ptx::Instruction &instruction, uint64_t a);
/// True if a float is at least 0.
bool ptxIsPositive(const ptx::Instruction &instruction, uint64_t a);
/// One lane of cvt.
uint64_t ptxConvert(const ptx::Instruction &instruction, uint64_t a);

} // namespace inlay::reference
