// The zip archive of a `.pt2`: members in place, without a copy.
#pragma once

#include "base/MappedFile.h"
#include "base/Status.h"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::pt2 {

/// The members that hold one exported program.
struct ArchivedModel {
  std::string name;          // "model"
  std::string programMember; // "models/model.json"
};

/// A PyTorch archive, mapped. Members are stored, not compressed; their bytes stay in the mapping.
/// Format: PyTorch's stream writer, a zip file with one top folder
/// (pytorch/caffe2/serialize/inline_container.h).
class Archive {
public:
  /// Errors: NotFound; DataLoss (no zip file, truncated, members outside the file); InvalidArgument
  /// (compressed or encrypted members, duplicate or unsafe names), each naming the file.
  static Result<Archive> open(const std::string &path);
  /// As open, for bytes in memory that outlive the archive.
  static Result<Archive> fromBytes(std::span<const std::byte> bytes);

  /// Bytes of a member, by its name without the top folder ("models/model.json"); nullopt if there
  /// is none.
  std::optional<std::span<const std::byte>> find(std::string_view name) const;
  /// Bytes of the whole file.
  size_t sizeBytes() const { return sizeBytes_; }
  /// Names of all members without the top folder, sorted.
  std::vector<std::string> names() const;
  /// The exported program in it. Three generations are known: PyTorch 2.6 and 2.7 (no folders), 2.8
  /// (weights in a pickle), 2.9 and newer (weights as raw bytes). Errors: Unimplemented
  /// (big-endian, several models), InvalidArgument (an AOTInductor package), Incompatible (another
  /// archive version), DataLoss (no exported program).
  Result<ArchivedModel> lookupModel() const;

private:
  Status load(std::span<const std::byte> bytes);
  Status addMembers(std::vector<std::pair<std::string, std::span<const std::byte>>> members);
  Status checkFormat() const;

  std::optional<MappedFile> file_;
  std::map<std::string, std::span<const std::byte>, std::less<>> members_;
  size_t sizeBytes_ = 0;
};

} // namespace inlay::pt2
