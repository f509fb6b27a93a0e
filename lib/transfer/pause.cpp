// SPDX-License-Identifier: Apache-2.0
#include "transfer/pause.hpp"

#include <atomic>
#include <csignal>

namespace waybill::transfer {
namespace {
std::atomic<bool> g_pause{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");
void on_signal(int signal) { g_pause.store(signal == SIGUSR1, std::memory_order_relaxed); }
}  // namespace

void handle_pause_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGUSR2, &action, nullptr);
}

void install_pause_handlers() { handle_pause_signals(on_signal); }

bool pause_requested() noexcept { return g_pause.load(std::memory_order_relaxed); }

}  // namespace waybill::transfer
