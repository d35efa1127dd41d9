#include "compiler/driver/KernelCheck.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/frontends/triton/Module.h"

#include <algorithm>
#include <filesystem>

namespace inlay {

namespace {

namespace fs = std::filesystem;
using triton::Module;
using triton::ModuleItem;
using triton::Token;
using triton::TokenKind;

bool isHidden(const fs::path &path) {
  const std::string name = path.filename().string();
  return name.size() > 1 && name.front() == '.';
}

void collectFiles(const fs::path &folder, std::vector<std::string> &files) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  std::sort(entries.begin(), entries.end());
  for (const fs::path &entry : entries) {
    if (isHidden(entry) || fs::is_symlink(entry, error))
      continue;
    if (fs::is_directory(entry, error))
      collectFiles(entry, files);
    else if (entry.extension() == ".py")
      files.push_back(entry.string());
  }
}

/// Names that are followed by "(" in the body of a function, and whether it returns a value.
void scanBody(const Module &module, const ModuleItem &item, std::set<std::string> &called,
              bool &returnsValue) {
  std::span<const Token> tokens = item.tokens;
  auto isOperator = [&](size_t at, std::string_view text) {
    return at < tokens.size() && tokens[at].kind == TokenKind::Operator &&
           module.file().text(tokens[at].span) == text;
  };
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::Name)
      continue;
    std::string_view text = module.file().text(tokens[i].span);
    if (text == "return" && tokens[i + 1].kind != TokenKind::Newline && !isOperator(i + 1, ";"))
      returnsValue = true;
    bool isDefinition = i > 0 && tokens[i - 1].kind == TokenKind::Name &&
                        module.file().text(tokens[i - 1].span) == "def";
    if (isOperator(i + 1, "(") && !isDefinition)
      called.insert(std::string(text));
  }
}

} // namespace

Result<KernelPackage> KernelPackage::open(const std::vector<std::string> &paths) {
  KernelPackage package;
  for (const std::string &path : paths) {
    std::error_code error;
    if (!fs::exists(path, error))
      return notFound("'{}' does not exist; expected a Python file or a folder of them", path);
    size_t before = package.files_.size();
    if (fs::is_directory(path, error))
      collectFiles(path, package.files_);
    else
      package.files_.push_back(path);
    if (package.files_.size() == before)
      return notFound("folder '{}' holds no Python file", path);
  }
  std::set<std::string> called, launched;
  struct Candidate {
    FoundKernel kernel;
    bool returnsValue;
  };
  std::vector<Candidate> candidates;
  for (const std::string &path : package.files_) {
    INLAY_ASSIGN(std::string text, readFile(path));
    Module module(path, std::move(text));
    for (triton::Launch &launch : triton::findLaunches(module)) {
      launched.insert(launch.kernel);
      package.launches_[launch.kernel][path].push_back(std::move(launch));
    }
    std::set<std::string> seen;
    for (const ModuleItem *item : module.jitFunctions()) {
      bool returnsValue = false;
      scanBody(module, *item, called, returnsValue);
      if (!seen.insert(item->name).second)
        continue; // another branch's definition of the same name
      int line = static_cast<int>(module.file().locate(item->span.begin).line);
      candidates.push_back({{path, item->name, line, false}, returnsValue});
    }
  }
  for (Candidate &candidate : candidates) {
    FoundKernel &kernel = candidate.kernel;
    kernel.isHelper =
        candidate.returnsValue || (called.contains(kernel.name) && !launched.contains(kernel.name));
    package.kernels_.push_back(std::move(kernel));
  }
  return package;
}

std::vector<std::string> KernelPackage::importRoots() const {
  std::set<std::string> roots;
  std::set<fs::path> seen;
  for (const std::string &path : files_) {
    std::error_code error;
    fs::path folder = fs::path(path).parent_path();
    if (!seen.insert(folder).second)
      continue;
    while (folder.has_parent_path() && fs::exists(folder / "__init__.py", error))
      folder = folder.parent_path();
    roots.insert(folder.empty() ? "." : folder.string());
  }
  return {roots.begin(), roots.end()};
}

std::vector<triton::Launch> KernelPackage::launchesOf(const FoundKernel &kernel) const {
  auto found = launches_.find(kernel.name);
  if (found == launches_.end())
    return {};
  if (auto own = found->second.find(kernel.path); own != found->second.end())
    return own->second;
  std::vector<triton::Launch> all;
  for (const auto &[path, launches] : found->second)
    all.insert(all.end(), launches.begin(), launches.end());
  return all;
}

} // namespace inlay
