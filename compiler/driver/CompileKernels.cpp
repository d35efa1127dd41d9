#include "compiler/driver/CompileKernels.h"

#include "base/Error.h"
#include "compiler/driver/Context.h"
#include "compiler/driver/KernelCache.h"
#include "compiler/driver/PrebuiltImages.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>

namespace inlay {

Result<std::vector<std::unique_ptr<Target>>>
createBuildTargets(const std::vector<std::string> &names) {
  if (names.empty())
    return invalidArgument(
        "no target to build for; give at least one, for example cpu or cuda:sm_90a");
  std::vector<std::unique_ptr<Target>> targets;
  std::set<std::string> known;
  for (const std::string &name : names) {
    INLAY_ASSIGN(std::vector<std::unique_ptr<Target>> made, createTargets(name));
    for (std::unique_ptr<Target> &target : made)
      if (known.insert(target->name()).second)
        targets.push_back(std::move(target));
  }
  return targets;
}

std::vector<std::string> pluginsOfKernel(plan::ProgramOp program, llvm::StringRef kernel) {
  std::set<std::string> plugins;
  for (auto launch : program.getBody().getOps<plan::LaunchOp>())
    if (launch.getKernel() == kernel && launch.getPlugin())
      plugins.insert(launch.getPlugin()->str());
  return {plugins.begin(), plugins.end()};
}

namespace {

/// Compiles one kernel for one target and hands its stages to the dump, for which nothing is taken
/// from the cache.
Result<std::vector<KernelImage>> compileForTarget(plan::KernelOp kernel, const Target &target,
                                                  const StageDump &dump,
                                                  const std::optional<KernelCache> &cache) {
  if (cache && !dump)
    if (std::optional<std::vector<KernelImage>> images = cache->find(kernel.getModule(), target))
      return std::move(*images);
  std::string name = kernel.getSymName().str();
  Status dumped;
  KernelCompileOptions options;
  if (dump)
    options.stageSink = [&](std::string_view stageName, std::string_view bytes) {
      std::optional<Stage> stage = findStage(stageName);
      // The tile module is the same for all targets; it has been dumped already.
      if (stage && *stage != Stage::Tile && dumped.isOk())
        dumped = dump(StageText{*stage, name, target.name(), bytes});
    };
  INLAY_ASSIGN(std::vector<KernelImage> images, target.compile(kernel.getModule(), options));
  INLAY_TRY(std::move(dumped));
  if (images.empty())
    return internalError("the target made no image");
  if (cache)
    cache->store(kernel.getModule(), target, images);
  return images;
}

/// Clusters came with sm_90; on a CPU they mean nothing.
Status checkCluster(plan::KernelOp kernel, const Target &target) {
  constexpr std::string_view kPrefix = "cuda:sm_";
  constexpr int kFirstWithClusters = 90;
  if (!kernel.getCluster() || !target.name().starts_with(kPrefix))
    return {};
  const int architecture = std::atoi(target.name().c_str() + kPrefix.size());
  if (architecture >= kFirstWithClusters)
    return {};
  return invalidArgument("the launch asks for clusters, which GPUs have from sm_{} on; build for "
                         "these, or give an image for {}",
                         kFirstWithClusters, target.name());
}

/// The images that others compiled, or the kernel compiled from its source.
Result<std::vector<KernelImage>> imagesForTarget(plan::ProgramOp program, plan::KernelOp kernel,
                                                 const Target &target, const StageDump &dump,
                                                 const std::optional<KernelCache> &cache) {
  INLAY_ASSIGN(std::optional<std::vector<KernelImage>> prebuilt,
               prebuiltImages(program, kernel, target.name()));
  if (prebuilt)
    return std::move(*prebuilt);
  if (!libraryFamily(kernel).empty())
    return std::vector<KernelImage>(); // there are other tactics for this target
  if (kernel.getExternal())
    return invalidArgument("there is no image for this target; the launch has: {}; name one for it "
                           "in 'images', or build for fewer targets",
                           describePrebuilt(kernel));
  INLAY_TRY(checkCluster(kernel, target));
  INLAY_ASSIGN(std::vector<KernelImage> images, compileForTarget(kernel, target, dump, cache));
  for (KernelImage &image : images) {
    const bool isGpu = image.format != ImageFormat::X86SharedObject;
    if (isGpu && kernel.getCluster())
      std::ranges::copy(*kernel.getCluster(), image.cluster.begin());
    image.isCooperative = isGpu && kernel.getCooperative();
    image.isProgrammatic = isGpu && kernel.getProgrammatic();
  }
  return images;
}

bool hasImage(const CompiledKernel &kernel, const KernelImage &image) {
  return std::ranges::any_of(kernel.images, [&](const KernelImage &other) {
    return other.target == image.target && other.format == image.format &&
           other.entry == image.entry && other.bytes == image.bytes;
  });
}

std::string context(plan::ProgramOp program, plan::KernelOp kernel, const Target &target) {
  std::string plugins;
  for (const std::string &plugin : pluginsOfKernel(program, kernel.getSymName()))
    plugins += (plugins.empty() ? "" : ", ") + plugin;
  return fmt::format("compiling kernel {}{}{} for {}", kernel.getSource().str(),
                     plugins.empty() ? "" : " of ", plugins, target.name());
}

Result<CompiledKernel> compileKernel(plan::ProgramOp program, plan::KernelOp kernel,
                                     const std::vector<std::unique_ptr<Target>> &targets,
                                     const BuildOptions &options, BuildProgress &progress,
                                     const std::optional<KernelCache> &cache) {
  CompiledKernel compiled;
  compiled.name = kernel.getSymName();
  INLAY_ASSIGN(compiled.parameters, kernelParameters(kernel.getModule()));
  if (options.dump)
    INLAY_TRY(options.dump(
        StageText{Stage::Tile, compiled.name, "", printOperation(kernel.getModule())}));
  for (const std::unique_ptr<Target> &target : targets) {
    progress.item = fmt::format("{} for {}", compiled.name, target->name());
    if (options.progress)
      options.progress(progress);
    INLAY_TRY(checkCancelled(options.isCancelled), context(program, kernel, *target));
    auto start = std::chrono::steady_clock::now();
    INLAY_ASSIGN(std::vector<KernelImage> images,
                 imagesForTarget(program, kernel, *target, options.dump, cache),
                 context(program, kernel, *target));
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    for (KernelImage &image : images) {
      if (hasImage(compiled, image))
        continue; // one image may serve several targets
      compiled.images.push_back(std::move(image));
      compiled.imageMs.push_back(elapsed.count());
    }
    ++progress.done;
  }
  return compiled;
}

} // namespace

Result<std::vector<CompiledKernel>>
compileKernels(plan::ProgramOp program, const std::vector<std::unique_ptr<Target>> &targets,
               const BuildOptions &options) {
  llvm::SmallVector<plan::KernelOp> kernels(program.getBody().getOps<plan::KernelOp>());
  BuildProgress progress;
  progress.phase = "compile";
  progress.total = static_cast<uint32_t>(kernels.size() * targets.size());
  INLAY_ASSIGN(std::optional<KernelCache> cache, KernelCache::fromEnvironment());
  std::vector<CompiledKernel> compiled;
  for (plan::KernelOp kernel : kernels) {
    INLAY_ASSIGN(CompiledKernel one,
                 compileKernel(program, kernel, targets, options, progress, cache));
    compiled.push_back(std::move(one));
  }
  return compiled;
}

} // namespace inlay
