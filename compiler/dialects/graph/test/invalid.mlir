// RUN: inlay-opt %s -split-input-file -verify-diagnostics

graph.model @operands inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C1) has other operands than its block has arguments}}
  %y = graph.group "pointwise" node "b" (%x) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">, %j: !graph.tensor<["4"], "float32">):
    %a = graph.call "aten::relu" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    graph.yield %a : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @results inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C1) has other results than graph.yield gives}}
  %y = graph.group "pointwise" node "b" (%x) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "aten::gt.Scalar" node "a" (%i) names ["self"] arguments {other = 0 : i64} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "bool">
    graph.yield %a : !graph.tensor<["4"], "bool">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @kind inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C2) is of kind 'any', expected pointwise, lines or tail}}
  %y = graph.group "any" node "b" (%x) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "aten::relu" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    graph.yield %a : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @empty inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C3) holds no call}}
  %y = graph.group "pointwise" node "b" (%x) : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    graph.yield %i : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}
