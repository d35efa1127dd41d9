// Text of the dialect is read back as it was printed.
// RUN: inlay-opt %s | inlay-opt | FileCheck %s

// CHECK: module attributes {tile.num_warps = 4 : i32}
module attributes {tile.num_warps = 4 : i32} {
  // CHECK: func.func @kernel(%[[X:.*]]: !tile.ptr<f32> {tile.divisibility = 16 : i64, tile.name = "x"}, %[[N:.*]]: i32
  func.func @kernel(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64, tile.name = "x"}, %n: i32) attributes {tile.kernel} {
    // CHECK: tile.program_id 0 : i32
    %pid = tile.program_id 0 : i32
    // CHECK: tile.num_programs 2 : i32
    %count = tile.num_programs 2 : i32
    // CHECK: tile.arange 0 to 256 : tensor<256xi32>
    %range = tile.arange 0 to 256 : tensor<256xi32>
    // CHECK: tile.splat %[[N]] {tile.divisibility = array<i64: 16>} : i32 -> tensor<256xi32>
    %ns = tile.splat %n {tile.divisibility = array<i64: 16>} : i32 -> tensor<256xi32>
    %mask = arith.cmpi slt, %range, %ns : tensor<256xi32>
    // CHECK: tile.splat %[[X]] : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
    %xs = tile.splat %x : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
    // CHECK: tile.addptr %{{.*}}, %{{.*}} : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
    %p = tile.addptr %xs, %range : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
    // CHECK: tile.load %{{.*}} mask %{{.*}} : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> -> tensor<256xf32>
    %v = tile.load %p mask %mask : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> -> tensor<256xf32>
    // CHECK: tile.load %{{.*}} mask %{{.*}} other %{{.*}} cache cg evict evict_first volatile : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> other tensor<256xf32> -> tensor<256xf32>
    %w = tile.load %p mask %mask other %v cache cg evict evict_first volatile : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> other tensor<256xf32> -> tensor<256xf32>
    // CHECK: tile.store %{{.*}}, %{{.*}} mask %{{.*}} : tensor<256x!tile.ptr<f32>>, tensor<256xf32> mask tensor<256xi1>
    tile.store %p, %v mask %mask : tensor<256x!tile.ptr<f32>>, tensor<256xf32> mask tensor<256xi1>
    // CHECK: tile.store %{{.*}}, %{{.*}} cache wt evict evict_last : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
    tile.store %p, %w cache wt evict evict_last : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
    // CHECK: tile.barrier
    tile.barrier
    return
  }

  // CHECK-LABEL: func.func @shapes
  func.func @shapes(%p: !tile.ptr<!tile.ptr<i8>, 3>, %v: tensor<4x8xf32>) {
    // CHECK: tile.expand_dims %{{.*}}, 1 : tensor<4x8xf32> -> tensor<4x1x8xf32>
    %a = tile.expand_dims %v, 1 : tensor<4x8xf32> -> tensor<4x1x8xf32>
    // CHECK: tile.broadcast %{{.*}} : tensor<4x1x8xf32> -> tensor<4x2x8xf32>
    %b = tile.broadcast %a : tensor<4x1x8xf32> -> tensor<4x2x8xf32>
    // CHECK: tile.reshape %{{.*}} : tensor<4x2x8xf32> -> tensor<64xf32>
    %c = tile.reshape %b : tensor<4x2x8xf32> -> tensor<64xf32>
    // CHECK: tile.reshape %{{.*}} reorder : tensor<64xf32> -> tensor<2x32xf32>
    %d = tile.reshape %c reorder : tensor<64xf32> -> tensor<2x32xf32>
    // CHECK: tile.trans %{{.*}}, [1, 0] : tensor<2x32xf32> -> tensor<32x2xf32>
    %e = tile.trans %d, [1, 0] : tensor<2x32xf32> -> tensor<32x2xf32>
    // CHECK: tile.ptr_to_int %{{.*}} : !tile.ptr<!tile.ptr<i8>, 3> -> i64
    %f = tile.ptr_to_int %p : !tile.ptr<!tile.ptr<i8>, 3> -> i64
    // CHECK: tile.int_to_ptr %{{.*}} : i64 -> !tile.ptr<f16>
    %g = tile.int_to_ptr %f : i64 -> !tile.ptr<f16>
    // CHECK: tile.ptr_cast %{{.*}} : !tile.ptr<f16> -> !tile.ptr<bf16>
    %h = tile.ptr_cast %g : !tile.ptr<f16> -> !tile.ptr<bf16>
    // CHECK: tile.arange -4 to 4 : tensor<8xi32>
    %i = tile.arange -4 to 4 : tensor<8xi32>
    return
  }
}

