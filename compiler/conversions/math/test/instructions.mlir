// What is expanded depends on the target's instructions.
// RUN: inlay-opt %s -inlay-math-expansion | FileCheck %s --check-prefixes=CHECK,HAS
// RUN: inlay-opt %s "-inlay-math-expansion=fma=false f16-conversion=false" | FileCheck %s --check-prefixes=CHECK,LACKS

// CHECK-LABEL: func.func @fma
func.func @fma(%x: f32) -> (f32, f32) {
  // HAS: math.fma
  // LACKS-NOT: math.fma
  %a = math.fma %x, %x, %x : f32
  %b = math.exp %x : f32
  // CHECK: return
  return %a, %b : f32, f32
}

// CHECK-LABEL: func.func @half
func.func @half(%x: f16, %y: f32) -> (f32, f16) {
  // HAS-NEXT: arith.extf
  // HAS-NEXT: arith.truncf
  // LACKS-NOT: arith.{{extf|truncf}}
  %a = arith.extf %x : f16 to f32
  %b = arith.truncf %y : f32 to f16
  // CHECK: return
  return %a, %b : f32, f16
}

// bf16 is the upper half of an f32, everywhere by integers.
// CHECK-LABEL: func.func @bfloat
func.func @bfloat(%x: bf16, %y: f32) -> (f32, bf16) {
  // CHECK-NOT: arith.{{extf|truncf}}
  // CHECK: arith.bitcast %{{.*}} : bf16 to i16
  // CHECK: arith.shli
  // CHECK: arith.bitcast %{{.*}} : i16 to bf16
  // CHECK: return
  %a = arith.extf %x : bf16 to f32
  %b = arith.truncf %y : f32 to bf16
  return %a, %b : f32, bf16
}
