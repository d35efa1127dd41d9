// An operator without a plugin, and a plugin's requirement that does not hold.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics -graph-to-plan=plugins=%S/../../../../tests/plugins/sample.toml

// expected-error @+1 {{no plugin}}
module {
  graph.model @m inputs ["x"] ["args[0]"] outputs ["z"] [""] symbols [] checks [] {
  ^bb0(%x: !graph.tensor<["16"], "float32">):
    %z = graph.call "nobody::knows" node "n_1" (%x) names ["X"] arguments {} : (!graph.tensor<["16"], "float32">) -> !graph.tensor<["16"], "float32">
    graph.output %z : !graph.tensor<["16"], "float32">
  }
}

// -----

// expected-error @+1 {{X and Y have the same shape}}
module {
  graph.model @m inputs ["x", "y"] ["args[0]", "args[1]"] outputs ["z"] [""] symbols [] checks [] {
  ^bb0(%x: !graph.tensor<["16"], "float32">, %y: !graph.tensor<["8"], "float32">):
    %z = graph.call "torchtrt_ex::elementwise_mul" node "mul_1" (%x, %y) names ["X", "Y"] arguments {} : (!graph.tensor<["16"], "float32">, !graph.tensor<["8"], "float32">) -> !graph.tensor<["16"], "float32">
    graph.output %z : !graph.tensor<["16"], "float32">
  }
}
