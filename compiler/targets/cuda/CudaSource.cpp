#include "compiler/targets/cuda/CudaSource.h"

#include "base/DynamicLibrary.h"
#include "base/Env.h"
#include "base/Error.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace inlay {

namespace {

namespace fs = std::filesystem;

using Program = struct NvrtcProgramTag *;
using NvrtcResult = int; // 0 is success

/// The functions of NVRTC that are used. Source: the NVRTC documentation, "API Reference".
struct Nvrtc {
  DynamicLibrary library;
  std::string toolkit; // folder with include/, or empty
  NvrtcResult (*createProgram)(Program *program, const char *source, const char *name,
                               int numHeaders, const char *const *headers,
                               const char *const *includeNames) = nullptr;
  NvrtcResult (*destroyProgram)(Program *program) = nullptr;
  NvrtcResult (*addNameExpression)(Program program, const char *expression) = nullptr;
  NvrtcResult (*compileProgram)(Program program, int numOptions,
                                const char *const *options) = nullptr;
  NvrtcResult (*getProgramLogSize)(Program program, size_t *size) = nullptr;
  NvrtcResult (*getProgramLog)(Program program, char *log) = nullptr;
  NvrtcResult (*getPtxSize)(Program program, size_t *size) = nullptr;
  NvrtcResult (*getPtx)(Program program, char *ptx) = nullptr;
  NvrtcResult (*getLoweredName)(Program program, const char *expression,
                                const char **name) = nullptr;
  const char *(*getErrorString)(NvrtcResult result) = nullptr;

  explicit Nvrtc(DynamicLibrary opened) : library(std::move(opened)) {}

  template <typename Function>
  Status find(Function &function, const char *name) {
    INLAY_ASSIGN(void *symbol, library.lookup(name));
    function = reinterpret_cast<Function>(symbol);
    return {};
  }

  Status findAll() {
    INLAY_TRY(find(createProgram, "nvrtcCreateProgram"));
    INLAY_TRY(find(destroyProgram, "nvrtcDestroyProgram"));
    INLAY_TRY(find(addNameExpression, "nvrtcAddNameExpression"));
    INLAY_TRY(find(compileProgram, "nvrtcCompileProgram"));
    INLAY_TRY(find(getProgramLogSize, "nvrtcGetProgramLogSize"));
    INLAY_TRY(find(getProgramLog, "nvrtcGetProgramLog"));
    INLAY_TRY(find(getPtxSize, "nvrtcGetPTXSize"));
    INLAY_TRY(find(getPtx, "nvrtcGetPTX"));
    INLAY_TRY(find(getLoweredName, "nvrtcGetLoweredName"));
    return find(getErrorString, "nvrtcGetErrorString");
  }

