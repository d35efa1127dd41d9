#include "compiler/frontends/pt2/Pt2Import.h"

#include "base/Error.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/ExportedProgram.h"
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
#include <set>

namespace inlay {
namespace {

using namespace pt2;

/// "torch.ops.aten.mul.Tensor" is "aten::mul.Tensor"; the overload "default" is left out. Empty if
/// it is no operator.
std::string opNameOf(llvm::StringRef target) {
  if (!target.consume_front("torch.ops."))
    return "";
  auto [space, name] = target.split('.');
  if (name.empty())
    return "";
  name.consume_back(".default");
  return (space + "::" + name).str();
}

/// The last place in a Python stack trace: file name without folder, and line.
std::pair<std::string, unsigned> sourceOf(llvm::StringRef stackTrace) {
  const size_t at = stackTrace.rfind("File \"");
  if (at == llvm::StringRef::npos)
    return {"", 0};
  auto [file, rest] = stackTrace.substr(at + 6).split("\", line ");
  unsigned line = 0;
  rest.consumeInteger(10, line);
  return {std::filesystem::path(file.str()).filename().string(), line};
}

/// Makes names of their own out of names that may be equal or empty.
class UniqueNames {
public:
  std::string take(std::string name, llvm::StringRef ifEmpty) {
    if (name.empty())
      name = ifEmpty.str();
    std::string candidate = name;
    for (unsigned &last = lastNumbers_[name]; !taken_.insert(candidate).second;)
      candidate = fmt::format("{}_{}", name, ++last);
    return candidate;
  }

private:
  llvm::StringSet<> taken_;
  llvm::StringMap<unsigned> lastNumbers_;
};

/// PyTorch's convention: "aten::add_.Tensor" changes its first argument, "aten::__and__" none;
/// "aten::detach_" changes nothing that a run can see.
bool isInPlace(llvm::StringRef opName) {
  if (opName == "aten::detach_")
    return false;
  const llvm::StringRef name = opName.split("::").second.split('.').first;
  return name.ends_with("_") && !name.ends_with("__");
}

class Importer {
public:
  Importer(mlir::MLIRContext &context, TensorData data, ExportedProgram program)
      : builder_(&context), data_(std::move(data)), program_(std::move(program)) {}

  Result<mlir::OwningOpRef<mlir::ModuleOp>> import(const std::string &name) {
    mlir::Location location = mlir::NameLoc::get(builder_.getStringAttr(name));
    mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(location));
    builder_.setInsertionPointToEnd(module->getBody());
    INLAY_TRY(nameInputs());
    INLAY_TRY(nameOutputs());
    auto empty = builder_.getStrArrayAttr({});
    auto none = builder_.getArrayAttr({});
    graph::ModelOp model =
        graph::ModelOp::create(builder_, location, name, empty, empty, empty, empty, none, none);
    block_ = &model.getBody().emplaceBlock();
    builder_.setInsertionPointToEnd(block_);
    INLAY_TRY(addInputs(location));
    for (const Node &node : program_.nodes)
      INLAY_TRY(addNode(node));
    addOutputs(location);
    if (!problems_.empty())
      return report();
    model.setInputNamesAttr(strings(inputNames_));
    model.setInputPathsAttr(strings(inputPaths_));
    model.setOutputNamesAttr(strings(outputNames_));
    model.setOutputPathsAttr(strings(outputPaths_));
    model.setSymbolsAttr(builder_.getArrayAttr(symbols_));
    if (mlir::failed(mlir::verify(*module)))
      return internalError("the imported graph does not verify");
    return module;
  }

private:
  // -- problems

  /// Notes something that cannot be imported; all are reported together.
  void problem(std::string text) { problems_.push_back(std::move(text)); }

  std::string describe(const Node &node) const {
    auto [file, line] = sourceOf(node.stackTrace);
    std::string text =
        fmt::format("{} (node {}",
                    opNameOf(node.target).empty() ? node.target : opNameOf(node.target), node.name);
    return text + (file.empty() ? ")" : fmt::format(", {}:{})", file, line));
  }

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

  // -- names

