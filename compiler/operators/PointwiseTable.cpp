#include "compiler/operators/Pointwise.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace inlay {
namespace {

using enum PointwiseTypes;
using Bodies = std::vector<PointwiseBody>;

PointwiseOperator unary(std::string_view name, Bodies bodies) {
  return {{fmt::format("aten::{}(Tensor self) -> Tensor", name)}, std::move(bodies)};
}

/// Of floats, which integers become.
PointwiseOperator unaryFloat(std::string_view name, std::string_view text) {
  return unary(name, {{"", Float, text}});
}

/// Of numbers that stay what they are; integers already are what the operator makes of them.
PointwiseOperator rounding(std::string_view name, std::string_view text) {
  return unary(name, {{"float", Common, text}, {"integer", Common, "{self}"}});
}

std::string tensorSchema(std::string_view name) {
  return fmt::format("aten::{}.Tensor(Tensor self, Tensor other) -> Tensor", name);
}
std::string scalarSchema(std::string_view name) {
  return fmt::format("aten::{}.Scalar(Tensor self, Scalar other) -> Tensor", name);
}

/// Of two tensors, or a tensor and a number.
PointwiseOperator binary(std::string_view name, Bodies bodies) {
  return {{tensorSchema(name), scalarSchema(name)}, std::move(bodies)};
}

/// Of two tensors, under a name without an overload.
PointwiseOperator plainBinary(std::string_view name, Bodies bodies) {
  return {{fmt::format("aten::{}(Tensor self, Tensor other) -> Tensor", name)}, std::move(bodies)};
}

void addArithmetic(std::vector<PointwiseOperator> &ops) {
  ops.push_back({{"aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
                  "aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"},
                 {{"bool", Common, "{self} | ({other} & {alpha})"},
                  {"alpha=1", Common, "{self} + {other}"},
                  {"", Common, "{self} + {other} * {alpha}"}}});
  ops.push_back({{"aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
                  "aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"},
                 {{"integer alpha=1", Common, "{self} - {other}"},
                  {"integer", Common, "{self} - {other} * {alpha}"},
                  {"float alpha=1", Common, "{self} - {other}"},
                  {"float", Common, "{self} - {other} * {alpha}"}}});
  ops.push_back({{"aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
                  "aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"},
                 {{"integer alpha=1", Common, "{other} - {self}"},
                  {"integer", Common, "{other} - {self} * {alpha}"},
                  {"float alpha=1", Common, "{other} - {self}"},
                  {"float", Common, "{other} - {self} * {alpha}"}}});
  ops.push_back(
      binary("mul", {{"bool", Common, "{self} & {other}"}, {"", Common, "{self} * {other}"}}));
  ops.push_back(binary("div", {{"", Float, "quotient({self}, {other})"}}));
  ops.push_back(
      {{"aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor",
        "aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor"},
       {{"rounding_mode=None", Float, "quotient({self}, {other})"},
        {"float rounding_mode=trunc", Common, "truncated_quotient({self}, {other})"},
        {"integer rounding_mode=trunc", Common, "truncated_quotient({self}, {other})"},
        {"float rounding_mode=floor", Common, "floored_quotient({self}, {other})"},
        {"integer rounding_mode=floor", Common, "floored_quotient({self}, {other})"}}});
  const Bodies floored = {{"float", Common, "floored_quotient({self}, {other})"},
                          {"integer", Common, "floored_quotient({self}, {other})"}};
  ops.push_back(plainBinary("floor_divide", floored));
  ops.push_back({{scalarSchema("floor_divide")}, floored});
  ops.push_back(binary("remainder", {{"float", Common, "floored_rest({self}, {other})"},
                                     {"integer", Common, "floored_rest({self}, {other})"}}));
  ops.push_back({{"aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"},
                 {{"float", Common, "floored_rest({self}, {other})"},
                  {"integer", Common, "floored_rest({self}, {other})"}}});
  ops.push_back(binary("fmod", {{"float", Common, "truncated_rest({self}, {other})"},
                                {"integer", Common, "truncated_rest({self}, {other})"}}));
  ops.push_back({{"aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor"},
                 {{"exponent=0", Common, "one({self})"},
                  {"exponent=1", Common, "{self}"},
                  {"exponent=2", Common, "{self} * {self}"},
                  {"exponent=3", Common, "{self} * {self} * {self}"},
                  {"float exponent=0.5", Common, "root({self})"},
                  {"float exponent=-0.5", Common, "quotient(one({self}), root({self}))"},
                  {"float exponent=-1", Common, "quotient(one({self}), {self})"},
                  {"float exponent=-2", Common, "quotient(one({self}), {self} * {self})"},
                  {"float", Common, "libdevice.pow({self}, {exponent})"},
                  {"integer", Common, "whole_power({self}, {exponent})"}}});
  ops.push_back({{"aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
                  "aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor"},
                 {{"float", Common, "libdevice.pow({self}, {exponent})"},
                  {"integer", Common, "whole_power({self}, {exponent})"}}});
  ops.push_back(
      {{"aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> "
        "Tensor"},
       {{"integer", Common, "{self} + {value} * {tensor1} * {tensor2}"},
        {"float", Common, "{self} + {value} * {tensor1} * {tensor2}"}}});
  ops.push_back(
      {{"aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> "
        "Tensor"},
       {{"float", Common, "{self} + quotient({value} * {tensor1}, {tensor2})"}}});
  ops.push_back({{"aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor",
                  "aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor"},
                 {{"float", Common, "lerp({self}, {end}, {weight})"}}});
}

void addExtrema(std::vector<PointwiseOperator> &ops) {
  const Bodies larger = {{"bool", Common, "{self} | {other}"},
                         {"", Common, "larger({self}, {other})"}};
  const Bodies smaller = {{"bool", Common, "{self} & {other}"},
                          {"", Common, "smaller({self}, {other})"}};
  ops.push_back(plainBinary("maximum", larger));
  ops.push_back(plainBinary("minimum", smaller));
  ops.push_back({{"aten::max.other(Tensor self, Tensor other) -> Tensor"}, larger});
  ops.push_back({{"aten::min.other(Tensor self, Tensor other) -> Tensor"}, smaller});
  ops.push_back(plainBinary("fmax", {{"integer", Common, "tl.maximum({self}, {other})"},
                                     {"float", Common, "tl.maximum({self}, {other})"}}));
  ops.push_back(plainBinary("fmin", {{"integer", Common, "tl.minimum({self}, {other})"},
                                     {"float", Common, "tl.minimum({self}, {other})"}}));
  const auto clamp = [](std::string_view type) {
    return Bodies{
        {type == "integer" ? "integer min max" : "float min max", Common,
         "smaller(larger({self}, {min}), {max})"},
        {type == "integer" ? "integer min" : "float min", Common, "larger({self}, {min})"},
        {type == "integer" ? "integer max" : "float max", Common, "smaller({self}, {max})"}};
  };
  Bodies clamps = clamp("integer");
  for (PointwiseBody &body : clamp("float"))
    clamps.push_back(body);
  ops.push_back({{"aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
                  "aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor",
                  "aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
                  "aten::clamp_min(Tensor self, Scalar min) -> Tensor",
                  "aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor",
                  "aten::clamp_max(Tensor self, Scalar max) -> Tensor",
                  "aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor"},
                 clamps});
  ops.push_back({{"aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor"},
                 {{"integer", Common, "smaller(larger({self}, {min_val}), {max_val})"},
                  {"float", Common, "smaller(larger({self}, {min_val}), {max_val})"}}});
}

void addComparisons(std::vector<PointwiseOperator> &ops) {
  constexpr std::pair<std::string_view, std::string_view> kComparisons[] = {
      {"eq", "{self} == {other}"}, {"ne", "{self} != {other}"}, {"lt", "{self} < {other}"},
      {"le", "{self} <= {other}"}, {"gt", "{self} > {other}"},  {"ge", "{self} >= {other}"}};
  // False is less than True, but bits are no numbers.
  constexpr std::string_view kOfBools[] = {"~({self} ^ {other})", "{self} ^ {other}",
                                           "~{self} & {other}",   "~{self} | {other}",
                                           "{self} & ~{other}",   "{self} | ~{other}"};
  for (size_t i = 0; i < std::size(kComparisons); ++i)
    ops.push_back(binary(kComparisons[i].first,
                         {{"bool", Compare, kOfBools[i]}, {"", Compare, kComparisons[i].second}}));
  ops.push_back(plainBinary("logical_and", {{"", Logical, "{self} & {other}"}}));
  ops.push_back(plainBinary("logical_or", {{"", Logical, "{self} | {other}"}}));
  ops.push_back(plainBinary("logical_xor", {{"", Logical, "{self} ^ {other}"}}));
  ops.push_back(unary("logical_not", {{"", Logical, "~{self}"}}));
  ops.push_back(
      unary("isnan", {{"float", Compare, "is_nan({self})"}, {"", Compare, "{self} != {self}"}}));
  ops.push_back(unary(
      "isinf", {{"float", Compare, "is_infinite({self})"}, {"", Compare, "{self} != {self}"}}));
  for (std::string_view name : {"bitwise_and", "__and__"})
    ops.push_back(binary(
        name, {{"bool", Common, "{self} & {other}"}, {"integer", Common, "{self} & {other}"}}));
  for (std::string_view name : {"bitwise_or", "__or__"})
    ops.push_back(binary(
        name, {{"bool", Common, "{self} | {other}"}, {"integer", Common, "{self} | {other}"}}));
  for (std::string_view name : {"bitwise_xor", "__xor__"})
    ops.push_back(binary(
        name, {{"bool", Common, "{self} ^ {other}"}, {"integer", Common, "{self} ^ {other}"}}));
  ops.push_back(
      unary("bitwise_not", {{"bool", Common, "~{self}"}, {"integer", Common, "~{self}"}}));
  const Bodies left = {{"integer", Common, "shifted_left({self}, {other})"}};
  const Bodies right = {{"integer", Common, "shifted_right({self}, {other})"}};
  ops.push_back(binary("__lshift__", left));
  ops.push_back(binary("__rshift__", right));
  const std::string_view kTensorScalar = ".Tensor_Scalar(Tensor self, Scalar other) -> Tensor";
  ops.push_back({{tensorSchema("bitwise_left_shift"),
                  fmt::format("aten::bitwise_left_shift{}", kTensorScalar)},
                 left});
  ops.push_back({{tensorSchema("bitwise_right_shift"),
                  fmt::format("aten::bitwise_right_shift{}", kTensorScalar)},
                 right});
}

void addRoundings(std::vector<PointwiseOperator> &ops) {
  ops.push_back(unary("abs", {{"unsigned", Common, "{self}"},
                              {"integer", Common, "tl.abs({self})"},
                              {"float", Common, "tl.abs({self})"}}));
  ops.push_back(unary("neg", {{"integer", Common, "-{self}"}, {"float", Common, "-{self}"}}));
  ops.push_back(unary("positive", {{"integer", Common, "{self}"}, {"float", Common, "{self}"}}));
  for (std::string_view name : {"sign", "sgn"})
    ops.push_back(unary(name, {{"bool", Common, "{self}"}, {"", Common, "sign({self})"}}));
  ops.push_back(unary(
      "square", {{"integer", Common, "{self} * {self}"}, {"float", Common, "{self} * {self}"}}));
  ops.push_back(rounding("floor", "libdevice.floor({self})"));
  ops.push_back(rounding("ceil", "libdevice.ceil({self})"));
  ops.push_back(rounding("trunc", "libdevice.trunc({self})"));
  ops.push_back(rounding("round", "libdevice.rint({self})"));
  ops.push_back(unary("frac", {{"float", Common, "{self} - libdevice.trunc({self})"}}));
}

void addTranscendentals(std::vector<PointwiseOperator> &ops) {
  constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
      {"acos", "libdevice.acos({self})"},
      {"acosh", "libdevice.acosh({self})"},
      {"asin", "libdevice.asin({self})"},
      {"asinh", "libdevice.asinh({self})"},
      {"atan", "libdevice.atan({self})"},
      {"atanh", "libdevice.atanh({self})"},
      {"cos", "tl.cos({self})"},
      {"cosh", "libdevice.cosh({self})"},
      {"erf", "tl.erf({self})"},
      {"erfc", "libdevice.erfc({self})"},
      {"erfinv", "inverse_erf({self})"},
      {"exp", "libdevice.exp({self})"},
      {"exp2", "libdevice.exp2({self})"},
      {"expm1", "libdevice.expm1({self})"},
      {"log", "tl.log({self})"},
      {"log10", "libdevice.log10({self})"},
      {"log1p", "libdevice.log1p({self})"},
      {"log2", "tl.log2({self})"},
      {"reciprocal", "quotient(one({self}), {self})"},
      {"rsqrt", "tl.rsqrt({self})"},
      {"sigmoid", "logistic({self})"},
      {"sin", "tl.sin({self})"},
      {"sinh", "libdevice.sinh({self})"},
      {"sqrt", "root({self})"},
      {"tan", "libdevice.tan({self})"},
      {"tanh", "libdevice.tanh({self})"},
  };
  for (const auto &[name, text] : kFunctions)
    ops.push_back(unaryFloat(name, text));
  ops.push_back(plainBinary("atan2", {{"", Float, "libdevice.atan2({self}, {other})"}}));
}

