// The files of ops/ as the compiler carries them.
#pragma once

#include "compiler/plugins/Manifest.h"

#include <string>
#include <string_view>

namespace inlay {

/// All of them, by path ("ops/functions.py").
const EmbeddedFiles &embeddedFiles();

/// The functions of ops/functions.py that a text calls, directly or not, in the order of the file:
/// text to put in front of it.
std::string functionsCalledIn(std::string_view text);

} // namespace inlay
