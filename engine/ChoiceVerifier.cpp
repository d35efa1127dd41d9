#include "engine/ChoiceVerifier.h"

#include "base/Error.h"

#include <limits>
#include <set>

namespace inlay {
namespace {

constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kMaxAlignmentBytes = 4096;

bool hasConditions(const fb::Tactic &tactic) {
  return tactic.condition() != kAbsent || (tactic.alignments() && tactic.alignments()->size() > 0);
}

Status verifyTactic(const fb::Engine &engine, uint32_t choice, const fb::Tactic &tactic) {
  const std::string_view name = tactic.name()->string_view();
  if (tactic.condition() != kAbsent && tactic.condition() >= engine.expressions()->size())
    return dataLoss("choices[{}] has tactic '{}' with expression {}; the engine has {}", choice,
                    name, tactic.condition(), engine.expressions()->size());
  for (uint32_t i = 0; tactic.alignments() && i < tactic.alignments()->size(); ++i) {
    const fb::Alignment &alignment = *tactic.alignments()->Get(i);
    const uint32_t bytes = alignment.bytes();
    if (alignment.buffer() >= engine.buffers()->size())
      return dataLoss("choices[{}] has tactic '{}' with buffer {}; the engine has {}", choice, name,
                      alignment.buffer(), engine.buffers()->size());
    if (bytes == 0 || (bytes & (bytes - 1)) != 0 || bytes > kMaxAlignmentBytes)
      return dataLoss("choices[{}] has tactic '{}' with an alignment of {} bytes; expected a power "
                      "of two up to {}",
                      choice, name, bytes, kMaxAlignmentBytes);
  }
  return {};
}

Status verifyOrder(uint32_t index, const fb::Choice &choice, const fb::TacticOrder &order) {
  std::set<uint32_t> seen;
  for (uint32_t tactic : *order.tactics())
    if (tactic >= choice.tactics()->size() || !seen.insert(tactic).second)
      return dataLoss("choices[{}] has an order with tactic {}, which is not there or stands twice",
                      index, tactic);
  if (seen.empty())
    return dataLoss("choices[{}] has an empty order of tactics", index);
  const uint32_t last = order.tactics()->Get(order.tactics()->size() - 1);
  if (hasConditions(*choice.tactics()->Get(last)))
    return dataLoss("choices[{}] has an order that ends in tactic '{}', which has a condition",
                    index, choice.tactics()->Get(last)->name()->string_view());
  return {};
}

} // namespace

Status verifyChoices(const fb::Engine &engine) {
  const uint32_t numChoices = engine.choices() ? engine.choices()->size() : 0;
  for (uint32_t i = 0; i < numChoices; ++i) {
    const fb::Choice &choice = *engine.choices()->Get(i);
    for (const fb::Tactic *tactic : *choice.tactics())
      INLAY_TRY(verifyTactic(engine, i, *tactic));
    for (const fb::TacticOrder *order : *choice.orders())
      INLAY_TRY(verifyOrder(i, choice, *order));
    const uint32_t numOrders = choice.orders()->size();
    const fb::TacticOrder *last = numOrders ? choice.orders()->Get(numOrders - 1) : nullptr;
    if (!last || last->target() || last->profile() != kAbsent)
      return dataLoss("choices[{}] has {} orders, and the last one does not fit every device and "
                      "profile",
                      i, numOrders);
  }
  for (uint32_t i = 0; i < engine.steps()->size(); ++i) {
    const fb::Launch *launch = engine.steps()->Get(i)->kind_as_Launch();
    if (!launch || launch->choice() == kAbsent)
      continue;
    if (launch->choice() >= numChoices ||
        launch->tactic() >= engine.choices()->Get(launch->choice())->tactics()->size())
      return dataLoss("steps[{}] belongs to tactic {} of choice {}, which is not there", i,
                      launch->tactic(), launch->choice());
  }
  return {};
}

} // namespace inlay
