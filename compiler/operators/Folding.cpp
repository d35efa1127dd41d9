// Windows over planes as columns of a matrix (im2col), and the sum of such columns (col2im).
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Planes.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

struct Folding {
  bool isBatched;
  Expr images, channels; // of the planes
  Expr height, width;
  Expr outHeight, outWidth; // blocks
  Window window;
  std::vector<PluginRequirement> requirements;

  int64_t taps() const { return window.kernel[0] * window.kernel[1]; }
  Expr blocks() const { return outHeight * outWidth; }
};

/// What both operators have: the window, and the blocks that it makes of a plane.
Status readWindow(const PluginNode &node, Folding &folding) {
  INLAY_ASSIGN(folding.window.kernel, constantPair(node, "kernel_size"));
  INLAY_ASSIGN(folding.window.dilation, constantPair(node, "dilation"));
  INLAY_ASSIGN(folding.window.padding, constantPair(node, "padding"));
  INLAY_ASSIGN(folding.window.stride, constantPair(node, "stride"));
  INLAY_TRY(checkWindow(folding.window));
  const auto blocks = [&](const Expr &size, size_t dim) {
    const int64_t reach = folding.window.dilation[dim] * (folding.window.kernel[dim] - 1) + 1;
    return floorDiv(size + Expr(2 * folding.window.padding[dim] - reach),
                    folding.window.stride[dim]) +
           Expr(1);
  };
  folding.outHeight = blocks(folding.height, 0);
  folding.outWidth = blocks(folding.width, 1);
  for (const Expr &count : {folding.outHeight, folding.outWidth})
    folding.requirements.push_back(
        {lessEqual(1, count), "the padded plane is at least as large as the window"});
  return {};
}

Result<Folding> readUnfold(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  if (shape.size() != 3 && shape.size() != 4)
    return invalidArgument("'self' has rank {}; expected 3 or 4", shape.size());
  Folding folding;
  const size_t rank = shape.size();
  folding.isBatched = rank == 4;
  folding.images = folding.isBatched ? shape[0] : Expr(1);
  folding.channels = shape[rank - 3];
  folding.height = shape[rank - 2];
  folding.width = shape[rank - 1];
  INLAY_TRY(readWindow(node, folding));
  return folding;
}

Result<Folding> readFold(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const std::vector<Expr> sizes = sizesOf(node, "output_size");
  if (shape.size() != 2 && shape.size() != 3)
    return invalidArgument("'self' has rank {}; expected 2 or 3", shape.size());
  if (sizes.size() != 2)
    return invalidArgument("output_size has {} elements; expected 2", sizes.size());
  Folding folding;
  folding.isBatched = shape.size() == 3;
  folding.images = folding.isBatched ? shape[0] : Expr(1);
  folding.height = sizes[0];
  folding.width = sizes[1];
  INLAY_TRY(readWindow(node, folding));
  const Expr &lines = shape[shape.size() - 2];
  folding.channels = floorDiv(lines, folding.taps());
  folding.requirements.push_back(
      {equal(mod(lines, folding.taps()), 0),
       fmt::format("the {} rows are a multiple of the {} elements of a window", lines.toString(),
                   folding.taps())});
  folding.requirements.push_back(
      {equal(shape.back(), folding.blocks()),
       fmt::format("there are {} columns, as many as the {} places of the window",
                   shape.back().toString(), folding.blocks().toString())});
  return folding;
}

Result<PluginDescription> describeUnfold(const PluginNode &node) {
  INLAY_ASSIGN(Folding folding, readUnfold(node));
  PluginDescription description;
  TensorSpec out{inputOf(node, "self").dtype, {}};
  if (folding.isBatched)
    out.shape.push_back(folding.images);
  out.shape.push_back(folding.channels * Expr(folding.taps()));
  out.shape.push_back(folding.blocks());
  description.outputs.push_back(std::move(out));
  description.requirements = std::move(folding.requirements);
  return description;
}

Result<PluginDescription> describeFold(const PluginNode &node) {
  INLAY_ASSIGN(Folding folding, readFold(node));
  PluginDescription description;
  TensorSpec out{inputOf(node, "self").dtype, {}};
  if (folding.isBatched)
    out.shape.push_back(folding.images);
  out.shape.insert(out.shape.end(), {folding.channels, folding.height, folding.width});
  description.outputs.push_back(std::move(out));
  description.requirements = std::move(folding.requirements);
  return description;
}

LaunchBuilder launchOf(const PluginNode &node, const Folding &folding, std::string_view kernel) {
  LaunchBuilder launch("folding.py", kernel);
  launch.input(inputIndex(node, "self"))
      .output(0)
      .sizes(
          {folding.height, folding.width, folding.outHeight, folding.outWidth, folding.blocks()});
  addWindow(launch, folding.window, true);
  return launch;
}

PluginImplementation overLines(LaunchBuilder &launch, const Expr &lines, const Expr &length) {
  const int64_t tile = tileFor(length, 1, 512, 256);
  return launch.constant("TILE", tile)
      .warps(tile >= 128 ? 4 : 1)
      .over(lines * ceilDiv(length, tile));
}

Result<PluginImplementation> implementUnfold(const PluginNode &node) {
  INLAY_ASSIGN(const Folding folding, readUnfold(node));
  LaunchBuilder launch = launchOf(node, folding, "unfold_kernel");
  return overLines(launch, folding.images * folding.channels * Expr(folding.taps()),
                   folding.blocks());
}

Result<PluginImplementation> implementFold(const PluginNode &node) {
  INLAY_ASSIGN(const Folding folding, readFold(node));
  LaunchBuilder launch = launchOf(node, folding, "fold_kernel");
  launch.constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  return overLines(launch, folding.images * folding.channels, folding.height * folding.width);
}

} // namespace

void addFoldingOperators(OperatorDefinitions &definitions) {
  addOperator(definitions,
              "aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, "
              "int[2] stride) -> Tensor",
              {describeUnfold, implementUnfold});
  addOperator(definitions,
              "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] "
              "dilation, int[2] padding, int[2] stride) -> Tensor",
              {describeFold, implementFold});
}

} // namespace inlay
