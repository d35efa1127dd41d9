// Kernels that compute every element of a result by itself, as text in the Triton language.
#pragma once

#include "base/Status.h"
#include "compiler/operators/StandardOperator.h"
#include "compiler/operators/Tails.h"

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// Where a loop's element lies in a tensor: at `offset` plus, of each dimension of the loop, the
/// coordinate times its stride. In elements.
struct StridedAccess {
  Expr offset;
  std::vector<Expr> strides; // one for each dimension of the loop
};

/// The access of a dense tensor of `shape` whose dimensions are the last of a loop over `domain`;
/// where its size is 1 and the loop's is not, or dimensions are missing, it is broadcast.
StridedAccess broadcastAccess(std::span<const Expr> shape, std::span<const Expr> domain);
/// The access of a dense tensor that has the shape of the loop.
StridedAccess denseAccess(std::span<const Expr> domain);

/// One launch of a kernel in the making: a loop over a domain, in row-major order, with tensors
/// that are read and written at strided places, and lines of text between. What the lines compute
/// is the caller's; how elements are found is written here: neighbouring dimensions that every
/// tensor walks through alike are one, long runs along the last dimension are tiles of rows and
/// columns, sizes that are known are literals, others are parameters. Offsets are 32 bits wide
/// where all tensors are known to be small enough, else 64.
class LoopKernel {
public:
  /// `node` outlives the kernel. `name` is part of the function's name.
  LoopKernel(const PluginNode &node, std::string name, std::vector<Expr> domain);

  /// Programs hold whole lines along the last dimension, whose size is known: `in_range` tells
  /// which elements of a tile are there. What is the same along a line is held once for each.
  void holdLines() { holdsLines_ = true; }
  /// Whether numbers that follow are the same along a line.
  void setOfLines(bool isOfLines) { isOfLines_ = isOfLines; }

  /// Reads an input into the variable `variable`, of the tensor's own type. With a condition (text
  /// over coordinates), elements where it does not hold read as `otherwise`.
  void load(std::string variable, uint32_t input, StridedAccess access, std::string condition = "",
            std::string otherwise = "");
  /// The same at an index that is given as text over coordinates.
  void loadAt(std::string variable, uint32_t input, std::string index, std::string condition = "",
              std::string otherwise = "");
  /// Defines a variable of a number, as a tile of type `type`.
  void number(const std::string &variable, const OperatorNumber &number, DataType type);
  /// A line of the kernel.
  void line(std::string text);
  /// Writes a value (text) to an output.
  void store(uint32_t output, StridedAccess access, std::string value);

  /// The variable of a coordinate of the loop, of the type of offsets. Dimensions stay apart then.
  std::string coordinate(size_t dim);
  /// Text of an integer of the type of offsets: a literal, or a parameter.
  std::string integer(const Expr &expr);
  /// Adds the launch, unless the loop is known to be empty. Functions of ops/functions.py that
  /// lines call become part of the text.
  /// Errors: InvalidArgument for a number that its type cannot hold.
  Status appendTo(PluginImplementation &implementation);
  /// Instead: the loop's lines as a function of elements that another kernel has, of which the loop
  /// stores none. `result` is text of what the function gives. Errors: as appendTo.
  Result<GroupTail> tailFunction(const std::string &result);

private:
  struct Access {
    bool isStore = false;
    std::string variable; // what is read, or the value that is written
    uint32_t tensor = 0;
    StridedAccess place;
    std::string condition, otherwise;
    std::string index; // instead of `place`
    bool isOfLines = false;
  };

  /// Of how many rows and columns of the last dimension a program is, and how many programs make a
  /// row.
  struct Tile {
    int64_t rows, columns;
    Expr blocks;
  };

  bool fitsInt32() const;
  std::optional<Tile> findTile() const;
  std::string headText(const std::optional<Tile> &tile, const std::string &count, bool isNarrow);
  /// The coordinates that are used, of `element` of a domain.
  std::string coordinatesText(std::span<const Expr> domain, const std::string &element);
  /// Ends the parameters: their names, and what a launch passes for them.
  std::string takeParameters(bool isNarrow, std::vector<LaunchArgument> &arguments);
  void mergeDimensions();
  std::string indexText(const StridedAccess &place);
  std::string coordinateText(size_t dim);
  std::string accessText(const Access &access);
  std::string lineAccessText(const Access &access, const std::string &base,
                             const std::string &index);
  std::string parameter(const std::string &wanted, LaunchArgument argument);
  std::string pointer(bool isOutput, uint32_t tensor);

  const PluginNode &node_;
  std::string name_;
  std::vector<Expr> domain_;
  std::vector<Access> loads_, stores_;
  std::vector<std::string> lines_;
  Status problem_; // with a number
  bool usesCoordinates_ = false;
  bool holdsLines_ = false, isOfLines_ = false;
  std::set<size_t> coordinates_; // that are computed
  std::vector<std::pair<std::string, LaunchArgument>> parameters_;
  std::map<std::string, std::string> integers_; // expression to parameter
};

} // namespace inlay
