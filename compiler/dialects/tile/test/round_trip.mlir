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

#rows = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 0>], warps []>
#columns = #tile.layout<2, registers [array<i32: 1, 0>], lanes [array<i32: 2, 0>, array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 0, 0>], warps []>
// CHECK-LABEL: func.func @layouts
func.func @layouts(%v: tensor<4x8xf32, #rows>) {
  // CHECK: tile.convert_layout %{{.*}} : tensor<4x8xf32, #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 0>], warps []>> -> tensor<4x8xf32, #tile.layout<2, registers [array<i32: 1, 0>]
  %w = tile.convert_layout %v : tensor<4x8xf32, #rows> -> tensor<4x8xf32, #columns>
  return
}
