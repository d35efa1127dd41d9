#include "compiler/conversions/graph-to-plan/PrebuiltKernels.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/prebuilt/KernelInterface.h"
#include "compiler/prebuilt/TritonMetadata.h"
#include "compiler/prebuilt/X86Code.h"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace inlay {

namespace {

constexpr uint32_t kThreadsPerWarp = 32;
constexpr uint32_t kMaxThreads = 1024;

/// Shared libraries that every process with the runtime may load.
constexpr std::string_view kCommonLibraries[] = {
    "libc.so.6",       "libm.so.6",  "libstdc++.so.6",      "libgcc_s.so.1",
    "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2"};

std::string fileName(const std::string &path) { return path.substr(path.rfind('/') + 1); }

std::string extentsText(const Extents &extents) {
  return fmt::format("{} x {} x {}", extents[0], extents[1], extents[2]);
}

std::vector<PassedArgument> passedArguments(const PluginNode &node, const PluginLaunch &launch) {
  std::vector<PassedArgument> passed;
  for (const LaunchArgument &argument : launch.arguments) {
    PassedArgument one{argument.dtype, false, argument.text};
    switch (argument.kind) {
    case LaunchArgument::Kind::Input:
      one = {node.inputs[argument.index].dtype, true, argument.text};
      break;
    case LaunchArgument::Kind::Output:
      one = {node.outputs[argument.index].dtype, true, argument.text};
      break;
    case LaunchArgument::Kind::Workspace:
    case LaunchArgument::Kind::Size:
      one.isPointer = true;
      break;
    case LaunchArgument::Kind::Integer:
    case LaunchArgument::Kind::Float:
      break;
    }
    passed.push_back(std::move(one));
  }
  return passed;
}

/// Extents that are known now; nullopt if the launch has no block, or one that depends on sizes.
std::optional<Extents> constantBlock(const PluginLaunch &launch) {
  Extents block{};
  for (size_t axis = 0; axis < 3; ++axis) {
    std::optional<int64_t> extent =
        launch.block ? (*launch.block)[axis].constantValue() : std::nullopt;
    if (!extent || *extent < 1 || *extent > kMaxThreads)
      return std::nullopt;
    block[axis] = static_cast<uint32_t>(*extent);
  }
  return block;
}

/// Reads the files of one launch.
class FileReader {
public:
  FileReader(mlir::Builder &builder, const PluginNode &node, const PluginLaunch &launch)
      : builder_(builder), launch_(launch), passed_(passedArguments(node, launch)) {}

  Result<PrebuiltKernel> read() {
    for (const KernelFile &file : launch_.files)
      INLAY_TRY(readFileOf(file), "reading kernel '" + fileName(file.path) + "'");
    PrebuiltKernel result;
    result.images = builder_.getArrayAttr(images_);
    result.scratchBytes = std::move(scratchBytes_);
    return result;
  }

private:
  Status readFileOf(const KernelFile &file) {
    const std::filesystem::path path(file.path);
    const std::string extension = path.extension().string();
    if (extension == ".json")
      return readBesideMetadata(file);
    INLAY_ASSIGN(const std::string bytes, readFile(file.path));
    if (extension == ".ptx" || extension == ".cubin")
      return addGpuCode(file, bytes, extension == ".cubin");
    if (extension == ".cu")
      return addCudaSource(file, bytes);
    return addX86Code(file, bytes);
  }

  /// "k.json" stands for the k.cubin and the k.ptx beside it.
  Status readBesideMetadata(const KernelFile &file) {
    bool isFound = false;
    for (const char *extension : {".cubin", ".ptx"}) {
      KernelFile code = file;
      code.path = std::filesystem::path(file.path).replace_extension(extension).string();
      if (!std::filesystem::exists(code.path))
        continue;
      isFound = true;
      INLAY_TRY(readFileOf(code));
    }
    return isFound ? Status() : notFound("there is no .cubin and no .ptx beside '{}'", file.path);
  }

  /// What Triton wrote beside the code, if it is there.
  static Result<std::optional<TritonMetadata>> readMetadata(const KernelFile &file) {
    const std::string path = std::filesystem::path(file.path).replace_extension(".json").string();
    if (!std::filesystem::exists(path))
      return std::optional<TritonMetadata>();
    INLAY_ASSIGN(const std::string text, inlay::readFile(path));
    INLAY_ASSIGN(TritonMetadata metadata, readTritonMetadata(text),
                 "reading '" + fileName(path) + "', Triton's description of the kernel");
    return std::optional(std::move(metadata));
  }

