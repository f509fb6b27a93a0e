// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/profile.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace waybill::probe {

/// The least and the middle of the times that five calls of `ask` take; throws what it throws.
template <typename Ask>
[[nodiscard]] Echo time_of(const char* service, const Ask& ask) {
  using Clock = std::chrono::steady_clock;
  std::array<double, 5> times{};
  for (double& time : times) {
    const auto begin = Clock::now();
    ask();
    time = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  }
  std::ranges::sort(times);
  return {service, times.front(), times[times.size() / 2]};
}

}  // namespace waybill::probe
