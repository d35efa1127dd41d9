// Values of single elements, or of consecutive lanes, of tiles inside a loop nest.
#pragma once

#include "compiler/conversions/tile-to-cpu/Elementwise.h"

#include "mlir/IR/IRMapping.h"

#include <map>
#include <optional>
#include <set>

namespace inlay::tile_to_cpu {

/// Where along one dimension of a tile an element lies.
struct Coordinate {
  enum class Kind : uint8_t {
    Zero,    ///< position 0
    Counter, ///< at `value`, an i64 scalar
    Lanes,   ///< lane l at `value` + l; `value` is an i64 scalar
    Vector,  ///< lane l at element l of `value`, a vector of i32
  };
  Kind kind = Kind::Zero;
  mlir::Value value;  ///< null for Zero, and in an analysis that emits nothing
  unsigned level = 0; ///< number of loops around the definition of `value`

  bool isUniform() const { return kind == Kind::Zero || kind == Kind::Counter; }
  friend bool operator<(const Coordinate &a, const Coordinate &b) {
    return std::tuple(a.kind, a.value.getAsOpaquePointer(), a.level) <
           std::tuple(b.kind, b.value.getAsOpaquePointer(), b.level);
  }
};
using Coordinates = std::vector<Coordinate>;

/// One element of a tile, named by the tile and its coordinates.
using ElementKey = std::pair<void *, Coordinates>;

/// What has been emitted for a program so far.
struct ProgramValues {
  mlir::IRMapping scalars; ///< scalar of the kernel -> emitted scalar
  mlir::Value bufferOf(mlir::Value tile) const { return buffers_.lookup(tile); }
  /// From now on the tile's elements are read from memory at `address`, row-major.
  void setBuffer(mlir::Value tile, mlir::Value address) {
    buffers_[tile] = address;
    strides.clear();
  }
  void forgetBuffer(mlir::Value tile) {
    buffers_.erase(tile);
    strides.clear();
  }
  using Buffers = llvm::DenseMap<mlir::Value, mlir::Value>;
  const Buffers &buffers() const { return buffers_; }
  /// Back to the buffers of an earlier point: those made inside a region are not there on every
  /// path behind it.
  void restoreBuffers(Buffers buffers) {
    buffers_ = std::move(buffers);
    strides.clear();
  }
  /// Remainders that equal their dividend at the coordinates, because nothing wraps around there.
  std::set<ElementKey> unwrapped;
  /// While the best dimension for lanes is looked for: take all remainders for unwrapped.
  bool ignoresWraps = false;
  bool isUnwrapped(mlir::Value remainder, const Coordinates &coordinates) const {
    return ignoresWraps || unwrapped.contains({remainder.getAsOpaquePointer(), coordinates});
  }
  /// Remembers strideOf's answers.
  std::map<ElementKey, std::optional<int64_t>> strides;

private:
  Buffers buffers_;
};

/// Coordinates of a shape op's operand (expand_dims, broadcast, trans, reshape that adds or removes
/// dimensions of size 1) that belong to the result's; nothing for other reshapes.
std::optional<Coordinates> sourceCoordinates(mlir::Operation *op, const Coordinates &coordinates);
bool isShapeOp(mlir::Operation *op);

/// If element l of the lanes is element 0 plus l times a constant, for every position of the lanes
/// along their dimension, that constant (bytes for pointers); nothing if that is not known. Emits
/// nothing.
std::optional<int64_t> strideOf(mlir::Value tile, const Coordinates &coordinates,
                                ProgramValues &values);

/// Emits tile values in a loop nest, each at the outermost loop that defines all it depends on.
class Evaluator {
public:
  /// `width` lanes; `builder` stands where the nest begins. `hasMaskedAccess`: see
  /// TileToCpuOptions.
  Evaluator(ProgramValues &values, mlir::OpBuilder &builder, unsigned width,
            bool hasMaskedAccess = false)
      : values_(values), builder_(builder), width_(width), hasMaskedAccess_(hasMaskedAccess),
        points_{builder.saveInsertionPoint()} {}

