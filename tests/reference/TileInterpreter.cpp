#include "tests/reference/TileInterpreter.h"

#include "base/Error.h"
#include "tests/reference/Interpreter.h"

using namespace mlir;

namespace inlay {

Status interpretTileKernel(ModuleOp module, std::span<const void *const> arguments,
                           std::array<uint32_t, 3> grid, std::span<const MemoryRange> memory,
                           std::string *printed) {
  func::FuncOp kernel;
  module.walk([&](func::FuncOp function) {
    if (function->hasAttr(tile::kKernelAttr))
      kernel = function;
  });
  if (!kernel)
    return invalidArgument("the module holds no function with the attribute '{}'",
                           tile::kKernelAttr.str());
  if (kernel.getNumArguments() != arguments.size())
    return invalidArgument("kernel '{}' takes {} arguments, not {}", kernel.getName().str(),
                           kernel.getNumArguments(), arguments.size());
  reference::Interpreter interpreter(grid, memory, printed);
  for (uint32_t z = 0; z < grid[2]; ++z)
    for (uint32_t y = 0; y < grid[1]; ++y)
      for (uint32_t x = 0; x < grid[0]; ++x)
        INLAY_TRY(interpreter.runProgram(kernel, arguments, {x, y, z}));
  return {};
}

} // namespace inlay
