#include "runtime/core/ExecutionContext.h"

#include "base/CheckedMath.h"
#include "base/Env.h"
#include "base/Error.h"
#include "base/Log.h"
#include "runtime/core/MemoryPlan.h"
#include "runtime/core/ShapeProfile.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr uint64_t kTensorAlignmentBytes = 16;
/// What every device's allocations are aligned to.
constexpr uint64_t kAllocationAlignmentBytes = 256;

std::string describeDims(const TensorDescription &tensor) {
  if (tensor.dims.empty())
    return "scalar";
  std::string text;
  for (const DimDescription &dim : tensor.dims) {
    text += text.empty() ? "" : "x";
    text += dim.size >= 0 ? fmt::format("{}", dim.size)
            : dim.symbol  ? std::string(dim.symbol)
                          : std::string("?");
  }
  return text;
}

/// Size of a tensor in bytes; false on overflow.
bool computeSizeBytes(std::span<const int64_t> shape, DataType dtype, int64_t &sizeBytes) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    sizeBytes = 0;
    return true;
  }
  sizeBytes = dataTypeSizeBytes(dtype);
  for (int64_t size : shape)
    if (!checkedMul(sizeBytes, size, sizeBytes))
      return false;
  return true;
}

/// Checks what can be known of a tensor without the others.
Status checkBinding(const TensorDescription &expected, std::string_view what,
                    const TensorBinding &found) {
  if (found.dtype != expected.dtype)
    return invalidArgument("{} '{}' has dtype {}, expected {}", what, expected.name,
                           dataTypeName(found.dtype), dataTypeName(expected.dtype));
  if (found.shape.size() != expected.dims.size())
    return invalidArgument("{} '{}' has rank {} (shape {}), expected rank {} (shape {})", what,
                           expected.name, found.shape.size(), formatShape(found.shape),
                           expected.dims.size(), describeDims(expected));
  for (size_t i = 0; i < found.shape.size(); ++i) {
    const DimDescription &dim = expected.dims[i];
    const int64_t size = found.shape[i];
    if (dim.size >= 0 && size != dim.size)
      return invalidArgument("{} '{}' has shape {}: dimension {} is {}, expected {}", what,
                             expected.name, formatShape(found.shape), i, size, dim.size);
    if (size < dim.min || size > dim.max)
      return outOfRange("{} '{}' has shape {}: dimension {}{} is {}, expected {} to {}", what,
                        expected.name, formatShape(found.shape), i,
                        dim.symbol ? fmt::format(" ({})", dim.symbol) : "", size, dim.min,
                        dim.max == INT64_MAX ? "any size" : fmt::format("{}", dim.max));
  }
  return {};
}

} // namespace

ExecutionContext::ExecutionContext(std::shared_ptr<Engine> engine,
                                   std::shared_ptr<DeviceEngine> deviceEngine, LaunchTable table,
                                   const ContextOptions &options)
    : engine_(std::move(engine)), deviceEngine_(std::move(deviceEngine)), shapes_(*engine_),
      table_(std::move(table)),
      hostCalls_(engine_->metadata(), engine_->hostFunctions(), deviceEngine_->device()),
      inputShapes_(engine_->inputs().size()), bufferSizes_(engine_->metadata().buffers()->size()),
      addresses_(bufferSizes_.size()), graphs_(deviceEngine_->device(), options.maxGraphs) {
  const auto makeSlots = [](const std::vector<TensorDescription> &tensors, bool isInput) {
    std::vector<Slot> slots(tensors.size());
    for (size_t i = 0; i < slots.size(); ++i) {
      slots[i].description = &tensors[i];
      slots[i].isInput = isInput;
      slots[i].shape.resize(tensors[i].dims.size());
    }
    return slots;
  };
  inputs_ = makeSlots(engine_->inputs(), true);
  outputs_ = makeSlots(engine_->outputs(), false);
  const DeviceInfo &info = device().info();
  deviceName_ = fmt::format("{} ({}, {})", info.device, info.name, info.target);
  profile_ = options.profile;
  isLaunchBlocking_ = isEnvironmentOn(EnvironmentVariable::LaunchBlocking);
  if (options.isDebug || isEnvironmentOn(EnvironmentVariable::Debug))
    guards_ = std::make_unique<GuardedBuffers>(device(), bufferSizes_.size());
  size_t numDims = 0;
  for (const TensorDescription &input : engine_->inputs())
    numDims += input.dims.size();
  graphKey_.resize(numDims + inputs_.size() + outputs_.size() + 1);
}

