// The semantic verifier: what must hold of an engine's metadata beyond its being a valid
// FlatBuffer.
#include "base/CheckedMath.h"
#include "base/DataType.h"
#include "base/Error.h"
#include "engine/ChoiceVerifier.h"
#include "engine/ComputedSizes.h"
#include "engine/EngineFile.h"
#include "engine/LibraryFunctions.h"
#include "engine/OutputVerifier.h"
#include "engine/WeightVerifier.h"
#include "engine/WeightsFile.h"
#include "symbolic/FloatExpr.h"

#include <limits>
#include <set>

namespace inlay {
namespace {

/// An index that is not given.
constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();
constexpr int64_t kMaxRank = 64;
constexpr uint64_t kMaxThreads = 1024;     // of a block
constexpr uint64_t kMaxClusterBlocks = 16; // of a cluster, of which 8 are portable

class Verifier {
public:
  Verifier(const fb::Engine &engine, uint64_t segmentsOffset, uint64_t fileSizeBytes)
      : engine_(engine), segmentsOffset_(segmentsOffset), fileSizeBytes_(fileSizeBytes) {}

  Status verify() const {
    INLAY_TRY(verifySegments());
    INLAY_TRY(verifyExpressions());
    INLAY_TRY(verifyBuffers());
    INLAY_TRY(verifyTensors(*engine_.inputs(), "input", fb::BufferKind::Input));
    INLAY_TRY(verifyTensors(*engine_.outputs(), "output", fb::BufferKind::Output));
    INLAY_TRY(verifySymbols());
    for (uint32_t i = 0; engine_.profiles() && i < engine_.profiles()->size(); ++i)
      INLAY_TRY(verifyProfile(i));
    INLAY_TRY(verifyKernels());
    INLAY_TRY(verifySteps());
    INLAY_TRY(verifyWeights(engine_));
    INLAY_TRY(verifyChoices(engine_));
    INLAY_TRY(verifyLibraryFunctions(engine_));
    for (uint32_t i = 0; i < engine_.checks()->size(); ++i)
      INLAY_TRY(verifyIndex(engine_.checks()->Get(i)->condition(), engine_.expressions()->size(),
                            "checks", i, "expression"));
    return verifyOutputs(engine_);
  }

private:
  Status verifyIndex(uint64_t index, uint64_t count, std::string_view table, uint64_t row,
                     std::string_view what) const {
    if (index >= count)
      return dataLoss("{}[{}] refers to {} {}; the engine has {}", table, row, what, index, count);
    return {};
  }

  /// Segments inside the engine lie one behind the other, and so do those in its weights file.
  Status verifySegments() const {
    const uint64_t weightsSizeBytes =
        engine_.weights_file() ? engine_.weights_file()->size_bytes() : 0;
    uint64_t ends[2] = {segmentsOffset_, sizeof(WeightsHeader)};
    for (uint32_t i = 0; i < engine_.segments()->size(); ++i) {
      const fb::Segment *segment = engine_.segments()->Get(i);
      const uint64_t sizeBytes = segment->is_external() ? weightsSizeBytes : fileSizeBytes_;
      uint64_t &end = ends[segment->is_external() ? 1 : 0];
      if (segment->offset() % kSegmentAlignmentBytes != 0 || segment->offset() < end ||
          segment->offset() > sizeBytes || segment->size_bytes() > sizeBytes - segment->offset())
        return dataLoss("segments[{}] has {} bytes at offset {}; expected a multiple of {} from {} "
                        "on, inside the {}'s {} bytes",
                        i, segment->size_bytes(), segment->offset(), kSegmentAlignmentBytes, end,
                        segment->is_external() ? "weights file" : "file", sizeBytes);
      end = segment->offset() + segment->size_bytes();
    }
    return {};
  }

