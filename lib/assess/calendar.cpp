// SPDX-License-Identifier: Apache-2.0
#include "assess/calendar.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cmath>

namespace waybill::assess {
namespace {

constexpr double kMost = 50 * 365.25 * 86400;
constexpr int kDay = 24 * 60;
// Clocks are set by multiples of a quarter of an hour, so within one the time of day passes as the seconds do.
constexpr std::time_t kQuarter = 900;

constexpr double kRounding = 1e-9;  // of the work; sums of many minutes are not exact

double slower(double a, double b) { return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b); }

/// Minute of the week, Sunday first.
int minute_of_week(std::time_t when) {
  std::tm now{};
  ::localtime_r(&when, &now);
  return now.tm_wday * kDay + now.tm_hour * 60 + now.tm_min;
}

}  // namespace

std::optional<double> seconds_for(const Amount& work, const transfer::Limit& rate) {
  if (work.objects == 0) return 0;
  if (rate.objects <= 0 && rate.bytes <= 0) return std::nullopt;
  const double by_objects = rate.objects > 0 ? static_cast<double>(work.objects) / rate.objects : 0;
  const double by_bytes = rate.bytes > 0 ? static_cast<double>(work.bytes) / rate.bytes : 0;
  return std::max(by_objects, by_bytes);
}

std::optional<double> Calendar::end_of(double start, const Amount& work, const transfer::Limit& rate) const {
  const auto whole = seconds_for(work, rate);
  if (!whole || *whole > kMost) return std::nullopt;
  if (window_.empty() || *whole <= 0) return start + *whole;
  std::array<double, kWeek> share{};  // of the work, done in a second of each minute
  for (int minute = 0; minute < kWeek; ++minute) {
    const auto limit = window_.at(minute / kDay, minute % kDay);
    if (!limit) continue;
    const transfer::Limit bounded{slower(rate.bytes, limit->bytes), slower(rate.objects, limit->objects)};
    const double seconds = seconds_for(work, bounded).value_or(0);
    share[static_cast<std::size_t>(minute)] = seconds > 0 ? 1 / seconds : 0;
  }
  double left = 1;
  for (double now = start; now - start < kMost;) {
    const auto second = static_cast<std::time_t>(std::floor(now));
    const std::time_t next_quarter = second - second % kQuarter + kQuarter;
    const auto block_end = static_cast<double>(next_quarter);
    int minute = minute_of_week(second);
    while (now < block_end) {
      const double minute_end = (std::floor(now / 60) + 1) * 60;
      const double speed = share[static_cast<std::size_t>(minute)];
      const double done = speed * (minute_end - now);
      if (done >= left) return now + left / speed;
      left -= done;
      now = minute_end;
      if (left < kRounding) return now;
      minute = (minute + 1) % kWeek;
    }
  }
  return std::nullopt;
}

double Calendar::open_share() const {
  int open = 0;
  for (int minute = 0; minute < kWeek; ++minute) open += window_.at(minute / kDay, minute % kDay) ? 1 : 0;
  return static_cast<double>(open) / kWeek;
}

std::time_t parse_start(const std::string& text) {
  for (const char* form : {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"}) {
    std::tm time{};
    const char* end = ::strptime(text.c_str(), form, &time);
    if (end == nullptr || *end != '\0' || text.size() < 10) continue;
    const std::tm asked = time;
    time.tm_isdst = -1;
    const std::time_t when = std::mktime(&time);
    if (when >= 0 && time.tm_mday == asked.tm_mday && time.tm_mon == asked.tm_mon) return when;
  }
  throw RunError(Exit::usage, "--start: '" + path_to_text(text) +
                                  "' is no date; write it as 2027-01-04 or \"2027-01-04 19:00\", in local time");
}

std::string local_text(double seconds) {
  const auto when = static_cast<std::time_t>(std::floor(seconds));
  std::tm now{};
  ::localtime_r(&when, &now);
  char text[64];
  return std::strftime(text, sizeof text, "%a %Y-%m-%d %H:%M %Z", &now) > 0 ? text : "";
}

}  // namespace waybill::assess
