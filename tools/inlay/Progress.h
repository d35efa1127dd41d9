// One line on a terminal that says where a build stands; silent where standard error is no
// terminal.
#pragma once

#include "compiler/driver/Build.h"

namespace inlay::tools {

class Progress {
public:
  /// `isWanted` false keeps it silent even on a terminal.
  explicit Progress(bool isWanted);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void show(const BuildProgress &progress);
  /// Removes the line, so that other output starts on an empty one.
  void clear();

private:
  bool isShown_;
  bool hasLine_ = false;
};

} // namespace inlay::tools
