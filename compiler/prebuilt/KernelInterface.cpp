#include "compiler/prebuilt/KernelInterface.h"

#include "base/Error.h"

#include <charconv>
#include <optional>

namespace inlay {
namespace {

std::string parameterText(const CodeParameter &parameter) {
  switch (parameter.kind) {
  case CodeParameter::Kind::Pointer:
    return fmt::format("{}-byte pointer", parameter.sizeBytes);
  case CodeParameter::Kind::Integer:
    return fmt::format("{}-byte integer", parameter.sizeBytes);
  case CodeParameter::Kind::Float:
    return fmt::format("{}-byte float", parameter.sizeBytes);
  case CodeParameter::Kind::Unknown:
    break;
  }
  return fmt::format("{} bytes", parameter.sizeBytes);
}

std::string argumentText(const PassedArgument &argument) {
  return fmt::format("'{}' ({}{})", argument.text, argument.isPointer ? "*" : "",
                     dataTypeName(argument.dtype));
}

/// Both lists side by side, for messages.
std::string listsText(const KernelInterface &kernel, std::span<const PassedArgument> arguments) {
  std::string parameters, passed;
  for (const CodeParameter &parameter : kernel.parameters)
    parameters += (parameters.empty() ? "" : ", ") + parameterText(parameter);
  for (const PassedArgument &argument : arguments)
    passed += (passed.empty() ? "" : ", ") + argumentText(argument);
  return fmt::format("the code's parameters are [{}], the launch passes [{}]", parameters, passed);
}

uint32_t sizeOf(const PassedArgument &argument) {
  return argument.isPointer ? 8 : static_cast<uint32_t>(dataTypeSizeBytes(argument.dtype));
}

/// A pointer may be declared as an integer of its size, and bits without a type as anything.
bool fits(const CodeParameter &parameter, const PassedArgument &argument) {
  if (parameter.sizeBytes != sizeOf(argument))
    return false;
  const bool isFloat = !argument.isPointer && dataTypeKind(argument.dtype) == DataTypeKind::Float;
  switch (parameter.kind) {
  case CodeParameter::Kind::Pointer:
    return argument.isPointer;
  case CodeParameter::Kind::Integer:
    return !isFloat || parameter.sizeBytes <= 2; // 16-bit floats are declared as 16 bits
  case CodeParameter::Kind::Float:
    return isFloat;
  case CodeParameter::Kind::Unknown:
    break;
  }
  return true;
}

struct Architecture {
  int number = 0;     // 90
  char suffix = '\0'; // 'a', 'f' or none
};

std::optional<Architecture> parseArchitecture(std::string_view name) {
  if (!name.starts_with("sm_"))
    return std::nullopt;
  Architecture result;
  const char *end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 3, end, result.number);
  const std::string_view rest(stop, static_cast<size_t>(end - stop));
  if (error != std::errc() || rest.size() > 1)
    return std::nullopt;
  result.suffix = rest.empty() ? '\0' : rest[0];
  return result;
}

} // namespace

Result<const KernelInterface *> GpuCode::lookup(const std::string &entry) const {
  std::string names;
  for (const KernelInterface &kernel : kernels) {
    if (kernel.entry == entry || (entry.empty() && kernels.size() == 1))
      return &kernel;
    names += (names.empty() ? "" : ", ") + kernel.entry;
  }
  if (kernels.empty())
    return notFound("it holds no kernel");
  if (entry.empty())
    return invalidArgument("it holds {} kernels ({}); name one with 'entry'", kernels.size(),
                           names);
  return notFound("it holds no kernel '{}'; its kernels are {}", entry, names);
}

Result<uint32_t> compareParameters(const KernelInterface &kernel,
                                   std::span<const PassedArgument> arguments, uint32_t maxScratch) {
  const size_t numParameters = kernel.parameters.size();
  if (numParameters < arguments.size() || numParameters - arguments.size() > maxScratch)
    return invalidArgument(
        "kernel '{}' has {} parameters{}, but the launch passes {} arguments; {}", kernel.entry,
        numParameters,
        maxScratch && numParameters > arguments.size()
            ? fmt::format(", of which at most {} may be scratch pointers", maxScratch)
            : "",
        arguments.size(), listsText(kernel, arguments));
  for (size_t i = 0; i < arguments.size(); ++i)
    if (!fits(kernel.parameters[i], arguments[i]))
      return invalidArgument("parameter {} of kernel '{}' is {}, but argument {} has {} bytes; {}",
                             i, kernel.entry, parameterText(kernel.parameters[i]),
                             argumentText(arguments[i]), sizeOf(arguments[i]),
                             listsText(kernel, arguments));
  for (size_t i = arguments.size(); i < numParameters; ++i)
    if (!fits(kernel.parameters[i], {DataType::UInt8, true, ""}))
      return invalidArgument("parameter {} of kernel '{}' is {}, but no argument is passed for it, "
                             "and it is no scratch pointer; {}",
                             i, kernel.entry, parameterText(kernel.parameters[i]),
                             listsText(kernel, arguments));
  return static_cast<uint32_t>(numParameters - arguments.size());
}

bool runsOn(std::string_view architecture, bool isCubin, std::string_view target) {
  const std::optional<Architecture> code = parseArchitecture(architecture),
                                    wanted = parseArchitecture(target);
  if (!code || !wanted || code->number > wanted->number)
    return false;
  // Code of one exact architecture ('a') runs there only, code of a family ('f') in it and later.
  if (code->suffix == 'a')
    return code->number == wanted->number && wanted->suffix == 'a';
  if (isCubin || code->suffix == 'f')
    return code->number / 10 == wanted->number / 10;
  return true;
}

} // namespace inlay
