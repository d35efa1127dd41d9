#include "engine/HostSegment.h"

#include <fmt/format.h>

#include <algorithm>

namespace inlay {
namespace {

using Texts = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;

/// Null if the call has no such list of texts.
const Texts *findTexts(const fb::HostCall &call, std::string_view name) {
  for (const fb::HostAttribute *attribute : *call.attributes())
    if (attribute->name()->string_view() == name &&
        attribute->kind() == fb::HostValueKind::StringList)
      return attribute->texts();
  return nullptr;
}

/// Names of a model may hold anything; they must not forge lines.
std::string printable(const flatbuffers::String *text) {
  std::string result = text->str();
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return result;
}

} // namespace

bool isHostSegment(const fb::HostCall &call) {
  return call.function()->string_view().starts_with(kSegmentNamespace) &&
         findTexts(call, kSegmentCalls);
}

std::vector<std::string> hostSegmentLines(const fb::HostCall &call) {
  std::vector<std::string> lines;
  for (const auto &[name, what] :
       {std::pair(kSegmentInputs, "input"), std::pair(kSegmentOutputs, "output")})
    if (const Texts *tensors = findTexts(call, name))
      for (uint32_t i = 0; i < tensors->size(); ++i)
        lines.push_back(fmt::format("{} {}: {}", what, i, printable(tensors->Get(i))));
  if (const Texts *calls = findTexts(call, kSegmentCalls))
    for (const flatbuffers::String *computed : *calls)
      lines.push_back("computes " + printable(computed));
  return lines;
}

} // namespace inlay
