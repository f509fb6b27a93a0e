// SPDX-License-Identifier: Apache-2.0
#include "transfer/schedule.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace waybill::transfer {

namespace {

constexpr int kDay = 24 * 60;
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

[[noreturn]] void refuse(std::string_view entry, const std::string& why) {
  throw RunError(Exit::usage, "window '" + std::string(entry) + "': " + why +
                                  "; write it as \"Mon-Fri 19:00-06:30, Sat-Sun 00:00-24:00\"");
}

int day_of(std::string_view entry, std::string_view name) {
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    if (name == kDays[i]) return static_cast<int>(i);
  }
  refuse(entry, "'" + std::string(name) + "' is none of Mon Tue Wed Thu Fri Sat Sun");
}

int minute_of(std::string_view entry, std::string_view text) {
  const auto parts = split(text, ':');
  int values[2] = {-1, -1};
  for (std::size_t i = 0; parts.size() == 2 && i < 2; ++i) {
    const auto [end, error] = std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), values[i]);
    if (parts[i].size() != 2 || error != std::errc() || end != parts[i].data() + 2) values[i] = -1;
  }
  const int minute = values[0] * 60 + values[1];
  if (values[0] < 0 || values[1] < 0 || values[1] > 59 || minute > kDay)
    refuse(entry, "'" + std::string(text) + "' is no time of day (HH:MM)");
  return minute;
}

std::tm local(std::time_t when) {
  std::tm out{};
  ::localtime_r(&when, &out);
  return out;
}

}  // namespace

bool Schedule::Entry::holds(int day, int minute) const noexcept {
  if (begin < end) return days[day] && minute >= begin && minute < end;
  return (days[day] && minute >= begin) || (days[(day + 6) % 7] && minute < end);
}

Schedule::Entry Schedule::parse_entry(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() < 2) refuse(text, "it needs days and hours");
  Entry entry;
  const auto days = split(words[0], '-');
  const auto hours = split(words[1], '-');
  if (days.size() > 2) refuse(text, "the days are no span");
  if (hours.size() != 2) refuse(text, "the hours are no span");
  const int first = day_of(text, days.front());
  const int last = day_of(text, days.back());
  for (int day = first;; day = (day + 1) % 7) {
    entry.days[day] = true;
    if (day == last) break;
  }
  entry.begin = minute_of(text, hours[0]);
  entry.end = minute_of(text, hours[1]);
  if (entry.begin == entry.end || entry.begin == kDay) refuse(text, "the span is empty");
  std::string limits;
  for (std::size_t i = 2; i < words.size(); ++i) limits += (i > 2 ? "," : "") + std::string(words[i]);
  if (!limits.empty()) entry.limit = parse_limit(limits);
  return entry;
}

Schedule Schedule::parse(std::string_view text) {
  Schedule schedule;
  for (const std::string_view entry : split(text, ',')) schedule.entries_.push_back(parse_entry(trim(entry)));
  return schedule;
}

const Schedule::Entry* Schedule::entry_at(int day, int minute) const noexcept {
  for (const Entry& entry : entries_) {
    if (entry.holds(day, minute)) return &entry;
  }
  return nullptr;
}

std::optional<Limit> Schedule::at(std::time_t when) const {
  if (empty()) return Limit{};
  const std::tm now = local(when);
  return at(now.tm_wday, now.tm_hour * 60 + now.tm_min);
}

std::optional<Limit> Schedule::at(int day, int minute) const {
  if (empty()) return Limit{};
  const Entry* entry = entry_at(day, minute);
  if (entry == nullptr) return std::nullopt;
  return entry->limit;
}

std::optional<int> Schedule::minutes_until_open(std::time_t when) const {
  if (empty()) return 0;
  const std::tm now = local(when);
  int day = now.tm_wday, minute = now.tm_hour * 60 + now.tm_min;
  for (int passed = 0; passed <= 7 * kDay; ++passed) {
    if (entry_at(day, minute) != nullptr) return passed;
    if (++minute == kDay) {
      minute = 0;
      day = (day + 1) % 7;
    }
  }
  return std::nullopt;
}

void set_time_zone(const std::string& zone) {
  const bool plain = zone.find("..") == std::string::npos && !zone.empty() && zone.front() != '/';
  if (!plain || !std::filesystem::is_regular_file("/usr/share/zoneinfo/" + zone)) {
    throw RunError(Exit::usage, "'" + zone + "' is no time zone of this system; write it as Europe/Berlin or UTC");
  }
  ::setenv("TZ", zone.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread yet
  ::tzset();
}

}  // namespace waybill::transfer
