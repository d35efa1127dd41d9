// What the CPU compiler refuses.
// RUN: inlay-opt %s -split-input-file -verify-diagnostics -inlay-tile-to-cpu

// expected-error @+1 {{the module holds no kernel (func.func with tile.kernel)}}
module {
}

// -----

func.func @a() attributes {tile.kernel} {
  return
}
// expected-error @+1 {{a module must hold one kernel; 'b' is another}}
func.func @b() attributes {tile.kernel} {
  return
}

// -----

func.func @type(%n: i128) attributes {tile.kernel} {
  // expected-error @+1 {{type 'i128' cannot be compiled for the CPU yet}}
  %v = arith.addi %n, %n : i128
  return
}
