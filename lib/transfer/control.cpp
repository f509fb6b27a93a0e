// SPDX-License-Identifier: Apache-2.0
#include "transfer/control.hpp"

#include "core/stop.hpp"
#include "transfer/pause.hpp"

#include <algorithm>
#include <ctime>
#include <thread>
#include <utility>

namespace waybill::transfer {

namespace {
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kLook{500};      // how often the clock on the wall is asked
constexpr std::chrono::seconds kHeldAssociation{2};  // longer waits are without one
}  // namespace

bool Control::stopping() const { return halt_.is_set() || stop_requested() || closed_.load(); }

void Control::wait_for(std::chrono::nanoseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!stopping()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kTick));
  }
}

void Control::say_once(std::atomic<bool>& said, const std::string& text) const {
  if (!said.exchange(true) && pace_.say) pace_.say(text);
}

/// What the schedule says now; its limit takes effect.
bool Control::is_open() {
  if (pace_.window.empty()) return true;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (looked_ != std::chrono::steady_clock::time_point{} && now - looked_ < kLook) return open_;
  looked_ = now;
  const auto limit = pace_.window.at(std::time(nullptr));
  open_ = limit.has_value();
  if (limit) throttle_.set(*limit == Limit{} ? pace_.limit : *limit);
  return open_;
}

bool Control::await_open(const std::function<void()>& rest) {
  bool rested = false;
  const auto hold = [&] {
    if (!rested) rest();
    rested = true;
    std::this_thread::sleep_for(kTick);
  };
  while (!stopping()) {
    if (pause_requested()) {
      say_once(said_pause_, "paused; signal USR2 resumes");
      hold();
      continue;
    }
    if (said_pause_.exchange(false) && pace_.say) pace_.say("resumed");
    if (!is_open()) {
      if (pace_.when_closed == WhenClosed::end) {
        say_once(said_closed_, "the window is closed; run the same command again when it is open");
        closed_.store(true);
        return false;
      }
      say_once(said_closed_, "the window is closed; waiting for it");
      hold();
      continue;
    }
    if (said_closed_.exchange(false) && pace_.say) pace_.say("the window is open");
    return true;
  }
  return false;
}

void Control::spread(std::uint64_t bytes) {
  (void)is_open();
  wait_for(throttle_.take(bytes));
}

bool Control::admit(std::uint64_t bytes, const std::function<void()>& rest) {
  bool rested = false;
  const auto rest_once = [&] {
    if (!std::exchange(rested, true)) rest();
  };
  if (!await_open(rest_once)) return false;
  const auto wait = throttle_.take(bytes);
  if (wait > kHeldAssociation) rest_once();
  wait_for(wait);
  return !stopping();
}

}  // namespace waybill::transfer
