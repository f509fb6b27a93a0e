// SPDX-License-Identifier: Apache-2.0
#include "hl7/time.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace waybill::hl7 {
namespace {

constexpr std::int64_t kMostZoneHours = 14;  // Kiribati

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

struct Stamp {
  std::array<char, 14> digit{};  // YYYYMMDDHHMMSS, as many as there are
  std::size_t digits = 0;
  std::int64_t fraction = 0;      // microseconds
  std::int64_t zone_minutes = 0;  // east of Greenwich
};

/// "+0215", "+02", "-05:00", "Z" or nothing.
std::optional<std::int64_t> zone_of(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  std::string digits;
  for (const char c : text.substr(1)) {
    if (is_digit(c))
      digits += c;
    else if (c != ':')
      return std::nullopt;
  }
  if (digits.size() == 2) digits += "00";
  if ((text[0] != '+' && text[0] != '-') || digits.size() != 4) return std::nullopt;
  const std::int64_t hours = (digits[0] - '0') * 10 + digits[1] - '0',
                     minutes = (digits[2] - '0') * 10 + digits[3] - '0';
  if (hours > kMostZoneHours || minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

/// Whether a character may stand between the digits: 2026-01-15T14:30:00, also without the first or the second kind.
bool separates(char c, std::size_t at, bool hyphens) noexcept {
  if (c == '-') return hyphens && at <= 7;
  const std::size_t date = hyphens ? 10 : 8;
  return at == date ? c == 'T' || c == ' ' : at > date && c == ':';
}

std::optional<Stamp> read(std::string_view text) {
  text = trim(text);
  const auto ends = [](char c) { return c == '\r' || c == '\n' || c == '\t'; };
  text = trim(text.substr(0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends) - text.begin())));
  Stamp stamp;
  std::size_t i = 0;
  const bool hyphens = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  for (; i < text.size() && stamp.digits < 14; ++i) {
    const char c = text[i];
    if (is_digit(c))
      stamp.digit[stamp.digits++] = c;
    else if (!separates(c, i, hyphens))
      break;
  }
  if (stamp.digits == 14 && i < text.size() && (text[i] == '.' || is_digit(text[i]))) {  // also without a point
    std::int64_t unit = 100000;
    for (i += text[i] == '.' ? 1 : 0; i < text.size() && is_digit(text[i]); ++i, unit /= 10)
      stamp.fraction += (text[i] - '0') * unit;
  }
  const auto zone = zone_of(text.substr(i));
  if (stamp.digits < 4 || stamp.digits % 2 != 0 || !zone) return std::nullopt;
  stamp.zone_minutes = *zone;
  return stamp;
}

int number(const Stamp& stamp, std::size_t at, std::size_t size, int missing) {
  if (stamp.digits < at + size) return missing;
  int value = 0;
  for (std::size_t i = at; i < at + size; ++i) value = value * 10 + (stamp.digit[i] - '0');
  return value;
}

std::optional<Time> time_of(const Stamp& stamp) {
  using namespace std::chrono;
  const year_month_day date{year(number(stamp, 0, 4, 0)), month(static_cast<unsigned>(number(stamp, 4, 2, 1))),
                            day(static_cast<unsigned>(number(stamp, 6, 2, 1)))};
  const std::int64_t h = number(stamp, 8, 2, 0), m = number(stamp, 10, 2, 0), s = number(stamp, 12, 2, 0);
  if (!date.ok() || number(stamp, 0, 4, 0) < 1 || h > 24 || (h == 24 && m + s > 0) || m > 59 || s > 60)
    return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + h * 3600 + m * 60 + s - std::int64_t{stamp.zone_minutes} * 60;
  return seconds * 1000000 + stamp.fraction;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  const auto stamp = read(text);
  return stamp ? time_of(*stamp) : std::nullopt;
}

DateAndTime date_and_time(std::string_view text) {
  const auto stamp = read(text);
  if (!stamp || stamp->digits < 8 || !time_of(*stamp)) return {};
  const std::string_view digits(stamp->digit.data(), stamp->digits);
  DateAndTime out{std::string(digits.substr(0, 8)), {}};
  if (digits.size() >= 12) {
    out.time = digits.substr(8);
    if (out.time.size() == 4) out.time += "00";
  }
  return out;
}

std::string show_time(Time time) {
  using namespace std::chrono;
  const auto at = sys_time<microseconds>(microseconds(time));
  const auto midnight = floor<days>(at);
  const year_month_day date(midnight);
  const auto seconds = duration_cast<std::chrono::seconds>(at - midnight).count();
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02lld:%02lld:%02lld", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                static_cast<long long>(seconds % 60));
  return text.data();
}

}  // namespace waybill::hl7
