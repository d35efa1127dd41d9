#include "compiler/frontends/pt2/Pt2Import.h"

#include "base/Error.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/ArgumentAttributes.h"
#include "compiler/frontends/pt2/ExportedProgram.h"
#include "compiler/frontends/pt2/Functionalize.h"
#include "compiler/frontends/pt2/Guards.h"
#include "compiler/frontends/pt2/InlineWrappers.h"
#include "compiler/frontends/pt2/ModelNames.h"
#include "compiler/frontends/pt2/NodeText.h"
#include "compiler/frontends/pt2/TensorData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>

namespace inlay {
namespace {

using namespace pt2;

/// An argument of a call: what the schema calls it, or "args[2]".
std::string argumentName(const NamedArgument &argument, size_t index) {
  return argument.name.empty() ? fmt::format("args[{}]", index) : argument.name;
}

class Importer {
public:
  Importer(mlir::MLIRContext &context, std::shared_ptr<const Archive> archive, TensorData data,
           ExportedProgram program)
      : builder_(&context), archive_(std::move(archive)), data_(std::move(data)),
        program_(std::move(program)), attributes_(context, program_) {}

  Result<mlir::OwningOpRef<mlir::ModuleOp>> import(const std::string &name) {
    mlir::Location location = mlir::NameLoc::get(builder_.getStringAttr(name));
    mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(location));
    builder_.setInsertionPointToEnd(module->getBody());
    INLAY_ASSIGN(names_, nameModel(program_));
    addPlainOutputs();
    auto empty = builder_.getStrArrayAttr({});
    auto none = builder_.getArrayAttr({});
    graph::ModelOp model =
        graph::ModelOp::create(builder_, location, name, empty, empty, empty, empty, none, none);
    block_ = &model.getBody().emplaceBlock();
    builder_.setInsertionPointToEnd(block_);
    INLAY_TRY(addInputs(location));
    addGuards();
    for (const Node &node : program_.nodes)
      INLAY_TRY(addNode(node));
    addOutputs(location);
    if (!problems_.empty())
      return report();
    model.setInputNamesAttr(strings(names_.inputNames));
    model.setInputPathsAttr(strings(names_.inputPaths));
    model.setOutputNamesAttr(strings(names_.outputNames));
    model.setOutputPathsAttr(strings(names_.outputPaths));
    model.setSymbolsAttr(builder_.getArrayAttr(symbols_));
    model.setChecksAttr(builder_.getArrayAttr(checks_));
    if (!unreadGuards_.empty())
      model->setAttr("graph.unread_guards", strings(unreadGuards_));
    if (!plainOutputs_.empty())
      model->setAttr("graph.plain_outputs", builder_.getArrayAttr(plainOutputs_));
    if (mlir::failed(mlir::verify(*module)))
      return internalError("the imported graph does not verify");
    return module;
  }

private:
  // -- problems

  /// Notes something that cannot be imported; all are reported together.
  void problem(std::string text) { problems_.push_back(std::move(text)); }

  Status report() const {
    std::string text = fmt::format("the model cannot be imported; {} problem{}:", problems_.size(),
                                   problems_.size() == 1 ? "" : "s");
    for (const std::string &entry : problems_)
      text += "\n  " + entry;
    return unimplemented("{}", text);
  }

  mlir::ArrayAttr strings(const std::vector<std::string> &texts) {
    std::vector<llvm::StringRef> references(texts.begin(), texts.end());
    return builder_.getStrArrayAttr(references);
  }

  // -- inputs

  Status addInputs(mlir::Location location) {
    for (size_t i = 0; i < program_.inputSpecs.size(); ++i) {
      const InputSpec &spec = program_.inputSpecs[i];
      if (spec.kind == InputKind::User && spec.isTensor)
        INLAY_TRY(addUserInput(spec, location));
      else if (spec.kind == InputKind::User)
        problem(fmt::format(
            "input {} is a symbolic integer or an object; only tensors can be inputs", i));
      else if (spec.kind == InputKind::Other)
        problem(fmt::format("input {} is of kind {}, which is not supported", i, spec.fullName));
      else if (spec.kind != InputKind::Literal)
        INLAY_TRY(addConstant(spec, location));
    }
    return declareOtherSymbols();
  }

