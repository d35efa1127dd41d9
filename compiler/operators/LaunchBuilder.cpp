#include "compiler/operators/LaunchBuilder.h"

#include "base/Error.h"
#include "compiler/operators/EmbeddedFiles.h"

#include <algorithm>
#include <bit>

namespace inlay {

int64_t tileFor(const Expr &size, int64_t least, int64_t most, int64_t unknown) {
  const std::optional<int64_t> value = size.constantValue();
  if (!value)
    return unknown;
  const auto inside = static_cast<uint64_t>(std::clamp<int64_t>(*value, 1, most));
  return std::max(least, static_cast<int64_t>(std::bit_ceil(inside)));
}

LaunchBuilder::LaunchBuilder(std::string_view file, std::string_view function) {
  launch_.kernel.path = "ops/" + std::string(file);
  launch_.kernel.function = function;
  const auto text = embeddedFiles().find(launch_.kernel.path);
  INLAY_CHECK(text != embeddedFiles().end(), "a kernel's file is not embedded");
  launch_.kernel.source = text->second;
}

LaunchBuilder &LaunchBuilder::constant(std::string name, ConstexprValue value) {
  launch_.kernel.constexprs[std::move(name)] = std::move(value);
  return *this;
}

LaunchArgument &LaunchBuilder::append(LaunchArgument::Kind kind, std::string text) {
  LaunchArgument &argument = launch_.arguments.emplace_back();
  argument.kind = kind;
  argument.text = std::move(text);
  return argument;
}

LaunchBuilder &LaunchBuilder::input(uint32_t index) {
  append(LaunchArgument::Kind::Input, fmt::format("input {}", index)).index = index;
  return *this;
}

LaunchBuilder &LaunchBuilder::output(uint32_t index) {
  append(LaunchArgument::Kind::Output, fmt::format("output {}", index)).index = index;
  return *this;
}

LaunchBuilder &LaunchBuilder::workspace(uint32_t index, DataType dtype) {
  LaunchArgument &argument =
      append(LaunchArgument::Kind::Workspace, fmt::format("workspace {}", index));
  argument.index = index;
  argument.dtype = dtype;
  return *this;
}

LaunchBuilder &LaunchBuilder::computedSize(uint32_t index, DataType dtype) {
  LaunchArgument &argument = append(LaunchArgument::Kind::Size, fmt::format("size {}", index));
  argument.index = index;
  argument.dtype = dtype;
  return *this;
}

LaunchBuilder &LaunchBuilder::optionalInput(std::string parameter, std::optional<uint32_t> index) {
  return index ? input(*index) : constant(std::move(parameter), std::monostate());
}

LaunchBuilder &LaunchBuilder::optionalOutput(std::string parameter, std::optional<uint32_t> index) {
  return index ? output(*index) : constant(std::move(parameter), std::monostate());
}

LaunchBuilder &LaunchBuilder::sizes(std::initializer_list<Expr> values) {
  for (const Expr &value : values)
    integer(value, DataType::Int32);
  return *this;
}

LaunchBuilder &LaunchBuilder::size(std::string parameter, const Expr &value, bool isSpecialised) {
  const std::optional<int64_t> known = value.constantValue();
  return known && isSpecialised ? constant(std::move(parameter), *known)
                                : integer(value, DataType::Int32);
}

LaunchBuilder &LaunchBuilder::wideSize(const Expr &value) {
  return integer(value, DataType::Int64);
}

LaunchBuilder &LaunchBuilder::integer(const Expr &value, DataType dtype) {
  LaunchArgument &argument = append(LaunchArgument::Kind::Integer, value.toString());
  argument.expression = value;
  argument.dtype = dtype;
  return *this;
}

LaunchBuilder &LaunchBuilder::number(const FloatExpr &value) {
  LaunchArgument &argument = append(LaunchArgument::Kind::Float, value.toString());
  argument.dtype = DataType::Float32;
  if (const std::optional<double> constant = value.constantValue())
    argument.value = *constant;
  else
    argument.floatExpression = value;
  return *this;
}

LaunchBuilder &LaunchBuilder::warps(int count) {
  launch_.kernel.numWarps = count;
  return *this;
}

LaunchBuilder &LaunchBuilder::stages(int count) {
  launch_.kernel.numStages = count;
  return *this;
}

PluginLaunch LaunchBuilder::launchOver(const Expr &programs) {
  launch_.grid = {programs, Expr(1), Expr(1)};
  return std::move(launch_);
}

PluginImplementation LaunchBuilder::over(const Expr &programs) {
  PluginImplementation implementation;
  implementation.launches.push_back(launchOver(programs));
  return implementation;
}

} // namespace inlay
