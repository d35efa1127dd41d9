// What is written over a part of a tensor is read there without reading the tensor, and not written twice.
// RUN: inlay-opt %s -split-input-file -graph-simplify-writes -graph-dead-calls 2>/dev/null | FileCheck %s

// x[1:, 0] += y, as exporters record it: parts are read, added to, written back, and copied onto themselves.
// CHECK-LABEL: graph.model @added
// CHECK-SAME: {
// CHECK: %[[ROWS:.+]] = graph.call "aten::slice.Tensor" node "rows"(%[[X:.+]]) names
// CHECK-NEXT: %[[COLUMN:.+]] = graph.call "aten::select.int" node "column"(%[[ROWS]])
// CHECK-NEXT: %[[SUM:.+]] = graph.call "aten::add.Tensor" node "sum"(%[[COLUMN]], %{{.+}})
// CHECK-NEXT: %[[OUT:.+]] = graph.call "aten::as_strided_scatter" node "sum.into.x"(%[[X]], %[[SUM]]) names ["self", "src"] arguments {size = [3], storage_offset = 5 : i64, stride = [5]}
// CHECK-NEXT: graph.output %[[OUT]]
graph.model @added inputs ["x", "y"] ["", ""] outputs ["z"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4", "5"], "float32">, %y: !graph.tensor<["3"], "float32">):
  %rows = graph.call "aten::slice.Tensor" node "rows" (%x) names ["self"] arguments {dim = 0 : i64, start = 1 : i64} : (!graph.tensor<["4", "5"], "float32">) -> !graph.tensor<["3", "5"], "float32">
  %column = graph.call "aten::select.int" node "column" (%rows) names ["self"] arguments {dim = 1 : i64, index = 0 : i64} : (!graph.tensor<["3", "5"], "float32">) -> !graph.tensor<["3"], "float32">
  %sum = graph.call "aten::add.Tensor" node "sum" (%column, %y) names ["self", "other"] arguments {} : (!graph.tensor<["3"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["3"], "float32">
  %a = graph.call "aten::select_scatter" node "sum.into.rows" (%rows, %sum) names ["self", "src"] arguments {dim = 1 : i64, index = 0 : i64} : (!graph.tensor<["3", "5"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["3", "5"], "float32">
  %b = graph.call "aten::slice_scatter" node "sum.into.x" (%x, %a) names ["self", "src"] arguments {dim = 0 : i64, start = 1 : i64} : (!graph.tensor<["4", "5"], "float32">, !graph.tensor<["3", "5"], "float32">) -> !graph.tensor<["4", "5"], "float32">
  %rows2 = graph.call "aten::slice.Tensor" node "rows2" (%b) names ["self"] arguments {dim = 0 : i64, start = 1 : i64} : (!graph.tensor<["4", "5"], "float32">) -> !graph.tensor<["3", "5"], "float32">
  %column2 = graph.call "aten::select.int" node "column2" (%rows2) names ["self"] arguments {dim = 1 : i64, index = 0 : i64} : (!graph.tensor<["3", "5"], "float32">) -> !graph.tensor<["3"], "float32">
  %copy = graph.call "aten::copy" node "copy" (%column2, %sum) names ["self", "src"] arguments {} : (!graph.tensor<["3"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["3"], "float32">
  %c = graph.call "aten::select_scatter" node "copy.into.rows2" (%rows2, %copy) names ["self", "src"] arguments {dim = 1 : i64, index = 0 : i64} : (!graph.tensor<["3", "5"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["3", "5"], "float32">
  %d = graph.call "aten::slice_scatter" node "copy.into.x" (%b, %c) names ["self", "src"] arguments {dim = 0 : i64, start = 1 : i64} : (!graph.tensor<["4", "5"], "float32">, !graph.tensor<["3", "5"], "float32">) -> !graph.tensor<["4", "5"], "float32">
  graph.output %d : !graph.tensor<["4", "5"], "float32">
}

// -----

// A part that is written over takes nothing from the first write; another part, and a copy that converts, stay.
// CHECK-LABEL: graph.model @others
// CHECK-SAME: {
// CHECK-NOT: node "first"
// CHECK: %[[SECOND:.+]] = graph.call "aten::select_scatter" node "second"(%{{.+}}, %[[S:.+]]) names
// CHECK: %[[OTHER:.+]] = graph.call "aten::select.int" node "other"(%[[SECOND]])
// CHECK: %[[COPY:.+]] = graph.call "aten::copy" node "copy"
// CHECK: graph.output %[[SECOND]], %[[OTHER]], %[[COPY]]
graph.model @others inputs ["x", "r", "s", "n"] ["", "", "", ""] outputs ["a", "b", "c"] ["", "", ""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["2", "3"], "float32">, %r: !graph.tensor<["3"], "float32">, %s: !graph.tensor<["3"], "float32">, %n: !graph.tensor<["3"], "int64">):
  %first = graph.call "aten::select_scatter" node "first" (%x, %r) names ["self", "src"] arguments {dim = 0 : i64, index = 1 : i64} : (!graph.tensor<["2", "3"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["2", "3"], "float32">
  %second = graph.call "aten::select_scatter" node "second" (%first, %s) names ["self", "src"] arguments {dim = 0 : i64, index = -1 : i64} : (!graph.tensor<["2", "3"], "float32">, !graph.tensor<["3"], "float32">) -> !graph.tensor<["2", "3"], "float32">
  %other = graph.call "aten::select.int" node "other" (%second) names ["self"] arguments {dim = 0 : i64, index = 0 : i64} : (!graph.tensor<["2", "3"], "float32">) -> !graph.tensor<["3"], "float32">
  %copy = graph.call "aten::copy" node "copy" (%other, %n) names ["self", "src"] arguments {} : (!graph.tensor<["3"], "float32">, !graph.tensor<["3"], "int64">) -> !graph.tensor<["3"], "float32">
  graph.output %second, %other, %copy : !graph.tensor<["2", "3"], "float32">, !graph.tensor<["3"], "float32">, !graph.tensor<["3"], "float32">
}
