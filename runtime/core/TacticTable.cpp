#include "runtime/core/TacticTable.h"

#include "engine/LibraryFunctions.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr uint32_t kAbsent = UINT32_MAX;

/// True if an image's target ("cpu:x86-64-v3") is `name`, or of the family that `name` is ("cpu").
bool isTargetOf(std::string_view target, std::string_view name) {
  return target == name || (name.find(':') == std::string_view::npos && target.starts_with(name) &&
                            target.substr(name.size()).starts_with(':'));
}

bool areAligned(const fb::Tactic &tactic, std::span<void *const> addresses) {
  return !tactic.alignments() ||
         std::ranges::all_of(*tactic.alignments(), [&](const fb::Alignment *alignment) {
           return reinterpret_cast<uintptr_t>(addresses[alignment->buffer()]) %
                      alignment->bytes() ==
                  0;
         });
}

} // namespace

const fb::TacticOrder *TacticTable::orderFor(const fb::Choice &choice, std::string_view target,
                                             uint32_t profile) {
  for (const fb::TacticOrder *order : *choice.orders())
    if ((!order->target() || isTargetOf(target, order->target()->string_view())) &&
        (order->profile() == kAbsent || order->profile() == profile))
      return order;
  return choice.orders()->Get(choice.orders()->size() - 1); // which fits all, as is verified
}

TacticTable::TacticTable(const Engine &engine, const DeviceEngine &deviceEngine, uint32_t profile)
    : isAligned_(engine.metadata().buffers()->size(), false) {
  const auto *choices = engine.metadata().choices();
  if (!choices)
    return;
  // The kernels of an engine have code for the same targets, so that any of them tells; functions
  // of libraries do not, and stand beside a tactic with code.
  std::vector<std::string_view> targets(choices->size());
  for (const fb::Step *step : *engine.metadata().steps())
    if (const fb::Launch *launch = step->kind_as_Launch(); launch && launch->choice() != kAbsent)
      if (!isLibraryFunction(*engine.metadata().kernels()->Get(launch->kernel())))
        targets[launch->choice()] = deviceEngine.findKernel(launch->kernel())->target();
  usedBy_.resize(isAligned_.size());
  std::vector<bool> isUsedElsewhere(isAligned_.size(), false);
  for (const fb::Step *step : *engine.metadata().steps())
    if (const fb::Launch *launch = step->kind_as_Launch())
      for (const fb::Argument *argument : *launch->arguments()) {
        if (argument->kind() != fb::ArgumentKind::Buffer)
          continue;
        if (launch->choice() == kAbsent)
          isUsedElsewhere[argument->index()] = true;
        else
          usedBy_[argument->index()].push_back({launch->choice(), launch->tactic()});
      }
  for (uint32_t i = 0; i < usedBy_.size(); ++i)
    if (isUsedElsewhere[i] ||
        engine.metadata().buffers()->Get(i)->kind() != fb::BufferKind::Workspace)
      usedBy_[i].clear();
  for (uint32_t i = 0; i < choices->size(); ++i) {
    Choice choice;
    choice.description = choices->Get(i);
    choice.order = orderFor(*choice.description, targets[i], profile);
    choice.isPossible.resize(choice.description->tactics()->size(), false);
    for (uint32_t tactic : *choice.order->tactics())
      if (const auto *alignments = choice.description->tactics()->Get(tactic)->alignments())
        for (const fb::Alignment *alignment : *alignments)
          isAligned_[alignment->buffer()] = true;
    choices_.push_back(std::move(choice));
  }
}

bool TacticTable::holds(const Choice &choice, uint32_t tactic, const ShapeEvaluation &shapes) {
  const uint32_t condition = choice.description->tactics()->Get(tactic)->condition();
  return condition == kAbsent || shapes.value(condition) != 0;
}

bool TacticTable::hasAlignments(const Choice &choice, uint32_t tactic) {
  const auto *alignments = choice.description->tactics()->Get(tactic)->alignments();
  return alignments && alignments->size() > 0;
}

void TacticTable::select(std::span<void *const> addresses) {
  for (Choice &choice : choices_)
    for (uint32_t tactic : *choice.order->tactics())
      if (choice.isPossible[tactic] &&
          areAligned(*choice.description->tactics()->Get(tactic), addresses)) {
        choice.taken = tactic;
        break;
      }
}

bool TacticTable::needsBuffer(uint32_t buffer) const {
  if (usedBy_.empty() || usedBy_[buffer].empty())
    return true;
  return std::ranges::any_of(usedBy_[buffer], [&](const User &user) {
    return choices_[user.choice].isPossible[user.tactic];
  });
}

bool TacticTable::mayRun(const fb::Launch &launch) const {
  return launch.choice() == kAbsent || choices_[launch.choice()].isPossible[launch.tactic()];
}

bool TacticTable::runs(const fb::Launch &launch) const {
  return launch.choice() == kAbsent || choices_[launch.choice()].taken == launch.tactic();
}

} // namespace inlay