// CHECK-LABEL: func.func @combinations
func.func @combinations(%v: tensor<4x8xf32>, %i: tensor<4x8xi32>, %w: tensor<8xi32>, %m: tensor<8xi1>) {
  // CHECK: tile.join %{{.*}}, %{{.*}} : tensor<4x8xf32> -> tensor<4x8x2xf32>
  %j = tile.join %v, %v : tensor<4x8xf32> -> tensor<4x8x2xf32>
  // CHECK: tile.split %{{.*}} : tensor<4x8x2xf32> -> tensor<4x8xf32>
  %a, %b = tile.split %j : tensor<4x8x2xf32> -> tensor<4x8xf32>
  // CHECK: %{{.*}}:2 = tile.reduce %{{.*}}, %{{.*}} axis 1 : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %r:2 = tile.reduce %v, %i axis 1 : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  ^bb0(%x0: f32, %i0: i32, %x1: f32, %i1: i32):
    %greater = arith.cmpf oge, %x0, %x1 : f32
    %x = arith.select %greater, %x0, %x1 : f32
    %k = arith.select %greater, %i0, %i1 : i32
    // CHECK: tile.yield %{{.*}}, %{{.*}} : f32, i32
    tile.yield %x, %k : f32, i32
  }
  // CHECK: tile.reduce %{{.*}} axis 0 : (tensor<8xi32>) -> i32
  %s = tile.reduce %w axis 0 : (tensor<8xi32>) -> i32 {
  ^bb0(%x0: i32, %x1: i32):
    %x = arith.addi %x0, %x1 : i32
    tile.yield %x : i32
  }
  // CHECK: tile.scan %{{.*}} axis 0 reverse : (tensor<8xi32>) -> tensor<8xi32>
  %c = tile.scan %w axis 0 reverse : (tensor<8xi32>) -> tensor<8xi32> {
  ^bb0(%x0: i32, %x1: i32):
    %x = arith.addi %x0, %x1 : i32
    tile.yield %x : i32
  }
  // CHECK: tile.gather %{{.*}}, %{{.*}} axis 1 : tensor<4x8xf32>, tensor<4x8xi32> -> tensor<4x8xf32>
  %g = tile.gather %v, %i axis 1 : tensor<4x8xf32>, tensor<4x8xi32> -> tensor<4x8xf32>
  // CHECK: tile.histogram %{{.*}} mask %{{.*}} : tensor<8xi32> mask tensor<8xi1> -> tensor<16xi32>
  %h = tile.histogram %w mask %m : tensor<8xi32> mask tensor<8xi1> -> tensor<16xi32>
  return
}

// CHECK-LABEL: func.func @dots
func.func @dots(%a: tensor<16x32xf16>, %b: tensor<32x8xf16>, %c: tensor<16x8xf32>, %x: tensor<2x16x16xf32>) {
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<16x32xf16>, tensor<32x8xf16> -> tensor<16x8xf32>
  %d = tile.dot %a, %b, %c : tensor<16x32xf16>, tensor<32x8xf16> -> tensor<16x8xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} precision ieee {maxNumImprecise = 32 : i32} : tensor<2x16x16xf32>, tensor<2x16x16xf32> -> tensor<2x16x16xf32>
  %e = tile.dot %x, %x, %x precision ieee {maxNumImprecise = 32 : i32} : tensor<2x16x16xf32>, tensor<2x16x16xf32> -> tensor<2x16x16xf32>
  return
}

