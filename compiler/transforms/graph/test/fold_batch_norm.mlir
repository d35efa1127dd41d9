// Batch norm by constant statistics becomes part of the weights in front of it.
// RUN: inlay-opt %s -split-input-file -graph-fold-batch-norm -graph-dead-calls 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-fold-batch-norm 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Weights 1 and 2, variance 4 - eps, weight 3: the new ones are 1.5 and 3.0. The bias is (0 - 1) * 1.5 + 0.5 = -1.
// CHECK-LABEL: graph.model @folded
// CHECK-DAG: %[[W:.*]] = graph.constant "conv.folded.weight" dense<[0, 0, -64, 63, 0, 0, 64, 64]> : tensor<8xi8>
// CHECK-DAG: %[[B:.*]] = graph.constant "conv.folded.bias" dense<[0, 0, -128, -65]> : tensor<4xi8>
// CHECK: %[[Y:.*]] = graph.call "aten::conv2d" node "conv"(%{{.*}}, %[[W]], %[[B]]) names ["input", "weight", "bias"]
// CHECK-NEXT: graph.output %[[Y]]
// REMARK: remark: norm: is part of the weights of conv
graph.model @folded inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "2", "5", "5"], "float32">):
  %w = graph.constant "w" dense<[1.0, 2.0]> : tensor<2xf32> : !graph.tensor<["1", "2", "1", "1"], "float32">
  %g = graph.constant "g" dense<3.0> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %b = graph.constant "b" dense<0.5> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %m = graph.constant "m" dense<1.0> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %v = graph.constant "v" dense<3.5> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %c = graph.call "aten::conv2d" node "conv" (%x, %w) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "2", "5", "5"], "float32">, !graph.tensor<["1", "2", "1", "1"], "float32">) -> !graph.tensor<["s0", "1", "5", "5"], "float32">
  %n = graph.call "aten::batch_norm" node "norm" (%c, %g, %b, %m, %v) names ["input", "weight", "bias", "running_mean", "running_var"] arguments {training = false, momentum = 1.0e-01 : f64, eps = 5.0e-01 : f64, cudnn_enabled = true} : (!graph.tensor<["s0", "1", "5", "5"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">) -> !graph.tensor<["s0", "1", "5", "5"], "float32">
  graph.output %n : !graph.tensor<["s0", "1", "5", "5"], "float32">
}

// -----

// In half precision the weights are not rounded again: 1.5 and -1 (of the test above) come behind, in float32.
// CHECK-LABEL: graph.model @half
// CHECK: %[[C:.*]] = graph.call "aten::conv2d" node "conv"
// CHECK: %[[S:.*]] = graph.constant "norm.scaled.other" dense<[0, 0, -64, 63]> : tensor<4xi8>
// CHECK: %[[M:.*]] = graph.call "aten::mul.Tensor" node "norm.scaled"(%[[C]], %[[S]]) {{.*}} -> !graph.tensor<["s0", "1", "5", "5"], "float32">
// CHECK: %[[T:.*]] = graph.constant "norm.shifted.other" dense<[0, 0, -128, -65]> : tensor<4xi8>
// CHECK: %[[A:.*]] = graph.call "aten::add.Tensor" node "norm.shifted"(%[[M]], %[[T]])
// CHECK: %[[Y:.*]] = graph.call "aten::_to_copy" node "norm"(%[[A]]) {{.*}} -> !graph.tensor<["s0", "1", "5", "5"], "float16">
// CHECK-NEXT: graph.output %[[Y]]
// REMARK: remark: norm: is computed of elements of conv, in float32
graph.model @half inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "2", "5", "5"], "float16">):
  %w = graph.constant "w" dense<[1.0, 2.0]> : tensor<2xf16> : !graph.tensor<["1", "2", "1", "1"], "float16">
  %g = graph.constant "g" dense<3.0> : tensor<1xf16> : !graph.tensor<["1"], "float16">
  %b = graph.constant "b" dense<0.5> : tensor<1xf16> : !graph.tensor<["1"], "float16">
  %m = graph.constant "m" dense<1.0> : tensor<1xf16> : !graph.tensor<["1"], "float16">
  %v = graph.constant "v" dense<3.5> : tensor<1xf16> : !graph.tensor<["1"], "float16">
  %c = graph.call "aten::conv2d" node "conv" (%x, %w) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "2", "5", "5"], "float16">, !graph.tensor<["1", "2", "1", "1"], "float16">) -> !graph.tensor<["s0", "1", "5", "5"], "float16">
  %n = graph.call "aten::batch_norm" node "norm" (%c, %g, %b, %m, %v) names ["input", "weight", "bias", "running_mean", "running_var"] arguments {training = false, momentum = 1.0e-01 : f64, eps = 5.0e-01 : f64, cudnn_enabled = true} : (!graph.tensor<["s0", "1", "5", "5"], "float16">, !graph.tensor<["1"], "float16">, !graph.tensor<["1"], "float16">, !graph.tensor<["1"], "float16">, !graph.tensor<["1"], "float16">) -> !graph.tensor<["s0", "1", "5", "5"], "float16">
  graph.output %n : !graph.tensor<["s0", "1", "5", "5"], "float16">
}

