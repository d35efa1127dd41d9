#include "engine/LibraryFunctions.h"

#include "base/Error.h"

namespace inlay {
namespace {

constexpr uint32_t kAbsent = UINT32_MAX;

Status verifyKernel(const fb::Engine &engine, uint32_t index) {
  const fb::Kernel &kernel = *engine.kernels()->Get(index);
  if (!isLibraryFunction(kernel))
    return {};
  for (const fb::Image *image : *kernel.images()) {
    const std::string_view target = image->target()->string_view();
    if (image->format() != fb::ImageFormat::LibraryFunction)
      return dataLoss("kernels[{}] '{}' has an image of code beside a library's function", index,
                      kernel.name()->string_view());
    if ((target != "cpu" && target != "cuda") || image->entry()->size() == 0 ||
        engine.segments()->Get(image->segment())->size_bytes() != 0)
      return dataLoss("kernels[{}] '{}' has the library function '{}' for target '{}' with {} "
                      "bytes; expected a name, 'cpu' or 'cuda', and no bytes",
                      index, kernel.name()->string_view(), image->entry()->string_view(), target,
                      engine.segments()->Get(image->segment())->size_bytes());
  }
  return {};
}

bool isLast(const fb::Choice &choice, uint32_t tactic) {
  for (const fb::TacticOrder *order : *choice.orders())
    if (order->tactics()->Get(order->tactics()->size() - 1) == tactic)
      return true;
  return false;
}

} // namespace

bool isLibraryFunction(const fb::Kernel &kernel) {
  for (const fb::Image *image : *kernel.images())
    if (image->format() == fb::ImageFormat::LibraryFunction)
      return true;
  return false;
}

Status verifyLibraryFunctions(const fb::Engine &engine) {
  for (uint32_t i = 0; i < engine.kernels()->size(); ++i)
    INLAY_TRY(verifyKernel(engine, i));
  for (uint32_t i = 0; i < engine.steps()->size(); ++i) {
    const fb::Launch *launch = engine.steps()->Get(i)->kind_as_Launch();
    if (!launch || launch->choice() == kAbsent ||
        !isLibraryFunction(*engine.kernels()->Get(launch->kernel())))
      continue;
    const fb::Choice &choice = *engine.choices()->Get(launch->choice());
    if (isLast(choice, launch->tactic()))
      return dataLoss("choices[{}] has an order that ends in tactic '{}', which calls a library",
                      launch->choice(),
                      choice.tactics()->Get(launch->tactic())->name()->string_view());
  }
  return {};
}

} // namespace inlay
