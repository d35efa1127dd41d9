#include "compiler/driver/Stages.h"

#include "base/Error.h"
#include "base/File.h"

#include <filesystem>

namespace inlay {

const std::vector<StageInfo> &allStages() {
  static const std::vector<StageInfo> stages = {
#define INLAY_STAGE(name, text, number, extension, scope, role, meaning)                           \
  {Stage::name, text, number, extension, StageScope::scope, StageRole::role, meaning},
#include "compiler/driver/Stages.def"
#undef INLAY_STAGE
  };
  return stages;
}

const StageInfo &stageInfo(Stage stage) { return allStages()[static_cast<size_t>(stage)]; }

std::optional<Stage> findStage(std::string_view name) {
  for (const StageInfo &info : allStages())
    if (info.name == name)
      return info.stage;
  return std::nullopt;
}

std::string stageFileName(const StageText &text) {
  const StageInfo &info = stageInfo(text.stage);
  std::string name = fmt::format("{:02}-{}", info.number, info.name);
  for (std::string_view part : {text.kernel, text.target})
    if (!part.empty())
      name += "." + std::string(part);
  for (char &c : name)
    if (c == ':' || c == '/')
      c = '-';
  return name + "." + std::string(info.extension);
}

StageDump dumpToFolder(std::string folder) {
  return [folder = std::move(folder)](const StageText &text) -> Status {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      return invalidArgument("cannot create the folder '{}' for stage dumps: {}", folder,
                             error.message());
    return writeFileAtomically(folder + "/" + stageFileName(text), text.bytes);
  };
}

} // namespace inlay
