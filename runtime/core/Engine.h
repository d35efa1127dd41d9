// A loaded engine: the verified file, what its tensors look like, and its code on each device in
// use.
#pragma once

#include "base/DataType.h"
#include "engine/EngineFile.h"
#include "engine/Refit.h"
#include "runtime/core/HostFunctionTable.h"
#include "runtime/devices/Device.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace inlay {

/// One dimension of an input or output.
struct DimDescription {
  int64_t size = -1; // -1: known only at run time
  int64_t min = 0, opt = 0, max = 0;
  const char *symbol = nullptr; // inside the engine file; null if fixed or computed
};

/// An input or output. The pointers go into the engine file.
struct TensorDescription {
  std::string_view name;
  DataType dtype = DataType::Float32;
  uint32_t buffer = 0;
  std::vector<DimDescription> dims;
  bool dependsOnData = false; // its shape needs a size that a kernel computes
};

/// Bytes of constants and state in place of the engine file's, by buffer.
using NewConstants = std::map<uint32_t, std::vector<std::byte>>;

/// An engine's code and constants on one device. The constants of an engine that can be refitted
/// lie in memory of the device, whose addresses stay; all else is immutable.
class DeviceEngine {
public:
  /// Loads all kernels and constants. Errors: those of createDevice and Device::loadKernel.
  static Result<std::shared_ptr<DeviceEngine>>
  create(const EngineFile &file, const std::string &deviceName, const NewConstants &newConstants);
  ~DeviceEngine();

  /// Overwrites constants, and waits; no run may use them meanwhile. Errors: DeviceError.
  Status replaceConstants(const NewConstants &newConstants);

  Device &device() const { return *device_; }
  /// Null for a function of a library that cannot be called here.
  const LoadedKernel *findKernel(uint32_t index) const { return kernels_[index].get(); }
  /// Why findKernel gives null.
  const Status &whyMissing(uint32_t index) const { return whyMissing_[index]; }
  /// Address of a constant buffer on the device, or of the bytes that state begins with; null for
  /// other buffers and for empty ones.
  void *constant(uint32_t buffer) const { return constants_[buffer]; }
  /// Of the constants that are not used where the engine file is mapped.
  uint64_t ownedBytes() const { return ownedBytes_; }

private:
  explicit DeviceEngine(std::unique_ptr<Device> device) : device_(std::move(device)) {}
  Status loadConstants(const EngineFile &file, const NewConstants &newConstants);

  std::unique_ptr<Device> device_;
  std::vector<std::unique_ptr<LoadedKernel>> kernels_;
  std::vector<Status> whyMissing_; // per kernel
  std::vector<void *> constants_;  // per buffer
  std::vector<void *> owned_;      // allocated on the device
  uint64_t ownedBytes_ = 0;
};

/// A loaded engine. Safe to share between threads; contexts hold it.
class Engine {
public:
  /// Errors: NotFound, Incompatible (functions of the process that it calls).
  static Result<std::shared_ptr<Engine>> create(EngineFile file);

  const EngineFile &file() const { return file_; }
  const fb::Engine &metadata() const { return file_.engine(); }
  const HostFunctionTable &hostFunctions() const { return hostFunctions_; }
  const std::vector<TensorDescription> &inputs() const { return inputs_; }
  const std::vector<TensorDescription> &outputs() const { return outputs_; }

  /// The engine's code on a device, loaded by the first call and kept until the engine is gone.
  /// `deviceName` is canonical.
  Result<std::shared_ptr<DeviceEngine>> onDevice(const std::string &deviceName);

  /// Replaces weights on all devices, for contexts that are there and those to come; while no
  /// context runs. State begins with new bytes where it is reset and in new contexts. Errors: those
  /// of matchWeights, after which nothing is changed; DeviceError.
  Status refit(std::span<const NewWeight> weights, bool isComplete);

private:
  explicit Engine(EngineFile file) : file_(std::move(file)) {}
  void describeTensors();

  EngineFile file_;
  HostFunctionTable hostFunctions_;
  std::vector<TensorDescription> inputs_, outputs_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<DeviceEngine>> devices_;
  NewConstants newConstants_; // for devices that are opened later
};

} // namespace inlay
