#include "compiler/frontends/triton/DescriptorParameter.h"

#include <charconv>
#include <fmt/format.h>

namespace inlay::triton {

namespace {

constexpr std::string_view kPrefix = "tensordesc<";
/// What the hardware that reads tensors by descriptors demands of addresses.
constexpr int64_t kAlignmentBytes = 16;

} // namespace

std::optional<Type> parseDescriptorEntry(std::string_view text) {
  if (!text.starts_with(kPrefix) || !text.ends_with("]>"))
    return std::nullopt;
  text.remove_prefix(kPrefix.size());
  text.remove_suffix(2);
  size_t bracket = text.find('[');
  std::optional<Scalar> scalar = findScalar(text.substr(0, bracket));
  if (bracket == std::string_view::npos || !scalar)
    return std::nullopt;
  Type block{*scalar, false, false, {}};
  for (text.remove_prefix(bracket + 1); !text.empty();) {
    while (text.starts_with(' '))
      text.remove_prefix(1);
    int64_t size = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || (end != text.data() + text.size() && *end != ','))
      return std::nullopt;
    block.shape.push_back(size);
    text.remove_prefix(std::min<size_t>(static_cast<size_t>(end - text.data()) + 1, text.size()));
  }
  bool isGood = !block.shape.empty() && block.shape.size() <= 5 &&
                checkBlockShape(block.shape).empty() &&
                block.shape.back() * bitWidthOf(block.scalar) >= kAlignmentBytes * 8;
  return isGood ? std::optional(block) : std::nullopt;
}

std::vector<DescriptorField> descriptorFields(const std::string &name, const Type &block) {
  Type wide{Scalar::Int64, false, false, {}};
  std::vector<DescriptorField> fields{{name, {block.scalar, true, false, {}}, kAlignmentBytes}};
  for (size_t d = 0; d < block.shape.size(); ++d)
    fields.push_back({fmt::format("{}.size{}", name, d), wide, 0});
  int64_t alignment = kAlignmentBytes * 8 / bitWidthOf(block.scalar);
  for (size_t d = 0; d < block.shape.size(); ++d)
    fields.push_back(
        {fmt::format("{}.stride{}", name, d), wide, d + 1 < block.shape.size() ? alignment : 0});
  return fields;
}

Value makeDescriptorParameter(const Type &block, std::vector<Tensor> arguments, const Tensor &one) {
  arguments.back() = one;
  return Value::record({RecordValue::Kind::Descriptor, block, false, std::move(arguments)});
}

} // namespace inlay::triton
