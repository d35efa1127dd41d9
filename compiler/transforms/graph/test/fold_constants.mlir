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

// -----

// Rows and elements at constant places; what is put together of constants; a part of one.
// CHECK-LABEL: graph.model @moves
// CHECK-DAG: graph.constant "rows.folded" dense<[5, 6, 1, 2]> : tensor<4xi8> : <["2", "2"], "int8">
// CHECK-DAG: graph.constant "index.folded" dense<[6, 1]> : tensor<2xi8> : <["2"], "int8">
// CHECK-DAG: graph.constant "cat.folded" dense<[1, 2, 7, 3, 4, 8, 5, 6, 9]> : tensor<9xi8> : <["3", "3"], "int8">
// CHECK-DAG: graph.constant "stack.folded" dense<[7, 7, 8, 8, 9, 9]> : tensor<6xi8> : <["3", "1", "2"], "int8">
// CHECK-DAG: graph.constant "grid.0.folded" dense<[2, 2, 2, 0, 0, 0]> : tensor<6xi8> : <["2", "3"], "int8">
// CHECK-DAG: graph.constant "grid.1.folded" dense<[0, 1, 2, 0, 1, 2]> : tensor<6xi8> : <["2", "3"], "int8">
// CHECK-DAG: graph.constant "into.folded" dense<[1, 7, 3, 8, 5, 9]> : tensor<6xi8> : <["3", "2"], "int8">
// CHECK-NOT: graph.call
graph.model @moves inputs [] [] outputs ["a", "b", "c", "d", "e", "f", "g"] ["", "", "", "", "", "", ""] symbols [] checks [] {
  %w = graph.constant "w" dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8> : !graph.tensor<["3", "2"], "int8">
  %v = graph.constant "v" dense<[7, 8, 9]> : tensor<3xi8> : !graph.tensor<["3", "1"], "int8">
  %i = graph.constant "i" dense<[2, 0]> : tensor<2xi64> : !graph.tensor<["2"], "int64">
  %j = graph.constant "j" dense<[1, 0]> : tensor<2xi64> : !graph.tensor<["2"], "int64">
  %p = graph.constant "p" dense<[2, 0]> : tensor<2xi8> : !graph.tensor<["2"], "int8">
  %r = graph.constant "r" dense<[0, 1, 2]> : tensor<3xi8> : !graph.tensor<["3"], "int8">
  %a = graph.call "aten::embedding" node "rows" (%w, %i) names ["weight", "indices"] arguments {} : (!graph.tensor<["3", "2"], "int8">, !graph.tensor<["2"], "int64">) -> !graph.tensor<["2", "2"], "int8">
  %b = graph.call "aten::index.Tensor" node "index" (%w, %i, %j) names ["self", "indices[0]", "indices[1]"] arguments {} : (!graph.tensor<["3", "2"], "int8">, !graph.tensor<["2"], "int64">, !graph.tensor<["2"], "int64">) -> !graph.tensor<["2"], "int8">
  %c = graph.call "aten::cat" node "cat" (%w, %v) names ["tensors[0]", "tensors[1]"] arguments {dim = 1 : i64} : (!graph.tensor<["3", "2"], "int8">, !graph.tensor<["3", "1"], "int8">) -> !graph.tensor<["3", "3"], "int8">
  %d = graph.call "aten::stack" node "stack" (%v, %v) names ["tensors[0]", "tensors[1]"] arguments {dim = 2 : i64} : (!graph.tensor<["3", "1"], "int8">, !graph.tensor<["3", "1"], "int8">) -> !graph.tensor<["3", "1", "2"], "int8">
  %e:2 = graph.call "aten::meshgrid.indexing" node "grid" (%p, %r) names ["tensors[0]", "tensors[1]"] arguments {indexing = "ij"} : (!graph.tensor<["2"], "int8">, !graph.tensor<["3"], "int8">) -> (!graph.tensor<["2", "3"], "int8">, !graph.tensor<["2", "3"], "int8">)
  %s = graph.call "aten::squeeze.dim" node "squeeze" (%v) names ["self"] arguments {dim = 1 : i64} : (!graph.tensor<["3", "1"], "int8">) -> !graph.tensor<["3"], "int8">
  %g = graph.call "aten::select_scatter" node "into" (%w, %s) names ["self", "src"] arguments {dim = 1 : i64, index = -1 : i64} : (!graph.tensor<["3", "2"], "int8">, !graph.tensor<["3"], "int8">) -> !graph.tensor<["3", "2"], "int8">
  graph.output %a, %b, %c, %d, %e#0, %e#1, %g : !graph.tensor<["2", "2"], "int8">, !graph.tensor<["2"], "int8">, !graph.tensor<["3", "3"], "int8">, !graph.tensor<["3", "1", "2"], "int8">, !graph.tensor<["2", "3"], "int8">, !graph.tensor<["2", "3"], "int8">, !graph.tensor<["3", "2"], "int8">
}

