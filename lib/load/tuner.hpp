// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace waybill::load {

/// Finds how many associations a peer works best with, from what it does with them.
///
/// It begins with two and adds as long as that brings at least a tenth more objects or bytes a second for each half as
/// many again; when it does not, it goes back and stays. A peer that refuses for want of resources, rejects an
/// association or lets one fall halves the number, and the next step up waits twice as long as the one before, up to
/// ten minutes. Answers that take three times as long as at the start without more throughput take one away: the peer's
/// other users feel that first. Not thread safe; time is the caller's, so that it can be tried.
class Tuner {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Tuner(unsigned most, Clock::time_point now);

  void sent(std::uint64_t bytes, std::chrono::nanoseconds answer_took) noexcept;
  void trouble() noexcept { ++troubles_; }
  /// Looks at what happened since the last decision; gives the number of associations to use.
  unsigned decide(Clock::time_point now);
  [[nodiscard]] unsigned associations() const noexcept { return now_; }

 private:
  enum class Phase { climbing, holding };
  void start_over(Clock::time_point now) noexcept;
  void hold(unsigned associations, Clock::time_point now) noexcept;

  unsigned most_;
  unsigned now_ = 2;
  unsigned before_ = 0;  // the number the last step came from
  Phase phase_ = Phase::climbing;
  Clock::time_point since_, next_try_;
  Clock::duration patience_;
  std::uint64_t objects_ = 0, bytes_ = 0, troubles_ = 0;
  std::chrono::nanoseconds waited_{0};
  double rate_before_ = 0, byte_rate_before_ = 0;
  std::chrono::nanoseconds best_answer_{0};
};

}  // namespace waybill::load
