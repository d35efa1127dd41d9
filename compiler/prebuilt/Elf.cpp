#include "compiler/prebuilt/Elf.h"

#include "base/Error.h"

namespace inlay {
namespace {

// Layout of the structures of ELF64. Source: System V ABI, chapter 4, and the ELF-64 object file
// format.
constexpr uint64_t kHeaderBytes = 64, kSectionBytes = 64, kSymbolBytes = 24;
constexpr uint32_t kSectionWithoutContents = 8; // SHT_NOBITS

/// The text up to the zero byte at an offset of a string table; nullopt if it has no end.
std::optional<std::string_view> textAt(std::string_view table, uint64_t offset) {
  if (offset >= table.size())
    return std::nullopt;
  const std::string_view rest = table.substr(offset);
  const size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::nullopt : std::optional(rest.substr(0, end));
}

struct SectionHeader {
  uint32_t name, type;
  uint64_t flags, address, offset, sizeBytes;
  uint32_t link, info;
  uint64_t alignment, entryBytes;
};
static_assert(sizeof(SectionHeader) == kSectionBytes);

struct SymbolRecord {
  uint32_t name;
  uint8_t info, other;
  uint16_t section;
  uint64_t value, sizeBytes;
};
static_assert(sizeof(SymbolRecord) == kSymbolBytes);

} // namespace

Result<ElfFile> ElfFile::read(std::string_view bytes) {
  constexpr std::string_view kMagic("\177ELF\2\1\1", 7); // 64 bits, little-endian, version 1
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic))
    return invalidArgument("it is no 64-bit little-endian ELF file");
  ElfFile file;
  file.abi = static_cast<uint8_t>(bytes[7]);
  file.abiVersion = static_cast<uint8_t>(bytes[8]);
  file.type = *readNumber<uint16_t>(bytes, 16);
  file.machine = *readNumber<uint16_t>(bytes, 18);
  file.flags = *readNumber<uint32_t>(bytes, 48);
  const uint64_t tableOffset = *readNumber<uint64_t>(bytes, 40);
  const uint16_t headerBytes = *readNumber<uint16_t>(bytes, 58);
  const uint16_t count = *readNumber<uint16_t>(bytes, 60);
  const uint16_t namesIndex = *readNumber<uint16_t>(bytes, 62);
  if (count == 0)
    return file;
  if (headerBytes != kSectionBytes || tableOffset > bytes.size() ||
      (bytes.size() - tableOffset) / kSectionBytes < count || namesIndex >= count)
    return invalidArgument("its section headers ({} of {} bytes at {}) do not lie in its {} bytes",
                           count, headerBytes, tableOffset, bytes.size());
  std::vector<uint32_t> names;
  for (uint64_t i = 0; i < count; ++i) {
    const auto header = *readNumber<SectionHeader>(bytes, tableOffset + i * kSectionBytes);
    ElfSection section;
    section.type = header.type;
    section.link = header.link;
    section.address = header.address;
    if (header.type != kSectionWithoutContents && header.type != 0) {
      if (header.offset > bytes.size() || header.sizeBytes > bytes.size() - header.offset)
        return invalidArgument("section {} ({} bytes at {}) does not lie in its {} bytes", i,
                               header.sizeBytes, header.offset, bytes.size());
      section.bytes = bytes.substr(header.offset, header.sizeBytes);
    }
    names.push_back(header.name);
    file.sections.push_back(section);
  }
  for (size_t i = 0; i < count; ++i) {
    const auto name = textAt(file.sections[namesIndex].bytes, names[i]);
    if (!name)
      return invalidArgument("the name of section {} does not lie in its table of names", i);
    file.sections[i].name = *name;
  }
  return file;
}

const ElfSection *ElfFile::find(std::string_view name) const {
  for (const ElfSection &section : sections)
    if (section.name == name)
      return &section;
  return nullptr;
}

Result<std::vector<ElfSymbol>> ElfFile::symbols(const ElfSection &table) const {
  if (table.link >= sections.size())
    return invalidArgument("section '{}' names no table of names", table.name);
  const std::string_view names = sections[table.link].bytes;
  std::vector<ElfSymbol> symbols;
  for (uint64_t offset = 0; offset + kSymbolBytes <= table.bytes.size(); offset += kSymbolBytes) {
    const auto record = *readNumber<SymbolRecord>(table.bytes, offset);
    const auto name = textAt(names, record.name);
    if (!name)
      return invalidArgument("the name of symbol {} of section '{}' does not lie in its table",
                             offset / kSymbolBytes, table.name);
    ElfSymbol symbol;
    symbol.name = *name;
    symbol.value = record.value;
    symbol.sizeBytes = record.sizeBytes;
    symbol.section = record.section;
    symbol.isLocal = record.info >> 4 == 0;
    symbol.isFunction = (record.info & 15) == 2;
    symbol.isHidden = (record.other & 3) == 1 || (record.other & 3) == 2;
    symbols.push_back(symbol);
  }
  return symbols;
}

} // namespace inlay
