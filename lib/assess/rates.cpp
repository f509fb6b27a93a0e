// SPDX-License-Identifier: Apache-2.0
#include "assess/rates.hpp"

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace waybill::assess {
namespace {

constexpr double kPause = 60;                    // seconds; what is longer is no work
constexpr std::size_t kEnoughMinutes = 10;       // for tenths to mean something
constexpr std::size_t kMostMinutes = 1'051'200;  // two years
constexpr double kTenth = 0.1;

transfer::Limit scaled(transfer::Limit limit, double factor) { return {limit.bytes * factor, limit.objects * factor}; }

/// Of values in order, the one that this share of them does not exceed.
double at_share(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(std::llround(share * static_cast<double>(sorted.size() - 1)))];
}

Pace with_spread(transfer::Limit limit, std::string basis) {
  return {scaled(limit, 1 + kSpread), limit, scaled(limit, 1 - kSpread), std::move(basis)};
}

std::string rounded(double number) { return std::to_string(static_cast<std::uint64_t>(std::llround(number))); }

}  // namespace

std::pair<std::string, transfer::Limit> parse_rate(std::string_view text) {
  std::string stage = "load";
  if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
    stage = std::string(trim(text.substr(0, equals)));
    text.remove_prefix(equals + 1);
  }
  if (std::find(kStages.begin(), kStages.end(), stage) == kStages.end())
    throw RunError(Exit::usage, "--rate: '" + path_to_text(stage) +
                                    "' is no stage that moves objects; they are transcode, load and verify");
  return {stage, transfer::parse_limit(text)};
}

Pace typed_pace(transfer::Limit limit) {
  return with_spread(limit, "as given by --rate; best and worst assume a quarter more and less");
}

void bound_by_round_trips(Pace& pace, double seconds, unsigned associations) {
  const double most = associations / seconds;
  for (auto* limit : {&pace.best, &pace.expected, &pace.worst})
    limit->objects = limit->objects > 0 ? std::min(limit->objects, most) : most;
  char number[32];
  std::snprintf(number, sizeof number, "%.4g", most);
  pace.basis +=
      (pace.basis.empty() ? "" : "; ") + std::string("at most ") + number + " obj/s, associations by round trip";
}

std::optional<double> seconds_of(std::string_view text) {
  const std::int64_t minute = minute_of(text);
  if (minute < 0 || text.size() < 20) return std::nullopt;
  int seconds = 0;
  const char* first = text.data() + 17;
  if (std::from_chars(first, first + 2, seconds).ptr != first + 2 || seconds < 0 || seconds > 60) return std::nullopt;
  double fraction = 0;
  if (text[19] == '.' && std::from_chars(text.data() + 19, text.data() + text.size() - 1, fraction).ec != std::errc())
    return std::nullopt;
  return static_cast<double>(minute) * 60 + seconds + fraction;
}

void Pulse::add(const manifest::Load& load, std::uint64_t bytes) {
  const auto at = seconds_of(load.at);
  const auto minute = static_cast<std::int64_t>(std::floor(at.value_or(0) / 60));
  if (!at || (minutes_.size() >= kMostMinutes && !minutes_.contains(minute))) {
    ++untimed_;
    return;
  }
  const auto [entry, fresh] = minutes_.try_emplace(minute, Minute{*at, *at, 0, 0});
  Minute& m = entry->second;
  m.first = std::min(m.first, *at);
  m.last = std::max(m.last, *at);
  ++m.objects;
  m.bytes += static_cast<double>(bytes);
}

std::optional<Pace> Pulse::pace(const std::string& manifest) const {
  double seconds = 0, objects = 0, bytes = 0, all_objects = 0;
  std::vector<double> object_rates, byte_rates;
  const Minute* before = nullptr;
  bool inside = false;  // the minute before began in work, not behind a pause
  for (const auto& [number, m] : minutes_) {
    const bool goes_on = before != nullptr && m.first - before->last <= kPause;
    // Of a stretch of work the first answer tells when it began; how long that object took nobody knows.
    const double counted = goes_on ? 1 : (m.objects - 1) / m.objects;
    seconds += goes_on ? m.last - before->last : m.last - m.first;
    objects += m.objects * counted;
    bytes += m.bytes * counted;
    all_objects += m.objects;
    if (goes_on && inside) {
      object_rates.push_back(before->objects / kPause);
      byte_rates.push_back(before->bytes / kPause);
    }
    inside = goes_on;
    before = &m;
  }
  if (seconds <= 0 || objects <= 0) return std::nullopt;
  const transfer::Limit expected{bytes / seconds, objects / seconds};
  const std::string basis = "measured on " + rounded(all_objects) + " objects in " + rounded(std::max(1.0, seconds)) +
                            " s of work in " + manifest;
  if (object_rates.size() < kEnoughMinutes)
    return with_spread(expected, basis + "; too short for a range, best and worst assume a quarter more and less");
  std::sort(object_rates.begin(), object_rates.end());
  std::sort(byte_rates.begin(), byte_rates.end());
  return Pace{{std::max(expected.bytes, at_share(byte_rates, 1 - kTenth)),
               std::max(expected.objects, at_share(object_rates, 1 - kTenth))},
              expected,
              {std::min(expected.bytes, at_share(byte_rates, kTenth)),
               std::min(expected.objects, at_share(object_rates, kTenth))},
              basis + "; best and worst are its fastest and slowest tenth of minutes"};
}

std::optional<Pace> pace_of_runs(const std::vector<sync::RunRecord>& runs, const std::string& stage) {
  double seconds = 0, objects = 0, bytes = 0;
  std::vector<double> object_rates, byte_rates;
  for (const sync::RunRecord& run : runs) {
    const auto at = run.ends.find(stage);
    if (at == run.ends.end() || !at->second.whole || at->second.objects == 0 || at->second.seconds <= 0) continue;
    const sync::StageEnd& end = at->second;
    seconds += end.seconds;
    objects += static_cast<double>(end.objects);
    bytes += static_cast<double>(end.bytes);
    object_rates.push_back(static_cast<double>(end.objects) / end.seconds);
    byte_rates.push_back(static_cast<double>(end.bytes) / end.seconds);
  }
  if (object_rates.empty()) return std::nullopt;
  const transfer::Limit expected{bytes / seconds, objects / seconds};
  const std::string basis = "measured in " + std::to_string(object_rates.size()) +
                            (object_rates.size() == 1 ? " run of sync" : " runs of sync");
  if (object_rates.size() == 1) return with_spread(expected, basis + "; best and worst assume a quarter more and less");
  const auto [low_objects, high_objects] = std::minmax_element(object_rates.begin(), object_rates.end());
  const auto [low_bytes, high_bytes] = std::minmax_element(byte_rates.begin(), byte_rates.end());
  return Pace{{*high_bytes, *high_objects},
              expected,
              {*low_bytes, *low_objects},
              basis + "; best and worst are the fastest and slowest of them"};
}

}  // namespace waybill::assess