  Status addUserInput(const InputSpec &spec, mlir::Location location) {
    auto meta = program_.tensors.find(spec.name);
    if (meta == program_.tensors.end()) {
      problem(fmt::format("input '{}' has no entry in tensor_values", spec.name));
      failed_.insert(spec.name);
      return {};
    }
    for (const Expr &size : meta->second.sizes)
      if (size.kind() == ExprKind::Symbol)
        INLAY_TRY(declareSymbol(size.symbolName(), meta->second.hints));
    return define(spec.name, block_->addArgument(typeOf(meta->second), location));
  }

  /// A symbol's value is known if an input has it as a size; for another input it may then also be
  /// part of an expression. Symbols that are only parts of expressions are declared as well:
  /// whether a size like 2*s0 can be solved for them is not the importer's to say.
  Status declareOtherSymbols() {
    for (const InputSpec &spec : program_.inputSpecs)
      if (auto meta = program_.tensors.find(spec.name);
          spec.kind == InputKind::User && spec.isTensor && meta != program_.tensors.end())
        for (const Expr &size : meta->second.sizes)
          for (const std::string &symbol : symbolsOf(size))
            INLAY_TRY(declareSymbol(symbol, meta->second.hints));
    return {};
  }

  Status declareSymbol(const std::string &name, const std::map<std::string, int64_t> &hints) {
    if (!declared_.insert(name).second)
      return {};
    Range range;
    if (auto it = program_.ranges.find(name); it != program_.ranges.end())
      range = it->second;
    const int64_t min = std::max<int64_t>(range.min.value_or(0), 0);
    const int64_t max = range.max.value_or(std::numeric_limits<int64_t>::max());
    if (min > max)
      return invalidArgument(
          "range_constraints.{}: found the range {} to {}, expected one that has "
          "an integer from 0",
          name, min, max);
    auto hint = hints.find(name);
    const int64_t opt = std::clamp(hint == hints.end() ? min : hint->second, min, max);
    auto entry = [&](llvm::StringRef key, int64_t value) {
      return builder_.getNamedAttr(key, builder_.getI64IntegerAttr(value));
    };
    symbols_.push_back(
        builder_.getDictionaryAttr({builder_.getNamedAttr("name", builder_.getStringAttr(name)),
                                    entry("min", min), entry("max", max), entry("opt", opt)}));
    return {};
  }

  // -- checks

  /// The size of an input as guards name it.
  std::optional<Expr> inputSize(std::string_view input, int64_t dimension) const {
    auto name = names_.inputsInGuards.find(input);
    if (name == names_.inputsInGuards.end())
      return std::nullopt;
    auto meta = program_.tensors.find(name->second);
    if (meta == program_.tensors.end())
      return std::nullopt;
    const auto rank = static_cast<int64_t>(meta->second.sizes.size());
    if (dimension < -rank || dimension >= rank)
      return std::nullopt;
    return meta->second.sizes[static_cast<size_t>(dimension < 0 ? dimension + rank : dimension)];
  }

  /// Guards of the exporter become checks; those that cannot be read are kept as texts.
  void addGuards() {
    for (const std::string &text : program_.guards) {
      Result<Guard> guard = parseGuard(
          text, [&](std::string_view input, int64_t dim) { return inputSize(input, dim); });
      if (guard.isOk())
        addCheck(guard->condition,
                 fmt::format("the model was exported for inputs with {}", guard->text));
      else
        unreadGuards_.push_back(text);
    }
  }

  /// A condition that must hold when the model runs; those that always do are left out, and so are
  /// those on sizes that no input has.
  void addCheck(const Expr &condition, const std::string &message) {
    for (const std::string &symbol : symbolsOf(condition))
      if (!declared_.contains(symbol))
        return;
    const Interval bounds = boundsOf(condition, [&](std::string_view name) {
      auto range = program_.ranges.find(name);
      Interval interval{0, std::nullopt};
      if (range != program_.ranges.end())
        interval = {std::max<int64_t>(range->second.min.value_or(0), 0), range->second.max};
      return interval;
    });
    if ((bounds.min && *bounds.min > 0) || (bounds.max && *bounds.max < 0))
      return;
    checks_.push_back(builder_.getDictionaryAttr(
        {builder_.getNamedAttr("condition", builder_.getStringAttr(condition.toString())),
         builder_.getNamedAttr("message", builder_.getStringAttr(message))}));
  }

