#include "compiler/conversions/graph-to-plan/SizeOutputs.h"

#include "base/Error.h"

#include "llvm/ADT/StringSet.h"

namespace inlay {
namespace {

/// "n" of "['n']"; "size" where no name ends the path.
std::string nameInPath(llvm::StringRef path) {
  const llvm::StringRef cut = path.rtrim("'\"]");
  size_t begin = cut.size();
  while (begin > 0 && (llvm::isAlnum(cut[begin - 1]) || cut[begin - 1] == '_'))
    --begin;
  const llvm::StringRef word = cut.drop_front(begin);
  return word.empty() || llvm::isDigit(word.front()) ? "size" : word.str();
}

} // namespace

Result<std::vector<SizeOutput>> sizeOutputsOf(graph::ModelOp model) {
  std::vector<SizeOutput> sizes;
  auto outputs = model->getAttrOfType<mlir::ArrayAttr>("graph.plain_outputs");
  if (!outputs)
    return sizes;
  llvm::StringSet<> names;
  for (mlir::Attribute name : model.getOutputNames())
    names.insert(llvm::cast<mlir::StringAttr>(name).getValue());
  for (auto output : outputs.getAsRange<mlir::DictionaryAttr>()) {
    auto size = llvm::dyn_cast<graph::ExprAttr>(output.get("value"));
    if (!size)
      continue;
    auto path = output.getAs<mlir::StringAttr>("path");
    SizeOutput &added = sizes.emplace_back();
    added.path = path ? path.str() : "";
    const std::string wanted = nameInPath(added.path);
    added.name = wanted;
    for (int next = 1; !names.insert(added.name).second; ++next)
      added.name = fmt::format("{}_{}", wanted, next);
    INLAY_ASSIGN(added.value, parseExpr(std::string_view(size.getText().getValue())));
  }
  return sizes;
}

PluginLaunch storeSize(const SizeOutput &output) {
  PluginLaunch launch;
  launch.kernel.path = "size.py";
  launch.kernel.function = "store_size_kernel";
  launch.kernel.source = "import triton\n"
                         "import triton.language as tl\n\n\n"
                         "@triton.jit\n"
                         "def store_size_kernel(out_ptr, value):\n"
                         "    tl.store(out_ptr, value)\n";
  launch.kernel.numWarps = 1;
  launch.arguments.resize(2);
  launch.arguments[0].kind = LaunchArgument::Kind::Output;
  launch.arguments[0].text = output.name;
  launch.arguments[1].kind = LaunchArgument::Kind::Integer;
  launch.arguments[1].dtype = DataType::Int64;
  launch.arguments[1].expression = output.value;
  launch.arguments[1].text = output.value.toString();
  return launch;
}

} // namespace inlay
