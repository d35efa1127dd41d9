// Counts what a test program allocates, so that a test can say that nothing was. To be included by
// one source file of a program.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
std::atomic<uint64_t> numAllocations{0};
}

#if !defined(__has_feature)
#define __has_feature(feature) 0 // clang's; g++ defines macros
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define INLAY_COUNTS_ALLOCATIONS 0 // it has an operator new of its own
#else
#define INLAY_COUNTS_ALLOCATIONS 1
#endif

#if INLAY_COUNTS_ALLOCATIONS
// Not inlined: g++ would see malloc's memory given to delete, and warn of it.
[[gnu::noinline]] void *operator new(size_t sizeBytes) {
  ++numAllocations;
  if (void *memory = std::malloc(sizeBytes ? sizeBytes : 1))
    return memory;
  std::abort();
}
void *operator new[](size_t sizeBytes) { return operator new(sizeBytes); }
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { operator delete(memory); }
void operator delete[](void *memory) noexcept { operator delete(memory); }
void operator delete[](void *memory, size_t) noexcept { operator delete(memory); }
// AddressSanitizer's free knows only memory of its own aligned_alloc.
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
extern "C" void *aligned_alloc(size_t alignment, size_t sizeBytes) {
  ++numAllocations;
  void *memory = nullptr;
  return ::posix_memalign(&memory, alignment, sizeBytes) == 0 ? memory : nullptr;
}
#endif
#endif
