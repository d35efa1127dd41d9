#include "compiler/operators/StandardOperator.h"

#include "base/Error.h"
#include "compiler/operators/OperatorSchema.h"

#include <algorithm>

namespace inlay {
namespace {

/// What stands for a tensor of the schema in one plugin.
enum class TensorForm : uint8_t { Tensor, Absent, Number };

class StandardOperator final : public PluginDefinition {
public:
  /// `forms` has an entry for each argument that is a tensor.
  StandardOperator(const OperatorSchema &schema, const std::vector<TensorForm> &forms,
                   OperatorFunctions functions)
      : functions_(std::move(functions)) {
    opName_ = schema.opName;
    origin_ = "standard operators";
    variant_ = functions_.variant;
    size_t tensor = 0;
    for (const SchemaArgument &argument : schema.arguments)
      if (argument.kind == SchemaArgument::Kind::Attribute)
        attributes_.push_back(argument.attribute);
      else if (argument.kind == SchemaArgument::Kind::TensorList)
        takesAllTensors_ = true;
      else
        addTensor(argument.attribute.name, forms[tensor++]);
    if (!takesAllTensors_)
      return;
    // The binder takes tensors as they come: those that must be there are looked for here.
    inputNames_.clear();
    for (const SchemaArgument &argument : schema.arguments)
      if (argument.kind == SchemaArgument::Kind::Tensor && !argument.isOptional)
        needed_.push_back(argument.attribute.name);
  }

  Result<std::vector<PluginRequirement>> conditions(const PluginNode &node) const override {
    for (const std::string &name : needed_)
      if (!findInput(node, name))
        return invalidArgument("the model passes no tensor for input '{}'", name);
    if (functions_.serves)
      INLAY_TRY(functions_.serves(node));
    return std::vector<PluginRequirement>();
  }
  Result<PluginDescription> describe(const PluginNode &node) const override {
    return functions_.describe(node);
  }
  Result<PluginImplementation> implement(const PluginNode &node) const override {
    return functions_.implement ? functions_.implement(node)
                                : Result<PluginImplementation>(PluginImplementation());
  }

  const OperatorTraits *traits() const override { return &functions_.traits; }

private:
  void addTensor(const std::string &name, TensorForm form) {
    switch (form) {
    case TensorForm::Tensor:
      inputNames_.push_back(name);
      break;
    case TensorForm::Absent:
      // A node that passes None passes a literal.
      attributes_.push_back({name, AttributeKind::String, true, AttributeValue()});
      break;
    case TensorForm::Number:
      attributes_.push_back({name, AttributeKind::SizeNumber, false, std::nullopt});
      break;
    }
  }

  OperatorFunctions functions_;
  std::vector<std::string> needed_; // tensors beside a list of tensors
};

/// The forms that a schema's tensors may have, of each.
std::vector<std::vector<TensorForm>> possibleForms(const OperatorSchema &schema,
                                                   const std::vector<std::string_view> &numbers) {
  std::vector<std::vector<TensorForm>> forms;
  const bool hasList = std::ranges::any_of(schema.arguments, [](const SchemaArgument &argument) {
    return argument.kind == SchemaArgument::Kind::TensorList;
  });
  for (const SchemaArgument &argument : schema.arguments) {
    if (argument.kind != SchemaArgument::Kind::Tensor)
      continue;
    forms.push_back({TensorForm::Tensor});
    if (hasList)
      continue; // all tensors are taken as they come
    if (argument.isOptional)
      forms.back().push_back(TensorForm::Absent);
    if (std::ranges::find(numbers, argument.attribute.name) != numbers.end())
      forms.back().push_back(TensorForm::Number);
  }
  return forms;
}

const AttributeValue &valueOf(const PluginNode &node, std::string_view name) {
  const auto found = node.attributes.find(name);
  INLAY_CHECK(found != node.attributes.end(), name);
  return found->second;
}

} // namespace

void addOperator(OperatorDefinitions &definitions, std::string_view text,
                 OperatorFunctions functions, const std::vector<std::string_view> &mayBeNumbers) {
  Result<OperatorSchema> schema = parseOperatorSchema(text);
  INLAY_CHECK(schema.isOk(), schema.status().message());
  const std::vector<std::vector<TensorForm>> possible = possibleForms(*schema, mayBeNumbers);
  // Counts through all choices; those with more tensors come first.
  std::vector<size_t> choice(possible.size(), 0);
  for (bool isDone = false; !isDone;) {
    std::vector<TensorForm> forms;
    for (size_t i = 0; i < possible.size(); ++i)
      forms.push_back(possible[i][choice[i]]);
    const auto isThere = [&](TensorForm form) {
      return std::ranges::find(forms, form) != forms.end();
    };
    // Of numbers only there is nothing to compute.
    if (!isThere(TensorForm::Number) || isThere(TensorForm::Tensor))
      definitions.push_back(std::make_unique<StandardOperator>(*schema, forms, functions));
    isDone = true;
    for (size_t i = possible.size(); i-- > 0 && isDone;) {
      choice[i] = (choice[i] + 1) % possible[i].size();
      isDone = choice[i] == 0;
    }
  }
}

const TensorSpec *findInput(const PluginNode &node, std::string_view name) {
  const auto found = std::ranges::find(node.inputNames, name);
  return found == node.inputNames.end()
             ? nullptr
             : &node.inputs[static_cast<size_t>(found - node.inputNames.begin())];
}

uint32_t inputIndex(const PluginNode &node, std::string_view name) {
  const auto found = std::ranges::find(node.inputNames, name);
  INLAY_CHECK(found != node.inputNames.end(), name);
  return static_cast<uint32_t>(found - node.inputNames.begin());
}

bool isNone(const PluginNode &node, std::string_view name) {
  return std::holds_alternative<std::monostate>(valueOf(node, name)) &&
         !node.sizeAttributes.contains(name);
}

int64_t integerOf(const PluginNode &node, std::string_view name) {
  return std::get<int64_t>(valueOf(node, name));
}

bool boolOf(const PluginNode &node, std::string_view name) {
  return std::get<bool>(valueOf(node, name));
}

double floatOf(const PluginNode &node, std::string_view name) {
  return std::get<double>(valueOf(node, name));
}

OperatorNumber numberOf(const PluginNode &node, std::string_view name) {
  INLAY_CHECK(!isNone(node, name), name);
  return {valueOf(node, name), findSize(node, name)};
}

const std::string &textOf(const PluginNode &node, std::string_view name) {
  return std::get<std::string>(valueOf(node, name));
}

std::optional<DataType> findDataTypeOf(const PluginNode &node, std::string_view name) {
  const DataType *type = std::get_if<DataType>(&valueOf(node, name));
  return type ? std::optional(*type) : std::nullopt;
}

std::vector<int64_t> integersOf(const PluginNode &node, std::string_view name) {
  const auto *integers = std::get_if<std::vector<int64_t>>(&valueOf(node, name));
  return integers ? *integers : std::vector<int64_t>();
}

std::optional<Expr> findSize(const PluginNode &node, std::string_view name) {
  const auto found = node.sizeAttributes.find(name);
  return found == node.sizeAttributes.end() ? std::nullopt : std::optional(found->second.at(0));
}

std::vector<Expr> sizesOf(const PluginNode &node, std::string_view name) {
  const auto found = node.sizeAttributes.find(name);
  return found == node.sizeAttributes.end() ? std::vector<Expr>() : found->second;
}

} // namespace inlay
