// Loads that feed a dot are copied into a ring ahead of their iteration.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -cse -tile-pipeline-loads | FileCheck %s

// Three stages: two copies before the loop, one each iteration, three slots.
// CHECK-LABEL: func.func @carried_pointers
// CHECK-SAME: %[[N:[a-z0-9]*]]: i32
module attributes {tile.num_warps = 1 : i32, tile.num_stages = 3 : i32, tile.target = "sm_90a"} {
  func.func @carried_pointers(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    %by = arith.constant dense<256> : tensor<16x16xi32>
    %r = tile.arange 0 to 16 : tensor<16xi32>
    %c16 = arith.constant dense<16> : tensor<16x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<16xi32> -> tensor<16x1xi32>
    %row = tile.expand_dims %r, 0 : tensor<16xi32> -> tensor<1x16xi32>
    %starts = arith.muli %column, %c16 : tensor<16x1xi32>
    %x = tile.broadcast %starts : tensor<16x1xi32> -> tensor<16x16xi32>
    %y = tile.broadcast %row : tensor<1x16xi32> -> tensor<16x16xi32>
    %offsets = arith.addi %x, %y : tensor<16x16xi32>
    %base = tile.splat %p : !tile.ptr<f16> -> tensor<16x16x!tile.ptr<f16>>
    %ps = tile.addptr %base, %offsets : tensor<16x16x!tile.ptr<f16>>, tensor<16x16xi32>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    // CHECK: %[[START:.*]] = tile.addptr
    // CHECK: %[[RING:.*]] = tile.alloc_shared : !tile.shared<3, [16, 16], f16, 1>
    // CHECK: %[[LEFT:.*]] = arith.subi %[[N]], %{{.*}}
    // CHECK: %[[THERE:.*]] = arith.cmpi sgt, %[[LEFT]], %{{.*}}
    // CHECK: %[[MASK:.*]] = tile.splat %[[THERE]]
    // CHECK: tile.async_copy %[[START]] mask %[[MASK]] into %[[RING]][%c0{{.*}}] width 8
    // CHECK: tile.async_commit
    // CHECK: tile.async_copy %{{.*}} into %[[RING]][%c1{{.*}}] width 8
    // CHECK: tile.async_commit
    // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[AHEAD:.*]] = %{{.*}}, %[[READ:.*]] = %c0{{.*}}, %[[WRITE:.*]] = %c2{{.*}})
    %result:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %q = %ps) -> (tensor<16x16xf32>, tensor<16x16x!tile.ptr<f16>>) : i32 {
      // CHECK-NEXT: tile.async_wait 1
      // CHECK: %[[NEXT:.*]] = tile.addptr %[[AHEAD]]
      // CHECK: tile.async_copy %[[AHEAD]] mask %{{.*}} into %[[RING]][%[[WRITE]]] width 8
      // CHECK: tile.async_commit
      %a = tile.load %q : tensor<16x16x!tile.ptr<f16>> -> tensor<16x16xf16>
      // CHECK-NOT: tile.load
      // CHECK: %[[A:.*]] = tile.shared_load %[[RING]][%[[READ]]]
      // CHECK-NOT: tile.convert_layout
      // CHECK: tile.dot %{{.*}}
      %d = tile.dot %a, %a, %acc : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
      %next = tile.addptr %q, %by : tensor<16x16x!tile.ptr<f16>>, tensor<16x16xi32>
      scf.yield %d, %next : tensor<16x16xf32>, tensor<16x16x!tile.ptr<f16>>
    }
    // CHECK: tile.async_wait 0
    // CHECK: tile.free_shared %[[RING]]
    tile.store %os, %result#0 : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    return
  }
}

// -----

