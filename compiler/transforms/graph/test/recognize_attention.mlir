// Attention that is written out becomes one call.
// RUN: inlay-opt %s -split-input-file -graph-recognize-attention 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-recognize-attention 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: graph.model @masked
// CHECK-NEXT: ^bb0(%[[Q:.*]]: {{.*}}, %[[K:.*]]: {{.*}}, %[[V:.*]]: {{.*}}, %[[M:.*]]: {{.*}}):
// CHECK-NEXT: %[[Y:.*]] = graph.call "aten::scaled_dot_product_attention" node "y.attention"(%[[Q]], %[[K]], %[[V]], %[[M]])
// CHECK-SAME: names ["query", "key", "value", "attn_mask"] arguments {scale = 5.000000e-01 : f64}
// CHECK-NEXT: graph.output %[[Y]]
// REMARK: remark: y: scores, softmax and y are attention
graph.model @masked inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %half = graph.call "aten::mul.Tensor" node "half" (%scores) names ["self"] arguments {other = 5.0e-01 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %masked = graph.call "aten::add.Tensor" node "masked" (%half, %m) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%masked) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y : !graph.tensor<["2", "4", "s0", "8"], "float32">
}

// -----

// The mask may not be scaled.
// CHECK-LABEL: graph.model @scaled_mask
// CHECK-NOT: scaled_dot_product_attention
// REMARK: remark: softmax: not applied, is not taken for attention: the mask is scaled with the scores
graph.model @scaled_mask inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %masked = graph.call "aten::add.Tensor" node "masked" (%scores, %m) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %half = graph.call "aten::mul.Tensor" node "half" (%masked) names ["self"] arguments {other = 5.0e-01 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%half) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y : !graph.tensor<["2", "4", "s0", "8"], "float32">
}

// -----

// Who wants the weights needs them stored.
// CHECK-LABEL: graph.model @weights
// CHECK-NOT: scaled_dot_product_attention
// REMARK: remark: softmax: not applied, is not taken for attention: its weights are used elsewhere too
graph.model @weights inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0", "o1"] ["", ""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %half = graph.call "aten::mul.Tensor" node "half" (%scores) names ["self"] arguments {other = 5.0e-01 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %masked = graph.call "aten::add.Tensor" node "masked" (%half, %m) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%masked) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y, %softmax : !graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "s0", "6"], "float32">
}

// -----

// Scores that are filled with less than all others have no weight; with a number near them they would.
// CHECK-LABEL: graph.model @filled
// CHECK: %[[KEPT:.*]] = graph.call "aten::gt.Scalar"
// CHECK: %[[HIDDEN:.*]] = graph.call "aten::where.Scalar" node "y.mask"(%[[KEPT]]) names ["condition"] arguments {other = 0.000000e+00 : f64, self = -1.000000e+10 : f64}
// CHECK: graph.call "aten::scaled_dot_product_attention" {{.*}}%[[HIDDEN]])
graph.model @filled inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %half = graph.call "aten::mul.Tensor" node "half" (%scores) names ["self"] arguments {other = 5.0e-01 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %kept = graph.call "aten::gt.Scalar" node "kept" (%m) names ["self"] arguments {other = 0 : i64} : (!graph.tensor<["s0", "6"], "float32">) -> !graph.tensor<["s0", "6"], "bool">
  %masked = graph.call "aten::masked_fill.Scalar" node "masked" (%half, %kept) names ["self", "mask"] arguments {value = -1.0e+10 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["s0", "6"], "bool">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%masked) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y : !graph.tensor<["2", "4", "s0", "8"], "float32">
}

// -----

// CHECK-LABEL: graph.model @filled_with_little
// CHECK-NOT: scaled_dot_product_attention
// REMARK: remark: softmax: not applied, is not taken for attention: scores are filled with -10000; expected -1e+09 or less
graph.model @filled_with_little inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %half = graph.call "aten::mul.Tensor" node "half" (%scores) names ["self"] arguments {other = 5.0e-01 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %kept = graph.call "aten::gt.Scalar" node "kept" (%m) names ["self"] arguments {other = 0 : i64} : (!graph.tensor<["s0", "6"], "float32">) -> !graph.tensor<["s0", "6"], "bool">
  %masked = graph.call "aten::masked_fill.Scalar" node "masked" (%half, %kept) names ["self", "mask"] arguments {value = -1.0e+4 : f64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["s0", "6"], "bool">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%masked) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y : !graph.tensor<["2", "4", "s0", "8"], "float32">
}

// -----

// CHECK-LABEL: graph.model @stands_between
// CHECK-NOT: scaled_dot_product_attention
// REMARK: remark: softmax: not applied, is not taken for attention: tanh (aten::tanh) stands between the product and softmax
graph.model @stands_between inputs ["q", "k", "v", "m"] ["", "", "", ""] outputs ["o0"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%q: !graph.tensor<["2", "4", "s0", "8"], "float32">, %k: !graph.tensor<["2", "4", "6", "8"], "float32">, %v: !graph.tensor<["2", "4", "6", "8"], "float32">, %m: !graph.tensor<["s0", "6"], "float32">):
  %kt = graph.call "aten::transpose.int" node "kt" (%k) names ["self"] arguments {dim0 = -2 : i64, dim1 = -1 : i64} : (!graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "8", "6"], "float32">
  %scores = graph.call "aten::matmul" node "scores" (%q, %kt) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "8"], "float32">, !graph.tensor<["2", "4", "8", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %tanh = graph.call "aten::tanh" node "tanh" (%scores) names ["self"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %softmax = graph.call "aten::softmax.int" node "softmax" (%tanh) names ["self"] arguments {dim = -1 : i64} : (!graph.tensor<["2", "4", "s0", "6"], "float32">) -> !graph.tensor<["2", "4", "s0", "6"], "float32">
  %y = graph.call "aten::matmul" node "y" (%softmax, %v) names ["self", "other"] arguments {} : (!graph.tensor<["2", "4", "s0", "6"], "float32">, !graph.tensor<["2", "4", "6", "8"], "float32">) -> !graph.tensor<["2", "4", "s0", "8"], "float32">
  graph.output %y : !graph.tensor<["2", "4", "s0", "8"], "float32">
}
