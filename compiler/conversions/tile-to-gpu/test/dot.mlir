// tile.dot: fragments packed for one mma.sync, or a loop over shared memory.
// RUN: inlay-opt %s -split-input-file -inlay-tile-to-gpu | FileCheck %s

#lhs = #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 8, 0>, array<i32: 0, 8>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
#rhs = #tile.layout<2, registers [array<i32: 1, 0>, array<i32: 8, 0>], lanes [array<i32: 2, 0>, array<i32: 4, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>], warps []>
#acc = #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 8, 0>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
// CHECK-LABEL: func.func @one_instruction
module attributes {tile.num_warps = 1 : i32} {
  func.func @one_instruction(%p: !tile.ptr<f16>, %o: !tile.ptr<f32>) attributes {tile.kernel} {
    %ap = tile.splat %p : !tile.ptr<f16> -> tensor<16x16x!tile.ptr<f16>, #lhs>
    %bp = tile.splat %p : !tile.ptr<f16> -> tensor<16x8x!tile.ptr<f16>, #rhs>
    %op = tile.splat %o : !tile.ptr<f32> -> tensor<16x8x!tile.ptr<f32>, #acc>
    %a = tile.load %ap : tensor<16x16x!tile.ptr<f16>, #lhs> -> tensor<16x16xf16, #lhs>
    %b = tile.load %bp : tensor<16x8x!tile.ptr<f16>, #rhs> -> tensor<16x8xf16, #rhs>
    // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
    %c = arith.constant dense<0.0> : tensor<16x8xf32, #acc>
    // CHECK: %[[D:.*]] = llvm.inline_asm "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};", "=f,=f,=f,=f,r,r,r,r,r,r,0,1,2,3" %{{.*}}, %[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]
    // CHECK-COUNT-4: llvm.extractvalue %[[D]]
    // CHECK-NOT: mma.sync
    %d = tile.dot %a, %b, %c : tensor<16x16xf16, #lhs>, tensor<16x8xf16, #rhs> -> tensor<16x8xf32, #acc>
    tile.store %op, %d : tensor<16x8x!tile.ptr<f32>, #acc>, tensor<16x8xf32, #acc>
    return
  }
}

// -----

// fp8 products are added in fp32 after each instruction unless the kernel allows more.
#lhs = #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 8, 0>, array<i32: 0, 16>, array<i32: 0, 32>], lanes [array<i32: 0, 4>, array<i32: 0, 8>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
#rhs = #tile.layout<2, registers [array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 16, 0>, array<i32: 32, 0>], lanes [array<i32: 4, 0>, array<i32: 8, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>], warps []>
#acc = #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 8, 0>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
// CHECK: module attributes {{.*}}tile.ptx_version = 84 : i32
module attributes {tile.num_warps = 1 : i32, tile.target = "sm_89"} {
  // CHECK-LABEL: func.func @float8
  func.func @float8(%p: !tile.ptr<f8E4M3FN>, %o: !tile.ptr<f32>) attributes {tile.kernel} {
    %ap = tile.splat %p : !tile.ptr<f8E4M3FN> -> tensor<16x64x!tile.ptr<f8E4M3FN>, #lhs>
    %bp = tile.splat %p : !tile.ptr<f8E4M3FN> -> tensor<64x8x!tile.ptr<f8E4M3FN>, #rhs>
    %op = tile.splat %o : !tile.ptr<f32> -> tensor<16x8x!tile.ptr<f32>, #acc>
    %a = tile.load %ap : tensor<16x64x!tile.ptr<f8E4M3FN>, #lhs> -> tensor<16x64xf8E4M3FN, #lhs>
    %b = tile.load %bp : tensor<64x8x!tile.ptr<f8E4M3FN>, #rhs> -> tensor<64x8xf8E4M3FN, #rhs>
    %c = tile.load %op : tensor<16x8x!tile.ptr<f32>, #acc> -> tensor<16x8xf32, #acc>
    // CHECK: %[[FIRST:.*]] = llvm.inline_asm "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32
    // CHECK: %[[X:.*]] = llvm.extractvalue %[[FIRST]][0]
    // CHECK: %[[SUM:.*]] = arith.addf %{{.*}}, %[[X]]
    // CHECK: %[[SECOND:.*]] = llvm.inline_asm "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32
    // CHECK: %[[Y:.*]] = llvm.extractvalue %[[SECOND]][0]
    // CHECK: arith.addf %[[SUM]], %[[Y]]
    %d = tile.dot %a, %b, %c : tensor<16x64xf8E4M3FN, #lhs>, tensor<64x8xf8E4M3FN, #rhs> -> tensor<16x8xf32, #acc>
    // CHECK-COUNT-2: mma.sync
    // CHECK-NOT: arith.addf
    %e = tile.dot %a, %b, %d {maxNumImprecise = 1073741824 : i32} : tensor<16x64xf8E4M3FN, #lhs>, tensor<64x8xf8E4M3FN, #rhs> -> tensor<16x8xf32, #acc>
    tile.store %op, %e : tensor<16x8x!tile.ptr<f32>, #acc>, tensor<16x8xf32, #acc>
    return
  }
}

// -----

// K is smaller than any instruction's: each thread adds up its elements.
#lhs = #tile.layout<2, registers [], lanes [array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
#rhs = #tile.layout<2, registers [], lanes [array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>], warps []>
#acc = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 4, 0>], warps []>
// CHECK-LABEL: func.func @elements
module attributes {tile.num_warps = 1 : i32} {
  func.func @elements(%p: !tile.ptr<f16>, %o: !tile.ptr<f32>) attributes {tile.kernel} {
    %ap = tile.splat %p : !tile.ptr<f16> -> tensor<8x4x!tile.ptr<f16>, #lhs>
    %bp = tile.splat %p : !tile.ptr<f16> -> tensor<4x8x!tile.ptr<f16>, #rhs>
    %op = tile.splat %o : !tile.ptr<f32> -> tensor<8x8x!tile.ptr<f32>, #acc>
    %a = tile.load %ap : tensor<8x4x!tile.ptr<f16>, #lhs> -> tensor<8x4xf16, #lhs>
    %b = tile.load %bp : tensor<4x8x!tile.ptr<f16>, #rhs> -> tensor<4x8xf16, #rhs>
    %c = arith.constant dense<0.0> : tensor<8x8xf32, #acc>
    // CHECK-COUNT-2: llvm.store %{{.*}} : i16, !llvm.ptr<3>
    // CHECK: nvvm.barrier
    // CHECK: scf.for {{.*}} iter_args(%[[X:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}}) -> (f32, f32)
    // CHECK-COUNT-3: llvm.load %{{.*}} : !llvm.ptr<3> -> i16
    // CHECK: math.fma %{{.*}}, %{{.*}}, %[[X]] : f32
    // CHECK: math.fma %{{.*}}, %{{.*}}, %[[Y]] : f32
    %d = tile.dot %a, %b, %c : tensor<8x4xf16, #lhs>, tensor<4x8xf16, #rhs> -> tensor<8x8xf32, #acc>
    tile.store %op, %d : tensor<8x8x!tile.ptr<f32>, #acc>, tensor<8x8xf32, #acc>
    return
  }
}
