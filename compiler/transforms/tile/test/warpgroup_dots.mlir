// Dots of groups of warps: operands in shared memory, begun early and waited for late.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -cse -tile-pipeline-loads -tile-warpgroup-dots | FileCheck %s

// A sum over a loop stays in flight: the next iteration begins before the last one's dot is done.
module attributes {tile.num_warps = 4 : i32, tile.num_stages = 3 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @in_flight
  func.func @in_flight(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %c64 = arith.constant dense<64> : tensor<64x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<64xi32> -> tensor<64x1xi32>
    %row = tile.expand_dims %r, 0 : tensor<64xi32> -> tensor<1x64xi32>
    %starts = arith.muli %column, %c64 : tensor<64x1xi32>
    %x = tile.broadcast %starts : tensor<64x1xi32> -> tensor<64x64xi32>
    %y = tile.broadcast %row : tensor<1x64xi32> -> tensor<64x64xi32>
    %offsets = arith.addi %x, %y : tensor<64x64xi32>
    %base = tile.splat %p : !tile.ptr<f16> -> tensor<64x64x!tile.ptr<f16>>
    %ps = tile.addptr %base, %offsets : tensor<64x64x!tile.ptr<f16>>, tensor<64x64xi32>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<64x64x!tile.ptr<f32>>
    // Three stages and the slot that a dot reads.
    // CHECK: %[[RING:.*]] = tile.alloc_shared : !tile.shared<4, [64, 64], f16, 1>
    // CHECK: tile.async_wait 2
    // CHECK: %[[RUNS:.*]] = arith.cmpi slt
    // CHECK-NEXT: %[[GUARD:.*]]:3 = scf.if %[[RUNS]]
    // CHECK-NEXT: %[[LOOP:.*]]:{{[0-9]+}} = scf.for {{.*}} iter_args(%[[ACC:[a-z0-9_]*]] = %{{[^,]*}}, %[[READ:[a-z0-9_]*]] =
    // CHECK-NEXT: %[[D:.*]] = tile.warpgroup_dot %[[RING]][%[[READ]]], %[[RING]][%[[READ]]] transposed, %[[ACC]]
    // CHECK-NEXT: tile.warpgroup_wait 1
    // CHECK-NEXT: tile.async_wait 1
    // CHECK: tile.async_copy
    // CHECK-NOT: tile.shared_load
    // CHECK: scf.yield %[[D]]
    // CHECK: %[[DONE:.*]] = tile.warpgroup_wait 0 %[[LOOP]]#0
    // CHECK: scf.yield %[[DONE]]
    // CHECK: } else {
    // CHECK: tile.free_shared %[[RING]]
    %d = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
      %a = tile.load %ps : tensor<64x64x!tile.ptr<f16>> -> tensor<64x64xf16>
      %t = tile.trans %a, [1, 0] : tensor<64x64xf16> -> tensor<64x64xf16>
      %e = tile.dot %a, %t, %acc : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
      scf.yield %e : tensor<64x64xf32>
    }
    tile.store %os, %d : tensor<64x64x!tile.ptr<f32>>, tensor<64x64xf32>
    return
  }
}

// -----

// A chain: what is loaded once is stored once, before the loop; the second dot's left operand stays in registers; its result is
// waited for in the next iteration, with the first dot's.
module attributes {tile.num_warps = 4 : i32, tile.num_stages = 3 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @chain
  func.func @chain(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %half = arith.constant dense<0.5> : tensor<64x64xf32>
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %c64 = arith.constant dense<64> : tensor<64x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<64xi32> -> tensor<64x1xi32>
    %row = tile.expand_dims %r, 0 : tensor<64xi32> -> tensor<1x64xi32>
    %starts = arith.muli %column, %c64 : tensor<64x1xi32>
    %x = tile.broadcast %starts : tensor<64x1xi32> -> tensor<64x64xi32>
    %y = tile.broadcast %row : tensor<1x64xi32> -> tensor<64x64xi32>
    %offsets = arith.addi %x, %y : tensor<64x64xi32>
    %base = tile.splat %p : !tile.ptr<f16> -> tensor<64x64x!tile.ptr<f16>>
    %ps = tile.addptr %base, %offsets : tensor<64x64x!tile.ptr<f16>>, tensor<64x64xi32>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<64x64x!tile.ptr<f32>>
    // CHECK: %[[Q:.*]] = tile.load
    // CHECK-NEXT: %[[BUFFER:.*]] = tile.alloc_shared : !tile.shared<1, [64, 64], f16, 1>
    // CHECK: tile.shared_store %[[Q]] into %[[BUFFER]]
    // CHECK: tile.async_wait 2
    // CHECK: %[[LOOP:.*]]:{{[0-9]+}} = scf.for {{.*}} iter_args(%[[ACC:[a-z0-9_]*]] =
    // CHECK-NEXT: %[[S:.*]] = tile.warpgroup_dot %[[BUFFER]][%{{.*}}], %[[RING:.*]][%{{.*}}] transposed
    // CHECK: %[[THERE:.*]]:2 = tile.warpgroup_wait 0 %[[S]], %[[ACC]]
    // CHECK: arith.truncf %[[THERE]]#0
    // CHECK-NOT: tile.convert_layout
    // CHECK: %[[SHRUNK:.*]] = arith.mulf %[[THERE]]#1
    // CHECK: %[[E:.*]] = tile.warpgroup_dot %{{[^\[]*}}, %[[RING]][%{{.*}}], %[[SHRUNK]] : tensor<
    // CHECK-NEXT: tile.async_wait 1
    // CHECK: tile.async_copy
    // CHECK: scf.yield %[[E]]
    // CHECK: tile.warpgroup_wait 0 %[[LOOP]]#0
    // CHECK: tile.free_shared %[[BUFFER]]
    %q = tile.load %ps : tensor<64x64x!tile.ptr<f16>> -> tensor<64x64xf16>
    %d = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
      %a = tile.load %ps : tensor<64x64x!tile.ptr<f16>> -> tensor<64x64xf16>
      %t = tile.trans %a, [1, 0] : tensor<64x64xf16> -> tensor<64x64xf16>
      %s = tile.dot %q, %t, %zero : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
      %w = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
      %shrunk = arith.mulf %acc, %half : tensor<64x64xf32>
      %e = tile.dot %w, %a, %shrunk : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
      scf.yield %e : tensor<64x64xf32>
    }
    tile.store %os, %d : tensor<64x64x!tile.ptr<f32>>, tensor<64x64xf32>
    return
  }
}

