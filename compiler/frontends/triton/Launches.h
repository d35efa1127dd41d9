// Launches of kernels in Python text, `kernel[grid](a, b, BLOCK=64)`: what they say of arguments.
#pragma once

#include "compiler/frontends/triton/Module.h"

#include <map>
#include <string>
#include <vector>

namespace inlay::triton {

/// What a launch says of one argument.
struct LaunchArgument {
  enum class Kind : uint8_t {
    Unknown,
    Integer, // x.stride(0), x.shape[1], x.numel(), len(x)
    Literal  // text: the literal as a constant is written on Inlay's command line
  };
  Kind kind = Kind::Unknown;
  std::string text;
};

/// One launch, by the name before the bracket.
struct Launch {
  std::string kernel;
  std::vector<LaunchArgument> positional; // ends before the first *argument
  std::map<std::string, LaunchArgument> keywords;
};

/// All launches in a file, inside functions too, in order. A name given as an argument counts as
/// the literal that was last assigned to it above, and `**name` as the dictionary of literals.
std::vector<Launch> findLaunches(const Module &module);

} // namespace inlay::triton
