// Loops carry scalar distances instead of tiles that they move.
// RUN: inlay-opt %s -inlay-tile-scalarize-recurrences -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @pointers
func.func @pointers(%x: !tile.ptr<f32>, %n: i32, %s: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %range = tile.arange 0 to 8 : tensor<8xi32>
  %xs = tile.splat %x : !tile.ptr<f32> -> tensor<8x!tile.ptr<f32>>
  // CHECK: %[[BASE:.*]] = tile.addptr
  %p0 = tile.addptr %xs, %range : tensor<8x!tile.ptr<f32>>, tensor<8xi32>
  %v0 = arith.constant dense<1.0> : tensor<8xf32>
  %step = tile.splat %s : i32 -> tensor<8xi32>
  // CHECK: %[[LOOP:.*]] = scf.for {{.*}} iter_args(%[[D:.*]] = %c0_i64) -> (i64)
  %p = scf.for %i = %zero to %n step %one iter_args(%p1 = %p0) -> (tensor<8x!tile.ptr<f32>>) : i32 {
    // CHECK: %[[TILE:.*]] = tile.splat %[[D]] : i64 -> tensor<8xi64>
    // CHECK: %[[P:.*]] = tile.addptr %[[BASE]], %[[TILE]]
    // CHECK: tile.store %[[P]]
    tile.store %p1, %v0 : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
    %p2 = tile.addptr %p1, %step : tensor<8x!tile.ptr<f32>>, tensor<8xi32>
    // CHECK: %[[STEP:.*]] = arith.extsi %{{.*}} : i32 to i64
    // CHECK: arith.addi %[[D]], %[[STEP]] : i64
    scf.yield %p2 : tensor<8x!tile.ptr<f32>>
  }
  // CHECK: tile.splat %[[LOOP]] : i64
  tile.store %p, %v0 : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  return
}

// Different amounts for different elements: nothing changes.
// CHECK-LABEL: func.func @uneven
func.func @uneven(%x: !tile.ptr<i32>, %n: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %range = tile.arange 0 to 8 : tensor<8xi32>
  %xs = tile.splat %x : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  // CHECK: scf.for {{.*}} -> (tensor<8xi32>)
  %r = scf.for %i = %zero to %n step %one iter_args(%a = %range) -> (tensor<8xi32>) : i32 {
    %b = arith.addi %a, %range : tensor<8xi32>
    scf.yield %b : tensor<8xi32>
  }
  tile.store %xs, %r : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  return
}
