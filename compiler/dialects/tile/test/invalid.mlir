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
