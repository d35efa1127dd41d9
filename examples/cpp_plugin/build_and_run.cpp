// Builds an engine and runs it, in one program: build_and_run MODEL.pt2. The model takes one
// float32 tensor and gives one of the same shape, x + 1.
#include "plugin.h"

#include <inlay/compiler.h>
#include <inlay/engine.h>

#include <cstdio>
#include <stdexcept>
#include <string>

int main(int argc, char **argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s MODEL.pt2\n", argv[0]);
    return 2;
  }
  inlay::BuildOptions options{.model = argv[1], .targets = {"cpu"}};
  addPlugins(options.plugins);
  const inlay::CompiledEngine compiled = inlay::build(options);
  std::printf("built an engine of %zu bytes\n", compiled.sizeBytes());

  const auto engine = inlay::Engine::fromMemory(compiled.data(), compiled.sizeBytes());
  inlay::Context context = engine.createContext({.device = "cpu"});
  const inlay_tensor_info_t input = engine.inputs()[0], output = engine.outputs()[0];
  inlay::Shape shape;
  for (int32_t i = 0; i < input.rank; ++i)
    shape.push_back(input.dims[i].opt);
  inlay::HostTensor x(input.dtype, shape), y(output.dtype, shape);
  for (int64_t i = 0; i < x.numElements(); ++i)
    x.data<float>()[i] = static_cast<float>(i) / 2;
  context.bind(input.name, x).bind(output.name, y).run();
  for (int64_t i = 0; i < x.numElements(); ++i)
    if (y.data<float>()[i] != x.data<float>()[i] + 1)
      throw std::runtime_error("element " + std::to_string(i) + " is " +
                               std::to_string(y.data<float>()[i]) + "; expected " +
                               std::to_string(x.data<float>()[i] + 1));
  std::printf("ran it on %s: %lld elements, all x + 1\n", context.deviceName().c_str(),
              static_cast<long long>(x.numElements()));
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