/// Refuses options that the device cannot follow.
Status ExecutionContext::checkOptions(const ContextOptions &options, const Engine &engine,
                                      const Device &device) {
  if (options.maxGraphs > 0 && !device.recordsGraphs())
    return invalidArgument("graphs were asked for on {}, which records none; only CUDA devices do",
                           device.info().device);
  if (const std::string why = whyNotRecorded(engine); options.maxGraphs > 0 && !why.empty())
    return invalidArgument("graphs were asked for, but runs of this engine cannot be recorded: {}",
                           why);
  return {};
}

std::string ExecutionContext::whyNotRecorded(const Engine &engine) {
  for (const fb::Step *step : *engine.metadata().steps()) {
    if (const fb::HostCall *call = step->kind_as_HostCall())
      return fmt::format("it calls the host function '{}', which a graph would not call again",
                         call->function()->string_view());
    if (const fb::ReadSize *read = step->kind_as_ReadSize())
      return fmt::format(
          "it waits for the size '{}' that plugin '{}' computes (node '{}'), and a graph cannot "
          "wait for the host",
          engine.metadata().symbols()->Get(read->symbol())->name()->string_view(),
          read->plugin() ? read->plugin()->string_view() : "",
          read->node() ? read->node()->string_view() : "");
  }
  return "";
}

Result<std::unique_ptr<ExecutionContext>> ExecutionContext::create(std::shared_ptr<Engine> engine,
                                                                   std::string_view deviceName,
                                                                   const ContextOptions &options) {
  if (options.numThreads < 0 || options.numThreads > 4096)
    return invalidArgument("a context was asked to use {} threads; expected 0 to 4096",
                           options.numThreads);
  INLAY_TRY(checkProfileExists(*engine, options.profile));
  INLAY_ASSIGN(const std::string name, canonicalDeviceName(deviceName));
  INLAY_ASSIGN(std::shared_ptr<DeviceEngine> deviceEngine, engine->onDevice(name));
  INLAY_TRY(checkOptions(options, *engine, deviceEngine->device()));
  INLAY_TRY(deviceEngine->device().makeCurrent());
  INLAY_ASSIGN(LaunchTable table, LaunchTable::create(*engine, *deviceEngine, options.profile));
  std::unique_ptr<ExecutionContext> context(
      new ExecutionContext(std::move(engine), std::move(deviceEngine), std::move(table), options));
  INLAY_ASSIGN(context->stream_, context->device().createStream(options.numThreads));
  INLAY_TRY(context->prepareKernels());
  INLAY_TRY(context->allocateState());
  INLAY_TRY(context->reserveForProfile());
  return context;
}

Status ExecutionContext::prepareKernels() {
  const auto &kernels = *engine_->metadata().kernels();
  for (uint32_t i = 0; i < kernels.size(); ++i) {
    const LoadedKernel *kernel = deviceEngine_->findKernel(i);
    if (!kernel)
      continue;
    INLAY_ASSIGN(const uint64_t bytes, device().prepareLaunches(*kernel, stream_),
                 fmt::format("preparing kernel '{}'", kernels.Get(i)->name()->string_view()));
    statistics_.allocatedBytes += bytes;
    scratchBytes_ += bytes;
  }
  return {};
}

Status ExecutionContext::allocateState() {
  const auto &buffers = *engine_->metadata().buffers();
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    if (buffers.Get(i)->kind() != fb::BufferKind::State || !deviceEngine_->constant(i))
      continue;
    const uint64_t sizeBytes = engine_->file().segment(buffers.Get(i)->segment()).size();
    INLAY_ASSIGN(void *memory, device().allocate(sizeBytes), "allocating the engine's state");
    states_.push_back({i, memory, sizeBytes});
    statistics_.allocatedBytes += sizeBytes;
  }
  return states_.empty() ? Status() : resetState();
}

