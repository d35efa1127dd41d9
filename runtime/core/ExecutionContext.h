// Runs an engine on a device: bindings, planned memory, a stream.
#pragma once

#include "runtime/core/Engine.h"
#include "runtime/core/GraphCache.h"
#include "runtime/core/GuardedBuffers.h"
#include "runtime/core/HostCallTable.h"
#include "runtime/core/LaunchTable.h"
#include "runtime/core/ShapeEvaluation.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A tensor in the caller's memory. The shape is read during the call only.
struct TensorBinding {
  void *data = nullptr;
  DataType dtype = DataType::Float32;
  std::span<const int64_t> shape;
  bool isOnDevice = false;
};

/// How a context runs; see inlay_context_options_t.
struct ContextOptions {
  int32_t numThreads = 0; // matters to the CPU only, 0 is its default
  uint32_t maxGraphs = 0; // recorded runs to keep; 0: none is recorded
  bool isDebug = false;   // guards around all memory, and a look at it after each step
  uint32_t profile = 0;   // the engine's profile to run in, counted from 1; 0: its whole range
};

/// Where an output of a run goes; see inlay_output_request_t.
struct OutputPlace {
  void *data = nullptr;
  bool isOnDevice = false;
};
/// Asked for an output's place once its shape is known.
using OutputAllocator = std::function<Result<OutputPlace>(
    const TensorDescription &output, std::span<const int64_t> shape, uint64_t sizeBytes)>;

struct ContextStatistics {
  uint64_t plannedBytes = 0;
  uint64_t allocatedBytes = 0;
  /// What the engine on this device and this context need at the current shapes: constants, state,
  /// intermediates, staged tensors, scratch memory, that of libraries on the CPU.
  uint64_t neededBytes = 0;
  uint64_t numPlans = 0;
  uint64_t numLaunches = 0;
  uint64_t numRecordings = 0;
};

/// Used by one thread at a time; contexts of one engine are independent.
class ExecutionContext {
public:
  /// `deviceName` as users write it. Errors: InvalidArgument for options that the device cannot
  /// follow, naming both.
  static Result<std::unique_ptr<ExecutionContext>> create(std::shared_ptr<Engine> engine,
                                                          std::string_view deviceName,
                                                          const ContextOptions &options = {});
  ~ExecutionContext();

  /// Binds input or output `index`, which exists. Errors: InvalidArgument, OutOfRange, naming
  /// tensor, found and expected; the earlier binding stays.
  Status bindInput(uint32_t index, const TensorBinding &binding);
  Status bindOutput(uint32_t index, const TensorBinding &binding);
  /// Has an output's place asked for in each run, when its shape is known, instead of a bound
  /// tensor; null ends that. The run then allocates what the function does, and the context holds
  /// memory of its own for the output.
  void setOutputAllocator(uint32_t index, OutputAllocator allocator);
  /// Shape of output `index` from the bound inputs. If it depends on data: of the last run if no
  /// input was bound since, else its bound.
  Result<BoundShape> outputShape(uint32_t index);
  /// The shape that must be bound for output `index`: outputShape with the largest sizes that its
  /// kernels can compute.
  Result<BoundShape> outputBound(uint32_t index);
  /// Runs once; see inlay_context_run.
  Status run(Stream callerStream);
  Status synchronize();
  /// Gives the engine's state its first values again, after the work in the context's stream.
  /// Errors: DeviceError.
  Status resetState();
  /// Runs `count` times on the own stream without waiting in between; gives the device's average
  /// time of one run in microseconds, without copies of staged tensors.
  Result<double> measureUs(uint32_t count);

  /// Calls back for each step of each run, after the run; null ends that. Runs are then waited for,
  /// and no graphs are launched. Errors: DeviceError.
  Status setProfiler(ProfileCallback callback);

  Stream stream() const { return stream_; }
  const std::string &deviceName() const { return deviceName_; }
  const Engine &engine() const { return *engine_; }
  const ContextStatistics &statistics() const { return statistics_; }
  /// Runs that are held as graphs.
  size_t numGraphs() const { return graphs_.size(); }
  Device &device() const { return deviceEngine_->device(); }

private:
  /// An input or output and what is bound to it.
  struct Slot {
    const TensorDescription *description = nullptr;
    bool isInput = false;
    bool isBound = false;
    bool isOnHost = false; // what is bound is host memory
    bool isStaged = false; // the device works on memory of its own
    void *data = nullptr;
    BoundShape shape;
    uint64_t sizeBytes = 0;
    void *staging = nullptr;
    uint64_t stagingCapacityBytes = 0;
    OutputAllocator allocator; // instead of `data`
  };

