#include "runtime/core/LaunchTable.h"

#include "base/Error.h"
#include "base/Log.h"
#include "engine/ComputedSizes.h"
#include "engine/LibraryFunctions.h"
#include "runtime/core/ArgumentValue.h"

#include <array>

namespace inlay {
namespace {

constexpr int64_t kMaxGrid[3] = {INT32_MAX, 65535, 65535};
constexpr int64_t kMaxBlock[3] = {1024, 1024, 64};
constexpr int64_t kMaxThreads = 1024; // of a block
constexpr uint32_t kAbsent = UINT32_MAX;
constexpr std::array<uint32_t, 3> kNoBlock{};
constexpr const char *kGridNames[3] = {"x", "y", "z"};

std::string_view textOf(const flatbuffers::String *text) {
  return text ? text->string_view() : std::string_view("");
}

std::string nameLaunch(const Engine &engine, const fb::Launch &launch) {
  const std::string_view plugin = textOf(launch.plugin()), node = textOf(launch.node());
  std::string name = fmt::format(
      "kernel '{}'", engine.metadata().kernels()->Get(launch.kernel())->name()->string_view());
  if (!plugin.empty())
    name += fmt::format(" of plugin '{}'", plugin);
  if (!node.empty())
    name += fmt::format(" (node '{}')", node);
  if (launch.choice() != kAbsent)
    name += fmt::format(", tactic '{}'", engine.metadata()
                                             .choices()
                                             ->Get(launch.choice())
                                             ->tactics()
                                             ->Get(launch.tactic())
                                             ->name()
                                             ->string_view());
  return name;
}

/// Constants that a refit cannot replace.
bool isUnchanging(const fb::Engine &engine, uint32_t buffer) {
  return engine.buffers()->Get(buffer)->kind() == fb::BufferKind::Constant && !engine.weights();
}

std::string nameParameter(const fb::Parameter &parameter, uint32_t index) {
  return parameter.name() && parameter.name()->size()
             ? fmt::format("parameter '{}'", parameter.name()->string_view())
             : fmt::format("parameter {}", index);
}

} // namespace

Result<LaunchTable> LaunchTable::create(const Engine &engine, const DeviceEngine &deviceEngine,
                                        uint32_t profile) {
  LaunchTable table(engine, deviceEngine, profile);
  const auto &steps = *engine.metadata().steps();
  size_t numValues = 0;
  uint32_t numHostCalls = 0;
  for (const fb::Step *step : steps)
    if (const fb::Launch *launch = step->kind_as_Launch())
      numValues += launch->arguments()->size();
  table.values_.reserve(numValues); // so that pointers into it stay
  table.pointers_.reserve(numValues);
  if (const auto *floats = engine.metadata().float_expressions())
    for (const fb::FloatInstruction *f : *floats)
      table.floats_.push_back(
          {static_cast<FloatKind>(f->kind()), f->a(), f->b(), f->c(), f->value()});
  table.floatValues_.resize(table.floats_.size());
  for (const fb::Step *step : steps) {
    ReadyStep ready;
    table.firstValue_.push_back(static_cast<uint32_t>(table.values_.size()));
    if (const fb::Launch *launch = step->kind_as_Launch()) {
      INLAY_TRY(table.addLaunch(*launch, deviceEngine, ready));
    } else if (const fb::Copy *copy = step->kind_as_Copy()) {
      ready.kind = ReadyStep::Kind::Copy;
      ready.source = copy->source();
      ready.target = copy->target();
    } else if (const fb::ReadSize *read = step->kind_as_ReadSize()) {
      ready.kind = ReadyStep::Kind::ReadSize;
      ready.readSize = read;
    } else {
      ready.kind = ReadyStep::Kind::HostCall;
      ready.hostCall = numHostCalls++;
    }
    table.steps_.push_back(ready);
  }
  table.indexUses();
  return table;
}

Status LaunchTable::addLaunch(const fb::Launch &launch, const DeviceEngine &deviceEngine,
                              ReadyStep &step) {
  const auto &parameters = *engine_->metadata().kernels()->Get(launch.kernel())->parameters();
  step.launch.kernel = deviceEngine.findKernel(launch.kernel());
  if (isLibraryFunction(*engine_->metadata().kernels()->Get(launch.kernel())))
    INLAY_TRY(addLibraryLaunch(launch, deviceEngine));
  step.launch.arguments = pointers_.data() + pointers_.size();
  for (uint32_t i = 0; i < parameters.size(); ++i) {
    const fb::Argument &argument = *launch.arguments()->Get(i);
    uint64_t value = 0;
    if (argument.kind() == fb::ArgumentKind::Float) {
      const auto dtype = static_cast<DataType>(parameters.Get(i)->dtype());
      if (!storeFloat(dtype, argument.value(), value))
        return unimplemented("{}: {} has type {}, which cannot be passed by value",
                             nameLaunch(*engine_, launch), nameParameter(*parameters.Get(i), i),
                             dataTypeName(dtype));
    }
    if (argument.kind() == fb::ArgumentKind::Buffer && i < 64 &&
        isUnchanging(engine_->metadata(), argument.index())) {
      value = reinterpret_cast<uint64_t>(deviceEngine.constant(argument.index()));
      step.launch.constantArguments |= uint64_t{1} << i;
    }
    values_.push_back(value);
    pointers_.push_back(&values_.back());
  }
  return {};
}

uint64_t LaunchTable::libraryBytes() const {
  uint64_t sum = 0;
  for (const LibraryLaunch &library : libraryLaunches_)
    sum += library.call ? library.call->memoryBytes() : 0;
  return sum;
}

Status LaunchTable::addLibraryLaunch(const fb::Launch &launch, const DeviceEngine &deviceEngine) {
  LibraryLaunch library;
  library.step = static_cast<uint32_t>(steps_.size());
  library.launch = &launch;
  library.whyNever = deviceEngine.whyMissing(launch.kernel());
  library.sizes.reserve(launch.arguments()->size());
  const std::vector<uint32_t> computed = lastComputedSymbols(engine_->metadata());
  for (const fb::Argument *argument : *launch.arguments())
    if (argument->kind() == fb::ArgumentKind::Expression && computed[argument->index()] != 0)
      library.whyNever = unimplemented("its sizes are computed during a run, when nothing can be "
                                       "made ready");
  if (launch.choice() == kAbsent && !library.whyNever.isOk())
    return Status(library.whyNever).withContext("loading " + nameLaunch(*engine_, launch));
  libraryLaunches_.push_back(std::move(library));
  return {};
}

void LaunchTable::decideTactics(const ShapeEvaluation &shapes, Stream stream) {
  tactics_.setShapes(shapes, [&](uint32_t choice, uint32_t tactic) {
    return isTacticReady(choice, tactic, shapes, stream);
  });
  for (LibraryLaunch &library : libraryLaunches_)
    if (library.launch->choice() == kAbsent)
      (void)prepareLibraryLaunch(library, shapes, stream);
}

bool LaunchTable::isTacticReady(uint32_t choice, uint32_t tactic, const ShapeEvaluation &shapes,
                                Stream stream) {
  for (LibraryLaunch &library : libraryLaunches_) {
    if (library.launch->choice() != choice || library.launch->tactic() != tactic)
      continue;
    const Status &status = prepareLibraryLaunch(library, shapes, stream);
    INLAY_LOG(Runtime, Debug, "{}: {} ({})", nameLaunch(*engine_, *library.launch),
              status.isOk() ? "is ready" : "is not taken: " + status.message(),
              shapes.describeSymbols());
    if (!status.isOk())
      return false;
  }
  return true;
}

const Status &LaunchTable::prepareLibraryLaunch(LibraryLaunch &library,
                                                const ShapeEvaluation &shapes, Stream stream) {
  if (!library.whyNever.isOk())
    return library.whyNever;
  ReadyStep &step = steps_[library.step];
  step.isEmpty = false;
  Status sizes = setGrid(library.step, *library.launch, shapes);
  if (sizes.isOk())
    sizes = setScalars(library.step, *library.launch, shapes);
  if (!sizes.isOk() || step.isEmpty) {
    library.sizes.clear();
    library.outcome = std::move(sizes);
    return library.outcome;
  }
  const auto &arguments = *library.launch->arguments();
  bool isSame = library.sizes.size() > 0;
  size_t numSizes = 0;
  for (uint32_t i = 0; i < arguments.size(); ++i) {
    if (arguments.Get(i)->kind() == fb::ArgumentKind::Buffer)
      continue;
    const uint64_t value = values_[firstValue_[library.step] + i];
    if (numSizes == library.sizes.size())
      library.sizes.push_back(~value);
    isSame = isSame && library.sizes[numSizes] == value;
    library.sizes[numSizes++] = value;
  }
  if (isSame)
    return library.outcome;
  Result<std::unique_ptr<PreparedCall>> call = device_->prepareCall(step.launch, stream);
  library.outcome = call.isOk() ? Status() : call.status();
  library.call = call.isOk() ? std::move(*call) : nullptr;
  step.launch.call = library.call.get();
  return library.outcome;
}

void LaunchTable::indexUses() {
  const auto forEachUse = [&](auto &&visit) {
    for (uint32_t s = 0; s < steps_.size(); ++s)
      if (const fb::Launch *launch = engine_->metadata().steps()->Get(s)->kind_as_Launch())
        for (uint32_t i = 0; i < launch->arguments()->size(); ++i)
          if (const fb::Argument *argument = launch->arguments()->Get(i);
              argument->kind() == fb::ArgumentKind::Buffer)
            visit(argument->index(), firstValue_[s] + i);
  };
  usesBegin_.assign(engine_->metadata().buffers()->size() + 1, 0);
  forEachUse([&](uint32_t buffer, uint32_t) { ++usesBegin_[buffer + 1]; });
  for (size_t i = 1; i < usesBegin_.size(); ++i)
    usesBegin_[i] += usesBegin_[i - 1];
  std::vector<uint32_t> next(usesBegin_.begin(), usesBegin_.end() - 1);
  uses_.resize(usesBegin_.back());
  forEachUse([&](uint32_t buffer, uint32_t value) { uses_[next[buffer]++] = value; });
}

Status LaunchTable::setShapes(const ShapeEvaluation &shapes,
                              std::span<const int64_t> bufferSizesBytes) {
  bufferSizesBytes_ = bufferSizesBytes;
  evaluateFloats(shapes);
  for (const LibraryLaunch &library : libraryLaunches_)
    if (library.launch->choice() == kAbsent && !library.outcome.isOk())
      return Status(library.outcome)
          .withContext("preparing " + nameLaunch(*engine_, *library.launch));
  for (uint32_t s = 0; s < steps_.size(); ++s) {
    ReadyStep &step = steps_[s];
    if (step.kind == ReadyStep::Kind::Copy)
      step.isSkipped = bufferSizesBytes[step.target] == 0;
    if (step.kind != ReadyStep::Kind::Launch)
      continue;
    const fb::Launch &launch = *engine_->metadata().steps()->Get(s)->kind_as_Launch();
    // What is not taken for these shapes need not have a grid or arguments for them.
    step.isEmpty = step.isSkipped = !tactics_.mayRun(launch);
    if (step.isSkipped)
      continue;
    INLAY_TRY(setGrid(s, launch, shapes));
    uint32_t numBuffers = 0, numEmpty = 0;
    uint64_t workBytes = 0;
    for (const fb::Argument *argument : *launch.arguments())
      if (argument->kind() == fb::ArgumentKind::Buffer) {
        const int64_t sizeBytes = bufferSizesBytes[argument->index()];
        ++numBuffers;
        numEmpty += sizeBytes == 0;
        workBytes += static_cast<uint64_t>(sizeBytes);
      }
    step.launch.workBytes = workBytes;
    // A kernel all of whose tensors are empty has nothing to do.
    step.isEmpty = step.isEmpty || (numBuffers > 0 && numEmpty == numBuffers);
    step.isSkipped = step.isEmpty;
    if (!step.isEmpty) {
      INLAY_TRY(setBlock(s, launch, shapes));
      INLAY_TRY(setScalars(s, launch, shapes));
    }
  }
  return {};
}

void LaunchTable::selectTactics(std::span<void *const> addresses) {
  if (tactics_.isEmpty())
    return;
  tactics_.select(addresses);
  for (uint32_t s = 0; s < steps_.size(); ++s)
    if (const fb::Launch *launch = engine_->metadata().steps()->Get(s)->kind_as_Launch())
      steps_[s].isSkipped = steps_[s].isEmpty || !tactics_.runs(*launch);
}

Status LaunchTable::setGrid(uint32_t index, const fb::Launch &launch,
                            const ShapeEvaluation &shapes) {
  ReadyStep &step = steps_[index];
  for (uint32_t i = 0; i < 3; ++i) {
    const int64_t extent = shapes.value(launch.grid()->Get(i));
    if (extent < 0 || extent > kMaxGrid[i])
      return outOfRange("{}: its grid has {} programs in {}; possible are 0 to {} ({})",
                        nameLaunch(*engine_, launch), extent, kGridNames[i], kMaxGrid[i],
                        shapes.describeSymbols());
    step.launch.grid[i] = static_cast<uint32_t>(extent);
    step.isEmpty = step.isEmpty || extent == 0;
  }
  return {};
}

Status LaunchTable::setBlock(uint32_t index, const fb::Launch &launch,
                             const ShapeEvaluation &shapes) {
  LaunchRecord &record = steps_[index].launch;
  int64_t threads = 1;
  for (uint32_t i = 0; launch.block() && i < 3; ++i) {
    const int64_t extent = shapes.value(launch.block()->Get(i));
    if (extent < 1 || extent > kMaxBlock[i] || threads * extent > kMaxThreads)
      return outOfRange("{}: its block has {} threads in {}; possible are 1 to {}, and {} in all "
                        "({})",
                        nameLaunch(*engine_, launch), extent, kGridNames[i], kMaxBlock[i],
                        kMaxThreads, shapes.describeSymbols());
    threads *= extent;
    record.block[i] = static_cast<uint32_t>(extent);
  }
  if (launch.shared_bytes() != kAbsent) {
    const int64_t bytes = shapes.value(launch.shared_bytes());
    if (bytes < 0 || bytes > INT32_MAX)
      return outOfRange("{}: its shared memory has {} bytes; possible are 0 to {} ({})",
                        nameLaunch(*engine_, launch), bytes, INT32_MAX, shapes.describeSymbols());
    record.sharedBytes = static_cast<uint32_t>(bytes);
  }
  return {};
}

Status LaunchTable::setScalars(uint32_t index, const fb::Launch &launch,
                               const ShapeEvaluation &shapes) {
  const auto &parameters = *engine_->metadata().kernels()->Get(launch.kernel())->parameters();
  for (uint32_t i = 0; i < parameters.size(); ++i) {
    const fb::Argument &argument = *launch.arguments()->Get(i);
    const auto dtype = static_cast<DataType>(parameters.Get(i)->dtype());
    uint64_t &stored = values_[firstValue_[index] + i];
    if (argument.kind() == fb::ArgumentKind::FloatExpression) {
      const double value = floatValues_[argument.index()];
      if (!storeFiniteFloat(dtype, value, stored))
        return outOfRange("{}: {} is {}, no finite value of its type {} ({})",
                          nameLaunch(*engine_, launch), nameParameter(*parameters.Get(i), i), value,
                          dataTypeName(dtype), shapes.describeSymbols());
    }
    if (argument.kind() != fb::ArgumentKind::Expression)
      continue;
    const int64_t value = shapes.value(argument.index());
    if (!storeInteger(dtype, value, stored))
      return outOfRange("{}: {} is {}, beyond the range of its type {}, {}; its expression is {} "
                        "({})",
                        nameLaunch(*engine_, launch), nameParameter(*parameters.Get(i), i), value,
                        dataTypeName(dtype), integerRangeText(dtype),
                        shapes.describeExpression(argument.index()), shapes.describeSymbols());
  }
  return {};
}

void LaunchTable::evaluateFloats(const ShapeEvaluation &shapes) {
  for (size_t i = 0; i < floats_.size(); ++i)
    floatValues_[i] = floats_[i].kind == FloatKind::Integer
                          ? static_cast<double>(shapes.value(floats_[i].a))
                          : evaluateFloat(floats_[i], {}, floatValues_);
}

ProfiledStep LaunchTable::profile(uint32_t index) const {
  ProfiledStep step;
  const fb::Step &from = *engine_->metadata().steps()->Get(index);
  if (const fb::HostCall *call = from.kind_as_HostCall()) {
    step.kind = ProfiledStep::Kind::HostCall;
    step.name = step.plugin = call->function()->c_str();
    step.node = call->node() ? call->node()->c_str() : "";
    for (const auto *tensors : {call->inputs(), call->outputs()})
      for (const fb::HostTensor *tensor : *tensors)
        step.sizeBytes += static_cast<uint64_t>(bufferSizesBytes_[tensor->buffer()]);
    return step;
  }
  if (const fb::ReadSize *read = from.kind_as_ReadSize()) {
    step.kind = ProfiledStep::Kind::ReadSize;
    step.name = engine_->metadata().symbols()->Get(read->symbol())->name()->c_str();
    step.plugin = read->plugin() ? read->plugin()->c_str() : "";
    step.node = read->node() ? read->node()->c_str() : "";
    step.sizeBytes = static_cast<uint64_t>(bufferSizesBytes_[read->buffer()]);
    return step;
  }
  const fb::Launch *launch = from.kind_as_Launch();
  if (!launch) {
    step.kind = ProfiledStep::Kind::Copy;
    step.sizeBytes = static_cast<uint64_t>(bufferSizesBytes_[steps_[index].target]);
    return step;
  }
  const LaunchRecord &record = steps_[index].launch;
  step.name = engine_->metadata().kernels()->Get(launch->kernel())->name()->c_str();
  step.plugin = launch->plugin() ? launch->plugin()->c_str() : "";
  step.node = launch->node() ? launch->node()->c_str() : "";
  const std::array<uint32_t, 3> own = record.kernel ? record.kernel->block() : kNoBlock;
  for (size_t i = 0; i < 3; ++i) {
    step.grid[i] = record.grid[i];
    step.block[i] = record.block[0] ? record.block[i] : own[i];
  }
  step.sizeBytes = record.workBytes;
  return step;
}

std::string LaunchTable::describeBuffer(uint32_t index) const {
  const fb::Engine &engine = engine_->metadata();
  std::string name;
  for (const auto &[tensors, what] :
       {std::pair(engine.inputs(), "input"), std::pair(engine.outputs(), "output")})
    for (const fb::Tensor *tensor : *tensors)
      if (name.empty() && tensor->buffer() == index)
        name = fmt::format("{} '{}'", what, tensor->name()->string_view());
  if (name.empty())
    switch (engine.buffers()->Get(index)->kind()) {
    case fb::BufferKind::Constant:
      name = fmt::format("constant {}", index);
      break;
    case fb::BufferKind::State:
      name = fmt::format("state {}", index);
      break;
    case fb::BufferKind::Workspace:
      name = fmt::format("workspace {}", index);
      break;
    default:
      name = fmt::format("intermediate {}", index);
    }
  return index < bufferSizesBytes_.size()
             ? fmt::format("{} ({} bytes)", name, bufferSizesBytes_[index])
             : name;
}

std::string LaunchTable::describe(uint32_t index) const {
  const fb::Step &step = *engine_->metadata().steps()->Get(index);
  if (const fb::HostCall *call = step.kind_as_HostCall())
    return fmt::format("step {}, host function '{}' (node '{}')", index,
                       call->function()->string_view(), textOf(call->node()));
  if (const fb::ReadSize *read = step.kind_as_ReadSize())
    return fmt::format("step {}, the size '{}' that plugin '{}' computes (node '{}')", index,
                       engine_->metadata().symbols()->Get(read->symbol())->name()->string_view(),
                       textOf(read->plugin()), textOf(read->node()));
  const fb::Launch *launch = step.kind_as_Launch();
  if (!launch)
    return fmt::format("step {}, a copy", index);
  const LaunchRecord &record = steps_[index].launch;
  std::string text =
      fmt::format("step {}, {}, with grid {}x{}x{}", index, nameLaunch(*engine_, *launch),
                  record.grid[0], record.grid[1], record.grid[2]);
  const std::array<uint32_t, 3> own = record.kernel ? record.kernel->block() : kNoBlock;
  const uint32_t *block = record.block[0] ? record.block : own.data();
  if (block[0])
    text += fmt::format(", block {}x{}x{}", block[0], block[1], block[2]);
  text += " and arguments";
  const auto &parameters = *engine_->metadata().kernels()->Get(launch->kernel())->parameters();
  for (uint32_t i = 0; i < parameters.size(); ++i) {
    const std::string name = nameParameter(*parameters.Get(i), i).substr(sizeof("parameter"));
    const fb::Argument &argument = *launch->arguments()->Get(i);
    const uint64_t value = values_[firstValue_[index] + i];
    text += i ? "; " : " ";
    if (argument.kind() == fb::ArgumentKind::Buffer)
      text += fmt::format("{} = {:#x}, {}", name, value, describeBuffer(argument.index()));
    else if (argument.kind() == fb::ArgumentKind::Float)
      text += fmt::format("{} = {}", name, argument.value());
    else if (argument.kind() == fb::ArgumentKind::FloatExpression)
      text += fmt::format("{} = {}", name, floatValues_[argument.index()]);
    else
      text += fmt::format("{} = {}", name, value);
  }
  return text;
}

} // namespace inlay