  /// Names of user inputs: the forward argument's, with the path inside it; the graph's where the
  /// tree does not fit.
  Status nameInputs() {
    std::vector<std::string> leaves;
    if (!program_.inSpec.empty()) {
      INLAY_ASSIGN(leaves, leafPaths(program_.inSpec), "reading the inputs' tree specification");
    }
    UniqueNames names;
    size_t leaf = 0;
    for (const InputSpec &spec : program_.inputSpecs) {
      if (spec.kind != InputKind::User && spec.kind != InputKind::Literal)
        continue;
      const std::string path = leaf < leaves.size() ? leaves[leaf] : "";
      ++leaf;
      if (spec.kind != InputKind::User || !spec.isTensor)
        continue;
      inputPaths_.push_back(path);
      std::string name = inputNameOf(path, spec.name);
      inputNames_.push_back(names.take(name.empty() ? spec.name : name, "input"));
    }
    return {};
  }

  /// "[0][1]" is the second positional argument, "[1]['mask']" the keyword argument mask.
  std::string inputNameOf(llvm::StringRef path, const std::string &graphName) const {
    if (path.consume_front("[0][")) {
      unsigned index = 0;
      if (!path.consumeInteger(10, index) && path.consume_front("]") &&
          index < program_.argumentNames.size())
        return program_.argumentNames[index] + path.str();
    } else if (path.consume_front("[1]['")) {
      auto [name, rest] = path.split("']");
      return name.str() + rest.str();
    }
    return graphName;
  }

  Status nameOutputs() {
    if (!program_.outSpec.empty()) {
      INLAY_ASSIGN(outputPaths_, leafPaths(program_.outSpec),
                   "reading the outputs' tree specification");
    }
    outputPaths_.resize(program_.graphOutputs.size());
    UniqueNames names;
    for (size_t i = 0; i < program_.graphOutputs.size(); ++i) {
      const auto *tensor = std::get_if<TensorRef>(&program_.graphOutputs[i].value);
      llvm::StringRef path = outputPaths_[i];
      std::string name = tensor ? tensor->name : fmt::format("output_{}", i);
      // A dictionary's key names its value.
      if (path.consume_front("['") && path.consume_back("']") && !path.contains('['))
        name = path.str();
      outputNames_.push_back(names.take(name, "output"));
    }
    return {};
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
    checkInputSymbols();
    return {};
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
  /// part of an expression.
  void checkInputSymbols() {
    for (const InputSpec &spec : program_.inputSpecs)
      if (auto meta = program_.tensors.find(spec.name);
          spec.kind == InputKind::User && spec.isTensor && meta != program_.tensors.end())
        for (const Expr &size : meta->second.sizes)
          for (const std::string &symbol : symbolsOf(size))
            // Once for each symbol: the results' shapes have it too.
            if (declared_.insert(symbol).second)
              problem(
                  fmt::format("input '{}' has the size {}, but no input has {} itself as a size, "
                              "which is not supported yet",
                              spec.name, size.toString(), symbol));
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
    auto type = mlir::RankedTensorType::get({static_cast<int64_t>(tensor.bytes.size())},
                                            builder_.getI8Type());
    auto blob = mlir::HeapAsmResourceBlob::allocateAndCopyWithAlign(tensor.bytes, /*align=*/64);
    auto data = mlir::DenseResourceElementsAttr::get(type, spec.fullName, std::move(blob));
    auto constant =
        graph::ConstantOp::create(builder_, location, typeOf(meta), spec.fullName, data);
    return define(spec.name, constant.getResult());
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
      const auto *other = std::get_if<OtherArgument>(&output.value);
      if (other && other->key == "as_sym_bool")
        return true;
      const auto *ref = std::get_if<SymIntRef>(&output.value);
      return ref && program_.symInts.contains(ref->name);
    });
  }

