// Measured times of tactics, kept in a file between builds.
#pragma once

#include "base/Status.h"
#include "compiler/driver/EngineTimer.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// Times by device and by the hash of what was measured: an engine's bytes, which hold the machine
/// code, the values of all arguments, the grid and the shapes; and by the version of the library
/// that it calls, if it calls one, whose code is not in these bytes. Many processes may use one
/// file: it is replaced as a whole, and what others have added meanwhile is kept. Not thread-safe.
class TimingCache {
public:
  /// Reads a file; one that is not there is an empty cache unless `mustExist`. Errors: NotFound;
  /// DataLoss, naming the file, for one that is no timing cache, which is left as it is.
  static Result<TimingCache> open(const std::string &path, bool mustExist = false);

  const std::string &path() const { return path_; }
  /// The devices with times, sorted.
  std::vector<std::string> devices() const;
  /// "cuda" or "cpu" of a device with times; empty for others.
  std::string familyOf(const std::string &device) const;
  /// The best target for it, "cuda:sm_90a".
  std::string targetOf(const std::string &device) const;
  /// All times of a device, one a line, sorted.
  std::string timesOf(const std::string &device) const;

  /// Null if there is none.
  const double *find(const std::string &device, const std::string &key) const;
  /// A time of the device that `timer` measures on.
  void insert(const EngineTimer &timer, const std::string &key, double us);
  /// Adds what was inserted to the file. Errors: of the file system; DataLoss as in open.
  Status save();

  /// The last of a device's times under an engine's key, of whatever version of a library. Null if
  /// there is none.
  const double *findAnyVersion(const std::string &device, const std::string &key) const;

  /// The key of an engine, but for the version of a library.
  static std::string keyOf(std::span<const std::byte> engine);

private:
  struct Device {
    std::string family, target;
    std::map<std::string, double> us; // by key
  };
  explicit TimingCache(std::string path) : path_(std::move(path)) {}
  Status read(std::string_view text);

  std::string path_;
  std::map<std::string, Device> devices_;
  bool isChanged_ = false;
};

/// Takes times from a cache, and measures and inserts those that it lacks. Times of libraries whose
/// version the timer does not know are measured each time.
class CachingTimer final : public EngineTimer {
public:
  /// Both are borrowed.
  CachingTimer(TimingCache &cache, EngineTimer &timer) : cache_(cache), timer_(timer) {}
  std::string family() const override { return timer_.family(); }
  std::string target() const override { return timer_.target(); }
  std::string deviceName() const override { return timer_.deviceName(); }
  bool mayFail() const override { return timer_.mayFail(); }
  std::string libraryVersion() const override { return timer_.libraryVersion(); }
  Result<double> measureUs(std::span<const std::byte> engine) override;

private:
  TimingCache &cache_;
  EngineTimer &timer_;
};

/// Takes times of a device that need not be there from a cache; what it lacks is an error
/// (NotFound, naming device and file).
class RecordedTimer final : public EngineTimer {
public:
  /// The cache is borrowed. Errors: NotFound naming the devices that it has times of.
  static Result<RecordedTimer> create(const TimingCache &cache, std::string device);
  std::string family() const override { return cache_->familyOf(device_); }
  std::string target() const override { return cache_->targetOf(device_); }
  std::string deviceName() const override { return device_; }
  /// With all times of the device: they alone decide.
  std::string identity() const override;
  bool mayFail() const override { return false; }
  Result<double> measureUs(std::span<const std::byte> engine) override;

private:
  RecordedTimer(const TimingCache &cache, std::string device)
      : cache_(&cache), device_(std::move(device)) {}
  const TimingCache *cache_;
  std::string device_;
};

} // namespace inlay
