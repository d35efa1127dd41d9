// How the C++ of inlay/plugin.h speaks through the C interface. Part of inlay/plugin.h; include
// that.
#pragma once

#include <inlay/plugin.h>

#include <cstring>

namespace inlay {
inline namespace v1 {

inline PluginValue::PluginValue(const inlay_plugin_value_v1 &value) {
  switch (value.kind) {
  case INLAY_PLUGIN_VALUE_BOOL:
    value_ = value.integer != 0;
    break;
  case INLAY_PLUGIN_VALUE_INT:
    value_ = value.integer;
    break;
  case INLAY_PLUGIN_VALUE_FLOAT:
    value_ = value.number;
    break;
  case INLAY_PLUGIN_VALUE_STRING:
    value_ = std::string(value.text);
    break;
  case INLAY_PLUGIN_VALUE_DTYPE:
    value_ = static_cast<inlay_dtype_t>(value.integer);
    break;
  case INLAY_PLUGIN_VALUE_BOOL_LIST:
    value_ = std::vector<bool>(value.integers, value.integers + value.count);
    break;
  case INLAY_PLUGIN_VALUE_INT_LIST:
    value_ = std::vector<int64_t>(value.integers, value.integers + value.count);
    break;
  case INLAY_PLUGIN_VALUE_FLOAT_LIST:
    value_ = std::vector<double>(value.numbers, value.numbers + value.count);
    break;
  case INLAY_PLUGIN_VALUE_STRING_LIST:
    value_ = std::vector<std::string>(value.texts, value.texts + value.count);
    break;
  default:
    break;
  }
}

/// A PluginValue as the C interface takes it; borrows from the value.
class PluginValueView {
public:
  explicit PluginValueView(const PluginValue &value) {
    view.kind = value.kind();
    std::visit([this](const auto &held) { fill(held); }, value.value_);
  }
  PluginValueView(const PluginValueView &) = delete;
  inlay_plugin_value_v1 view{};

private:
  void fill(std::monostate) {}
  void fill(bool value) { view.integer = value; }
  void fill(int64_t value) { view.integer = value; }
  void fill(double value) { view.number = value; }
  void fill(const std::string &value) { view.text = value.c_str(); }
  void fill(inlay_dtype_t value) { view.integer = value; }
  void fill(const std::vector<bool> &values) {
    integers_.assign(values.begin(), values.end());
    fill(integers_);
  }
  void fill(const std::vector<int64_t> &values) {
    view.count = values.size();
    view.integers = values.data();
  }
  void fill(const std::vector<double> &values) {
    view.count = values.size();
    view.numbers = values.data();
  }
  void fill(const std::vector<std::string> &values) {
    for (const std::string &value : values)
      texts_.push_back(value.c_str());
    view.count = texts_.size();
    view.texts = texts_.data();
  }
  std::vector<int64_t> integers_;
  std::vector<const char *> texts_;
};

inline void AotContext::launch(const Launch &launch) {
  if (launch.grid.size() > 3)
    fail("a grid has " + std::to_string(launch.grid.size()) + " extents; expected 1 to 3");
  inlay_plugin_launch_v1 view{};
  view.size_bytes = sizeof(view);
  view.kernel_path = launch.kernel.function.empty() ? nullptr : launch.kernel.path.c_str();
  view.kernel_source = launch.kernel.source ? launch.kernel.source->c_str() : nullptr;
  view.function = launch.kernel.function.c_str();
  std::vector<inlay_plugin_constexpr_v1> constexprs;
  std::vector<std::unique_ptr<PluginValueView>> values; // lists live here
  for (const Constexpr &constant : launch.kernel.constexprs) {
    values.push_back(std::make_unique<PluginValueView>(constant.value));
    constexprs.push_back({constant.name.c_str(), values.back()->view});
  }
  view.constexprs = constexprs.data();
  view.num_constexprs = constexprs.size();
  view.num_warps = launch.numWarps;
  view.num_stages = launch.numStages;
  for (size_t axis = 0; axis < launch.grid.size(); ++axis)
    view.grid[axis] = launch.grid[axis].text().c_str();
  std::vector<inlay_plugin_argument_v1> arguments;
  for (const Argument &argument : launch.args)
    arguments.push_back({argument.kind_, argument.index_, argument.number_.dtype, 0,
                         argument.number_.expression ? argument.number_.expression->text().c_str()
                                                     : argument.number_.integer.text().c_str(),
                         argument.number_.number});
  view.arguments = arguments.data();
  view.num_arguments = arguments.size();
  std::vector<inlay_plugin_kernel_file_v1> files;
  for (const KernelFile &file : launch.files)
    files.push_back({file.path.c_str(), file.entry.empty() ? nullptr : file.entry.c_str(),
                     file.target.empty() ? nullptr : file.target.c_str()});
  view.files = files.data();
  view.num_files = files.size();
  if (launch.block.size() > 3)
    fail("a block has " + std::to_string(launch.block.size()) + " extents; expected 1 to 3");
  for (size_t axis = 0; axis < launch.block.size(); ++axis)
    view.block[axis] = launch.block[axis].text().c_str();
  view.shared_bytes = launch.sharedBytes ? launch.sharedBytes->text().c_str() : nullptr;
  for (size_t axis = 0; axis < 3; ++axis)
    view.cluster[axis] = launch.cluster[axis];
  view.is_cooperative = launch.isCooperative;
  view.is_programmatic = launch.isProgrammatic;
  host_->add_launch(node_, &view);
}

inline std::vector<AutotuneConfig> AotContext::autotuneConfigs(const TritonFunction &kernel) const {
  std::vector<AutotuneConfig> configs;
  const size_t count = host_->read_autotune(node_, kernel.path.c_str(),
                                            kernel.source ? kernel.source->c_str() : nullptr,
                                            kernel.function.c_str());
  for (size_t i = 0; i < count; ++i) {
    inlay_plugin_config_v1 view{};
    host_->autotune_config(node_, i, &view);
    AutotuneConfig config{view.name, {}, view.num_warps, view.num_stages};
    for (size_t k = 0; k < view.num_constexprs; ++k)
      config.constexprs.push_back({view.constexprs[k].name, PluginValue(view.constexprs[k].value)});
    configs.push_back(std::move(config));
  }
  return configs;
}

namespace plugin_detail {

/// Runs a user's function; what it throws is passed to `report`.
template <typename Function, typename Report>
void guarded(Function function, Report report) noexcept {
  try {
    function();
  } catch (const std::exception &error) {
    report(error.what());
  } catch (...) {
    report("an exception that is no std::exception was thrown");
  }
}

template <typename Fill>
void registerPlugins(const inlay_plugin_host_v1 *host, Fill fill) noexcept {
  guarded(
      [&] {
        if (host->size_bytes < sizeof(inlay_plugin_host_v1))
          throw std::runtime_error("the library was built for a newer Inlay");
        PluginRegistry registry;
        fill(registry);
        registry.registerWith(*host);
      },
      [&](const char *message) { host->fail(host->registration, message); });
}

} // namespace plugin_detail

inline void Plugin::registerWith(const inlay_plugin_host_v1 &host, std::shared_ptr<Plugin> plugin) {
  using Held = std::shared_ptr<Plugin>;
  const Plugin &self = *plugin;
  std::vector<const char *> inputNames;
  if (self.inputNames_)
    for (const std::string &name : *self.inputNames_)
      inputNames.push_back(name.c_str());
  std::vector<std::unique_ptr<PluginValueView>> defaults;
  std::vector<inlay_plugin_attribute_v1> attributes;
  for (const Attribute &attribute : self.attributes_) {
    if (attribute.defaultValue)
      defaults.push_back(std::make_unique<PluginValueView>(*attribute.defaultValue));
    attributes.push_back({attribute.name.c_str(), static_cast<uint32_t>(attribute.kind),
                          attribute.isOptional,
                          attribute.defaultValue ? &defaults.back()->view : nullptr});
  }
  inlay_plugin_definition_v1 definition{};
  definition.size_bytes = sizeof(definition);
  definition.op_name = self.opName_.c_str();
  inputNames.push_back(nullptr); // so that an empty list has an address
  definition.input_names = self.inputNames_ ? inputNames.data() : nullptr;
  definition.num_inputs = inputNames.size() - 1;
  definition.attributes = attributes.data();
  definition.num_attributes = attributes.size();
  if (self.describe_)
    definition.describe = [](void *user, const inlay_plugin_host_v1 *table,
                             inlay_plugin_node_t *node) {
      DescribeContext context(table, node);
      plugin_detail::guarded([&] { (*static_cast<Held *>(user))->describe_(context); },
                             [&](const char *message) { table->node_fail(node, message); });
    };
  if (self.implement_)
    definition.implement = [](void *user, const inlay_plugin_host_v1 *table,
                              inlay_plugin_node_t *node) {
      AotContext context(table, node);
      plugin_detail::guarded([&] { (*static_cast<Held *>(user))->implement_(context); },
                             [&](const char *message) { table->node_fail(node, message); });
    };
  if (self.hasHost_)
    definition.host = [](void *user, const inlay_plugin_host_v1 *table, inlay_plugin_node_t *node) {
      DescribeContext context(table, node);
      plugin_detail::guarded(
          [&] {
            if (const auto &workspace = (*static_cast<Held *>(user))->hostWorkspace_)
              table->add_workspace(node, "workspace", INLAY_DTYPE_UINT8,
                                   workspace(context).text().c_str());
          },
          [&](const char *message) { table->node_fail(node, message); });
    };
  definition.implementation = self.policy_ ? self.policy_->c_str() : nullptr;
  definition.variant = self.variant_.empty() ? nullptr : self.variant_.c_str();
  definition.priority = self.priority_;
  std::vector<const char *> types, targets;
  for (const std::string &text : self.types_)
    types.push_back(text.c_str());
  for (const std::string &name : self.targets_)
    targets.push_back(name.c_str());
  definition.types = types.data();
  definition.num_types = types.size();
  definition.targets = targets.data();
  definition.num_targets = targets.size();
  definition.static_shapes_only = self.staticShapesOnly_;
  if (self.when_)
    definition.when = [](void *user, const inlay_plugin_host_v1 *table, inlay_plugin_node_t *node) {
      ConditionContext context(table, node);
      plugin_detail::guarded([&] { (*static_cast<Held *>(user))->when_(context); },
                             [&](const char *message) { table->node_fail(node, message); });
    };
  definition.destroy = [](void *user) { delete static_cast<Held *>(user); };
  definition.user = new Held(std::move(plugin));
  host.add_plugin(host.registration, &definition);
}

} // namespace v1
} // namespace inlay