// -----

// Sums of integers and triangles are exact; sums of floats, and types that change, stay.
// CHECK-LABEL: graph.model @sums
// CHECK-DAG: graph.constant "sum.folded" dense<[3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0]> : tensor<24xi8> : <["3", "1"], "int64">
// CHECK-DAG: graph.constant "tril.folded" dense<[1, 0, 3, 4, 5, 6]> : tensor<6xi8> : <["3", "2"], "int8">
// CHECK-DAG: graph.constant "triu.folded" dense<[0, 2, 0, 0, 0, 0]> : tensor<6xi8> : <["3", "2"], "int8">
// CHECK: graph.call "aten::sum.dim_IntList" node "floats"
// CHECK: graph.call "aten::cat" node "mixed"
// CHECK-NOT: graph.call
graph.model @sums inputs [] [] outputs ["a", "b", "c", "d", "e"] ["", "", "", "", ""] symbols [] checks [] {
  %n = graph.constant "n" dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8> : !graph.tensor<["3", "2"], "int8">
  %x = graph.constant "x" dense<[1.0, 2.0]> : tensor<2xf32> : !graph.tensor<["2"], "float32">
  %i = graph.constant "i" dense<[2, 0]> : tensor<2xi64> : !graph.tensor<["2"], "int64">
  %a = graph.call "aten::sum.dim_IntList" node "sum" (%n) names ["self"] arguments {dim = [-1], keepdim = true} : (!graph.tensor<["3", "2"], "int8">) -> !graph.tensor<["3", "1"], "int64">
  %b = graph.call "aten::tril" node "tril" (%n) names ["self"] arguments {} : (!graph.tensor<["3", "2"], "int8">) -> !graph.tensor<["3", "2"], "int8">
  %c = graph.call "aten::triu" node "triu" (%n) names ["self"] arguments {diagonal = 1 : i64} : (!graph.tensor<["3", "2"], "int8">) -> !graph.tensor<["3", "2"], "int8">
  %d = graph.call "aten::sum.dim_IntList" node "floats" (%x) names ["self"] arguments {dim = [0]} : (!graph.tensor<["2"], "float32">) -> !graph.tensor<[], "float32">
  %e = graph.call "aten::cat" node "mixed" (%x, %i) names ["tensors[0]", "tensors[1]"] arguments {} : (!graph.tensor<["2"], "float32">, !graph.tensor<["2"], "int64">) -> !graph.tensor<["4"], "float32">
  graph.output %a, %b, %c, %d, %e : !graph.tensor<["3", "1"], "int64">, !graph.tensor<["3", "2"], "int8">, !graph.tensor<["3", "2"], "int8">, !graph.tensor<[], "float32">, !graph.tensor<["4"], "float32">
}

// -----

// Indices from the end, or that lead nowhere, stay; so does what would be large.
// CHECK-LABEL: graph.model @places
// CHECK-DAG: graph.call "aten::index.Tensor" node "last"
// CHECK-DAG: graph.call "aten::embedding" node "nowhere"
// CHECK-DAG: graph.call "aten::cat" node "large"
graph.model @places inputs [] [] outputs ["a", "b", "c"] ["", "", ""] symbols [] checks [] {
  %w = graph.constant "w" dense<[1, 2, 3]> : tensor<3xi8> : !graph.tensor<["3", "1"], "int8">
  %i = graph.constant "i" dense<-1> : tensor<1xi64> : !graph.tensor<["1"], "int64">
  %j = graph.constant "j" dense<3> : tensor<1xi64> : !graph.tensor<["1"], "int64">
  %l = graph.constant "l" dense<0> : tensor<1048576xi8> : !graph.tensor<["1048576"], "int8">
  %a = graph.call "aten::index.Tensor" node "last" (%w, %i) names ["self", "indices[0]"] arguments {} : (!graph.tensor<["3", "1"], "int8">, !graph.tensor<["1"], "int64">) -> !graph.tensor<["1", "1"], "int8">
  %b = graph.call "aten::embedding" node "nowhere" (%w, %j) names ["weight", "indices"] arguments {} : (!graph.tensor<["3", "1"], "int8">, !graph.tensor<["1"], "int64">) -> !graph.tensor<["1", "1"], "int8">
  %s = graph.call "aten::squeeze.dim" node "squeeze" (%w) names ["self"] arguments {dim = 1 : i64} : (!graph.tensor<["3", "1"], "int8">) -> !graph.tensor<["3"], "int8">
  %c = graph.call "aten::cat" node "large" (%l, %s) names ["tensors[0]", "tensors[1]"] arguments {} : (!graph.tensor<["1048576"], "int8">, !graph.tensor<["3"], "int8">) -> !graph.tensor<["1048579"], "int8">
  graph.output %a, %b, %c : !graph.tensor<["1", "1"], "int8">, !graph.tensor<["1", "1"], "int8">, !graph.tensor<["1048579"], "int8">
}