Status ExecutionContext::resetState() {
  INLAY_TRY(device().makeCurrent());
  for (const State &state : states_)
    INLAY_TRY(device().copy(state.memory, deviceEngine_->constant(state.buffer), state.sizeBytes,
                            CopyDirection::DeviceToDevice, stream_),
              "setting the engine's state");
  return device().synchronize(stream_);
}

Status ExecutionContext::reserveForProfile() {
  const std::vector<int64_t> sizes = largestSizes(*engine_, profile_);
  // Without bounds, or too large to count: memory is found when shapes come.
  if (sizes.empty() || guards_ || !shapes_.evaluateSymbols(sizes).isOk())
    return {};
  table_.decideTactics(shapes_, stream_);
  for (uint32_t i = 0; i < bufferSizes_.size(); ++i) {
    bufferSizes_[i] = sizeOfBuffer(i);
    if (bufferSizes_[i] < 0)
      return {};
  }
  INLAY_TRY(planArena(), fmt::format("reserving for profile {}", profile_));
  statistics_.plannedBytes = 0; // no shapes are bound yet
  return {};
}

ExecutionContext::~ExecutionContext() {
  Device &dev = device();
  if (dev.makeCurrent().isOk() && stream_)
    (void)dev.synchronize(stream_);
  if (arena_)
    dev.free(arena_);
  for (const State &state : states_)
    dev.free(state.memory);
  for (const std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (const Slot &slot : *slots)
      if (slot.staging && !guards_)
        dev.free(slot.staging);
  if (stream_)
    dev.destroyStream(stream_);
}

Status ExecutionContext::bindInput(uint32_t index, const TensorBinding &binding) {
  INLAY_TRY(bind(inputs_[index], binding));
  areSizesOfBoundInputs_ = false;
  return {};
}

Status ExecutionContext::bindOutput(uint32_t index, const TensorBinding &binding) {
  INLAY_TRY(bind(outputs_[index], binding));
  outputs_[index].allocator = nullptr;
  return {};
}

Status ExecutionContext::bind(Slot &slot, const TensorBinding &binding) {
  const TensorDescription &expected = *slot.description;
  const std::string_view what = slot.isInput ? "input" : "output";
  INLAY_TRY(checkBinding(expected, what, binding));
  if (slot.isInput && profile_)
    INLAY_TRY(checkInProfile(*engine_, profile_, static_cast<uint32_t>(&slot - inputs_.data()),
                             binding.shape));
  int64_t sizeBytes = 0;
  if (!computeSizeBytes(binding.shape, binding.dtype, sizeBytes))
    return outOfRange("{} '{}' has shape {}, more bytes than an address can count", what,
                      expected.name, formatShape(binding.shape));
  if (sizeBytes > 0 && !binding.data)
    return invalidArgument("{} '{}' has shape {} and no memory: its address is null", what,
                           expected.name, formatShape(binding.shape));
  if (sizeBytes > 0 && reinterpret_cast<uintptr_t>(binding.data) % kTensorAlignmentBytes != 0)
    return invalidArgument("{} '{}' is at address {:#x}, which is not a multiple of {} bytes", what,
                           expected.name, reinterpret_cast<uintptr_t>(binding.data),
                           kTensorAlignmentBytes);
  const bool isOnHost = !binding.isOnDevice || device().usesHostMemory();
  const bool isStaged = guards_ || (isOnHost && !device().usesHostMemory());
  const bool isSameShape =
      slot.isBound && !slot.allocator && std::ranges::equal(slot.shape, binding.shape);
  slot.data = binding.data;
  slot.isOnHost = isOnHost;
  if (isSameShape && isStaged == slot.isStaged) {
    if (isReady_ && !isStaged) {
      graphs_.deselect();
      addresses_[expected.buffer] = binding.data;
      table_.setAddress(expected.buffer, binding.data);
      hostCalls_.setAddress(expected.buffer, binding.data);
      if (table_.dependsOnAddress(expected.buffer))
        table_.selectTactics(addresses_);
    }
    return {};
  }
  std::ranges::copy(binding.shape, slot.shape.begin());
  slot.sizeBytes = static_cast<uint64_t>(sizeBytes);
  slot.isBound = true;
  slot.isStaged = isStaged;
  isReady_ = false;
  if (slot.isInput && !isSameShape)
    areShapesKnown_ = false;
  return {};
}

Status ExecutionContext::evaluateShapes() {
  if (areShapesKnown_)
    return {};
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].isBound)
      return failedPrecondition("input '{}' is not bound", inputs_[i].description->name);
    inputShapes_[i] = inputs_[i].shape;
  }
  INLAY_TRY(shapes_.evaluate(inputShapes_));
  areShapesKnown_ = true;
  areSizesRead_ = false;
  return {};
}

