#include "tools/inlay/Interruption.h"

#include <csignal>
#include <initializer_list>

namespace inlay::tools {
namespace {

// The one state that a signal handler can reach.
volatile std::sig_atomic_t received = 0;

void note(int signal) { received = signal; }

/// Leaves signals alone that whoever started the program has it ignore.
void handle(void (*handler)(int), int flags) {
  struct sigaction action{}, before{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM})
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
}

} // namespace

Interruption::Interruption() { handle(note, SA_RESETHAND | SA_RESTART); }
Interruption::~Interruption() { handle(SIG_DFL, 0); }

int interruptingSignal() { return received; }

} // namespace inlay::tools
