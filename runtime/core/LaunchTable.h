// The launches and copies of an engine as records ready to run: addresses and values are written
// into them when bindings or shapes change, never by a run.
#pragma once

#include "runtime/core/Engine.h"
#include "runtime/core/ShapeEvaluation.h"
#include "runtime/core/StepProfiler.h"
#include "runtime/core/TacticTable.h"
#include "symbolic/FloatExpr.h"

#include <span>
#include <vector>

namespace inlay {

/// One step, ready to run.
struct ReadyStep {
  bool isSkipped = false; // it is empty, or of a tactic that is not taken
  bool isEmpty = false;
  enum class Kind : uint8_t { Launch, Copy, HostCall, ReadSize };
  Kind kind = Kind::Launch;
  LaunchRecord launch;
  uint32_t source = 0, target = 0; // of a copy, buffers
  uint32_t hostCall = 0;           // which of the engine's
  const fb::ReadSize *readSize = nullptr;
};

class LaunchTable {
public:
  /// `profile` is the context's, 0 for none. Errors: Unimplemented (a scalar argument of a type
  /// that cannot be passed).
  static Result<LaunchTable> create(const Engine &engine, const DeviceEngine &deviceEngine,
                                    uint32_t profile = 0);

  /// Decides which tactics these shapes allow, and has libraries make ready what launches of their
  /// functions on the stream need; before setShapes.
  void decideTactics(const ShapeEvaluation &shapes, Stream stream);
  /// False for memory that only tactics use which these shapes do not allow.
  bool needsBuffer(uint32_t buffer) const { return tactics_.needsBuffer(buffer); }
  /// Computes grids and scalar arguments of what may run. `bufferSizesBytes` has one entry per
  /// buffer and stays where it is. Errors: OutOfRange naming plugin, kernel, parameter and value;
  /// why a library cannot do what a launch of no tactic needs.
  Status setShapes(const ShapeEvaluation &shapes, std::span<const int64_t> bufferSizesBytes);
  /// Writes a buffer's address into all launches that take it.
  void setAddress(uint32_t buffer, void *address) {
    for (uint32_t i = usesBegin_[buffer]; i < usesBegin_[buffer + 1]; ++i)
      values_[uses_[i]] = reinterpret_cast<uint64_t>(address);
  }

  /// Takes tactics by shapes and by the addresses of all buffers; after both have been set.
  void selectTactics(std::span<void *const> addresses);
  /// True if selectTactics must follow where this buffer's address changes.
  bool dependsOnAddress(uint32_t buffer) const { return tactics_.dependsOnAddress(buffer); }

  /// What libraries hold for the launches that are ready.
  uint64_t libraryBytes() const;

  std::span<const ReadyStep> steps() const { return steps_; }
  /// Names plugin, node, kernel, grid, block and arguments of a launch, for messages.
  std::string describe(uint32_t step) const;
  /// What a step is, for a profile; its run, index and times are the caller's.
  ProfiledStep profile(uint32_t step) const;
  /// "input 'x' (1200 bytes)", "intermediate 3 (64 bytes)".
  std::string describeBuffer(uint32_t buffer) const;

private:
  LaunchTable(const Engine &engine, const DeviceEngine &deviceEngine, uint32_t profile)
      : engine_(&engine), device_(&deviceEngine.device()), tactics_(engine, deviceEngine, profile) {
  }
  /// A launch of a library's function.
  struct LibraryLaunch {
    uint32_t step = 0;
    const fb::Launch *launch = nullptr;
    Status whyNever;             // it cannot be called in this context, whatever the sizes
    std::vector<uint64_t> sizes; // the scalar arguments that `call` or `outcome` is for
    Status outcome;
    std::unique_ptr<PreparedCall> call;
  };
  Status addLaunch(const fb::Launch &launch, const DeviceEngine &deviceEngine, ReadyStep &step);
  Status addLibraryLaunch(const fb::Launch &launch, const DeviceEngine &deviceEngine);
  /// Makes the call ready, unless it is already for these sizes. Allocates nothing then.
  const Status &prepareLibraryLaunch(LibraryLaunch &library, const ShapeEvaluation &shapes,
                                     Stream stream);
  bool isTacticReady(uint32_t choice, uint32_t tactic, const ShapeEvaluation &shapes,
                     Stream stream);
  void indexUses();
  Status setGrid(uint32_t step, const fb::Launch &launch, const ShapeEvaluation &shapes);
  /// The launch's own block and shared memory, if it has any.
  Status setBlock(uint32_t step, const fb::Launch &launch, const ShapeEvaluation &shapes);
  Status setScalars(uint32_t step, const fb::Launch &launch, const ShapeEvaluation &shapes);
  /// Values of all float expressions.
  void evaluateFloats(const ShapeEvaluation &shapes);

  const Engine *engine_; // outlives the table
  Device *device_;       // likewise
  TacticTable tactics_;
  std::span<const int64_t> bufferSizesBytes_;
  std::vector<ReadyStep> steps_;
  std::vector<LibraryLaunch> libraryLaunches_;
  std::vector<FloatInstruction> floats_;
  std::vector<double> floatValues_;
  std::vector<uint32_t> firstValue_; // per step, index into values_
  std::vector<uint64_t> values_;     // all argument values, 8 bytes each; never resized once filled
  std::vector<void *> pointers_;     // to them
  std::vector<uint32_t> usesBegin_, uses_; // per buffer, the values that are its address
};

} // namespace inlay