  /// torch._check and the exporter's own assertions on sizes.
  void addAssertion(const Node &node) {
    if (node.inputs.empty())
      return;
    const auto *condition = std::get_if<SymBoolRef>(&node.inputs[0].argument.value);
    const auto found =
        condition ? program_.symBools.find(condition->name) : program_.symBools.end();
    if (found == program_.symBools.end())
      return;
    std::string message = "an assertion of the model failed: " + found->second.toString();
    if (const auto *text = node.inputs.size() > 1
                               ? std::get_if<std::string>(&node.inputs[1].argument.value)
                               : nullptr)
      message = *text;
    addCheck(found->second, message);
  }

  mlir::Type typeOf(const TensorMeta &meta) {
    return graph::TensorType::of(builder_.getContext(), TensorSpec{meta.dtype, meta.sizes});
  }

  /// Gives a value the name by which nodes and outputs refer to it.
  Status define(const std::string &name, mlir::Value value) {
    if (!values_.try_emplace(name, value).second)
      return invalidArgument(
          "the graph defines '{}' twice, expected one node or input of that name", name);
    return {};
  }

  // -- parameters, buffers, constants

  Status addConstant(const InputSpec &spec, mlir::Location location) {
    INLAY_ASSIGN(DenseTensor tensor, data_.read(spec));
    TensorMeta meta;
    meta.dtype = tensor.dtype;
    meta.sizes.assign(tensor.sizes.begin(), tensor.sizes.end());
    auto declared = program_.tensors.find(spec.name);
    if (declared == program_.tensors.end())
      return invalidArgument("graph_module.graph.tensor_values has no entry for '{}', which holds "
                             "'{}'",
                             spec.name, spec.fullName);
    if (declared->second.dtype != meta.dtype || declared->second.sizes != meta.sizes)
      return dataLoss("'{}' is {} in the archive's data, expected {} as in the graph",
                      spec.fullName, textOf(meta), textOf(declared->second));
    auto type = mlir::RankedTensorType::get({static_cast<int64_t>(tensor.bytes().size())},
                                            builder_.getI8Type());
    mlir::AsmResourceBlob blob = blobOf(tensor);
    auto data = mlir::DenseResourceElementsAttr::get(type, spec.fullName, std::move(blob));
    auto constant =
        graph::ConstantOp::create(builder_, location, typeOf(meta), spec.fullName, data);
    return define(spec.name, constant.getResult());
  }

  /// The bytes of a tensor, in the archive where they can stay there: large models are not copied.
  mlir::AsmResourceBlob blobOf(const DenseTensor &tensor) const {
    constexpr size_t kAlign = 64;
    const std::span<const char> bytes = tensor.bytes();
    if (!tensor.copy.empty() || bytes.empty())
      return mlir::HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, kAlign);
    // Some packers align nothing; whoever reads constants copies elements out.
    const auto address = reinterpret_cast<uintptr_t>(bytes.data());
    const size_t align = std::min<size_t>(kAlign, address & -address);
    // Attributes live as long as the context; so must the mapping.
    return mlir::UnmanagedAsmResourceBlob::allocateWithAlign(
        bytes, align, [archive = archive_](void *, size_t, size_t) {});
  }

  /// "float32[s0, 8]".
  static std::string textOf(const TensorMeta &meta) {
    std::string text;
    for (const Expr &size : meta.sizes)
      text += (text.empty() ? "" : ", ") + size.toString();
    return fmt::format("{}[{}]", dataTypeName(meta.dtype), text);
  }

  // -- nodes

  mlir::Location locationOf(const Node &node) {
    auto [file, line] = sourceOf(node.stackTrace);
    if (file.empty())
      return mlir::NameLoc::get(builder_.getStringAttr(node.name));
    return mlir::FileLineColLoc::get(builder_.getContext(), file, line, 0);
  }

  /// Nodes without meaning for a run: assertions on shapes that the engine checks itself.
  static bool isDropped(llvm::StringRef opName) {
    return opName.starts_with("aten::_assert") || opName.starts_with("aten::sym_constrain_range");
  }

