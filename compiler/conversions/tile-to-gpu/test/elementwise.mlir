// Arithmetic, casts, control flow and program indices of one thread.
// RUN: inlay-opt %s -split-input-file -tile-assign-layouts -cse -inlay-tile-to-gpu -cse | FileCheck %s

// 16-bit floats are computed in f32 and rounded after each op.
// CHECK-LABEL: func.func @narrow_floats
func.func @narrow_floats(%p: !tile.ptr<f16>, %q: !tile.ptr<bf16>, %f: f16) attributes {tile.kernel} {
  // CHECK: arith.bitcast %{{.*}} : i16 to f16
  %v = tile.load %p : !tile.ptr<f16> -> f16
  // CHECK: %[[A:.*]] = arith.extf %{{.*}} : f16 to f32
  // CHECK: %[[B:.*]] = arith.extf %{{.*}} : f16 to f32
  // CHECK: %[[SUM:.*]] = arith.addf %[[A]], %[[B]] fastmath<contract> : f32
  // CHECK: %[[ROUNDED:.*]] = arith.truncf %[[SUM]] : f32 to f16
  %w = arith.addf %v, %f fastmath<contract> : f16
  // CHECK: %[[C:.*]] = arith.extf %[[ROUNDED]] : f16 to f32
  // CHECK: %[[D:.*]] = math.exp %[[C]] : f32
  // CHECK: %[[E:.*]] = arith.truncf %[[D]] : f32 to f16
  %x = math.exp %w : f16
  // A comparison widens its operands, its result is what it is.
  // CHECK: arith.cmpf olt, %{{.*}}, %{{.*}} : f32
  %c = arith.cmpf olt, %x, %w : f16
  // A choice takes them as they are.
  // CHECK: arith.select %{{.*}}, %[[E]], %[[ROUNDED]] : f16
  %y = arith.select %c, %x, %w : f16
  tile.store %p, %y : !tile.ptr<f16>, f16
  // CHECK: arith.extf %{{.*}} : f16 to f32
  %z = arith.extf %y : f16 to f32
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  %b = arith.truncf %z : f32 to bf16
  tile.store %q, %b : !tile.ptr<bf16>, bf16
  return
}

// -----

// CHECK-LABEL: func.func @program
func.func @program(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  // CHECK: nvvm.read.ptx.sreg.ctaid.x
  %x = tile.program_id 0 : i32
  // CHECK: nvvm.read.ptx.sreg.ctaid.z
  %z = tile.program_id 2 : i32
  // CHECK: nvvm.read.ptx.sreg.nctaid.y
  %n = tile.num_programs 1 : i32
  %a = arith.addi %x, %z : i32
  %b = arith.addi %a, %n : i32
  // CHECK: nvvm.barrier
  tile.barrier
  tile.store %p, %b : !tile.ptr<i32>, i32
  return
}

// -----

// The start is added last, for the parts of a coordinate combine by exclusive or.
// CHECK-LABEL: func.func @range
func.func @range(%p: !tile.ptr<i32>) attributes {tile.kernel} {
  %ps = tile.splat %p : !tile.ptr<i32> -> tensor<128x!tile.ptr<i32>>
  // CHECK: %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x
  // CHECK: %[[START:.*]] = arith.constant -3 : i32
  // CHECK: arith.addi %[[TID]], %[[START]] : i32
  %r = tile.arange -3 to 125 : tensor<128xi32>
  tile.store %ps, %r : tensor<128x!tile.ptr<i32>>, tensor<128xi32>
  return
}

// -----

// Pointers: offsets are signed and count elements; casts are free.
// CHECK-LABEL: func.func @pointers(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr<1>, %[[I:.*]]: i8)
func.func @pointers(%p: !tile.ptr<!tile.ptr<i16>>, %i: i8) attributes {tile.kernel} {
  // CHECK: %[[WIDE:.*]] = arith.extsi %[[I]] : i8 to i64
  // CHECK: llvm.getelementptr inbounds %[[P]][%[[WIDE]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, !llvm.ptr<1>
  %a = tile.addptr %p, %i : !tile.ptr<!tile.ptr<i16>>, i8
  // CHECK: %[[Q:.*]] = llvm.load %{{.*}} -> !llvm.ptr<1>
  %q = tile.load %a : !tile.ptr<!tile.ptr<i16>> -> !tile.ptr<i16>
  // CHECK: %[[N:.*]] = llvm.ptrtoint %[[Q]] : !llvm.ptr<1> to i64
  %n = tile.ptr_to_int %q : !tile.ptr<i16> -> i64
  // CHECK: llvm.inttoptr %[[N]] : i64 to !llvm.ptr<1>
  %r = tile.int_to_ptr %n : i64 -> !tile.ptr<f32>
  %s = tile.ptr_cast %r : !tile.ptr<f32> -> !tile.ptr<i64>
  tile.store %s, %n : !tile.ptr<i64>, i64
  return
}

