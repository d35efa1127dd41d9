// Tactics are a choice of which one is taken at run time; what is known of the sizes decides the rest.
// RUN: inlay-opt %s -split-input-file -graph-to-plan=plugins=%S/../../../../tests/plugins/tactics/tactics.toml | FileCheck %s

// A guard on divisibility is a promise to the kernel.
// CHECK-LABEL: plan.program @sizes
// CHECK: plan.kernel @which_kernel source "tactics.py:which_kernel" signature ["*fp32:16", "*fp32:16", "i32"]
// CHECK: plan.kernel @which_kernel_1 source "tactics.py:which_kernel" signature ["*fp32:16", "*fp32:16", "i32:16"]
// CHECK: plan.choice @node.tactics [{condition = "1000 <= s0", name = "large"}, {aligned = {x = 64 : i64, y = 64 : i64}, condition = "0 == s0 % 16", name = "wide"}, {name = "any"}] plugin "test::which" node "node"
// CHECK: plan.launch @which_kernel grid {{.*}} tactic "large" of @node.tactics
// CHECK: plan.launch @which_kernel_1 grid {{.*}} tactic "wide" of @node.tactics
// CHECK: plan.launch @which_kernel_2 grid {{.*}} tactic "any" of @node.tactics
graph.model @sizes inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 4096 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0"], "float32">):
  %y = graph.call "test::which" node "node" (%x) names ["X"] arguments {} : (!graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  graph.output %y : !graph.tensor<["s0"], "float32">
}

// -----

// 100 elements: never large, never a multiple of 16.
// CHECK-LABEL: plan.program @few
// CHECK: plan.choice @node.tactics [{name = "any"}]
// CHECK: plan.launch {{.*}} tactic "any" of @node.tactics
// CHECK-NOT: plan.launch
graph.model @few inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["100"], "float32">):
  %y = graph.call "test::which" node "node" (%x) names ["X"] arguments {} : (!graph.tensor<["100"], "float32">) -> !graph.tensor<["100"], "float32">
  graph.output %y : !graph.tensor<["100"], "float32">
}

// -----

// The configurations of a kernel's decorator are tactics, in its order.
// CHECK-LABEL: plan.program @autotuned
// CHECK: plan.choice @node.tactics [{name = "BLOCK=64, PER=1, num_warps=2, num_stages=3"}, {name = "BLOCK=64, PER=4, num_warps=2, num_stages=3"}, {name = "BLOCK=256, PER=1, num_warps=4, num_stages=3"}, {name = "BLOCK=256, PER=4, num_warps=4, num_stages=3"}]
// CHECK: plan.launch @double_kernel grid ["ceildiv(s0, 64)", "1", "1"]
// CHECK: plan.launch @double_kernel_1 grid ["ceildiv(s0, 256)", "1", "1"]
graph.model @autotuned inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 4096 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0"], "float32">):
  %y = graph.call "test::double" node "node" (%x) names ["X"] arguments {} : (!graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  graph.output %y : !graph.tensor<["s0"], "float32">
}
