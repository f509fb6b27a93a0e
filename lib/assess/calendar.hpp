// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/volumes.hpp"
#include "transfer/schedule.hpp"

#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::assess {

/// Seconds that work takes at these rates when nothing stops it: what the rate of objects says or what the rate of
/// bytes says, whichever is longer. nullopt when there is work and no rate.
[[nodiscard]] std::optional<double> seconds_for(const Amount& work, const transfer::Limit& rate);

/// When work is done that goes on only while a window is open, in local time (the TZ of the process) with the changes
/// of its clock: an hour that is left out in spring is not worked in, one that comes twice is worked in twice. An entry
/// of the window that has limits bounds the rates.
class Calendar {
 public:
  explicit Calendar(transfer::Schedule window) : window_(std::move(window)) {}

  /// The time at which work that begins at `start` ends, both in seconds since 1970; nullopt when no rate is known or
  /// it takes more than 50 years.
  [[nodiscard]] std::optional<double> end_of(double start, const Amount& work, const transfer::Limit& rate) const;
  /// The share of a week without a change of the clock in which the window is open.
  [[nodiscard]] double open_share() const;
  [[nodiscard]] bool always_open() const noexcept { return window_.empty(); }

 private:
  static constexpr int kWeek = 7 * 24 * 60;  // minutes
  transfer::Schedule window_;
};

/// "2027-01-04" or "2027-01-04 19:00" in local time. Throws RunError(Exit::usage).
[[nodiscard]] std::time_t parse_start(const std::string& text);
/// "Mon 2027-01-04 19:00 CET".
[[nodiscard]] std::string local_text(double seconds);

}  // namespace waybill::assess
