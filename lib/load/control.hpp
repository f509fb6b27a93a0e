// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/run.hpp"
#include "transfer/halt.hpp"
#include "transfer/throttle.hpp"

#include <atomic>
#include <functional>
#include <mutex>

namespace waybill::load {

/// Whether and when the next object may go: stop, pause, window and limit. Any thread.
class Control {
 public:
  Control(const Options& options, const transfer::Halt& halt) : options_(options), halt_(halt) {
    throttle_.set(options.limit);
  }

  /// Waits until an object of that size may be sent; false when the run is to stop. `rest` is called once before a long
  /// wait: an association must not be held through it.
  [[nodiscard]] bool admit(std::uint64_t bytes, const std::function<void()>& rest);
  /// What holds now; 0 is no limit.
  [[nodiscard]] transfer::Limit limit() { return throttle_.limit(); }
  /// A wait that a stop cuts short.
  void wait_for(std::chrono::nanoseconds time) const;
  /// Stop asked for, a fatal error, or the window closed for good.
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] bool closed() const noexcept { return closed_.load(); }

 private:
  [[nodiscard]] bool is_open();
  void say_once(std::atomic<bool>& said, const std::string& text) const;

  const Options& options_;
  const transfer::Halt& halt_;
  transfer::Throttle throttle_;
  std::atomic<bool> closed_{false}, said_pause_{false}, said_closed_{false};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point looked_{};
  bool open_ = true;
};

}  // namespace waybill::load
