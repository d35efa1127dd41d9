// tile.convert_layout: inside a thread where it has all it needs, else through shared memory.
// RUN: inlay-opt %s -split-input-file -inlay-tile-to-gpu -cse | FileCheck %s

#pairs = #tile.layout<1, registers [array<i32: 1>, array<i32: 64>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps []>
#swapped = #tile.layout<1, registers [array<i32: 64>, array<i32: 1>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps []>
// CHECK-LABEL: func.func @within_a_thread(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr<1>)
module attributes {tile.num_warps = 1 : i32} {
  func.func @within_a_thread(%p: !tile.ptr<i32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<i32> -> tensor<128x!tile.ptr<i32>, #pairs>
    %qs = tile.splat %p : !tile.ptr<i32> -> tensor<128x!tile.ptr<i32>, #swapped>
    // CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %{{.*}} overflow
    // CHECK: %[[SECOND:.*]] = arith.addi %[[FIRST]], %c1
    // CHECK: %[[THIRD:.*]] = arith.addi %[[FIRST]], %c64
    // CHECK: %[[FOURTH:.*]] = arith.addi %[[FIRST]], %c65
    %r = tile.arange 0 to 128 : tensor<128xi32, #pairs>
    // CHECK-NOT: nvvm.barrier
    %s = tile.convert_layout %r : tensor<128xi32, #pairs> -> tensor<128xi32, #swapped>
    // CHECK: llvm.store %[[FIRST]], %[[P]]
    // CHECK: llvm.store %[[THIRD]], %[[P]]
    // CHECK: llvm.store %[[SECOND]], %[[P]]
    // CHECK: llvm.store %[[FOURTH]], %[[P]]
    tile.store %qs, %s : tensor<128x!tile.ptr<i32>, #swapped>, tensor<128xi32, #swapped>
    return
  }
}

// -----

#rows = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
#columns = #tile.layout<2, registers [array<i32: 1, 0>], lanes [array<i32: 2, 0>, array<i32: 4, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>], warps []>
// One buffer for all that shared memory holds: here two small tiles, beside each other so that the second need not wait for
// whoever still reads the first.
// CHECK: llvm.mlir.global internal @inlay_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<384 x i8>
// CHECK-LABEL: func.func @through_memory
module attributes {tile.num_warps = 1 : i32} {
  func.func @through_memory(%p: !tile.ptr<f16>, %q: !tile.ptr<i32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<f16> -> tensor<8x8x!tile.ptr<f16>, #rows>
    %pt = tile.splat %p : !tile.ptr<f16> -> tensor<8x8x!tile.ptr<f16>, #columns>
    %v = tile.load %ps : tensor<8x8x!tile.ptr<f16>, #rows> -> tensor<8x8xf16, #rows>
    // CHECK-NOT: nvvm.barrier
    // CHECK: llvm.store %{{.*}}, %{{.*}} : i16, !llvm.ptr<3>
    // CHECK: llvm.store %{{.*}}, %{{.*}} : i16, !llvm.ptr<3>
    // CHECK-NOT: llvm.store
    // CHECK: nvvm.barrier
    // CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> i16
    // CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> i16
    %w = tile.convert_layout %v : tensor<8x8xf16, #rows> -> tensor<8x8xf16, #columns>
    tile.store %pt, %w : tensor<8x8x!tile.ptr<f16>, #columns>, tensor<8x8xf16, #columns>
    %qs = tile.splat %q : !tile.ptr<i32> -> tensor<8x8x!tile.ptr<i32>, #rows>
    %qt = tile.splat %q : !tile.ptr<i32> -> tensor<8x8x!tile.ptr<i32>, #columns>
    %a = tile.load %qs : tensor<8x8x!tile.ptr<i32>, #rows> -> tensor<8x8xi32, #rows>
    // CHECK-NOT: nvvm.barrier
    // CHECK: llvm.store %{{.*}}, %{{.*}} : i32, !llvm.ptr<3>
    // CHECK: nvvm.barrier
    // CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> i32
    %b = tile.convert_layout %a : tensor<8x8xi32, #rows> -> tensor<8x8xi32, #columns>
    tile.store %qt, %b : tensor<8x8x!tile.ptr<i32>, #columns>, tensor<8x8xi32, #columns>
    return
  }
}

// -----

#spread = #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
#copies = #tile.layout<1, registers [array<i32: 1>, array<i32: 0>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 0>], warps []>
// Registers that hold the same element are read once.
// CHECK-LABEL: func.func @to_copies
module attributes {tile.num_warps = 1 : i32} {
  func.func @to_copies(%q: !tile.ptr<i1>) attributes {tile.kernel} {
    %qs = tile.splat %q : !tile.ptr<i1> -> tensor<32x!tile.ptr<i1>, #spread>
    %v = tile.load %qs : tensor<32x!tile.ptr<i1>, #spread> -> tensor<32xi1, #spread>
    // CHECK: llvm.store %{{.*}}, %{{.*}} : i8, !llvm.ptr<3>
    // CHECK: nvvm.barrier
    // CHECK-COUNT-2: llvm.load %{{.*}} : !llvm.ptr<3> -> i8
    // CHECK-NOT: llvm.load
    %w = tile.convert_layout %v : tensor<32xi1, #spread> -> tensor<32xi1, #copies>
    %qt = tile.splat %q : !tile.ptr<i1> -> tensor<32x!tile.ptr<i1>, #copies>
    tile.store %qt, %w : tensor<32x!tile.ptr<i1>, #copies>, tensor<32xi1, #copies>
    // CHECK: return
    return
  }
}
