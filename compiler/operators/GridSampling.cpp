// Planes read at places that a grid names.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// PyTorch's numbers of modes.
enum Interpolation : int64_t { Bilinear = 0, Nearest = 1 };
constexpr int64_t kPaddingModes = 3;

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  INLAY_TRY(checkOneType(node));
  const std::vector<Expr> &input = inputOf(node, "input").shape,
                          &grid = inputOf(node, "grid").shape;
  if (input.size() != 4 || grid.size() != 4)
    return unimplemented("'input' has rank {}, 'grid' {}; expected 4 of both", input.size(),
                         grid.size());
  if (const int64_t mode = integerOf(node, "interpolation_mode");
      mode != Bilinear && mode != Nearest)
    return unimplemented("interpolation_mode is {}; expected 0 (bilinear) or 1 (nearest)", mode);
  if (const int64_t mode = integerOf(node, "padding_mode"); mode < 0 || mode >= kPaddingModes)
    return invalidArgument("padding_mode is {}; expected 0 (zeros), 1 (border) or 2 (reflection)",
                           mode);
  PluginDescription description;
  description.outputs.push_back(
      {inputOf(node, "input").dtype, {input[0], input[1], grid[1], grid[2]}});
  description.requirements = {{equal(input[0], grid[0]), "'input' and 'grid' have as many images"},
                              {equal(grid[3], 2), "'grid' has 2 coordinates for each place"},
                              {lessEqual(1, input[2] * input[3]), "the planes are not empty"}};
  return description;
}

Result<PluginImplementation> implement(const PluginNode &node) {
  const std::vector<Expr> &input = inputOf(node, "input").shape,
                          &grid = inputOf(node, "grid").shape;
  const Expr pixels = grid[1] * grid[2];
  const int64_t tile = tileFor(pixels, 1, 256, 256);
  LaunchBuilder launch("grid_sampling.py", "grid_sample_kernel");
  launch.input(inputIndex(node, "input"))
      .input(inputIndex(node, "grid"))
      .output(0)
      .sizes({input[1], input[2], input[3], pixels})
      .constant("IS_NEAREST", integerOf(node, "interpolation_mode") == Nearest)
      .constant("PADDING", integerOf(node, "padding_mode"))
      .constant("ALIGNS_CORNERS", boolOf(node, "align_corners"))
      .constant("SUM", sumTypeOf(inputOf(node, "input").dtype))
      .constant("TILE", tile)
      .warps(tile >= 128 ? 4 : 1);
  return launch.over(input[0] * input[1] * ceilDiv(pixels, tile));
}

} // namespace

void addGridSamplingOperators(OperatorDefinitions &definitions) {
  for (std::string_view name : {"grid_sampler", "grid_sampler_2d"})
    addOperator(definitions,
                fmt::format("aten::{}(Tensor input, Tensor grid, int interpolation_mode, int "
                            "padding_mode, bool align_corners) -> Tensor",
                            name),
                {describe, implement});
}

} // namespace inlay
