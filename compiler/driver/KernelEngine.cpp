#include "compiler/driver/KernelEngine.h"

#include "base/Error.h"

namespace inlay {

namespace {

std::unique_ptr<fb::ImageT> writeImage(const KernelImage &image,
                                       std::vector<MaybeOwnedBytes> &segments) {
  auto written = std::make_unique<fb::ImageT>();
  written->target = image.target;
  written->format = static_cast<fb::ImageFormat>(image.format);
  written->segment = static_cast<uint32_t>(segments.size());
  segments.push_back(image.bytes);
  written->entry = image.entry;
  written->num_warps = image.numWarps;
  written->shared_bytes = image.sharedBytes;
  written->registers = image.registers;
  written->spill_bytes = image.spillBytes;
  written->ptx_version = image.ptxVersion;
  if (image.block[0] != 0)
    written->block.assign(image.block.begin(), image.block.end());
  if (image.cluster[0] != 0)
    written->cluster.assign(image.cluster.begin(), image.cluster.end());
  written->blocks_per_program = image.blocksPerProgram;
  written->is_cooperative = image.isCooperative;
  written->is_programmatic = image.isProgrammatic;
  written->scratch_bytes = image.scratchBytes;
  return written;
}

} // namespace

std::unique_ptr<fb::KernelT> writeKernel(const CompiledKernel &kernel, const std::string &source,
                                         std::vector<MaybeOwnedBytes> &segments) {
  auto written = std::make_unique<fb::KernelT>();
  written->name = kernel.name;
  written->source = source;
  for (const KernelParameter &declared : kernel.parameters) {
    auto parameter = std::make_unique<fb::ParameterT>();
    parameter->name = declared.name;
    parameter->kind = declared.isPointer ? fb::ParameterKind::Pointer : fb::ParameterKind::Scalar;
    parameter->dtype = static_cast<uint8_t>(declared.dtype);
    written->parameters.push_back(std::move(parameter));
  }
  for (const KernelImage &image : kernel.images)
    written->images.push_back(writeImage(image, segments));
  return written;
}

Result<std::vector<std::byte>> compileKernelEngine(mlir::ModuleOp module, const Target &target) {
  CompiledKernel compiled;
  INLAY_ASSIGN(compiled.parameters, kernelParameters(module));
  INLAY_ASSIGN(compiled.images, target.compile(module, {}));
  if (compiled.images.empty())
    return internalError("target {} made no image", target.name());
  compiled.name = compiled.images.front().entry;
  fb::EngineT engine;
  engine.producer = INLAY_PRODUCER;
  engine.name = compiled.name;
  std::vector<MaybeOwnedBytes> segments;
  engine.kernels.push_back(writeKernel(compiled, compiled.name, segments));
  INLAY_ASSIGN(const EnginePieces files, layOutEngine(std::move(engine), std::move(segments), ""));
  return files.engine.toBytes();
}

} // namespace inlay
