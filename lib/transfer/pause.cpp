// SPDX-License-Identifier: Apache-2.0
#include "transfer/pause.hpp"

#include <atomic>
#include <csignal>

namespace waybill::transfer {
namespace {
std::atomic<bool> g_pause{false};
void on_signal(int signal) { g_pause.store(signal == SIGUSR1, std::memory_order_relaxed); }
}  // namespace

void install_pause_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGUSR2, &action, nullptr);
}

bool pause_requested() noexcept { return g_pause.load(std::memory_order_relaxed); }

}  // namespace waybill::transfer
