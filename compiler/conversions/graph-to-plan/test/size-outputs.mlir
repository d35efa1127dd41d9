// An output that is a size is a scalar behind the tensors, which a kernel stores.
// RUN: inlay-opt %s -graph-to-plan=plugins=%S/../../../../tests/plugins/sample.toml | FileCheck %s

// CHECK-LABEL: plan.program @m
// CHECK: plan.output "z" "float32" ["s0"] in @[[Z:[a-z_0-9]+]]
// CHECK: plan.output "n" "int64" [] in @[[N:[a-z_0-9]+]] path "['n']"
// CHECK: plan.output "n_1" "int64" [] in @[[M:[a-z_0-9]+]] path "[1]['n']"
// CHECK: plan.copy @{{.*}} to @[[Z]]
// CHECK-NEXT: plan.launch @store_size_kernel grid ["1", "1", "1"] arguments [@[[N]], "2*s0"]
// CHECK-NEXT: plan.launch @store_size_kernel grid ["1", "1", "1"] arguments [@[[M]], "s0"]
graph.model @m inputs ["x"] ["args[0]"] outputs ["z"] [""] symbols [{name = "s0", min = 1, max = 8, opt = 2}] checks []
    attributes {graph.plain_outputs = [{path = "['n']", value = #graph.expr<"2*s0">}, {path = "[1]['n']", value = #graph.expr<"s0">}]} {
^bb0(%x: !graph.tensor<["s0"], "float32">):
  graph.output %x : !graph.tensor<["s0"], "float32">
}
