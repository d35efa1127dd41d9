// Inline PTX: the first line is the constraints, the rest the text. What parses is looked through.
#include "compiler/ptx/Program.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

using namespace inlay;

namespace {

/// Every register that is named exists, and every place lies in the text.
void look(const ptx::Program &program, const ptx::Operand &operand) {
  if (operand.kind == ptx::Operand::Kind::Register)
    (void)program.registers.at(operand.index).name.size();
  (void)program.placeOf(operand.range);
  for (const ptx::Operand &element : operand.elements)
    look(program, element);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  const size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::optional<int64_t> immediates[] = {std::nullopt, std::nullopt, 7, -1};
  auto program = ptx::parseProgram(bytes.substr(end), bytes.substr(0, end), immediates);
  if (!program.isOk())
    return 0;
  for (const ptx::Instruction &instruction : program->instructions) {
    (void)program->placeOf(instruction.range);
    if (instruction.guard)
      look(*program, *instruction.guard);
    for (const ptx::Operand &operand : instruction.results)
      look(*program, operand);
    for (const ptx::Operand &operand : instruction.operands)
      look(*program, operand);
  }
  return 0;
}
