#include "compiler/prebuilt/TritonMetadata.h"

#include "base/Error.h"

#include <nlohmann/json.hpp>

namespace inlay {
namespace {

using Json = nlohmann::json;

/// Reads fields of the metadata; the first that is wrong makes the status an error.
class FieldReader {
public:
  explicit FieldReader(const Json &json) : json_(json) {}

  Status status;

  /// A number from `least` to `most`; absent and null leave the value alone.
  template <typename T>
  void read(const char *key, T &value, uint64_t least, uint64_t most) {
    const auto field = json_.find(key);
    if (field == json_.end() || field->is_null())
      return;
    const bool isNumber = field->is_number_unsigned() && field->get<uint64_t>() >= least &&
                          field->get<uint64_t>() <= most;
    if (isNumber)
      value = static_cast<T>(field->get<uint64_t>());
    else
      fail(key, *field, fmt::format("a number from {} to {}", least, most));
  }

  void read(const char *key, bool &value) {
    const auto field = json_.find(key);
    if (field == json_.end() || field->is_null())
      return;
    if (field->is_boolean())
      value = field->get<bool>();
    else
      fail(key, *field, "true or false");
  }

  void read(const char *key, std::string &value) {
    const auto field = json_.find(key);
    if (field == json_.end() || field->is_null())
      return;
    if (const auto *text = field->get_ptr<const std::string *>())
      value = *text;
    else
      fail(key, *field, "a text");
  }

private:
  void fail(const char *key, const Json &found, std::string_view expected) {
    if (status.isOk())
      status = invalidArgument(
          "'{}' is {}; expected {}", key,
          found.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60), expected);
  }

  const Json &json_;
};

/// Older versions write the extents of a cluster, all or all but one of them 1.
void readClusterDims(const Json &json, uint32_t &numBlocks) {
  const auto dims = json.find("cluster_dims");
  if (dims == json.end() || !dims->is_array() || dims->size() > 3)
    return;
  uint64_t product = 1;
  for (const Json &dim : *dims)
    if (dim.is_number_unsigned() && dim.get<uint64_t>() <= 64)
      product *= dim.get<uint64_t>();
  if (product > numBlocks)
    numBlocks = static_cast<uint32_t>(product);
}

} // namespace

Result<TritonMetadata> readTritonMetadata(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    return invalidArgument("it is no JSON object");
  if (!json.contains("num_warps") || !json.contains("shared"))
    return invalidArgument("it lacks 'num_warps' or 'shared', which Triton writes for each kernel");
  constexpr uint64_t kMaxScratchBytes = uint64_t{1} << 40;
  TritonMetadata metadata;
  uint32_t warpSize = 32, tensorMemory = 0;
  FieldReader fields(json);
  fields.read("name", metadata.name);
  fields.read("num_warps", metadata.numWarps, 1, 64);
  fields.read("num_ctas", metadata.numBlocksPerCluster, 1, 16);
  fields.read("shared", metadata.sharedBytes, 0, INT32_MAX);
  fields.read("global_scratch_size", metadata.globalScratchBytes, 0, kMaxScratchBytes);
  fields.read("global_scratch_align", metadata.globalScratchAlignment, 1, 4096);
  fields.read("profile_scratch_size", metadata.profileScratchBytes, 0, kMaxScratchBytes);
  fields.read("profile_scratch_align", metadata.profileScratchAlignment, 1, 4096);
  fields.read("maxnreg", metadata.maxRegisters, 1, 255);
  fields.read("launch_cooperative_grid", metadata.isCooperative);
  fields.read("launch_pdl", metadata.isProgrammatic);
  fields.read("warp_size", warpSize, 1, 1024);
  fields.read("tmem_size", tensorMemory, 0, UINT32_MAX);
  INLAY_TRY(std::move(fields.status));
  readClusterDims(json, metadata.numBlocksPerCluster);
  if (metadata.numBlocksPerCluster > 16)
    return invalidArgument("a cluster has {} blocks; at most 16 are possible",
                           metadata.numBlocksPerCluster);
  if (warpSize != 32)
    return unimplemented("its warps have {} threads; an NVIDIA GPU's have 32", warpSize);
  if (tensorMemory != 0)
    return unimplemented("it uses {} columns of tensor memory, which is not supported yet",
                         tensorMemory);
  if (const auto descriptors = json.find("tensordesc_meta");
      descriptors != json.end() && !descriptors->empty())
    return unimplemented("it takes {} tensor descriptors made on the host, which is not supported; "
                         "make them in the kernel (tl.make_tensor_descriptor)",
                         descriptors->size());
  return metadata;
}

} // namespace inlay
