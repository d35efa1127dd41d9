// Functions become arithmetic on scalars and vectors; what every target has stays.
// RUN: inlay-opt %s -inlay-math-expansion | FileCheck %s --implicit-check-not=math.exp --implicit-check-not=math.tanh --implicit-check-not=math.log --implicit-check-not=math.pow --implicit-check-not=math.sin --implicit-check-not=math.erf --implicit-check-not=math.atan --implicit-check-not=arith.remf --implicit-check-not=math.rsqrt

// CHECK-LABEL: func.func @scalars
// CHECK: math.fma %{{.*}} : f32
// CHECK: return
func.func @scalars(%x: f32, %y: f32) -> (f32, f32, f32, f32, f32) {
  %a = math.exp %x : f32
  %b = math.rsqrt %x : f32
  %c = math.powf %x, %y : f32
  %d = arith.remf %x, %y : f32
  %e = math.sin %x : f32
  return %a, %b, %c, %d, %e : f32, f32, f32, f32, f32
}

// CHECK-LABEL: func.func @vectors
// CHECK-NOT: : f32
// CHECK: math.fma %{{.*}} : vector<8xf32>
// CHECK: return
func.func @vectors(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %a = math.tanh %x : vector<8xf32>
  %b = math.log %x : vector<8xf32>
  %c = math.erf %x : vector<8xf32>
  return %a, %b, %c : vector<8xf32>, vector<8xf32>, vector<8xf32>
}

// CHECK-LABEL: func.func @doubles
// CHECK: math.fma %{{.*}} : f64
// CHECK: return
func.func @doubles(%x: f64, %y: f64) -> (f64, f64) {
  %a = math.exp %x : f64
  %b = math.atan2 %y, %x : f64
  return %a, %b : f64, f64
}

// CHECK-LABEL: func.func @kept
func.func @kept(%x: f32, %y: f32) -> (f32, f32, f32, f32, f32) {
  // CHECK-NEXT: math.sqrt
  %a = math.sqrt %x : f32
  // CHECK-NEXT: math.trunc
  %b = math.trunc %x : f32
  // CHECK-NEXT: math.absf
  %c = math.absf %x : f32
  // CHECK-NEXT: math.copysign
  %d = math.copysign %x, %y : f32
  // CHECK-NEXT: math.fma
  %e = math.fma %x, %y, %x : f32
  // CHECK-NEXT: return
  return %a, %b, %c, %d, %e : f32, f32, f32, f32, f32
}

// LLVM would convert bfloat16 to f32 and back with a call.
// CHECK-LABEL: func.func @chosen
func.func @chosen(%c: i1, %p: bf16, %q: bf16) -> bf16 {
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : i16
  %a = arith.select %c, %p, %q : bf16
  // CHECK: return
  return %a : bf16
}
