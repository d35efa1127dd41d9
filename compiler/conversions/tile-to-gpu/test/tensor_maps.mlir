// Maps of tensors, copies by the copy engine and their barriers as inline PTX of thread 0.
// RUN: inlay-opt %s --tile-assign-layouts --tile-copy-tensor-loads --inlay-tile-to-gpu --canonicalize --cse | FileCheck %s

module attributes {tile.num_warps = 4 : i32, tile.target = "sm_90a"} {
  // Two maps of 128 bytes for each of 256 · 16 programs, and a bit for each program.
  // CHECK-DAG: llvm.mlir.global internal @inlay_tensor_maps_taken() {{.*}} : !llvm.array<256 x i32>
  // CHECK-DAG: llvm.mlir.global internal @inlay_tensor_maps() {{.*}} : !llvm.array<1048576 x i8>
  // CHECK-LABEL: func.func @copy
  func.func @copy(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %m: i64, %i: i32) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    %c128 = arith.constant 128 : i64
    // CHECK: atom.acquire.gpu.global.or.b32
    // Of an empty tensor the map says that all sizes are 1, and all coordinates are outside.
    // CHECK: %[[EMPTY:.*]] = arith.cmpi slt, %arg2, %c1_i64
    // CHECK: arith.select %[[EMPTY]], %c1_i64, %{{.*}} : i64
    // CHECK: tensormap.replace.tile.rank.shared::cta.b1024.b32 [$0], 1
    // CHECK-SAME: tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [$0], 0, 64;
    // CHECK-SAME: tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [$0], 1, 8;
    // CHECK-SAME: tensormap.replace.tile.global_stride.shared::cta.b1024.b64 [$0], 0,
    // CHECK-SAME: tensormap.replace.tile.elemtype.shared::cta.b1024.b32 [$0], 6;
    // CHECK-SAME: tensormap.replace.tile.swizzle_mode.shared::cta.b1024.b32 [$0], 3;
    // CHECK-SAME: tensormap.replace.tile.fill_mode.shared::cta.b1024.b32 [$0], 1;
    // CHECK-SAME: tensormap.cp_fenceproxy
    // CHECK-SAME: fence.proxy.tensormap::generic.acquire.gpu
    %from = tile.tensor_map %p sizes %m, %c128 strides %c128, %one : !tile.ptr<f16> -> !tile.tensor_map<[8, 128], f16, nan>
    %to = tile.tensor_map %q sizes %m, %c128 strides %c128, %one : !tile.ptr<f16> -> !tile.tensor_map<[8, 128], f16, zero>
    // CHECK: mbarrier.init.shared::cta.b64 [$0+0], 1;{{.*}}fence.mbarrier_init
    // CHECK: fence.proxy.async.shared::cta;
    // CHECK: nvvm.barrier
    // Two panels of 8 rows of 128 bytes.
    // CHECK: mbarrier.arrive.expect_tx.shared::cta.b64 _, [$1], 2048;
    // CHECK-SAME: cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [to], [$2, {c0, c1}], [$1];
    // CHECK-SAME: add.s32 c0, $4, 64;
    // CHECK-SAME: add.u32 to, $0, 1024;
    // CHECK: mbarrier.try_wait.parity.shared::cta.b64
    // CHECK: nvvm.barrier
    // CHECK: mbarrier.inval.shared::cta.b64
    %x = tile.tensor_load %from[%i, %i] : !tile.tensor_map<[8, 128], f16, nan> -> tensor<8x128xf16>
    // CHECK: llvm.store
    // CHECK: fence.proxy.async.shared::cta;
    // CHECK: nvvm.barrier
    // CHECK: cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [$1, {c0, c1}], [from];
    // CHECK-SAME: cp.async.bulk.commit_group;
    // CHECK-SAME: cp.async.bulk.wait_group 0;
    tile.tensor_store %to[%i, %i], %x : !tile.tensor_map<[8, 128], f16, zero>, tensor<8x128xf16>
    // CHECK: red.release.gpu.global.and.b32
    return
  }
}
