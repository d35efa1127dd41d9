// Accesses through descriptors become loads and stores of the elements inside the tensor.
// RUN: inlay-opt %s --tile-expand-descriptors --canonicalize | FileCheck %s --enable-var-scope

// CHECK-LABEL: func @matrix
// CHECK-SAME: (%[[P:.*]]: !tile.ptr<f32>, %[[M:.*]]: i64, %[[N:.*]]: i64, %[[I:.*]]: i32, %[[J:.*]]: i32)
func.func @matrix(%p: !tile.ptr<f32>, %m: i64, %n: i64, %i: i32, %j: i32) {
  %one = arith.constant 1 : i64
  // The scalar part of the address: base + i * n + j.
  // CHECK-DAG: %[[I64:.*]] = arith.extsi %[[I]] : i32 to i64
  // CHECK-DAG: %[[J64:.*]] = arith.extsi %[[J]] : i32 to i64
  // CHECK-DAG: %[[ROW:.*]] = arith.muli %[[I64]], %[[N]] : i64
  // CHECK-DAG: %[[P1:.*]] = tile.addptr %[[P]], %[[ROW]]
  // CHECK-DAG: %[[P2:.*]] = tile.addptr %[[P1]], %[[J64]]
  // CHECK: %[[PS:.*]] = tile.splat %[[P2]] : !tile.ptr<f32> -> tensor<4x8x!tile.ptr<f32>>
  // CHECK: %[[A:.*]] = tile.addptr %[[PS]], %{{.*}} : tensor<4x8x!tile.ptr<f32>>, tensor<4x8xi64>
  // CHECK: %[[X:.*]] = tile.load %[[A]] mask %[[MASK:.*]] other %{{.*}} :
  %x = tile.descriptor_load %p sizes %m, %n strides %n, %one offsets %i, %j : !tile.ptr<f32> -> tensor<4x8xf32>
  // CHECK: tile.store %{{.*}}, %[[X]] mask %{{.*}} :
  tile.descriptor_store %p, %x sizes %m, %n strides %n, %one offsets %i, %j : !tile.ptr<f32>, tensor<4x8xf32>
  return
}

// CHECK-LABEL: func @padding
// CHECK: arith.constant dense<0x7E00> : tensor<8xf16>
func.func @padding(%p: !tile.ptr<f16>, %n: i64, %i: i32, %q: !tile.ptr<f16>) {
  %one = arith.constant 1 : i64
  %x = tile.descriptor_load %p sizes %n strides %one offsets %i padding nan : !tile.ptr<f16> -> tensor<8xf16>
  tile.descriptor_store %q, %x sizes %n strides %one offsets %i : !tile.ptr<f16>, tensor<8xf16>
  return
}
