// Products of one input with constant weights become one where their results are copied by views anyway.
// RUN: inlay-opt %s -split-input-file -graph-merge-products -graph-compose-views -graph-dead-calls 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-merge-products 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: graph.model @heads
// CHECK: %[[W:.*]] = graph.constant "q.merged.weight" {{.*}} : <["8", "4"], "float32">
// CHECK-NEXT: %[[M:.*]] = graph.call "aten::linear" node "q.merged"(%{{.*}}, %[[W]])
// CHECK-NEXT: graph.call "aten::as_strided" node "qh"(%[[M]]) names ["self"] arguments {size = [2, #graph.expr<"s0">, 2], storage_offset = 0 : i64, stride = [2, 8, 1]}
// CHECK-NEXT: graph.call "aten::as_strided" node "kh"(%[[M]]) names ["self"] arguments {size = [2, #graph.expr<"s0">, 2], storage_offset = 4 : i64, stride = [2, 8, 1]}
// REMARK: remark: q.merged: computes q, k
graph.model @heads inputs ["x"] [""] outputs ["o0", "o1"] ["", ""] symbols [{name = "s0", min = 2 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">):
  %qw = graph.constant "qw" dense<[16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %q = graph.call "aten::linear" node "q" (%x, %qw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %qv = graph.call "aten::view" node "qv" (%q) names ["self"] arguments {size = [#graph.expr<"s0">, 2, 2]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "2", "2"], "float32">
  %qh = graph.call "aten::transpose.int" node "qh" (%qv) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "2", "2"], "float32">) -> !graph.tensor<["2", "s0", "2"], "float32">
  %kw = graph.constant "kw" dense<[32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0, 40.0, 41.0, 42.0, 43.0, 44.0, 45.0, 46.0, 47.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %k = graph.call "aten::linear" node "k" (%x, %kw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %kv = graph.call "aten::view" node "kv" (%k) names ["self"] arguments {size = [#graph.expr<"s0">, 2, 2]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "2", "2"], "float32">
  %kh = graph.call "aten::transpose.int" node "kh" (%kv) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "2", "2"], "float32">) -> !graph.tensor<["2", "s0", "2"], "float32">
  graph.output %qh, %kh : !graph.tensor<["2", "s0", "2"], "float32">, !graph.tensor<["2", "s0", "2"], "float32">
}

// -----

// What is read as it is would be copied out of a larger product.
// CHECK-LABEL: graph.model @plain
// CHECK: graph.call "aten::linear" node "q"
// CHECK: graph.call "aten::linear" node "k"
// REMARK: remark: k: not applied, stays apart from products of the same input: its result is read by the model's outputs, which is no view that is copied anyway
graph.model @plain inputs ["x"] [""] outputs ["o0", "o1"] ["", ""] symbols [{name = "s0", min = 2 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">):
  %qw = graph.constant "qw" dense<[16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %q = graph.call "aten::linear" node "q" (%x, %qw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %qv = graph.call "aten::view" node "qv" (%q) names ["self"] arguments {size = [#graph.expr<"s0">, 2, 2]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "2", "2"], "float32">
  %qh = graph.call "aten::transpose.int" node "qh" (%qv) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "2", "2"], "float32">) -> !graph.tensor<["2", "s0", "2"], "float32">
  %kw = graph.constant "kw" dense<[32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0, 40.0, 41.0, 42.0, 43.0, 44.0, 45.0, 46.0, 47.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %k = graph.call "aten::linear" node "k" (%x, %kw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  graph.output %qh, %k : !graph.tensor<["2", "s0", "2"], "float32">, !graph.tensor<["s0", "4"], "float32">
}

// -----

// Weights that are to be replaced in the engine keep their names.
// CHECK-LABEL: graph.model @refittable
// CHECK-COUNT-2: graph.call "aten::linear"
// REMARK: remark: q: not applied, stays apart from products of the same input: weights are to be replaceable
graph.model @refittable inputs ["x"] [""] outputs ["o0", "o1"] ["", ""] symbols [{name = "s0", min = 2 : i64, max = 64 : i64, opt = 8 : i64}] checks [] attributes {graph.refittable} {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">):
  %qw = graph.constant "qw" dense<[16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %q = graph.call "aten::linear" node "q" (%x, %qw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %qv = graph.call "aten::view" node "qv" (%q) names ["self"] arguments {size = [#graph.expr<"s0">, 2, 2]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "2", "2"], "float32">
  %qh = graph.call "aten::transpose.int" node "qh" (%qv) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "2", "2"], "float32">) -> !graph.tensor<["2", "s0", "2"], "float32">
  %kw = graph.constant "kw" dense<[32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0, 40.0, 41.0, 42.0, 43.0, 44.0, 45.0, 46.0, 47.0]> : tensor<16xf32> : !graph.tensor<["4", "4"], "float32">
  %k = graph.call "aten::linear" node "k" (%x, %kw) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "4"], "float32">, !graph.tensor<["4", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %kv = graph.call "aten::view" node "kv" (%k) names ["self"] arguments {size = [#graph.expr<"s0">, 2, 2]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "2", "2"], "float32">
  %kh = graph.call "aten::transpose.int" node "kh" (%kv) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "2", "2"], "float32">) -> !graph.tensor<["2", "s0", "2"], "float32">
  graph.output %qh, %kh : !graph.tensor<["2", "s0", "2"], "float32">, !graph.tensor<["2", "s0", "2"], "float32">
}