Result<BoundShape> ExecutionContext::outputShape(uint32_t index) {
  INLAY_TRY(evaluateShapes());
  if (areSizesRead_ && !areSizesOfBoundInputs_)
    INLAY_TRY(resetSizes());
  return evaluatedOutputShape(index);
}

Result<BoundShape> ExecutionContext::evaluatedOutputShape(uint32_t index) const {
  const fb::Tensor &tensor = *engine_->metadata().outputs()->Get(index);
  BoundShape shape;
  for (uint32_t expression : *tensor.shape()) {
    shape.push_back(shapes_.value(expression));
    if (shape.back() < 0)
      return outOfRange("output '{}' would have a dimension of {} ({})",
                        tensor.name()->string_view(), shape.back(), shapes_.describeSymbols());
  }
  return shape;
}

Status ExecutionContext::checkOutputs() {
  for (uint32_t i = 0; i < outputs_.size(); ++i) {
    Slot &slot = outputs_[i];
    INLAY_ASSIGN(const BoundShape expected, evaluatedOutputShape(i));
    if (slot.allocator)
      INLAY_TRY(prepareAllocated(slot, expected));
    if (!slot.isBound)
      return failedPrecondition("output '{}' is not bound; it needs {} of shape {}",
                                slot.description->name, dataTypeName(slot.description->dtype),
                                formatShape(expected));
    if (slot.shape != expected)
      return invalidArgument("output '{}' has shape {}, expected {} ({})", slot.description->name,
                             formatShape(slot.shape), formatShape(expected),
                             shapes_.describeSymbols());
  }
  return {};
}

int64_t ExecutionContext::sizeOfBuffer(uint32_t buffer) const {
  // Sizes that are read later may allow other tactics than their bounds do.
  return shapes_.hasComputedSizes() || table_.needsBuffer(buffer)
             ? shapes_.value(engine_->metadata().buffers()->Get(buffer)->size_bytes())
             : 0;
}