  Status addNode(const Node &node) {
    const std::string opName = opNameOf(node.target);
    if (isSymbolic(node) || isDropped(opName))
      return {};
    if (opName.empty() || llvm::StringRef(opName).starts_with("higher_order::")) {
      problem(
          fmt::format("{}: higher-order and Python operators are not supported", describe(node)));
      for (const Argument &output : node.outputs)
        blameless(output);
      return {};
    }
    if (isInPlace(opName)) {
      problem(fmt::format("{}: changes its argument in place, which is not supported; call "
                          "run_decompositions() before the model is saved",
                          describe(node)));
      for (const Argument &output : node.outputs)
        blameless(output);
      return {};
    }
    llvm::SmallVector<mlir::Value> operands;
    llvm::SmallVector<llvm::StringRef> names;
    llvm::SmallVector<mlir::NamedAttribute> literals;
    bool isGood = hasOwnArgumentNames(node);
    for (const NamedArgument &input : node.inputs)
      isGood &= addArgument(node, input, operands, names, literals);
    llvm::SmallVector<mlir::Type> types;
    std::vector<std::string> results;
    for (const Argument &output : node.outputs)
      isGood &= addResult(node, output, types, results);
    if (!isGood) {
      for (const Argument &output : node.outputs)
        blameless(output);
      return {};
    }
    auto call = graph::CallOp::create(
        builder_, locationOf(node), types, opName, node.name.empty() ? opName : node.name, operands,
        builder_.getStrArrayAttr(names), builder_.getDictionaryAttr(literals));
    for (auto [result, value] : llvm::zip_equal(results, call.getOutputs()))
      INLAY_TRY(define(result, value));
    return {};
  }

  /// Remembers the results of a node that has a problem: those who use them are not to blame.
  void blameless(const Argument &output) {
    if (const auto *tensor = std::get_if<TensorRef>(&output.value))
      failed_.insert(tensor->name);
    else if (const auto *tensors = std::get_if<std::vector<TensorRef>>(&output.value))
      for (const TensorRef &element : *tensors)
        failed_.insert(element.name);
  }

  bool hasOwnArgumentNames(const Node &node) {
    llvm::StringSet<> names;
    for (const NamedArgument &input : node.inputs)
      if (input.name.empty() || !names.insert(input.name).second) {
        problem(fmt::format("{}: the argument name '{}' is empty or used twice", describe(node),
                            input.name));
        return false;
      }
    return true;
  }

  bool addArgument(const Node &node, const NamedArgument &input,
                   llvm::SmallVectorImpl<mlir::Value> &operands,
                   llvm::SmallVectorImpl<llvm::StringRef> &names,
                   llvm::SmallVectorImpl<mlir::NamedAttribute> &literals) {
    if (const auto *tensor = std::get_if<TensorRef>(&input.argument.value)) {
      mlir::Value value = values_.lookup(tensor->name);
      if (!value) {
        if (!failed_.contains(tensor->name))
          problem(fmt::format("{}: argument '{}' refers to '{}', which no node or input defines",
                              describe(node), input.name, tensor->name));
        return false;
      }
      operands.push_back(value);
      names.push_back(input.name);
      return true;
    }
    std::optional<AttributeValue> value = literalOf(input.argument);
    if (!value) {
      problem(fmt::format("{}: argument '{}' is {}, which is not supported yet", describe(node),
                          input.name, kindOf(input.argument)));
      return false;
    }
    literals.push_back(
        builder_.getNamedAttr(input.name, graph::attributeOf(builder_.getContext(), *value)));
    return true;
  }

  static std::string kindOf(const Argument &argument) {
    if (const auto *other = std::get_if<OtherArgument>(&argument.value))
      return "of kind " + other->key;
    if (std::holds_alternative<std::vector<TensorRef>>(argument.value) ||
        std::holds_alternative<OptionalTensors>(argument.value))
      return "a list of tensors";
    return "a size that changes between runs";
  }

  std::optional<int64_t> constantOf(const SymIntRef &reference) const {
    auto it = program_.symInts.find(reference.name);
    return it == program_.symInts.end() ? std::nullopt : it->second.constantValue();
  }