// -----

// A tile that a loop carries is as many scalars as it has registers.
// CHECK-LABEL: func.func @loop
func.func @loop(%x: !tile.ptr<f32> {tile.divisibility = 16 : i64}, %n: i32) attributes {tile.kernel} {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  %zeros = arith.constant dense<0.0> : tensor<256xf32>
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %x : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %p = tile.addptr %ps, %r : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  // CHECK: %[[SUM:.*]]:3 = scf.for {{.*}} iter_args(%[[S0:.*]] = %[[ZERO]], %[[S1:.*]] = %[[ZERO]], %[[K:.*]] = %{{.*}}) -> (f32, f32, i32)
  %sum, %last = scf.for %i = %zero to %n step %one iter_args(%s = %zeros, %k = %zero) -> (tensor<256xf32>, i32) : i32 {
    %v = tile.load %p : tensor<256x!tile.ptr<f32>> -> tensor<256xf32>
    // CHECK: arith.addf %[[S0]]
    // CHECK: arith.addf %[[S1]]
    %t = arith.addf %s, %v : tensor<256xf32>
    // CHECK: scf.yield %{{.*}}, %{{.*}}, %{{.*}} : f32, f32, i32
    scf.yield %t, %i : tensor<256xf32>, i32
  }
  // CHECK: llvm.insertelement %[[SUM]]#0
  // CHECK: llvm.insertelement %[[SUM]]#1
  tile.store %p, %sum : tensor<256x!tile.ptr<f32>>, tensor<256xf32>
  return
}

// -----

// CHECK-LABEL: func.func @branch
func.func @branch(%x: !tile.ptr<i32>, %c: i1) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %x : !tile.ptr<i32> -> tensor<256x!tile.ptr<i32>>
  // CHECK: %[[V:.*]]:2 = scf.if %{{.*}} -> (i32, i32)
  %v = scf.if %c -> (tensor<256xi32>) {
    // CHECK: scf.yield %{{.*}}, %{{.*}} : i32, i32
    scf.yield %r : tensor<256xi32>
  } else {
    %s = arith.addi %r, %r : tensor<256xi32>
    scf.yield %s : tensor<256xi32>
  }
  // CHECK: llvm.store %[[V]]#0
  // CHECK: llvm.store %[[V]]#1
  tile.store %ps, %v : tensor<256x!tile.ptr<i32>>, tensor<256xi32>
  // CHECK: scf.if
  scf.if %c {
    tile.store %ps, %r : tensor<256x!tile.ptr<i32>>, tensor<256xi32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @while
func.func @while(%x: !tile.ptr<i32>, %n: i32) attributes {tile.kernel} {
  %r = tile.arange 0 to 256 : tensor<256xi32>
  %ps = tile.splat %x : !tile.ptr<i32> -> tensor<256x!tile.ptr<i32>>
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // CHECK: scf.while (%[[T0:.*]] = %{{.*}}, %[[T1:.*]] = %{{.*}}, %[[I:.*]] = %{{.*}}) : (i32, i32, i32) -> (i32, i32, i32)
  %v, %last = scf.while (%t = %r, %i = %zero) : (tensor<256xi32>, i32) -> (tensor<256xi32>, i32) {
    %more = arith.cmpi slt, %i, %n : i32
    // CHECK: scf.condition(%{{.*}}) %[[T0]], %[[T1]], %[[I]] : i32, i32, i32
    scf.condition(%more) %t, %i : tensor<256xi32>, i32
  } do {
  ^bb0(%t: tensor<256xi32>, %i: i32):
    %u = arith.addi %t, %t : tensor<256xi32>
    %j = arith.addi %i, %one : i32
    scf.yield %u, %j : tensor<256xi32>, i32
  }
  tile.store %ps, %v : tensor<256x!tile.ptr<i32>>, tensor<256xi32>
  return
}