  /// Integer arithmetic on shapes: the exporter has written its results as expressions. Conditions
  /// on shapes are only there to be asserted; whatever else used one would say so.
  bool isSymbolic(const Node &node) const {
    return !node.outputs.empty() && llvm::all_of(node.outputs, [&](const Argument &output) {
      const auto *ref = std::get_if<SymIntRef>(&output.value);
      const bool isCondition = std::holds_alternative<SymBoolRef>(output.value);
      return isCondition || (ref && program_.symInts.contains(ref->name));
    });
  }

  /// Higher-order operators that are calls of a kernel with plain arguments.
  static bool isCallable(llvm::StringRef opName) {
    return !opName.empty() && (!opName.starts_with("higher_order::") ||
                               opName == "higher_order::triton_kernel_wrapper_functional");
  }

  Status addNode(const Node &node) {
    const std::string opName = opNameOf(node.target);
    if (isSymbolic(node))
      return {};
    if (isDropped(opName)) {
      if (llvm::StringRef(opName).starts_with("aten::_assert_scalar"))
        addAssertion(node);
      return {};
    }
    bool isGood = true;
    if (!node.problem.empty()) {
      problem(fmt::format("{}: {}", describe(node), node.problem));
      isGood = false;
    } else if (!isCallable(opName)) {
      problem(
          fmt::format("{}: this higher-order or Python operator is not supported", describe(node)));
      isGood = false;
    } else {
      isGood = hasOwnArgumentNames(node);
    }
    CallParts parts;
    for (size_t i = 0; isGood && i < node.inputs.size(); ++i)
      isGood = addArgument(node, argumentName(node.inputs[i], i), node.inputs[i].argument, parts);
    for (size_t i = 0; isGood && i < node.outputs.size(); ++i)
      isGood = addResult(node, node.outputs[i], parts);
    if (!isGood) {
      for (const Argument &output : node.outputs)
        blameless(output);
      return {};
    }
    auto call = graph::CallOp::create(
        builder_, locationOf(node), parts.types, opName, node.name.empty() ? opName : node.name,
        parts.operands, strings(parts.names), builder_.getDictionaryAttr(parts.literals));
    if (!parts.noneResults.empty())
      call->setAttr("graph.none_results", builder_.getDenseI64ArrayAttr(parts.noneResults));
    for (auto [result, value] : llvm::zip_equal(parts.results, call.getOutputs()))
      INLAY_TRY(define(result, value));
    return {};
  }

  /// A graph.call in the making.
  struct CallParts {
    llvm::SmallVector<mlir::Value> operands;
    std::vector<std::string> names;
    llvm::SmallVector<mlir::NamedAttribute> literals;
    llvm::SmallVector<mlir::Type> types;
    std::vector<std::string> results;
    llvm::SmallVector<int64_t> noneResults;
  };

  /// Remembers the results of a node that has a problem: those who use them are not to blame.
  void blameless(const Argument &output) {
    if (const auto *tensor = std::get_if<TensorRef>(&output.value))
      failed_.insert(tensor->name);
    else if (const auto *tensors = std::get_if<std::vector<TensorRef>>(&output.value))
      for (const TensorRef &element : *tensors)
        failed_.insert(element.name);
  }