  ExecutionContext(std::shared_ptr<Engine> engine, std::shared_ptr<DeviceEngine> deviceEngine,
                   LaunchTable table, const ContextOptions &options);
  static Status checkOptions(const ContextOptions &options, const Engine &engine,
                             const Device &device);
  Status prepareKernels();
  Status allocateState();
  /// Allocates what the largest shapes of the profile need, so that no later shape has to.
  Status reserveForProfile();
  Status bind(Slot &slot, const TensorBinding &binding);
  Status evaluateShapes();
  Status prepare();
  Status checkOutputs();
  Status prepareAllocated(Slot &slot, const BoundShape &shape);
  Result<BoundShape> evaluatedOutputShape(uint32_t index) const;
  Status resetSizes();
  Status applySizes();
  Status readSize(const fb::ReadSize &read, Stream stream);
  Status copyToAllocated(Slot &slot, Stream stream);
  Status computeBufferSizes();
  /// In bytes; negative if the engine's expression is.
  int64_t sizeOfBuffer(uint32_t buffer) const;
  Status planArena();
  uint64_t neededBytes() const;
  Status reserve(void *&memory, uint64_t &capacityBytes, uint64_t sizeBytes);
  void *addressOf(const Slot &slot) const { return slot.isStaged ? slot.staging : slot.data; }
  Status copyStaged(std::span<Slot> slots, CopyDirection direction, Stream stream);
  /// Puts the steps into the stream, one by one or as a graph.
  Status enqueue(Stream stream);
  Status enqueueGraph(Stream stream);
  Result<const GraphCache::Recording *> recordGraph();
  void selectGraph();
  Status runSteps(Stream stream);
  Status runStep(const ReadyStep &step, Stream stream);
  /// Why runs of this engine cannot be recorded; empty if they can.
  static std::string whyNotRecorded(const Engine &engine);
  Status runStaged(Stream stream);
  Status runProfiled(Stream stream);
  Status profileStep(uint32_t step, Stream stream);
  Status profileCopy(const Slot &slot, Stream stream);
  Status checkStep(Stream stream);
  Status checkInputsAreUnchanged(Stream stream);
  Status refuseOnCallersStream(Stream stream);

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<DeviceEngine> deviceEngine_;
  Stream stream_ = nullptr;
  std::string deviceName_;
  uint32_t profile_ = 0;
  bool isLaunchBlocking_ = false;

  std::vector<Slot> inputs_, outputs_;
  ShapeEvaluation shapes_;
  LaunchTable table_;
  HostCallTable hostCalls_;
  std::vector<BoundShape> inputShapes_;
  std::vector<int64_t> bufferSizes_;
  std::vector<int64_t> plannedSizes_;      // of buffers, with the bounds of sizes that are computed
  bool areSizesRead_ = false;              // expressions, grids and sizes hold what a run computed
  bool areSizesOfBoundInputs_ = true;      // no input was bound since
  std::vector<void *> addresses_;          // per buffer
  std::unique_ptr<GuardedBuffers> guards_; // debug mode: the memory of all buffers
  /// Memory that keeps its bytes between runs.
  struct State {
    uint32_t buffer = 0;
    void *memory = nullptr;
    uint64_t sizeBytes = 0;
  };
  std::vector<State> states_;
  void *arena_ = nullptr;
  uint64_t arenaCapacityBytes_ = 0;
  uint64_t scratchBytes_ = 0;   // of the stream
  bool areShapesKnown_ = false; // the expressions belong to the bound inputs
  bool isReady_ = false;        // so do memory plan and launches, and all is bound
  bool hasStaged_ = false;
  ProfileCallback profileCallback_;
  std::unique_ptr<StepProfiler> profiler_; // while there is a callback
  std::vector<ProfiledStep> profiledSteps_;
  uint64_t numProfiledRuns_ = 0;
  GraphCache graphs_;
  std::vector<int64_t> graphKey_; // as long as it ever gets
  ContextStatistics statistics_;
};

} // namespace inlay
