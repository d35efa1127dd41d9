// Loads and stores of one thread.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -cse -inlay-tile-to-gpu -cse | FileCheck %s

// Aligned and unmasked: plain vectors, which LLVM knows.
// CHECK-LABEL: func.func @aligned(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr<1>)
func.func @aligned(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  // CHECK: %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x : i32
  // CHECK: %[[FOUR:.*]] = arith.constant 4 : i32
  // CHECK: %[[FIRST:.*]] = arith.muli %[[TID]], %[[FOUR]] overflow<nsw, nuw> : i32
  %r = tile.arange 0 to 512 : tensor<512xi32>
  // CHECK: %[[OFFSET:.*]] = arith.extsi %[[FIRST]] : i32 to i64
  // CHECK: %[[A:.*]] = llvm.getelementptr inbounds %[[P]][%[[OFFSET]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
  // CHECK: llvm.load %[[A]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
  %v = tile.load %a : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
  // CHECK: llvm.store %{{.*}}, %[[A]] {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
  // CHECK-NOT: llvm.store
  tile.store %a, %v : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  // CHECK: return
  return
}

// -----

// A mask that is the same for a whole vector: one predicated access, no other.
// CHECK-LABEL: func.func @uniform_mask
func.func @uniform_mask(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32 {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 512 : tensor<512xi32>
  %ns = tile.splat %n : i32 -> tensor<512xi32>
  %mask = arith.cmpi slt, %r, %ns : tensor<512xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<512x!tile.ptr<f32>>, tensor<512xi32>
  // CHECK: llvm.inline_asm has_side_effects "@$5 ld.global.v4.b32 { $0, $1, $2, $3 }, [$4];", "=r,=r,=r,=r,l,b,0,1,2,3"
  // CHECK-NOT: ld.global
  %v = tile.load %a mask %mask : tensor<512x!tile.ptr<f32>> mask tensor<512xi1> -> tensor<512xf32>
  // CHECK: llvm.inline_asm has_side_effects "@$5 st.global.v4.b32 [$4], { $0, $1, $2, $3 };", "r,r,r,r,l,b,~{memory}"
  // CHECK-NOT: st.global
  tile.store %a, %v mask %mask : tensor<512x!tile.ptr<f32>>, tensor<512xf32> mask tensor<512xi1>
  // CHECK: return
  return
}

// -----

// Any other mask: the vector where all its elements are wanted, else each by itself.
// CHECK-LABEL: func.func @mask
func.func @mask(%p: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ns = tile.splat %n : i32 -> tensor<256xi32>
  // CHECK: %[[M0:.*]] = arith.cmpi slt
  // CHECK: %[[M1:.*]] = arith.cmpi slt
  %mask = arith.cmpi slt, %r, %ns : tensor<256xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  // CHECK: %[[OTHER:.*]] = arith.constant 2.500000e+00 : f32
  %other = arith.constant dense<2.5> : tensor<256xf32>
  // CHECK: %[[ALL:.*]] = arith.andi %[[M0]], %[[M1]] : i1
  // CHECK: %[[BITS:.*]] = llvm.bitcast %[[OTHER]] : f32 to i32
  // CHECK: %[[PAIR:.*]] = llvm.inline_asm has_side_effects "@$3 ld.global.v2.b32 { $0, $1 }, [$2];", "=r,=r,l,b,0,1" %{{.*}}, %[[ALL]], %[[BITS]], %[[BITS]]
  // CHECK: %[[NOTALL:.*]] = arith.xori %[[ALL]], %{{.*}} : i1
  // CHECK: %[[ONLY0:.*]] = arith.andi %[[NOTALL]], %[[M0]] : i1
  // CHECK: llvm.inline_asm has_side_effects "@$2 ld.global.b32 $0, [$1];", "=r,l,b,0" %{{.*}}, %[[ONLY0]],
  // CHECK: %[[ONLY1:.*]] = arith.andi %[[NOTALL]], %[[M1]] : i1
  // CHECK: llvm.inline_asm has_side_effects "@$2 ld.global.b32 $0, [$1];", "=r,l,b,0" %{{.*}}, %[[ONLY1]],
  %v = tile.load %a mask %mask other %other : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> other tensor<256xf32> -> tensor<256xf32>
  // CHECK: "@$3 st.global.v2.b32 [$2], { $0, $1 };", "r,r,l,b,~{memory}" %{{.*}}, %[[ALL]]
  // CHECK: "@$2 st.global.b32 [$1], $0;", "r,l,b,~{memory}" %{{.*}}, %[[ONLY0]]
  // CHECK: "@$2 st.global.b32 [$1], $0;", "r,l,b,~{memory}" %{{.*}}, %[[ONLY1]]
  tile.store %a, %v mask %mask : tensor<256x!tile.ptr<f32>>, tensor<256xf32> mask tensor<256xi1>
  return
}

// -----

// Neighbours at an address of which nothing is known: the code asks whether the vector is aligned.
// CHECK-LABEL: func.func @unaligned
func.func @unaligned(%p: !tile.ptr<f32>) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %p : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %a = tile.addptr %ps, %r : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  // CHECK: %[[ADDRESS:.*]] = llvm.ptrtoint
  // CHECK: %[[SEVEN:.*]] = arith.constant 7 : i64
  // CHECK: %[[REST:.*]] = arith.andi %[[ADDRESS]], %[[SEVEN]] : i64
  // CHECK: %[[ALIGNED:.*]] = arith.cmpi eq, %[[REST]], %{{.*}} : i64
  // CHECK: "@$3 ld.global.v2.b32 { $0, $1 }, [$2];", "=r,=r,l,b,0,1" %{{.*}}, %[[ALIGNED]]
  // CHECK-COUNT-2: "@$2 ld.global.b32 $0, [$1];"
  %v = tile.load %a : tensor<256x!tile.ptr<f32>> -> tensor<256xf32>
  // CHECK: "@$3 st.global.v2.b32 [$2], { $0, $1 };", "r,r,l,b,~{memory}" %{{.*}}, %[[ALIGNED]]
  // CHECK-COUNT-2: "@$2 st.global.b32 [$1], $0;"
  tile.store %a, %v : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
  return
}

