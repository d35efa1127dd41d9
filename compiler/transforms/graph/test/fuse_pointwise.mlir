// Pointwise operators of one shape become groups, with views that only they read.
// RUN: inlay-opt %s -split-input-file -graph-fuse-pointwise 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-fuse-pointwise 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A tree; the product is used elsewhere too, and is a result of the group beside the last.
// CHECK-LABEL: graph.model @tree
// CHECK: %[[G:.*]]:2 = graph.group "pointwise" node "relu"(%{{.*}}, %{{.*}})
// CHECK: graph.call "aten::mul.Tensor" node "mul"
// CHECK: graph.call "aten::add.Tensor" node "add"
// CHECK: graph.call "aten::relu" node "relu"
// CHECK: graph.yield
// CHECK-NOT: graph.call
// CHECK: graph.output %[[G]]#1, %[[G]]#0
// REMARK: remark: relu: computes mul, add and relu in one kernel
graph.model @tree inputs ["x", "y"] ["", ""] outputs ["a", "b"] ["", ""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">, %y: !graph.tensor<["4"], "float32">):
  %m = graph.call "aten::mul.Tensor" node "mul" (%x, %y) names ["self", "other"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%m) names ["self"] arguments {other = 1.0 : f64} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %r = graph.call "aten::relu" node "relu" (%a) names ["self"] arguments {} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  graph.output %r, %m : !graph.tensor<["s0", "4"], "float32">, !graph.tensor<["s0", "4"], "float32">
}

// -----

// What would go out of a group and back into it stays apart.
// CHECK-LABEL: graph.model @cycle
// CHECK-NOT: graph.group
// REMARK: remark: add: not applied, stays apart from relu: softmax lies between them
graph.model @cycle inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4", "8"], "float32">):
  %r = graph.call "aten::relu" node "relu" (%x) names ["self"] arguments {} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["4", "8"], "float32">
  %s = graph.call "aten::softmax.int" node "softmax" (%r) names ["self"] arguments {dim = 1 : i64} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["4", "8"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%r, %s) names ["self", "other"] arguments {} : (!graph.tensor<["4", "8"], "float32">, !graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["4", "8"], "float32">
  graph.output %a : !graph.tensor<["4", "8"], "float32">
}

// -----

// A cast and a comparison: values keep their types. Another shape stays apart.
// CHECK-LABEL: graph.model @types
// CHECK: graph.call "aten::neg" node "neg"
// CHECK: graph.group "pointwise" node "where"
// CHECK: -> !graph.tensor<["4", "8"], "bool">
// CHECK: -> !graph.tensor<["4", "8"], "float16">
// REMARK: remark: where: not applied, stays apart from neg: their shapes differ
graph.model @types inputs ["x", "z"] ["", ""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4", "8"], "float32">, %z: !graph.tensor<["8"], "float16">):
  %c = graph.call "aten::gt.Scalar" node "gt" (%x) names ["self"] arguments {other = 0 : i64} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["4", "8"], "bool">
  %h = graph.call "aten::_to_copy" node "cast" (%x) names ["self"] arguments {dtype = #graph.dtype<"float16">} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["4", "8"], "float16">
  %n = graph.call "aten::neg" node "neg" (%z) names ["self"] arguments {} : (!graph.tensor<["8"], "float16">) -> !graph.tensor<["8"], "float16">
  %w = graph.call "aten::where.self" node "where" (%c, %h, %n) names ["condition", "self", "other"] arguments {} : (!graph.tensor<["4", "8"], "bool">, !graph.tensor<["4", "8"], "float16">, !graph.tensor<["8"], "float16">) -> !graph.tensor<["4", "8"], "float16">
  graph.output %w : !graph.tensor<["4", "8"], "float16">
}

// -----

// An exchange of dimensions that one group alone reads is read in its place; one that is an output
// is made.
// CHECK-LABEL: graph.model @views
// CHECK: %[[KEPT:.*]] = graph.call "aten::permute" node "kept"
// CHECK: graph.group "pointwise" node "add"(%{{.*}}, %[[KEPT]])
// CHECK: graph.call "aten::permute" node "read"
// REMARK: remark: kept: not applied, is copied
graph.model @views inputs ["x"] [""] outputs ["y", "k"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4", "8"], "float32">):
  %p = graph.call "aten::permute" node "read" (%x) names ["self"] arguments {dims = [1, 0]} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["8", "4"], "float32">
  %k = graph.call "aten::permute" node "kept" (%x) names ["self"] arguments {dims = [-1, 0]} : (!graph.tensor<["4", "8"], "float32">) -> !graph.tensor<["8", "4"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%p, %k) names ["self", "other"] arguments {} : (!graph.tensor<["8", "4"], "float32">, !graph.tensor<["8", "4"], "float32">) -> !graph.tensor<["8", "4"], "float32">
  graph.output %a, %k : !graph.tensor<["8", "4"], "float32">, !graph.tensor<["8", "4"], "float32">
}

// -----

// The halves of a gated layer are read where they lie.
// CHECK-LABEL: graph.model @halves
// CHECK: graph.group "pointwise" node "mul"
// CHECK: graph.call "aten::chunk" node "chunk"
// CHECK: graph.call "aten::silu"
// CHECK: graph.call "aten::mul.Tensor"
graph.model @halves inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["5", "4"], "float32">):
  %a, %b = graph.call "aten::chunk" node "chunk" (%x) names ["self"] arguments {chunks = 2 : i64, dim = 1 : i64} : (!graph.tensor<["5", "4"], "float32">) -> (!graph.tensor<["5", "2"], "float32">, !graph.tensor<["5", "2"], "float32">)
  %s = graph.call "aten::silu" node "silu" (%a) names ["self"] arguments {} : (!graph.tensor<["5", "2"], "float32">) -> !graph.tensor<["5", "2"], "float32">
  %y = graph.call "aten::mul.Tensor" node "mul" (%s, %b) names ["self", "other"] arguments {} : (!graph.tensor<["5", "2"], "float32">, !graph.tensor<["5", "2"], "float32">) -> !graph.tensor<["5", "2"], "float32">
  graph.output %y : !graph.tensor<["5", "2"], "float32">
}
