// A kernel becomes a loop over programs with the CPU kernel ABI; its tiles become loops over vectors.
// RUN: inlay-opt %s -inlay-tile-to-cpu=vector-bytes=32 -canonicalize -cse | FileCheck %s
// RUN: inlay-opt %s "-inlay-tile-to-cpu=vector-bytes=64 masked-access" -canonicalize -cse | FileCheck %s --check-prefix=MASKED

// CHECK-LABEL: func.func @add_one(
// CHECK-SAME: %[[ARGUMENTS:.*]]: !llvm.ptr, %[[GRID:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// MASKED-LABEL: func.func @add_one(
func.func @add_one(%x: !tile.ptr<f32>, %n: i32, %y: !tile.ptr<f32>) attributes {tile.kernel} {
  // Each argument is behind a pointer of the array.
  // CHECK: %[[SLOT:.*]] = llvm.load %[[ARGUMENTS]] {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
  // CHECK: %[[X:.*]] = llvm.load %[[SLOT]] {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
  // CHECK: %[[N:.*]] = llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> i32
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  %c = arith.constant 256 : i32
  %pid = tile.program_id 0 : i32
  %start = arith.muli %pid, %c : i32
  %range = tile.arange 0 to 256 : tensor<256xi32>
  %starts = tile.splat %start : i32 -> tensor<256xi32>
  %offs = arith.addi %starts, %range : tensor<256xi32>
  %ns = tile.splat %n : i32 -> tensor<256xi32>
  // The mask is true of a prefix: vectors inside it need no mask …
  // CHECK: %[[LENGTH:.*]] = arith.maxsi
  // CHECK: %[[WHOLE:.*]] = arith.andi %[[LENGTH]], %c-16_i64 : i64
  %mask = arith.cmpi slt, %offs, %ns : tensor<256xi32>
  %xs = tile.splat %x : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %xp = tile.addptr %xs, %offs : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  // CHECK: scf.for %{{.*}} to %[[WHOLE]] step %c16_i64
  // CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  // CHECK: arith.addf %{{.*}} : vector<16xf32>
  // CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
  // … the rest goes element by element, or masked.
  // CHECK: scf.for %{{.*}} = %[[WHOLE]] to %[[LENGTH]] step %c1_i64
  // CHECK: scf.if
  // CHECK: llvm.store %{{.*}} : f32, !llvm.ptr
  // MASKED: llvm.store %{{.*}} : vector<32xf32>, !llvm.ptr
  // MASKED: {{llvm.intr.masked.load|vector.maskedload}}
  // MASKED: {{llvm.intr.masked.store|vector.maskedstore}}
  %v = tile.load %xp mask %mask : tensor<256x!tile.ptr<f32>> mask tensor<256xi1> -> tensor<256xf32>
  %one = arith.constant dense<1.0> : tensor<256xf32>
  %r = arith.addf %v, %one : tensor<256xf32>
  %ys = tile.splat %y : !tile.ptr<f32> -> tensor<256x!tile.ptr<f32>>
  %yp = tile.addptr %ys, %offs : tensor<256x!tile.ptr<f32>>, tensor<256xi32>
  tile.store %yp, %r mask %mask : tensor<256x!tile.ptr<f32>>, tensor<256xf32> mask tensor<256xi1>
  return
}
