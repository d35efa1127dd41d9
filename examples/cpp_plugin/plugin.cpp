// The plugin my::add_one in C++: the same as examples/add_one/add_one.toml, with more freedom. As a
// library: c++ -std=c++20 -shared -fPIC -I include plugin.cpp -o add_one_plugin.so
#include "plugin.h"

void addPlugins(inlay::PluginRegistry &plugins) {
  plugins.add("my::add_one")
      .inputs({"X"})
      .describe([](inlay::DescribeContext &p) { p.output(p.input(0).like()); })
      .aot([](inlay::AotContext &p) {
        const inlay::SymInt n = p.input(0).numel();
        // A choice that a manifest could not compute: bigger blocks for tensors known to be big.
        const int block = p.constant(n).value_or(0) > 1 << 20 ? 1024 : 256;
        p.launch(
            {.kernel = p.triton("../add_one/add_one.py", "add_one_kernel", {{"BLOCK_SIZE", block}}),
             .grid = {ceilDiv(n, block)},
             .args = {p.input(0), inlay::SymInt32(n), p.output(0)}});
      });
}

INLAY_PLUGIN_LIBRARY(plugins) { addPlugins(plugins); }
