// The table of forms: which modifiers and types an instruction may have, and what its operands are.
#pragma once

#include "compiler/ptx/Program.h"

namespace inlay::ptx {

/// One line of Forms.def.
struct Form {
  Opcode opcode;
  std::string_view name, pattern, operands;
};

/// What the words after an instruction's name say under a form.
struct FormMatch {
  const Form *form;
  std::bitset<128> modifiers;
  Type type, source;
};

/// True if any form has this name.
bool isSupported(std::string_view name);
/// The form that has all of these words (without dots), or nothing.
std::optional<FormMatch> matchForm(std::string_view name, std::span<const std::string_view> words);
/// The forms of an instruction that have most of these words, as PTX's documentation writes them,
/// one a line.
std::string closestForms(std::string_view name, std::span<const std::string_view> words);
/// Every line of Forms.def.
std::span<const Form> allForms();

} // namespace inlay::ptx
