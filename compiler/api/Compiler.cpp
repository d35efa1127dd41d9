#include "base/Error.h"
#include "compiler/driver/Build.h"
#include "compiler/plugins/BuiltinPlugins.h"
#include "compiler/plugins/CppPlugin.h"
#include "compiler/plugins/PluginAbi.h"
#include "compiler/plugins/PluginFiles.h"

#include <inlay/compiler_abi.h>

using namespace inlay;

struct inlay_build_result_t {
  std::string message;
  std::vector<std::byte> engine;
  std::string report;
};

namespace {

/// A list of texts of the interface. Errors: InvalidArgument for a null list or text.
Result<std::vector<std::string>> textsOf(const char *const *texts, size_t count,
                                         std::string_view what) {
  std::vector<std::string> result;
  if (!texts && count != 0)
    return invalidArgument("{} is null; {} texts were announced", what, count);
  for (size_t i = 0; i < count; ++i) {
    INLAY_ASSIGN(std::string text, textFromAbi(texts[i], what));
    result.push_back(std::move(text));
  }
  return result;
}

Status addPlugins(PluginRegistry &registry, const inlay_build_options_v1 &given) {
  INLAY_ASSIGN(auto paths, textsOf(given.plugin_paths, given.num_plugin_paths, "plugin_paths"));
  for (const std::string &path : paths)
    INLAY_TRY(addPluginFile(registry, path));
  // The program's come last, so that they may remove plugins of files.
  if (given.register_plugins)
    INLAY_TRY(addCppPlugins(registry,
                            [&](const inlay_plugin_host_v1 *host) {
                              given.register_plugins(given.register_user, host);
                            },
                            {"the calling program", {}, nullptr}));
  return addBuiltinPlugins(registry);
}

Status build(const inlay_build_options_v1 *options, inlay_build_result_t &result) {
  inlay_build_options_v1 given{};
  INLAY_TRY(copySizedStruct(options, &given, sizeof(given),
                            offsetof(inlay_build_options_v1, implementations),
                            "inlay_build_options_v1"));
  INLAY_ASSIGN(const std::string path, textFromAbi(given.model_path, "model_path"));
  PluginRegistry registry;
  INLAY_TRY(addPlugins(registry, given));
  BuildOptions build;
  INLAY_ASSIGN(auto targets, textsOf(given.targets, given.num_targets, "targets"));
  if (!targets.empty())
    build.targets = std::move(targets);
  build.engineName = given.engine_name ? given.engine_name : "";
  INLAY_ASSIGN(build.profiles, textsOf(given.profiles, given.num_profiles, "profiles"));
  INLAY_ASSIGN(auto policies,
               textsOf(given.implementations, given.num_implementations, "implementations"));
  for (const std::string &policy : policies)
    INLAY_TRY(build.policies.add(policy), "reading implementations");
  if (given.progress)
    build.progress = [&](const BuildProgress &at) {
      given.progress(given.progress_user, std::string(at.phase).c_str(), at.item.c_str(), at.done,
                     at.total);
    };
  INLAY_ASSIGN(std::unique_ptr<Model> model, Model::load(path));
  INLAY_ASSIGN(BuiltEngine built, buildEngine(*model, registry, build));
  result.engine = std::move(built.bytes);
  result.report = reportJson(built.report);
  return {};
}

} // namespace

inlay_status_code_t inlay_build(const inlay_build_options_v1 *options,
                                inlay_build_result_t **out_result) {
  if (!out_result)
    return INLAY_STATUS_INVALID_ARGUMENT;
  auto result = std::make_unique<inlay_build_result_t>();
  Status status = build(options, *result);
  if (!status.isOk())
    result->message = status.message();
  *out_result = result.release();
  return static_cast<inlay_status_code_t>(status.code());
}

const char *inlay_build_result_message(const inlay_build_result_t *result) {
  return result->message.c_str();
}

const void *inlay_build_result_engine(const inlay_build_result_t *result, size_t *out_size_bytes) {
  *out_size_bytes = result->engine.size();
  return result->engine.empty() ? nullptr : result->engine.data();
}

const char *inlay_build_result_report(const inlay_build_result_t *result) {
  return result->report.c_str();
}

void inlay_build_result_free(inlay_build_result_t *result) { delete result; }
