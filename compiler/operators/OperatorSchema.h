// Operator schemas as PyTorch writes them, such as
// "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor".
#pragma once

#include "compiler/plugins/PluginDefinition.h"

namespace inlay {

/// One argument of an operator: a tensor, a list of tensors, or an attribute.
struct SchemaArgument {
  enum class Kind : uint8_t { Tensor, TensorList, Attribute };
  Kind kind = Kind::Attribute;
  bool isOptional = false; // Tensor: may be None
  /// Attribute: its kind and default; otherwise only the name matters. Devices, layouts, memory
  /// formats and generators are optional strings.
  AttributeParameter attribute;
};

struct OperatorSchema {
  std::string opName; // "aten::add.Tensor"
  std::vector<SchemaArgument> arguments;
};

/// Reads a schema. SymInt becomes Size, Scalar SizeNumber. Errors: InvalidArgument naming schema
/// and the text that cannot be read.
Result<OperatorSchema> parseOperatorSchema(std::string_view text);

} // namespace inlay