  Status check(NvrtcResult result, const char *what) const {
    return result == 0 ? Status() : internalError("{} failed: {}", what, getErrorString(result));
  }
};

/// Paths and names to try, the wanted one first.
Result<std::vector<std::string>> candidates() {
  if (std::optional<std::string> named = findEnvironment(EnvironmentVariable::Nvrtc))
    return std::vector<std::string>{*named};
  std::vector<std::string> paths;
  INLAY_ASSIGN(std::optional<std::string> ptxas, findPtxas());
  if (ptxas) {
    std::error_code ignored;
    const fs::path toolkit = fs::canonical(*ptxas, ignored).parent_path().parent_path();
    for (const char *folder : {"lib64", "lib", "targets/x86_64-linux/lib"})
      if (const fs::path path = toolkit / folder / "libnvrtc.so"; fs::exists(path, ignored))
        paths.push_back(path.string());
  }
  for (const char *name : {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"})
    paths.emplace_back(name);
  return paths;
}

Result<Nvrtc> openNvrtc() {
  INLAY_ASSIGN(const std::vector<std::string> paths, candidates());
  for (const std::string &path : paths) {
    Result<DynamicLibrary> library = DynamicLibrary::open(path);
    if (!library.isOk())
      continue;
    Nvrtc nvrtc(std::move(library).value());
    INLAY_TRY(nvrtc.findAll());
    for (fs::path folder = fs::path(path).parent_path(); folder.has_relative_path();
         folder = folder.parent_path())
      if (std::error_code ignored; fs::exists(folder / "include" / "cuda_fp16.h", ignored)) {
        nvrtc.toolkit = folder.string();
        break;
      }
    return nvrtc;
  }
  std::string tried;
  for (const std::string &path : paths)
    tried += (tried.empty() ? "" : ", ") + path;
  return notFound("CUDA C++ is compiled by NVRTC, which was not found (tried {}): install the CUDA "
                  "toolkit 12.0 or newer, or set INLAY_NVRTC to its libnvrtc.so; or compile the "
                  "kernel to PTX yourself and name the .ptx file",
                  tried);
}

/// One program of NVRTC.
class Compilation {
public:
  explicit Compilation(const Nvrtc &nvrtc) : nvrtc_(nvrtc) {}
  Compilation(const Compilation &) = delete;
  ~Compilation() {
    if (program_)
      (void)nvrtc_.destroyProgram(&program_);
  }

  Result<CudaProgram> run(const std::string &text, const std::string &fileName,
                          const std::string &kernel, std::string_view architecture) {
    INLAY_TRY(nvrtc_.check(
        nvrtc_.createProgram(&program_, text.c_str(), fileName.c_str(), 0, nullptr, nullptr),
        "nvrtcCreateProgram"));
    INLAY_TRY(
        nvrtc_.check(nvrtc_.addNameExpression(program_, kernel.c_str()), "nvrtcAddNameExpression"));
    std::vector<std::string> options{
        "--gpu-architecture=compute_" +
            std::string(architecture.substr(architecture.find('_') + 1)),
        "--std=c++17"};
    if (!nvrtc_.toolkit.empty())
      options.push_back("--include-path=" + nvrtc_.toolkit + "/include");
    std::vector<const char *> pointers;
    for (const std::string &option : options)
      pointers.push_back(option.c_str());
    if (const NvrtcResult result =
            nvrtc_.compileProgram(program_, static_cast<int>(pointers.size()), pointers.data()))
      return invalidArgument("NVRTC does not compile {} ({}) for {}:\n{}", fileName,
                             nvrtc_.getErrorString(result), architecture, log());
    CudaProgram program;
    const char *lowered = nullptr;
    INLAY_TRY(nvrtc_.check(nvrtc_.getLoweredName(program_, kernel.c_str(), &lowered),
                           "nvrtcGetLoweredName"));
    program.entry = lowered;
    size_t size = 0;
    INLAY_TRY(nvrtc_.check(nvrtc_.getPtxSize(program_, &size), "nvrtcGetPTXSize"));
    program.ptx.resize(size);
    INLAY_TRY(nvrtc_.check(nvrtc_.getPtx(program_, program.ptx.data()), "nvrtcGetPTX"));
    while (!program.ptx.empty() && program.ptx.back() == '\0')
      program.ptx.pop_back();
    return program;
  }

private:
  std::string log() const {
    size_t size = 0;
    if (nvrtc_.getProgramLogSize(program_, &size) != 0)
      return "";
    std::string text(size, '\0');
    if (nvrtc_.getProgramLog(program_, text.data()) != 0)
      return "";
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n'))
      text.pop_back();
    return text;
  }

  const Nvrtc &nvrtc_;
  Program program_ = nullptr;
};

} // namespace

Result<CudaProgram> compileCudaSource(std::string_view text, const std::string &fileName,
                                      const std::string &kernel, std::string_view architecture) {
  INLAY_ASSIGN(const Nvrtc nvrtc, openNvrtc());
  return Compilation(nvrtc).run(std::string(text), fileName, kernel, architecture);
}

} // namespace inlay
