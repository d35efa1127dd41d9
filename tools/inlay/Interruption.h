// Signals that ask a command to end: the first one ends it in order, the second one at once.
#pragma once

namespace inlay::tools {

/// While it lives, SIGINT and SIGTERM are noted; the second of a kind does what it does by default.
/// One at a time.
class Interruption {
public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption &) = delete;
  Interruption &operator=(const Interruption &) = delete;
};

/// The signal that came, also after the Interruption has gone; 0 if none did.
int interruptingSignal();

} // namespace inlay::tools