  bool hasOwnArgumentNames(const Node &node) {
    const bool mayBePositional =
        llvm::StringRef(node.target).starts_with("torch.ops.higher_order.");
    llvm::StringSet<> names;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const NamedArgument &input = node.inputs[i];
      if ((input.name.empty() && !mayBePositional) ||
          !names.insert(argumentName(input, i)).second ||
          llvm::StringRef(input.name).contains('[')) {
        problem(fmt::format("{}: the argument name '{}' is empty, used twice or no name",
                            describe(node), input.name));
        return false;
      }
    }
    return true;
  }

  bool addArgument(const Node &node, const std::string &name, const Argument &argument,
                   CallParts &parts) {
    if (const auto *tensor = std::get_if<TensorRef>(&argument.value))
      return addTensor(node, name, tensor->name, parts);
    if (const auto *tensors = std::get_if<std::vector<TensorRef>>(&argument.value);
        tensors && !tensors->empty()) {
      for (auto [i, element] : llvm::enumerate(*tensors))
        if (!addTensor(node, fmt::format("{}[{}]", name, i), element.name, parts))
          return false;
      return true;
    }
    if (const auto *optionals = std::get_if<OptionalTensors>(&argument.value);
        optionals && !optionals->empty()) {
      for (auto [i, element] : llvm::enumerate(*optionals)) {
        const std::string elementName = fmt::format("{}[{}]", name, i);
        if (!element)
          parts.literals.push_back(builder_.getNamedAttr(elementName, builder_.getUnitAttr()));
        else if (!addTensor(node, elementName, element->name, parts))
          return false;
      }
      return true;
    }
    mlir::Attribute value = attributes_.attributeOf(argument);
    if (!value) {
      problem(fmt::format("{}: argument '{}' is {}, which is not supported yet", describe(node),
                          name, attributes_.kindOf(argument)));
      return false;
    }
    parts.literals.push_back(builder_.getNamedAttr(name, value));
    return true;
  }

  /// A tensor by its name in the graph. Operands of higher-order operators name symbolic integers
  /// as if they were tensors.
  bool addTensor(const Node &node, const std::string &name, const std::string &reference,
                 CallParts &parts) {
    if (mlir::Value value = values_.lookup(reference)) {
      parts.operands.push_back(value);
      parts.names.push_back(name);
      return true;
    }
    if (mlir::Attribute size = attributes_.attributeOf(Argument{SymIntRef{reference}})) {
      parts.literals.push_back(builder_.getNamedAttr(name, size));
      return true;
    }
    if (!failed_.contains(reference))
      problem(fmt::format("{}: argument '{}' refers to '{}', which no node or input defines",
                          describe(node), name, reference));
    return false;
  }

  bool addResult(const Node &node, const Argument &output, CallParts &parts) {
    if (std::holds_alternative<NoneArgument>(output.value)) {
      parts.noneResults.push_back(
          static_cast<int64_t>(parts.types.size() + parts.noneResults.size()));
      return true;
    }
    if (const auto *tensors = std::get_if<std::vector<TensorRef>>(&output.value)) {
      return llvm::all_of(*tensors, [&](const TensorRef &element) {
        return addTensorResult(node, element.name, parts);
      });
    }
    if (const auto *tensor = std::get_if<TensorRef>(&output.value))
      return addTensorResult(node, tensor->name, parts);
    problem(fmt::format("{}: an output is no tensor, which is not supported yet", describe(node)));
    return false;
  }

  bool addTensorResult(const Node &node, const std::string &name, CallParts &parts) {
    auto meta = program_.tensors.find(name);
    if (meta == program_.tensors.end()) {
      problem(fmt::format("{}: output '{}' has no entry in tensor_values", describe(node), name));
      return false;
    }
    // A size that depends on data is a symbol of its own, which this node gives its value.
    for (const Expr &size : meta->second.sizes)
      if (size.kind() == ExprKind::Symbol)
        if (Status status = declareSymbol(size.symbolName(), meta->second.hints); !status.isOk()) {
          problem(fmt::format("{}: {}", describe(node), status.message()));
          return false;
        }
    for (const Expr &size : meta->second.sizes)
      for (const std::string &symbol : symbolsOf(size))
        if (!declared_.contains(symbol)) {
          problem(fmt::format("{}: output '{}' has the size {}, but no tensor before it has {} "
                              "itself as a size, which is not supported yet",
                              describe(node), name, size.toString(), symbol));
          return false;
        }
    parts.results.push_back(name);
    parts.types.push_back(typeOf(meta->second));
    return true;
  }

  // -- outputs

  /// Outputs that are no tensors are kept for those who want to know what the model returned.
  void addPlainOutputs() {
    for (const ModelNames::PlainOutput &output : names_.plainOutputs) {
      const Argument &argument = program_.graphOutputs[output.index];
      const mlir::Attribute value = attributes_.attributeOf(argument);
      if (!value) {
        problem(fmt::format("output {} is {}, which is not supported yet", output.index,
                            attributes_.kindOf(argument)));
        continue;
      }
      plainOutputs_.push_back(builder_.getDictionaryAttr(
          {builder_.getNamedAttr("path", builder_.getStringAttr(output.path)),
           builder_.getNamedAttr("value", value)}));
    }
  }

  void addOutputs(mlir::Location location) {
    llvm::SmallVector<mlir::Value> results, changed;
    for (size_t i = 0; i < program_.graphOutputs.size(); ++i) {
      const OutputSpec &spec = program_.outputSpecs[i];
      const auto *tensor = std::get_if<TensorRef>(&program_.graphOutputs[i].value);
      if (!tensor && spec.isUserOutput)
        continue; // a plain output
      mlir::Value value = tensor ? values_.lookup(tensor->name) : mlir::Value();
      if (!tensor)
        problem(fmt::format("output {}, a {}, is no tensor", i, spec.kind));
      else if (!value && !failed_.contains(tensor->name))
        problem(fmt::format("output {} refers to '{}', which no node or input defines", i,
                            tensor->name));
      else if (value && spec.isUserOutput)
        results.push_back(value);
      else if (value)
        addUpdate(i, spec, value, location, changed);
    }
    // An input belongs to the caller: its new value is one more output, behind all others.
    results.append(changed);
    graph::OutputOp::create(builder_, location, results);
  }

  /// A buffer or an input that the model gives a new value.
  void addUpdate(size_t index, const OutputSpec &spec, mlir::Value value, mlir::Location location,
                 llvm::SmallVectorImpl<mlir::Value> &changedInputs) {
    if (spec.target.empty())
      return problem(
          fmt::format("output {} is of kind {}, which is not supported", index, spec.kind));
    mlir::Value target;
    for (const InputSpec &input : program_.inputSpecs)
      if ((input.kind == InputKind::User ? input.name : input.fullName) == spec.target &&
          (input.kind == InputKind::User) == (spec.kind == "user_input_mutation") &&
          input.kind != InputKind::Other)
        target = values_.lookup(input.name);
    if (!target || !updated_.insert(spec.target).second)
      return problem(fmt::format("output {}, a {}, changes '{}', which is no input or is changed "
                                 "twice",
                                 index, spec.kind, spec.target));
    if (target.getType() != value.getType())
      return problem(fmt::format("output {}, a {}, gives '{}' a value of another type or shape",
                                 index, spec.kind, spec.target));
    if (names_.changedInputs.contains(index))
      changedInputs.push_back(value);
    else if (target != value) // else nothing changes
      graph::UpdateOp::create(builder_, location, target, value);
  }

  mlir::OpBuilder builder_;
  std::shared_ptr<const Archive> archive_;
  TensorData data_;
  ExportedProgram program_;
  ArgumentAttributes attributes_;
  ModelNames names_;
  mlir::Block *block_ = nullptr;
  llvm::StringMap<mlir::Value> values_;
  std::set<std::string> declared_, failed_, updated_;
  std::vector<std::string> unreadGuards_, problems_;
  llvm::SmallVector<mlir::Attribute> symbols_, checks_, plainOutputs_;
};

