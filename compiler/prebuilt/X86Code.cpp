#include "compiler/prebuilt/X86Code.h"

#include "base/Error.h"
#include "compiler/prebuilt/Elf.h"

namespace inlay {
namespace {

constexpr uint16_t kRelocatable = 1, kShared = 3, kMachineX86 = 62;
constexpr std::string_view kSignatureSuffix = "_inlay_signature";

/// The text that a symbol names, if it lies in a section with contents.
std::optional<std::string> textOf(const ElfFile &file, const ElfSymbol &symbol) {
  if (symbol.section == 0 || symbol.section >= file.sections.size())
    return std::nullopt;
  const ElfSection &section = file.sections[symbol.section];
  // In an object values count from the section's start, and its address is 0.
  const uint64_t offset = symbol.value - section.address;
  if (offset >= section.bytes.size())
    return std::nullopt;
  const std::string_view rest = section.bytes.substr(offset);
  const size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::nullopt
                                       : std::optional(std::string(rest.substr(0, end)));
}

/// DT_NEEDED entries of the dynamic section.
std::vector<std::string> neededLibraries(const ElfFile &file) {
  std::vector<std::string> names;
  const ElfSection *dynamic = file.find(".dynamic");
  if (!dynamic || dynamic->link >= file.sections.size())
    return names;
  const std::string_view texts = file.sections[dynamic->link].bytes;
  for (uint64_t at = 0; at + 16 <= dynamic->bytes.size(); at += 16) {
    constexpr uint64_t kNeeded = 1;
    const uint64_t tag = *readNumber<uint64_t>(dynamic->bytes, at);
    const uint64_t value = *readNumber<uint64_t>(dynamic->bytes, at + 8);
    if (tag != kNeeded || value >= texts.size())
      continue;
    const std::string_view rest = texts.substr(value);
    names.emplace_back(rest.substr(0, rest.find('\0')));
  }
  return names;
}

} // namespace

Result<X86Code> X86Code::read(std::string_view bytes) {
  INLAY_ASSIGN(const ElfFile file, ElfFile::read(bytes));
  if (file.machine != kMachineX86 || (file.type != kRelocatable && file.type != kShared))
    return invalidArgument("it is an ELF file of type {} for machine {}; expected an object (1) or "
                           "a shared object (3) for x86-64 (62)",
                           file.type, file.machine);
  X86Code code;
  code.isRelocatable = file.type == kRelocatable;
  const ElfSection *table = file.find(code.isRelocatable ? ".symtab" : ".dynsym");
  if (!table)
    return invalidArgument("it has no symbols");
  INLAY_ASSIGN(const std::vector<ElfSymbol> symbols, file.symbols(*table));
  for (const ElfSymbol &symbol : symbols) {
    if (symbol.isLocal || symbol.name.empty())
      continue;
    if (symbol.section == 0)
      code.undefined.emplace_back(symbol.name);
    else if (symbol.isFunction && !symbol.isHidden)
      code.functions.emplace_back(symbol.name);
    else if (symbol.name.ends_with(kSignatureSuffix))
      if (std::optional<std::string> text = textOf(file, symbol))
        code.signatures_.emplace_back(
            symbol.name.substr(0, symbol.name.size() - kSignatureSuffix.size()), std::move(*text));
  }
  code.needed = neededLibraries(file);
  return code;
}

std::optional<std::string> X86Code::findSignature(std::string_view entry) const {
  for (const auto &[name, text] : signatures_)
    if (name == entry)
      return text;
  return std::nullopt;
}

} // namespace inlay
