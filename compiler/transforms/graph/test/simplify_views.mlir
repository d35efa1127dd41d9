// Operators that change nothing go; exchanges of dimensions and changes of shape that follow each other become one.
// RUN: inlay-opt %s -split-input-file -graph-simplify-views -graph-dead-calls 2>/dev/null | FileCheck %s

// Dropout in evaluation, a copy and a cast to the own type; a cast to another type stays.
// CHECK-LABEL: graph.model @nothing
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[H:.*]] = graph.call "aten::_to_copy" node "half"(%[[X]])
// CHECK-NEXT: graph.output %[[H]], %[[X]]
graph.model @nothing inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">):
  %a = graph.call "aten::dropout" node "dropout" (%x) names ["input"] arguments {p = 1.0e-01 : f64, train = false} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %b = graph.call "aten::clone" node "clone" (%a) names ["self"] arguments {} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %c = graph.call "aten::_to_copy" node "same" (%b) names ["self"] arguments {dtype = #graph.dtype<"float32">} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float32">
  %h = graph.call "aten::_to_copy" node "half" (%c) names ["self"] arguments {dtype = #graph.dtype<"float16">} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["s0", "4"], "float16">
  graph.output %h, %c : !graph.tensor<["s0", "4"], "float16">, !graph.tensor<["s0", "4"], "float32">
}

// -----

// CHECK-LABEL: graph.model @transposes
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[P:.*]] = graph.call "aten::permute" node "second"(%[[X]]) names ["self"] arguments {dims = [2, 0, 1]}
// CHECK-NEXT: graph.output %[[P]], %[[X]]
graph.model @transposes inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["2", "3", "4"], "float32">):
  %a = graph.call "aten::transpose.int" node "first" (%x) names ["self"] arguments {dim0 = 0 : i64, dim1 = 2 : i64} : (!graph.tensor<["2", "3", "4"], "float32">) -> !graph.tensor<["4", "3", "2"], "float32">
  %b = graph.call "aten::transpose.int" node "second" (%a) names ["self"] arguments {dim0 = 1 : i64, dim1 = -1 : i64} : (!graph.tensor<["4", "3", "2"], "float32">) -> !graph.tensor<["4", "2", "3"], "float32">
  %c = graph.call "aten::permute" node "back" (%a) names ["self"] arguments {dims = [2, 1, 0]} : (!graph.tensor<["4", "3", "2"], "float32">) -> !graph.tensor<["2", "3", "4"], "float32">
  graph.output %b, %c : !graph.tensor<["4", "2", "3"], "float32">, !graph.tensor<["2", "3", "4"], "float32">
}

// -----

// CHECK-LABEL: graph.model @shapes
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[R:.*]] = graph.call "aten::reshape" node "second"(%[[X]]) names ["self"] arguments {shape = [2, 2, #graph.expr<"s0">]}
// CHECK-NEXT: graph.output %[[R]]
graph.model @shapes inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "4"], "float32">):
  %a = graph.call "aten::view" node "first" (%x) names ["self"] arguments {size = [-1]} : (!graph.tensor<["s0", "4"], "float32">) -> !graph.tensor<["4*s0"], "float32">
  %b = graph.call "aten::view" node "second" (%a) names ["self"] arguments {size = [2, 2, #graph.expr<"s0">]} : (!graph.tensor<["4*s0"], "float32">) -> !graph.tensor<["2", "2", "s0"], "float32">
  graph.output %b : !graph.tensor<["2", "2", "s0"], "float32">
}

// -----

// Each of several views becomes one of its own; one that nothing reads goes.
// CHECK-LABEL: graph.model @parts
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[A:.*]] = graph.call "aten::as_strided" node "split.0"(%[[X]]) names ["self"] arguments {size = [#graph.expr<"s0">, 3], storage_offset = 0 : i64, stride = [8, 1]}
// CHECK-NEXT: %[[C:.*]] = graph.call "aten::as_strided" node "split.2"(%[[X]]) names ["self"] arguments {size = [#graph.expr<"s0">, 2], storage_offset = 6 : i64, stride = [8, 1]}
// CHECK-NEXT: graph.output %[[A]], %[[C]]
graph.model @parts inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [{name = "s0", min = 1 : i64, max = 64 : i64, opt = 8 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "8"], "float32">):
  %a:3 = graph.call "aten::split.Tensor" node "split" (%x) names ["self"] arguments {split_size = 3 : i64, dim = 1 : i64} : (!graph.tensor<["s0", "8"], "float32">) -> (!graph.tensor<["s0", "3"], "float32">, !graph.tensor<["s0", "3"], "float32">, !graph.tensor<["s0", "2"], "float32">)
  graph.output %a#0, %a#2 : !graph.tensor<["s0", "3"], "float32">, !graph.tensor<["s0", "2"], "float32">
}

// -----

// Resampling to the own size changes nothing, unless a factor says that steps are others.
// CHECK-LABEL: graph.model @resampled
// CHECK-NEXT: ^bb0(%[[X:.*]]: !graph
// CHECK-NEXT: %[[F:.*]] = graph.call "aten::upsample_bilinear2d" node "factor"(%[[X]])
// CHECK-NEXT: graph.output %[[X]], %[[F]]
graph.model @resampled inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["1", "2", "5", "6"], "float32">):
  %a = graph.call "aten::upsample_bilinear2d" node "same" (%x) names ["self"] arguments {output_size = [5, 6], align_corners = false} : (!graph.tensor<["1", "2", "5", "6"], "float32">) -> !graph.tensor<["1", "2", "5", "6"], "float32">
  %b = graph.call "aten::upsample_bilinear2d" node "factor" (%x) names ["self"] arguments {output_size = [5, 6], align_corners = false, scales_h = 1.1, scales_w = 1.1} : (!graph.tensor<["1", "2", "5", "6"], "float32">) -> !graph.tensor<["1", "2", "5", "6"], "float32">
  graph.output %a, %b : !graph.tensor<["1", "2", "5", "6"], "float32">, !graph.tensor<["1", "2", "5", "6"], "float32">
}
