#include "compiler/driver/TimingCache.h"

#include "base/Error.h"
#include "base/File.h"
#include "engine/EngineFile.h"

#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <iterator>

namespace inlay {
namespace {

constexpr const char *kFormatKey = "inlay_timing_cache";
constexpr int kFormatVersion = 1;
/// Between an engine's key and the version of the library that it calls.
constexpr char kVersionSeparator = ' ';

bool callsLibrary(std::span<const std::byte> engine) {
  EngineHeader header;
  if (engine.size() < sizeof(header))
    return false;
  std::memcpy(&header, engine.data(), sizeof(header));
  return (header.flags & kLibraryFunctionsFlag) != 0;
}

} // namespace

Result<TimingCache> TimingCache::open(const std::string &path, bool mustExist) {
  TimingCache cache(path);
  std::error_code error;
  if (!mustExist && !std::filesystem::exists(path, error))
    return cache;
  INLAY_ASSIGN(const std::string text, readFile(path), "reading the timing cache");
  INLAY_TRY(cache.read(text));
  return cache;
}

/// Adds the times of a file's text to those that are here, which count before them.
Status TimingCache::read(std::string_view text) {
  const auto damaged = [&](std::string_view what) {
    return dataLoss("'{}' is no timing cache: {}; delete it, or name another file", path_, what);
  };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return damaged("it is no JSON object");
  const auto version = json.find(kFormatKey);
  if (version == json.end() || !version->is_number_integer() || *version != kFormatVersion)
    return damaged(fmt::format("expected \"{}\": {}", kFormatKey, kFormatVersion));
  const auto devices = json.find("devices");
  if (devices == json.end() || !devices->is_object())
    return damaged("it has no object 'devices'");
  for (const auto &[name, from] : devices->items()) {
    const auto family = from.is_object() ? from.find("family") : from.end();
    const auto target = from.is_object() ? from.find("target") : from.end();
    const auto times = from.is_object() ? from.find("us") : from.end();
    if (!from.is_object() || family == from.end() || !family->is_string() || target == from.end() ||
        !target->is_string() || times == from.end() || !times->is_object())
      return damaged(fmt::format(
          "device '{}' lacks the texts 'family' and 'target' or the object 'us'", name));
    Device &device = devices_[name];
    device.family = family->get<std::string>();
    device.target = target->get<std::string>();
    for (const auto &[key, us] : times->items()) {
      if (!us.is_number() || !std::isfinite(us.get<double>()) || us.get<double>() < 0)
        return damaged(fmt::format("the time '{}' of device '{}' is no number from 0", key, name));
      device.us.emplace(key, us.get<double>());
    }
  }
  return {};
}

std::vector<std::string> TimingCache::devices() const {
  std::vector<std::string> names;
  for (const auto &[name, device] : devices_)
    names.push_back(name);
  return names;
}

std::string TimingCache::familyOf(const std::string &device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? "" : found->second.family;
}

std::string TimingCache::targetOf(const std::string &device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? "" : found->second.target;
}

std::string TimingCache::timesOf(const std::string &device) const {
  std::string text;
  if (const auto found = devices_.find(device); found != devices_.end())
    for (const auto &[key, us] : found->second.us)
      text += fmt::format("{} {}\n", key, us);
  return text;
}

const double *TimingCache::find(const std::string &device, const std::string &key) const {
  const auto found = devices_.find(device);
  if (found == devices_.end())
    return nullptr;
  const auto time = found->second.us.find(key);
  return time == found->second.us.end() ? nullptr : &time->second;
}

const double *TimingCache::findAnyVersion(const std::string &device, const std::string &key) const {
  const auto found = devices_.find(device);
  if (found == devices_.end())
    return nullptr;
  // Behind all that begin with the key and the separator.
  const auto end = found->second.us.lower_bound(key + static_cast<char>(kVersionSeparator + 1));
  if (end == found->second.us.begin())
    return nullptr;
  const auto &[last, us] = *std::prev(end);
  return last == key || last.starts_with(key + kVersionSeparator) ? &us : nullptr;
}

void TimingCache::insert(const EngineTimer &timer, const std::string &key, double us) {
  Device &of = devices_[timer.deviceName()];
  of.family = timer.family();
  of.target = timer.target();
  of.us.insert_or_assign(key, us);
  isChanged_ = true;
}

Status TimingCache::save() {
  if (!isChanged_)
    return {};
  std::error_code error;
  if (std::filesystem::exists(path_, error)) {
    INLAY_ASSIGN(const std::string text, readFile(path_), "reading the timing cache");
    INLAY_TRY(read(text));
  }
  nlohmann::json json{{kFormatKey, kFormatVersion}, {"devices", nlohmann::json::object()}};
  for (const auto &[name, device] : devices_)
    json["devices"][name] = {
        {"family", device.family}, {"target", device.target}, {"us", device.us}};
  INLAY_TRY(writeFileAtomically(
      path_, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
  isChanged_ = false;
  return {};
}

std::string TimingCache::keyOf(std::span<const std::byte> engine) {
  const XXH128_hash_t hash = XXH3_128bits(engine.data(), engine.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Result<double> CachingTimer::measureUs(std::span<const std::byte> engine) {
  std::string key = TimingCache::keyOf(engine);
  if (callsLibrary(engine)) {
    const std::string version = libraryVersion();
    if (version.empty())
      return timer_.measureUs(engine);
    key += kVersionSeparator + version;
  }
  if (const double *us = cache_.find(deviceName(), key))
    return *us;
  INLAY_ASSIGN(const double us, timer_.measureUs(engine));
  cache_.insert(timer_, key, us);
  return us;
}

Result<RecordedTimer> RecordedTimer::create(const TimingCache &cache, std::string device) {
  if (cache.familyOf(device).empty())
    return notFound("the timing cache '{}' has no times of device '{}'; it has those of: {}",
                    cache.path(), device,
                    cache.devices().empty() ? "none"
                                            : fmt::format("{}", fmt::join(cache.devices(), ", ")));
  return RecordedTimer(cache, std::move(device));
}

std::string RecordedTimer::identity() const {
  return EngineTimer::identity() + "\n" + cache_->timesOf(device_);
}

Result<double> RecordedTimer::measureUs(std::span<const std::byte> engine) {
  if (const double *us = cache_->findAnyVersion(device_, TimingCache::keyOf(engine)))
    return *us;
  return notFound("the timing cache '{}' has no time of it on '{}', and may not be added to",
                  cache_->path(), device_);
}

} // namespace inlay
