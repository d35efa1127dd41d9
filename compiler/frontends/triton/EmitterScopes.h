// Scoped state of the emitter: the place errors refer to, and the limits on recursion and work.
#pragma once

#include "compiler/frontends/triton/Emitter.h"

namespace inlay::triton {

/// While it lives, errors and operations belong to this place.
class Emitter::SpanScope {
public:
  SpanScope(Emitter &emitter, Span span)
      : emitter_(emitter), saved_(emitter.span_), location_(emitter.semantics_.location) {
    emitter_.span_ = span;
    emitter_.setLocation();
  }
  ~SpanScope() {
    emitter_.span_ = saved_;
    emitter_.semantics_.location = location_;
  }
  SpanScope(const SpanScope &) = delete;
  SpanScope &operator=(const SpanScope &) = delete;

private:
  Emitter &emitter_;
  Span saved_;
  mlir::Location location_;
};

/// Counts recursion and work; false, after one error, when a kernel asks for too much of either.
class Emitter::DepthGuard {
public:
  static constexpr int kMaxDepth = 1000;
  static constexpr int64_t kMaxWork = 2'000'000;

  explicit DepthGuard(Emitter &emitter) : emitter_(emitter) {
    ++emitter_.depth_;
    ++emitter_.work_;
    isGood_ = emitter_.depth_ <= kMaxDepth && emitter_.work_ <= kMaxWork;
    if (emitter_.depth_ == kMaxDepth + 1)
      emitter_.error("the code is nested deeper than {} levels, helpers included", kMaxDepth);
    if (emitter_.work_ == kMaxWork + 1)
      emitter_.error("the kernel is too large: more than {} steps after unrolling and inlining",
                     kMaxWork);
  }
  ~DepthGuard() { --emitter_.depth_; }
  DepthGuard(const DepthGuard &) = delete;
  DepthGuard &operator=(const DepthGuard &) = delete;
  explicit operator bool() const { return isGood_; }

private:
  Emitter &emitter_;
  bool isGood_;
};

} // namespace inlay::triton
