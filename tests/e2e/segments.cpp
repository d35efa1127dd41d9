// Serves host segments by reading what the engine says of their calls. On a GPU tensors are copied
// to the host and back.
#include <inlay/host_function.h>

#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <regex>
#include <stdexcept>

/// How many inputs the functions say that they take; negative: any.
#ifndef SEGMENTS_NUM_INPUTS
#define SEGMENTS_NUM_INPUTS -1
#endif

namespace {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

using Tensors = std::map<std::string, Tensor>;
using Arguments = std::map<std::string, std::string>;

template <typename Function>
Function driverFunction(const char *name) {
  static void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  void *function = driver ? dlsym(driver, name) : nullptr;
  if (!function)
    throw std::runtime_error(std::string("the CUDA driver has no ") + name);
  return reinterpret_cast<Function>(function);
}

void check(int result, const char *what) {
  if (result != 0)
    throw std::runtime_error(std::string(what) + " failed with error " + std::to_string(result));
}

/// Copies between a tensor of the call and the host, and waits.
void copy(const inlay::HostCall &call, const inlay::HostTensorView &tensor,
          std::vector<float> &values, bool isToHost) {
  const size_t sizeBytes = values.size() * sizeof(float);
  if (tensor.dtype() != INLAY_DTYPE_FLOAT32)
    throw std::invalid_argument("a tensor is not float32");
  if (call.device() == "cpu") {
    std::memcpy(isToHost ? values.data() : tensor.data(), isToHost ? tensor.data() : values.data(),
                sizeBytes);
    return;
  }
  const auto address = reinterpret_cast<unsigned long long>(tensor.data());
  if (isToHost)
    check(driverFunction<int (*)(void *, unsigned long long, size_t, void *)>(
              "cuMemcpyDtoHAsync_v2")(values.data(), address, sizeBytes, call.stream()),
          "copying from the GPU");
  else
    check(driverFunction<int (*)(unsigned long long, const void *, size_t, void *)>(
              "cuMemcpyHtoDAsync_v2")(address, values.data(), sizeBytes, call.stream()),
          "copying to the GPU");
  check(driverFunction<int (*)(void *)>("cuStreamSynchronize")(call.stream()), "waiting");
}

Tensor linear(const Tensor &x, const Tensor &weight, const Tensor &bias) {
  const int64_t n = weight.shape[0], k = weight.shape[1];
  Tensor y{x.shape, {}};
  y.shape.back() = n;
  for (size_t row = 0; row < x.values.size(); row += static_cast<size_t>(k))
    for (int64_t column = 0; column < n; ++column) {
      double sum = bias.values[static_cast<size_t>(column)];
      for (int64_t i = 0; i < k; ++i)
        sum += double(x.values[row + static_cast<size_t>(i)]) *
               double(weight.values[static_cast<size_t>(column * k + i)]);
      y.values.push_back(static_cast<float>(sum));
    }
  return y;
}

Tensor pointwise(Tensor x, float (*function)(float)) {
  for (float &value : x.values)
    value = function(value);
  return x;
}

Tensor compute(const std::string &op, const Arguments &arguments, const Tensors &known) {
  const auto tensor = [&](const char *name) -> const Tensor & {
    return known.at(arguments.at(name));
  };
  if (op == "aten::linear")
    return linear(tensor("input"), tensor("weight"), tensor("bias"));
  if (op == "aten::relu")
    return pointwise(tensor("self"), [](float x) { return x > 0 ? x : 0; });
  if (op == "aten::silu")
    return pointwise(tensor("self"), [](float x) { return x / (1 + std::exp(-x)); });
  if (op == "aten::gelu")
    return pointwise(tensor("self"),
                     [](float x) { return x * 0.5f * std::erfc(-x * 0.70710678f); });
  if (op == "my::triple")
    return pointwise(tensor("self"), [](float x) { return 3 * x; });
  if (op == "aten::add.Tensor") {
    Tensor sum = tensor("self");
    for (size_t i = 0; i < sum.values.size(); ++i)
      sum.values[i] += tensor("other").values.at(i);
    return sum;
  }
  throw std::invalid_argument("operator " + op + " is not served");
}

/// "x: float32[4, 8]" has the name "x".
std::string nameOf(const std::string &text) { return text.substr(0, text.find(": ")); }

void serve(const inlay::HostCall &call) {
  Tensors known;
  const auto inputs = call.attribute("inputs").asStrings();
  for (uint32_t i = 0; i < call.numInputs(); ++i) {
    const inlay::HostTensorView view = call.input(i);
    Tensor &tensor = known[nameOf(inputs.at(i))];
    for (int32_t dim = 0; dim < view.rank(); ++dim)
      tensor.shape.push_back(view.size(dim));
    tensor.values.resize(static_cast<size_t>(view.numElements()));
    copy(call, view, tensor.values, true);
  }
  static const std::regex kCall(R"((\S+): \S+\[[^\]]*\] = (\S+)\((.*)\))"),
      kArgument(R"((\S+) = ([^,]+))");
  for (const std::string &text : call.attribute("calls").asStrings()) {
    std::smatch parts;
    if (!std::regex_match(text, parts, kCall))
      throw std::invalid_argument("a call has no such form: " + text);
    Arguments arguments;
    const std::string list = parts[3];
    for (std::sregex_iterator at(list.begin(), list.end(), kArgument), end; at != end; ++at)
      arguments[(*at)[1]] = (*at)[2];
    known[parts[1]] = compute(parts[2], arguments, known);
  }
  const auto outputs = call.attribute("outputs").asStrings();
  for (uint32_t i = 0; i < call.numOutputs(); ++i) {
    Tensor &tensor = known.at(nameOf(outputs.at(i)));
    if (static_cast<int64_t>(tensor.values.size()) != call.output(i).numElements())
      throw std::runtime_error("output " + outputs[i] + " has another size");
    copy(call, call.output(i), tensor.values, false);
  }
}

} // namespace

INLAY_HOST_LIBRARY(functions) {
  for (const char *model : {"mlp", "mlp_dyn_T", "cnn", "m"})
    for (int i = 0; i < 4; ++i)
      functions.add("segment::" + std::string(model) + "_" + std::to_string(i), serve,
                    SEGMENTS_NUM_INPUTS);
}
