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

// -----

// expected-error @+1 {{the output at '[1]' is a list with a size (s0)}}
module {
  graph.model @m inputs ["x"] ["args[0]"] outputs ["z"] [""] symbols [{name = "s0", min = 1, max = 8, opt = 2}] checks []
      attributes {graph.plain_outputs = [{path = "[0]", value}, {path = "[1]", value = [#graph.expr<"s0">]}]} {
  ^bb0(%x: !graph.tensor<["s0"], "float32">):
    graph.output %x : !graph.tensor<["s0"], "float32">
  }
}

// -----

// expected-error @+1 {{the model changes its input 'y'}}
module {
  graph.model @m inputs ["x", "y"] ["args[0]", "args[1]"] outputs ["z"] [""] symbols [] checks [] {
  ^bb0(%x: !graph.tensor<["16"], "float32">, %y: !graph.tensor<["16"], "float32">):
    %z = graph.call "torchtrt_ex::elementwise_mul" node "mul_1" (%x, %y) names ["X", "Y"] arguments {} : (!graph.tensor<["16"], "float32">, !graph.tensor<["16"], "float32">) -> !graph.tensor<["16"], "float32">
    graph.update %y with %z : <["16"], "float32">, <["16"], "float32">
    graph.output %z : !graph.tensor<["16"], "float32">
  }
}

// -----

// expected-error @+1 {{torchtrt_ex::elementwise_mul (node mul_1): argument 'indices' is a list of tensors}}
module {
  graph.model @m inputs ["x"] ["args[0]"] outputs ["z"] [""] symbols [] checks [] {
  ^bb0(%x: !graph.tensor<["16"], "float32">):
    %z = graph.call "torchtrt_ex::elementwise_mul" node "mul_1" (%x, %x, %x) names ["X", "Y", "indices[1]"] arguments {"indices[0]"} : (!graph.tensor<["16"], "float32">, !graph.tensor<["16"], "float32">, !graph.tensor<["16"], "float32">) -> !graph.tensor<["16"], "float32">
    graph.output %z : !graph.tensor<["16"], "float32">
  }
}

// -----

// expected-error @+1 {{argument 'size' depends on sizes (2*s0)}}
module {
  graph.model @m inputs ["x"] ["args[0]"] outputs ["z"] [""] symbols [{name = "s0", min = 1, max = 8, opt = 2}] checks [] {
  ^bb0(%x: !graph.tensor<["s0"], "float32">):
    %z = graph.call "torchtrt_ex::elementwise_mul" node "mul_1" (%x, %x) names ["X", "Y"] arguments {size = [#graph.expr<"2*s0">, 3]} {graph.none_results = array<i64: 1>} : (!graph.tensor<["s0"], "float32">, !graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
    graph.output %z : !graph.tensor<["s0"], "float32">
  }
}