// Without a dot only the loop's own attribute asks for copies; single 2-byte elements are too small for them.
module attributes {tile.num_warps = 1 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @sums
  func.func @sums(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %h: !tile.ptr<f16>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c256 = arith.constant 256 : i32
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    %r = tile.arange 0 to 16 : tensor<16xi32>
    %c16 = arith.constant dense<16> : tensor<16x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<16xi32> -> tensor<16x1xi32>
    %row = tile.expand_dims %r, 0 : tensor<16xi32> -> tensor<1x16xi32>
    %starts = arith.muli %column, %c16 : tensor<16x1xi32>
    %x = tile.broadcast %starts : tensor<16x1xi32> -> tensor<16x16xi32>
    %y = tile.broadcast %row : tensor<1x16xi32> -> tensor<16x16xi32>
    %offsets = arith.addi %x, %y : tensor<16x16xi32>
    %base = tile.splat %p : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    %ps = tile.addptr %base, %offsets : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xi32>
    %halves = tile.splat %h : !tile.ptr<f16> -> tensor<16x16x!tile.ptr<f16>>
    // CHECK-NOT: tile.async_copy
    // CHECK: tile.load
    // CHECK: tile.async_copy
    // CHECK-NOT: tile.async_copy %{{.*}}f16
    // CHECK: scf.for
    // CHECK: tile.async_wait 0
    // CHECK: tile.async_copy
    // CHECK: tile.load {{.*}}f16
    // CHECK: tile.shared_load
    %first = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<16x16xf32>) : i32 {
      %v = tile.load %ps : tensor<16x16x!tile.ptr<f32>> -> tensor<16x16xf32>
      %s = arith.addf %acc, %v : tensor<16x16xf32>
      scf.yield %s : tensor<16x16xf32>
    }
    %t = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %first) -> (tensor<16x16xf32>) : i32 {
      %k = arith.muli %i, %c256 : i32
      %ks = tile.splat %k : i32 -> tensor<16x16xi32>
      %q = tile.addptr %ps, %ks : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xi32>
      %u = tile.load %halves : tensor<16x16x!tile.ptr<f16>> -> tensor<16x16xf16>
      %v = tile.load %q : tensor<16x16x!tile.ptr<f32>> -> tensor<16x16xf32>
      %w = arith.extf %u : tensor<16x16xf16> to tensor<16x16xf32>
      %z = arith.addf %w, %v : tensor<16x16xf32>
      %s = arith.addf %acc, %z : tensor<16x16xf32>
      scf.yield %s : tensor<16x16xf32>
    } {tile.num_stages = 2 : i64}
    tile.store %ps, %t : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    return
  }
}

// -----

// What the loop itself writes is not loaded ahead, and nothing passes a barrier.
module attributes {tile.num_warps = 1 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @in_place
  // CHECK-NOT: tile.async_copy
  // CHECK: return
  func.func @in_place(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %r = tile.arange 0 to 16 : tensor<16xi32>
    %row = tile.expand_dims %r, 0 : tensor<16xi32> -> tensor<1x16xi32>
    %offsets = tile.broadcast %row : tensor<1x16xi32> -> tensor<16x16xi32>
    %base = tile.splat %p : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    %ps = tile.addptr %base, %offsets : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xi32>
    %other = tile.splat %q : !tile.ptr<f32> -> tensor<16x16x!tile.ptr<f32>>
    %qs = tile.addptr %other, %offsets : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xi32>
    scf.for %i = %c0 to %n step %c1 : i32 {
      %v = tile.load %ps : tensor<16x16x!tile.ptr<f32>> -> tensor<16x16xf32>
      tile.store %ps, %v : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    } {tile.num_stages = 2 : i64}
    scf.for %i = %c0 to %n step %c1 : i32 {
      tile.barrier
      %v = tile.load %qs : tensor<16x16x!tile.ptr<f32>> -> tensor<16x16xf32>
      tile.store %ps, %v : tensor<16x16x!tile.ptr<f32>>, tensor<16x16xf32>
    } {tile.num_stages = 2 : i64}
    return
  }
}
