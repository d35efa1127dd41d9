#include "compiler/frontends/triton/Usage.h"

#include "compiler/frontends/triton/FunctionUsage.h"

#include <functional>

namespace inlay::triton {

UsageAnalysis::UsageAnalysis(ModuleLoader *modules) : modules_(modules) {}

UsageAnalysis::~UsageAnalysis() = default;

std::optional<UsageAnalysis::Callee> UsageAnalysis::resolve(Module &module, const std::string &name,
                                                            int depth) {
  if (name.empty() || depth > 8)
    return std::nullopt;
  const std::string first = name.substr(0, name.find('.'));
  const std::string rest = first.size() < name.size() ? name.substr(first.size()) : "";
  std::optional<Callee> found;
  std::function<void(const std::vector<ModuleItem> &)> search =
      [&](const std::vector<ModuleItem> &items) {
        for (const ModuleItem &item : items) {
          if (found)
            return;
          search(item.body);
          search(item.orElse);
          if (item.name != first)
            continue;
          if (item.kind == ModuleItem::Kind::Function && rest.empty()) {
            found = Callee{&module, &item};
          } else if (item.kind == ModuleItem::Kind::Import && modules_) {
            std::string path = modules_->absoluteName(module, item.path) + rest;
            if (auto file = modules_->find(path); file && !file->rest.empty())
              found = resolve(*file->module, std::string(file->rest), depth + 1);
          }
        }
      };
  search(module.items());
  return found;
}

UsageAnalysis::FunctionUsage *UsageAnalysis::analyse(Module &module, const ModuleItem &item) {
  if (auto known = functions_.find(&item); known != functions_.end())
    return known->second.get();
  if (!inProgress_.insert(&item).second)
    return nullptr; // a helper that calls itself
  Diagnostics quiet;
  const Function *function = module.parseFunction(item, quiet);
  std::unique_ptr<FunctionUsage> usage =
      function ? std::make_unique<FunctionUsage>(*this, module, *function) : nullptr;
  inProgress_.erase(&item);
  return (functions_[&item] = std::move(usage)).get();
}

std::vector<size_t> UsageAnalysis::dependencies(Module &module, const ModuleItem &item,
                                                const std::string &name) {
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->dependencies(name) : std::vector<size_t>();
}

const std::vector<ParameterUse> &UsageAnalysis::parameters(Module &module, const ModuleItem &item) {
  static const std::vector<ParameterUse> kNone;
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->result() : kNone;
}

std::vector<size_t> UsageAnalysis::dependencies(Module &module, const ModuleItem &item, Span span) {
  FunctionUsage *usage = analyse(module, item);
  return usage ? usage->dependencies(span) : std::vector<size_t>();
}

} // namespace inlay::triton
