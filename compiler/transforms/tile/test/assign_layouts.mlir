// Layouts of memory accesses and of what is computed from them. Modules without tile.num_warps have 4 warps.
// RUN: inlay-opt %s -tile-assign-layouts | FileCheck %s

// Four consecutive f32 in a thread: 128 bits. What is left over is further registers.
// CHECK-LABEL: func.func @vectors_of_f32
func.func @vectors_of_f32(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<1024x!tile.ptr<f32>>, tensor<1024xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 512>], lanes [array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>, array<i32: 64>], warps [array<i32: 128>, array<i32: 256>]>>
  %v = tile.load %a : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  tile.store %a, %v : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32>
  return
}

// Eight f16 are 128 bits.
// CHECK-LABEL: func.func @vectors_of_f16
func.func @vectors_of_f16(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %ps = tile.splat %p : !tile.ptr<f16> -> tensor<1024x!tile.ptr<f16>>
  %a = tile.addptr %ps, %r : tensor<1024x!tile.ptr<f16>>, tensor<1024xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 4>], lanes [array<i32: 8>, array<i32: 16>, array<i32: 32>, array<i32: 64>, array<i32: 128>], warps [array<i32: 256>, array<i32: 512>]>>
  %v = tile.load %a : tensor<1024x!tile.ptr<f16>> -> tensor<1024xf16>
  tile.store %a, %v : tensor<1024x!tile.ptr<f16>>, tensor<1024xf16>
  return
}

// Sixteen i8.
// CHECK-LABEL: func.func @vectors_of_i8
func.func @vectors_of_i8(%p: !tile.ptr<i8> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 2048 : tensor<2048xi32>
  %ps = tile.splat %p : !tile.ptr<i8> -> tensor<2048x!tile.ptr<i8>>
  %a = tile.addptr %ps, %r : tensor<2048x!tile.ptr<i8>>, tensor<2048xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>], lanes [array<i32: 16>, array<i32: 32>, array<i32: 64>, array<i32: 128>, array<i32: 256>], warps [array<i32: 512>, array<i32: 1024>]>>
  %v = tile.load %a : tensor<2048x!tile.ptr<i8>> -> tensor<2048xi8>
  tile.store %a, %v : tensor<2048x!tile.ptr<i8>>, tensor<2048xi8>
  return
}

// Two f64.
// CHECK-LABEL: func.func @vectors_of_f64
func.func @vectors_of_f64(%p: !tile.ptr<f64> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 512 : tensor<512xi32>
  %ps = tile.splat %p : !tile.ptr<f64> -> tensor<512x!tile.ptr<f64>>
  %a = tile.addptr %ps, %r : tensor<512x!tile.ptr<f64>>, tensor<512xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>, array<i32: 256>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps [array<i32: 64>, array<i32: 128>]>>
  %v = tile.load %a : tensor<512x!tile.ptr<f64>> -> tensor<512xf64>
  tile.store %a, %v : tensor<512x!tile.ptr<f64>>, tensor<512xf64>
  return
}

// Pointers are 64 bits.
// CHECK-LABEL: func.func @vectors_of_pointers
func.func @vectors_of_pointers(%p: !tile.ptr<!tile.ptr<f32>> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %p : !tile.ptr<!tile.ptr<f32>> -> tensor<256x!tile.ptr<!tile.ptr<f32>>>
  %a = tile.addptr %ps, %r : tensor<256x!tile.ptr<!tile.ptr<f32>>>, tensor<256xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps [array<i32: 64>, array<i32: 128>]>>
  %v = tile.load %a : tensor<256x!tile.ptr<!tile.ptr<f32>>> -> tensor<256x!tile.ptr<f32>>
  tile.store %a, %v : tensor<256x!tile.ptr<!tile.ptr<f32>>>, tensor<256x!tile.ptr<f32>>
  return
}

// All threads get work before one gets a vector: 256 elements are two for each of 128 threads.
// CHECK-LABEL: func.func @fair_share
func.func @fair_share(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps [array<i32: 64>, array<i32: 128>]>>
  %v = tile.load %a : tensor<256x!tile.ptr<f32>> -> tensor<256xf32>
  tile.store %a, %v : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
  return
}

