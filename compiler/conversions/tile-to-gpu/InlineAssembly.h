// How inline assembly of a kernel is found again in its PTX.
#pragma once

#include <string>

namespace inlay::tile_to_gpu {

/// The comment line in front of the text of a kernel's n-th `tile.inline_asm`, counted from 0. It
/// names no file, so that PTX stays the same wherever it is compiled.
std::string inlineAssemblyMark(unsigned number);

} // namespace inlay::tile_to_gpu
