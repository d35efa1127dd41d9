// tile.reduce and tile.scan: registers, shuffles, one exchange between warps.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -inlay-tile-to-gpu -cse | FileCheck %s

// A row of 1024 on four warps, 8 in each thread: 7 maxima in the thread, 5 shuffles, 4 partials that every thread reads.
// CHECK: llvm.mlir.global internal @inlay_shared() {{.*}} : !llvm.array<16 x i8>
// CHECK-LABEL: func.func @row
func.func @row(%p: !tile.ptr<f32>, %n: f32) attributes {tile.kernel} {
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<1024x!tile.ptr<f32>>, tensor<1024xi32>
  %v = tile.load %a : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  // CHECK-COUNT-7: arith.maxnumf
  // CHECK: nvvm.shfl.sync bfly
  // CHECK-COUNT-4: nvvm.shfl.sync bfly
  // CHECK: scf.if
  // CHECK: llvm.store %{{.*}} : f32, !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK-COUNT-4: llvm.load %{{.*}} : !llvm.ptr<3> -> f32
  // CHECK-COUNT-3: arith.maxnumf
  // CHECK-NOT: nvvm.barrier0
  %m = tile.reduce %v axis 0 : (tensor<1024xf32>) -> f32 {
  ^bb0(%x: f32, %y: f32):
    %z = arith.maxnumf %x, %y : f32
    tile.yield %z : f32
  }
  tile.store %p, %m : !tile.ptr<f32>, f32
  // CHECK: return
  return
}

// -----

// 32 integers of one warp are one instruction; there is nothing to exchange.
// CHECK-LABEL: func.func @integers
module attributes {tile.num_warps = 1 : i32} {
  func.func @integers(%p: !tile.ptr<i32>) attributes {tile.kernel} {
    %r = tile.arange 0 to 32 : tensor<32xi32>
    %ps = tile.splat %p : !tile.ptr<i32> -> tensor<32x!tile.ptr<i32>>
    %a = tile.addptr %ps, %r : tensor<32x!tile.ptr<i32>>, tensor<32xi32>
    %v = tile.load %a : tensor<32x!tile.ptr<i32>> -> tensor<32xi32>
    // CHECK: nvvm.redux.sync add
    // CHECK-NOT: nvvm.shfl
    // CHECK-NOT: nvvm.barrier0
    %m = tile.reduce %v axis 0 : (tensor<32xi32>) -> i32 {
    ^bb0(%x: i32, %y: i32):
      %z = arith.addi %x, %y : i32
      tile.yield %z : i32
    }
    tile.store %p, %m : !tile.ptr<i32>, i32
    return
  }
}

// -----

// Lanes beyond the tile hold copies, which are not counted: 8 elements are 3 shuffles. The later of two elements is the
// second argument, whichever lane has it.
// CHECK-LABEL: func.func @few
module attributes {tile.num_warps = 1 : i32} {
  func.func @few(%p: !tile.ptr<f64>) attributes {tile.kernel} {
    %r = tile.arange 0 to 8 : tensor<8xi32>
    %ps = tile.splat %p : !tile.ptr<f64> -> tensor<8x!tile.ptr<f64>>
    %a = tile.addptr %ps, %r : tensor<8x!tile.ptr<f64>>, tensor<8xi32>
    %v = tile.load %a : tensor<8x!tile.ptr<f64>> -> tensor<8xf64>
    // Two words of 32 bits for each.
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK: arith.subf
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK: arith.subf
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK: %[[EARLIER:.*]] = arith.select %[[BIT:.*]], %[[OTHER:.*]], %[[MINE:.*]] : f64
    // CHECK: %[[LATER:.*]] = arith.select %[[BIT]], %[[MINE]], %[[OTHER]] : f64
    // CHECK: arith.subf %[[EARLIER]], %[[LATER]]
    // CHECK-NOT: nvvm.shfl
    %m = tile.reduce %v axis 0 : (tensor<8xf64>) -> f64 {
    ^bb0(%x: f64, %y: f64):
      %z = arith.subf %x, %y : f64
      tile.yield %z : f64
    }
    tile.store %p, %m : !tile.ptr<f64>, f64
    return
  }
}

// -----

// A reduction in a loop: the round before may still read, so there is a barrier before the write as well.
// CHECK-LABEL: func.func @in_a_loop
func.func @in_a_loop(%p: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant 0.0 : f32
  %r = tile.arange 0 to 128 : tensor<128xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<128x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<128x!tile.ptr<f32>>, tensor<128xi32>
  // CHECK: scf.for
  // CHECK: nvvm.barrier0
  // CHECK: llvm.store {{.*}} !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK: llvm.load {{.*}} !llvm.ptr<3>
  // CHECK-NOT: nvvm.barrier0
  %t = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> (f32) : i32 {
    %v = tile.load %a : tensor<128x!tile.ptr<f32>> -> tensor<128xf32>
    %m = tile.reduce %v axis 0 : (tensor<128xf32>) -> f32 {
    ^bb0(%x: f32, %y: f32):
      %z = arith.addf %x, %y : f32
      tile.yield %z : f32
    }
    %s = arith.addf %sum, %m : f32
    scf.yield %s : f32
  }
  tile.store %p, %t : !tile.ptr<f32>, f32
  return
}
