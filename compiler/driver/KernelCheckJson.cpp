// Results of checks as JSON: what the worker processes of `inlay kernel check` send.
#include "base/Error.h"
#include "compiler/driver/KernelCheck.h"

#include "llvm/Support/JSON.h"

namespace inlay {

std::string toJson(const KernelCheckResult &result) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream);
  auto strings = [&](llvm::StringRef name, const std::vector<std::string> &values) {
    json.attributeArray(name, [&] {
      for (const std::string &value : values)
        json.value(llvm::json::fixUTF8(value));
    });
  };
  json.object([&] {
    json.attribute("parsed", result.isParsed);
    json.attribute("typed", result.isTyped);
    json.attribute("signature", result.signature);
    strings("constexprs", result.constexprs);
    json.attributeArray("parameters", [&] {
      for (const KernelCheckParameter &parameter : result.parameters)
        json.object([&] {
          json.attribute("name", parameter.name);
          json.attribute("choice", llvm::json::fixUTF8(parameter.choice));
          json.attribute("ground", parameter.ground);
          json.attribute("revised", parameter.isRevised);
        });
    });
    json.attribute("num_warps", result.numWarps);
    json.attribute("num_stages", result.numStages);
    json.attribute("attempts", result.attempts);
    json.attribute("reason", llvm::json::fixUTF8(result.reason));
    json.attributeArray("targets", [&] {
      for (const KernelCheckTarget &target : result.targets)
        json.object([&] {
          json.attribute("name", target.name);
          json.attribute("compiled", target.isCompiled);
          json.attribute("reason", llvm::json::fixUTF8(target.reason));
          json.attribute("size_bytes", static_cast<int64_t>(target.sizeBytes));
          json.attribute("ms", target.milliseconds);
        });
    });
    strings("notes", result.notes);
  });
  return text;
}

Result<KernelCheckResult> readKernelCheckResult(std::string_view text) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  const llvm::json::Object *object = value ? value->getAsObject() : nullptr;
  if (!object) {
    std::string reason = value ? "it is no object" : llvm::toString(value.takeError());
    return invalidArgument("the result of a check cannot be read: {}", reason);
  }
  KernelCheckResult result;
  auto string = [](const llvm::json::Object &from, llvm::StringRef name) {
    return from.getString(name).value_or("").str();
  };
  auto strings = [](const llvm::json::Object &from, llvm::StringRef name,
                    std::vector<std::string> &into) {
    if (const llvm::json::Array *array = from.getArray(name))
      for (const llvm::json::Value &element : *array)
        into.push_back(element.getAsString().value_or("").str());
  };
  result.isParsed = object->getBoolean("parsed").value_or(false);
  result.isTyped = object->getBoolean("typed").value_or(false);
  result.signature = string(*object, "signature");
  strings(*object, "constexprs", result.constexprs);
  if (const llvm::json::Array *parameters = object->getArray("parameters"))
    for (const llvm::json::Value &element : *parameters)
      if (const llvm::json::Object *entry = element.getAsObject())
        result.parameters.push_back({string(*entry, "name"), string(*entry, "choice"),
                                     string(*entry, "ground"),
                                     entry->getBoolean("revised").value_or(false)});
  result.numWarps = static_cast<int>(object->getInteger("num_warps").value_or(4));
  result.numStages = static_cast<int>(object->getInteger("num_stages").value_or(3));
  result.attempts = static_cast<int>(object->getInteger("attempts").value_or(0));
  result.reason = string(*object, "reason");
  if (const llvm::json::Array *targets = object->getArray("targets"))
    for (const llvm::json::Value &element : *targets)
      if (const llvm::json::Object *entry = element.getAsObject())
        result.targets.push_back({string(*entry, "name"),
                                  entry->getBoolean("compiled").value_or(false),
                                  string(*entry, "reason"),
                                  static_cast<size_t>(entry->getInteger("size_bytes").value_or(0)),
                                  entry->getNumber("ms").value_or(0)});
  strings(*object, "notes", result.notes);
  return result;
}

} // namespace inlay
