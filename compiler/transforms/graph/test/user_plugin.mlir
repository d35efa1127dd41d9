// A user's plugin in the place of a standard operator is never fused away, nor is what it computes twice computed once, nor left out.
// RUN: inlay-opt %s -graph-simplify-views=plugins=%S/relu.toml -graph-cse=plugins=%S/relu.toml -graph-dead-calls=plugins=%S/relu.toml -graph-fuse-reductions=plugins=%S/relu.toml -graph-fuse-pointwise=plugins=%S/relu.toml 2>/dev/null | FileCheck %s
// RUN: inlay-opt %s -graph-fuse-pointwise 2>/dev/null | FileCheck %s --check-prefix=BUILTIN

// CHECK: graph.call "aten::relu" node "relu_1"
// CHECK: graph.call "aten::relu" node "relu_2"
// CHECK: graph.call "aten::relu" node "dead"
// CHECK: graph.group "pointwise" node "neg"
// CHECK-NOT: aten::relu
// BUILTIN: graph.group "pointwise" node "neg"
// BUILTIN: "aten::relu" node "relu_1"
graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["8"], "float32">):
  %a = graph.call "aten::relu" node "relu_1" (%x) names ["self"] arguments {} : (!graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  %b = graph.call "aten::relu" node "relu_2" (%x) names ["self"] arguments {} : (!graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  %d = graph.call "aten::relu" node "dead" (%a) names ["self"] arguments {} : (!graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  %c = graph.call "aten::add.Tensor" node "add" (%a, %b) names ["self", "other"] arguments {} : (!graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  %n = graph.call "aten::neg" node "neg" (%c) names ["self"] arguments {} : (!graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  graph.output %n : !graph.tensor<["8"], "float32">
}
