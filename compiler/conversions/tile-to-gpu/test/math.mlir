// Math that the hardware has an instruction for, where the kernel allows its error.
// RUN: inlay-opt %s -inlay-gpu-math-expansion | FileCheck %s

// CHECK-LABEL: func.func @approximate
func.func @approximate(%x: f32, %y: f32) -> (f32, f32, f32, f32, f32) {
  // CHECK: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%{{.*}}, %{{.*}})
  %a = arith.divf %x, %y fastmath<afn> : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.sqrt.approx.f"
  %b = math.sqrt %x fastmath<afn> : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"
  %c = math.exp2 %x fastmath<afn> : f32
  // CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[LOG2E]] : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"(%[[SCALED]])
  %d = math.exp %x fastmath<afn> : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.f"
  %e = math.rsqrt %x : f32
  return %a, %b, %c, %d, %e : f32, f32, f32, f32, f32
}

// Without the flag, and in f64, results are rounded as elsewhere.
// CHECK-LABEL: func.func @precise
func.func @precise(%x: f32, %y: f32, %z: f64) -> (f32, f32, f32, f64) {
  // CHECK-NOT: nvvm
  // CHECK: arith.divf
  %a = arith.divf %x, %y : f32
  // CHECK: math.sqrt
  %b = math.sqrt %x : f32
  %c = math.exp %x : f32
  // CHECK: arith.divf {{.*}} : f64
  %d = arith.divf %z, %z fastmath<afn> : f64
  return %a, %b, %c, %d : f32, f32, f32, f64
}

// Conversions of 8-bit floats and toward zero are integer arithmetic; the others are instructions.
// CHECK-LABEL: func.func @conversions
func.func @conversions(%x: f32, %e: f8E4M3FN) -> (bf16, bf16, f16, f8E5M2, f32) {
  // CHECK: %[[NEAREST:.*]] = arith.truncf %{{.*}} : f32 to bf16
  %a = arith.truncf %x : f32 to bf16
  // CHECK-NOT: arith.truncf
  // CHECK-NOT: arith.extf
  // CHECK: arith.bitcast %{{.*}} : i16 to bf16
  // CHECK: arith.bitcast %{{.*}} : i16 to f16
  // CHECK: arith.bitcast %{{.*}} : i8 to f8E5M2
  %b = arith.truncf %x toward_zero : f32 to bf16
  %c = arith.truncf %x toward_zero : f32 to f16
  %d = arith.truncf %x : f32 to f8E5M2
  // CHECK: arith.bitcast %{{.*}} : f8E4M3FN to i8
  %f = arith.extf %e : f8E4M3FN to f32
  // CHECK: return %[[NEAREST]]
  return %a, %b, %c, %d, %f : bf16, bf16, f16, f8E5M2, f32
}
