// Masks as extents: a mask that is true of a prefix of a dimension bounds a loop, and so does a
// remainder, which equals its dividend until it wraps around.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// A condition of a mask that holds for positions 0 <= c < extent of the vectorised dimension.
struct Term {
  mlir::Value value;
  Coordinates coordinates;
  size_t number = 0; ///< in the order in which terms were added
};

struct MaskTerms {
  size_t size() const { return extents.size() + guards.size() + wraps.size() + floors.size(); }

  std::map<ElementKey, Term> extents; ///< comparison of a rising index with a uniform bound
  std::map<ElementKey, Term> guards;  ///< uniform along the vectorised dimension
  std::map<ElementKey, Term> wraps;   ///< remainder of a rising index by a uniform divisor
  std::map<ElementKey, Term> floors;  ///< true everywhere if at the first position
};

/// Adds the terms of a mask at the coordinates, where the vectorised dimension has lanes.
void addTerms(MaskTerms &terms, mlir::Value mask, const Coordinates &coordinates,
              ProgramValues &values);

/// The coordinates without the counters along which the value does not change.
Coordinates withoutUniform(mlir::Value value, Coordinates coordinates, ProgramValues &values);

/// Adds the value if it is a remainder that may equal its dividend for the first positions.
void addWrap(MaskTerms &terms, mlir::Value value, const Coordinates &coordinates,
             ProgramValues &values);

/// Emits the common extent of the terms, within 0 … `size`, at the evaluator's innermost level.
/// With floors it is a part where all hold; without them nothing holds beyond it.
mlir::Value emitExtent(mlir::OpBuilder &builder, mlir::Location location, Evaluator &evaluator,
                       const MaskTerms &terms, int64_t size, bool withFloors);

} // namespace inlay::tile_to_cpu
