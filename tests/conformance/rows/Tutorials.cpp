// Whole kernels as people write them: the files of kernels/, on sizes that are no multiples of the
// blocks. Each has a plain reference that the interpreter's results are checked against.
#include "tests/conformance/KernelFiles.h"
#include "tests/conformance/PlainReference.h"
#include "tests/conformance/RowTable.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

void add(RowTable &table, std::string_view file, const char *function, const char *variant,
         const std::string &arguments, const std::string &constexprs, std::array<uint32_t, 3> grid,
         double rtol, double atol, int warps = 4, PlainReference reference = nullptr) {
  table.add({.group = "tutorials",
             .name = fmt::format("{}/{}{}", file, function, variant),
             .source = kernelFile(file),
             .arguments = arguments,
             .constexprs = constexprs,
             .rtol = rtol,
             .atol = atol,
             .numWarps = warps,
             .grid = grid,
             .function = function,
             .reference = reference});
}

} // namespace

void addTutorialsRows(RowTable &table) {
  add(table, "elementwise", "add", "",
      "left=any:f32[5000] right=any:f32[5000] out=output:f32[5000] count=i32:5000", "BLOCK=1024",
      {5, 1, 1}, 0, 0, 4, plainAdd);
  add(table, "elementwise", "masked_dropout", "",
      "values=-4..4:f32[1000] kept=0..2:i32[1000] out=output:f32[1000] count=i32:1000 rate=f32:0.5",
      "BLOCK=256", {4, 1, 1}, 3e-7, 0);
  add(table, "elementwise", "seeded_dropout", "",
      "values=-4..4:f32[1000] out=output:f32[1000] count=i32:1000 rate=f32:0.3 seed=i32:123",
      "BLOCK=256", {4, 1, 1}, 3e-7, 0);
  add(table, "elementwise", "arcsine", "",
      "values=-1..1:f32[3000] out=output:f32[3000] count=i32:3000", "BLOCK=1024", {3, 1, 1}, 1e-6,
      0);
  for (int warps : {1, 4, 8})
    add(table, "softmax", "softmax", fmt::format("/{}", warps).c_str(),
        "out=output:f32[37,781] values=-6..6:f32[37,781] row_step_in=i32:781 row_step_out=i32:781 "
        "rows=i32:37 columns=i32:781",
        "BLOCK=1024 STAGES=4", {8, 1, 1}, 1e-5, 1e-9, warps, plainSoftmax);
  for (const char *activation : {"''", "'leaky_relu'"})
    for (const char *type : {"f16", "fp8e5"})
      add(table, "matmul", "grouped",
          fmt::format("/{}/{}", type, activation[1] == 'l' ? "leaky_relu" : "plain").c_str(),
          fmt::format("a=integers:{0}[100,90] b=integers:{0}[90,136] c=output:f16[100,136] "
                      "m=i32:100 n=i32:136 k=i32:90 a_row=i32:90 a_column=i32:1 b_row=i32:136 "
                      "b_column=i32:1 c_row=i32:136 c_column=i32:1",
                      type),
          fmt::format("M=64 N=64 K=32 GROUP=2 ACTIVATION={}", activation), {6, 1, 1}, 1e-3, 0, 4,
          activation[1] == 'l' ? nullptr : plainMatmul);
  constexpr const char *product = "a=integers:f16[100,96] b=integers:f16[96,136] "
                                  "c=output:f16[100,136] m=i32:100 n=i32:136 k=i32:96";
  add(table, "matmul", "persistent", "", product, "M=64 N=64 K=32 GROUP=2", {4, 1, 1}, 0, 0, 4,
      plainMatmul);
  add(table, "matmul", "blocks", "", product, "M=64 N=32 K=32", {2, 5, 1}, 0, 0, 4, plainMatmul);
  add(table, "matmul", "persistent_described", "",
      "a=integers:f16[100,96] b=integers:f16[136,96] c=output:f16[100,136] m=i32:100 n=i32:136 "
      "k=i32:96",
      "M=64 N=64 K=32 GROUP=2", {4, 1, 1}, 0, 0);
  add(table, "layer_norm", "forward", "",
      "values=-4..4:f32[20,300] out=output:f32[20,300] weight=-1..1:f32[300] bias=-1..1:f32[300] "
      "means=output:f32[20] scales=output:f32[20] "
      "row_step=i32:300 columns=i32:300 epsilon=f32:0.00001",
      "BLOCK=128", {20, 1, 1}, 1e-5, 1e-5, 4, plainLayerNorm);
  add(table, "layer_norm", "forward", "-f16",
      "values=-4..4:f16[20,300] out=output:f16[20,300] weight=-1..1:f16[300] bias=-1..1:f16[300] "
      "means=output:f32[20] scales=output:f32[20] "
      "row_step=i32:300 columns=i32:300 epsilon=f32:0.00001",
      "BLOCK=512", {20, 1, 1}, 2e-3, 2e-3, 8);
  add(table, "layer_norm", "backward", "",
      "grad_in=output:f32[24,300] grad_out=-1..1:f32[24,300] grad_weight=zero:f32[4,300] "
      "grad_bias=zero:f32[4,300] values=-4..4:f32[24,300] "
      "weight=-1..1:f32[300] means=-0.1..0.1:f32[24] scales=0.4..0.5:f32[24] locks=zero:i32[8] "
      "row_step=i32:300 columns=i32:300",
      "GROUPS=4 BLOCK=512", {24, 1, 1}, 1e-4, 1e-5);
  add(table, "layer_norm", "add_groups", "",
      "parts_weight=-1..1:f32[40,300] parts_bias=-1..1:f32[40,300] weight=output:f32[300] "
      "bias=output:f32[300] rows=i32:40 columns=i32:300",
      "M=32 N=128", {3, 1, 1}, 1e-5, 1e-5);
  for (const char *causal : {"False", "True"})
    for (const char *type : {"f16", "bf16", "f32"})
      add(table, "attention", "forward", fmt::format("/{}/{}", causal, type).c_str(),
          fmt::format(
              "queries=-1..1:{0}[3,150,64] keys=-1..1:{0}[3,150,64] values=-1..1:{0}[3,150,64] "
              "out=output:{0}[3,150,64] logs=output:f32[3,150] length=i32:150 scale=f32:0.125",
              type),
          fmt::format("HEAD=64 M=64 N=32 CAUSAL={}", causal), {3, 3, 1},
          type[0] == 'b' ? 2e-2 : 5e-3, type[0] == 'b' ? 1e-2 : 3e-3, 4,
          type[1] == '3' && causal[0] == 'F' ? plainAttention : nullptr);
  add(table, "attention", "row_products", "",
      "out=-1..1:f16[2,100,64] grad_out=-1..1:f16[2,100,64] deltas=output:f32[2,100] "
      "length=i32:100",
      "HEAD=64 M=64", {2, 2, 1}, 1e-5, 1e-4);
  add(table, "attention", "backward", "",
      "queries=-1..1:f16[2,100,64] keys=-1..1:f16[2,100,64] values=-1..1:f16[2,100,64] "
      "grad_out=-1..1:f16[2,100,64] logs=8..9:f32[2,100] "
      "deltas=-1..1:f32[2,100] grad_queries=zero:f32[2,100,64] grad_keys=output:f16[2,100,64] "
      "grad_values=output:f16[2,100,64] length=i32:100 scale=f32:0.125",
      "HEAD=64 N=64 M=32", {2, 2, 1}, 1e-2, 1e-2);
  // Sizes of two problems, then where their operands begin in one buffer of f16.
  add(table, "matmul", "problems", "",
      "addresses=integers:f16[26000] sizes=48/40/64/33/70/96/0/4000/8000/10000/14000/21000:i32[12] "
      "group_count=i32:2",
      "M=32 N=32 K=32", {4, 1, 1}, 0, 0);
}

} // namespace inlay::conformance
