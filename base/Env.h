// The environment variables, all in one table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay {

enum class EnvironmentVariable : uint8_t {
#define INLAY_ENVIRONMENT_VARIABLE(name, text, description) name,
#include "base/Env.def"
#undef INLAY_ENVIRONMENT_VARIABLE
};

/// A row of the table, for `inlay env` and the documentation.
struct EnvironmentVariableRow {
  EnvironmentVariable variable;
  const char *name; // as in the shell
  std::string_view description;
};

/// All variables in the order of Env.def.
std::span<const EnvironmentVariableRow> environmentVariables();

/// The variable's value; nullopt if it is unset or empty. Not to be called while another thread
/// changes the environment.
std::optional<std::string> findEnvironment(EnvironmentVariable variable);

/// True if the variable is set to something else than 0, "off", "no" or "false".
bool isEnvironmentOn(EnvironmentVariable variable);

} // namespace inlay
