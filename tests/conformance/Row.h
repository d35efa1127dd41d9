// What a conformance row is: one kernel in the Triton language, how its arguments are made, and how
// close a device must come to the reference interpreter.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::conformance {

/// How the elements of a tensor are made. All but the first three are random, seeded by the row's
/// and the argument's name.
enum class Fill : uint8_t {
  Output,   // a value that no kernel computes by itself, so that what is not stored shows
  Zero,     //
  Index,    // 0, 1, 2, …
  Any,      // edge values of the type (NaN, infinities, denormals, INT_MIN …), then random ones
  Finite,   // as Any, without NaN and infinities
  Nonzero,  // as Finite, without 0, and without the smallest integer or -1
  Integers, // whole numbers from -4 to 3: sums of their products are exact in every order
  List,     // numbers that are written down
  Range,    // evenly between two numbers; integers below the second
};

/// An argument of the kernel: a tensor, or a number.
struct Argument {
  std::string name;
  DataType dtype = DataType::Float32;
  bool isTensor = true;
  std::vector<int64_t> shape;
  Fill fill = Fill::Zero;
  double low = 0, high = 0;      // Range
  std::vector<double> list = {}; // List
  double value = 0;              // of a number
};

/// Arguments by name: the elements of tensors, or one number.
using PlainValues = std::map<std::string, std::vector<double>>;
/// Computes the outputs in double precision, in place.
using PlainReference = void (*)(PlainValues &values);

/// One row of the table. Texts are in the short forms that parseArgumentList and parseConstexprs
/// read.
struct Row {
  std::string_view group = {}; // a name of Groups.def
  std::string name = {};       // within the group; must be unique there
  std::string source = {};     // a Python file's text
  std::string arguments = {};  // "Z=output:f32[128] X=any:i8[128] n=i32:100"
  std::string constexprs = {}; // "SIZE=128 ACTIVATION='relu'"
  /// |device - reference| <= atol + rtol * |reference|; 0 and 0 is exactly equal.
  double rtol = 0, atol = 0;
  int numWarps = 4;
  std::array<uint32_t, 3> grid{1, 1, 1};
  std::string function = "kernel";
  /// If not empty, the front end must refuse the kernel with a message that holds this.
  std::string error = {};
  /// If given, the interpreter's results must be within the tolerance of this too.
  PlainReference reference = nullptr;
  /// False for rows that have no equivalent among upstream's parametrizations of the group.
  bool isUpstream = true;

  std::string fullName() const { return std::string(group) + "/" + name; }
};

/// Reads "NAME=FILL:DTYPE[SIZE,…]" and "NAME=DTYPE:NUMBER" entries separated by blanks. FILL is
/// output, zero, index, any, finite, nonzero, integers, LOW..HIGH, or numbers A/B/…; DTYPE as in
/// signatures, with "f32" for "fp32". Errors: InvalidArgument naming the entry.
Result<std::vector<Argument>> parseArgumentList(std::string_view text);

/// Replaces every "$NAME" of a kernel's template.
std::string fillIn(std::string text, const std::map<std::string, std::string> &values);

} // namespace inlay::conformance
