// Operators along lines become one kernel with the pointwise operators around them.
// RUN: inlay-opt %s -split-input-file -graph-fuse-reductions 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-fuse-reductions 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A normalisation by the root mean square, written out.
// CHECK-LABEL: graph.model @rms
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[Y:.*]] = graph.group "lines" node "mul_1"
// CHECK: graph.call "aten::mean.dim" node "mean"
// CHECK: graph.yield
// CHECK: graph.output %[[Y]]
// REMARK: remark: mul_1: computes pow, mean, add, rsqrt, mul and mul_1 in one kernel
graph.model @rms inputs ["x", "w"] ["", ""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "64"], "float32">, %w: !graph.tensor<["64"], "float32">):
  %p = graph.call "aten::pow.Tensor_Scalar" node "pow" (%x) names ["self"] arguments {exponent = 2 : i64} : (!graph.tensor<["s0", "64"], "float32">) -> !graph.tensor<["s0", "64"], "float32">
  %m = graph.call "aten::mean.dim" node "mean" (%p) names ["self"] arguments {dim = [-1], keepdim = true} : (!graph.tensor<["s0", "64"], "float32">) -> !graph.tensor<["s0", "1"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%m) names ["self"] arguments {other = 1.0e-06 : f64} : (!graph.tensor<["s0", "1"], "float32">) -> !graph.tensor<["s0", "1"], "float32">
  %r = graph.call "aten::rsqrt" node "rsqrt" (%a) names ["self"] arguments {} : (!graph.tensor<["s0", "1"], "float32">) -> !graph.tensor<["s0", "1"], "float32">
  %n = graph.call "aten::mul.Tensor" node "mul" (%x, %r) names ["self", "other"] arguments {} : (!graph.tensor<["s0", "64"], "float32">, !graph.tensor<["s0", "1"], "float32">) -> !graph.tensor<["s0", "64"], "float32">
  %y = graph.call "aten::mul.Tensor" node "mul_1" (%w, %n) names ["self", "other"] arguments {} : (!graph.tensor<["64"], "float32">, !graph.tensor<["s0", "64"], "float32">) -> !graph.tensor<["s0", "64"], "float32">
  graph.output %y : !graph.tensor<["s0", "64"], "float32">
}

// -----

// The sum of a line without its dimension is no line's value: its reader stays apart.
// CHECK-LABEL: graph.model @dropped
// CHECK: graph.group "lines" node "sum"
// CHECK: graph.call "aten::add.Tensor" node "add"
graph.model @dropped inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["8", "8"], "float32">):
  %e = graph.call "aten::exp" node "exp" (%x) names ["self"] arguments {} : (!graph.tensor<["8", "8"], "float32">) -> !graph.tensor<["8", "8"], "float32">
  %s = graph.call "aten::sum.dim_IntList" node "sum" (%e) names ["self"] arguments {dim = [1]} : (!graph.tensor<["8", "8"], "float32">) -> !graph.tensor<["8"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%e, %s) names ["self", "other"] arguments {} : (!graph.tensor<["8", "8"], "float32">, !graph.tensor<["8"], "float32">) -> !graph.tensor<["8", "8"], "float32">
  graph.output %a : !graph.tensor<["8", "8"], "float32">
}

// -----

// Lines of unknown length are not held whole.
// CHECK-LABEL: graph.model @unknown
// CHECK-NOT: graph.group
// REMARK: remark: softmax: not applied, its lines have s0 elements; lines of 2 to 4096 are held whole
graph.model @unknown inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["8", "s0"], "float32">):
  %e = graph.call "aten::neg" node "neg" (%x) names ["self"] arguments {} : (!graph.tensor<["8", "s0"], "float32">) -> !graph.tensor<["8", "s0"], "float32">
  %s = graph.call "aten::softmax.int" node "softmax" (%e) names ["self"] arguments {dim = 1 : i64} : (!graph.tensor<["8", "s0"], "float32">) -> !graph.tensor<["8", "s0"], "float32">
  graph.output %s : !graph.tensor<["8", "s0"], "float32">
}