  Status verifyExpressions() const {
    // FlatBuffers checks where a vector's length lies, not its elements.
    const auto address = reinterpret_cast<uintptr_t>(engine_.expressions()->Data());
    if (engine_.expressions()->size() > 0 && address % alignof(fb::ExprInstruction) != 0)
      return dataLoss("expressions lie {} bytes behind a multiple of {}; expected 0",
                      address % alignof(fb::ExprInstruction), alignof(fb::ExprInstruction));
    INLAY_TRY(verifyFloatExpressions());
    for (uint32_t i = 0; i < engine_.expressions()->size(); ++i) {
      const fb::ExprInstruction *step = engine_.expressions()->Get(i);
      const int arity = expressionArity(step->kind());
      if (arity < 0)
        return dataLoss("expressions[{}] has unknown kind {}", i, step->kind());
      const uint32_t operands[] = {step->a(), step->b(), step->c()};
      for (int k = 0; k < arity; ++k)
        if (operands[k] >= i)
          return dataLoss("expressions[{}] uses expression {}, which does not come before it", i,
                          operands[k]);
      // Evaluation reads all three whatever the arity.
      for (int k = arity; k < 3; ++k)
        if (operands[k] != 0)
          return dataLoss("expressions[{}] takes {} operands and has a further one, {}", i, arity,
                          operands[k]);
      if (step->kind() == static_cast<uint8_t>(ExprKind::Symbol))
        INLAY_TRY(verifyIndex(static_cast<uint64_t>(step->value()), engine_.symbols()->size(),
                              "expressions", i, "symbol"));
    }
    return {};
  }

  Status verifyBuffers() const {
    for (uint32_t i = 0; i < engine_.buffers()->size(); ++i) {
      const fb::Buffer *buffer = engine_.buffers()->Get(i);
      INLAY_TRY(verifyIndex(buffer->size_bytes(), engine_.expressions()->size(), "buffers", i,
                            "expression"));
      if (buffer->kind() > fb::BufferKind::MAX)
        return dataLoss("buffers[{}] has unknown kind {}", i, static_cast<int>(buffer->kind()));
      const uint32_t alignment = buffer->alignment_bytes();
      if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > 4096)
        return dataLoss("buffers[{}] has alignment {}; expected a power of two up to 4096", i,
                        alignment);
      if (buffer->first_step() > buffer->last_step())
        return dataLoss("buffers[{}] is first used in step {} and last in step {}", i,
                        buffer->first_step(), buffer->last_step());
      const bool isConstant =
          buffer->kind() == fb::BufferKind::Constant || buffer->kind() == fb::BufferKind::State;
      if (isConstant != (buffer->segment() != kAbsent))
        return dataLoss("buffers[{}] {}", i,
                        isConstant ? "is a constant or state without segment"
                                   : "has a segment and is no constant or state");
      if (isConstant)
        INLAY_TRY(verifyConstant(i, *buffer));
    }
    return {};
  }

  /// The size of a constant, or of state, is a constant expression equal to its segment's.
  Status verifyConstant(uint32_t index, const fb::Buffer &buffer) const {
    INLAY_TRY(
        verifyIndex(buffer.segment(), engine_.segments()->size(), "buffers", index, "segment"));
    const fb::ExprInstruction *size = engine_.expressions()->Get(buffer.size_bytes());
    const uint64_t segmentSizeBytes = engine_.segments()->Get(buffer.segment())->size_bytes();
    if (size->kind() != static_cast<uint8_t>(ExprKind::Constant) ||
        static_cast<uint64_t>(size->value()) != segmentSizeBytes)
      return dataLoss("buffers[{}] is a constant or state whose size is not its segment's {} bytes",
                      index, segmentSizeBytes);
    return {};
  }