  std::optional<AttributeValue> literalOf(const Argument &argument) const {
    return std::visit(
        [&](const auto &value) -> std::optional<AttributeValue> {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, NoneArgument>) {
            return AttributeValue();
          } else if constexpr (std::is_same_v<T, SymIntRef>) {
            if (std::optional<int64_t> constant = constantOf(value))
              return AttributeValue(*constant);
            return std::nullopt;
          } else if constexpr (std::is_same_v<T, SymInts>) {
            std::vector<int64_t> constants;
            for (const auto &element : value) {
              const auto *number = std::get_if<int64_t>(&element);
              std::optional<int64_t> constant =
                  number ? *number : constantOf(std::get<SymIntRef>(element));
              if (!constant)
                return std::nullopt;
              constants.push_back(*constant);
            }
            return AttributeValue(constants);
          } else if constexpr (std::is_same_v<T, std::vector<TensorRef>>) {
            // An empty list is written as a list of tensors where the schema's element type is not
            // known.
            if (value.empty())
              return AttributeValue(std::vector<int64_t>());
            return std::nullopt;
          } else if constexpr (std::is_constructible_v<AttributeValue, T>) {
            return AttributeValue(value);
          } else {
            return std::nullopt;
          }
        },
        argument.value);
  }

  bool addResult(const Node &node, const Argument &output, llvm::SmallVectorImpl<mlir::Type> &types,
                 std::vector<std::string> &results) {
    const auto *tensor = std::get_if<TensorRef>(&output.value);
    if (!tensor) {
      problem(
          fmt::format("{}: an output is no tensor, which is not supported yet", describe(node)));
      return false;
    }
    results.push_back(tensor->name);
    auto meta = program_.tensors.find(tensor->name);
    if (meta == program_.tensors.end()) {
      problem(fmt::format("{}: output '{}' has no entry in tensor_values", describe(node),
                          tensor->name));
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
                              describe(node), tensor->name, size.toString(), symbol));
          return false;
        }
    types.push_back(typeOf(meta->second));
    return true;
  }

  // -- outputs

  void addOutputs(mlir::Location location) {
    llvm::SmallVector<mlir::Value> results;
    for (size_t i = 0; i < program_.graphOutputs.size(); ++i) {
      if (!program_.outputSpecs[i].isUserOutput) {
        problem(
            fmt::format("output {} is a {}: models that change their state are not supported yet",
                        i, program_.outputSpecs[i].kind));
        continue;
      }
      const auto *tensor = std::get_if<TensorRef>(&program_.graphOutputs[i].value);
      mlir::Value value = tensor ? values_.lookup(tensor->name) : mlir::Value();
      if (value)
        results.push_back(value);
      else if (!tensor)
        problem(fmt::format("output {} is no tensor but a literal or a symbolic integer", i));
      else if (!failed_.contains(tensor->name))
        problem(fmt::format("output {} refers to '{}', which no node or input defines", i,
                            tensor->name));
    }
    graph::OutputOp::create(builder_, location, results);
  }

  mlir::OpBuilder builder_;
  TensorData data_;
  ExportedProgram program_;
  mlir::Block *block_ = nullptr;
  llvm::StringMap<mlir::Value> values_;
  std::set<std::string> declared_, failed_;
  std::vector<std::string> inputNames_, inputPaths_, outputNames_, outputPaths_, problems_;
  llvm::SmallVector<mlir::Attribute> symbols_;
};

Result<mlir::OwningOpRef<mlir::ModuleOp>>
importArchive(mlir::MLIRContext &context, const Archive &archive, const std::string &name) {
  INLAY_ASSIGN(std::string model, archive.lookupModelName());
  const std::string member = "models/" + model + ".json";
  INLAY_ASSIGN(ExportedProgram program, parseExportedProgram(*archive.find(member)),
               "reading " + member);
  INLAY_ASSIGN(TensorData data, TensorData::create(archive, model));
  return Importer(context, std::move(data), std::move(program)).import(name);
}

} // namespace

Result<mlir::OwningOpRef<mlir::ModuleOp>> importPt2(mlir::MLIRContext &context,
                                                    const std::string &path) {
  context.loadDialect<graph::GraphDialect>();
  INLAY_ASSIGN(Archive archive, Archive::open(path));
  INLAY_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
               importArchive(context, archive, std::filesystem::path(path).stem().string()),
               "importing '" + path + "'");
  return module;
}

} // namespace inlay
