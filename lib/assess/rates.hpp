// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "sync/journal.hpp"
#include "transfer/throttle.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How fast the stages that move objects are: as somebody says, or as earlier runs were.
namespace waybill::assess {

inline constexpr std::array<std::string_view, 3> kStages = {"transcode", "load", "verify"};

/// Objects and bytes a second at best, as expected, and at worst; 0 is a bound that nobody knows.
struct Pace {
  transfer::Limit best, expected, worst;
  std::string basis;  ///< where it comes from, in words
};

/// "200obj/s,50MB/s" is of load, "verify=80MB/s" of another stage. Throws RunError(Exit::usage).
[[nodiscard]] std::pair<std::string, transfer::Limit> parse_rate(std::string_view text);

/// What an assumption about a rate that was typed makes of it: a quarter less or more.
inline constexpr double kSpread = 0.25;
[[nodiscard]] Pace typed_pace(transfer::Limit limit);

/// Bounds what goes over a network in requests that each wait for an answer: no more objects a second than
/// associations by seconds of a round trip (domain rule 9.1).
void bound_by_round_trips(Pace& pace, double seconds, unsigned associations);

/// The pace of a load, from when each object was answered. Pauses of more than a minute (closed windows, a stopped run)
/// do not count. Best and worst are the fastest and slowest tenth of its whole minutes; with fewer than ten of these
/// the pace is a typed one's. Memory: by minutes, at most two years of them.
class Pulse {
 public:
  void add(const manifest::Load& load, std::uint64_t bytes);
  [[nodiscard]] std::optional<Pace> pace(const std::string& manifest) const;
  /// Objects that were loaded at no time that can be read.
  [[nodiscard]] std::uint64_t untimed() const noexcept { return untimed_; }

 private:
  struct Minute {
    double first = 0, last = 0;  ///< seconds since 1970
    double objects = 0, bytes = 0;
  };
  std::map<std::int64_t, Minute> minutes_;
  std::uint64_t untimed_ = 0;
};

/// The pace of a stage in runs of sync that did it in one go; nullopt when none did.
[[nodiscard]] std::optional<Pace> pace_of_runs(const std::vector<sync::RunRecord>& runs, const std::string& stage);

/// Seconds since 1970 of an RFC 3339 time in UTC; nullopt when it is none.
[[nodiscard]] std::optional<double> seconds_of(std::string_view rfc3339);

}  // namespace waybill::assess
