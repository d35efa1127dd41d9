#include "runtime/devices/cuda/CudaImage.h"

#include <fmt/format.h>

#include <charconv>

namespace inlay {

std::optional<CudaArchitecture> parseCudaTarget(std::string_view target) {
  constexpr std::string_view prefix = "cuda:sm_";
  if (!target.starts_with(prefix))
    return std::nullopt;
  target.remove_prefix(prefix.size());
  int number = 0;
  const char *end = target.data() + target.size();
  const auto [stop, error] = std::from_chars(target.data(), end, number);
  const std::string_view suffix(stop, static_cast<size_t>(end - stop));
  if (error != std::errc() || number < 10 || (suffix != "" && suffix != "a" && suffix != "f"))
    return std::nullopt;
  return CudaArchitecture{number / 10, number % 10, !suffix.empty()};
}

const fb::Image *chooseCudaImage(const fb::Kernel &kernel, int major, int minor) {
  const fb::Image *best = nullptr;
  int bestRank = -1;
  for (const fb::Image *image : *kernel.images()) {
    const auto architecture = parseCudaTarget(image->target()->string_view());
    if (!architecture || image->format() == fb::ImageFormat::X86SharedObject)
      continue;
    const bool isCubin = image->format() == fb::ImageFormat::Cubin;
    const bool isExact = architecture->major == major && architecture->minor == minor;
    const bool isOlder = architecture->major < major ||
                         (architecture->major == major && architecture->minor <= minor);
    if (!isExact &&
        (architecture->isSpecific || !isOlder || (isCubin && architecture->major != major)))
      continue;
    const int rank = (isCubin ? 100000 : 0) + 2 * (architecture->major * 10 + architecture->minor) +
                     (architecture->isSpecific ? 1 : 0);
    if (rank > bestRank) {
      best = image;
      bestRank = rank;
    }
  }
  return best;
}

std::string cudaTargetName(int major, int minor) {
  return fmt::format("cuda:sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

} // namespace inlay
