#include "compiler/driver/PrebuiltImages.h"

#include "base/Error.h"
#include "compiler/conversions/tile-to-cpu/LibraryCalls.h"
#include "compiler/prebuilt/KernelInterface.h"
#include "compiler/prebuilt/X86Code.h"
#include "compiler/targets/cpu/CodeGeneration.h"
#include "compiler/targets/cuda/CudaSource.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include <algorithm>

namespace inlay {

namespace {

constexpr uint32_t kThreadsPerWarp = 32;
constexpr uint32_t kMaxWarps = 32;
constexpr std::string_view kCuda = "cuda:";
/// What code for "cpu" is: it runs on every processor that Inlay builds for.
constexpr std::string_view kCpuBaseline = "cpu:x86-64-v2";

/// One of a kernel's images.
class Image {
public:
  explicit Image(mlir::Attribute attribute)
      : fields_(mlir::cast<mlir::DictionaryAttr>(attribute)) {}

  std::string_view text(llvm::StringRef name) const {
    auto value = fields_.getAs<mlir::StringAttr>(name);
    return value ? std::string_view(value.getValue()) : std::string_view();
  }
  uint32_t number(llvm::StringRef name) const {
    auto value = fields_.getAs<mlir::IntegerAttr>(name);
    return value ? static_cast<uint32_t>(value.getInt()) : 0;
  }
  std::array<uint32_t, 3> extents(llvm::StringRef name) const {
    std::array<uint32_t, 3> result{};
    auto values = fields_.getAs<mlir::DenseI32ArrayAttr>(name);
    for (size_t i = 0; values && i < 3 && i < static_cast<size_t>(values.size()); ++i)
      result[i] = static_cast<uint32_t>(values[static_cast<int64_t>(i)]);
    return result;
  }
  bool flag(llvm::StringRef name) const { return fields_.contains(name); }
  std::vector<std::byte> code() const {
    std::vector<std::byte> bytes;
    for (int8_t byte : fields_.getAs<mlir::DenseIntElementsAttr>("code").getValues<int8_t>())
      bytes.push_back(static_cast<std::byte>(byte));
    return bytes;
  }
  std::string file() const {
    return std::string(text("file").empty() ? text("entry") : text("file"));
  }
  bool isCubin() const { return text("format") == "cubin"; }
  bool isGpuCode() const { return isCubin() || text("format") == "ptx"; }

private:
  mlir::DictionaryAttr fields_;
};

/// How well an image fits a target: 3 given for it, 2 for its family, 1 for another whose code runs
/// on it; 0 not at all.
int fitOf(const Image &image, std::string_view target) {
  const std::string_view family = target.substr(0, target.find(':'));
  const std::string_view given = image.text("target");
  if (given.substr(0, given.find(':')) != family)
    return 0;
  if (image.isGpuCode() &&
      !runsOn(image.text("architecture"), image.isCubin(), target.substr(kCuda.size())))
    return 0;
  if (given == target)
    return 3;
  if (given == family)
    return 2;
  return image.isGpuCode() ? 1 : 0;
}

/// "sm_90a" after "sm_90" after "sm_80".
bool isOlder(const Image &a, const Image &b) {
  const std::string_view x = a.text("architecture"), y = b.text("architecture");
  return x.size() != y.size() && std::isdigit(static_cast<unsigned char>(x.back())) &&
                 std::isdigit(static_cast<unsigned char>(y.back()))
             ? x.size() < y.size()
             : x < y;
}

/// Makes the images of one kernel for one target.
class ImageMaker {
public:
  ImageMaker(plan::ProgramOp program, plan::KernelOp kernel, std::string_view target)
      : program_(program), kernel_(kernel), target_(target) {}

  Result<std::optional<std::vector<KernelImage>>> make() {
    std::vector<Image> fitting;
    int best = 1;
    for (mlir::Attribute attribute : images()) {
      const Image image(attribute);
      const int fit = fitOf(image, target_);
      if (fit < best)
        continue;
      if (fit > best)
        fitting.clear();
      best = fit;
      fitting.push_back(image);
    }
    for (std::string_view format : {"ptx", "cubin", "cu", "o", "so", "library"}) {
      const Image *chosen = nullptr;
      for (const Image &image : fitting)
        if (image.text("format") == format && (!chosen || isOlder(*chosen, image)))
          chosen = &image;
      // CUDA C++ stands in where there is no code.
      if (chosen && (format != "cu" || images_.empty()))
        INLAY_TRY(add(*chosen), "taking kernel '" + chosen->file() + "'");
    }
    if (images_.empty())
      return std::optional<std::vector<KernelImage>>();
    return std::optional(std::move(images_));
  }

private:
  mlir::ArrayRef<mlir::Attribute> images() { return kernel_.getImagesAttr().getValue(); }

