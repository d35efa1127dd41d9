// Ops that look elements up, join and split tiles, call assembly, print and assert.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -inlay-tile-to-gpu -cse | FileCheck %s

// An index is cut to the tile, so that no access leaves it.
// CHECK-LABEL: func.func @gather
func.func @gather(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 128 : tensor<128xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<128x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<128x!tile.ptr<i32>>, tensor<128xi32>
  %v = tile.load %a : tensor<128x!tile.ptr<i32>> -> tensor<128xi32>
  // CHECK: llvm.store %[[V:.*]], %{{.*}} : i32, !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK: %[[INDEX:.*]] = arith.andi %[[V]], %c127_i32
  // CHECK: llvm.load {{.*}} !llvm.ptr<3> -> i32
  %g = tile.gather %v, %v axis 0 : tensor<128xi32>, tensor<128xi32> -> tensor<128xi32>
  tile.store %a, %g : tensor<128x!tile.ptr<i32>>, tensor<128xi32>
  return
}

// -----

// CHECK-LABEL: func.func @histogram
func.func @histogram(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 64 : tensor<64xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<64x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<64x!tile.ptr<i32>>, tensor<64xi32>
  %v = tile.load %a : tensor<64x!tile.ptr<i32>> -> tensor<64xi32>
  // CHECK: nvvm.barrier0
  // CHECK: arith.cmpi ult, %{{.*}}, %c8_i32
  // CHECK: scf.if
  // CHECK: llvm.atomicrmw add {{.*}} !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK: llvm.load {{.*}} !llvm.ptr<3> -> i32
  %h = tile.histogram %v : tensor<64xi32> -> tensor<8xi32>
  %r8 = tile.arange 0 to 8 : tensor<8xi32>
  %ps8 = tile.splat %p : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  %a8 = tile.addptr %ps8, %r8 : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  tile.store %a8, %h : tensor<8x!tile.ptr<i32>>, tensor<8xi32>
  return
}

// -----

// Join makes neighbours in a thread, and splitting them again moves nothing.
// CHECK-LABEL: func.func @pairs
func.func @pairs(%p: !tile.ptr<i32>, %q: !tile.ptr<i32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 128 : tensor<128xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<128x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<128x!tile.ptr<i32>>, tensor<128xi32>
  // CHECK: %[[V:.*]] = llvm.load %{{.*}} : !llvm.ptr<1> -> i32
  %v = tile.load %a : tensor<128x!tile.ptr<i32>> -> tensor<128xi32>
  %j = tile.join %r, %v : tensor<128xi32> -> tensor<128x2xi32>
  %lhs, %rhs = tile.split %j : tensor<128x2xi32> -> tensor<128xi32>
  // CHECK-NOT: nvvm.barrier0
  // CHECK: llvm.store %[[V]], %{{.*}} : i32, !llvm.ptr<1>
  tile.store %a, %rhs : tensor<128x!tile.ptr<i32>>, tensor<128xi32>
  return
}

// -----

// Four bytes in one 32-bit operand.
// CHECK-LABEL: func.func @assembly
module attributes {tile.num_warps = 1 : i32} {
  func.func @assembly(%p: !tile.ptr<i8>) attributes {tile.kernel} {
    %r = tile.arange 0 to 128 : tensor<128xi32>
    %ps = tile.splat %p : !tile.ptr<i8> -> tensor<128x!tile.ptr<i8>>
    %a = tile.addptr %ps, %r : tensor<128x!tile.ptr<i8>>, tensor<128xi32>
    %v = tile.load %a : tensor<128x!tile.ptr<i8>> -> tensor<128xi8>
    // CHECK: %[[OUT:.*]] = llvm.inline_asm "// inline_asm 0\0Anot.b32 $0, $1;", "=r,r" %{{.*}} : (i32) -> i32
    // CHECK-NOT: llvm.inline_asm "{{.*}}not
    // CHECK: arith.trunci %[[OUT]] : i32 to i8
    %w = tile.inline_asm "not.b32 $0, $1;", "=r,r" pack 4 pure (%v) : (tensor<128xi8>) -> tensor<128xi8>
    tile.store %a, %w : tensor<128x!tile.ptr<i8>>, tensor<128xi8>
    return
  }
}

// -----

// CHECK-DAG: llvm.mlir.global internal constant @inlay_text_{{.*}}("pid (%d, %d, %d) idx (%d) 100%%: %d\0A\00")
// CHECK-DAG: llvm.func @vprintf(!llvm.ptr, !llvm.ptr) -> i32
// CHECK-DAG: llvm.func @__assertfail(!llvm.ptr, !llvm.ptr, i32, !llvm.ptr, i64)
// CHECK-LABEL: func.func @diagnosis
func.func @diagnosis(%n: i32) attributes {tile.kernel} {
  %r = tile.arange 0 to 128 : tensor<128xi32>
  // CHECK: llvm.call @vprintf
  tile.print "100%" (%r) signed [1] : tensor<128xi32>
  %ns = tile.splat %n : i32 -> tensor<128xi32>
  %m = arith.cmpi slt, %r, %ns : tensor<128xi32>
  // CHECK: scf.if
  // CHECK: llvm.call @__assertfail
  tile.assert %m, "too many" : tensor<128xi1>
  return
}

// -----

// CHECK: llvm.mlir.global internal constant @inlay_table_0(dense<[3, 1, 4, 1]> : tensor<4xi32>)
// CHECK-LABEL: func.func @table
func.func @table(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 4 : tensor<4xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<4x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<4x!tile.ptr<i32>>, tensor<4xi32>
  // CHECK: llvm.load %{{.*}} : !llvm.ptr<1> -> i32
  %t = arith.constant dense<[3, 1, 4, 1]> : tensor<4xi32>
  tile.store %a, %t : tensor<4x!tile.ptr<i32>>, tensor<4xi32>
  return
}
