// The module says how many warps share a tile.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics -tile-assign-layouts | FileCheck %s

// CHECK-LABEL: func.func @one_warp
module attributes {tile.num_warps = 1 : i32} {
  func.func @one_warp(%p: !tile.ptr<f32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    // CHECK: tile.load {{.*}} -> tensor<64xf32, #tile.layout<1, registers [array<i32: 32>], lanes [{{.*}}], warps []>>
    %v = tile.load %ps : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    return
  }
}

// -----

// CHECK-LABEL: func.func @eight_warps
module attributes {tile.num_warps = 8 : i32} {
  func.func @eight_warps(%p: !tile.ptr<f32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    // CHECK: tile.load {{.*}} -> tensor<64xf32, #tile.layout<1, registers [], lanes [{{.*}}], warps [array<i32: 32>, array<i32: 0>, array<i32: 0>]>>
    %v = tile.load %ps : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    return
  }
}

// -----

// expected-error @+1 {{number of warps is 3; it must be a power of two from 1 to 32}}
module attributes {tile.num_warps = 3 : i32} {
}

// -----

// expected-error @+1 {{number of warps is 64; it must be a power of two from 1 to 32}}
module attributes {tile.num_warps = 64 : i32} {
}

// -----

func.func private @callee(tensor<64xi32>) -> i32
func.func @unknown(%n: i32) attributes {tile.kernel} {
  %v = tile.splat %n : i32 -> tensor<64xi32>
  // expected-error @+1 {{'func.call' op is not known to the GPU compiler}}
  %e = func.call @callee(%v) : (tensor<64xi32>) -> i32
  return
}
