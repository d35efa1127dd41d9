// Every constraint of the dialect, violated.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics

func.func @arange_size() {
  // expected-error @+1 {{'tile.arange' op (C1) range of 3 elements must be a power of two and match 'tensor<3xi32>'}}
  %0 = tile.arange 0 to 3 : tensor<3xi32>
  return
}

// -----

func.func @arange_type() {
  // expected-error @+1 {{'tile.arange' op (C1) range of 8 elements must be a power of two and match 'tensor<4xi32>'}}
  %0 = tile.arange 0 to 8 : tensor<4xi32>
  return
}

// -----

func.func @arange_backwards() {
  // expected-error @+1 {{'tile.arange' op (C1) range of -8 elements must be a power of two}}
  %0 = tile.arange 4 to -4 : tensor<8xi32>
  return
}

// -----

func.func @program_axis() {
  // expected-error @+1 {{attribute 'axis' failed to satisfy constraint}}
  %0 = tile.program_id 3 : i32
  return
}

// -----

func.func @splat(%x: i32) {
  // expected-error @+1 {{'tile.splat' op (C1) operand type 'i32' is not the element type of 'tensor<4xf32>'}}
  %0 = tile.splat %x : i32 -> tensor<4xf32>
  return
}

// -----

func.func @expand_axis(%x: tensor<4xf32>) {
  // expected-error @+1 {{'tile.expand_dims' op (C1) axis 2 is outside 0..1}}
  %0 = tile.expand_dims %x, 2 : tensor<4xf32> -> tensor<4x1xf32>
  return
}

// -----

func.func @expand_shape(%x: tensor<4xf32>) {
  // expected-error @+1 {{'tile.expand_dims' op (C1) result shape is not the operand's with 1 inserted at 0}}
  %0 = tile.expand_dims %x, 0 : tensor<4xf32> -> tensor<4x1xf32>
  return
}

// -----

