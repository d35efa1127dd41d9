// Groups of calls: text, and what is refused.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics | inlay-opt -split-input-file | FileCheck %s

// CHECK: graph.group "pointwise" node "b"(%{{.*}}) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
// CHECK: graph.yield %{{.*}} : !graph.tensor<["4"], "float32">
graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  %y = graph.group "pointwise" node "b" (%x) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "aten::relu" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    %b = graph.call "aten::neg" node "b" (%a) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    graph.yield %b : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}
