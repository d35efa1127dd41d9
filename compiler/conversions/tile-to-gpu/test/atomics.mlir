// Atomics: predicated instructions, once for each element; a scalar's old value goes to all threads.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -inlay-tile-to-gpu -cse | FileCheck %s

// CHECK-LABEL: func.func @tiles
func.func @tiles(%p: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
  %r = tile.arange 0 to 128 : tensor<128xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<128x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<128x!tile.ptr<f32>>, tensor<128xi32>
  %ns = tile.splat %n : i32 -> tensor<128xi32>
  %m = arith.cmpi slt, %r, %ns : tensor<128xi32>
  %one = arith.constant dense<1.0> : tensor<128xf32>
  // CHECK-NOT: nvvm.barrier0
  // CHECK: llvm.inline_asm has_side_effects "@$3 atom.global.relaxed.gpu.add.f32 $0, [$1], $2;", "=r,l,r,b,0,~{memory}"
  %o = tile.atomic_rmw fadd %a, %one mask %m order relaxed : tensor<128x!tile.ptr<f32>>, tensor<128xf32> mask tensor<128xi1>
  return
}

// -----

// 16 elements on 128 threads: who owns one does it, the others read what it found.
// CHECK-LABEL: func.func @copies
func.func @copies(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 16 : tensor<16xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<16x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
  // CHECK: %[[FREE:.*]] = arith.andi %{{.*}}, %c112_i32
  // CHECK: %[[OWNS:.*]] = arith.cmpi eq, %[[FREE]], %c0_i32
  // CHECK: llvm.inline_asm has_side_effects "@$3 atom.global.acq_rel.cta.max.s32 $0, [$1], $2;"
  // CHECK: scf.if %[[OWNS]]
  // CHECK: llvm.store {{.*}} !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK: llvm.load {{.*}} !llvm.ptr<3>
  %o = tile.atomic_rmw max %a, %r scope cta : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
  tile.store %a, %o : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
  return
}

// -----

// A lock: the winner's value reaches all threads; the release waits for all of them.
// CHECK-LABEL: func.func @lock
func.func @lock(%lock: !tile.ptr<i32>, %p: !tile.ptr<f32>) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // CHECK: scf.while
  // CHECK: "@$4 atom.global.acquire.gpu.cas.b32 $0, [$1], $2, $3;"
  // CHECK: nvvm.barrier0
  // CHECK: llvm.load {{.*}} !llvm.ptr<3>
  scf.while : () -> () {
    %old = tile.atomic_cas %lock, %c0, %c1 order acquire : !tile.ptr<i32>, i32
    %taken = arith.cmpi eq, %old, %c1 : i32
    scf.condition(%taken)
  } do {
    scf.yield
  }
  %v = tile.load %p : !tile.ptr<f32> -> f32
  tile.store %p, %v : !tile.ptr<f32>, f32
  // CHECK: st.global
  // CHECK: nvvm.barrier0
  // CHECK: "@$3 atom.global.release.gpu.exch.b32 $0, [$1], $2;"
  // CHECK-NOT: nvvm.barrier0
  %u = tile.atomic_rmw xchg %lock, %c0 order release : !tile.ptr<i32>, i32
  return
}

// -----

// bf16 is added by LLVM's loop where there is no instruction.
// CHECK-LABEL: func.func @brain_float
func.func @brain_float(%p: !tile.ptr<bf16>, %v: bf16) attributes {tile.kernel} {
  // CHECK: scf.if
  // CHECK: llvm.inline_asm has_side_effects "fence.acq_rel.gpu;"
  // CHECK: llvm.atomicrmw fadd {{.*}} monotonic
  %u = tile.atomic_rmw fadd %p, %v : !tile.ptr<bf16>, bf16
  return
}
