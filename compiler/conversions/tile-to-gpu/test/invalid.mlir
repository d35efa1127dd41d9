// What the GPU compiler refuses.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics -inlay-tile-to-gpu

// expected-error @+1 {{a module must hold one kernel (func.func with tile.kernel); this one holds 0}}
module {
}

// -----

// expected-error @+1 {{this one holds 2}}
module {
  func.func @a() attributes {tile.kernel} {
    return
  }
  func.func @b() attributes {tile.kernel} {
    return
  }
}

// -----

func.func @no_layout(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{tile 'tensor<64xi32>' has no layout; run tile-assign-layouts first}}
  %v = tile.splat %n : i32 -> tensor<64xi32>
  return
}

// -----

#l = #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
func.func @other_rank(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{has no layout}}
  %v = tile.splat %n : i32 -> tensor<4x8xi32, #l>
  return
}

// -----

#l = #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
#m = #tile.layout<1, registers [array<i32: 1>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 0>], warps []>
func.func @layouts_differ(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<32x!tile.ptr<i32>, #l>
  // expected-error @+1 {{the layouts of the tiles differ; only tile.convert_layout changes a layout}}
  %v = tile.load %ps : tensor<32x!tile.ptr<i32>, #l> -> tensor<32xi32, #m>
  return
}

// -----

#l = #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
#m = #tile.layout<2, registers [array<i32: 0, 1>], lanes [array<i32: 0, 2>, array<i32: 0, 4>, array<i32: 0, 8>, array<i32: 0, 16>, array<i32: 0, 0>], warps []>
func.func @views_differ(%n: i32) attributes {tile.kernel} {
  %v = tile.splat %n : i32 -> tensor<32xi32, #l>
  // expected-error @+1 {{the layouts of the tiles differ}}
  %w = tile.expand_dims %v, 0 : tensor<32xi32, #l> -> tensor<1x32xi32, #m>
  return
}

// -----

func.func @type(%n: i128) attributes {tile.kernel} {
  // expected-error @+1 {{type 'i128' cannot be compiled for GPUs yet}}
  %v = arith.addi %n, %n : i128
  return
}

// -----

func.func private @callee(i32)
func.func @call(%n: i32) attributes {tile.kernel} {
  // expected-error @+1 {{'func.call' cannot be compiled for GPUs yet}}
  func.call @callee(%n) : (i32) -> ()
  return
}

// -----

#mixed = #tile.layout<2, registers [], lanes [array<i32: 1, 1>, array<i32: 2, 0>, array<i32: 0, 1>, array<i32: 0, 0>, array<i32: 0, 0>], warps []>
#result = #tile.layout<1, registers [], lanes [array<i32: 1>, array<i32: 2>, array<i32: 0>, array<i32: 0>, array<i32: 0>], warps []>
func.func @mixed_axis(%n: i32) attributes {tile.kernel} {
  %v = tile.splat %n : i32 -> tensor<4x2xi32, #mixed>
  // expected-error @+1 {{cannot combine along axis 1 of a tile whose layout mixes dimensions}}
  %s = tile.reduce %v axis 1 : (tensor<4x2xi32, #mixed>) -> tensor<4xi32, #result> {
  ^bb0(%a: i32, %b: i32):
    %c = arith.addi %a, %b : i32
    tile.yield %c : i32
  }
  return
}

// -----

#rows = #tile.layout<1, registers [array<i32: 1>, array<i32: 64>, array<i32: 128>, array<i32: 256>, array<i32: 512>, array<i32: 1024>, array<i32: 2048>, array<i32: 4096>, array<i32: 8192>, array<i32: 16384>], lanes [array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>, array<i32: 32>], warps []>
#other = #tile.layout<1, registers [array<i32: 32>, array<i32: 64>, array<i32: 128>, array<i32: 256>, array<i32: 512>, array<i32: 1024>, array<i32: 2048>, array<i32: 4096>, array<i32: 8192>, array<i32: 16384>], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
func.func @shared_memory(%n: i64) attributes {tile.kernel} {
  %v = tile.splat %n : i64 -> tensor<32768xi64, #rows>
  // expected-error @+1 {{the tiles that must be in shared memory here take 262144 bytes and the GPU has 166912 bytes; use smaller blocks or fewer stages}}
  %w = tile.convert_layout %v : tensor<32768xi64, #rows> -> tensor<32768xi64, #other>
  return
}
