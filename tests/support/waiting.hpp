// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <thread>

namespace waybill::test {

/// Looks until the condition holds; false when it does not within a minute, which is longer than any machine is busy.
/// For what another process or thread does: a fixed sleep is too long on one machine and too short on the next.
template <typename Condition>
bool wait_until(Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace waybill::test