  /// From now on code of the current innermost level goes before `loop`, and `body` is the next
  /// level's block.
  void enterLoop(mlir::Operation *loop, mlir::Block *body);
  /// Leaves the innermost level, forgetting its values.
  void leaveLoop();
  unsigned level() const { return points_.size() - 1; }
  void setWidth(unsigned width) { width_ = width; }
  unsigned width() const { return width_; }

  /// Conditions that hold for all lanes of the innermost level from now on.
  void assumeTrue(std::set<ElementKey> conditions) { assumed_ = std::move(conditions); }
  bool isAssumed(mlir::Value value, const Coordinates &coordinates) const {
    return assumed_.contains({value.getAsOpaquePointer(), coordinates});
  }
  /// True if the mask is a conjunction of assumed conditions and constants.
  bool isAllTrue(mlir::Value mask, const Coordinates &coordinates) const;

  /// The element at uniform coordinates.
  mlir::Value scalar(mlir::Value value, const Coordinates &coordinates);
  /// The lanes at coordinates; a scalar if width() is 1.
  mlir::Value lanes(mlir::Value value, const Coordinates &coordinates);
  /// Reads and writes lanes of a row-major buffer at the end of the innermost level; `type` is the
  /// tile that the buffer holds.
  mlir::Value loadFromBuffer(mlir::RankedTensorType type, mlir::Value buffer,
                             const Coordinates &coordinates);
  void storeToBuffer(mlir::RankedTensorType type, mlir::Value value, mlir::Value buffer,
                     const Coordinates &coordinates);
  /// Writes the lanes of two tiles of the type beside each other: the buffer has another dimension
  /// of size 2 at the end.
  void storeInterleaved(mlir::RankedTensorType type, mlir::Value first, mlir::Value second,
                        mlir::Value buffer, const Coordinates &coordinates);
  void store(tile::StoreOp store, const Coordinates &coordinates);
  /// Asks the cache for what is `distance` bytes behind the lanes of a load, if these follow each
  /// other in memory.
  void prefetch(tile::LoadOp load, mlir::Value distance, const Coordinates &coordinates);

private:
  mlir::Value evaluate(mlir::Value value, const Coordinates &coordinates, unsigned width);
  mlir::Value affineLanes(mlir::Value value, const Coordinates &coordinates, int64_t stride);
  mlir::Value load(tile::LoadOp load, const Coordinates &coordinates, unsigned width);
  /// Every other of the elements from `address` on.
  mlir::Value loadEveryOther(mlir::Location location, mlir::VectorType type, mlir::Value address,
                             mlir::Value mask, mlir::Value other);
  mlir::Value loadBuffer(mlir::RankedTensorType type, mlir::Value buffer,
                         const Coordinates &coordinates, unsigned width, mlir::Location location);
  /// The address of lane 0, for lanes that follow each other in memory.
  mlir::Value firstAddress(mlir::Value pointers, const Coordinates &coordinates, int64_t stride);
  Coordinate linearCoordinate(llvm::ArrayRef<int64_t> shape, const Coordinates &coordinates,
                              unsigned width);
  Coordinates reshapedCoordinates(tile::ReshapeOp op, const Coordinates &coordinates,
                                  unsigned width);
  mlir::Value gather(tile::GatherOp op, const Coordinates &coordinates, unsigned width);
  /// Where all elements have the position, 0 or 1.
  Coordinate constantCoordinate(unsigned position);
  mlir::Value vectorOf(const Coordinate &coordinate, mlir::Location location, unsigned width);
  mlir::Value positionOf(const Coordinate &coordinate, mlir::Location location);

  ProgramValues &values_;
  mlir::OpBuilder &builder_;
  unsigned width_;
  bool hasMaskedAccess_;
  std::vector<mlir::OpBuilder::InsertPoint> points_;
  /// Emitted values by level, with their width.
  std::vector<std::map<std::pair<ElementKey, unsigned>, mlir::Value>> cache_{1};
  std::map<std::pair<ElementKey, unsigned>, Coordinates> reshaped_;
  std::set<ElementKey> assumed_;
  mlir::Value one_; ///< i64 1, once something needs it
};

} // namespace inlay::tile_to_cpu