  Status verifyTensors(const flatbuffers::Vector<flatbuffers::Offset<fb::Tensor>> &tensors,
                       std::string_view what, fb::BufferKind kind) const {
    std::set<std::string_view> names;
    std::set<uint32_t> buffers;
    for (uint32_t i = 0; i < tensors.size(); ++i) {
      const fb::Tensor *tensor = tensors.Get(i);
      if (tensor->name()->size() == 0 || !names.insert(tensor->name()->string_view()).second)
        return dataLoss("{} {} has the name '{}', which is empty or taken", what, i,
                        tensor->name()->string_view());
      if (!isDataType(tensor->dtype()))
        return dataLoss("{} '{}' has unknown dtype {}", what, tensor->name()->string_view(),
                        tensor->dtype());
      if (tensor->shape()->size() > kMaxRank)
        return dataLoss("{} '{}' has rank {}; at most {} is possible", what,
                        tensor->name()->string_view(), tensor->shape()->size(), kMaxRank);
      for (uint32_t dim : *tensor->shape())
        INLAY_TRY(verifyIndex(dim, engine_.expressions()->size(), what, i, "expression"));
      INLAY_TRY(verifyIndex(tensor->buffer(), engine_.buffers()->size(), what, i, "buffer"));
      if (engine_.buffers()->Get(tensor->buffer())->kind() != kind ||
          !buffers.insert(tensor->buffer()).second)
        return dataLoss("{} '{}' refers to buffer {}, which is of another kind or taken", what,
                        tensor->name()->string_view(), tensor->buffer());
    }
    size_t ofKind = 0;
    for (const fb::Buffer *buffer : *engine_.buffers())
      ofKind += buffer->kind() == kind;
    if (ofKind != buffers.size())
      return dataLoss("the engine has {} {} tensors and {} buffers for them", buffers.size(), what,
                      ofKind);
    return {};
  }

  Status verifySymbols() const {
    for (uint32_t i = 0; i < engine_.symbols()->size(); ++i) {
      const fb::Symbol *symbol = engine_.symbols()->Get(i);
      if (symbol->min() < 0 || symbol->min() > symbol->max() || symbol->opt() < symbol->min() ||
          symbol->opt() > symbol->max())
        return dataLoss("symbols[{}] has the range {} to {} and opt {}", i, symbol->min(),
                        symbol->max(), symbol->opt());
      if (symbol->bound() != kAbsent) {
        INLAY_TRY(verifyIndex(symbol->bound(), engine_.expressions()->size(), "symbols", i,
                              "expression"));
        continue;
      }
      INLAY_TRY(verifyIndex(symbol->input(), engine_.inputs()->size(), "symbols", i, "input"));
      const auto &shape = *engine_.inputs()->Get(symbol->input())->shape();
      INLAY_TRY(verifyIndex(symbol->dim(), shape.size(), "symbols", i, "dimension"));
      const fb::ExprInstruction *dim = engine_.expressions()->Get(shape.Get(symbol->dim()));
      if (dim->kind() != static_cast<uint8_t>(ExprKind::Symbol) ||
          static_cast<uint64_t>(dim->value()) != i)
        return dataLoss(
            "symbols[{}] is read from dimension {} of input {}, which is another expression", i,
            symbol->dim(), symbol->input());
    }
    return {};
  }

  Status verifyProfile(uint32_t index) const {
    const auto &ranges = *engine_.profiles()->Get(index)->ranges();
    if (ranges.size() != engine_.symbols()->size())
      return dataLoss("profiles[{}] has {} ranges; the engine has {} symbols", index, ranges.size(),
                      engine_.symbols()->size());
    for (uint32_t i = 0; i < ranges.size(); ++i) {
      const fb::ProfileRange *range = ranges.Get(i);
      const fb::Symbol *symbol = engine_.symbols()->Get(i);
      if (range->min() < symbol->min() || range->max() > symbol->max() ||
          range->opt() < range->min() || range->opt() > range->max())
        return dataLoss("profiles[{}] gives symbols[{}] the range {} to {} and opt {}; the symbol "
                        "has {} to {}",
                        index, i, range->min(), range->max(), range->opt(), symbol->min(),
                        symbol->max());
    }
    return {};
  }

