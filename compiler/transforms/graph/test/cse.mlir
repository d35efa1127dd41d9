// A call that computes what an earlier one did takes that one's results, through any number of calls; arguments and types tell calls apart.
// RUN: inlay-opt %s -graph-cse 2>/dev/null | FileCheck %s

// CHECK: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[E:.*]] = graph.call "aten::exp" node "exp_1"(%[[X]])
// CHECK-NEXT: %[[S:.*]] = graph.call "aten::mul.Tensor" node "mul_1"(%[[E]])
// CHECK-NEXT: %[[T:.*]] = graph.call "aten::mul.Tensor" node "mul_3"(%[[E]])
// CHECK-NEXT: graph.output %[[S]], %[[S]], %[[T]]
graph.model @m inputs ["x"] [""] outputs ["a", "b", "c"] ["", "", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  %a = graph.call "aten::exp" node "exp_1" (%x) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  %b = graph.call "aten::exp" node "exp_2" (%x) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  %c = graph.call "aten::mul.Tensor" node "mul_1" (%a) names ["self"] arguments {other = 2.0 : f64} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  %d = graph.call "aten::mul.Tensor" node "mul_2" (%b) names ["self"] arguments {other = 2.0 : f64} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  %e = graph.call "aten::mul.Tensor" node "mul_3" (%b) names ["self"] arguments {other = 3.0 : f64} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  graph.output %c, %d, %e : !graph.tensor<["4"], "float32">, !graph.tensor<["4"], "float32">, !graph.tensor<["4"], "float32">
}