// CHECK-LABEL: func.func @effects
func.func @effects(%p: !tile.ptr<f32>, %ps: tensor<8x!tile.ptr<i32>>, %v: tensor<8xi32>, %m: tensor<8xi1>, %f: f32,
                   %size: i64, %at: i32, %t: tensor<4x8xf32>) {
  // CHECK: tile.atomic_rmw fadd %{{.*}}, %{{.*}} : !tile.ptr<f32>, f32
  %0 = tile.atomic_rmw fadd %p, %f : !tile.ptr<f32>, f32
  // CHECK: tile.atomic_rmw umax %{{.*}}, %{{.*}} mask %{{.*}} order relaxed scope sys : tensor<8x!tile.ptr<i32>>, tensor<8xi32> mask tensor<8xi1>
  %1 = tile.atomic_rmw umax %ps, %v mask %m order relaxed scope sys : tensor<8x!tile.ptr<i32>>, tensor<8xi32> mask tensor<8xi1>
  // CHECK: tile.atomic_cas %{{.*}}, %{{.*}}, %{{.*}} order acquire : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  %2 = tile.atomic_cas %ps, %v, %v order acquire : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  // CHECK: tile.descriptor_load %{{.*}} sizes %{{.*}}, %{{.*}} strides %{{.*}}, %{{.*}} offsets %{{.*}}, %{{.*}} padding nan : !tile.ptr<f32> -> tensor<4x8xf32>
  %3 = tile.descriptor_load %p sizes %size, %size strides %size, %size offsets %at, %at padding nan : !tile.ptr<f32> -> tensor<4x8xf32>
  // CHECK: tile.descriptor_store %{{.*}}, %{{.*}} sizes %{{.*}}, %{{.*}} strides %{{.*}}, %{{.*}} offsets %{{.*}}, %{{.*}} : !tile.ptr<f32>, tensor<4x8xf32>
  tile.descriptor_store %p, %t sizes %size, %size strides %size, %size offsets %at, %at : !tile.ptr<f32>, tensor<4x8xf32>
  // CHECK: tile.inline_asm "prmt.b32 $0, $1, $1, 0x0123;", "=r,r" pack 1 pure(%{{.*}}) : (tensor<8xi32>) -> tensor<8xi32>
  %4 = tile.inline_asm "prmt.b32 $0, $1, $1, 0x0123;", "=r,r" pack 1 pure (%v) : (tensor<8xi32>) -> tensor<8xi32>
  // CHECK: tile.print "x" hex(%{{.*}}, %{{.*}}) signed [1, 0] : tensor<8xi32>, f32
  tile.print "x" hex (%v, %f) signed [1, 0] : tensor<8xi32>, f32
  // CHECK: tile.assert %{{.*}}, "positive" : tensor<8xi1>
  tile.assert %m, "positive" : tensor<8xi1>
  return
}

#rows = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 0>], warps []>
#columns = #tile.layout<2, registers [array<i32: 1, 0>], lanes [array<i32: 2, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 0, 0>], warps []>
// CHECK-LABEL: func.func @layouts
func.func @layouts(%v: tensor<4x8xf32, #rows>) {
  // CHECK: tile.convert_layout %{{.*}} : tensor<4x8xf32, #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 0>], warps []>> -> tensor<4x8xf32, #tile.layout<2, registers [array<i32: 1, 0>]
  %w = tile.convert_layout %v : tensor<4x8xf32, #rows> -> tensor<4x8xf32, #columns>
  return
}

// CHECK-LABEL: func.func @shared
func.func @shared(%p: tensor<4x8x!tile.ptr<f32>, #rows>, %m: tensor<4x8xi1, #rows>, %slot: i32) {
  // CHECK: %[[RING:.*]] = tile.alloc_shared : !tile.shared<2, [4, 8], f32, 1>
  %ring = tile.alloc_shared : !tile.shared<2, [4, 8], f32, 1>
  // CHECK: tile.async_copy %{{.*}} mask %{{.*}} into %[[RING]][%{{.*}}] width 2 : tensor<4x8x!tile.ptr<f32>, #{{.*}}> mask tensor<4x8xi1, #{{.*}}>, !tile.shared<2, [4, 8], f32, 1>
  tile.async_copy %p mask %m into %ring[%slot] width 2 : tensor<4x8x!tile.ptr<f32>, #rows> mask tensor<4x8xi1, #rows>, !tile.shared<2, [4, 8], f32, 1>
  // CHECK: tile.async_copy %{{.*}} into %[[RING]][%{{.*}}] width 1 : tensor<4x8x!tile.ptr<f32>, #{{.*}}>, !tile.shared<2, [4, 8], f32, 1>
  tile.async_copy %p into %ring[%slot] width 1 : tensor<4x8x!tile.ptr<f32>, #rows>, !tile.shared<2, [4, 8], f32, 1>
  // CHECK: tile.async_commit
  tile.async_commit
  // CHECK: tile.async_wait 0
  tile.async_wait 0
  // CHECK: tile.shared_load %[[RING]][%{{.*}}] : !tile.shared<2, [4, 8], f32, 1> -> tensor<4x8xf32, #{{.*}}>
  %v = tile.shared_load %ring[%slot] : !tile.shared<2, [4, 8], f32, 1> -> tensor<4x8xf32, #rows>
  // CHECK: tile.free_shared %[[RING]]
  tile.free_shared %ring : !tile.shared<2, [4, 8], f32, 1>
  return
}
