// For tests: a folder of their own.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace inlay {

/// A new, empty folder, removed with all that is in it. Tests of other processes, which run at the
/// same time, have others: a file of a fixed name would be theirs too.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string folder = (std::filesystem::temp_directory_path() / "inlay-test-XXXXXX").string();
    if (!::mkdtemp(folder.data())) {
      std::perror("a folder for a test cannot be made");
      std::abort();
    }
    path_ = folder;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  const std::string &path() const { return path_; }
  /// Of a file in it.
  std::string path(const std::string &name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

} // namespace inlay
