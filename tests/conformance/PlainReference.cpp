#include "tests/conformance/PlainReference.h"

#include <algorithm>
#include <cmath>

namespace inlay::conformance {

void plainAdd(PlainValues &values) {
  for (size_t i = 0; i < values["out"].size(); ++i)
    values["out"][i] = values["left"][i] + values["right"][i];
}

void plainSoftmax(PlainValues &values) {
  const auto rows = static_cast<size_t>(values["rows"][0]),
             columns = static_cast<size_t>(values["columns"][0]);
  for (size_t row = 0; row < rows; ++row) {
    const double *v = &values["values"][row * columns];
    const double highest = *std::max_element(v, v + columns);
    double sum = 0;
    for (size_t j = 0; j < columns; ++j)
      sum += std::exp(v[j] - highest);
    for (size_t j = 0; j < columns; ++j)
      values["out"][row * columns + j] = std::exp(v[j] - highest) / sum;
  }
}

void plainMatmul(PlainValues &values) {
  const auto m = static_cast<size_t>(values["m"][0]), n = static_cast<size_t>(values["n"][0]),
             k = static_cast<size_t>(values["k"][0]);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (size_t at = 0; at < k; ++at)
        sum += values["a"][i * k + at] * values["b"][at * n + j];
      values["c"][i * n + j] = sum;
    }
}

void plainLayerNorm(PlainValues &values) {
  const auto columns = static_cast<size_t>(values["columns"][0]);
  for (size_t row = 0; row < values["means"].size(); ++row) {
    const double *v = &values["values"][row * columns];
    double mean = 0, variance = 0;
    for (size_t j = 0; j < columns; ++j)
      mean += v[j] / static_cast<double>(columns);
    for (size_t j = 0; j < columns; ++j)
      variance += (v[j] - mean) * (v[j] - mean) / static_cast<double>(columns);
    const double scale = 1 / std::sqrt(variance + values["epsilon"][0]);
    values["means"][row] = mean;
    values["scales"][row] = scale;
    for (size_t j = 0; j < columns; ++j)
      values["out"][row * columns + j] =
          (v[j] - mean) * scale * values["weight"][j] + values["bias"][j];
  }
}

void plainAttention(PlainValues &values) {
  constexpr size_t kHead = 64;
  const auto length = static_cast<size_t>(values["length"][0]);
  const size_t batches = values["queries"].size() / length / kHead;
  for (size_t row = 0; row < batches * length; ++row) {
    const size_t batch = row / length;
    std::vector<double> weights(length);
    double sum = 0;
    for (size_t j = 0; j < length; ++j) {
      double product = 0;
      for (size_t d = 0; d < kHead; ++d)
        product +=
            values["queries"][row * kHead + d] * values["keys"][(batch * length + j) * kHead + d];
      sum += weights[j] = std::exp(product * values["scale"][0]);
    }
    values["logs"][row] = std::log2(sum);
    for (size_t d = 0; d < kHead; ++d) {
      double total = 0;
      for (size_t j = 0; j < length; ++j)
        total += weights[j] / sum * values["values"][(batch * length + j) * kHead + d];
      values["out"][row * kHead + d] = total;
    }
  }
}

} // namespace inlay::conformance
