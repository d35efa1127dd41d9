// Who measures engines for a build: the tools do, on devices that are present.
#pragma once

#include "base/Status.h"

#include <cstddef>
#include <span>
#include <string>

namespace inlay {

/// Measures engines on one device. Used by one thread.
class EngineTimer {
public:
  virtual ~EngineTimer() = default;
  /// "cuda" or "cpu": whose targets' code runs there.
  virtual std::string family() const = 0;
  /// The best target to build for, "cuda:sm_90a"; empty if that is not known.
  virtual std::string target() const = 0;
  /// What the device is, as timing caches name it: "NVIDIA H200".
  virtual std::string deviceName() const = 0;
  /// What its times depend on, so that builds with the same may share an engine.
  virtual std::string identity() const { return family() + " " + deviceName(); }
  /// The versions of the libraries of others that engines call on the device, "oneDNN 3.5.3" or
  /// "cuBLASLt 13.1.0, cuDNN 9.19.0"; empty if they are not known, or there is none. Asked for
  /// engines that call one.
  virtual std::string libraryVersion() const { return ""; }
  /// True if a tactic that cannot be measured may be passed over.
  virtual bool mayFail() const { return true; }
  /// Device time of one run of an engine at the sizes that it is tuned for, in microseconds. What
  /// its inputs hold is the timer's choice. Errors: those of loading and running it.
  virtual Result<double> measureUs(std::span<const std::byte> engine) = 0;
};

} // namespace inlay