// Threads beyond the tile hold copies: their bases are 0.
// CHECK-LABEL: func.func @smaller_than_a_warp
func.func @smaller_than_a_warp(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 16 : tensor<16xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<16x!tile.ptr<f32>>, tensor<16xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 0>], warps [array<i32: 0>, array<i32: 0>]>>
  %v = tile.load %a : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  tile.store %a, %v : tensor<16x!tile.ptr<f32>>, tensor<16xf32>
  return
}

// One element, in every thread.
// CHECK-LABEL: func.func @one_element
func.func @one_element(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 1 : tensor<1xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<1x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<1x!tile.ptr<f32>>, tensor<1xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [], lanes [array<i32: 0>, array<i32: 0>, array<i32: 0>, array<i32: 0>, array<i32: 0>], warps [array<i32: 0>, array<i32: 0>]>>
  %v = tile.load %a : tensor<1x!tile.ptr<f32>> -> tensor<1xf32>
  tile.store %a, %v : tensor<1x!tile.ptr<f32>>, tensor<1xf32>
  return
}

// Addresses that are not neighbours are not held together.
// CHECK-LABEL: func.func @strided
func.func @strided(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %two = arith.constant dense<2> : tensor<1024xi32>
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %o = arith.muli %r, %two : tensor<1024xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %a = tile.addptr %ps, %o : tensor<1024x!tile.ptr<f32>>, tensor<1024xi32>
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 128>, array<i32: 256>, array<i32: 512>], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps [array<i32: 32>, array<i32: 64>]>>
  %v = tile.load %a : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  tile.store %a, %v : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32>
  return
}

// Accesses of one shape share the layout of the widest; indices and masks are there once for both.
// CHECK-LABEL: func.func @cast
func.func @cast(%x: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %y: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  // CHECK: tile.arange 0 to 1024 : tensor<1024xi32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 4>], lanes [array<i32: 8>
  // CHECK-NOT: tile.arange
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %ns = tile.splat %n : i32 -> tensor<1024xi32>
  %mask = arith.cmpi slt, %r, %ns : tensor<1024xi32>
  %xs = tile.splat %x : !tile.ptr<f16> -> tensor<1024x!tile.ptr<f16>>
  %xp = tile.addptr %xs, %r : tensor<1024x!tile.ptr<f16>>, tensor<1024xi32>
  %v = tile.load %xp mask %mask : tensor<1024x!tile.ptr<f16>> mask tensor<1024xi1> -> tensor<1024xf16>
  // CHECK: arith.extf {{.*}} to tensor<1024xf32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 4>], lanes [array<i32: 8>
  %w = arith.extf %v : tensor<1024xf16> to tensor<1024xf32>
  %ys = tile.splat %y : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %yp = tile.addptr %ys, %r : tensor<1024x!tile.ptr<f32>>, tensor<1024xi32>
  // CHECK-NOT: tile.convert_layout
  // CHECK: tile.store
  tile.store %yp, %w mask %mask : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32> mask tensor<1024xi1>
  return
}

