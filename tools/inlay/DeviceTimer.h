// Measures engines on a device of this machine, for builds.
#pragma once

#include "compiler/driver/EngineTimer.h"
#include "runtime/devices/Device.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::tools {

/// Runs engines at the sizes that they are tuned for, on tensors of its own: floats are random
/// numbers from -1 to 1, everything else is 0.
class DeviceTimer final : public EngineTimer {
public:
  /// `device` as users write it. Errors: those of opening the device.
  static Result<std::unique_ptr<DeviceTimer>> create(std::string_view device);

  std::string family() const override;
  std::string target() const override { return info_.target; }
  std::string deviceName() const override { return info_.name; }
  std::string libraryVersion() const override;
  Result<double> measureUs(std::span<const std::byte> engine) override;

private:
  explicit DeviceTimer(DeviceInfo info) : info_(std::move(info)) {}
  DeviceInfo info_;
  mutable std::optional<std::string> libraryVersion_; // once it was asked for
};

} // namespace inlay::tools