func.func @broadcast(%x: tensor<4x2xf32>) {
  // expected-error @+1 {{'tile.broadcast' op (C1) cannot broadcast 'tensor<4x2xf32>' to 'tensor<4x8xf32>'}}
  %0 = tile.broadcast %x : tensor<4x2xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @reshape(%x: tensor<4x2xf32>) {
  // expected-error @+1 {{'tile.reshape' op (C1) cannot reshape 'tensor<4x2xf32>' to 'tensor<16xf32>'}}
  %0 = tile.reshape %x : tensor<4x2xf32> -> tensor<16xf32>
  return
}

// -----

func.func @trans_twice(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{'tile.trans' op (C1) order is not a permutation that takes 'tensor<4x4xf32>' to 'tensor<4x4xf32>'}}
  %0 = tile.trans %x, [1, 1] : tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @trans_outside(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{'tile.trans' op (C1) order is not a permutation}}
  %0 = tile.trans %x, [0, 2] : tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @addptr(%p: tensor<4x!tile.ptr<f32>>, %o: tensor<8xi32>) {
  // expected-error @+1 {{'tile.addptr' op (C1) offset 'tensor<8xi32>' has not the shape of 'tensor<4x!tile.ptr<f32>>'}}
  %0 = tile.addptr %p, %o : tensor<4x!tile.ptr<f32>>, tensor<8xi32>
  return
}

// -----

func.func @addptr_width(%p: !tile.ptr<f32>, %o: i1) {
  // expected-error @+1 {{'tile.addptr' op (C1) offset 'i1' is not of 8 to 64 bits}}
  %0 = tile.addptr %p, %o : !tile.ptr<f32>, i1
  return
}

// -----

func.func @load_result(%p: tensor<4x!tile.ptr<f32>>) {
  // expected-error @+1 {{'tile.load' op (C1) result 'tensor<4xf16>' does not fit pointer 'tensor<4x!tile.ptr<f32>>'}}
  %0 = tile.load %p : tensor<4x!tile.ptr<f32>> -> tensor<4xf16>
  return
}

// -----

func.func @load_mask(%p: tensor<4x!tile.ptr<f32>>, %m: i1) {
  // expected-error @+1 {{'tile.load' op (C2) mask 'i1' has not the shape of 'tensor<4x!tile.ptr<f32>>'}}
  %0 = tile.load %p mask %m : tensor<4x!tile.ptr<f32>> mask i1 -> tensor<4xf32>
  return
}

// -----

func.func @load_other(%p: tensor<4x!tile.ptr<f32>>, %o: tensor<4xf32>) {
  // expected-error @+1 {{'tile.load' op (C3) other must have type 'tensor<4xf32>' and come with a mask}}
  %0 = tile.load %p other %o : tensor<4x!tile.ptr<f32>> other tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_cache(%p: !tile.ptr<f32>) {
  // expected-error @+1 {{'tile.load' op (C4) cache modifier wb is for stores}}
  %0 = tile.load %p cache wb : !tile.ptr<f32> -> f32
  return
}

// -----

func.func @store_value(%p: tensor<4x!tile.ptr<f32>>, %v: f32) {
  // expected-error @+1 {{'tile.store' op (C1) value 'f32' does not fit pointer 'tensor<4x!tile.ptr<f32>>'}}
  tile.store %p, %v : tensor<4x!tile.ptr<f32>>, f32
  return
}

// -----

func.func @store_mask(%p: !tile.ptr<f32>, %v: f32, %m: tensor<4xi1>) {
  // expected-error @+1 {{'tile.store' op (C2) mask 'tensor<4xi1>' has not the shape of '!tile.ptr<f32>'}}
  tile.store %p, %v mask %m : !tile.ptr<f32>, f32 mask tensor<4xi1>
  return
}

// -----

func.func @store_cache(%p: !tile.ptr<f32>, %v: f32) {
  // expected-error @+1 {{'tile.store' op (C3) cache modifier ca is for loads}}
  tile.store %p, %v cache ca : !tile.ptr<f32>, f32
  return
}

// -----

func.func @convert_layout(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.convert_layout' op (C1) cannot convert 'tensor<4xf32>' to 'tensor<4xf32>'}}
  %0 = tile.convert_layout %v : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

// expected-error @+1 {{(C1) a pointer's elements are integers, floats or pointers, not 'index'}}
func.func private @pointer(!tile.ptr<index>)

// -----

// expected-error @+1 {{basis array<i32: 1, 2> is no array of 1 i32 coordinates}}
#l = #tile.layout<1, registers [array<i32: 1, 2>], lanes [], warps []>

// -----

// expected-error @+1 {{(C1) basis array<i32: -1> has a coordinate outside 0..1048575}}
#l = #tile.layout<1, registers [array<i32: -1>], lanes [], warps []>

// -----

// expected-error @+1 {{(C2) there are 0 register, 1 lane and 0 warp bases; expected at most 20, 5, and at most 5}}
#l = #tile.layout<1, registers [], lanes [array<i32: 1>], warps []>

// -----

// expected-error @+1 {{'func.func' op (K1) a tile kernel is a func.func with a body of one block}}
func.func private @no_body(!tile.ptr<f32>) attributes {tile.kernel}

// -----

// expected-error @+1 {{'func.func' op (K1) a tile kernel is a func.func with a body of one block}}
func.func @blocks(%c: i1) attributes {tile.kernel} {
  cf.cond_br %c, ^bb1, ^bb1
^bb1:
  return
}

// -----

// expected-error @+1 {{'func.func' op (K2) a tile kernel takes scalars and pointers and returns nothing, not '(i32) -> i32'}}
func.func @result(%n: i32) -> i32 attributes {tile.kernel} {
  return %n : i32
}

// -----

// expected-error @+1 {{'func.func' op (K2) a tile kernel takes scalars and pointers and returns nothing}}
func.func @tile_parameter(%v: tensor<4xf32>) attributes {tile.kernel} {
  return
}

// -----

func.func @three(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{'tile.splat' op (K3) result 'tensor<3xi32>' is no scalar or tile whose dimensions are powers of two, at most 1048576 elements}}
  %0 = tile.splat %n : i32 -> tensor<3xi32>
  return
}

// -----

func.func @large(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{'tile.splat' op (K3) result 'tensor<2048x1024xi32>' is no scalar or tile}}
  %0 = tile.splat %n : i32 -> tensor<2048x1024xi32>
  return
}

// -----

func.func @dynamic(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{'tile.splat' op (K3) result 'tensor<?xi32>' is no scalar or tile}}
  %0 = tile.splat %n : i32 -> tensor<?xi32>
  return
}

