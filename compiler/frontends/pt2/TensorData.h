// Bytes of the parameters, buffers and constants in an archive.
#pragma once

#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/ExportedProgram.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inlay::pt2 {

/// A tensor without gaps: elements in row-major order.
struct DenseTensor {
  DataType dtype = DataType::Float32;
  std::vector<int64_t> sizes;
  std::vector<char> bytes;
};

/// Reads the tensors of one model of an archive. Borrowed: the archive outlives this.
class TensorData {
public:
  /// Reads both configurations, as far as they are there. Errors: those of parsePayloads, naming
  /// the member.
  static Result<TensorData> create(const Archive &archive, const std::string &modelName);

  /// The tensor that an input of the graph stands for: of kind Parameter, Buffer or TensorConstant.
  /// Errors: DataLoss (no data, or a view that reaches outside its member), Unimplemented (a Python
  /// pickle), InvalidArgument (views so much larger than the archive that they cannot be meant).
  Result<DenseTensor> read(const InputSpec &spec);

private:
  explicit TensorData(const Archive &archive);
  Result<std::vector<char>> denseBytes(const std::string &name, const Payload &payload,
                                       const std::string &folder);

  const Archive *archive_;
  Payloads weights_, constants_;
  std::string weightsMember_, constantsMember_;
  int64_t budgetBytes_;
};

} // namespace inlay::pt2
