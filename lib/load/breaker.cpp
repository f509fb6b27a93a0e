// SPDX-License-Identifier: Apache-2.0
#include "load/breaker.hpp"

#include <algorithm>
#include <utility>

namespace waybill::load {

namespace {
constexpr std::size_t kInARow = 3;
constexpr auto kTick = std::chrono::milliseconds(20);
}  // namespace

std::chrono::milliseconds Breaker::jittered(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  std::uniform_real_distribution<double> part(0.75, 1.25);
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * part(chance_)));
}

/// With the lock held.
void Breaker::wait_on(std::chrono::milliseconds pause) {
  trying_ = false;
  pause_ = std::min(pause, waits_.longest);
  std::uniform_real_distribution<double> part(0.75, 1.25);
  until_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(pause_ * part(chance_));
}

Breaker::Pass Breaker::pass(const transfer::Control& control) {
  for (;;) {
    if (control.stopping()) return Pass::stopped;
    {
      const std::lock_guard lock(mutex_);
      if (!open_) return Pass::go;
      const auto now = Clock::now();
      if (now - since_ >= waits_.patience) return Pass::tired;
      if (now >= until_ && !trying_) {
        trying_ = true;
        return Pass::go;
      }
    }
    control.wait_for(kTick);
  }
}

void Breaker::answered() {
  const std::lock_guard lock(mutex_);
  refused_.clear();
  open_ = trying_ = false;
}

bool Breaker::refused(const std::string& object) {
  const std::lock_guard lock(mutex_);
  refused_.insert(object);
  if (open_) {
    if (trying_) wait_on(pause_ * 2);  // else it was on its way when the breaker opened
  } else if (refused_.size() >= kInARow) {
    open_ = true;
    since_ = Clock::now();
    wait_on(waits_.first);
  }
  return open_;
}

void Breaker::busy(std::chrono::milliseconds for_so_long) {
  const std::lock_guard lock(mutex_);
  if (!open_) {
    open_ = true;
    since_ = Clock::now();
    pause_ = std::chrono::milliseconds(0);
  } else if (!trying_ && Clock::now() < until_) {
    return;  // it was on its way when the breaker opened
  }
  wait_on(pause_ == std::chrono::milliseconds(0) ? waits_.first : pause_ * 2);
  if (for_so_long > std::chrono::milliseconds(0)) until_ = Clock::now() + std::min(for_so_long, waits_.longest);
}

void Breaker::asked() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(trying_, false)) until_ = Clock::now();
}

void Breaker::silent() {
  const std::lock_guard lock(mutex_);
  if (open_) wait_on(pause_);
}

}  // namespace waybill::load