Result<mlir::OwningOpRef<mlir::ModuleOp>> importArchive(mlir::MLIRContext &context,
                                                        std::shared_ptr<const Archive> archive,
                                                        const std::string &name) {
  INLAY_ASSIGN(ArchivedModel model, archive->lookupModel());
  const std::string &member = model.programMember;
  INLAY_ASSIGN(ExportedProgram program, parseExportedProgram(*archive->find(member)),
               "reading " + member);
  INLAY_TRY(inlineWrappers(program), "reading " + member);
  functionalize(program);
  INLAY_ASSIGN(TensorData data, TensorData::create(*archive, model.name));
  return Importer(context, std::move(archive), std::move(data), std::move(program)).import(name);
}

} // namespace

Result<mlir::OwningOpRef<mlir::ModuleOp>> importPt2(mlir::MLIRContext &context,
                                                    const std::string &path) {
  context.loadDialect<graph::GraphDialect>();
  INLAY_ASSIGN(Archive opened, Archive::open(path));
  auto archive = std::make_shared<const Archive>(std::move(opened));
  INLAY_ASSIGN(
      mlir::OwningOpRef<mlir::ModuleOp> module,
      importArchive(context, std::move(archive), std::filesystem::path(path).stem().string()),
      "importing '" + path + "'");
  return module;
}

} // namespace inlay
