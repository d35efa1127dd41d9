// Accesses through descriptors become those of the copy engine where it can make them.
// RUN: inlay-opt %s --split-input-file --tile-make-tensor-maps --canonicalize --cse --verify-diagnostics | FileCheck %s --enable-var-scope

module attributes {tile.target = "sm_90a"} {
  // The map stands at the kernel's beginning, though the descriptor is used in a loop; one serves both.
  // CHECK-LABEL: func @matrix
  // CHECK-SAME: (%[[P:.*]]: !tile.ptr<f16> {{.*}}, %[[M:.*]]: i64, %[[N:.*]]: i64 {{.*}}, %[[C:.*]]: i32)
  func.func @matrix(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %m: i64, %n: i64 {tile.divisibility = 16 : i64}, %count: i32) attributes {tile.kernel} {
    // CHECK: %[[MAP:.*]] = tile.tensor_map %[[P]] sizes %[[M]], %[[N]] strides %[[N]], %{{.*}} : !tile.ptr<f16> -> !tile.tensor_map<[4, 8], f16, zero>
    // CHECK-NOT: tile.tensor_map
    // CHECK: scf.for
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c8 = arith.constant 8 : i32
    scf.for %i = %c0 to %count step %c1 : i32 {
      %one = arith.constant 1 : i64
      // CHECK: %[[X:.*]] = tile.tensor_load %[[MAP]][%{{.*}}, %{{.*}}] : {{.*}} -> tensor<4x8xf16>
      %x = tile.descriptor_load %p sizes %m, %n strides %n, %one offsets %i, %c0 : !tile.ptr<f16> -> tensor<4x8xf16>
      // CHECK: tile.tensor_store %[[MAP]][%{{.*}}, %{{.*}}], %[[X]] :
      tile.descriptor_store %p, %x sizes %m, %n strides %n, %one offsets %i, %c8 : !tile.ptr<f16>, tensor<4x8xf16>
    }
    return
  }
}

// -----

module attributes {tile.target = "sm_100a"} {
  // Blocks of other ranks are tiles of rank 2 in shared memory.
  // CHECK-LABEL: func @ranks
  func.func @ranks(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i64 {tile.divisibility = 4 : i64}, %i: i32, %j: i32 {tile.divisibility = 4 : i64}) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    // CHECK: tile.tensor_load {{.*}} : !tile.tensor_map<[2, 4, 8], f32, nan> -> tensor<8x8xf32>
    // CHECK: tile.reshape {{.*}} : tensor<8x8xf32> -> tensor<2x4x8xf32>
    %x = tile.descriptor_load %p sizes %n, %n, %n strides %n, %n, %one offsets %i, %i, %j padding nan : !tile.ptr<f32> -> tensor<2x4x8xf32>
    %y = arith.addf %x, %x : tensor<2x4x8xf32>
    // CHECK: tile.reshape {{.*}} : tensor<2x4x8xf32> -> tensor<8x8xf32>
    // CHECK: tile.tensor_store
    tile.descriptor_store %q, %y sizes %n, %n, %n strides %n, %n, %one offsets %i, %i, %j : !tile.ptr<f32>, tensor<2x4x8xf32>
    return
  }
}

// -----

module attributes {tile.target = "sm_90a"} {
  // CHECK-LABEL: func @pointers
  func.func @pointers(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f16>, %table: !tile.ptr<i64>, %n: i64, %a: i64 {tile.divisibility = 16 : i64}, %i: i32, %f: !tile.ptr<f8E5M2> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    // CHECK-NOT: tile.tensor
    // expected-remark @below {{accessed through pointers: its strides are not proved to be multiples of 16 bytes}}
    %x = tile.descriptor_load %p sizes %n, %n strides %n, %one offsets %i, %i : !tile.ptr<f16> -> tensor<4x8xf16>
    // expected-remark @below {{accessed through pointers: its base is not proved to be a multiple of 16 bytes}}
    tile.descriptor_store %q, %x sizes %n, %n strides %a, %one offsets %i, %i : !tile.ptr<f16>, tensor<4x8xf16>
    // expected-remark @below {{accessed through pointers: the copy engine pads no such elements with NaN}}
    %y = tile.descriptor_load %f sizes %n strides %one offsets %i padding nan : !tile.ptr<f8E5M2> -> tensor<16xf8E5M2>
    // expected-remark @below {{accessed through pointers: its last offset is not proved to be a multiple of 16 bytes}}
    %w = tile.descriptor_load %p sizes %n strides %one offsets %i : !tile.ptr<f16> -> tensor<8xf16>
    %c0 = arith.constant 0 : i32
    %big = arith.constant dense<0.0> : tensor<256x256xf16>
    // expected-remark @below {{accessed through pointers: the block takes more than a third of the shared memory, or more than 64 boxes}}
    tile.descriptor_store %p, %big sizes %n, %n strides %a, %one offsets %i, %c0 : !tile.ptr<f16>, tensor<256x256xf16>
    %c1 = arith.constant 1 : i32
    scf.for %k = %c0 to %i step %c1 : i32 {
      %rows = tile.load %table : !tile.ptr<i64> -> i64
      // expected-remark @below {{accessed through pointers: it is made from values that exist only inside of a loop or branch}}
      tile.descriptor_store %p, %x sizes %rows, %n strides %a, %one offsets %i, %c0 : !tile.ptr<f16>, tensor<4x8xf16>
    }
    return
  }
}

// -----

module attributes {tile.target = "sm_90a"} {
  // The engine would write beyond a row that ends within a piece of 16 bytes.
  // CHECK-LABEL: func @parts_of_pieces
  // CHECK-SAME: %[[N:[^ ]*]]: i64,
  func.func @parts_of_pieces(%n: i64, %p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %i: i32 {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    // CHECK: tile.tensor_load
    %x = tile.descriptor_load %p sizes %n strides %one offsets %i : !tile.ptr<f16> -> tensor<8xf16>
    // CHECK: %[[REST:.*]] = arith.remsi %[[N]], %c8
    // CHECK: %[[WHOLE:.*]] = arith.cmpi eq, %[[REST]], %c0
    // CHECK: scf.if %[[WHOLE]] {
    // CHECK: tile.tensor_store
    // CHECK: } else {
    // CHECK: tile.descriptor_store
    tile.descriptor_store %q, %x sizes %n strides %one offsets %i : !tile.ptr<f16>, tensor<8xf16>
    return
  }
}

// -----

// Without a target of one architecture there are no maps.
module attributes {tile.target = "sm_90"} {
  // CHECK-LABEL: func @portable
  // CHECK: tile.descriptor_load
  func.func @portable(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %q: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %n: i64, %i: i32) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    %x = tile.descriptor_load %p sizes %n strides %one offsets %i : !tile.ptr<f16> -> tensor<8xf16>
    tile.descriptor_store %q, %x sizes %n strides %one offsets %i : !tile.ptr<f16>, tensor<8xf16>
    return
  }
}