// -----

// Elements narrower than a word are packed; a byte goes through a register of 16 bits.
// CHECK-LABEL: func.func @narrow
func.func @narrow(%p: !tile.ptr<f16> {tile.divisibility = 16 : i64}, %q: !tile.ptr<i8>, %n: i32 {tile.divisibility = 16 : i64}) attributes {tile.kernel} {
  %r = tile.arange 0 to 1024 : tensor<1024xi32>
  %ns = tile.splat %n : i32 -> tensor<1024xi32>
  %mask = arith.cmpi slt, %r, %ns : tensor<1024xi32>
  %ps = tile.splat %p : !tile.ptr<f16> -> tensor<1024x!tile.ptr<f16>>
  %a = tile.addptr %ps, %r : tensor<1024x!tile.ptr<f16>>, tensor<1024xi32>
  // CHECK: "@$5 ld.global.v4.b32 { $0, $1, $2, $3 }, [$4];"
  // CHECK: llvm.bitcast %{{.*}} : i32 to vector<2xi16>
  %v = tile.load %a mask %mask : tensor<1024x!tile.ptr<f16>> mask tensor<1024xi1> -> tensor<1024xf16>
  // CHECK: llvm.bitcast %{{.*}} : vector<2xi16> to i32
  // CHECK: "@$5 st.global.v4.b32 [$4], { $0, $1, $2, $3 };"
  tile.store %a, %v mask %mask : tensor<1024x!tile.ptr<f16>>, tensor<1024xf16> mask tensor<1024xi1>
  %scalar = arith.constant true
  // CHECK: "@$2 ld.global.b8 $0, [$1];", "=h,l,b,0"
  // CHECK: arith.trunci %{{.*}} : i16 to i8
  %w = tile.load %q mask %scalar : !tile.ptr<i8> mask i1 -> i8
  // CHECK: "@$2 st.global.b8 [$1], $0;", "h,l,b,~{memory}"
  tile.store %q, %w : !tile.ptr<i8>, i8
  return
}

// -----

