#include "tools/inlay-run/KernelProfile.h"

#include "tools/inlay-run/EngineRun.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace inlay::tools {

const char *stepKindName(inlay_step_kind_t kind) {
  static constexpr const char *kNames[] = {"launch",   "copy",      "copy in",
                                           "copy out", "host call", "read size"};
  return static_cast<size_t>(kind) < std::size(kNames) ? kNames[kind] : "step";
}

void KernelProfile::add(const inlay_profiled_step_t &step) {
  numRuns_ += step.index == 0;
  Row &row = rows_[Key(step.kind, step.name, step.plugin, step.node)];
  if (row.calls++ == 0) {
    row.name = step.name;
    row.plugin = step.plugin;
    row.node = step.node;
    row.kind = step.kind;
  }
  row.totalUs += step.end_us - step.begin_us;
}

double KernelProfile::totalUs() const {
  return std::accumulate(rows_.begin(), rows_.end(), 0.0,
                         [](double sum, const auto &row) { return sum + row.second.totalUs; });
}

std::vector<KernelProfile::Row> KernelProfile::rows() const {
  std::vector<Row> rows;
  for (const auto &[key, row] : rows_)
    rows.push_back(row);
  std::ranges::sort(rows, {}, [](const Row &row) {
    return std::tuple(-row.totalUs, row.name, row.node, row.plugin, row.kind);
  });
  return rows;
}

/// Rounds down, and gives what is missing to those that lost most.
std::vector<uint32_t> KernelProfile::sharesInTenths(const std::vector<Row> &rows) {
  constexpr uint32_t kWhole = 1000;
  const double total =
      std::accumulate(rows.begin(), rows.end(), 0.0,
                      [](double sum, const Row &row) { return sum + std::max(row.totalUs, 0.0); });
  std::vector<uint32_t> shares(rows.size());
  if (total <= 0)
    return shares;
  std::vector<double> lost(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const double exact = std::max(rows[i].totalUs, 0.0) / total * kWhole;
    shares[i] = static_cast<uint32_t>(exact);
    lost[i] = exact - shares[i];
  }
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(-lost[i], i); });
  const uint32_t sum = std::accumulate(shares.begin(), shares.end(), 0u);
  for (size_t i = 0; sum + i < kWhole && i < order.size(); ++i)
    ++shares[order[i]];
  return shares;
}

std::string KernelProfile::text() const {
  const std::vector<Row> sorted = rows();
  const std::vector<uint32_t> shares = sharesInTenths(sorted);
  size_t nameWidth = 6, nodeWidth = 4;
  const auto nameOf = [](const Row &row) {
    return row.kind == INLAY_STEP_LAUNCH ? row.name
           : row.name.empty()            ? stepKindName(row.kind)
                                         : fmt::format("{} {}", stepKindName(row.kind), row.name);
  };
  for (const Row &row : sorted) {
    nameWidth = std::max(nameWidth, nameOf(row).size());
    nodeWidth = std::max(nodeWidth, row.node.size());
  }
  const auto line = [&](const std::string &name, const std::string &node, const std::string &calls,
                        const std::string &total, const std::string &mean,
                        const std::string &share) {
    return fmt::format("    {:<{}}  {:<{}}  {:>7}  {:>12}  {:>10}  {:>6}\n", name, nameWidth, node,
                       nodeWidth, calls, total, mean, share);
  };
  std::string text = fmt::format("  profile of {} runs, device time in us\n", numRuns_) +
                     line("kernel", "node", "calls", "total", "mean", "share");
  for (size_t i = 0; i < sorted.size(); ++i)
    text +=
        line(nameOf(sorted[i]), sorted[i].node, std::to_string(sorted[i].calls),
             fmt::format("{:.2f}", sorted[i].totalUs), fmt::format("{:.2f}", sorted[i].meanUs()),
             fmt::format("{}.{}%", shares[i] / 10, shares[i] % 10));
  const uint64_t calls =
      std::accumulate(sorted.begin(), sorted.end(), uint64_t{0},
                      [](uint64_t sum, const Row &row) { return sum + row.calls; });
  const double perRun = numRuns_ ? totalUs() / static_cast<double>(numRuns_) : 0;
  return text + line("all", fmt::format("{:.2f} us a run", perRun), std::to_string(calls),
                     fmt::format("{:.2f}", totalUs()), "", totalUs() > 0 ? "100.0%" : "");
}

std::string KernelProfile::json() const {
  const double total = totalUs();
  std::string kernels;
  for (const Row &row : rows())
    kernels += fmt::format(
        "{}{{\"kernel\": {}, \"kind\": \"{}\", \"plugin\": {}, \"node\": {}, \"calls\": {}, "
        "\"total_us\": {:.3f}, \"mean_us\": {:.3f}, \"share\": {:.9f}}}",
        kernels.empty() ? "" : ", ", jsonString(row.name), stepKindName(row.kind),
        jsonString(row.plugin), jsonString(row.node), row.calls, row.totalUs, row.meanUs(),
        total > 0 ? row.totalUs / total : 0.0);
  return fmt::format("{{\"runs\": {}, \"total_us\": {:.3f}, \"kernels\": [{}]}}", numRuns_, total,
                     kernels);
}

} // namespace inlay::tools
