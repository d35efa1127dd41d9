// Bytes of the parameters, buffers and constants in an archive.
#pragma once

#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/ExportedProgram.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay::pt2 {

/// A tensor without gaps: elements in row-major order.
struct DenseTensor {
  DataType dtype = DataType::Float32;
  std::vector<int64_t> sizes;
  std::vector<char> copy;        // where the archive has the elements in another order
  std::span<const char> inPlace; // else; borrowed from the archive

  std::span<const char> bytes() const { return copy.empty() ? inPlace : std::span(copy); }
};

/// Reads the tensors of one model of an archive. Borrowed: the archive outlives this.
class TensorData {
public:
  /// Reads where the tensors lie, as far as that is there: configurations, or what torch.save wrote
  /// of a dictionary of tensors. Errors: those of parsePayloads and readTensorDict, naming the
  /// member.
  static Result<TensorData> create(const Archive &archive, const std::string &modelName);

  /// The tensor that an input of the graph stands for: of kind Parameter, Buffer or TensorConstant.
  /// Errors: DataLoss (no data, or a view that reaches outside its member), Unimplemented (a Python
  /// pickle), InvalidArgument (views so much larger than the archive that they cannot be meant).
  Result<DenseTensor> read(const InputSpec &spec);

private:
  explicit TensorData(const Archive &archive);
  /// Tensors by name and where their bytes lie.
  struct Source {
    Payloads payloads;
    std::string member;             // that tells where
    std::string folder;             // of the payloads' paths
    std::optional<Archive> pickled; // in which they lie, if not in the archive itself
  };
  Status readSource(Source &source, const std::string &kind, const std::string &modelName,
                    std::string_view flatName);
  Status readPickledSource(Source &source, const std::string &member);
  Status addDenseBytes(const std::string &name, const Payload &payload, const Source &source,
                       DenseTensor &tensor);

  const Archive *archive_;
  Source weights_, constants_;
  int64_t budgetBytes_;
};

} // namespace inlay::pt2
