// For tests and benchmarks: tile IR text compiled for a CPU level, loaded into this process, and
// run.
#pragma once

#include "compiler/dialects/tile/Tile.h"
#include "compiler/targets/cpu/CpuTarget.h"

#include "mlir/Parser/Parser.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace inlay::testing {

/// True if this machine runs code of the level.
inline bool machineHas(std::string_view level) {
  if (level == "x86-64-v4")
    return __builtin_cpu_supports("x86-64-v4");
  if (level == "x86-64-v3")
    return __builtin_cpu_supports("x86-64-v3");
  return __builtin_cpu_supports("x86-64-v2");
}

inline std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// Replaces each `$NAME` of the list.
inline std::string fill(std::string text,
                        const std::vector<std::pair<std::string, std::string>> &replacements) {
  for (const auto &[from, to] : replacements)
    text = replaceAll(std::move(text), from, to);
  return text;
}

/// The body of a kernel wrapped into a module: `@kernel(arguments) { body }`.
inline std::string kernelText(std::string_view arguments, std::string_view body) {
  return "func.func @kernel(" + std::string(arguments) + ") attributes {tile.kernel} {\n" +
         std::string(body) + "\n  return\n}\n";
}

inline Result<KernelImage> compileText(const std::string &text, std::string_view level,
                                       const StageSink &sink = {}) {
  mlir::MLIRContext context;
  context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect, mlir::func::FuncDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return Status(StatusCode::InvalidArgument, "the kernel's text does not parse");
  auto target = createCpuTarget(level);
  if (!target.isOk())
    return std::move(target).status();
  auto images = (*target)->compile(*module, {sink, {}});
  if (!images.isOk())
    return std::move(images).status();
  return std::move(images->front());
}

/// A kernel in memory, ready to run.
class LoadedKernel {
public:
  using Entry = void (*)(const void *const *, const uint32_t *, uint64_t, uint64_t, void *scratch);

  static Result<LoadedKernel> load(const KernelImage &image) {
    int file = memfd_create("kernel", MFD_CLOEXEC);
    bool written = file >= 0 && write(file, image.bytes.data(), image.bytes.size()) ==
                                    static_cast<ssize_t>(image.bytes.size());
    void *handle =
        written ? dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL)
                : nullptr;
    // The file stays open: the loader knows libraries by name, and a second one under the same
    // number would be the first.
    if (!handle)
      return Status(StatusCode::Internal, written ? dlerror() : "memfd_create failed");
    LoadedKernel kernel;
    kernel.scratchBytes_ = image.scratchBytes;
    kernel.entry_ = reinterpret_cast<Entry>(dlsym(handle, image.entry.c_str()));
    if (!kernel.entry_)
      return Status(StatusCode::Internal, "the entry symbol is missing");
    return kernel;
  }

  /// Runs the whole grid; each argument is a pointer to the parameter's value.
  void run(const std::vector<const void *> &arguments, uint32_t x, uint32_t y = 1,
           uint32_t z = 1) const {
    const uint32_t grid[3] = {x, y, z};
    run(arguments.data(), grid, 0, uint64_t(x) * y * z);
  }
  /// Runs some programs of a grid, as the entry does, with scratch memory of its own.
  void run(const void *const *arguments, const uint32_t *grid, uint64_t begin, uint64_t end) const {
    // Entries without scratch memory have no parameter for it; the calling convention lets them
    // ignore the register.
    void *scratch =
        scratchBytes_ ? std::aligned_alloc(64, (scratchBytes_ + 63) / 64 * 64) : nullptr;
    entry_(arguments, grid, begin, end, scratch);
    std::free(scratch);
  }
  uint64_t scratchBytes() const { return scratchBytes_; }

private:
  Entry entry_ = nullptr;
  uint64_t scratchBytes_ = 0;
};

/// Memory of `count` elements that ends where an unreadable page begins, and begins after one.
template <typename T>
class GuardedBuffer {
public:
  explicit GuardedBuffer(size_t count, T fill = T()) : count_(count) {
    size_t page = 4096, inner = (count * sizeof(T) + page - 1) / page * page;
    size_ = inner + 2 * page;
    base_ =
        static_cast<char *>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (inner)
      (void)!mprotect(base_ + page, inner, PROT_READ | PROT_WRITE);
    data_ = reinterpret_cast<T *>(base_ + page + inner) - count;
    for (size_t i = 0; i < count; ++i)
      data_[i] = fill;
  }
  GuardedBuffer(const GuardedBuffer &) = delete;
  ~GuardedBuffer() { munmap(base_, size_); }
  T *data() { return data_; }
  size_t size() const { return count_; }
  T &operator[](size_t index) { return data_[index]; }
  /// What a kernel's argument array points to.
  const void *argument() const { return &data_; }

private:
  char *base_;
  size_t size_, count_;
  T *data_;
};

} // namespace inlay::testing