  // -- GPU code

  Status addGpuCode(const KernelFile &file, const std::string &bytes, bool isCubin) {
    INLAY_ASSIGN(const GpuCode code, isCubin ? readCubin(bytes) : readPtx(bytes));
    INLAY_ASSIGN(const std::optional<TritonMetadata> metadata, readMetadata(file));
    const std::string entry = file.entry.empty() && metadata ? metadata->name : file.entry;
    INLAY_ASSIGN(const KernelInterface *kernel, code.lookup(entry));
    INLAY_TRY(checkTarget(file, code, isCubin));
    // Triton's kernels take pointers to scratch memory after their arguments, how many depends on
    // its version.
    constexpr uint32_t kMaxScratch = 2;
    Result<uint32_t> numScratch = compareParameters(*kernel, passed_, metadata ? kMaxScratch : 0);
    if (!numScratch.isOk()) {
      const bool isMore = kernel->parameters.size() > passed_.size() && !metadata;
      return std::move(numScratch)
          .status()
          .withContext(
              isMore ? "the file has no .json beside it; if Triton made it, put the .json that it "
                       "wrote there"
                     : "comparing the launch's arguments with the code");
    }
    start(isCubin ? "cubin" : "ptx", file, kernel->entry, bytes);
    add("target", builder_.getStringAttr(file.target.empty() ? "cuda" : file.target));
    add("architecture", builder_.getStringAttr(code.architecture));
    addNumber("ptx_version", code.ptxVersion);
    addNumber("registers", kernel->registers);
    INLAY_TRY(addBlock(*kernel, metadata));
    INLAY_TRY(addCluster(*kernel, metadata));
    INLAY_TRY(addShared(metadata));
    if (metadata)
      INLAY_TRY(addScratch(*metadata, *numScratch));
    if (launch_.isCooperative || (metadata && metadata->isCooperative))
      add("cooperative", builder_.getUnitAttr());
    if (launch_.isProgrammatic || (metadata && metadata->isProgrammatic))
      add("programmatic", builder_.getUnitAttr());
    finishImage();
    return {};
  }

  static Status checkTarget(const KernelFile &file, const GpuCode &code, bool isCubin) {
    constexpr std::string_view kCuda = "cuda:";
    if (!file.target.starts_with(kCuda))
      return {};
    const std::string_view wanted = std::string_view(file.target).substr(kCuda.size());
    if (runsOn(code.architecture, isCubin, wanted))
      return {};
    return invalidArgument("it is {} for {}, which does not run on {}, the target it is given for",
                           isCubin ? "a cubin" : "PTX", code.architecture, wanted);
  }

  Status addBlock(const KernelInterface &kernel, const std::optional<TritonMetadata> &metadata) {
    const std::optional<Extents> given = constantBlock(launch_);
    std::optional<Extents> found;
    if (metadata)
      found = Extents{metadata->numWarps * kThreadsPerWarp, 1, 1};
    if (kernel.requiredBlock[0] != 0) {
      const uint32_t threads =
          kernel.requiredBlock[0] * kernel.requiredBlock[1] * kernel.requiredBlock[2];
      if (metadata && (*found)[0] != threads)
        return invalidArgument("kernel '{}' requires blocks of {} threads, but its .json says {} "
                               "warps of {} threads",
                               kernel.entry, extentsText(kernel.requiredBlock), metadata->numWarps,
                               kThreadsPerWarp);
      found = kernel.requiredBlock;
    }
    if (found && given && *found != *given)
      return invalidArgument("kernel '{}' runs in blocks of {} threads, but the launch gives {}",
                             kernel.entry, extentsText(*found), extentsText(*given));
    if (found && launch_.block && !given)
      return invalidArgument("kernel '{}' runs in blocks of {} threads, but the launch's block "
                             "depends on sizes; leave 'block' out",
                             kernel.entry, extentsText(*found));
    if (!found && !launch_.block)
      return invalidArgument("the code of kernel '{}' does not say how many threads a block has; "
                             "give 'block', or compile it with .reqntid",
                             kernel.entry);
    const Extents block = found ? *found : given.value_or(Extents{});
    const uint64_t threads = uint64_t{block[0]} * block[1] * block[2];
    if (threads > kMaxThreads || (kernel.maxThreads != 0 && threads > kernel.maxThreads))
      return invalidArgument("kernel '{}' allows at most {} threads in a block (.maxntid), but the "
                             "launch has {}",
                             kernel.entry, kernel.maxThreads ? kernel.maxThreads : kMaxThreads,
                             threads);
    if (threads == 0) // known at the run only
      return {};
    addNumber("num_warps",
              static_cast<uint32_t>((threads + kThreadsPerWarp - 1) / kThreadsPerWarp));
    addExtents("block", block);
    return {};
  }

