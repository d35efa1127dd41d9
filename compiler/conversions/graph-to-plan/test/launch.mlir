// A call of a plugin's operator becomes buffers, one kernel for its types, and a launch of it.
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/sample.toml | FileCheck %s
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/sample.toml | inlay-opt | FileCheck %s

// CHECK: plan.program @m
graph.model @m inputs ["x", "y"] ["args[0]", "args[1]"] outputs ["z"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
// CHECK: plan.symbol "s0" in 1 to 64 opt 8 from 0 dim 0
// CHECK: plan.input "x" "float32" ["s0", "16"] in @[[X:.*]] path "args[0]"
// CHECK: plan.input "y" "float32" ["s0", "16"] in @[[Y:.*]] path "args[1]"
// CHECK: plan.output "z" "float32" ["s0", "16"] in @[[Z:.*]]
// CHECK: plan.buffer @[[X]] input "64*s0"
// CHECK: plan.buffer @[[Y]] input "64*s0"
// CHECK: plan.buffer @[[Z]] output "64*s0"
// CHECK: plan.buffer @[[T:.*]] {{.*}} "64*s0"
^bb0(%x: !graph.tensor<["s0", "16"], "float32">, %y: !graph.tensor<["s0", "16"], "float32">):
  // CHECK: plan.kernel @[[MUL:elementwise_mul_kernel]] source "sample.py:elementwise_mul_kernel" signature ["*fp32:16", "*fp32:16", "*fp32:16", "i32:16"] constexprs {BLOCK = 256 : i64}
  // CHECK: func.func @elementwise_mul_kernel({{.*}}) attributes {tile.kernel}
  // CHECK-NOT: plan.kernel
  // CHECK: plan.launch @[[MUL]] grid ["ceildiv(16*s0, 256)", "1", "1"] arguments [@[[X]], @[[Y]], @[[T]], "16*s0"] plugin "torchtrt_ex::elementwise_mul" node "mul_1"
  %t = graph.call "torchtrt_ex::elementwise_mul" node "mul_1" (%x, %y) names ["X", "Y"] arguments {} : (!graph.tensor<["s0", "16"], "float32">, !graph.tensor<["s0", "16"], "float32">) -> !graph.tensor<["s0", "16"], "float32">
  // CHECK: plan.launch @[[MUL]] grid ["ceildiv(16*s0, 256)", "1", "1"] arguments [@[[T]], @[[Y]], @[[Z]], "16*s0"] plugin "torchtrt_ex::elementwise_mul" node "mul_2"
  %z = graph.call "torchtrt_ex::elementwise_mul" node "mul_2" (%t, %y) names ["X", "Y"] arguments {} : (!graph.tensor<["s0", "16"], "float32">, !graph.tensor<["s0", "16"], "float32">) -> !graph.tensor<["s0", "16"], "float32">
  graph.output %z : !graph.tensor<["s0", "16"], "float32">
}