// x[:, None] + y[None, :]: what was loaded moves to the slices of the 2-D layout, the indices are computed there.
// CHECK-LABEL: func.func @broadcast
func.func @broadcast(%x: !tile.ptr<f32>, %y: !tile.ptr<f32>, %z: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %stride: i32 {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 16 : tensor<16xi32>
  // CHECK-DAG: tile.arange 0 to 64 : tensor<64xi32, #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps [array<i32: 32>, array<i32: 0>]>>
  // CHECK-DAG: tile.arange 0 to 64 : tensor<64xi32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 0>], lanes [array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>, array<i32: 0>], warps [array<i32: 0>, array<i32: 0>]>>
  %c = tile.arange 0 to 64 : tensor<64xi32>
  %xs = tile.splat %x : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %xp = tile.addptr %xs, %r : tensor<16x!tile.ptr<f32>>, tensor<16xi32>
  %xv = tile.load %xp : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  // CHECK: tile.convert_layout {{.*}} -> tensor<16xf32, #tile.layout<1, registers [array<i32: 0>, array<i32: 0>, array<i32: 8>], lanes [array<i32: 0>, array<i32: 0>, array<i32: 0>, array<i32: 0>, array<i32: 1>], warps [array<i32: 2>, array<i32: 4>]>>
  %ys = tile.splat %y : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
  %yp = tile.addptr %ys, %c : tensor<64x!tile.ptr<f32>>, tensor<64xi32>
  %yv = tile.load %yp : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
  // CHECK: tile.convert_layout {{.*}} -> tensor<64xf32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>, array<i32: 0>], lanes [array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>, array<i32: 0>], warps [array<i32: 0>, array<i32: 0>]>>
  // CHECK-NOT: tile.convert_layout
  %r2 = tile.expand_dims %r, 1 : tensor<16xi32> -> tensor<16x1xi32>
  %strides = tile.splat %stride : i32 -> tensor<16x1xi32>
  %rows = arith.muli %r2, %strides : tensor<16x1xi32>
  %zs = tile.splat %z : !tile.ptr<f32> -> tensor<16x1x!tile.ptr<f32>>
  %zr = tile.addptr %zs, %rows : tensor<16x1x!tile.ptr<f32>>, tensor<16x1xi32>
  %zb = tile.broadcast %zr : tensor<16x1x!tile.ptr<f32>> -> tensor<16x64x!tile.ptr<f32>>
  %c2 = tile.expand_dims %c, 0 : tensor<64xi32> -> tensor<1x64xi32>
  %cb = tile.broadcast %c2 : tensor<1x64xi32> -> tensor<16x64xi32>
  %zp = tile.addptr %zb, %cb : tensor<16x64x!tile.ptr<f32>>, tensor<16x64xi32>
  %x2 = tile.expand_dims %xv, 1 : tensor<16xf32> -> tensor<16x1xf32>
  %xb = tile.broadcast %x2 : tensor<16x1xf32> -> tensor<16x64xf32>
  %y2 = tile.expand_dims %yv, 0 : tensor<64xf32> -> tensor<1x64xf32>
  %yb = tile.broadcast %y2 : tensor<1x64xf32> -> tensor<16x64xf32>
  %sum = arith.addf %xb, %yb : tensor<16x64xf32>
  // CHECK: tile.store {{.*}}, tensor<16x64xf32, #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 8, 0>], lanes [array<i32: 0, 4>, array<i32: 0, 8>, array<i32: 0, 16>, array<i32: 0, 32>, array<i32: 1, 0>], warps [array<i32: 2, 0>, array<i32: 4, 0>]>>
  tile.store %zp, %sum : tensor<16x64x!tile.ptr<f32>>, tensor<16x64xf32>
  return
}

// Read along rows, written along columns: each access is coalesced, the tile changes its layout between them.
// CHECK-LABEL: func.func @transposed_access
func.func @transposed_access(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %y: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32 {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %i = tile.arange 0 to 32 : tensor<32xi32>
  %down = tile.expand_dims %i, 1 : tensor<32xi32> -> tensor<32x1xi32>
  %across = tile.expand_dims %i, 0 : tensor<32xi32> -> tensor<1x32xi32>
  %ns = tile.splat %n : i32 -> tensor<32x1xi32>
  %rows = arith.muli %down, %ns : tensor<32x1xi32>
  %rb = tile.broadcast %rows : tensor<32x1xi32> -> tensor<32x32xi32>
  %ab = tile.broadcast %across : tensor<1x32xi32> -> tensor<32x32xi32>
  %xo = arith.addi %rb, %ab : tensor<32x32xi32>
  %xs = tile.splat %x : !tile.ptr<f32> -> tensor<32x32x!tile.ptr<f32>>
  %xp = tile.addptr %xs, %xo : tensor<32x32x!tile.ptr<f32>>, tensor<32x32xi32>
  // CHECK: tile.load {{.*}} -> tensor<32x32xf32, #tile.layout<2, registers [array<i32: 0, 1>, array<i32: 0, 2>, array<i32: 16, 0>], lanes [array<i32: 0, 4>, array<i32: 0, 8>, array<i32: 0, 16>, array<i32: 1, 0>, array<i32: 2, 0>], warps [array<i32: 4, 0>, array<i32: 8, 0>]>>
  %v = tile.load %xp : tensor<32x32x!tile.ptr<f32>> -> tensor<32x32xf32>
  // CHECK: tile.convert_layout {{.*}} -> tensor<32x32xf32, #tile.layout<2, registers [array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 16>], lanes [array<i32: 4, 0>, array<i32: 8, 0>, array<i32: 16, 0>, array<i32: 0, 1>, array<i32: 0, 2>], warps [array<i32: 0, 4>, array<i32: 0, 8>]>>
  %msplat = tile.splat %n : i32 -> tensor<1x32xi32>
  %columns = arith.muli %across, %msplat : tensor<1x32xi32>
  %cb = tile.broadcast %columns : tensor<1x32xi32> -> tensor<32x32xi32>
  %db = tile.broadcast %down : tensor<32x1xi32> -> tensor<32x32xi32>
  %yo = arith.addi %cb, %db : tensor<32x32xi32>
  %ys = tile.splat %y : !tile.ptr<f32> -> tensor<32x32x!tile.ptr<f32>>
  %yp = tile.addptr %ys, %yo : tensor<32x32x!tile.ptr<f32>>, tensor<32x32xi32>
  // CHECK: tile.store {{.*}} : tensor<32x32x!tile.ptr<f32>, #tile.layout<2, registers [array<i32: 1, 0>
  tile.store %yp, %v : tensor<32x32x!tile.ptr<f32>>, tensor<32x32xf32>
  return
}

// A transposition and a reshape are the same registers under other names.
// CHECK-LABEL: func.func @views
func.func @views(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 512 : tensor<512xi32>
  %ps = tile.splat %x : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
  %p = tile.addptr %ps, %r : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
  // CHECK: tile.load {{.*}} -> tensor<512xf32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>]
  %v = tile.load %p : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
  %a = tile.reshape %v : tensor<512xf32> -> tensor<16x32xf32>
  %b = tile.trans %a, [1, 0] : tensor<16x32xf32> -> tensor<32x16xf32>
  // CHECK: math.absf {{.*}} : tensor<32x16xf32, #tile.layout<2, registers [array<i32: 1, 0>, array<i32: 2, 0>], lanes [array<i32: 4, 0>, array<i32: 8, 0>, array<i32: 16, 0>, array<i32: 0, 1>, array<i32: 0, 2>], warps [array<i32: 0, 4>, array<i32: 0, 8>]>>
  %c = math.absf %b : tensor<32x16xf32>
  %d = tile.trans %c, [1, 0] : tensor<32x16xf32> -> tensor<16x32xf32>
  %e = tile.reshape %d : tensor<16x32xf32> -> tensor<512xf32>
  // CHECK-NOT: tile.convert_layout
  // CHECK: tile.store
  tile.store %p, %e : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  return
}

// Carried tiles have the layout of their shape's access, inside and outside the loop.
// CHECK-LABEL: func.func @loop
func.func @loop(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // CHECK: arith.constant dense<0.000000e+00> : tensor<512xf32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>]
  %zeros = arith.constant dense<0.0> : tensor<512xf32>
  %r = tile.arange 0 to 512 : tensor<512xi32>
  %ps = tile.splat %x : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
  %p = tile.addptr %ps, %r : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
  // CHECK: scf.for {{.*}} -> (tensor<512xf32, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>]
  %sum = scf.for %i = %zero to %n step %one iter_args(%s = %zeros) -> (tensor<512xf32>) : i32 {
    %v = tile.load %p : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
    %t = arith.addf %s, %v : tensor<512xf32>
    scf.yield %t : tensor<512xf32>
  }
  // CHECK-NOT: tile.convert_layout
  // CHECK: tile.store
  tile.store %p, %sum : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  return
}

// A tile without dimensions is in every thread.
// CHECK-LABEL: func.func @no_dimensions
func.func @no_dimensions(%x: !tile.ptr<f32>) attributes {tile.kernel} {
  %p = tile.splat %x : !tile.ptr<f32> -> tensor<!tile.ptr<f32>>
  // CHECK: tile.load {{.*}} -> tensor<f32, #tile.layout<0, registers [], lanes [array<i32>, array<i32>, array<i32>, array<i32>, array<i32>], warps [array<i32>, array<i32>]>>
  %v = tile.load %p : tensor<!tile.ptr<f32>> -> tensor<f32>
  tile.store %p, %v : tensor<!tile.ptr<f32>>, tensor<f32>
  return
}

// Scalars have no layout; other functions are left alone.
// CHECK-LABEL: func.func @scalars
func.func @scalars(%x: !tile.ptr<f32>) attributes {tile.kernel} {
  // CHECK: tile.load %{{.*}} : !tile.ptr<f32> -> f32
  %v = tile.load %x : !tile.ptr<f32> -> f32
  tile.store %x, %v : !tile.ptr<f32>, f32
  return
}
// CHECK-LABEL: func.func @other
func.func @other(%x: tensor<64xf32>) -> tensor<64xf32> {
  // CHECK: arith.addf %{{.*}}, %{{.*}} : tensor<64xf32>
  %y = arith.addf %x, %x : tensor<64xf32>
  return %y : tensor<64xf32>
}

// Pointers that a loop moves keep their layout and their width: nothing is converted, four f32 are one access. The
// accumulator has the layout of what is added to it.
// CHECK-LABEL: func.func @carried_pointers
func.func @carried_pointers(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = tile.arange 0 to 512 : tensor<512xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
  %step = arith.constant dense<512> : tensor<512xi32>
  %zero = arith.constant dense<0.0> : tensor<512xf32>
  // CHECK-NOT: tile.convert_layout
  // CHECK: tile.load {{.*}}, #tile.layout<1, registers [array<i32: 1>, array<i32: 2>], lanes [array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>, array<i32: 64>], warps [array<i32: 128>, array<i32: 256>]>>
  // CHECK-NOT: tile.convert_layout
  // CHECK: return
  %x:2 = scf.for %i = %c0 to %n step %c1 iter_args(%at = %a, %sum = %zero) -> (tensor<512x!tile.ptr<f32>>, tensor<512xf32>) : i32 {
    %v = tile.load %at : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
    %s = arith.addf %sum, %v : tensor<512xf32>
    %next = tile.addptr %at, %step : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
    scf.yield %next, %s : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  }
  tile.store %a, %x#1 : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  return
}

// Row sums in a loop: the sums stay where the reduction leaves them, and are converted once, after the loop.
// CHECK-LABEL: func.func @carried_sums
func.func @carried_sums(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = tile.arange 0 to 16 : tensor<16xi32>
  %c = tile.arange 0 to 64 : tensor<64xi32>
  %r1 = tile.expand_dims %r, 1 : tensor<16xi32> -> tensor<16x1xi32>
  %c1d = tile.expand_dims %c, 0 : tensor<64xi32> -> tensor<1x64xi32>
  %c64 = arith.constant dense<64> : tensor<16x1xi32>
  %rs = arith.muli %r1, %c64 : tensor<16x1xi32>
  %rb = tile.broadcast %rs : tensor<16x1xi32> -> tensor<16x64xi32>
  %cb = tile.broadcast %c1d : tensor<1x64xi32> -> tensor<16x64xi32>
  %o = arith.addi %rb, %cb : tensor<16x64xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<16x64x!tile.ptr<f32>>
  %a = tile.addptr %ps, %o : tensor<16x64x!tile.ptr<f32>>, tensor<16x64xi32>
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  // CHECK: scf.for
  // CHECK-NOT: tile.convert_layout
  // CHECK: scf.yield
  // CHECK: tile.convert_layout
  // CHECK-NOT: tile.convert_layout
  // CHECK: return
  %x = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> (tensor<16xf32>) : i32 {
    %v = tile.load %a : tensor<16x64x!tile.ptr<f32>> -> tensor<16x64xf32>
    %t = tile.reduce %v axis 1 : (tensor<16x64xf32>) -> tensor<16xf32> {
    ^bb0(%f: f32, %g: f32):
      %h = arith.addf %f, %g : f32
      tile.yield %h : f32
    }
    %s = arith.addf %sum, %t : tensor<16xf32>
    scf.yield %s : tensor<16xf32>
  }
  %qs = tile.splat %p : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %b = tile.addptr %qs, %r : tensor<16x!tile.ptr<f32>>, tensor<16xi32>
  tile.store %b, %x : tensor<16x!tile.ptr<f32>>, tensor<16xf32>
  return
}
