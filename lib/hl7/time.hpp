// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::hl7 {

/// A point in time of a message: microseconds since 1970, in UTC where the message gives a zone, else in the sender's
/// local time.
using Time = std::int64_t;

/// From YYYY[MM[DD[HH[MM[SS[.ffff]]]]]][+ZZZZ] or the same written 2026-01-15T14:30:00 or 20260115 14:30; what is
/// missing is the earliest it can be. nullopt when it is no date.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

/// YYYYMMDD and HHMMSS of a time stamp as it stands there, without its zone; "" for what it does not give.
struct DateAndTime {
  std::string date, time;
};
[[nodiscard]] DateAndTime date_and_time(std::string_view text);

/// "2026-01-15 14:30:00" for people.
[[nodiscard]] std::string show_time(Time time);

}  // namespace waybill::hl7
