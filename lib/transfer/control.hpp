// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transfer/halt.hpp"
#include "transfer/schedule.hpp"
#include "transfer/throttle.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

namespace waybill::transfer {

enum class WhenClosed { end, wait };  ///< what to do outside the window

/// When and how fast a peer is worked with.
struct Pace {
  Limit limit;      ///< where the window says nothing else
  Schedule window;  ///< empty: always open
  WhenClosed when_closed = WhenClosed::end;
  std::function<void(const std::string&)> say;  ///< what a person should know meanwhile; any thread
};

/// Whether and when the next object may go: stop, pause, window and limit. Any thread.
class Control {
 public:
  Control(const Pace& pace, const Halt& halt) : pace_(pace), halt_(halt) { throttle_.set(pace.limit); }

  /// Waits until an object of that size may be sent; false when the run is to stop. `rest` is called once before a long
  /// wait: an association must not be held through it.
  [[nodiscard]] bool admit(std::uint64_t bytes, const std::function<void()>& rest);
  /// The same without regard to the limit: waits through a pause and for the window.
  [[nodiscard]] bool await_open(const std::function<void()>& rest);
  /// Waits for as long as an object that has come is over the limit; for what is on its way already.
  void spread(std::uint64_t bytes);
  /// What holds now; 0 is no limit.
  [[nodiscard]] Limit limit() { return throttle_.limit(); }
  /// A wait that a stop cuts short.
  void wait_for(std::chrono::nanoseconds time) const;
  /// Stop asked for, a fatal error, or the window closed for good.
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] bool closed() const noexcept { return closed_.load(); }

 private:
  [[nodiscard]] bool is_open();
  void say_once(std::atomic<bool>& said, const std::string& text) const;

  const Pace& pace_;
  const Halt& halt_;
  Throttle throttle_;
  std::atomic<bool> closed_{false}, said_pause_{false}, said_closed_{false};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point looked_{};
  bool open_ = true;
};

}  // namespace waybill::transfer
