// RUN: inlay-opt %s -tile-fold-dot-sums | FileCheck %s

// CHECK-LABEL: func.func @folds
// CHECK-SAME: %[[A:.*]]: tensor<16x16xf16>, %[[B:.*]]: tensor<16x16xf16>, %[[X:.*]]: tensor<16x16xf32>
func.func @folds(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %x: tensor<16x16xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %none = arith.constant 0.0 : f32
  %splat = tile.splat %none : f32 -> tensor<16x16xf32>
  %d = tile.dot %a, %b, %zero {maxNumImprecise = 64 : i32} : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  %e = tile.dot %b, %a, %splat precision ieee : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  // CHECK: %[[HALF:.*]] = arith.mulf
  %half = arith.mulf %x, %x : tensor<16x16xf32>
  // CHECK: %[[D:.*]] = tile.dot %[[A]], %[[B]], %[[X]] {maxNumImprecise = 64 : i32}
  %s = arith.addf %x, %d : tensor<16x16xf32>
  // CHECK: %[[E:.*]] = tile.dot %[[B]], %[[A]], %[[HALF]] precision ieee
  %t = arith.addf %e, %half : tensor<16x16xf32>
  // CHECK: return %[[D]], %[[E]]
  return %s, %t : tensor<16x16xf32>, tensor<16x16xf32>
}

// CHECK-LABEL: func.func @stays
func.func @stays(%a: tensor<16x16xf16>, %x: tensor<16x16xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  // CHECK: tile.dot {{.*}}, %cst :
  %used = tile.dot %a, %a, %zero : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  // CHECK: tile.dot
  %sums = tile.dot %a, %a, %x : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  // CHECK-COUNT-2: arith.addf
  %s = arith.addf %x, %used : tensor<16x16xf32>
  %t = arith.addf %x, %sums : tensor<16x16xf32>
  return %s, %t, %used : tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>
}