Status ExecutionContext::computeBufferSizes() {
  table_.decideTactics(shapes_, stream_);
  for (uint32_t i = 0; i < bufferSizes_.size(); ++i) {
    bufferSizes_[i] = sizeOfBuffer(i);
    if (bufferSizes_[i] < 0)
      return outOfRange("buffer {} of the engine would have {} bytes ({})", i, bufferSizes_[i],
                        shapes_.describeSymbols());
  }
  for (const std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (const Slot &slot : *slots)
      if (const int64_t size = bufferSizes_[slot.description->buffer];
          static_cast<uint64_t>(size) != slot.sizeBytes)
        return dataLoss("the engine gives '{}' a buffer of {} bytes; its shape {} has {}",
                        slot.description->name, size, formatShape(slot.shape), slot.sizeBytes);
  return {};
}

/// Grows memory that the device may still be reading to at least `sizeBytes`.
Status ExecutionContext::reserve(void *&memory, uint64_t &capacityBytes, uint64_t sizeBytes) {
  if (sizeBytes <= capacityBytes)
    return {};
  if (memory) {
    INLAY_TRY(device().synchronize(stream_));
    graphs_.clear(); // they hold addresses in it
    device().free(memory);
    statistics_.allocatedBytes -= capacityBytes;
    memory = nullptr;
    capacityBytes = 0;
  }
  INLAY_ASSIGN(memory, device().allocate(sizeBytes));
  capacityBytes = sizeBytes;
  statistics_.allocatedBytes += sizeBytes;
  return {};
}

Status ExecutionContext::planArena() {
  const auto &buffers = *engine_->metadata().buffers();
  std::vector<PlannedBuffer> planned;
  std::vector<uint32_t> indices;
  uint64_t alignment = kAllocationAlignmentBytes;
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const fb::Buffer &buffer = *buffers.Get(i);
    addresses_[i] = deviceEngine_->constant(i);
    if (buffer.kind() != fb::BufferKind::Intermediate && buffer.kind() != fb::BufferKind::Workspace)
      continue;
    if (guards_) {
      INLAY_ASSIGN(addresses_[i], guards_->reserve(i, static_cast<uint64_t>(bufferSizes_[i])));
      continue;
    }
    const uint64_t own = std::max<uint64_t>(buffer.alignment_bytes(), kAllocationAlignmentBytes);
    alignment = std::max(alignment, own);
    planned.push_back(
        {static_cast<uint64_t>(bufferSizes_[i]), buffer.first_step(), buffer.last_step(), own});
    indices.push_back(i);
  }
  std::vector<uint64_t> offsets(planned.size());
  INLAY_ASSIGN(statistics_.plannedBytes, planMemory(planned, offsets));
  for (const State &state : states_)
    addresses_[state.buffer] = state.memory;
  const uint64_t slack = alignment - kAllocationAlignmentBytes;
  if (statistics_.plannedBytes)
    INLAY_TRY(reserve(arena_, arenaCapacityBytes_, statistics_.plannedBytes + slack),
              "allocating the memory of intermediates");
  const uint64_t base = (reinterpret_cast<uint64_t>(arena_) + alignment - 1) & ~(alignment - 1);
  for (size_t i = 0; i < indices.size(); ++i)
    addresses_[indices[i]] =
        planned[i].sizeBytes ? reinterpret_cast<void *>(base + offsets[i]) : nullptr;
  return {};
}