void addActivations(std::vector<PointwiseOperator> &ops) {
  ops.push_back(unary("relu", {{"integer", Common, "positive_part({self})"},
                               {"float", Common, "positive_part({self})"}}));
  ops.push_back(
      unary("relu6", {{"integer", Common, "relu6({self})"}, {"float", Common, "relu6({self})"}}));
  ops.push_back(unary("silu", {{"float", Common, "silu({self})"}}));
  ops.push_back(unary("log_sigmoid", {{"float", Common, "log_sigmoid({self})"}}));
  ops.push_back(unary("hardsigmoid", {{"float", Common, "hard_sigmoid({self})"}}));
  ops.push_back(unary("hardswish", {{"float", Common, "hard_swish({self})"}}));
  ops.push_back(unary(
      "mish",
      {{"float", Common, "{self} * libdevice.tanh(libdevice.log1p(libdevice.exp({self})))"}}));
  ops.push_back(unary(
      "selu", {{"float", Common, "elu({self}, 1.6732632423543772, 1.0507009873554805, 1.0)"}}));
  ops.push_back({{"aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor"},
                 {{"float approximate=none", Common, "gelu({self})"},
                  {"float approximate=tanh", Common, "gelu_tanh({self})"}}});
  ops.push_back(
      {{"aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor"},
       {{"float", Common, "elu({self}, {alpha}, {scale}, {input_scale})"}}});
  ops.push_back(
      {{"aten::celu(Tensor self, Scalar alpha=1.0) -> Tensor"},
       {{"float", Common,
         "tl.where({self} > 0, {self}, {alpha} * libdevice.expm1(quotient({self}, {alpha})))"}}});
  ops.push_back({{"aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor"},
                 {{"float", Common, "tl.where({self} > 0, {self}, {self} * {negative_slope})"}}});
  ops.push_back({{"aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor"},
                 {{"float", Common, "softplus({self}, {beta}, {threshold})"}}});
  ops.push_back({{"aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor"},
                 {{"integer", Common, "tl.where({self} <= {threshold}, {value}, {self})"},
                  {"float", Common, "tl.where({self} <= {threshold}, {value}, {self})"}}});
  ops.push_back({{"aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor"},
                 {{"float", Common, "tl.where(tl.abs({self}) <= {lambd}, 0.0, {self})"}}});
  ops.push_back({{"aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor"},
                 {{"float", Common,
                   "tl.where({self} > {lambd}, {self} - {lambd}, tl.where({self} < -{lambd}, "
                   "{self} + {lambd}, "
                   "{self} * 0))"}}});
}

