// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transfer/throttle.hpp"

#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

namespace waybill::transfer {

/// The hours of the week in which a peer may be sent to, in local time (the TZ of the process), with the limits of
/// each.
///
///     Mon-Fri 19:00-06:30, Sat-Sun 00:00-24:00
///     Mon-Fri 07:00-19:00 20MB/s 50obj/s, Mon-Sun 19:00-07:00
///
/// Hours that end before they begin reach into the next day. The first entry that holds at a moment counts. Days and
/// hours are those of the clock on the wall: in a night whose clock is put back an hour comes twice.
class Schedule {
 public:
  Schedule() = default;
  /// Throws RunError(Exit::usage) that names the entry.
  [[nodiscard]] static Schedule parse(std::string_view text);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// The limit of the entry that holds at `when`: nullopt when closed, an empty Limit where the entry names none.
  [[nodiscard]] std::optional<Limit> at(std::time_t when) const;
  /// The same for a minute of a day of the week, Sunday first as in tm_wday.
  [[nodiscard]] std::optional<Limit> at(int day, int minute) const;
  /// Minutes until the next moment of that week at which it is open, 0 when it is, nullopt when never.
  [[nodiscard]] std::optional<int> minutes_until_open(std::time_t when) const;

 private:
  struct Entry {
    bool days[7] = {};       // Sunday first, as in tm_wday
    int begin = 0, end = 0;  // minutes of the day
    Limit limit;
    [[nodiscard]] bool holds(int day, int minute) const noexcept;
  };
  [[nodiscard]] const Entry* entry_at(int day, int minute) const noexcept;
  static Entry parse_entry(std::string_view text);
  std::vector<Entry> entries_;
};

/// Makes a zone such as "Europe/Berlin" the local time of the process. Before the first thread. Throws
/// RunError(Exit::usage) for a zone the system does not know.
void set_time_zone(const std::string& zone);

}  // namespace waybill::transfer
