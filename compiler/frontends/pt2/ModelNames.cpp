#include "compiler/frontends/pt2/ModelNames.h"

#include "base/Error.h"

#include <charconv>
#include <string_view>

namespace inlay::pt2 {
namespace {

/// Makes names of their own out of names that may be equal or empty.
class UniqueNames {
public:
  std::string take(std::string name, std::string_view ifEmpty) {
    if (name.empty())
      name = ifEmpty;
    std::string candidate = name;
    for (unsigned &last = lastNumbers_[name]; !taken_.insert(candidate).second;)
      candidate = fmt::format("{}_{}", name, ++last);
    return candidate;
  }

private:
  std::set<std::string> taken_;
  std::map<std::string, unsigned> lastNumbers_;
};

bool consumePrefix(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// "[0][1]" is the second positional argument, "[1]['mask']" the keyword argument mask.
std::string inputNameOf(const ExportedProgram &program, std::string_view path,
                        const std::string &graphName) {
  if (consumePrefix(path, "[0][")) {
    unsigned index = 0;
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), index);
    path.remove_prefix(static_cast<size_t>(end - path.data()));
    if (error == std::errc() && consumePrefix(path, "]") && index < program.argumentNames.size())
      return program.argumentNames[index] + std::string(path);
  } else if (consumePrefix(path, "[1]['")) {
    const size_t end = path.find("']");
    std::string name(path.substr(0, end));
    return end == std::string_view::npos ? name : name.append(path.substr(end + 2));
  }
  return graphName;
}

/// The leaves of a tree's specification, none if there is no specification.
Result<std::vector<std::string>> leavesOf(const std::string &spec, std::string_view whose) {
  if (spec.empty())
    return std::vector<std::string>();
  INLAY_ASSIGN(std::vector<std::string> leaves, leafPaths(spec),
               fmt::format("reading the {}' tree specification", whose));
  return leaves;
}

/// The names of the graph stand where the tree does not fit.
Status nameInputs(const ExportedProgram &program, ModelNames &result) {
  INLAY_ASSIGN(const std::vector<std::string> leaves, leavesOf(program.inSpec, "inputs"));
  UniqueNames names;
  size_t leaf = 0;
  for (const InputSpec &spec : program.inputSpecs) {
    if (spec.kind != InputKind::User && spec.kind != InputKind::Literal)
      continue;
    const std::string path = leaf < leaves.size() ? leaves[leaf] : "";
    ++leaf;
    if (spec.kind != InputKind::User || !spec.isTensor)
      continue;
    result.inputPaths.push_back(path);
    const std::string name = inputNameOf(program, path, spec.name);
    result.inputsInGuards[name] = spec.name;
    result.inputNames.push_back(names.take(name.empty() ? spec.name : name, "input"));
  }
  return {};
}

/// The name of the model's input that a graph's output is the new value of; null if it is none.
const std::string *changedInput(const ExportedProgram &program, const ModelNames &named,
                                size_t index) {
  const OutputSpec &spec = program.outputSpecs[index];
  const auto *tensor = std::get_if<TensorRef>(&program.graphOutputs[index].value);
  if (spec.kind != "user_input_mutation" || !tensor || tensor->name == spec.target)
    return nullptr;
  size_t next = 0;
  for (const InputSpec &input : program.inputSpecs) {
    if (input.kind != InputKind::User || !input.isTensor)
      continue;
    if (input.name == spec.target && next < named.inputNames.size())
      return &named.inputNames[next];
    ++next;
  }
  return nullptr;
}

/// A dictionary's key names its value: "['logits']".
std::string outputNameOf(std::string_view path, const std::string &graphName) {
  if (consumePrefix(path, "['") && path.ends_with("']")) {
    path.remove_suffix(2);
    if (path.find('[') == std::string_view::npos)
      return std::string(path);
  }
  return graphName;
}

/// Inputs have their names already.
Status nameOutputs(const ExportedProgram &program, ModelNames &result) {
  INLAY_ASSIGN(const std::vector<std::string> leaves, leavesOf(program.outSpec, "outputs"));
  UniqueNames names;
  size_t leaf = 0;
  for (size_t i = 0; i < program.graphOutputs.size(); ++i) {
    if (!program.outputSpecs[i].isUserOutput)
      continue;
    const std::string path = leaf < leaves.size() ? leaves[leaf] : "";
    ++leaf;
    if (const auto *tensor = std::get_if<TensorRef>(&program.graphOutputs[i].value)) {
      result.outputPaths.push_back(path);
      result.outputNames.push_back(names.take(outputNameOf(path, tensor->name), "output"));
    } else {
      result.plainOutputs.push_back({i, path});
    }
  }
  for (size_t i = 0; i < program.graphOutputs.size(); ++i)
    if (const std::string *input = changedInput(program, result, i)) {
      result.outputNames.push_back(names.take(*input, "output"));
      result.outputPaths.emplace_back();
      result.changedInputs.insert(i);
    }
  return {};
}

} // namespace

Result<ModelNames> nameModel(const ExportedProgram &program) {
  ModelNames result;
  INLAY_TRY(nameInputs(program, result));
  INLAY_TRY(nameOutputs(program, result));
  return result;
}

} // namespace inlay::pt2