  Status verifyKernels() const {
    for (uint32_t i = 0; i < engine_.kernels()->size(); ++i) {
      const fb::Kernel *kernel = engine_.kernels()->Get(i);
      for (const fb::Parameter *parameter : *kernel->parameters())
        if (parameter->kind() > fb::ParameterKind::MAX || !isDataType(parameter->dtype()))
          return dataLoss("kernels[{}] '{}' has a parameter of unknown kind {} or dtype {}", i,
                          kernel->name()->string_view(), static_cast<int>(parameter->kind()),
                          parameter->dtype());
      for (const fb::Image *image : *kernel->images()) {
        INLAY_TRY(
            verifyIndex(image->segment(), engine_.segments()->size(), "kernels", i, "segment"));
        if (image->format() > fb::ImageFormat::MAX)
          return dataLoss("kernels[{}] has an image of unknown format {}", i,
                          static_cast<int>(image->format()));
        if (image->format() == fb::ImageFormat::LibraryFunction)
          continue; // verifyLibraryFunctions
        const std::string_view target = image->target()->string_view();
        const bool isCpu = image->format() == fb::ImageFormat::X86SharedObject;
        if (!target.starts_with(isCpu ? "cpu:" : "cuda:") || image->entry()->size() == 0)
          return dataLoss("kernels[{}] has an image for target '{}' that does not fit its format, "
                          "or has no entry",
                          i, target);
        if (!isCpu && image->scratch_bytes() != 0)
          return dataLoss("kernels[{}] has an image for {} with {} bytes of scratch memory; only "
                          "code for the CPU takes any",
                          i, target, image->scratch_bytes());
        if (!isCpu && (image->num_warps() < 1 || image->num_warps() > 32))
          return dataLoss("kernels[{}] has an image with {} warps; expected 1 to 32", i,
                          image->num_warps());
        INLAY_TRY(verifyExtents(i, image->block(), "a block", "threads", kMaxThreads));
        INLAY_TRY(verifyExtents(i, image->cluster(), "a cluster", "blocks", kMaxClusterBlocks));
        if (image->blocks_per_program() < 1 || image->blocks_per_program() > kMaxClusterBlocks)
          return dataLoss("kernels[{}] has an image with {} blocks per program; expected 1 to {}",
                          i, image->blocks_per_program(), kMaxClusterBlocks);
      }
    }
    return {};
  }

  /// Extents of a block or cluster: absent, or three that are not 0.
  Status verifyExtents(uint32_t kernel, const flatbuffers::Vector<uint32_t> *extents,
                       std::string_view what, std::string_view of, uint64_t most) const {
    if (!extents)
      return {};
    uint64_t product = extents->size() == 3 ? 1 : 0;
    for (uint32_t extent : *extents)
      product = extent > most || product > most ? most + 1 : product * extent;
    if (product == 0 || product > most)
      return dataLoss("kernels[{}] has an image with {} of {} extents and {}{} {}; expected three "
                      "extents and 1 to {}",
                      kernel, what, extents->size(), product > most ? "more than " : "",
                      product > most ? most : product, of, most);
    return {};
  }

  Status verifySteps() const {
    for (uint32_t i = 0; i < engine_.steps()->size(); ++i) {
      const fb::Step *step = engine_.steps()->Get(i);
      if (const fb::Launch *launch = step->kind_as_Launch())
        INLAY_TRY(verifyLaunch(i, *launch));
      else if (const fb::Copy *copy = step->kind_as_Copy())
        INLAY_TRY(verifyCopy(i, *copy));
      else if (const fb::HostCall *call = step->kind_as_HostCall())
        INLAY_TRY(verifyHostCall(i, *call));
      else if (const fb::ReadSize *read = step->kind_as_ReadSize())
        INLAY_TRY(verifyUse(i, read->buffer(), false));
      else
        return dataLoss("steps[{}] has unknown kind {}", i, static_cast<int>(step->kind_type()));
    }
    const uint64_t numSteps = engine_.steps()->size();
    for (uint32_t i = 0; i < engine_.buffers()->size(); ++i)
      if (const uint32_t last = engine_.buffers()->Get(i)->last_step();
          last != 0 && last >= numSteps)
        return dataLoss("buffers[{}] is last used in step {}; the engine has {}", i, last,
                        numSteps);
    return {};
  }

  /// A buffer used outside its live range would share memory with another.
  Status verifyUse(uint32_t step, uint32_t buffer, bool isWritten) const {
    INLAY_TRY(verifyIndex(buffer, engine_.buffers()->size(), "steps", step, "buffer"));
    const fb::Buffer *used = engine_.buffers()->Get(buffer);
    if (step < used->first_step() || step > used->last_step())
      return dataLoss("steps[{}] uses buffer {}, which lives from step {} to {}", step, buffer,
                      used->first_step(), used->last_step());
    if (isWritten &&
        (used->kind() == fb::BufferKind::Input || used->kind() == fb::BufferKind::Constant))
      return dataLoss("steps[{}] writes buffer {}, an input or constant", step, buffer);
    return {};
  }

