// Makes the launches of kernels in ops/.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <initializer_list>

namespace inlay {

/// The smallest power of two that is at least `size` if that is known, but from `least` to `most`;
/// `unknown` if it is not.
int64_t tileFor(const Expr &size, int64_t least, int64_t most, int64_t unknown);

/// One launch: its arguments in the order of the kernel's parameters, and constants by name.
class LaunchBuilder {
public:
  /// `file` is "matmul.py".
  LaunchBuilder(std::string_view file, std::string_view function);

  LaunchBuilder &constant(std::string name, ConstexprValue value);
  LaunchBuilder &input(uint32_t index);
  LaunchBuilder &output(uint32_t index);
  LaunchBuilder &workspace(uint32_t index, DataType dtype);
  /// A tensor, or None for the kernel's parameter of this name.
  LaunchBuilder &optionalInput(std::string parameter, std::optional<uint32_t> index);
  LaunchBuilder &optionalOutput(std::string parameter, std::optional<uint32_t> index);
  /// Where a kernel writes one of the node's computed sizes.
  LaunchBuilder &computedSize(uint32_t index, DataType dtype);
  /// Sizes as int32.
  LaunchBuilder &sizes(std::initializer_list<Expr> values);
  /// A size for the kernel's parameter of this name: a constant where it is known and kernels are
  /// specialised for it, else int32.
  LaunchBuilder &size(std::string parameter, const Expr &value, bool isSpecialised);
  /// A size as int64.
  LaunchBuilder &wideSize(const Expr &value);
  /// A float32.
  LaunchBuilder &number(const FloatExpr &value);
  LaunchBuilder &warps(int count);
  LaunchBuilder &stages(int count);
  /// Ends it: a launch of so many programs.
  PluginLaunch launchOver(const Expr &programs);
  /// Ends it: an implementation of this one launch.
  PluginImplementation over(const Expr &programs);

private:
  LaunchArgument &append(LaunchArgument::Kind kind, std::string text);
  LaunchBuilder &integer(const Expr &value, DataType dtype);
  PluginLaunch launch_;
};

} // namespace inlay
