// Reading 64-bit little-endian ELF files that nobody vouches for.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace inlay {

/// A section; `bytes` is empty for one without contents in the file.
struct ElfSection {
  std::string_view name;
  uint32_t type = 0;
  uint32_t link = 0; // index of a related section
  uint64_t address = 0;
  std::string_view bytes;
};

struct ElfSymbol {
  std::string_view name;
  uint64_t value = 0;
  uint64_t sizeBytes = 0;
  uint16_t section = 0; // 0: not defined here
  bool isLocal = false;
  bool isHidden = false; // visibility internal or hidden
  bool isFunction = false;
};

/// The parts of an ELF file, all inside its bytes. Borrows them.
struct ElfFile {
  uint8_t abi = 0, abiVersion = 0;
  uint16_t type = 0, machine = 0;
  uint32_t flags = 0;
  std::vector<ElfSection> sections;

  /// Errors: InvalidArgument saying what is wrong with it.
  static Result<ElfFile> read(std::string_view bytes);
  const ElfSection *find(std::string_view name) const;
  /// The symbols of a symbol table section. Errors: InvalidArgument.
  Result<std::vector<ElfSymbol>> symbols(const ElfSection &table) const;
};

/// The number at an offset; nullopt beyond the end.
template <typename T>
std::optional<T> readNumber(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
    return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

} // namespace inlay
