// The fragments of tensor-core instructions: operands are brought there, accumulators stay there around loops.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -cse | FileCheck %s

module attributes {tile.num_warps = 1 : i32, tile.target = "sm_80"} {
  // CHECK-LABEL: func.func @loop
  func.func @loop(%p: !tile.ptr<f16>, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %ps = tile.splat %p : !tile.ptr<f16> -> tensor<16x16x!tile.ptr<f16>>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    %half = arith.constant dense<5.000000e-01> : tensor<16x16xf32>
    // Constants are made in the accumulator's layout.
    // CHECK: arith.constant dense<0.000000e+00> : tensor<16x16xf32, [[ACC:#tile.layout<2, registers \[array<i32: 0, 1>, array<i32: 8, 0>, array<i32: 0, 8>\], lanes \[array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>\], warps \[\]>]]>
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    // CHECK: scf.for
    // CHECK-SAME: -> (tensor<16x16xf32, [[ACC]]>)
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<16x16xf32>) : i32 {
      %a = tile.load %ps : tensor<16x16x!tile.ptr<f16>> -> tensor<16x16xf16>
      %b = tile.load %ps : tensor<16x16x!tile.ptr<f16>> -> tensor<16x16xf16>
      // CHECK: %[[A:.*]] = tile.convert_layout %{{.*}} -> tensor<16x16xf16, #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 8, 0>, array<i32: 0, 8>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>>
      // CHECK: %[[B:.*]] = tile.convert_layout %{{.*}} -> tensor<16x16xf16, #tile.layout<2, registers [array<i32: 1, 0>, array<i32: 8, 0>, array<i32: 0, 8>], lanes [array<i32: 2, 0>, array<i32: 4, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>], warps []>>
      // CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}} : tensor<16x16xf32, [[ACC]]>
      %scaled = arith.mulf %acc, %half : tensor<16x16xf32>
      // CHECK: %[[D:.*]] = tile.dot %[[A]], %[[B]], %[[SCALED]] :
      // CHECK-NOT: tile.convert_layout
      %d = tile.dot %a, %b, %scaled : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
      // CHECK: scf.yield %[[D]]
      scf.yield %d : tensor<16x16xf32>
    }
    // CHECK: tile.convert_layout
    tile.store %os, %r : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    return
  }
}

// -----

// A chain: the first result, rounded, is the left operand of the second dot where it is, and rows stay in their warp.
module attributes {tile.num_warps = 4 : i32, tile.target = "sm_80"} {
  // CHECK-LABEL: func.func @chain
  func.func @chain(%p: !tile.ptr<f16>, %o: !tile.ptr<f32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<f16> -> tensor<64x64x!tile.ptr<f16>>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<64x64x!tile.ptr<f32>>
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %ps : tensor<64x64x!tile.ptr<f16>> -> tensor<64x64xf16>
    // CHECK-COUNT-2: tile.convert_layout
    // CHECK: %[[S:.*]] = tile.dot %{{.*}} warps [array<i32: 16, 0>, array<i32: 32, 0>]>>{{$}}
    %s = tile.dot %q, %q, %zero : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    // CHECK-NEXT: %[[P:.*]] = arith.truncf %[[S]]
    %h = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
    // CHECK-NEXT: tile.dot %[[P]], %{{.*}}
    %d = tile.dot %h, %q, %zero : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    tile.store %os, %d : tensor<64x64x!tile.ptr<f32>>, tensor<64x64xf32>
    return
  }
}

// -----

// Without tensor cores operands stay where they are; the accumulator is in squares of 2 x 2 and more.
module attributes {tile.num_warps = 1 : i32} {
  // CHECK-LABEL: func.func @elements
  func.func @elements(%p: !tile.ptr<f32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    // CHECK: %[[A:.*]] = tile.load
    %a = tile.load %ps : tensor<16x16x!tile.ptr<f32>> -> tensor<16x16xf32>
    // CHECK: tile.dot %[[A]], %[[A]], %{{.*}} precision ieee {{.*}} -> tensor<16x16xf32, #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 1, 0>], lanes [array<i32: 0, 4>, array<i32: 0, 8>, array<i32: 2, 0>, array<i32: 4, 0>, array<i32: 8, 0>], warps []>>
    %d = tile.dot %a, %a, %zero precision ieee : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %ps, %d : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    return
  }
}