  Status verifyCopy(uint32_t index, const fb::Copy &copy) const {
    INLAY_TRY(verifyUse(index, copy.source(), false));
    INLAY_TRY(verifyUse(index, copy.target(), true));
    if (engine_.buffers()->Get(copy.source())->size_bytes() !=
        engine_.buffers()->Get(copy.target())->size_bytes())
      return dataLoss("steps[{}] copies between buffers of different sizes", index);
    return {};
  }

  Status verifyHostCall(uint32_t index, const fb::HostCall &call) const {
    if (call.function()->size() == 0)
      return dataLoss("steps[{}] calls a host function without a name", index);
    for (const fb::HostTensor *input : *call.inputs())
      INLAY_TRY(verifyHostTensor(index, *input, false));
    for (const fb::HostTensor *output : *call.outputs())
      INLAY_TRY(verifyHostTensor(index, *output, true));
    if (call.workspace() != kAbsent)
      INLAY_TRY(verifyUse(index, call.workspace(), true));
    for (const fb::HostAttribute *attribute : *call.attributes())
      INLAY_TRY(verifyHostAttribute(index, *attribute));
    return {};
  }

  Status verifyHostTensor(uint32_t step, const fb::HostTensor &tensor, bool isWritten) const {
    INLAY_TRY(verifyUse(step, tensor.buffer(), isWritten));
    if (!isDataType(tensor.dtype()) || tensor.shape()->size() > kMaxRank)
      return dataLoss(
          "steps[{}] calls a host function with a tensor of unknown dtype {} or of rank "
          "{}; at most {} is possible",
          step, tensor.dtype(), tensor.shape()->size(), kMaxRank);
    for (uint32_t dim : *tensor.shape())
      INLAY_TRY(verifyIndex(dim, engine_.expressions()->size(), "steps", step, "expression"));
    return {};
  }

  Status verifyHostAttribute(uint32_t step, const fb::HostAttribute &attribute) const {
    const auto needs = [&](bool isThere, std::string_view what) {
      return isThere ? Status()
                     : dataLoss("steps[{}] gives attribute '{}' no {}", step,
                                attribute.name()->string_view(), what);
    };
    switch (attribute.kind()) {
    case fb::HostValueKind::None:
    case fb::HostValueKind::Int:
    case fb::HostValueKind::Float:
      return {};
    case fb::HostValueKind::Bool:
      return needs(attribute.integer() == 0 || attribute.integer() == 1, "bool of 0 or 1");
    case fb::HostValueKind::DType:
      return needs(isDataType(static_cast<uint64_t>(attribute.integer())), "known dtype");
    // FlatBuffers does not write empty texts and lists.
    case fb::HostValueKind::String:
    case fb::HostValueKind::StringList:
      return {};
    case fb::HostValueKind::BoolList:
    case fb::HostValueKind::IntList:
      return needs(isAligned(attribute.integers()), "aligned list of integers");
    case fb::HostValueKind::FloatList:
      return needs(isAligned(attribute.numbers()), "aligned list of floats");
    }
    return dataLoss("steps[{}] gives attribute '{}' the unknown kind {}", step,
                    attribute.name()->string_view(), static_cast<int>(attribute.kind()));
  }

  /// Absent, or its elements lie where they may be read: FlatBuffers checks only the length's
  /// place.
  template <typename T>
  static bool isAligned(const flatbuffers::Vector<T> *list) {
    return !list ||
           (list->size() == 0 || reinterpret_cast<uintptr_t>(list->Data()) % alignof(T) == 0);
  }