  Status add(const Image &image) {
    const std::string_view format = image.text("format");
    if (format == "cu")
      return addCudaSource(image);
    if (format == "library") {
      KernelImage &made = images_.emplace_back();
      made.target = image.text("target");
      made.format = ImageFormat::LibraryFunction;
      made.entry = image.text("entry");
      return {};
    }
    if (!image.isGpuCode())
      return addX86(image);
    KernelImage made = gpuImage(image);
    made.target = std::string(kCuda) + std::string(image.text("architecture"));
    made.format = image.isCubin() ? ImageFormat::Cubin : ImageFormat::Ptx;
    made.bytes = image.code();
    made.registers = image.number("registers");
    made.ptxVersion = image.number("ptx_version");
    images_.push_back(std::move(made));
    return format == "ptx" && !hasCubin() ? assemble() : Status();
  }

  /// True if one of the kernel's own cubins serves the target as well.
  bool hasCubin() {
    return llvm::any_of(images(), [&](mlir::Attribute attribute) {
      const Image image(attribute);
      return image.isCubin() && fitOf(image, target_) != 0;
    });
  }

  static KernelImage gpuImage(const Image &image) {
    KernelImage made;
    made.entry = image.text("entry");
    made.block = image.extents("block");
    made.cluster = image.extents("cluster");
    made.numWarps = std::clamp(image.number("num_warps"), 1u, kMaxWarps);
    made.sharedBytes = image.number("shared");
    made.blocksPerProgram = std::max(1u, image.number("blocks_per_program"));
    made.isCooperative = image.flag("cooperative");
    made.isProgrammatic = image.flag("programmatic");
    return made;
  }

  /// Adds a cubin of the last image, which is PTX, where ptxas is installed.
  Status assemble() {
    INLAY_ASSIGN(std::optional<std::string> ptxas, findPtxas());
    if (!ptxas)
      return {};
    KernelImage &ptx = images_.back();
    const std::string_view text(reinterpret_cast<const char *>(ptx.bytes.data()), ptx.bytes.size());
    INLAY_ASSIGN(std::optional<AssembledPtx> assembled,
                 assemblePtx(*ptxas, text, target_.substr(kCuda.size())));
    if (!assembled)
      return {};
    ptx.registers = assembled->registers;
    ptx.spillBytes = assembled->spillBytes;
    KernelImage cubin = ptx;
    cubin.target = target_;
    cubin.format = ImageFormat::Cubin;
    cubin.bytes = std::move(assembled->cubin);
    images_.push_back(std::move(cubin));
    return {};
  }

  Status addCudaSource(const Image &image) {
    const std::vector<std::byte> code = image.code();
    INLAY_ASSIGN(CudaProgram compiled,
                 compileCudaSource({reinterpret_cast<const char *>(code.data()), code.size()},
                                   image.file(), std::string(image.text("entry")),
                                   target_.substr(kCuda.size())));
    INLAY_ASSIGN(const GpuCode read, readPtx(compiled.ptx));
    INLAY_ASSIGN(const KernelInterface *found, read.lookup(compiled.entry));
    INLAY_TRY(compare(*found));
    KernelImage made = gpuImage(image);
    made.target = target_;
    made.format = ImageFormat::Ptx;
    made.entry = compiled.entry;
    made.ptxVersion = read.ptxVersion;
    const auto *begin = reinterpret_cast<const std::byte *>(compiled.ptx.data());
    made.bytes.assign(begin, begin + compiled.ptx.size());
    INLAY_TRY(takeBlock(*found, made));
    images_.push_back(std::move(made));
    return assemble();
  }

