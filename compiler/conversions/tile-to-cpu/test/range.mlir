// A range may start below zero.
// RUN: inlay-opt %s -inlay-tile-to-cpu | FileCheck %s

// CHECK-LABEL: func.func @range
func.func @range(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  // CHECK: arith.constant -4 : i{{32|64}}
  %r = tile.arange -4 to 4 : tensor<8xi32>
  tile.store %ps, %r : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  return
}
