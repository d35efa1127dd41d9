// A product with a zero accumulator that is added to something takes that as its accumulator.
// RUN: inlay-opt %s --canonicalize | FileCheck %s --enable-var-scope

// CHECK-LABEL: func @accumulates
// CHECK-SAME: (%[[A:.*]]: tensor<16x16xf16>, %[[B:.*]]: tensor<16x16xf16>, %[[C:.*]]: tensor<16x16xf32>)
// CHECK-NEXT: %[[D:.*]] = tile.dot %[[A]], %[[B]], %[[C]] :
// CHECK-NEXT: return %[[D]]
func.func @accumulates(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %product = tile.dot %a, %b, %zero : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  %sum = arith.addf %product, %c : tensor<16x16xf32>
  return %sum : tensor<16x16xf32>
}

// CHECK-LABEL: func @integers
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} precision ieee
// CHECK-NOT: arith.addi
func.func @integers(%a: tensor<16x32xi8>, %b: tensor<32x16xi8>, %c: tensor<16x16xi32>) -> tensor<16x16xi32> {
  %zero = arith.constant dense<0> : tensor<16x16xi32>
  %product = tile.dot %a, %b, %zero precision ieee : tensor<16x32xi8>, tensor<32x16xi8> -> tensor<16x16xi32>
  %sum = arith.addi %c, %product : tensor<16x16xi32>
  return %sum : tensor<16x16xi32>
}

// A product that is used twice, has an accumulator, is summed with less precision, or would move into a loop stays.
// CHECK-LABEL: func @used_twice
// CHECK: arith.addf
func.func @used_twice(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %c: tensor<16x16xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %product = tile.dot %a, %b, %zero : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  %sum = arith.addf %product, %c : tensor<16x16xf32>
  return %sum, %product : tensor<16x16xf32>, tensor<16x16xf32>
}

// CHECK-LABEL: func @accumulator
// CHECK: arith.addf
func.func @accumulator(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %one = arith.constant dense<1.0> : tensor<16x16xf32>
  %product = tile.dot %a, %b, %one : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  %sum = arith.addf %product, %c : tensor<16x16xf32>
  return %sum : tensor<16x16xf32>
}

// CHECK-LABEL: func @imprecise
// CHECK: arith.addf
func.func @imprecise(%a: tensor<16x32xf8E5M2>, %b: tensor<32x16xf8E5M2>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %product = tile.dot %a, %b, %zero {maxNumImprecise = 32 : i32} : tensor<16x32xf8E5M2>, tensor<32x16xf8E5M2> -> tensor<16x16xf32>
  %sum = arith.addf %product, %c : tensor<16x16xf32>
  return %sum : tensor<16x16xf32>
}

// CHECK-LABEL: func @outside_a_loop
// CHECK: tile.dot
// CHECK: scf.for
// CHECK: arith.addf
func.func @outside_a_loop(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %c: tensor<16x16xf32>, %n: i32) -> tensor<16x16xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %product = tile.dot %a, %b, %zero : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %c) -> tensor<16x16xf32> : i32 {
    %next = arith.addf %acc, %product : tensor<16x16xf32>
    scf.yield %next : tensor<16x16xf32>
  }
  return %sum : tensor<16x16xf32>
}
