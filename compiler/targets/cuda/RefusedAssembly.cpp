#include "compiler/targets/cuda/RefusedAssembly.h"

#include "base/Error.h"
#include "compiler/conversions/tile-to-gpu/InlineAssembly.h"
#include "compiler/targets/LowerToLlvm.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <map>
#include <optional>
#include <regex>

using namespace mlir;

namespace inlay {

namespace {

/// A line of PTX inside of inline assembly.
struct Place {
  unsigned assembly; ///< as inlineAssemblyMark counts
  llvm::StringRef text;
};

/// Where a line of PTX (counted from 1) is, or nothing outside of the user's inline assembly.
std::optional<Place> findPlace(llvm::ArrayRef<llvm::StringRef> lines, size_t number) {
  if (number == 0 || number > lines.size())
    return std::nullopt;
  for (size_t i = number; i-- > 0;) {
    llvm::StringRef line = lines[i].trim();
    unsigned assembly;
    if (line.consume_front("// inline_asm ") && !line.getAsInteger(10, assembly))
      return Place{assembly, lines[number - 1].trim()};
    if (line.starts_with("// begin inline asm") || line.starts_with("// end inline asm"))
      break;
  }
  return std::nullopt;
}

LLVM::InlineAsmOp findAssembly(ModuleOp module, unsigned number) {
  LLVM::InlineAsmOp found;
  const std::string mark = tile_to_gpu::inlineAssemblyMark(number);
  module.walk([&](LLVM::InlineAsmOp op) {
    if (!op.getAsmString().starts_with(mark))
      return WalkResult::advance();
    found = op;
    return WalkResult::interrupt();
  });
  return found;
}

} // namespace

Status explainRefusal(Status status, std::string_view ptx, std::string_view architecture,
                      ModuleOp module) {
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(ptx).split(lines, '\n');
  // "ptxas FILE, line 12; error   : Illegal modifier …"
  const std::regex complaint("line ([0-9]+); (error|fatal)[ ]*: ([^\n]*)");
  const std::string said = status.message();
  // Of each reason the first line: calls for other elements repeat it.
  std::map<unsigned, std::map<std::string, std::string>> reasons;
  for (auto match = std::sregex_iterator(said.begin(), said.end(), complaint);
       match != std::sregex_iterator(); ++match) {
    std::optional<Place> place = findPlace(lines, std::stoul((*match)[1]));
    if (!place)
      return status;
    reasons[place->assembly].try_emplace((*match)[3].str(), place->text.str());
  }
  ErrorCollector errors(module.getContext());
  for (const auto &[assembly, texts] : reasons) {
    LLVM::InlineAsmOp op = findAssembly(module, assembly);
    if (!op)
      return status;
    InFlightDiagnostic diagnostic = op.emitError("ptxas refuses this inline assembly for ")
                                    << llvm::StringRef(architecture) << ": ";
    bool isFirst = true;
    for (const auto &[reason, line] : texts) {
      diagnostic << (isFirst ? "" : "; ") << reason << ", in '" << line << "'";
      isFirst = false;
    }
  }
  if (reasons.empty())
    return status;
  return unimplemented("{}", errors.text());
}

} // namespace inlay
