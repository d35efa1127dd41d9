// Host segments: text, and what is refused.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics | inlay-opt -split-input-file | FileCheck %s

// CHECK: graph.segment "segment::m_0"(%{{.*}}) names ["x"] -> ["a"] : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
// CHECK: graph.yield %{{.*}} : !graph.tensor<["4"], "float32">
graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  %y = graph.segment "segment::m_0" (%x) names ["x"] -> ["a"] : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "my::f" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    graph.yield %a : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @names inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C2) has 2 input and 1 output names for 1 and 1 tensors}}
  %y = graph.segment "segment::m_0" (%x) names ["x", "z"] -> ["a"] : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "my::f" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
    graph.yield %a : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @empty inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C3) holds no call}}
  %y = graph.segment "segment::m_0" (%x) names ["x"] -> ["a"] : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    graph.yield %i : !graph.tensor<["4"], "float32">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}

// -----

graph.model @results inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  // expected-error @+1 {{(C1) has other results than graph.yield gives}}
  %y = graph.segment "segment::m_0" (%x) names ["x"] -> ["a"] : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32"> {
  ^bb0(%i: !graph.tensor<["4"], "float32">):
    %a = graph.call "my::f" node "a" (%i) names ["self"] arguments {} : (!graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float16">
    graph.yield %a : !graph.tensor<["4"], "float16">
  }
  graph.output %y : !graph.tensor<["4"], "float32">
}
