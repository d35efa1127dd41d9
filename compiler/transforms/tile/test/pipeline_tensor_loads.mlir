// Loads by maps of tensors are made ahead into rings with barriers, which groups of warps multiply from.
// RUN: inlay-opt %s --split-input-file --tile-assign-layouts --tile-pipeline-loads --canonicalize --cse | FileCheck %s --enable-var-scope
// RUN: inlay-opt %s --split-input-file --tile-assign-layouts --tile-pipeline-loads --tile-copy-tensor-loads --tile-warpgroup-dots --canonicalize --cse | FileCheck %s --check-prefix=GROUPS --enable-var-scope

module attributes {tile.num_warps = 4 : i32, tile.num_stages = 4 : i32, tile.target = "sm_90a"} {
  // CHECK-LABEL: func.func @product
  // GROUPS-LABEL: func.func @product
  func.func @product(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %m: i64, %s: i64 {tile.divisibility = 16 : i64}, %n: i32, %q: !tile.ptr<f16> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %map = tile.tensor_map %p sizes %m, %m strides %s, %one : !tile.ptr<f16> -> !tile.tensor_map<[64, 64], f16, zero>
    %out = tile.tensor_map %q sizes %m, %m strides %s, %one : !tile.ptr<f16> -> !tile.tensor_map<[64, 64], f16, zero>
    // One ring, one barrier a slot, as many copies ahead as slots less one.
    // CHECK: %[[RING:.*]] = tile.alloc_shared : !tile.shared<5, [64, 64], f16, 1>
    // CHECK: %[[BARS:.*]] = tile.alloc_barriers : !tile.barriers<5, 1>
    // CHECK-COUNT-4: tile.tensor_copy %{{.*}}[%{{.*}}, %{{.*}}] if %{{.*}} into %[[RING]], %[[BARS]][%{{.*}}]
    // CHECK-NOT: tile.async_commit
    // CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}, %[[READ:.*]] = %c0{{.*}}, %[[WRITE:.*]] = %c4{{.*}}, %[[PARITY:.*]] = %c0{{.*}})
    // CHECK-NEXT: tile.async_wait 3 for %[[BARS]][%[[READ]]] parity %[[PARITY]]
    // CHECK: tile.tensor_copy %{{.*}} if %{{.*}} into %[[RING]], %[[BARS]][%[[WRITE]]]
    // The parity changes where the slots begin anew.
    // CHECK: %[[LAST:.*]] = arith.cmpi eq, %{{.*}}, %c5
    // CHECK: %[[TURN:.*]] = arith.extui %[[LAST]]
    // CHECK: arith.xori %[[PARITY]], %[[TURN]]
    // CHECK: tile.shared_load %[[RING]][%[[READ]]]
    // CHECK: tile.async_wait 0{{$}}
    // CHECK-NEXT: tile.free_barriers %[[BARS]]
    // CHECK-NEXT: tile.free_shared %[[RING]]
    // CHECK: tile.tensor_store

    // The first slot is waited for before the loop; in it, behind the dot, the one that the next iteration reads.
    // GROUPS: tile.async_wait 3 for %[[BARS:.*]][%c0{{.*}}] parity %c0
    // GROUPS: scf.for
    // GROUPS: tile.warpgroup_dot
    // GROUPS: tile.async_wait 2 for %[[BARS]][%[[NEXT:.*]]] parity %[[PARITY:.*]] :
    // GROUPS-NEXT: tile.tensor_copy
    // GROUPS: scf.yield %{{.*}}, %[[NEXT]], %{{.*}}, %[[PARITY]] :
    %sum = scf.for %k = %c0 to %n step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
      %a = tile.tensor_load %map[%c0, %k] : !tile.tensor_map<[64, 64], f16, zero> -> tensor<64x64xf16>
      %d = tile.dot %a, %a, %acc : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
      scf.yield %d : tensor<64x64xf32>
    }
    %h = arith.truncf %sum : tensor<64x64xf32> to tensor<64x64xf16>
    tile.tensor_store %out[%c0, %c0], %h : !tile.tensor_map<[64, 64], f16, zero>, tensor<64x64xf16>
    return
  }
}

// -----

module attributes {tile.num_warps = 4 : i32, tile.target = "sm_90a"} {
  // A tile that is copied for one dot stays until the dot has read it.
  // GROUPS-LABEL: func.func @single
  func.func @single(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %m: i64, %s: i64 {tile.divisibility = 16 : i64}, %q: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
    %one = arith.constant 1 : i64
    %c0 = arith.constant 0 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %map = tile.tensor_map %p sizes %m, %m strides %s, %one : !tile.ptr<f16> -> !tile.tensor_map<[64, 64], f16, zero>
    %out = tile.tensor_map %q sizes %m, %m strides %s, %one : !tile.ptr<f32> -> !tile.tensor_map<[64, 64], f32, zero>
    // GROUPS: %[[TILE:.*]] = tile.alloc_shared : !tile.shared<1, [64, 64], f16, 1>
    // GROUPS: %[[BAR:.*]] = tile.alloc_barriers : !tile.barriers<1, 1>
    // GROUPS-NEXT: tile.tensor_copy %{{.*}} if %true into %[[TILE]], %[[BAR]][%c0
    // GROUPS-NEXT: tile.async_wait 0 for %[[BAR]][%c0{{.*}}] parity %c0
    // GROUPS-NEXT: tile.free_barriers %[[BAR]]
    // GROUPS-NEXT: tile.warpgroup_dot %[[TILE]]
    // GROUPS-NEXT: tile.warpgroup_wait
    // GROUPS-NEXT: tile.free_shared %[[TILE]]
    %a = tile.tensor_load %map[%c0, %c0] : !tile.tensor_map<[64, 64], f16, zero> -> tensor<64x64xf16>
    %d = tile.dot %a, %a, %zero : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    tile.tensor_store %out[%c0, %c0], %d : !tile.tensor_map<[64, 64], f32, zero>, tensor<64x64xf32>
    return
  }
}
