// The kernels of a cubin. NVIDIA does not publish the format; what is read here was found by
// comparing what ptxas of CUDA 12 and 13 makes of PTX whose parameters and directives are known.
#include "base/Error.h"
#include "compiler/prebuilt/Elf.h"
#include "compiler/prebuilt/KernelInterface.h"

#include <algorithm>
#include <map>

namespace inlay {
namespace {

constexpr uint16_t kMachineCuda = 190;
constexpr std::string_view kInfoPrefix = ".nv.info.";

// Attributes of .nv.info sections.
constexpr uint8_t kMaxThreads = 0x05, kRequiredThreads = 0x10, kParameter = 0x17,
                  kRegisterCount = 0x2f, kBlocksPerCluster = 0x3d;
// How the value of an attribute is stored: in two bytes, or behind a length of two bytes.
constexpr uint8_t kSizedValue = 4;

struct Attribute {
  uint8_t code;
  std::string_view value;
};

/// The attributes of a section; those behind a damaged one are lost.
Result<std::vector<Attribute>> attributesOf(std::string_view bytes, std::string_view section) {
  std::vector<Attribute> attributes;
  for (uint64_t at = 0; at < bytes.size();) {
    const auto head = readNumber<uint32_t>(bytes, at);
    if (!head)
      return invalidArgument("section '{}' ends inside an attribute", section);
    const uint8_t format = *head & 0xff, code = *head >> 8 & 0xff;
    const uint64_t sizeBytes = format == kSizedValue ? *head >> 16 : 0;
    if (format == 0 || format > kSizedValue || bytes.size() - at - 4 < sizeBytes)
      return invalidArgument("section '{}' has a damaged attribute at {}", section, at);
    attributes.push_back(
        {code, format == kSizedValue ? bytes.substr(at + 4, sizeBytes) : bytes.substr(at + 2, 2)});
    at += 4 + sizeBytes;
  }
  return attributes;
}

Result<Extents> extentsOf(const Attribute &attribute, const std::string &entry) {
  Extents extents{};
  for (size_t i = 0; i < 3; ++i) {
    const auto extent = readNumber<uint32_t>(attribute.value, 4 * i);
    if (!extent || *extent == 0)
      return invalidArgument("attribute {:#x} of kernel '{}' holds no three numbers of at least 1",
                             attribute.code, entry);
    extents[i] = *extent;
  }
  return extents;
}

/// index:u32, ordinal:u16, offset:u16, then bits: 0-7 alignment, 8-11 memory space of a pointer,
/// 18-31 size in bytes.
Result<std::pair<uint16_t, CodeParameter>> parameterOf(const Attribute &attribute,
                                                       const std::string &entry) {
  const auto ordinal = readNumber<uint16_t>(attribute.value, 4);
  const auto bits = readNumber<uint32_t>(attribute.value, 8);
  if (!ordinal || !bits || *bits >> 18 == 0)
    return invalidArgument("a parameter record of kernel '{}' is damaged", entry);
  CodeParameter parameter;
  parameter.sizeBytes = *bits >> 18;
  if ((*bits >> 8 & 0xf) != 0)
    parameter.kind = CodeParameter::Kind::Pointer;
  return std::pair(*ordinal, parameter);
}

Result<KernelInterface> kernelOf(const ElfSection &section) {
  KernelInterface kernel;
  kernel.entry = section.name.substr(kInfoPrefix.size());
  INLAY_ASSIGN(const std::vector<Attribute> attributes, attributesOf(section.bytes, section.name));
  std::map<uint16_t, CodeParameter> parameters;
  for (const Attribute &attribute : attributes) {
    if (attribute.code == kParameter) {
      INLAY_ASSIGN(const auto parameter, parameterOf(attribute, kernel.entry));
      if (!parameters.insert(parameter).second)
        return invalidArgument("parameter {} of kernel '{}' is recorded twice", parameter.first,
                               kernel.entry);
    } else if (attribute.code == kRequiredThreads) {
      INLAY_ASSIGN(kernel.requiredBlock, extentsOf(attribute, kernel.entry));
    } else if (attribute.code == kBlocksPerCluster) {
      INLAY_ASSIGN(kernel.requiredCluster, extentsOf(attribute, kernel.entry));
    } else if (attribute.code == kMaxThreads) {
      INLAY_ASSIGN(const Extents extents, extentsOf(attribute, kernel.entry));
      const uint64_t threads =
          uint64_t{std::min(extents[0], 65536u)} * std::min(extents[1], 65536u);
      kernel.maxThreads = static_cast<uint32_t>(std::min<uint64_t>(
          std::min<uint64_t>(threads, UINT32_MAX) * std::min(extents[2], 65536u), UINT32_MAX));
    }
  }
  for (const auto &[ordinal, parameter] : parameters) {
    if (ordinal != kernel.parameters.size())
      return invalidArgument("parameter {} of kernel '{}' is not recorded",
                             kernel.parameters.size(), kernel.entry);
    kernel.parameters.push_back(parameter);
  }
  return kernel;
}

/// Registers are recorded for all kernels in one section, by symbol.
Status readRegisters(const ElfFile &file, GpuCode &code) {
  const ElfSection *info = file.find(".nv.info"), *table = file.find(".symtab");
  if (!info || !table)
    return {};
  INLAY_ASSIGN(const std::vector<ElfSymbol> symbols, file.symbols(*table));
  INLAY_ASSIGN(const std::vector<Attribute> attributes, attributesOf(info->bytes, info->name));
  for (const Attribute &attribute : attributes) {
    const auto symbol = readNumber<uint32_t>(attribute.value, 0);
    const auto registers = readNumber<uint32_t>(attribute.value, 4);
    if (attribute.code != kRegisterCount || !symbol || !registers || *symbol >= symbols.size())
      continue;
    for (KernelInterface &kernel : code.kernels)
      if (kernel.entry == symbols[*symbol].name)
        kernel.registers = *registers;
  }
  return {};
}

/// The architecture stands in the header's flags, in one of two layouts.
std::string architectureOf(const ElfFile &file) {
  constexpr uint8_t kFirstAbiOfNewLayout = 8;
  if (file.abiVersion < kFirstAbiOfNewLayout)
    return fmt::format("sm_{}{}", file.flags & 0xff, file.flags & 0x800 ? "a" : "");
  // One record is: format 2, attribute 9, value 1 for code of exactly this architecture.
  constexpr uint32_t kExactArchitecture = 0x010902;
  bool isExact = false;
  if (const ElfSection *compatibility = file.find(".nv.compat"))
    for (uint64_t at = 0; at + 4 <= compatibility->bytes.size(); at += 4) {
      const uint32_t record = *readNumber<uint32_t>(compatibility->bytes, at);
      if ((record & 0xff) == kSizedValue)
        break; // what follows is a value, no record
      isExact = isExact || (record & 0xffffff) == kExactArchitecture;
    }
  return fmt::format("sm_{}{}", file.flags >> 8 & 0xff, isExact ? "a" : "");
}

} // namespace

Result<GpuCode> readCubin(std::string_view bytes) {
  INLAY_ASSIGN(const ElfFile file, ElfFile::read(bytes));
  if (file.machine != kMachineCuda)
    return invalidArgument("it is an ELF file for machine {}; a cubin has {}", file.machine,
                           kMachineCuda);
  GpuCode code;
  code.architecture = architectureOf(file);
  for (const ElfSection &section : file.sections)
    if (section.name.starts_with(kInfoPrefix) &&
        file.find(fmt::format(".text.{}", section.name.substr(kInfoPrefix.size())))) {
      INLAY_ASSIGN(KernelInterface kernel, kernelOf(section));
      code.kernels.push_back(std::move(kernel));
    }
  INLAY_TRY(readRegisters(file, code));
  return code;
}

} // namespace inlay
