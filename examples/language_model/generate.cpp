// Continues a text with a language model, a byte at a time: generate ENGINE DEVICE PROMPT BYTES.
// The cache of keys and values is the context's state: each run goes on from the one before.
#include <inlay/engine.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// The model's answer to the bytes at `start`: the likeliest byte behind the last of them.
char nextByte(inlay::Context &context, const std::string &output, const std::string &bytes,
              int64_t start) {
  constexpr int64_t kVocabulary = 256;
  const int64_t steps = static_cast<int64_t>(bytes.size());
  std::vector<int64_t> tokens(bytes.size()), place{start};
  std::transform(bytes.begin(), bytes.end(), tokens.begin(),
                 [](char byte) { return static_cast<unsigned char>(byte); });
  std::vector<float> logits(bytes.size() * kVocabulary);
  context.bind("tokens", tokens, {1, steps})
      .bind("start", place, {1})
      .bind(output, logits, {1, steps, kVocabulary});
  context.run();
  context.synchronize();
  const auto last = logits.end() - kVocabulary;
  return static_cast<char>(std::max_element(last, logits.end()) - last);
}

} // namespace

int main(int argc, char **argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s ENGINE DEVICE PROMPT BYTES\n", argv[0]);
    return 2;
  }
  const auto engine = inlay::Engine::load(argv[1]);
  inlay::Context context = engine.createContext({.device = argv[2]});
  std::string text = argv[3];
  if (text.empty())
    throw std::runtime_error("the prompt is empty; expected at least one byte");
  const int count = std::stoi(argv[4]);
  const std::string output = engine.outputs()[0].name;
  std::string fresh = text;
  for (int i = 0; i < count; ++i) {
    const auto start = static_cast<int64_t>(text.size() - fresh.size());
    fresh = std::string(1, nextByte(context, output, fresh, start));
    text += fresh;
  }
  std::printf("%s\n", text.c_str());
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
