// Buffers that a model changes are state: written in place where nothing else reads them, else given their value at the end.
// RUN: inlay-opt %s -split-input-file -graph-to-plan=plugins=%S/../../../../tests/plugins/outputs/outputs.toml | FileCheck %s

// The operator changes the state itself, and the output is a copy of it.
// CHECK-LABEL: plan.program @in_place
// CHECK: plan.buffer @sum state "32"
// CHECK: plan.launch @add_in_place_kernel {{.*}} arguments [@sum, @x, "8"]
// CHECK-NEXT: plan.copy @sum to @y
// CHECK-NOT: plan.copy
graph.model @in_place inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["8"], "float32">):
  %sum = graph.constant "sum" dense<0.0> : tensor<8xf32> : !graph.tensor<["8"], "float32">
  %y = graph.call "test::add_in_place" node "y" (%sum, %x) names ["X", "Y"] arguments {} : (!graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  graph.update %sum with %y : !graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">
  graph.output %y : !graph.tensor<["8"], "float32">
}

// -----

// Two that are exchanged: what lies in one is put aside before it is written.
// CHECK-LABEL: plan.program @exchanged
// CHECK: plan.copy @a to @y
// CHECK-NEXT: plan.copy @b to @[[A:.*]]
// CHECK-NEXT: plan.copy @a to @[[B:.*]]
// CHECK-NEXT: plan.copy @[[A]] to @a
// CHECK-NEXT: plan.copy @[[B]] to @b
graph.model @exchanged inputs [] [] outputs ["y"] [""] symbols [] checks [] {
  %a = graph.constant "a" dense<0.0> : tensor<8xf32> : !graph.tensor<["8"], "float32">
  %b = graph.constant "b" dense<1.0> : tensor<8xf32> : !graph.tensor<["8"], "float32">
  graph.update %a with %b : !graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">
  graph.update %b with %a : !graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">
  graph.output %a : !graph.tensor<["8"], "float32">
}