  Status verifyLaunch(uint32_t index, const fb::Launch &launch) const {
    INLAY_TRY(verifyIndex(launch.kernel(), engine_.kernels()->size(), "steps", index, "kernel"));
    if (launch.grid()->size() != 3)
      return dataLoss("steps[{}] has a grid of {} extents; expected 3", index,
                      launch.grid()->size());
    for (uint32_t extent : *launch.grid())
      INLAY_TRY(verifyIndex(extent, engine_.expressions()->size(), "steps", index, "expression"));
    if (launch.block()) {
      if (launch.block()->size() != 3)
        return dataLoss("steps[{}] has a block of {} extents; expected 3", index,
                        launch.block()->size());
      for (uint32_t extent : *launch.block())
        INLAY_TRY(verifyIndex(extent, engine_.expressions()->size(), "steps", index, "expression"));
    }
    if (launch.shared_bytes() != kAbsent)
      INLAY_TRY(verifyIndex(launch.shared_bytes(), engine_.expressions()->size(), "steps", index,
                            "expression"));
    const auto &parameters = *engine_.kernels()->Get(launch.kernel())->parameters();
    if (launch.arguments()->size() != parameters.size())
      return dataLoss("steps[{}] has {} arguments; its kernel takes {}", index,
                      launch.arguments()->size(), parameters.size());
    for (uint32_t i = 0; i < parameters.size(); ++i)
      INLAY_TRY(verifyArgument(index, i, *launch.arguments()->Get(i), *parameters.Get(i)));
    return {};
  }

  Status verifyFloatExpressions() const {
    if (!engine_.float_expressions())
      return {};
    const auto address = reinterpret_cast<uintptr_t>(engine_.float_expressions()->Data());
    if (engine_.float_expressions()->size() > 0 && address % alignof(fb::FloatInstruction) != 0)
      return dataLoss("float_expressions lie {} bytes behind a multiple of {}; expected 0",
                      address % alignof(fb::FloatInstruction), alignof(fb::FloatInstruction));
    for (uint32_t i = 0; i < engine_.float_expressions()->size(); ++i) {
      const fb::FloatInstruction *step = engine_.float_expressions()->Get(i);
      if (step->kind() >= kNumFloatKinds)
        return dataLoss("float_expressions[{}] has unknown kind {}", i, step->kind());
      const auto kind = static_cast<FloatKind>(step->kind());
      const uint32_t operands[] = {step->a(), step->b(), step->c()};
      for (int k = 0; k < floatArity(kind); ++k)
        if (operands[k] >= i)
          return dataLoss("float_expressions[{}] uses step {}, which does not come before it", i,
                          operands[k]);
      if (kind == FloatKind::Integer)
        INLAY_TRY(verifyIndex(step->a(), engine_.expressions()->size(), "float_expressions", i,
                              "expression"));
    }
    return {};
  }

  Status verifyArgument(uint32_t step, uint32_t index, const fb::Argument &argument,
                        const fb::Parameter &parameter) const {
    const bool isPointer = parameter.kind() == fb::ParameterKind::Pointer;
    const bool isFloat =
        !isPointer && dataTypeKind(static_cast<DataType>(parameter.dtype())) == DataTypeKind::Float;
    switch (argument.kind()) {
    case fb::ArgumentKind::Buffer:
      INLAY_TRY(verifyUse(step, argument.index(), false));
      if (isPointer)
        return {};
      break;
    case fb::ArgumentKind::Expression:
      INLAY_TRY(verifyIndex(argument.index(), engine_.expressions()->size(), "steps", step,
                            "expression"));
      if (!isPointer && !isFloat)
        return {};
      break;
    case fb::ArgumentKind::Float:
      if (isFloat)
        return {};
      break;
    case fb::ArgumentKind::FloatExpression:
      INLAY_TRY(verifyIndex(argument.index(),
                            engine_.float_expressions() ? engine_.float_expressions()->size() : 0,
                            "steps", step, "float expression"));
      if (isFloat)
        return {};
      break;
    }
    return dataLoss("steps[{}] argument {} of kind {} does not fit its parameter", step, index,
                    static_cast<int>(argument.kind()));
  }

  const fb::Engine &engine_;
  uint64_t segmentsOffset_;
  uint64_t fileSizeBytes_;
};

} // namespace

Status verifyEngine(const fb::Engine &engine, uint64_t segmentsOffset, uint64_t fileSizeBytes) {
  return Verifier(engine, segmentsOffset, fileSizeBytes).verify();
}

} // namespace inlay
