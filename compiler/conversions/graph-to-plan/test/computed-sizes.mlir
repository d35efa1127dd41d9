// A size that kernels compute begins as 0, is read after their launches, and bounds the memory of what depends on it.
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/outputs/outputs.toml | FileCheck %s
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/outputs/outputs.toml | inlay-opt | FileCheck %s

// CHECK-LABEL: plan.program @m
graph.model @m inputs ["x"] [""] outputs ["y", "n"] ["", ""] symbols [{name = "s0", min = 0 : i64, max = 64 : i64, opt = 8 : i64}, {name = "u0", min = 0 : i64, max = 50 : i64, opt = 0 : i64}] checks [] {
// CHECK: plan.computed "u0" bound "s0" max 64 opt 8
// The exporter's range is less than what the plugin allows.
// CHECK: plan.check "u0 <= 50" message "node above (test::above): the model allows at most 50 for u0"
// CHECK: plan.buffer @[[Y:.*]] output "4*u0"
// CHECK: plan.buffer @[[N:.*]] output "8"
// CHECK: plan.buffer @[[T:.*]] intermediate "4*u0"
// CHECK: plan.buffer @[[ZEROS:.*]] constant "8"
^bb0(%x: !graph.tensor<["s0"], "float32">):
  // CHECK: plan.copy @[[ZEROS]] to @[[N]]
  // CHECK-NEXT: plan.launch @above_kernel grid ["1", "1", "1"] arguments [@x, "s0", 2.000000e+00, @[[T]], @[[N]]]
  // CHECK-NEXT: plan.read_size "u0" from @[[N]] "int64" plugin "test::above" node "above"
  %t, %n = graph.call "test::above" node "above" (%x) names ["X"] arguments {threshold = 2.0 : f64} : (!graph.tensor<["s0"], "float32">) -> (!graph.tensor<["u0"], "float32">, !graph.tensor<[], "int64">)
  // CHECK-NEXT: plan.launch @double_kernel grid ["ceildiv(u0, 256)", "1", "1"] arguments [@[[T]], @[[Y]], "u0"]
  %y = graph.call "test::double" node "double" (%t) names ["X"] arguments {} : (!graph.tensor<["u0"], "float32">) -> !graph.tensor<["u0"], "float32">
  graph.output %y, %n : !graph.tensor<["u0"], "float32">, !graph.tensor<[], "int64">
}