// i1 is a byte in memory, as a parameter too.
// CHECK-LABEL: func.func @booleans(
// CHECK-SAME: %{{.*}}: !llvm.ptr<1>, %[[FLAG:.*]]: i8)
func.func @booleans(%p: !tile.ptr<i1>, %flag: i1) attributes {tile.kernel} {
  // CHECK: %[[BOOL:.*]] = arith.cmpi ne, %[[FLAG]], %{{.*}} : i8
  // CHECK: arith.extui %[[BOOL]] : i1 to i8
  // CHECK: "@$2 st.global.b8 [$1], $0;", "h,l,b,~{memory}"
  tile.store %p, %flag : !tile.ptr<i1>, i1
  return
}

// -----

// Only one of the threads that hold an element stores it.
// CHECK-LABEL: func.func @owners
func.func @owners(%p: !tile.ptr<i32>, %q: !tile.ptr<i32>, %v: i32) attributes {tile.kernel} {
  // CHECK: %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x
  %r = tile.arange 0 to 16 : tensor<16xi32>
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<16x!tile.ptr<i32>>
  %a = tile.addptr %ps, %r : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
  // Lanes 16 to 31 and warps 1 to 3 hold copies.
  // CHECK: %[[FREE:.*]] = arith.constant 112 : i32
  // CHECK: %[[COPY:.*]] = arith.andi %[[TID]], %[[FREE]] : i32
  // CHECK: %[[OWNER:.*]] = arith.cmpi eq, %[[COPY]], %{{.*}} : i32
  // CHECK: st.global.b32 {{.*}}, %[[OWNER]]
  tile.store %a, %r : tensor<16x!tile.ptr<i32>>, tensor<16xi32>
  // CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[TID]], %{{.*}} : i32
  // CHECK: st.global.b32 {{.*}}, %[[FIRST]]
  tile.store %q, %v : !tile.ptr<i32>, i32
  return
}

// -----

// Cache operators and priorities. PTX takes one of them in an instruction.
// CHECK-LABEL: func.func @modifiers
func.func @modifiers(%p: !tile.ptr<i32>, %q: !tile.ptr<i32>) attributes {tile.kernel} {
  // CHECK: "ld.global.cg.b32 $0, [$1];", "=r,l"
  %a = tile.load %p cache cg : !tile.ptr<i32> -> i32
  // CHECK: "ld.global.L1::evict_last.b32 $0, [$1];"
  %b = tile.load %p evict evict_last : !tile.ptr<i32> -> i32
  // CHECK: "ld.global.ca.b32 $0, [$1];"
  %c = tile.load %p cache ca evict evict_first : !tile.ptr<i32> -> i32
  // CHECK: "ld.volatile.global.b32 $0, [$1];"
  %d = tile.load %p cache cv volatile : !tile.ptr<i32> -> i32
  // CHECK: "@$2 st.global.wt.b32 [$1], $0;"
  tile.store %q, %a cache wt : !tile.ptr<i32>, i32
  tile.store %q, %c : !tile.ptr<i32>, i32
  // CHECK: "@$2 st.global.L1::evict_first.b32 [$1], $0;"
  tile.store %q, %b evict evict_first : !tile.ptr<i32>, i32
  return
}

// -----

// Registers that hold the same element are loaded once.
// CHECK-LABEL: func.func @replicated
#copies = #tile.layout<1, registers [array<i32: 0>], lanes [array<i32: 1>, array<i32: 2>, array<i32: 4>, array<i32: 8>, array<i32: 16>], warps []>
module attributes {tile.num_warps = 1 : i32} {
  func.func @replicated(%p: !tile.ptr<i32>) attributes {tile.kernel} {
    %ps = tile.splat %p : !tile.ptr<i32> -> tensor<32x!tile.ptr<i32>, #copies>
    // CHECK-COUNT-1: llvm.load
    // CHECK-NOT: llvm.load
    %v = tile.load %ps : tensor<32x!tile.ptr<i32>, #copies> -> tensor<32xi32, #copies>
    // CHECK-COUNT-1: arith.addi
    // CHECK-NOT: arith.addi
    %w = arith.addi %v, %v : tensor<32xi32, #copies>
    // CHECK-COUNT-1: llvm.store
    // CHECK-NOT: llvm.store
    tile.store %ps, %w : tensor<32x!tile.ptr<i32>, #copies>, tensor<32xi32, #copies>
    // CHECK: return
    return
  }
}
