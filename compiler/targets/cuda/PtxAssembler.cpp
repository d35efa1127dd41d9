#include "compiler/targets/cuda/PtxAssembler.h"

#include "base/Env.h"
#include "base/Error.h"
#include "base/File.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Program.h"

#include <regex>

namespace inlay {

namespace {

constexpr unsigned kSecondsToWait = 300;

Result<std::string> createTemporary(llvm::StringRef suffix) {
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("inlay", suffix, path))
    return invalidArgument("cannot create a temporary file for ptxas: {}", error.message());
  return std::string(path.str());
}

/// The number in front of a phrase of ptxas' report ("16 registers"), or 0.
uint32_t numberBefore(const std::string &report, const char *phrase) {
  std::smatch match;
  if (!std::regex_search(report, match, std::regex(std::string("([0-9]+) ") + phrase)))
    return 0;
  return static_cast<uint32_t>(std::stoul(match[1]));
}

/// The lines of a report that contain a phrase.
std::string linesWith(const std::string &report, llvm::StringRef phrase) {
  std::string lines;
  for (llvm::StringRef line : llvm::split(report, '\n'))
    if (line.contains(phrase))
      lines += line.str() + "\n";
  return lines;
}

/// Whether ptxas refused because it does not know the architecture or the PTX version.
bool isTooOld(const std::string &report) {
  return report.find("is not defined for option 'gpu-name'") != std::string::npos ||
         report.find("Unsupported .version") != std::string::npos;
}

} // namespace

Result<std::optional<std::string>> findPtxas() {
  if (std::optional<std::string> named = findEnvironment(EnvironmentVariable::Ptxas)) {
    if (!llvm::sys::fs::can_execute(*named))
      return notFound("INLAY_PTXAS is '{}', which is no program that can be run", *named);
    return std::optional(std::move(*named));
  }
  llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("ptxas");
  if (!found)
    return std::optional<std::string>();
  return std::optional(std::move(*found));
}

Result<std::optional<AssembledPtx>> assemblePtx(const std::string &ptxas, std::string_view ptx,
                                                std::string_view architecture) {
  INLAY_ASSIGN(std::string input, createTemporary("ptx"));
  llvm::FileRemover removeInput(input);
  INLAY_ASSIGN(std::string output, createTemporary("cubin"));
  llvm::FileRemover removeOutput(output);
  INLAY_ASSIGN(std::string report, createTemporary("txt"));
  llvm::FileRemover removeReport(report);
  INLAY_TRY(writeFileAtomically(input, ptx));
  const std::string gpu = "-arch=" + std::string(architecture);
  const llvm::StringRef arguments[] = {ptxas, gpu, "-O3", "-v", input, "-o", output};
  const std::optional<llvm::StringRef> redirects[] = {"", report, report};
  std::string message;
  const int status = llvm::sys::ExecuteAndWait(ptxas, arguments, std::nullopt, redirects,
                                               kSecondsToWait, 0, &message);
  INLAY_ASSIGN(std::string said, readFile(report));
  if (status != 0) {
    if (isTooOld(said))
      return std::optional<AssembledPtx>();
    return internalError("{} failed for {} with status {}: {}{}", ptxas, architecture, status, said,
                         message);
  }
  AssembledPtx assembled;
  INLAY_ASSIGN(std::string bytes, readFile(output));
  const auto *begin = reinterpret_cast<const std::byte *>(bytes.data());
  assembled.cubin.assign(begin, begin + bytes.size());
  assembled.registers = numberBefore(said, "registers");
  assembled.spillBytes = numberBefore(said, "bytes spill stores");
  assembled.sharedBytes = numberBefore(said, "bytes smem");
  assembled.advice = linesWith(said, "Potential Performance Loss");
  return std::optional(std::move(assembled));
}

} // namespace inlay