// -----

// The convolution's own result is used too.
// CHECK-LABEL: graph.model @used_twice
// CHECK: graph.call "aten::batch_norm"
// REMARK: remark: norm: not applied, the result of conv is used elsewhere too
graph.model @used_twice inputs ["x"] [""] outputs ["y", "c"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["1", "2", "5", "5"], "float32">):
  %w = graph.constant "w" dense<[1.0, 2.0]> : tensor<2xf32> : !graph.tensor<["1", "2", "1", "1"], "float32">
  %m = graph.constant "m" dense<1.0> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %c = graph.call "aten::conv2d" node "conv" (%x, %w) names ["input", "weight"] arguments {} : (!graph.tensor<["1", "2", "5", "5"], "float32">, !graph.tensor<["1", "2", "1", "1"], "float32">) -> !graph.tensor<["1", "1", "5", "5"], "float32">
  %n = graph.call "aten::batch_norm" node "norm" (%c, %m, %m) names ["input", "running_mean", "running_var"] arguments {training = false, momentum = 1.0e-01 : f64, eps = 5.0e-01 : f64, cudnn_enabled = true} : (!graph.tensor<["1", "1", "5", "5"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">) -> !graph.tensor<["1", "1", "5", "5"], "float32">
  graph.output %n, %c : !graph.tensor<["1", "1", "5", "5"], "float32">, !graph.tensor<["1", "1", "5", "5"], "float32">
}

// -----

// The statistics are state, which changes between runs.
// CHECK-LABEL: graph.model @state
// CHECK: graph.call "aten::batch_norm"
// REMARK: remark: norm: not applied, the bias of conv, or weights or statistics of this, are no constants
graph.model @state inputs ["x", "next"] ["", ""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["1", "2", "5", "5"], "float32">, %next: !graph.tensor<["1"], "float32">):
  %w = graph.constant "w" dense<[1.0, 2.0]> : tensor<2xf32> : !graph.tensor<["1", "2", "1", "1"], "float32">
  %m = graph.constant "m" dense<1.0> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %c = graph.call "aten::conv2d" node "conv" (%x, %w) names ["input", "weight"] arguments {} : (!graph.tensor<["1", "2", "5", "5"], "float32">, !graph.tensor<["1", "2", "1", "1"], "float32">) -> !graph.tensor<["1", "1", "5", "5"], "float32">
  %n = graph.call "aten::batch_norm" node "norm" (%c, %m, %m) names ["input", "running_mean", "running_var"] arguments {training = false, momentum = 1.0e-01 : f64, eps = 5.0e-01 : f64, cudnn_enabled = true} : (!graph.tensor<["1", "1", "5", "5"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">) -> !graph.tensor<["1", "1", "5", "5"], "float32">
  graph.update %m with %next : !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">
  graph.output %n : !graph.tensor<["1", "1", "5", "5"], "float32">
}
