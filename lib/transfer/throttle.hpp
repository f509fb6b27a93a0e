// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace waybill::transfer {

/// How fast a peer may be sent to; 0 is no limit.
struct Limit {
  double bytes = 0;    ///< a second
  double objects = 0;  ///< a second
  bool operator==(const Limit&) const = default;
};

/// "80MB/s,300obj/s": either or both, in any order; kB, MB, GB are powers of ten, KiB, MiB, GiB of two. Throws
/// RunError(Exit::usage).
[[nodiscard]] Limit parse_limit(std::string_view text);

/// Spreads what is sent over time: after a second without traffic at most a second's worth goes at once, and an object
/// larger than that goes when its share has been saved up. Any thread.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;

  void set(Limit limit);
  [[nodiscard]] Limit limit();
  /// Takes the share of one object and says how long to wait before it goes; zero is now.
  [[nodiscard]] std::chrono::nanoseconds take(std::uint64_t bytes, Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  Limit limit_;
  Clock::time_point bytes_free_{}, objects_free_{};  // when the next object may go
};

}  // namespace waybill::transfer
