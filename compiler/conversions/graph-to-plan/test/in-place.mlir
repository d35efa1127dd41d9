// An output that is an input's memory takes it over, or works on a copy where the input is read later.
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/outputs/outputs.toml | FileCheck %s

// CHECK-LABEL: plan.program @m
graph.model @m inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0"], "float32">):
  // CHECK: plan.launch @double_kernel {{.*}} arguments [@x, @[[T:.*]], "s0"]
  %t = graph.call "test::double" node "t" (%x) names ["X"] arguments {} : (!graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  // The caller's x is not written.
  // CHECK-NEXT: plan.copy @x to @[[Y:.*]]
  // CHECK-NEXT: plan.launch @add_in_place_kernel {{.*}} arguments [@[[Y]], @[[T]], "s0"]
  %y = graph.call "test::add_in_place" node "y" (%x, %t) names ["X", "Y"] arguments {} : (!graph.tensor<["s0"], "float32">, !graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  // Nobody reads t any more: its memory is that of the output z all along.
  // CHECK-NEXT: plan.launch @add_in_place_kernel {{.*}} arguments [@[[T]], @[[Y]], "s0"]
  // CHECK-NOT: plan.copy
  %z = graph.call "test::add_in_place" node "z" (%t, %y) names ["X", "Y"] arguments {} : (!graph.tensor<["s0"], "float32">, !graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  graph.output %y, %z : !graph.tensor<["s0"], "float32">, !graph.tensor<["s0"], "float32">
}
