// PyTorch's rules for the element type of a result.
#pragma once

#include "base/Status.h"
#include "compiler/plugins/PluginDefinition.h"

namespace inlay {

/// The element type in which two tensors of rank 1 or more meet. nullopt where PyTorch has no rule
/// (two different unsigned types, 8-bit floats).
std::optional<DataType> promoteTypes(DataType a, DataType b);

/// Element type of a Python number: bool, int64 or float32.
DataType numberType(const AttributeValue &value);

/// Gathers the operands of an operator. Tensors of rank 0 and numbers widen the type only beyond
/// its category: bool, integer, float.
class TypePromotion {
public:
  void addTensor(const TensorSpec &tensor);
  void addNumber(DataType type);
  /// The common type of what was added. Errors: InvalidArgument naming two types that have none.
  Result<DataType> result() const;

private:
  std::optional<DataType> dimensioned_, scalar_, number_;
  std::optional<std::pair<DataType, DataType>> conflict_;
  void meet(std::optional<DataType> &type, DataType other);
};

/// "tl.float32": a type in the Triton language.
std::string tritonType(DataType type);
/// The type in which kernels compute: float32 for narrower floats, else the type itself.
DataType computeType(DataType type);

} // namespace inlay