// -----

// With two slots the next one is filled only behind a barrier.
module attributes {tile.num_warps = 4 : i32, tile.num_stages = 2 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @two_slots
  func.func @two_slots(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %o: !tile.ptr<f32>, %n: i32) attributes {tile.kernel} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %w = tile.arange 0 to 256 : tensor<256xi32>
    %pitch = arith.constant dense<256> : tensor<64x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<64xi32> -> tensor<64x1xi32>
    %row = tile.expand_dims %w, 0 : tensor<256xi32> -> tensor<1x256xi32>
    %starts = arith.muli %column, %pitch : tensor<64x1xi32>
    %x = tile.broadcast %starts : tensor<64x1xi32> -> tensor<64x256xi32>
    %y = tile.broadcast %row : tensor<1x256xi32> -> tensor<64x256xi32>
    %offsets = arith.addi %x, %y : tensor<64x256xi32>
    %base = tile.splat %p : !tile.ptr<f16> -> tensor<64x256x!tile.ptr<f16>>
    %ps = tile.addptr %base, %offsets : tensor<64x256x!tile.ptr<f16>>, tensor<64x256xi32>
    %os = tile.splat %o : !tile.ptr<f32> -> tensor<64x64x!tile.ptr<f32>>
    // CHECK: tile.alloc_shared : !tile.shared<2, [64, 256], f16, 1>
    // CHECK: scf.for {{.*}} iter_args(%[[ACC:[a-z0-9_]*]] =
    // CHECK-NEXT: tile.async_wait 0
    // CHECK-NEXT: tile.warpgroup_dot {{.*}}, %[[ACC]] :
    // CHECK-NEXT: tile.warpgroup_wait 1
    // CHECK-NEXT: tile.barrier
    // CHECK: tile.async_copy
    %d = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
      %a = tile.load %ps : tensor<64x256x!tile.ptr<f16>> -> tensor<64x256xf16>
      %t = tile.trans %a, [1, 0] : tensor<64x256xf16> -> tensor<256x64xf16>
      %e = tile.dot %a, %t, %acc : tensor<64x256xf16>, tensor<256x64xf16> -> tensor<64x64xf32>
      scf.yield %e : tensor<64x64xf32>
    }
    tile.store %os, %d : tensor<64x64x!tile.ptr<f32>>, tensor<64x64xf32>
    return
  }
}

// -----

// Bytes are multiplied from memory only where neighbours are along K.
module attributes {tile.num_warps = 4 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @bytes
  // CHECK: tile.dot
  // CHECK-NOT: tile.warpgroup_dot
  func.func @bytes(%p: !tile.ptr<i8> {tile.divisibility = 16 : i64}, %o: !tile.ptr<i32>) attributes {tile.kernel} {
    %zero = arith.constant dense<0> : tensor<64x64xi32>
    %r = tile.arange 0 to 64 : tensor<64xi32>
    %c64 = arith.constant dense<64> : tensor<64x1xi32>
    %column = tile.expand_dims %r, 1 : tensor<64xi32> -> tensor<64x1xi32>
    %row = tile.expand_dims %r, 0 : tensor<64xi32> -> tensor<1x64xi32>
    %starts = arith.muli %column, %c64 : tensor<64x1xi32>
    %x = tile.broadcast %starts : tensor<64x1xi32> -> tensor<64x64xi32>
    %y = tile.broadcast %row : tensor<1x64xi32> -> tensor<64x64xi32>
    %offsets = arith.addi %x, %y : tensor<64x64xi32>
    %base = tile.splat %p : !tile.ptr<i8> -> tensor<64x64x!tile.ptr<i8>>
    %ps = tile.addptr %base, %offsets : tensor<64x64x!tile.ptr<i8>>, tensor<64x64xi32>
    %os = tile.splat %o : !tile.ptr<i32> -> tensor<64x64x!tile.ptr<i32>>
    %a = tile.load %ps : tensor<64x64x!tile.ptr<i8>> -> tensor<64x64xi8>
    %d = tile.dot %a, %a, %zero : tensor<64x64xi8>, tensor<64x64xi8> -> tensor<64x64xi32>
    tile.store %os, %d : tensor<64x64x!tile.ptr<i32>>, tensor<64x64xi32>
    return
  }
}
