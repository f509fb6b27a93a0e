// SPDX-License-Identifier: Apache-2.0
#include "load/tuner.hpp"

#include <algorithm>

namespace waybill::load {

namespace {

constexpr std::chrono::milliseconds kPeriod{1500};  // long enough for a rate, short against a migration
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::minutes kMostPatience{10};
constexpr std::uint64_t kObjectsEach = 4;  // an association's share of a sample
constexpr double kGain = 1.1;
constexpr int kSlower = 3;

}  // namespace

Tuner::Tuner(unsigned most, Clock::time_point now)
    : most_(std::max(1U, most)), now_(std::min(2U, most_)), since_(now), next_try_(now), patience_(kPatience) {}

void Tuner::sent(std::uint64_t bytes, std::chrono::nanoseconds answer_took) noexcept {
  ++objects_;
  bytes_ += bytes;
  waited_ += answer_took;
}

void Tuner::start_over(Clock::time_point now) noexcept {
  objects_ = bytes_ = troubles_ = 0;
  waited_ = std::chrono::nanoseconds(0);
  since_ = now;
}

void Tuner::hold(unsigned associations, Clock::time_point now) noexcept {
  now_ = std::clamp(associations, 1U, most_);
  phase_ = Phase::holding;
  next_try_ = now + patience_;
  patience_ = std::min<Clock::duration>(2 * patience_, kMostPatience);
}

unsigned Tuner::decide(Clock::time_point now) {
  if (now - since_ < kPeriod) return now_;
  if (troubles_ > 0) {
    hold(now_ / 2, now);
    before_ = 0;
    start_over(now);
    return now_;
  }
  if (objects_ < kObjectsEach * now_) return now_;  // not enough to judge by
  const double seconds = std::chrono::duration<double>(now - since_).count();
  const double rate = static_cast<double>(objects_) / seconds;
  const double byte_rate = static_cast<double>(bytes_) / seconds;
  const auto answer = waited_ / static_cast<std::int64_t>(objects_);
  if (best_answer_.count() == 0 || answer < best_answer_) best_answer_ = answer;

  if (before_ != 0) {  // judge the last step up
    const bool better = rate >= kGain * rate_before_ || byte_rate >= kGain * byte_rate_before_;
    if (!better) {
      hold(before_, now);
    } else {
      phase_ = Phase::climbing;
      patience_ = kPatience;
    }
    before_ = 0;
  } else if (phase_ == Phase::holding && answer > kSlower * best_answer_ && now_ > 1) {
    hold(now_ - 1, now);
    best_answer_ = answer;  // what is normal now
  }
  const bool may_climb = phase_ == Phase::climbing || now >= next_try_;
  if (may_climb && now_ < most_) {
    before_ = now_;
    rate_before_ = rate;
    byte_rate_before_ = byte_rate;
    now_ = std::min(most_, now_ + std::max(1U, now_ / 2));
  }
  start_over(now);
  return now_;
}

}  // namespace waybill::load
