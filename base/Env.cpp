#include "base/Env.h"

#include <cstdlib>

namespace inlay {
namespace {

constexpr EnvironmentVariableRow kRows[] = {
#define INLAY_ENVIRONMENT_VARIABLE(name, text, description)                                        \
  {EnvironmentVariable::name, text, description},
#include "base/Env.def"
#undef INLAY_ENVIRONMENT_VARIABLE
};

} // namespace

std::span<const EnvironmentVariableRow> environmentVariables() { return kRows; }

std::optional<std::string> findEnvironment(EnvironmentVariable variable) {
  const char *value = std::getenv(kRows[static_cast<size_t>(variable)].name);
  if (!value || !*value)
    return std::nullopt;
  return value;
}

bool isEnvironmentOn(EnvironmentVariable variable) {
  const std::string value = findEnvironment(variable).value_or("0");
  return value != "0" && value != "off" && value != "no" && value != "false";
}

} // namespace inlay
