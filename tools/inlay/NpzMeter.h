// Compares engines on the inputs of a .npz, for builds in half precision.
#pragma once

#include "compiler/driver/PrecisionMeter.h"

#include <string>

namespace inlay::tools {

/// Runs both engines once on one device.
class NpzMeter final : public PrecisionMeter {
public:
  /// `path` has the inputs by name, or as in_0, in_1, ….
  NpzMeter(std::string path, std::string device)
      : path_(std::move(path)), device_(std::move(device)) {}
  Result<std::vector<OutputError>> compare(std::span<const std::byte> reference,
                                           std::span<const std::byte> engine) override;

private:
  std::string path_, device_;
};

} // namespace inlay::tools
