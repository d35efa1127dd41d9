#include "compiler/operators/EmbeddedFiles.h"

#include <cctype>
#include <set>
#include <vector>

namespace inlay {

// Generated from the files in ops/.
extern const EmbeddedFile kEmbeddedFiles[];
extern const size_t kNumEmbeddedFiles;

const EmbeddedFiles &embeddedFiles() {
  static const EmbeddedFiles files = [] {
    EmbeddedFiles read;
    for (size_t i = 0; i < kNumEmbeddedFiles; ++i)
      read.emplace(kEmbeddedFiles[i].path, kEmbeddedFiles[i].text);
    return read;
  }();
  return files;
}

namespace {

struct Function {
  std::string_view name, text;
};

/// The functions of a file, each from its decorator to the next one's.
std::vector<Function> functionsOf(std::string_view text) {
  constexpr std::string_view kHead = "@triton.jit\ndef ";
  std::vector<Function> functions;
  for (size_t at = text.find(kHead); at != std::string_view::npos;) {
    const size_t next = text.find(kHead, at + kHead.size());
    const size_t name = at + kHead.size();
    functions.push_back({text.substr(name, text.find('(', name) - name),
                         text.substr(at, next == std::string_view::npos ? next : next - at)});
    at = next;
  }
  return functions;
}

bool isNameCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// True if a text has "name(" as a word of its own that no module is in front of.
bool calls(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || (!isNameCharacter(text[at - 1]) && text[at - 1] != '.');
    if (begins && end < text.size() && text[end] == '(')
      return true;
  }
  return false;
}

} // namespace

std::string functionsCalledIn(std::string_view text) {
  static const std::vector<Function> functions =
      functionsOf(embeddedFiles().at("ops/functions.py"));
  std::set<std::string_view> needed;
  std::vector<std::string_view> texts = {text};
  while (!texts.empty()) {
    const std::string_view caller = texts.back();
    texts.pop_back();
    for (const Function &function : functions)
      if (!needed.contains(function.name) && calls(caller, function.name)) {
        needed.insert(function.name);
        texts.push_back(function.text);
      }
  }
  std::string result;
  for (const Function &function : functions)
    if (needed.contains(function.name))
      result += function.text;
  return result;
}

} // namespace inlay
