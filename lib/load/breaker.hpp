// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/run.hpp"
#include "transfer/control.hpp"

#include <chrono>
#include <mutex>
#include <random>
#include <set>
#include <string>

namespace waybill::load {

/// Leaves the target alone while it takes nothing from anybody, as with a full disk: when three objects in a row were
/// refused for lack of resources, all lanes wait, and after each pause one of them tries once. One object that is
/// refused between others that are taken does not open it. Any thread.
class Breaker {
 public:
  explicit Breaker(Waits waits) : waits_(waits) {}

  enum class Pass { go, stopped, tired };
  /// Returns when something may be sent (`go`), a stop is asked for, or patience has ended.
  [[nodiscard]] Pass pass(const transfer::Control& control);

  /// The peer answered, whatever it said but for lack of resources.
  void answered();
  /// The peer had no room for the object; whether the breaker is open now.
  bool refused(const std::string& object);
  /// The peer has no time for anybody: the breaker is open now, for as long as the peer said, 0 when it did not.
  void busy(std::chrono::milliseconds for_so_long);
  /// The peer answered a question, which says nothing of its room: who was let pass may pass again.
  void asked();
  /// There was no answer.
  void silent();

  /// A time between three and five quarters of `time`, so that lanes and runs do not all come back at once.
  [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds time);

 private:
  using Clock = std::chrono::steady_clock;
  void wait_on(std::chrono::milliseconds pause);

  const Waits waits_;
  std::mutex mutex_;
  std::mt19937 chance_{std::random_device{}()};
  std::set<std::string> refused_;  ///< since something was taken
  bool open_ = false, trying_ = false;
  std::chrono::milliseconds pause_{0};
  Clock::time_point since_, until_;
};

}  // namespace waybill::load
