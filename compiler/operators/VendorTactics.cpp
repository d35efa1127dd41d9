#include "compiler/operators/VendorTactics.h"

#include <algorithm>

namespace inlay {
namespace {

/// The written rule: products with fewer multiplications are left to our kernels. A GPU does so
/// many in less time than a launch takes, so that there is nothing to gain.
/// In float32 our kernels are as fast or faster on GPUs (docs/vendor-libraries.md), so that the
/// library is for those who measure.
constexpr int64_t kLeastCublasLtWork = int64_t{1} << 24;
constexpr int64_t kLeastOneDnnWork = int64_t{1} << 18;
constexpr std::string_view kOwnTactic = "inlay";

bool isForFamily(const PluginNode &node, std::string_view family) {
  return std::ranges::any_of(node.targets,
                             [&](const std::string &target) { return isTargetOf(target, family); });
}

bool isMeasured(const PluginNode &node, std::string_view family) {
  return std::ranges::find(node.libraries.measured, family) != node.libraries.measured.end();
}

/// True if all launches are taken always, or each only with its tactic.
bool canBeRivalled(const PluginImplementation &implementation) {
  return !implementation.launches.empty() &&
         std::ranges::all_of(implementation.launches, [&](const PluginLaunch &launch) {
           return launch.tactic.has_value() != implementation.tactics.empty();
         });
}

/// Puts a tactic of one launch in front of all others.
void addFirst(PluginImplementation &implementation, PluginTactic tactic, PluginLaunch launch) {
  if (implementation.tactics.empty()) {
    implementation.tactics.push_back({std::string(kOwnTactic), {}, {}});
    for (PluginLaunch &own : implementation.launches)
      own.tactic = 0;
  }
  for (PluginLaunch &own : implementation.launches)
    ++*own.tactic;
  launch.tactic = 0;
  implementation.tactics.insert(implementation.tactics.begin(), std::move(tactic));
  implementation.launches.insert(implementation.launches.begin(), std::move(launch));
}

/// A launch of a library's function: pointers, then sizes.
class LibraryLaunch {
public:
  explicit LibraryLaunch(LibraryFunctionId function) { launch_.library = function; }

  LibraryLaunch &pointer(LaunchArgument::Kind kind, std::string name, uint32_t index,
                         DataType dtype = DataType::UInt8) {
    LaunchArgument &argument = launch_.arguments.emplace_back();
    argument.kind = kind;
    argument.index = index;
    argument.dtype = dtype;
    argument.text = std::move(name);
    return *this;
  }
  LibraryLaunch &size(std::string name, const Expr &value) {
    LaunchArgument &argument = launch_.arguments.emplace_back();
    argument.kind = LaunchArgument::Kind::Integer;
    argument.dtype = DataType::Int64;
    argument.expression = value;
    argument.text = std::move(name);
    return *this;
  }
  /// Ends it; it runs if `numElements` is not 0.
  PluginLaunch over(const Expr &numElements) {
    launch_.grid = {min(numElements, Expr(1)), Expr(1), Expr(1)};
    return std::move(launch_);
  }

private:
  PluginLaunch launch_;
};

PluginLaunch productLaunch(LibraryFunctionId function, LibraryProduct product,
                           std::optional<uint32_t> workspace) {
  using Kind = LaunchArgument::Kind;
  LibraryLaunch launch(function);
  launch.pointer(Kind::Input, "a", product.a).pointer(Kind::Input, "b", product.b);
  if (product.bias)
    launch.pointer(Kind::Input, "bias", *product.bias);
  launch.pointer(Kind::Output, "d", 0);
  if (workspace)
    launch.pointer(Kind::Workspace, "workspace", *workspace);
  product.sizes.forEach([&](const char *name, const Expr &size) { launch.size(name, size); });
  return launch.over(product.sizes.batch * product.sizes.m * product.sizes.n);
}

Expr workOf(const LibraryProduct &product) {
  return product.sizes.batch * product.sizes.m * product.sizes.n * product.sizes.k;
}

void addCublasLt(PluginImplementation &implementation, const PluginNode &node,
                 const LibraryProduct &product) {
  PluginTactic tactic{"cuBLASLt", {}, {}};
  if (!isMeasured(node, "cuda") && product.dtype == DataType::Float32)
    return;
  if (!isMeasured(node, "cuda"))
    tactic.conditions = {lessEqual(Expr(kLeastCublasLtWork), workOf(product))};
  const auto workspace = static_cast<uint32_t>(implementation.workspaces.size());
  implementation.workspaces.push_back({"cublasLt", DataType::UInt8, Expr(kCublasLtWorkspaceBytes)});
  addFirst(implementation, std::move(tactic),
           productLaunch(product.bias ? LibraryFunctionId::CublasLtMatmulBias
                                      : LibraryFunctionId::CublasLtMatmul,
                         product, workspace));
}

void addOneDnn(PluginImplementation &implementation, const PluginNode &node,
               const LibraryProduct &product) {
  PluginTactic tactic{"oneDNN", {}, {}};
  if (!isMeasured(node, "cpu"))
    tactic.conditions = {lessEqual(Expr(kLeastOneDnnWork), workOf(product))};
  addFirst(implementation, std::move(tactic),
           productLaunch(product.bias ? LibraryFunctionId::OneDnnMatmulBias
                                      : LibraryFunctionId::OneDnnMatmul,
                         product, std::nullopt));
}

} // namespace

void addProductLibraries(PluginImplementation &implementation, const PluginNode &node,
                         LibraryProduct product) {
  if (!node.libraries.isAllowed || !canBeRivalled(implementation))
    return;
  if (isForFamily(node, "cuda"))
    addCublasLt(implementation, node, product);
  if (isForFamily(node, "cpu") && product.dtype != DataType::Float64)
    addOneDnn(implementation, node, product);
}

} // namespace inlay
