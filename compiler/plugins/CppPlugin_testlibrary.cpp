// A plugin library as users write them, with plugins that do right and plugins that do wrong.
#include <inlay/plugin.h>

#if defined(INLAY_TEST_EMPTY)
INLAY_PLUGIN_LIBRARY(plugins) { (void)plugins; }
#elif defined(INLAY_TEST_THROWING)
INLAY_PLUGIN_LIBRARY(plugins) {
  plugins.add("test::never");
  throw std::runtime_error("no licence");
}
#else

using namespace inlay;

namespace {

void like(DescribeContext &p) { p.output(p.input(0).like()); }

/// A plugin whose aot function is `function` and the rest is right.
template <typename Function>
void addWithAot(PluginRegistry &plugins, const char *name, Function function) {
  plugins.add(name).describe(like).aot(function);
}

} // namespace

INLAY_PLUGIN_LIBRARY(plugins) {
  plugins.add("test::scale")
      .inputs({"X", "Y"})
      .attribute("alpha", 2.0)
      .attribute("mode", AttributeKind::String, "fast")
      .attribute("pads", std::vector<int64_t>{1, 2})
      .optionalAttribute("limit", AttributeKind::Int)
      .describe([](DescribeContext &p) {
        auto x = p.input("X"), y = p.input(1);
        p.require(x.size(-1) == y.size(0), "the last sizes differ");
        auto desc = x.like();
        desc.shape[0] = desc.shape[0] * 2 + p.attribute("pads").asInts()[1];
        p.output(desc);
        p.output(x.like().withDtype(INLAY_DTYPE_BOOL));
      })
      .aot([](AotContext &p) {
        const SymInt n = p.output(0).numel();
        const bool isFast = p.attribute("mode").asString() == "fast";
        const int64_t limit = p.attribute("limit").isNone() ? -1 : p.attribute("limit").asInt();
        auto scratch = p.workspace("scratch", INLAY_DTYPE_FLOAT32, 4 * n);
        auto kernel = p.triton("kernels/scale.py", isFast ? "fast" : "exact",
                               {{"BLOCK", 128}, {"LIMIT", limit}, {"T", INLAY_DTYPE_FLOAT16}});
        p.launch({.kernel = kernel,
                  .grid = {ceilDiv(n, 128), 2},
                  .args = {p.input(0), p.input(1), scratch, SymInt64(n), n,
                           Float32(p.attribute("alpha").asFloat()), SymBool(n > 4), p.output(0),
                           p.output(1)},
                  .numWarps = 8});
        p.launch({.kernel = p.tritonSource("inline.py", "text", "second", {}), .args = {scratch}});
      });
  plugins.add("test::both")
      .describe(like)
      .aot([](AotContext &p) {
        p.launch({.kernel = p.triton("k.py", "k"), .grid = {1}, .args = {p.input(0), p.output(0)}});
      })
      .jit([](DescribeContext &p) { return 4 * p.input(0).numel(); })
      .implementation("prefer-jit");
  plugins.add("test::host").describe(like).jit();
  plugins.add("test::all").describe(like).aot([](AotContext &p) {
    for (size_t i = 0; i < p.numInputs(); ++i)
      p.launch({.kernel = p.triton("k.py", "k"), .grid = {1}, .args = {p.input(i), p.output(0)}});
  });

  addWithAot(plugins, "test::files", [](AotContext &p) {
    const SymInt n = p.input(0).numel();
    p.launch({.grid = {n},
              .args = {p.input(0), n, p.output(0)},
              .files = {{"k.ptx", "add"}, {"kernels/k.so", "", "cpu:x86-64-v3"}},
              .block = {64, 2},
              .sharedBytes = 4 * n,
              .cluster = {2},
              .isCooperative = true});
  });
  addWithAot(plugins, "test::bad_file",
             [](AotContext &p) { p.launch({.grid = {1}, .files = {{"k.txt", "add"}}}); });
  addWithAot(plugins, "test::block_of_source", [](AotContext &p) {
    p.launch({.kernel = p.triton("k.py", "k"), .grid = {1}, .block = {32}});
  });
  plugins.add("test::in_place")
      .inputs({"X", "Y"})
      .describe([](DescribeContext &p) {
        p.output(p.input("X").like());
        p.output(p.input("Y").aliased());
      })
      .aot([](AotContext &p) { (void)p.output(0).aliased(); });
  plugins.add("test::sizes")
      .describe([](DescribeContext &p) {
        const SymInt n = p.input(0).numel();
        const SymInt count = p.computedSize("count", INLAY_DTYPE_INT64, n, floorDiv(n, 2));
        p.require(count % 2 == 0, "an even number");
        p.output({INLAY_DTYPE_INT32, {count, 2}});
        p.sizeOutput("count");
      })
      .aot([](AotContext &p) {
        p.launch({.kernel = p.triton("k.py", "k"), .args = {p.input(0), p.computedSize("count")}});
      });
  plugins.add("test::bad_size")
      .describe([](DescribeContext &p) {
        p.computedSize("count", INLAY_DTYPE_FLOAT32, 4);
        p.output(p.input(0).like());
      })
      .aot([](AotContext &p) { (void)p.computedSize("count"); });
  addWithAot(plugins, "test::tactics", [](AotContext &p) {
    const TritonFunction kernel = p.triton("k.py", "k");
    p.launch({.kernel = p.triton("k.py", "first"), .grid = {1}, .args = {}});
    p.tactic("wide", {p.input(0).numel() % 16 == 0}, {{p.input(0), 64}, {p.output(0), 32}});
    p.launch({.kernel = kernel, .grid = {1}, .args = {p.output(0)}});
    for (const AutotuneConfig &config : p.autotuneConfigs(kernel)) {
      p.tactic(config.name);
      p.launch({.kernel = {kernel.path, kernel.source, kernel.function, config.constexprs},
                .grid = {config.integer("BLOCK")},
                .args = {p.output(0)},
                .numWarps = config.numWarps,
                .numStages = config.numStages});
    }
  });
  // Three for one operator: which serves a node is asked of each.
  plugins.add("test::choice")
      .inputs({"X"})
      .variant("vector")
      .priority(2)
      .types({"FP32|FP16, FP32|FP16"})
      .attribute("mode", "fast")
      .when([](ConditionContext &p) {
        if (p.attribute("mode").asString() != "fast")
          p.fail("the mode is not fast");
        p.require(p.input("X").numel() % 4 == 0);
        p.require(p.output(0).size(0) > 1, "there is one row only");
      })
      .describe(like)
      .aot([](AotContext &p) {
        p.launch({.kernel = p.triton("k.py", "k", {{"PADS", std::vector<int64_t>{1, 2}}}),
                  .grid = {1},
                  .args = {Float32(1.0 / sqrt(SymFloat(p.input(0).size(0)))),
                           Float64(SymFloat(0.1) * -2.5), p.output(0)}});
      });
  plugins.add("test::choice")
      .inputs({"X"})
      .variant("static")
      .priority(1)
      .attribute("mode", "fast")
      .targets({"cuda", "cpu:x86-64-v3"})
      .staticShapesOnly()
      .when([](ConditionContext &p) { return p.targets().size() < 2; })
      .describe(like)
      .aot([](AotContext &p) { p.launch({.kernel = p.triton("k.py", "k"), .grid = {1}}); });
  addWithAot(plugins, "test::infinite", [](AotContext &p) {
    p.launch({.kernel = p.triton("k.py", "k"), .args = {Float32(SymFloat(1.0) / 0.0)}});
  });

  // Removed again, and another in its place.
  plugins.add("test::removed").describe(like).aot([](AotContext &) {});
  plugins.add("test::replaced").variant("a").describe(like).aot([](AotContext &) {});
  plugins.add("test::replaced").variant("b").describe(like).aot([](AotContext &) {});
  plugins.remove("test::removed");
  plugins.remove("test::replaced", "a");
  plugins.add("test::replaced").variant("a").priority(7).describe(like).aot([](AotContext &) {});

  plugins.add("test::throws")
      .describe([](DescribeContext &p) { p.fail("only float16 of " + p.opName()); })
      .aot([](AotContext &) { throw 3; });
  plugins.add("test::missing_input")
      .describe([](DescribeContext &p) { p.output(p.input(5).like()); })
      .aot([](AotContext &p) { (void)p.attribute("nothing"); });
  plugins.add("test::bad_expression")
      .describe(
          [](DescribeContext &p) { p.output({INLAY_DTYPE_FLOAT32, {SymInt::parse("s0 +")}}); })
      .aot([](AotContext &) {});
  plugins.add("test::bad_kind")
      .attribute("alpha", 2.0)
      .describe([](DescribeContext &p) {
        p.output(p.input(0).like());
        (void)p.attribute("alpha").asString();
      })
      .aot(
          [](AotContext &p) { p.launch({.kernel = p.triton("k.py", "k"), .grid = {1, 1, 1, 1}}); });
  addWithAot(plugins, "test::bad_warps", [](AotContext &p) {
    p.launch({.kernel = p.triton("k.py", "k"), .grid = {1}, .numWarps = 3});
  });
  addWithAot(plugins, "test::twice", [](AotContext &p) {
    p.launch({.kernel = p.triton("k.py", "k", {{"B", 1}, {"B", 2}}), .grid = {1}});
  });
  addWithAot(plugins, "test::unknown_symbol", [](AotContext &p) {
    p.launch({.kernel = p.triton("k.py", "k"), .grid = {SymInt::parse("s9")}});
  });
  addWithAot(plugins, "test::workspaces", [](AotContext &p) {
    p.workspace("a", INLAY_DTYPE_FLOAT32, 4);
    p.workspace("a", INLAY_DTYPE_FLOAT32, 4);
  });
}
#endif
