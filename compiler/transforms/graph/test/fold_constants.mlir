// What standard operators compute of constants alone is a constant.
// RUN: inlay-opt %s -split-input-file -graph-fold-constants -graph-dead-calls 2>/dev/null | FileCheck %s

// A transposed weight; one in another shape keeps its data.
// CHECK-LABEL: graph.model @views
// CHECK-DAG: graph.constant "t.folded" dense<[1, 3, 5, 2, 4, 6]> : tensor<6xi8> : <["2", "3"], "int8">
// CHECK-DAG: graph.constant "v.folded" dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8> : <["6"], "int8">
// CHECK-NOT: graph.call
graph.model @views inputs [] [] outputs ["y", "z"] ["", ""] symbols [] checks [] {
  %w = graph.constant "w" dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8> : !graph.tensor<["3", "2"], "int8">
  %t = graph.call "aten::t" node "t" (%w) names ["self"] arguments {} : (!graph.tensor<["3", "2"], "int8">) -> !graph.tensor<["2", "3"], "int8">
  %v = graph.call "aten::view" node "v" (%w) names ["self"] arguments {size = [6]} : (!graph.tensor<["3", "2"], "int8">) -> !graph.tensor<["6"], "int8">
  graph.output %t, %v : !graph.tensor<["2", "3"], "int8">, !graph.tensor<["6"], "int8">
}

// -----

// A causal mask of ranges; a part of a tensor of zeros that is filled.
// CHECK-LABEL: graph.model @chains
// CHECK-DAG: graph.constant "ge.folded" dense<[1, 0, 0, 1, 1, 0, 1, 1, 1]> : tensor<9xi8> : <["3", "3"], "bool">
// CHECK-DAG: graph.constant "scatter.folded" dense<[0, 7, 7]> : tensor<3xi8> : <["3"], "int8">
// CHECK-NOT: graph.call
graph.model @chains inputs ["x"] [""] outputs ["y", "z"] ["", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["3"], "int8">):
  %a = graph.call "aten::arange" node "a" () names [] arguments {end = 3 : i64} : () -> !graph.tensor<["3"], "int64">
  %u = graph.call "aten::unsqueeze" node "u" (%a) names ["self"] arguments {dim = 1 : i64} : (!graph.tensor<["3"], "int64">) -> !graph.tensor<["3", "1"], "int64">
  %g = graph.call "aten::ge.Tensor" node "ge" (%u, %a) names ["self", "other"] arguments {} : (!graph.tensor<["3", "1"], "int64">, !graph.tensor<["3"], "int64">) -> !graph.tensor<["3", "3"], "bool">
  %z = graph.call "aten::zeros_like" node "zeros" (%x) names ["self"] arguments {} : (!graph.tensor<["3"], "int8">) -> !graph.tensor<["3"], "int8">
  %s = graph.call "aten::slice.Tensor" node "slice" (%z) names ["self"] arguments {dim = 0 : i64, start = 1 : i64, end = 3 : i64} : (!graph.tensor<["3"], "int8">) -> !graph.tensor<["2"], "int8">
  %f = graph.call "aten::fill.Scalar" node "fill" (%s) names ["self"] arguments {value = 7 : i64} : (!graph.tensor<["2"], "int8">) -> !graph.tensor<["2"], "int8">
  %r = graph.call "aten::slice_scatter" node "scatter" (%z, %f) names ["self", "src"] arguments {dim = 0 : i64, start = 1 : i64, end = 3 : i64} : (!graph.tensor<["3"], "int8">, !graph.tensor<["2"], "int8">) -> !graph.tensor<["3"], "int8">
  graph.output %g, %r : !graph.tensor<["3", "3"], "bool">, !graph.tensor<["3"], "int8">
}

// -----

// What a kernel may round otherwise, state, and integers that would overflow stay.
// CHECK-LABEL: graph.model @stay
// CHECK: graph.call "aten::exp"
// CHECK: graph.call "aten::neg"
// CHECK: graph.call "aten::mul.Tensor"
graph.model @stay inputs ["x"] [""] outputs ["a", "b", "c"] ["", "", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["1"], "float32">):
  %w = graph.constant "w" dense<1.5> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %s = graph.constant "s" dense<1.5> : tensor<1xf32> : !graph.tensor<["1"], "float32">
  %i = graph.constant "i" dense<100> : tensor<1xi8> : !graph.tensor<["1"], "int8">
  %a = graph.call "aten::exp" node "exp" (%w) names ["self"] arguments {} : (!graph.tensor<["1"], "float32">) -> !graph.tensor<["1"], "float32">
  %b = graph.call "aten::neg" node "neg" (%s) names ["self"] arguments {} : (!graph.tensor<["1"], "float32">) -> !graph.tensor<["1"], "float32">
  %c = graph.call "aten::mul.Tensor" node "mul" (%i, %i) names ["self", "other"] arguments {} : (!graph.tensor<["1"], "int8">, !graph.tensor<["1"], "int8">) -> !graph.tensor<["1"], "int8">
  graph.update %s with %x : !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">
  graph.output %a, %b, %c : !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "float32">, !graph.tensor<["1"], "int8">
}