void addSelections(std::vector<PointwiseOperator> &ops) {
  ops.push_back({{"aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor",
                  "aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor",
                  "aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor",
                  "aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor"},
                 {{"", Common, "tl.where({condition}, {self}, {other})"}}});
  ops.push_back({{"aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor",
                  "aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor"},
                 {{"", Self, "tl.where({mask}, {value}, {self})"}}});
  ops.push_back({{"aten::fill.Scalar(Tensor self, Scalar value) -> Tensor",
                  "aten::fill.Tensor(Tensor self, Tensor value) -> Tensor"},
                 {{"", Self, "{value}"}}});
  ops.push_back({{"aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor"},
                 {{"", Self, "{src}"}}});
}

/// Second names that PyTorch has for operators, which exported models keep.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"abs", "absolute"}, {"acos", "arccos"},      {"asin", "arcsin"},   {"atan", "arctan"},
    {"div", "divide"},   {"gt", "greater"},       {"le", "less_equal"}, {"lt", "less"},
    {"mul", "multiply"}, {"ne", "not_equal"},     {"neg", "negative"},  {"sub", "subtract"},
    {"trunc", "fix"},    {"ge", "greater_equal"},
};

/// Adds to each operator its schemas under its second name.
void addAliases(std::vector<PointwiseOperator> &ops) {
  constexpr std::string_view kPrefix = "aten::";
  for (PointwiseOperator &op : ops)
    for (size_t i = op.schemas.size(); i-- > 0;) {
      const std::string_view schema = std::string_view(op.schemas[i]).substr(kPrefix.size());
      const std::string_view name = schema.substr(0, schema.find_first_of(".("));
      const auto alias =
          std::ranges::find(kAliases, name, [](const auto &pair) { return pair.first; });
      if (alias != std::end(kAliases))
        op.schemas.push_back(
            fmt::format("{}{}{}", kPrefix, alias->second, schema.substr(name.size())));
    }
}

} // namespace

const std::vector<PointwiseOperator> &pointwiseOperators() {
  static const std::vector<PointwiseOperator> table = [] {
    std::vector<PointwiseOperator> ops;
    addArithmetic(ops);
    addExtrema(ops);
    addComparisons(ops);
    addRoundings(ops);
    addTranscendentals(ops);
    addActivations(ops);
    addSelections(ops);
    addAliases(ops);
    return ops;
  }();
  return table;
}

} // namespace inlay
