// Pointwise operators that alone read the result of a product or a convolution become part of its kernel.
// RUN: inlay-opt %s -split-input-file -graph-fuse-epilogues 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -split-input-file -graph-fuse-epilogues 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: inlay-opt %s -split-input-file -graph-fuse-epilogues=plugins=%S/relu.toml 2>/dev/null | FileCheck %s --check-prefix=USER

// CHECK-LABEL: graph.model @residual
// CHECK: %[[Y:.*]] = graph.group "tail" node "relu"
// CHECK: graph.call "aten::conv2d" node "conv"
// CHECK: graph.call "aten::add.Tensor" node "add"
// CHECK: graph.call "aten::relu" node "relu"
// CHECK: graph.output %[[Y]]
// REMARK: remark: relu: the kernel of conv computes add and relu
// USER-LABEL: graph.model @residual
// USER: graph.group "tail" node "add"
// USER: graph.call "aten::relu" node "relu"
graph.model @residual inputs ["x", "w", "r"] ["", "", ""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "3", "5", "5"], "float32">, %w: !graph.tensor<["4", "3", "1", "1"], "float32">, %r: !graph.tensor<["s0", "4", "5", "5"], "float32">):
  %c = graph.call "aten::conv2d" node "conv" (%x, %w) names ["input", "weight"] arguments {} : (!graph.tensor<["s0", "3", "5", "5"], "float32">, !graph.tensor<["4", "3", "1", "1"], "float32">) -> !graph.tensor<["s0", "4", "5", "5"], "float32">
  %a = graph.call "aten::add.Tensor" node "add" (%r, %c) names ["self", "other"] arguments {} : (!graph.tensor<["s0", "4", "5", "5"], "float32">, !graph.tensor<["s0", "4", "5", "5"], "float32">) -> !graph.tensor<["s0", "4", "5", "5"], "float32">
  %y = graph.call "aten::relu" node "relu" (%a) names ["self"] arguments {} : (!graph.tensor<["s0", "4", "5", "5"], "float32">) -> !graph.tensor<["s0", "4", "5", "5"], "float32">
  graph.output %y : !graph.tensor<["s0", "4", "5", "5"], "float32">
}

// -----

// An operator may read the result twice, and a view that changes the shape alone may stand between. What else is used ends the
// group: relu reads a value that is an output.
// CHECK-LABEL: graph.model @viewed
// CHECK: %[[Y:.*]] = graph.group "tail" node "mul"
// CHECK: graph.call "aten::mm"
// CHECK: graph.call "aten::view"
// CHECK: graph.call "aten::sigmoid"
// CHECK: graph.call "aten::mul.Tensor"
// CHECK-NEXT: graph.yield
// CHECK: graph.call "aten::relu" node "relu"(%[[Y]])
// REMARK: remark: mul: the kernel of mm computes view, sigmoid and mul
graph.model @viewed inputs ["x", "w"] ["", ""] outputs ["y", "z"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["6", "3"], "float32">, %w: !graph.tensor<["3", "4"], "float32">):
  %m = graph.call "aten::mm" node "mm" (%x, %w) names ["self", "mat2"] arguments {} : (!graph.tensor<["6", "3"], "float32">, !graph.tensor<["3", "4"], "float32">) -> !graph.tensor<["6", "4"], "float32">
  %v = graph.call "aten::view" node "view" (%m) names ["self"] arguments {size = [2, 3, 4]} : (!graph.tensor<["6", "4"], "float32">) -> !graph.tensor<["2", "3", "4"], "float32">
  %s = graph.call "aten::sigmoid" node "sigmoid" (%v) names ["self"] arguments {} : (!graph.tensor<["2", "3", "4"], "float32">) -> !graph.tensor<["2", "3", "4"], "float32">
  %y = graph.call "aten::mul.Tensor" node "mul" (%v, %s) names ["self", "other"] arguments {} : (!graph.tensor<["2", "3", "4"], "float32">, !graph.tensor<["2", "3", "4"], "float32">) -> !graph.tensor<["2", "3", "4"], "float32">
  %z = graph.call "aten::relu" node "relu" (%y) names ["self"] arguments {} : (!graph.tensor<["2", "3", "4"], "float32">) -> !graph.tensor<["2", "3", "4"], "float32">
  graph.output %y, %z : !graph.tensor<["2", "3", "4"], "float32">, !graph.tensor<["2", "3", "4"], "float32">
}

// -----

// CHECK-LABEL: graph.model @used_twice
// CHECK-NOT: graph.group
// REMARK: remark: mm: not applied, no operator becomes part of its kernel: the result of mm is used by the model's outputs too
graph.model @used_twice inputs ["x", "w"] ["", ""] outputs ["m", "y"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["6", "3"], "float32">, %w: !graph.tensor<["3", "4"], "float32">):
  %m = graph.call "aten::mm" node "mm" (%x, %w) names ["self", "mat2"] arguments {} : (!graph.tensor<["6", "3"], "float32">, !graph.tensor<["3", "4"], "float32">) -> !graph.tensor<["6", "4"], "float32">
  %y = graph.call "aten::relu" node "relu" (%m) names ["self"] arguments {} : (!graph.tensor<["6", "4"], "float32">) -> !graph.tensor<["6", "4"], "float32">
  graph.output %m, %y : !graph.tensor<["6", "4"], "float32">, !graph.tensor<["6", "4"], "float32">
}

// -----

// CHECK-LABEL: graph.model @other_shape
// CHECK-NOT: graph.group
// REMARK: remark: mm: not applied, no operator becomes part of its kernel: the shape of add is another
graph.model @other_shape inputs ["x", "w", "r"] ["", "", ""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["1", "3"], "float32">, %w: !graph.tensor<["3", "4"], "float32">, %r: !graph.tensor<["6", "4"], "float32">):
  %m = graph.call "aten::mm" node "mm" (%x, %w) names ["self", "mat2"] arguments {} : (!graph.tensor<["1", "3"], "float32">, !graph.tensor<["3", "4"], "float32">) -> !graph.tensor<["1", "4"], "float32">
  %y = graph.call "aten::add.Tensor" node "add" (%m, %r) names ["self", "other"] arguments {} : (!graph.tensor<["1", "4"], "float32">, !graph.tensor<["6", "4"], "float32">) -> !graph.tensor<["6", "4"], "float32">
  graph.output %y : !graph.tensor<["6", "4"], "float32">
}
