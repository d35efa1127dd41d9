#include "compiler/operators/VendorTactics.h"

#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/TypePromotion.h"

#include <algorithm>

namespace inlay {
namespace {

/// The written rule: products with fewer multiplications are left to our kernels. On GPUs those of
/// a library win microseconds only in large products, and a call of it takes the host some more
/// than a launch. In float32 our kernels are faster; of float64 they make no use of tensor cores
/// (docs/vendor-libraries.md).
constexpr int64_t kLeastCublasLtWork = int64_t{1} << 31;
constexpr int64_t kLeastCublasLtFloat64Work = int64_t{1} << 24;
constexpr int64_t kLeastCublasLtTf32Work = int64_t{1} << 28;
constexpr int64_t kLeastOneDnnWork = int64_t{1} << 18;
/// Convolutions by cuDNN pay off later: it copies images to lay channels innermost. Earlier where
/// ours copy more, for few multiplications each: windows of so many elements for so few filters.
constexpr int64_t kLeastCudnnWork = int64_t{1} << 33;
constexpr int64_t kLeastCudnnWindowWork = int64_t{1} << 31, kWindowTaps = 9, kFewFilters = 128;
constexpr int64_t kLeastCudnnTf32Work = int64_t{3} << 28;
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
  const bool isFloat32 = product.dtype == DataType::Float32;
  const bool mayRound = isFloat32 && node.allowsTf32;
  if (!isMeasured(node, "cuda")) {
    if (isFloat32 && !mayRound)
      return;
    const int64_t least = mayRound                             ? kLeastCublasLtTf32Work
                          : product.dtype == DataType::Float64 ? kLeastCublasLtFloat64Work
                                                               : kLeastCublasLtWork;
    tactic.conditions = {lessEqual(Expr(least), workOf(product))};
  }
  const auto workspace = static_cast<uint32_t>(implementation.workspaces.size());
  implementation.workspaces.push_back({"cublasLt", DataType::UInt8, Expr(kCublasLtWorkspaceBytes)});
  const LibraryFunctionId function =
      product.bias
          ? (mayRound ? LibraryFunctionId::CublasLtMatmulBiasTf32
                      : LibraryFunctionId::CublasLtMatmulBias)
          : (mayRound ? LibraryFunctionId::CublasLtMatmulTf32 : LibraryFunctionId::CublasLtMatmul);
  addFirst(implementation, std::move(tactic), productLaunch(function, product, workspace));
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

/// `result` is where it goes instead of the output.
PluginLaunch convolutionLaunch(LibraryFunctionId function, LibraryConvolution convolution,
                               bool addsBias, std::optional<uint32_t> result,
                               std::optional<uint32_t> workspace) {
  using Kind = LaunchArgument::Kind;
  LibraryLaunch launch(function);
  launch.pointer(Kind::Input, "x", convolution.input).pointer(Kind::Input, "w", convolution.weight);
  if (addsBias)
    launch.pointer(Kind::Input, "bias", *convolution.bias);
  if (result)
    launch.pointer(Kind::Workspace, "d", *result, convolution.dtype);
  else
    launch.pointer(Kind::Output, "d", 0);
  if (workspace)
    launch.pointer(Kind::Workspace, "workspace", *workspace);
  convolution.sizes.forEach([&](const char *name, const Expr &size) { launch.size(name, size); });
  return launch.over(convolution.sizes.numelOutput());
}

/// A kernel that adds the bias to a result in a workspace.
Result<PluginLaunch> biasLaunch(const PluginNode &node, const LibraryConvolution &convolution,
                                uint32_t workspace) {
  PluginNode behind = node;
  const auto result = static_cast<uint32_t>(behind.inputs.size());
  behind.inputs.push_back(node.outputs[0]);
  behind.inputNames.emplace_back("result");
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(behind, "bias", domain);
  kernel.load("v0", result, denseAccess(domain));
  addChannelBias(kernel, "v0", *convolution.bias, domain, convolution.channelDim,
                 convolution.dtype);
  kernel.store(0, denseAccess(domain), "v0");
  PluginImplementation made;
  INLAY_TRY(kernel.appendTo(made));
  if (made.launches.empty())
    return internalError("a convolution without elements has a tactic of a library");
  readWorkspace(made.launches[0], result, workspace, convolution.dtype);
  return std::move(made.launches[0]);
}

LibraryFunctionId cudnnFunction(size_t numDims, bool mayRound) {
  if (numDims == 3)
    return mayRound ? LibraryFunctionId::CudnnConvolution3dTf32
                    : LibraryFunctionId::CudnnConvolution3d;
  return mayRound ? LibraryFunctionId::CudnnConvolutionTf32 : LibraryFunctionId::CudnnConvolution;
}

LibraryFunctionId oneDnnFunction(size_t numDims, bool hasBias) {
  if (numDims == 3)
    return hasBias ? LibraryFunctionId::OneDnnConvolution3dBias
                   : LibraryFunctionId::OneDnnConvolution3d;
  return hasBias ? LibraryFunctionId::OneDnnConvolutionBias : LibraryFunctionId::OneDnnConvolution;
}

int64_t leastCudnnWork(const LibraryConvolution &convolution, bool mayRound) {
  if (mayRound)
    return kLeastCudnnTf32Work;
  const ConvolutionSizes<Expr> &sizes = convolution.sizes;
  const int64_t filters =
      floorDiv(sizes.filters, sizes.groups).constantValue().value_or(kFewFilters + 1);
  const bool isWindow = sizes.taps().constantValue().value_or(1) >= kWindowTaps &&
                        filters <= kFewFilters && dataTypeSizeBytes(convolution.dtype) == 2;
  return isWindow ? kLeastCudnnWindowWork : kLeastCudnnWork;
}

Status addCudnn(PluginImplementation &implementation, const PluginNode &node,
                const LibraryConvolution &convolution) {
  PluginTactic tactic{"cuDNN", {}, {}};
  const bool isFloat32 = convolution.dtype == DataType::Float32;
  const bool mayRound = isFloat32 && node.allowsTf32;
  if (!isMeasured(node, "cuda")) {
    // Our kernels for one channel a group, and for float32, are faster (docs/vendor-libraries.md).
    if ((isFloat32 && !mayRound) || convolution.sizes.channels.constantValue() == 1)
      return {};
    tactic.conditions = {
        lessEqual(Expr(leastCudnnWork(convolution, mayRound)), convolution.sizes.work())};
  }
  std::optional<uint32_t> result;
  const int64_t elementBytes = dataTypeSizeBytes(convolution.dtype);
  if (convolution.bias) {
    result = static_cast<uint32_t>(implementation.workspaces.size());
    implementation.workspaces.push_back(
        {"convolved", convolution.dtype, node.outputs[0].numel() * Expr(elementBytes)});
  }
  const auto workspace = static_cast<uint32_t>(implementation.workspaces.size());
  implementation.workspaces.push_back(
      {"cudnn", DataType::UInt8, cudnnWorkspaceBytes(convolution.sizes, elementBytes)});
  addFirst(implementation, std::move(tactic),
           convolutionLaunch(cudnnFunction(convolution.sizes.numDims, mayRound), convolution, false,
                             result, workspace));
  if (!convolution.bias)
    return {};
  INLAY_ASSIGN(PluginLaunch behind, biasLaunch(node, convolution, *result));
  behind.tactic = 0;
  implementation.launches.insert(implementation.launches.begin() + 1, std::move(behind));
  return {};
}

void addOneDnn(PluginImplementation &implementation, const PluginNode &node,
               const LibraryConvolution &convolution) {
  PluginTactic tactic{"oneDNN", {}, {}};
  if (!isMeasured(node, "cpu")) {
    // Volumes of one channel a group are ours: its copies into its own layout cost more.
    if (convolution.sizes.numDims == 3 && convolution.sizes.channels.constantValue() == 1)
      return;
    tactic.conditions = {lessEqual(Expr(kLeastOneDnnWork), convolution.sizes.work())};
  }
  const bool hasBias = convolution.bias.has_value();
  addFirst(implementation, std::move(tactic),
           convolutionLaunch(oneDnnFunction(convolution.sizes.numDims, hasBias), convolution,
                             hasBias, std::nullopt, std::nullopt));
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

Status addConvolutionLibraries(PluginImplementation &implementation, const PluginNode &node,
                               const LibraryConvolution &convolution) {
  if (!node.libraries.isAllowed || !canBeRivalled(implementation))
    return {};
  if (isForFamily(node, "cuda"))
    INLAY_TRY(addCudnn(implementation, node, convolution));
  if (isForFamily(node, "cpu") && convolution.dtype != DataType::Float64)
    addOneDnn(implementation, node, convolution);
  return {};
}

void addChannelBias(LoopKernel &kernel, const std::string &variable, uint32_t input,
                    std::span<const Expr> domain, size_t dim, DataType dtype) {
  StridedAccess access{Expr(0), std::vector<Expr>(domain.size(), Expr(0))};
  access.strides[dim] = Expr(1);
  kernel.load("bias", input, std::move(access));
  const std::string sum(tritonType(sumTypeOf(dtype)));
  kernel.line(
      fmt::format("{0} = ({0}.to({1}) + bias.to({1})).to({2})", variable, sum, tritonType(dtype)));
}

void readWorkspace(PluginLaunch &launch, uint32_t input, uint32_t workspace, DataType dtype) {
  for (LaunchArgument &argument : launch.arguments)
    if (argument.kind == LaunchArgument::Kind::Input && argument.index == input) {
      argument.kind = LaunchArgument::Kind::Workspace;
      argument.index = workspace;
      argument.dtype = dtype;
    }
}

} // namespace inlay
