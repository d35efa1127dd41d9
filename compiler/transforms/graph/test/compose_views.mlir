// A view that is copied and the views in front of it become one view of what the first is of.
// RUN: inlay-opt %s -split-input-file -graph-compose-views -graph-dead-calls 2>/dev/null | FileCheck %s

// The second of three projections, as attention takes it: one copy in place of three. Its first dimension is of batch and heads,
// which are not neighbours in memory.
// CHECK-LABEL: graph.model @projection
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[S:.*]] = graph.call "aten::as_strided" node "heads.strided"(%[[X]]) names ["self"] arguments {size = [2, 2, 5, 8], storage_offset = 16 : i64, stride = [48, 8, 96, 1]}
// CHECK-NEXT: %[[Y:.*]] = graph.call "aten::reshape" node "heads"(%[[S]])
// CHECK-NEXT: graph.output %[[Y]]
graph.model @projection inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["5", "2", "3", "16"], "float32">):
  %a = graph.call "aten::permute" node "permute" (%x) names ["self"] arguments {dims = [2, 0, 1, 3]} : (!graph.tensor<["5", "2", "3", "16"], "float32">) -> !graph.tensor<["3", "5", "2", "16"], "float32">
  %b = graph.call "aten::select.int" node "select" (%a) names ["self"] arguments {dim = 0 : i64, index = 1 : i64} : (!graph.tensor<["3", "5", "2", "16"], "float32">) -> !graph.tensor<["5", "2", "16"], "float32">
  %c = graph.call "aten::view" node "view" (%b) names ["self"] arguments {size = [5, 4, 8]} : (!graph.tensor<["5", "2", "16"], "float32">) -> !graph.tensor<["5", "4", "8"], "float32">
  %d = graph.call "aten::transpose.int" node "heads" (%c) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["5", "4", "8"], "float32">) -> !graph.tensor<["4", "5", "8"], "float32">
  graph.output %d : !graph.tensor<["4", "5", "8"], "float32">
}

// -----

// A part of exchanged dimensions, of a size that changes between runs.
// CHECK-LABEL: graph.model @symbolic
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[Y:.*]] = graph.call "aten::as_strided" node "part"(%[[X]]) names ["self"] arguments {size = [6, #graph.expr<"s0">, 2], storage_offset = 1 : i64, stride = [4, 24, 1]}
// CHECK-NEXT: graph.output %[[Y]]
graph.model @symbolic inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 2 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "6", "4"], "float32">):
  %a = graph.call "aten::transpose.int" node "transpose" (%x) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["s0", "6", "4"], "float32">) -> !graph.tensor<["6", "s0", "4"], "float32">
  %b = graph.call "aten::slice.Tensor" node "part" (%a) names ["self"] arguments {dim = 2 : i64, start = 1 : i64, end = 3 : i64} : (!graph.tensor<["6", "s0", "4"], "float32">) -> !graph.tensor<["6", "s0", "2"], "float32">
  graph.output %b : !graph.tensor<["6", "s0", "2"], "float32">
}

// -----

// What crosses a boundary of the inner view in runs of other lengths stays two views.
// CHECK-LABEL: graph.model @crossing
// CHECK: graph.call "aten::transpose.int" node "first"
// CHECK: graph.call "aten::transpose.int" node "second"
graph.model @crossing inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4", "6"], "float32">):
  %a = graph.call "aten::transpose.int" node "first" (%x) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["4", "6"], "float32">) -> !graph.tensor<["6", "4"], "float32">
  %b = graph.call "aten::view" node "view" (%a) names ["self"] arguments {size = [8, 3]} : (!graph.tensor<["6", "4"], "float32">) -> !graph.tensor<["8", "3"], "float32">
  %c = graph.call "aten::transpose.int" node "second" (%b) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["8", "3"], "float32">) -> !graph.tensor<["3", "8"], "float32">
  graph.output %c : !graph.tensor<["3", "8"], "float32">
}

// -----

// Parts of a split are read where they lie.
// CHECK-LABEL: graph.model @split
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: graph.call "aten::as_strided" node "first"(%[[X]]) names ["self"] arguments {size = [2, 5], storage_offset = 0 : i64, stride = [1, 4]}
// CHECK-NEXT: graph.call "aten::as_strided" node "second"(%[[X]]) names ["self"] arguments {size = [2, 5], storage_offset = 2 : i64, stride = [1, 4]}
graph.model @split inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["5", "4"], "float32">):
  %a, %b = graph.call "aten::split.Tensor" node "split" (%x) names ["self"] arguments {split_size = 2 : i64, dim = 1 : i64} : (!graph.tensor<["5", "4"], "float32">) -> (!graph.tensor<["5", "2"], "float32">, !graph.tensor<["5", "2"], "float32">)
  %c = graph.call "aten::transpose.int" node "first" (%a) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["5", "2"], "float32">) -> !graph.tensor<["2", "5"], "float32">
  %d = graph.call "aten::transpose.int" node "second" (%b) names ["self"] arguments {dim0 = 0 : i64, dim1 = 1 : i64} : (!graph.tensor<["5", "2"], "float32">) -> !graph.tensor<["2", "5"], "float32">
  graph.output %c, %d : !graph.tensor<["2", "5"], "float32">, !graph.tensor<["2", "5"], "float32">
}
