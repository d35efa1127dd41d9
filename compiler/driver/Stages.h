// The stages of a build (Stages.def) and where their texts go.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

enum class Stage : uint8_t {
#define INLAY_STAGE(name, text, number, extension, scope, role, meaning) name,
#include "compiler/driver/Stages.def"
#undef INLAY_STAGE
};
enum class StageScope : uint8_t { Model, Kernel, Image };
enum class StageRole : uint8_t { Input, Output };

/// What Stages.def says of a stage.
struct StageInfo {
  Stage stage;
  std::string_view name;
  int number;
  std::string_view extension;
  StageScope scope;
  StageRole role;
  std::string_view meaning;
};

const StageInfo &stageInfo(Stage stage);
/// Finds a stage by name; nullopt if there is none.
std::optional<Stage> findStage(std::string_view name);
/// All stages, in order.
const std::vector<StageInfo> &allStages();

/// The text (or bytes) of one stage. `kernel` and `target` are empty where the stage has none.
struct StageText {
  Stage stage;
  std::string_view kernel;
  std::string_view target;
  std::string_view bytes;
};

/// Receives every stage of a build as it is reached; an error ends the build.
using StageDump = std::function<Status(const StageText &)>;

/// "03-tile.add_one_kernel.mlir", "05-ll.add_one_kernel.cuda-sm_90a.ll": the file that keeps a
/// stage.
std::string stageFileName(const StageText &text);
/// A dump that writes every stage into a folder, which it creates. Errors: InvalidArgument naming
/// the path.
StageDump dumpToFolder(std::string folder);

} // namespace inlay
