// Which tactics of an engine's choices a context takes.
#pragma once

#include "runtime/core/Engine.h"
#include "runtime/core/ShapeEvaluation.h"

#include <span>
#include <vector>

namespace inlay {

/// One per context. Nothing allocates once it is made.
class TacticTable {
public:
  /// `profile` is the context's, counted from 1; 0: the engine's whole range.
  TacticTable(const Engine &engine, const DeviceEngine &deviceEngine, uint32_t profile);

  bool isEmpty() const { return choices_.empty(); }
  /// Evaluates the conditions. Until select, all whose condition holds may be taken, if also
  /// `isReady(choice, tactic)`; that is asked only for tactics which nothing in front of them makes
  /// needless.
  template <typename IsReady>
  void setShapes(const ShapeEvaluation &shapes, IsReady isReady) {
    for (uint32_t i = 0; i < choices_.size(); ++i) {
      Choice &choice = choices_[i];
      choice.isPossible.assign(choice.isPossible.size(), false);
      for (uint32_t tactic : *choice.order->tactics()) {
        choice.isPossible[tactic] = holds(choice, tactic, shapes) && isReady(i, tactic);
        // What stands behind one that is taken wherever tensors lie is never taken.
        if (choice.isPossible[tactic] && !hasAlignments(choice, tactic))
          break;
      }
    }
  }
  /// Takes of each choice the first tactic whose condition and alignments hold. `addresses` has one
  /// entry per buffer.
  void select(std::span<void *const> addresses);
  /// True if a launch of the engine belongs to no tactic, or to one that may still be taken.
  bool mayRun(const fb::Launch &launch) const;
  /// The same after select: or to the one that is taken.
  bool runs(const fb::Launch &launch) const;
  /// False for memory that only launches use which cannot be taken for these shapes.
  bool needsBuffer(uint32_t buffer) const;
  /// True if a tactic asks how this buffer is aligned.
  bool dependsOnAddress(uint32_t buffer) const { return isAligned_[buffer]; }

private:
  struct Choice {
    const fb::Choice *description = nullptr;
    const fb::TacticOrder *order = nullptr;
    std::vector<bool> isPossible; // by tactic: it is in the order and its condition holds
    uint32_t taken = 0;
  };
  static bool holds(const Choice &choice, uint32_t tactic, const ShapeEvaluation &shapes);
  static bool hasAlignments(const Choice &choice, uint32_t tactic);
  static const fb::TacticOrder *orderFor(const fb::Choice &choice, std::string_view target,
                                         uint32_t profile);

  /// A tactic of a choice.
  struct User {
    uint32_t choice = 0, tactic = 0;
  };

  std::vector<Choice> choices_;
  std::vector<bool> isAligned_; // by buffer
  std::vector<std::vector<User>>
      usedBy_; // by buffer: the tactics that alone use it, if only such do
};

} // namespace inlay