  Status addCluster(const KernelInterface &kernel, const std::optional<TritonMetadata> &metadata) {
    Extents cluster = kernel.requiredCluster;
    if (metadata && metadata->numBlocksPerCluster > 1) {
      // A program is then a cluster of blocks along x.
      cluster = {metadata->numBlocksPerCluster, 1, 1};
      addNumber("blocks_per_program", metadata->numBlocksPerCluster);
    }
    if (launch_.cluster[0] != 0 && cluster[0] != 0 && launch_.cluster != cluster)
      return invalidArgument("kernel '{}' runs in clusters of {} blocks, but the launch gives {}",
                             kernel.entry, extentsText(cluster), extentsText(launch_.cluster));
    if (launch_.cluster[0] != 0)
      cluster = launch_.cluster;
    if (cluster[0] != 0)
      addExtents("cluster", cluster);
    return {};
  }

  Status addShared(const std::optional<TritonMetadata> &metadata) {
    if (!metadata)
      return {};
    if (launch_.sharedBytes)
      return invalidArgument("the launch gives 'shared_bytes', but the .json beside the code says "
                             "{}; leave it out",
                             metadata->sharedBytes);
    addNumber("shared", metadata->sharedBytes);
    return {};
  }

  /// The first pointer is to the global scratch memory, the second to that of the profiler.
  Status addScratch(const TritonMetadata &metadata, uint32_t numScratch) {
    const uint64_t bytes[] = {metadata.globalScratchBytes, metadata.profileScratchBytes};
    const uint64_t alignments[] = {metadata.globalScratchAlignment,
                                   metadata.profileScratchAlignment};
    for (uint32_t i = 0; i < 2; ++i) {
      if (i >= numScratch && bytes[i] != 0)
        return invalidArgument("its .json asks for {} bytes of {} scratch memory, but the code has "
                               "no parameter for it",
                               bytes[i], i == 0 ? "global" : "profile");
      if (i >= numScratch)
        continue;
      const uint64_t size = (bytes[i] + alignments[i] - 1) / alignments[i] * alignments[i] *
                            metadata.numBlocksPerCluster;
      if (scratchBytes_.size() <= i)
        scratchBytes_.push_back(0);
      scratchBytes_[i] = std::max(scratchBytes_[i], size);
    }
    return {};
  }

  /// Compiled later, for each target: nothing but the text is known.
  Status addCudaSource(const KernelFile &file, const std::string &text) {
    start("cu", file, file.entry, text);
    add("target", builder_.getStringAttr(file.target.empty() ? "cuda" : file.target));
    if (launch_.cluster[0] != 0)
      addExtents("cluster", launch_.cluster);
    if (std::optional<Extents> block = constantBlock(launch_))
      addExtents("block", *block);
    if (launch_.isCooperative)
      add("cooperative", builder_.getUnitAttr());
    if (launch_.isProgrammatic)
      add("programmatic", builder_.getUnitAttr());
    finishImage();
    return {};
  }

  // -- code for the CPU

  Status addX86Code(const KernelFile &file, const std::string &bytes) {
    INLAY_ASSIGN(const X86Code code, X86Code::read(bytes));
    std::string names;
    for (const std::string &name : code.functions)
      names += (names.empty() ? "" : ", ") + name;
    std::string entry = file.entry;
    for (const std::string &name : code.functions)
      if (file.entry.empty() && code.findSignature(name)) {
        if (!entry.empty())
          return invalidArgument("it holds several kernels ({}); name one: \"{}:KERNEL\"", names,
                                 fileName(file.path));
        entry = name;
      }
    if (entry.empty())
      return notFound("it holds no kernel: no function defined with INLAY_CPU_KERNEL "
                      "(inlay/cpu_kernel.h)");
    if (std::ranges::find(code.functions, entry) == code.functions.end())
      return notFound("it exports no function '{}'; it has {}", entry,
                      names.empty() ? "none" : names);
    INLAY_TRY(compareSignature(code, entry));
    for (const std::string &library : code.needed)
      if (std::ranges::find(kCommonLibraries, library) == std::end(kCommonLibraries))
        return invalidArgument("it needs the shared library '{}', which an engine cannot bring; "
                               "link it statically",
                               library);
    start(code.isRelocatable ? "o" : "so", file, entry, bytes);
    add("target", builder_.getStringAttr(file.target.empty() ? "cpu" : file.target));
    finishImage();
    return {};
  }

