#include "tools/tensorio/Npy.h"

#include "base/Error.h"
#include "base/File.h"

#include <fmt/ranges.h>

#include <cctype>
#include <cstring>

namespace inlay {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 64;
constexpr size_t kHeaderAlignmentBytes = 64;

struct NumpyType {
  std::string_view text; // without the byte order
  DataType dtype;
};
constexpr NumpyType kTypes[] = {
    {"b1", DataType::Bool},    {"i1", DataType::Int8},    {"i2", DataType::Int16},
    {"i4", DataType::Int32},   {"i8", DataType::Int64},   {"u1", DataType::UInt8},
    {"u2", DataType::UInt16},  {"u4", DataType::UInt32},  {"u8", DataType::UInt64},
    {"f2", DataType::Float16}, {"f4", DataType::Float32}, {"f8", DataType::Float64},
};

/// What the header's Python dictionary says.
struct NpyHeader {
  std::string_view descr;
  bool isFortranOrder = false;
  std::vector<int64_t> shape;
};

/// Reads the header's dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<NpyHeader> parse() {
    NpyHeader header;
    bool hasDescr = false, hasOrder = false, hasShape = false;
    INLAY_TRY(expect('{'));
    while (!accept('}')) {
      INLAY_ASSIGN(std::string_view key, parseString());
      INLAY_TRY(expect(':'));
      bool *seen = key == "descr" ? &hasDescr : key == "fortran_order" ? &hasOrder : &hasShape;
      if (*seen || (seen == &hasShape && key != "shape"))
        return dataLoss(".npy header has the unknown or repeated key '{}'", key);
      *seen = true;
      if (seen == &hasDescr) {
        INLAY_ASSIGN(header.descr, parseDescr());
      } else if (seen == &hasOrder) {
        INLAY_ASSIGN(header.isFortranOrder, parseBool());
      } else {
        INLAY_TRY(parseShape(header.shape));
      }
      if (!accept(',') && !isAt('}'))
        return unexpected("',' or '}'");
    }
    if (!hasDescr || !hasOrder || !hasShape)
      return dataLoss(".npy header lacks one of descr, fortran_order and shape");
    return header;
  }

private:
  void skipSpace() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
  }
  bool isAt(char c) {
    skipSpace();
    return position_ < text_.size() && text_[position_] == c;
  }
  bool accept(char c) {
    const bool isThere = isAt(c);
    position_ += isThere;
    return isThere;
  }
  Status expect(char c) { return accept(c) ? Status() : unexpected(std::string{'\'', c, '\''}); }
  Status unexpected(std::string_view expected) const {
    return dataLoss(".npy header is corrupt at character {}: expected {}", position_, expected);
  }

  Result<std::string_view> parseString() {
    skipSpace();
    const char quote = position_ < text_.size() ? text_[position_] : ' ';
    const size_t close =
        quote == '\'' || quote == '"' ? text_.find(quote, position_ + 1) : std::string_view::npos;
    if (close == std::string_view::npos)
      return unexpected("a string");
    const std::string_view string = text_.substr(position_ + 1, close - position_ - 1);
    position_ = close + 1;
    return string;
  }

  Result<std::string_view> parseDescr() {
    if (isAt('['))
      return unimplemented(".npy file holds records; only plain element types are read");
    return parseString();
  }

  Result<bool> parseBool() {
    skipSpace();
    for (bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    return unexpected("True or False");
  }

  Status parseShape(std::vector<int64_t> &shape) {
    INLAY_TRY(expect('('));
    while (!accept(')')) {
      int64_t dim = 0;
      skipSpace();
      const size_t start = position_;
      for (; position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_]));
           ++position_)
        if (__builtin_mul_overflow(dim, 10, &dim) ||
            __builtin_add_overflow(dim, text_[position_] - '0', &dim))
          return dataLoss(".npy header has a dimension beyond 64 bits");
      if (position_ == start)
        return unexpected("a dimension");
      shape.push_back(dim);
      if (shape.size() > kMaxRank)
        return dataLoss(".npy header has more than {} dimensions", kMaxRank);
      if (!accept(',') && !isAt(')'))
        return unexpected("',' or ')'");
    }
    return {};
  }

  std::string_view text_;
  size_t position_ = 0;
};