  /// Compares what NVRTC made with the launch.
  Status compare(const KernelInterface &found) {
    INLAY_ASSIGN(const std::vector<KernelParameter> parameters,
                 kernelParameters(kernel_.getModule()));
    // Behind the launch's arguments may stand scratch pointers of other images.
    const size_t count =
        kernel_.getSignature() ? kernel_.getSignature()->size() : parameters.size();
    std::vector<PassedArgument> passed;
    for (size_t i = 0; i < count && i < parameters.size(); ++i)
      passed.push_back({parameters[i].dtype, parameters[i].isPointer, parameters[i].name});
    return compareParameters(found, passed, 0).status();
  }

  /// What the code requires of blocks and clusters has to be what the launch says.
  Status takeBlock(const KernelInterface &found, KernelImage &made) {
    INLAY_TRY(takeExtents(found.entry, "block", "threads", found.requiredBlock, made.block));
    INLAY_TRY(takeExtents(found.entry, "cluster", "blocks", found.requiredCluster, made.cluster));
    if (made.block[0] == 0) {
      for (auto launch : program_.getBody().getOps<plan::LaunchOp>())
        if (launch.getKernel() == kernel_.getSymName() && !launch.getBlock())
          return invalidArgument("the code of kernel '{}' does not say how many threads a block "
                                 "has; give 'block' in the launch",
                                 found.entry);
      return {};
    }
    const uint32_t threads = made.block[0] * made.block[1] * made.block[2];
    if (found.maxThreads != 0 && threads > found.maxThreads)
      return invalidArgument("kernel '{}' allows at most {} threads in a block "
                             "(__launch_bounds__), but the launch has {}",
                             found.entry, found.maxThreads, threads);
    made.numWarps = std::clamp((threads + kThreadsPerWarp - 1) / kThreadsPerWarp, 1u, kMaxWarps);
    return {};
  }

  static Status takeExtents(const std::string &entry, std::string_view what, std::string_view of,
                            const Extents &required, std::array<uint32_t, 3> &given) {
    if (required[0] == 0)
      return {};
    if (given[0] != 0 && given != required)
      return invalidArgument("kernel '{}' has a {} of {} {}, but the launch gives {}", entry, what,
                             fmt::join(required, " x "), of, fmt::join(given, " x "));
    given = required;
    return {};
  }

  Status addX86(const Image &image) {
    KernelImage made;
    made.target = image.text("target") == "cpu" ? kCpuBaseline : image.text("target");
    made.format = ImageFormat::X86SharedObject;
    made.entry = image.text("entry");
    made.bytes = image.code();
    if (image.text("format") == "o") {
      const std::string_view object(reinterpret_cast<const char *>(made.bytes.data()),
                                    made.bytes.size());
      INLAY_ASSIGN(const X86Code code, X86Code::read(object));
      for (const std::string &name : code.undefined)
        if (name != "_GLOBAL_OFFSET_TABLE_" &&
            !llvm::is_contained(tile_to_cpu::kLibraryFunctionNames, llvm::StringRef(name)))
          return invalidArgument("the object needs '{}' from elsewhere; link it into a shared "
                                 "object (cc -shared {} -o KERNEL.so) and name that",
                                 name, image.file());
      INLAY_ASSIGN(made.bytes, linkSharedObject({object.data(), object.size()}));
    }
    images_.push_back(std::move(made));
    return {};
  }

  plan::ProgramOp program_;
  plan::KernelOp kernel_;
  std::string target_;
  std::vector<KernelImage> images_;
};

} // namespace

Result<std::optional<std::vector<KernelImage>>>
prebuiltImages(plan::ProgramOp program, plan::KernelOp kernel, const std::string &target) {
  if (!kernel.getImages())
    return std::optional<std::vector<KernelImage>>();
  return ImageMaker(program, kernel, target).make();
}

std::string_view libraryFamily(plan::KernelOp kernel) {
  if (kernel.getImages())
    for (mlir::Attribute attribute : kernel.getImagesAttr().getValue())
      if (const Image image(attribute); image.text("format") == "library")
        return image.text("target");
  return {};
}

std::string describePrebuilt(plan::KernelOp kernel) {
  std::string text;
  if (!kernel.getImages())
    return "none";
  for (mlir::Attribute attribute : kernel.getImagesAttr().getValue()) {
    const Image image(attribute);
    text +=
        fmt::format("{}{} for {}", text.empty() ? "" : ", ", image.file(),
                    image.isGpuCode() && image.text("target").find(':') == std::string_view::npos
                        ? image.text("architecture")
                        : image.text("target"));
  }
  return text.empty() ? "none" : text;
}

} // namespace inlay
