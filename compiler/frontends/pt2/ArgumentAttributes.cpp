#include "compiler/frontends/pt2/ArgumentAttributes.h"

#include "base/Error.h"
#include "compiler/dialects/graph/Graph.h"

#include "mlir/IR/Builders.h"

namespace inlay::pt2 {

ArgumentAttributes::ArgumentAttributes(mlir::MLIRContext &context, const ExportedProgram &program)
    : context_(context), program_(program) {
  for (const InputSpec &spec : program.inputSpecs)
    if (auto meta = program.tensors.find(spec.name);
        spec.kind == InputKind::User && spec.isTensor && meta != program.tensors.end())
      for (const Expr &size : meta->second.sizes)
        for (const std::string &name : symbolsOf(size))
          inputSymbols_.insert(name);
}

/// An integer of the graph: a constant, or an expression over symbols that inputs have; null if it
/// is neither.
mlir::Attribute ArgumentAttributes::sizeAttribute(const std::string &name) const {
  auto found = program_.symInts.find(name);
  if (found == program_.symInts.end())
    return {};
  mlir::Builder builder(&context_);
  if (std::optional<int64_t> constant = found->second.constantValue())
    return builder.getI64IntegerAttr(*constant);
  for (const std::string &symbol : symbolsOf(found->second))
    if (!inputSymbols_.contains(symbol))
      return {};
  return graph::ExprAttr::get(&context_, builder.getStringAttr(found->second.toString()));
}

mlir::Attribute ArgumentAttributes::attributeOf(const Argument &argument) const {
  return std::visit(
      [&](const auto &value) -> mlir::Attribute {
        using T = std::decay_t<decltype(value)>;
        mlir::Builder builder(&context_);
        if constexpr (std::is_same_v<T, NoneArgument>) {
          return builder.getUnitAttr();
        } else if constexpr (std::is_same_v<T, SymIntRef>) {
          return sizeAttribute(value.name);
        } else if constexpr (std::is_same_v<T, SymInts>) {
          llvm::SmallVector<mlir::Attribute> elements;
          for (const auto &element : value) {
            const auto *number = std::get_if<int64_t>(&element);
            elements.push_back(number ? builder.getI64IntegerAttr(*number)
                                      : sizeAttribute(std::get<SymIntRef>(element).name));
            if (!elements.back())
              return {};
          }
          return builder.getArrayAttr(elements);
        } else if constexpr (std::is_same_v<T, std::vector<TensorRef>> ||
                             std::is_same_v<T, OptionalTensors>) {
          // An empty list is written as a list of tensors where the schema's element type is not
          // known.
          return value.empty() ? builder.getArrayAttr({}) : mlir::Attribute();
        } else if constexpr (std::is_constructible_v<AttributeValue, T>) {
          return graph::attributeOf(&context_, AttributeValue(value));
        } else {
          return {};
        }
      },
      argument.value);
}

std::string ArgumentAttributes::kindOf(const Argument &argument) const {
  if (const auto *other = std::get_if<OtherArgument>(&argument.value))
    return "of kind " + other->key;
  if (std::holds_alternative<GraphArgument>(argument.value))
    return "a graph";
  if (std::holds_alternative<SymBoolRef>(argument.value))
    return "a condition on sizes";
  if (const auto *reference = std::get_if<SymIntRef>(&argument.value);
      reference && !program_.symInts.contains(reference->name))
    return fmt::format("the integer '{}', which nothing defines", reference->name);
  if (std::holds_alternative<SymIntRef>(argument.value) ||
      std::holds_alternative<SymInts>(argument.value))
    return "a size that depends on data";
  return "a list of tensors";
}

} // namespace inlay::pt2