/// The element type of a descr like "<f4"; raw types are what `asked` says.
Result<DataType> findElementType(std::string_view descr, std::optional<DataType> asked) {
  if (descr.size() < 3)
    return dataLoss(".npy file has the element type '{}'", descr);
  if (descr[0] == '>')
    return unimplemented(".npy file is big-endian ('{}'); only little-endian is read", descr);
  const std::string_view type = descr.substr(1);
  const bool isRaw = type == "V1" || type == "V2" || type == "u1" || type == "u2";
  if (asked && isRaw && dataTypeSizeBytes(*asked) == type[1] - '0')
    return *asked;
  if (type[0] == 'V')
    return unimplemented(
        ".npy file holds raw elements ('{}'); say which dtype they are, such as bfloat16", descr);
  for (const NumpyType &known : kTypes)
    if (known.text == type)
      return known.dtype;
  return unimplemented(".npy file has the element type '{}', which no tensor has", descr);
}

uint32_t loadLittleEndian(std::span<const std::byte> bytes, size_t offset, int count) {
  uint32_t value = 0;
  for (int i = count; i-- > 0;)
    value = value << 8 | static_cast<uint32_t>(bytes[offset + static_cast<size_t>(i)]);
  return value;
}

} // namespace

Result<NpyTensor> parseNpy(std::span<const std::byte> bytes, std::optional<DataType> dtype) {
  if (bytes.size() < 12 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return dataLoss("not a .npy file: it does not start with \\x93NUMPY and a header");
  const auto version = static_cast<unsigned>(bytes[6]);
  if (version < 1 || version > 3)
    return unimplemented(".npy file has version {}; versions 1 to 3 are read", version);
  const size_t headerOffset = version == 1 ? 10 : 12;
  const size_t headerBytes = loadLittleEndian(bytes, 8, version == 1 ? 2 : 4);
  if (headerBytes > bytes.size() - headerOffset)
    return dataLoss(".npy file of {} bytes is truncated: its header alone takes {}", bytes.size(),
                    headerBytes);
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()) + headerOffset,
                              headerBytes);
  INLAY_ASSIGN(NpyHeader header, HeaderParser(text).parse());
  NpyTensor tensor;
  INLAY_ASSIGN(tensor.dtype, findElementType(header.descr, dtype));
  if (header.isFortranOrder && header.shape.size() > 1)
    return unimplemented(".npy file is in Fortran order; save numpy.ascontiguousarray(x) instead");
  INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, header.shape));
  const std::span<const std::byte> data = bytes.subspan(headerOffset + headerBytes);
  if (data.size() != static_cast<uint64_t>(sizeBytes))
    return dataLoss(".npy file holds {} bytes of elements; its shape [{}] of {} takes {}",
                    data.size(), fmt::join(header.shape, ", "), dataTypeName(tensor.dtype),
                    sizeBytes);
  tensor.shape = std::move(header.shape);
  tensor.data.assign(data.begin(), data.end());
  return tensor;
}

Result<std::vector<std::byte>> formatNpy(const NpyTensor &tensor) {
  INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, tensor.shape));
  if (tensor.data.size() != static_cast<uint64_t>(sizeBytes))
    return invalidArgument("tensor has {} bytes; its shape takes {}", tensor.data.size(),
                           sizeBytes);
  std::string descr = dataTypeSizeBytes(tensor.dtype) == 1 ? "|V1" : "|V2";
  for (const NumpyType &known : kTypes)
    if (known.dtype == tensor.dtype)
      descr = (dataTypeSizeBytes(tensor.dtype) == 1 ? "|" : "<") + std::string(known.text);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                  fmt::join(tensor.shape, ", "), tensor.shape.size() == 1 ? "," : "");
  while ((kMagic.size() + 4 + header.size() + 1) % kHeaderAlignmentBytes != 0)
    header.push_back(' ');
  header.push_back('\n');
  std::string start(kMagic);
  start +=
      {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  start += header;
  std::vector<std::byte> bytes(start.size() + tensor.data.size());
  std::memcpy(bytes.data(), start.data(), start.size());
  std::copy(tensor.data.begin(), tensor.data.end(),
            bytes.begin() + static_cast<ptrdiff_t>(start.size()));
  return bytes;
}

Result<NpyTensor> readNpy(const std::string &path, std::optional<DataType> dtype) {
  INLAY_ASSIGN(const std::string bytes, readFile(path));
  INLAY_ASSIGN(NpyTensor tensor, parseNpy(std::as_bytes(std::span(bytes)), dtype),
               "reading '" + path + "'");
  return tensor;
}

Status writeNpy(const std::string &path, const NpyTensor &tensor) {
  INLAY_ASSIGN(const std::vector<std::byte> bytes, formatNpy(tensor));
  return writeFileAtomically(path, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

} // namespace inlay