  Status compareSignature(const X86Code &code, const std::string &entry) const {
    std::optional<std::string> declared = code.findSignature(entry);
    if (!declared)
      return invalidArgument("function '{}' does not say what its arguments are; define it with "
                             "INLAY_CPU_KERNEL (inlay/cpu_kernel.h)",
                             entry);
    llvm::SmallVector<llvm::StringRef> parameters;
    if (!llvm::StringRef(*declared).trim().empty())
      llvm::StringRef(*declared).split(parameters, ',');
    std::string passedText;
    for (const PassedArgument &argument : passed_)
      passedText += fmt::format("{}'{}' ({})", passedText.empty() ? "" : ", ", argument.text,
                                tritonType(argument));
    if (parameters.size() != passed_.size())
      return invalidArgument("kernel '{}' takes {} arguments ({}), but the launch passes {}: {}",
                             entry, parameters.size(), *declared, passed_.size(), passedText);
    for (size_t i = 0; i < passed_.size(); ++i) {
      const std::string_view parameter(parameters[i].trim());
      if (!isSameType(parameter, passed_[i]))
        return invalidArgument("parameter {} of kernel '{}' is {}, but argument '{}' is {}; the "
                               "kernel takes ({}), the launch passes {}",
                               i, entry, parameter, passed_[i].text, tritonType(passed_[i]),
                               *declared, passedText);
    }
    return {};
  }

  static std::string tritonType(const PassedArgument &argument) {
    return (argument.isPointer ? "*" : "") + std::string(dataTypeTritonName(argument.dtype));
  }
  static bool isSameType(std::string_view declared, const PassedArgument &argument) {
    const bool isPointer = declared.starts_with("*");
    return isPointer == argument.isPointer &&
           findDataType(declared.substr(isPointer ? 1 : 0)) == argument.dtype;
  }

  // -- images

  void start(llvm::StringRef format, const KernelFile &file, const std::string &entry,
             const std::string &bytes) {
    fields_.clear();
    add("format", builder_.getStringAttr(format));
    add("file", builder_.getStringAttr(fileName(file.path)));
    add("entry", builder_.getStringAttr(entry));
    auto type =
        mlir::RankedTensorType::get({static_cast<int64_t>(bytes.size())}, builder_.getI8Type());
    add("code",
        mlir::DenseElementsAttr::get(
            type, llvm::ArrayRef(reinterpret_cast<const int8_t *>(bytes.data()), bytes.size())));
  }
  void add(llvm::StringRef name, mlir::Attribute value) {
    fields_.push_back(builder_.getNamedAttr(name, value));
  }
  void addNumber(llvm::StringRef name, uint32_t value) {
    if (value != 0)
      add(name, builder_.getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  void addExtents(llvm::StringRef name, const Extents &extents) {
    add(name, builder_.getDenseI32ArrayAttr({static_cast<int32_t>(extents[0]),
                                             static_cast<int32_t>(extents[1]),
                                             static_cast<int32_t>(extents[2])}));
  }
  void finishImage() { images_.push_back(builder_.getDictionaryAttr(fields_)); }

  mlir::Builder &builder_;
  const PluginLaunch &launch_;
  std::vector<PassedArgument> passed_;
  llvm::SmallVector<mlir::NamedAttribute> fields_; // of the image being read
  llvm::SmallVector<mlir::Attribute> images_;
  std::vector<uint64_t> scratchBytes_;
};

} // namespace

Result<PrebuiltKernel> readPrebuiltKernel(mlir::Builder &builder, const PluginNode &node,
                                          const PluginLaunch &launch) {
  return FileReader(builder, node, launch).read();
}

} // namespace inlay
