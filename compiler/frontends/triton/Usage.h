// What a function's text does with its parameters, found without running it: the ground on which
// types are proposed for kernels whose launch is not at hand.
#pragma once

#include "compiler/frontends/triton/ModuleLoader.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace inlay::triton {

/// Facts about a value; several may hold, also contradicting ones.
enum class Use : uint16_t {
  Address = 1 << 0,       // loaded from, stored to, or the base of a block pointer
  Index = 1 << 1,         // part of an address, a loop bound, a size
  ConstantSize = 1 << 2,  // a shape, the bound of arange or static_range: known at compile time
  FloatMath = 1 << 3,     // exp, sqrt, division, arithmetic with float literals
  IntMath = 1 << 4,       // // % << >> & | ^ or compared with integers
  Condition = 1 << 5,     // a mask, the test of an if
  Dot = 1 << 6,           // an operand of a matrix product
  NoneTest = 1 << 7,      // compared with None
  StringTest = 1 << 8,    // compared with strings
  Dtype = 1 << 9,         // given where a dtype is expected
  Descriptor = 1 << 10,   // .load and .store of a tensor descriptor
  PointerTable = 1 << 11, // an integer turned into a pointer
  Unrolled = 1 << 12,     // the bound of a static_range: a body for each
  BitMath = 1 << 13       // & | ^ << >>, which floats have not
};

/// A set of Uses.
class Uses {
public:
  constexpr Uses() = default;
  constexpr Uses(Use use) : bits_(static_cast<uint16_t>(use)) {}
  constexpr bool has(Use use) const { return (bits_ & static_cast<uint16_t>(use)) != 0; }
  constexpr bool any() const { return bits_ != 0; }
  constexpr Uses operator|(Uses other) const { return Uses(bits_ | other.bits_); }
  constexpr Uses without(Uses other) const { return Uses(bits_ & ~other.bits_); }
  Uses &operator|=(Uses other) { return *this = *this | other; }

private:
  explicit constexpr Uses(int bits) : bits_(static_cast<uint16_t>(bits)) {}
  uint16_t bits_ = 0;
};
constexpr Uses operator|(Use a, Use b) { return Uses(a) | Uses(b); }

/// What is known of one parameter.
struct ParameterUse {
  Uses value;                    // of the parameter itself
  Uses element;                  // of what is loaded through it
  std::set<std::string> strings; // it is compared with these
  std::set<std::string> numbers; // integers that it is tested to be equal to, as they are written
  size_t rank = 0;               // of a descriptor: coordinates of its loads
  size_t tupleSize = 0;          // of a tuple: elements that are named; 0 if it seems to be none
  bool isUsed = false;
};

/// Follows names through assignments, operators and calls of helpers, forgetting order and
/// branches. Not thread-safe.
class UsageAnalysis {
public:
  /// `modules` finds helpers of other files; null: those of the same file only. Borrowed.
  explicit UsageAnalysis(ModuleLoader *modules);
  ~UsageAnalysis();

  /// One entry for each parameter, in order. The reference lives as long as the analysis.
  const std::vector<ParameterUse> &parameters(Module &module, const ModuleItem &item);
  /// Positions of the parameters that an expression at `span` of the function depends on, the
  /// nearest first.
  std::vector<size_t> dependencies(Module &module, const ModuleItem &item, Span span);
  /// As above for a local name; also what decides whether and how it is assigned.
  std::vector<size_t> dependencies(Module &module, const ModuleItem &item, const std::string &name);

private:
  class FunctionUsage;
  FunctionUsage *analyse(Module &module, const ModuleItem &item);
  /// The function that a dotted name means in a module, if it is one that can be read.
  struct Callee {
    Module *module;
    const ModuleItem *item;
  };
  std::optional<Callee> resolve(Module &module, const std::string &name, int depth = 0);

  ModuleLoader *modules_;
  std::map<const ModuleItem *, std::unique_ptr<FunctionUsage>> functions_;
  std::set<const ModuleItem *> inProgress_;
};

} // namespace inlay::triton
