#include "compiler/driver/BuildReport.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

BuildReport sampleReport() {
  BuildReport report;
  report.engineName = "add_one";
  report.engineBytes = 12345;
  report.totalMs = 310;
  report.phases = {{"import", 10}, {"plan", 20}, {"compile", 275.4}, {"write", 1}};
  report.operators = {
      {"add_one", "my::add_one", "add_one.toml:1", 1, "aot", "the plugin has no other"}};
  KernelReport ptx;
  ptx.kernel = "add_one_kernel";
  ptx.source = "add_one.py:add_one_kernel";
  ptx.plugins = {"my::add_one"};
  ptx.target = "cuda:sm_90a";
  ptx.format = ImageFormat::Ptx;
  ptx.compileMs = 120.6;
  ptx.sizeBytes = 2345;
  ptx.numWarps = 4;
  KernelReport cubin = ptx;
  cubin.format = ImageFormat::Cubin;
  cubin.registers = 16;
  KernelReport so = ptx;
  so.target = "cpu:x86-64-v3";
  so.format = ImageFormat::X86SharedObject;
  so.numWarps = 0;
  report.kernels = {ptx, cubin, so};
  report.notes = {"workspace 'tmp' of my::add_one is not used"};
  report.engineCache = EngineCacheReport{true, "0a1b", ""};
  return report;
}

TEST(BuildReportTest, PrintsATable) {
  EXPECT_EQ(
      reportText(sampleReport()),
      R"(engine add_one: 12,345 bytes in 0.31 s (import 10 ms, plan 20 ms, compile 275 ms, write 1 ms)
  engine cache: hit, key 0a1b
  operators
    node     operator     plugin          launches  by   since
    add_one  my::add_one  add_one.toml:1         1  aot  the plugin has no other
  kernels
    kernel          target         format  bytes  warps  registers  spilled  shared   ms
    add_one_kernel  cuda:sm_90a    ptx     2,345      4          -        -       0  121
    add_one_kernel  cuda:sm_90a    cubin   2,345      4         16        0       0  121
    add_one_kernel  cpu:x86-64-v3  so      2,345      -          -        -       -  121
  note: workspace 'tmp' of my::add_one is not used
)");
}

TEST(BuildReportTest, PrintsJson) {
  BuildReport report = sampleReport();
  report.kernels.resize(1);
  report.tactics.push_back({"add_one",
                            "my::add_one",
                            "GPU",
                            2,
                            3,
                            {{"wide", "s0 % 16 == 0", 0}, {"any", "", 1.5}},
                            {{"slow", "", 2.5}},
                            {"bad: too large"}});
  report.remarks.push_back({"cse", "exp_1", true, "is what exp computes"});
  EXPECT_EQ(remarksText(report), "remark: cse: node exp_1: is what exp computes\n");
  EXPECT_EQ(reportJson(report), R"({
  "engine_name": "add_one",
  "engine_bytes": 12345,
  "total_ms": 310,
  "phases_ms": {
    "import": 10,
    "plan": 20,
    "compile": 275.39999999999998,
    "write": 1
  },
  "operators": [
    {
      "node": "add_one",
      "operator": "my::add_one",
      "plugin": "add_one.toml:1",
      "launches": 1,
      "implementation": "aot",
      "reason": "the plugin has no other"
    }
  ],
  "tactics": [
    {
      "node": "add_one",
      "operator": "my::add_one",
      "device": "GPU",
      "profile": 2,
      "num_tactics": 3,
      "kept": [
        {
          "name": "wide",
          "condition": "s0 % 16 == 0"
        },
        {
          "name": "any",
          "condition": "",
          "us": 1.5
        }
      ],
      "passed_over": [
        {
          "name": "slow",
          "condition": "",
          "us": 2.5
        }
      ],
      "failures": [
        "bad: too large"
      ]
    }
  ],
  "kernels": [
    {
      "kernel": "add_one_kernel",
      "source": "add_one.py:add_one_kernel",
      "plugins": [
        "my::add_one"
      ],
      "target": "cuda:sm_90a",
      "format": "ptx",
      "compile_ms": 120.59999999999999,
      "size_bytes": 2345,
      "num_warps": 4,
      "registers": 0,
      "spill_bytes": 0,
      "shared_bytes": 0
    }
  ],
  "remarks": [
    {
      "pass": "cse",
      "node": "exp_1",
      "applied": true,
      "text": "is what exp computes"
    }
  ],
  "notes": [
    "workspace 'tmp' of my::add_one is not used"
  ],
  "engine_cache": {
    "hit": true,
    "key": "0a1b",
    "reason": ""
  },
  "precision": null
}
)");
}

} // namespace
} // namespace inlay
