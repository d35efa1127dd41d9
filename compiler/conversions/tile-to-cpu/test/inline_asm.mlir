// Inline PTX as other operations.
// RUN: inlay-opt %s -split-input-file -inlay-tile-expand-for-cpu | FileCheck %s --enable-var-scope

// A predicate chooses between two values; before the first write there is nothing to choose.
// CHECK-LABEL: func.func @guarded
// CHECK-SAME: (%[[X:.*]]: tensor<16xf32>)
func.func @guarded(%x: tensor<16xf32>) -> tensor<16xf32> {
  // CHECK: %[[P:.*]] = arith.cmpf ogt, %[[X]], %{{.*}} : tensor<16xf32>
  // CHECK: %[[HALF:.*]] = arith.mulf %[[X]], %{{.*}} : tensor<16xf32>
  // CHECK: %[[ELSE:.*]] = arith.xori %[[P]], %{{.*}} : tensor<16xi1>
  // CHECK: arith.select %[[ELSE]], %{{.*}}, %{{.*}} : tensor<16xi1>, tensor<16xi32>
  // CHECK-NOT: tile.inline_asm
  %r = tile.inline_asm "{ .reg .pred p; setp.gt.f32 p, $1, 20.; @p mov.f32 $0, $1; @!p mul.f32 $0, $1, 0.5; }", "=r,r" pack 1 pure (%x) : (tensor<16xf32>) -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// -----

// Both lanes are the same function of their own elements: nothing is moved.
// CHECK-LABEL: func.func @alike
// CHECK-NOT: tile.split
// CHECK: arith.addf %{{.*}}, %{{.*}} : tensor<16xf16>
// CHECK-NOT: arith.addf
func.func @alike(%x: tensor<16xf16>) -> tensor<16xf16> {
  %r = tile.inline_asm "add.f16x2 $0, $1, $1;", "=r,r" pack 2 pure (%x) : (tensor<16xf16>) -> tensor<16xf16>
  return %r : tensor<16xf16>
}

// -----

// The lanes differ: neighbours are taken apart and put together again.
// CHECK-LABEL: func.func @different
// CHECK: tile.split
// CHECK: tile.join
func.func @different(%x: tensor<16xi16>) -> tensor<16xi16> {
  %r = tile.inline_asm "shl.b32 $0, $1, 4;", "=r,r" pack 2 pure (%x) : (tensor<16xi16>) -> tensor<16xi16>
  return %r : tensor<16xi16>
}

// -----

// CHECK-LABEL: func.func @barrier
// CHECK: tile.barrier
func.func @barrier() -> i32 {
  %r = tile.inline_asm "bar.sync 0; // $0", "=r" pack 1 () : () -> i32
  return %r : i32
}