// -----

func.func @join(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.join' op (C1) result 'tensor<8xf32>' is not 'tensor<4xf32>' with 2 appended}}
  %0 = tile.join %v, %v : tensor<4xf32> -> tensor<8xf32>
  return
}

// -----

func.func @split(%v: tensor<4x4xf32>) {
  // expected-error @+1 {{'tile.split' op (C1) 'tensor<4x4xf32>' does not split into two of 'tensor<4xf32>'}}
  %0, %1 = tile.split %v : tensor<4x4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_axis(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.reduce' op (C1) axis 1 is outside a tile of rank 1}}
  %0 = tile.reduce %v axis 1 : (tensor<4xf32>) -> f32 {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @reduce_result(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.reduce' op (C2) result 'tensor<1xf32>' is not 'tensor<4xf32>' without dimension 0}}
  %0 = tile.reduce %v axis 0 : (tensor<4xf32>) -> tensor<1xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @reduce_region(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.reduce' op (C3) the region must take two and yield one element of each operand}}
  %0 = tile.reduce %v axis 0 : (tensor<4xf32>) -> f32 {
  ^bb0(%a: f32, %b: i32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @reduce_effect(%v: tensor<4xf32>) {
  %0 = tile.reduce %v axis 0 : (tensor<4xf32>) -> f32 {
  ^bb0(%a: f32, %b: f32):
    // expected-error @+1 {{(C3) cannot combine elements of a tile.reduce}}
    tile.barrier
    tile.yield %a : f32
  }
  return
}

// -----

func.func @scan_result(%v: tensor<4xf32>) {
  // expected-error @+1 {{'tile.scan' op (C2) the results have not the operands' types}}
  %0 = tile.scan %v axis 0 : (tensor<4xf32>) -> tensor<8xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  }
  return
}

// -----

func.func @dot_shape(%a: tensor<16x16xf16>, %b: tensor<32x16xf16>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{'tile.dot' op (C1) shapes do not fit}}
  %0 = tile.dot %a, %b, %c : tensor<16x16xf16>, tensor<32x16xf16> -> tensor<16x16xf32>
  return
}

// -----

func.func @dot_operands(%a: tensor<16x16xf16>, %b: tensor<16x16xbf16>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{'tile.dot' op (C2) cannot multiply 'f16' by 'bf16'}}
  %0 = tile.dot %a, %b, %c : tensor<16x16xf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
  return
}

// -----

func.func @dot_accumulator(%a: tensor<16x16xbf16>, %c: tensor<16x16xf16>) {
  // expected-error @+1 {{'tile.dot' op (C3) cannot accumulate products of 'bf16' in 'f16'}}
  %0 = tile.dot %a, %a, %c : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf16>
  return
}

// -----

func.func @gather_shape(%a: tensor<16x4xf16>, %i: tensor<8x8xi32>) {
  // expected-error @+1 {{'tile.gather' op (C1) indices 'tensor<8x8xi32>' do not fit 'tensor<16x4xf16>' along axis 0}}
  %0 = tile.gather %a, %i axis 0 : tensor<16x4xf16>, tensor<8x8xi32> -> tensor<8x8xf16>
  return
}

// -----

func.func @histogram_mask(%a: tensor<16xi32>, %m: tensor<8xi1>) {
  // expected-error @+1 {{'tile.histogram' op (C1) source, mask and result are tiles of rank 1}}
  %0 = tile.histogram %a mask %m : tensor<16xi32> mask tensor<8xi1> -> tensor<4xi32>
  return
}

// -----

func.func @atomic_type(%p: !tile.ptr<f32>, %v: f32) {
  // expected-error @+1 {{'tile.atomic_rmw' op (C3) atomic max is not defined for 'f32'}}
  %0 = tile.atomic_rmw max %p, %v : !tile.ptr<f32>, f32
  return
}

// -----

func.func @atomic_value(%p: !tile.ptr<f32>, %v: i32) {
  // expected-error @+1 {{'tile.atomic_rmw' op (C1) value 'i32' does not fit pointer}}
  %0 = tile.atomic_rmw add %p, %v : !tile.ptr<f32>, i32
  return
}

// -----

func.func @cas_type(%p: !tile.ptr<i8>, %v: i8) {
  // expected-error @+1 {{'tile.atomic_cas' op (C2) compare-and-swap is not defined for 'i8'}}
  %0 = tile.atomic_cas %p, %v, %v : !tile.ptr<i8>, i8
  return
}

// -----

func.func @descriptor_rank(%p: !tile.ptr<f32>, %n: i64, %i: i32) {
  // expected-error @+1 {{'tile.descriptor_load' op (C1) a tile of rank 2 needs as many sizes, strides and offsets, not 1, 2 and 2}}
  %0 = tile.descriptor_load %p sizes %n strides %n, %n offsets %i, %i : !tile.ptr<f32> -> tensor<4x4xf32>
  return
}

// -----

func.func @descriptor_type(%p: !tile.ptr<f32>, %n: i64, %i: i32, %v: tensor<4xf16>) {
  // expected-error @+1 {{'tile.descriptor_store' op (C1) tile 'tensor<4xf16>' does not fit base}}
  tile.descriptor_store %p, %v sizes %n strides %n offsets %i : !tile.ptr<f32>, tensor<4xf16>
  return
}

// -----

func.func @asm_shapes(%a: tensor<16xi32>, %b: tensor<8xi32>) {
  // expected-error @+1 {{'tile.inline_asm' op (C1) shapes of}}
  %0 = tile.inline_asm "add.s32 $0, $1, $2;", "=r,r,r" pack 1 (%a, %b) : (tensor<16xi32>, tensor<8xi32>) -> tensor<16xi32>
  return
}

// -----

func.func @asm_pack(%a: tensor<16xi8>) {
  // expected-error @+1 {{'tile.inline_asm' op (C2) pack is 3, not a power of two}}
  %0 = tile.inline_asm "mov.b32 $0, $1;", "=r,r" pack 3 (%a) : (tensor<16xi8>) -> tensor<16xi8>
  return
}

// -----

// expected-error@+1 {{(C1) tiles in shared memory have two dimensions, powers of two, and fastest is 0 or 1; it is 1}}
func.func @shared_c1(%ring: !tile.shared<2, [4, 6], f32, 1>) { return }

// -----

// expected-error@+1 {{(C2) elements are 'i1'; expected integers or floats of 8 to 64 bits}}
func.func @shared_c2(%ring: !tile.shared<2, [4, 8], i1, 1>) { return }

// -----

// expected-error@+1 {{(C3) there are no slots}}
func.func @shared_c3(%ring: !tile.shared<0, [4, 8], f32, 1>) { return }

// -----

func.func @async_copy_c1(%p: tensor<4x8x!tile.ptr<f32>>, %ring: !tile.shared<2, [4, 8], f32, 1>, %slot: i32) {
  // expected-error@+1 {{(C1) pointers 'tensor<4x8x!tile.ptr<f32>>' do not fit '!tile.shared<2, [4, 8], f32, 1>'}}
  tile.async_copy %p into %ring[%slot] width 1 : tensor<4x8x!tile.ptr<f32>>, !tile.shared<2, [4, 8], f32, 1>
  return
}

// -----

#rows = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 1, 0>, array<i32: 2, 0>, array<i32: 0, 0>], warps []>
func.func @async_copy_c3(%p: tensor<4x8x!tile.ptr<f16>, #rows>, %ring: !tile.shared<2, [4, 8], f16, 1>, %slot: i32) {
  // expected-error@+1 {{(C3) copies 2 bytes at once; expected 4, 8 or 16}}
  tile.async_copy %p into %ring[%slot] width 1 : tensor<4x8x!tile.ptr<f16>, #rows>, !tile.shared<2, [4, 8], f16, 1>
  return
}

// -----

func.func @shared_load_c1(%ring: !tile.shared<2, [4, 8], f32, 1>, %slot: i32) {
  // expected-error@+1 {{(C1) result 'tensor<4x8xf32>' does not fit '!tile.shared<2, [4, 8], f32, 1>'}}
  %v = tile.shared_load %ring[%slot] : !tile.shared<2, [4, 8], f32, 1> -> tensor<4x8xf32>
  return
}

// -----

// expected-error@+1 {{(C3) a row has 8 bytes; expected 16 or more}}
func.func @tensor_map_type(%map: !tile.tensor_map<[8, 4], f16, zero>) {
  return
}

// -----

// expected-error@+1 {{(C2) elements are 'i32' padded with nan; expected integers or floats of 8 to 64 bits, and 16 for NaN}}
func.func @tensor_map_padding(%map: !tile.tensor_map<[8, 4], i32, nan>) {
  return
}

// -----

func.func @tensor_map_c1(%p: !tile.ptr<f32>, %n: i64) {
  // expected-error@+1 {{(C1) '!tile.ptr<f32>' with 1 sizes and 1 strides is no '!tile.tensor_map<[8, 16], f32, zero>'}}
  %map = tile.tensor_map %p sizes %n strides %n : !tile.ptr<f32> -> !tile.tensor_map<[8, 16], f32, zero>
  return
}

// -----

func.func @tensor_map_c2(%p: !tile.ptr<f32>, %n: i64, %isUsed: i1) {
  scf.if %isUsed {
    // expected-error@+1 {{(C2) is inside of a loop or branch; expected it in the kernel's own block}}
    %map = tile.tensor_map %p sizes %n strides %n : !tile.ptr<f32> -> !tile.tensor_map<[16], f32, zero>
  }
  return
}

// -----

func.func @tensor_load_c1(%map: !tile.tensor_map<[2, 4, 16], f32, zero>, %i: i32) {
  // expected-error@+1 {{(C1) 2 coordinates and 'tensor<8x16xf32>' do not fit '!tile.tensor_map<[2, 4, 16], f32, zero>', whose tile is 'tensor<8x16xf32>'}}
  %x = tile.tensor_load %map[%i, %i] : !tile.tensor_map<[2, 4, 16], f32, zero> -> tensor<8x16xf32>
  return
}

// -----

func.func @tensor_copy_c2(%map: !tile.tensor_map<[8, 16], f32, zero>, %ring: !tile.shared<2, [8, 16], f32, 1>, %bars: !tile.barriers<3, 1>, %i: i32, %more: i1) {
  // expected-error@+1 {{(C2) '!tile.shared<2, [8, 16], f32, 1>' and '!tile.barriers<3, 1>' do not fit '!tile.tensor_map<[8, 16], f32, zero>'}}
  tile.tensor_copy %map[%i, %i] if %more into %ring, %bars[%i] : !tile.tensor_map<[8, 16], f32, zero>, !tile.shared<2, [8, 16], f32, 1>, !tile.barriers<3, 1>
  return
}