Status ExecutionContext::prepare() {
  INLAY_TRY(evaluateShapes());
  if (areSizesRead_) {
    INLAY_TRY(shapes_.resetComputedSizes());
    areSizesRead_ = false;
  }
  INLAY_TRY(checkOutputs());
  INLAY_TRY(computeBufferSizes());
  plannedSizes_ = bufferSizes_;
  INLAY_TRY(table_.setShapes(shapes_, bufferSizes_)); // refuses sizes before they are allocated
  INLAY_TRY(hostCalls_.setShapes(shapes_, bufferSizes_));
  INLAY_TRY(planArena());
  hasStaged_ = false;
  for (std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (Slot &slot : *slots) {
      hasStaged_ = hasStaged_ || slot.allocator; // asked for its place even if it is empty
      if (slot.isStaged && guards_) {
        hasStaged_ = true;
        INLAY_ASSIGN(slot.staging, guards_->reserve(slot.description->buffer, slot.sizeBytes));
      } else if (slot.isStaged && slot.sizeBytes) {
        hasStaged_ = true;
        INLAY_TRY(reserve(slot.staging, slot.stagingCapacityBytes, slot.sizeBytes),
                  fmt::format("allocating device memory for '{}'", slot.description->name));
      }
      addresses_[slot.description->buffer] = addressOf(slot);
    }
  for (uint32_t i = 0; i < addresses_.size(); ++i) {
    table_.setAddress(i, addresses_[i]);
    hostCalls_.setAddress(i, addresses_[i]);
  }
  table_.selectTactics(addresses_);
  statistics_.neededBytes = neededBytes();
  ++statistics_.numPlans;
  graphs_.deselect();
  isReady_ = true;
  INLAY_LOG(Runtime, Debug, "{}: planned {} bytes for {}",
            engine_->metadata().name()->string_view(), statistics_.plannedBytes,
            shapes_.describeSymbols());
  return {};
}

uint64_t ExecutionContext::neededBytes() const {
  uint64_t sum = deviceEngine_->ownedBytes() + scratchBytes_ + table_.libraryBytes() +
                 statistics_.plannedBytes;
  for (const State &state : states_)
    sum += state.sizeBytes;
  for (const std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (const Slot &slot : *slots)
      sum += slot.isStaged ? slot.sizeBytes : 0;
  return sum;
}

Status ExecutionContext::refuseOnCallersStream(Stream stream) {
  for (const std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (const Slot &slot : *slots)
      if (slot.isOnHost && slot.sizeBytes)
        return invalidArgument(
            "{} '{}' is in host memory, which a run on the caller's stream cannot "
            "use; bind device memory, or run on the context's own stream",
            slot.isInput ? "input" : "output", slot.description->name);
  if (const std::string why = whyNotRecorded(*engine_); !why.empty()) {
    INLAY_ASSIGN(const bool isRecording, device().isRecording(stream));
    if (isRecording)
      return failedPrecondition("the caller records this run into a graph, but it cannot be "
                                "recorded: {}",
                                why);
  }
  return {};
}

Status ExecutionContext::run(Stream callerStream) {
  Device &dev = device();
  INLAY_TRY(dev.makeCurrent());
  if (!isReady_) [[unlikely]]
    INLAY_TRY(prepare());
  if (callerStream) {
    if (!dev.takesCallerStreams()) [[unlikely]]
      return invalidArgument("a stream was given to a run on {}; expected none", dev.info().device);
    if (hasStaged_ || shapes_.hasComputedSizes() || !engine_->hostFunctions().isEmpty())
        [[unlikely]]
      INLAY_TRY(refuseOnCallersStream(callerStream));
    if (profiler_) [[unlikely]]
      return runProfiled(callerStream);
    return hasStaged_ ? runStaged(callerStream) : enqueue(callerStream);
  }
  if (profiler_) [[unlikely]]
    return runProfiled(stream_);
  INLAY_TRY(hasStaged_ ? runStaged(stream_) : enqueue(stream_));
  return dev.synchronize(stream_);
}

Status ExecutionContext::runStaged(Stream stream) {
  if (guards_)
    INLAY_TRY(guards_->arm(stream), "preparing the memory of a run in debug mode");
  INLAY_TRY(copyStaged(inputs_, CopyDirection::HostToDevice, stream));
  INLAY_TRY(enqueue(stream));
  return copyStaged(outputs_, CopyDirection::DeviceToHost, stream);
}

Status ExecutionContext::copyStaged(std::span<Slot> slots, CopyDirection direction, Stream stream) {
  for (Slot &slot : slots) {
    if (slot.allocator)
      INLAY_TRY(copyToAllocated(slot, stream));
    // Less than is bound where the size depends on data.
    const auto sizeBytes = static_cast<uint64_t>(bufferSizes_[slot.description->buffer]);
    if (!slot.isStaged || !sizeBytes || slot.allocator)
      continue;
    const bool isIn = direction == CopyDirection::HostToDevice;
    Status status =
        device().copy(isIn ? slot.staging : slot.data, isIn ? slot.data : slot.staging, sizeBytes,
                      slot.isOnHost ? direction : CopyDirection::DeviceToDevice, stream);
    if (profiler_ && status.isOk()) [[unlikely]]
      status = profileCopy(slot, stream);
    if (!status.isOk())
      return std::move(status).withContext(
          fmt::format("copying '{}' between host and device", slot.description->name));
  }
  return {};
}

/// What a recorded run depends on: sizes, and where everything lies.
void ExecutionContext::selectGraph() {
  size_t at = 0;
  for (const Slot &input : inputs_)
    for (int64_t size : input.shape)
      graphKey_[at++] = size;
  for (const std::vector<Slot> *slots : {&inputs_, &outputs_})
    for (const Slot &slot : *slots)
      graphKey_[at++] = reinterpret_cast<int64_t>(addressOf(slot));
  graphKey_[at] = reinterpret_cast<int64_t>(arena_);
  graphs_.select(graphKey_);
}

Status ExecutionContext::enqueue(Stream stream) {
  if (!graphs_.isOn() || isLaunchBlocking_ || guards_ || profiler_)
    return runSteps(stream);
  return enqueueGraph(stream);
}

Status ExecutionContext::enqueueGraph(Stream stream) {
  if (stream != stream_) {
    // A caller that records this run gets its launches, not a graph in a graph.
    INLAY_ASSIGN(const bool isRecording, device().isRecording(stream));
    if (isRecording)
      return runSteps(stream);
  }
  if (!graphs_.isSelected())
    selectGraph();
  const GraphCache::Recording *recording = graphs_.find();
  if (!recording) {
    if (!graphs_.isWorthRecording()) {
      INLAY_TRY(runSteps(stream));
      graphs_.noteRun();
      return {};
    }
    INLAY_ASSIGN(recording, recordGraph());
  }
  statistics_.numLaunches = recording->numLaunches;
  return device().launchGraph(recording->graph, stream);
}

/// Recorded on the context's own stream, whatever stream runs it.
Result<const GraphCache::Recording *> ExecutionContext::recordGraph() {
  INLAY_TRY(device().beginGraph(stream_), "recording a graph");
  Status steps = runSteps(stream_);
  Result<Graph> graph = device().endGraph(stream_);
  if (!steps.isOk()) {
    if (graph.isOk())
      device().destroyGraph(*graph);
    return std::move(steps).withContext("recording a graph");
  }
  if (!graph.isOk())
    return std::move(graph).status().withContext("recording a graph");
  ++statistics_.numRecordings;
  return &graphs_.insert(graphKey_, *graph, statistics_.numLaunches);
}

Status ExecutionContext::runStep(const ReadyStep &step, Stream stream) {
  if (step.kind == ReadyStep::Kind::Launch) {
    ++statistics_.numLaunches;
    return device().launch(step.launch, stream);
  }
  if (step.kind == ReadyStep::Kind::HostCall)
    return device().runsWork()
               ? hostCalls_.run(step.hostCall, device().takesCallerStreams() ? stream : nullptr)
               : Status();
  if (step.kind == ReadyStep::Kind::ReadSize)
    return readSize(*step.readSize, stream);
  if (addresses_[step.target] == addresses_[step.source])
    return {}; // an output that is bound to the memory of the input that it updates
  return device().copy(addresses_[step.target], addresses_[step.source],
                       static_cast<uint64_t>(bufferSizes_[step.target]),
                       CopyDirection::DeviceToDevice, stream);
}

Status ExecutionContext::runSteps(Stream stream) {
  statistics_.numLaunches = 0;
  if (areSizesRead_)
    INLAY_TRY(resetSizes());
  const std::span<const ReadyStep> steps = table_.steps();
  for (uint32_t i = 0; i < steps.size(); ++i) {
    if (steps[i].isSkipped)
      continue;
    Status status = runStep(steps[i], stream);
    if (isLaunchBlocking_ && status.isOk())
      status = device().synchronize(stream);
    if (profiler_ && status.isOk()) [[unlikely]]
      status = profileStep(i, stream);
    if (guards_ && status.isOk())
      status = checkStep(stream);
    if (!status.isOk()) [[unlikely]]
      return std::move(status).withContext("running " + table_.describe(i));
  }
  return {};
}

Result<double> ExecutionContext::measureUs(uint32_t count) {
  if (count == 0)
    return invalidArgument("a measurement of 0 runs was asked for; expected 1 or more");
  Device &dev = device();
  if (profiler_)
    return failedPrecondition("a context with a profiler cannot measure: the profile would be in "
                              "the times");
  INLAY_TRY(run(nullptr)); // all is prepared, and staged inputs are there
  INLAY_ASSIGN(const Event start, dev.createEvent());
  Result<Event> end = dev.createEvent();
  if (!end.isOk()) {
    dev.destroyEvent(start);
    return std::move(end).status();
  }
  Status outcome = dev.record(start, stream_);
  for (uint32_t i = 0; i < count && outcome.isOk(); ++i)
    outcome = enqueue(stream_);
  if (outcome.isOk())
    outcome = dev.record(*end, stream_);
  Result<double> elapsed = outcome.isOk() ? dev.elapsedUs(start, *end) : Result<double>(outcome);
  dev.destroyEvent(start);
  dev.destroyEvent(*end);
  INLAY_ASSIGN(const double total, std::move(elapsed));
  return total / count;
}

Status ExecutionContext::synchronize() {
  INLAY_TRY(device().makeCurrent());
  return device().synchronize(stream_);
}

} // namespace inlay
