#include "compiler/ptx/Forms.h"

#include <fmt/format.h>

#include <set>

namespace inlay::ptx {

namespace {

constexpr Form kForms[] = {
#define INLAY_PTX_FORM(opcode, name, pattern, operands) {Opcode::opcode, name, pattern, operands},
#include "compiler/ptx/Forms.def"
#undef INLAY_PTX_FORM
};

/// Calls `visit` for each part of a text between separators, until it returns false.
template <typename Visit>
bool forEachPart(std::string_view text, char separator, Visit visit) {
  while (true) {
    size_t end = text.find(separator);
    if (!visit(text.substr(0, end)))
      return false;
    if (end == std::string_view::npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

/// One group of a pattern: "rn|rz?", "T=f32".
struct Group {
  std::string_view words;
  char type = 0; ///< 'T' or 'S', or 0 for modifiers
  bool isOptional = false;

  explicit Group(std::string_view text) : words(text) {
    if (words.size() > 2 && words[1] == '=') {
      type = words[0];
      words.remove_prefix(2);
    }
    if (words.ends_with('?')) {
      isOptional = true;
      words.remove_suffix(1);
    }
  }
  bool has(std::string_view word) const {
    return !forEachPart(words, '|', [&](std::string_view part) { return part != word; });
  }
};

std::optional<FormMatch> match(const Form &form, std::span<const std::string_view> words) {
  FormMatch result{&form, {}, {}, {}};
  std::vector<bool> isUsed(words.size(), false);
  bool fits = forEachPart(form.pattern, ' ', [&](std::string_view text) {
    Group group(text);
    for (size_t i = 0; i < words.size(); ++i) {
      if (isUsed[i] || !group.has(words[i]))
        continue;
      isUsed[i] = true;
      if (group.type)
        (group.type == 'T' ? result.type : result.source) = *findType(words[i]);
      else
        result.modifiers.set(static_cast<size_t>(*findModifier(words[i])));
      return true;
    }
    return group.isOptional;
  });
  for (bool used : isUsed)
    fits = fits && used;
  return fits ? std::optional(result) : std::nullopt;
}

/// "add{.rn,.rz}{.ftz}.f32 d, a, b", "mul.<lo,hi>.<u16,s16> d, a, b"
std::string formText(const Form &form) {
  std::string text(form.name);
  forEachPart(form.pattern, ' ', [&](std::string_view part) {
    Group group(part);
    std::string words;
    forEachPart(group.words, '|', [&](std::string_view word) {
      words += fmt::format("{}{}{}", words.empty() ? "" : ",", group.isOptional ? "." : "", word);
      return true;
    });
    if (group.isOptional)
      text += fmt::format("{{{}}}", words);
    else
      text += words.find(',') == std::string::npos ? "." + words : fmt::format(".<{}>", words);
    return true;
  });
  if (form.operands == "*")
    return text;
  constexpr std::string_view names[] = {"d", "a", "b", "c", "e"};
  for (size_t i = 0; i < form.operands.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? " " : ", ", names[i]);
  return text;
}

} // namespace

std::span<const Form> allForms() { return kForms; }

bool isSupported(std::string_view name) {
  for (const Form &form : kForms)
    if (form.name == name)
      return true;
  return false;
}

std::optional<FormMatch> matchForm(std::string_view name, std::span<const std::string_view> words) {
  for (const Form &form : kForms)
    if (form.name == name)
      if (auto result = match(form, words))
        return result;
  return std::nullopt;
}

std::string supportedInstructions() {
  std::set<std::string_view> names;
  for (const Form &form : kForms)
    names.insert(form.name);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string closestForms(std::string_view name, std::span<const std::string_view> words) {
  std::string text;
  size_t most = 0;
  for (const Form &form : kForms) {
    if (form.name != name)
      continue;
    size_t count = 0;
    for (std::string_view word : words)
      count += !forEachPart(form.pattern, ' ',
                            [&](std::string_view part) { return !Group(part).has(word); });
    if (count < most)
      continue;
    if (count > most)
      text.clear();
    most = count;
    text += fmt::format("{}{}", text.empty() ? "" : "\n", formText(form));
  }
  return text;
}

} // namespace inlay::ptx
