// For tests and benchmarks: the tutorial's matrix product in tile IR.
#pragma once

#include "compiler/targets/cpu/CompiledKernel.h"

namespace inlay::testing {

/// The tutorial's matrix product: C[M, N] = A[M, K] · B[K, N], row-major, pointers carried by the
/// loop, rows and columns outside taken modulo.
inline std::string matmulBody(int m, int n, int k) {
  return fill(R"(
    %pm = tile.program_id 0 : i32
    %pn = tile.program_id 1 : i32
    %cm = arith.constant $M : i32
    %cn = arith.constant $N : i32
    %ck = arith.constant $K : i32
    %m0 = arith.muli %pm, %cm : i32
    %n0 = arith.muli %pn, %cn : i32
    %rm = tile.arange 0 to $M : tensor<$Mxi32>
    %rn = tile.arange 0 to $N : tensor<$Nxi32>
    %rk = tile.arange 0 to $K : tensor<$Kxi32>
    %m0s = tile.splat %m0 : i32 -> tensor<$Mxi32>
    %n0s = tile.splat %n0 : i32 -> tensor<$Nxi32>
    %cms = arith.addi %m0s, %rm : tensor<$Mxi32>
    %cns = arith.addi %n0s, %rn : tensor<$Nxi32>
    %Ms = tile.splat %M : i32 -> tensor<$Mxi32>
    %Ns = tile.splat %N : i32 -> tensor<$Nxi32>
    %am = arith.remsi %cms, %Ms : tensor<$Mxi32>
    %bn = arith.remsi %cns, %Ns : tensor<$Nxi32>
    // a pointers
    %am1 = tile.expand_dims %am, 1 : tensor<$Mxi32> -> tensor<$Mx1xi32>
    %Ks = tile.splat %K : i32 -> tensor<$Mx1xi32>
    %am2 = arith.muli %am1, %Ks : tensor<$Mx1xi32>
    %am3 = tile.broadcast %am2 : tensor<$Mx1xi32> -> tensor<$Mx$Kxi32>
    %rk1 = tile.expand_dims %rk, 0 : tensor<$Kxi32> -> tensor<1x$Kxi32>
    %rk2 = tile.broadcast %rk1 : tensor<1x$Kxi32> -> tensor<$Mx$Kxi32>
    %ao = arith.addi %am3, %rk2 : tensor<$Mx$Kxi32>
    %as = tile.splat %a : !tile.ptr<f32> -> tensor<$Mx$Kx!tile.ptr<f32>>
    %ap0 = tile.addptr %as, %ao : tensor<$Mx$Kx!tile.ptr<f32>>, tensor<$Mx$Kxi32>
    // b pointers
    %rkc = tile.expand_dims %rk, 1 : tensor<$Kxi32> -> tensor<$Kx1xi32>
    %Nk = tile.splat %N : i32 -> tensor<$Kx1xi32>
    %bk1 = arith.muli %rkc, %Nk : tensor<$Kx1xi32>
    %bk2 = tile.broadcast %bk1 : tensor<$Kx1xi32> -> tensor<$Kx$Nxi32>
    %bn1 = tile.expand_dims %bn, 0 : tensor<$Nxi32> -> tensor<1x$Nxi32>
    %bn2 = tile.broadcast %bn1 : tensor<1x$Nxi32> -> tensor<$Kx$Nxi32>
    %bo = arith.addi %bk2, %bn2 : tensor<$Kx$Nxi32>
    %bs = tile.splat %b : !tile.ptr<f32> -> tensor<$Kx$Nx!tile.ptr<f32>>
    %bp0 = tile.addptr %bs, %bo : tensor<$Kx$Nx!tile.ptr<f32>>, tensor<$Kx$Nxi32>
    %acc0 = arith.constant dense<0.0> : tensor<$Mx$Nxf32>
    %zero = arith.constant 0 : i32
    %stepa = arith.constant dense<$K> : tensor<$Mx$Kxi32>
    %kn = arith.muli %ck, %N : i32
    %stepb = tile.splat %kn : i32 -> tensor<$Kx$Nxi32>
    %other_a = arith.constant dense<0.0> : tensor<$Mx$Kxf32>
    %other_b = arith.constant dense<0.0> : tensor<$Kx$Nxf32>
    %acc, %apn, %bpn = scf.for %k = %zero to %K step %ck iter_args(%acc1 = %acc0, %ap = %ap0, %bp = %bp0)
        -> (tensor<$Mx$Nxf32>, tensor<$Mx$Kx!tile.ptr<f32>>, tensor<$Kx$Nx!tile.ptr<f32>>) : i32 {
      %left = arith.subi %K, %k : i32
      %lefta = tile.splat %left : i32 -> tensor<$Mx$Kxi32>
      %leftb = tile.splat %left : i32 -> tensor<$Kx1xi32>
      %amask = arith.cmpi slt, %rk2, %lefta : tensor<$Mx$Kxi32>
      %bmask0 = arith.cmpi slt, %rkc, %leftb : tensor<$Kx1xi32>
      %bmask = tile.broadcast %bmask0 : tensor<$Kx1xi1> -> tensor<$Kx$Nxi1>
      %at = tile.load %ap mask %amask other %other_a : tensor<$Mx$Kx!tile.ptr<f32>> mask tensor<$Mx$Kxi1> other tensor<$Mx$Kxf32> -> tensor<$Mx$Kxf32>
      %bt = tile.load %bp mask %bmask other %other_b : tensor<$Kx$Nx!tile.ptr<f32>> mask tensor<$Kx$Nxi1> other tensor<$Kx$Nxf32> -> tensor<$Kx$Nxf32>
      %acc2 = tile.dot %at, %bt, %acc1 : tensor<$Mx$Kxf32>, tensor<$Kx$Nxf32> -> tensor<$Mx$Nxf32>
      %ap2 = tile.addptr %ap, %stepa : tensor<$Mx$Kx!tile.ptr<f32>>, tensor<$Mx$Kxi32>
      %bp2 = tile.addptr %bp, %stepb : tensor<$Kx$Nx!tile.ptr<f32>>, tensor<$Kx$Nxi32>
      scf.yield %acc2, %ap2, %bp2 : tensor<$Mx$Nxf32>, tensor<$Mx$Kx!tile.ptr<f32>>, tensor<$Kx$Nx!tile.ptr<f32>>
    }
    %cm1 = tile.expand_dims %cms, 1 : tensor<$Mxi32> -> tensor<$Mx1xi32>
    %Nm = tile.splat %N : i32 -> tensor<$Mx1xi32>
    %Mm = tile.splat %M : i32 -> tensor<$Mx1xi32>
    %cm2 = arith.muli %cm1, %Nm : tensor<$Mx1xi32>
    %cm3 = tile.broadcast %cm2 : tensor<$Mx1xi32> -> tensor<$Mx$Nxi32>
    %cn1 = tile.expand_dims %cns, 0 : tensor<$Nxi32> -> tensor<1x$Nxi32>
    %cn2 = tile.broadcast %cn1 : tensor<1x$Nxi32> -> tensor<$Mx$Nxi32>
    %co = arith.addi %cm3, %cn2 : tensor<$Mx$Nxi32>
    %Nn = tile.splat %N : i32 -> tensor<1x$Nxi32>
    %mmask0 = arith.cmpi slt, %cm1, %Mm : tensor<$Mx1xi32>
    %nmask0 = arith.cmpi slt, %cn1, %Nn : tensor<1x$Nxi32>
    %mmask = tile.broadcast %mmask0 : tensor<$Mx1xi1> -> tensor<$Mx$Nxi1>
    %nmask = tile.broadcast %nmask0 : tensor<1x$Nxi1> -> tensor<$Mx$Nxi1>
    %cmask = arith.andi %mmask, %nmask : tensor<$Mx$Nxi1>
    %cs = tile.splat %c : !tile.ptr<f32> -> tensor<$Mx$Nx!tile.ptr<f32>>
    %cp = tile.addptr %cs, %co : tensor<$Mx$Nx!tile.ptr<f32>>, tensor<$Mx$Nxi32>
    tile.store %cp, %acc mask %cmask : tensor<$Mx$Nx!tile.ptr<f32>>, tensor<$Mx$Nxf32> mask tensor<$Mx$Nxi1>)",
              {{"$M", std::to_string(m)}, {"$N", std::to_string(n)}, {"$K", std::to_string(k)}});
}
inline constexpr const char *kMatmulArguments = "%a: !tile.ptr<f32>, %b: !tile.ptr<f32>, "
                                                "%c: !tile.ptr<f32>, %M: i32, %N: i32, %K: i32";

} // namespace inlay::testing
