// SPDX-License-Identifier: Apache-2.0
#include "sync/forecast.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace waybill::sync {
namespace {

constexpr double kLeastSeconds = 1e-3;

struct Sums {
  double objects = 0, bytes = 0, seconds = 0, shortest = 0;
  std::size_t runs = 0;
  void add(double more_objects, double more_bytes, double more_seconds) {
    more_seconds = std::max(more_seconds, kLeastSeconds);
    shortest = runs == 0 ? more_seconds : std::min(shortest, more_seconds);
    objects += more_objects;
    bytes += more_bytes;
    seconds += more_seconds;
    ++runs;
  }
};

const StageEnd* measured(const RunRecord& run, const std::string& stage) {
  const auto at = run.ends.find(stage);
  return run.counts && at != run.ends.end() && at->second.whole ? &at->second : nullptr;
}

/// Looking at what is there and reading what is new take their own time: the first from runs that read nothing.
StageForecast scan_forecast(const std::vector<RunRecord>& runs, const Work& work) {
  Sums quiet, reading;
  for (const RunRecord& run : runs) {
    const StageEnd* end = measured(run, "scan");
    if (end != nullptr && run.counts->read_bytes == 0 && run.counts->entries > 0)
      quiet.add(static_cast<double>(run.counts->entries), 0, end->seconds);
  }
  const double per_entry = quiet.objects > 0 ? quiet.seconds / quiet.objects : 0;
  for (const RunRecord& run : runs) {
    const StageEnd* end = measured(run, "scan");
    if (end == nullptr || run.counts->read_bytes == 0) continue;
    const double looking = per_entry * static_cast<double>(run.counts->unchanged);
    reading.add(static_cast<double>(run.counts->entries), static_cast<double>(run.counts->read_bytes),
                end->seconds - looking);
  }
  StageForecast out{"scan", 0, 0, 0, quiet.runs + reading.runs};
  if (quiet.runs > 0) {
    out.objects_per_second = quiet.objects / quiet.seconds;
    out.seconds = std::max(quiet.shortest, per_entry * static_cast<double>(work.entries));
  }
  if (reading.bytes > 0) {
    out.bytes_per_second = reading.bytes / reading.seconds;
    out.seconds += static_cast<double>(work.read_bytes) / out.bytes_per_second;
    if (quiet.runs == 0) out.seconds = std::max(out.seconds, reading.shortest * 0.1);
  }
  return out;
}

StageForecast moving_forecast(const std::vector<RunRecord>& runs, const std::string& stage, const Work& work) {
  Sums sums;
  for (const RunRecord& run : runs) {
    const StageEnd* end = measured(run, stage);
    if (end != nullptr && end->objects > 0)
      sums.add(static_cast<double>(end->objects), static_cast<double>(end->bytes), end->seconds);
  }
  StageForecast out{stage, 0, 0, 0, sums.runs};
  if (sums.runs == 0) return out;
  out.objects_per_second = sums.objects / sums.seconds;
  out.bytes_per_second = sums.bytes / sums.seconds;
  if (work.objects == 0) return out;
  out.seconds = std::max(sums.shortest, static_cast<double>(work.objects) / out.objects_per_second);
  if (out.bytes_per_second > 0)
    out.seconds = std::max(out.seconds, static_cast<double>(work.bytes) / out.bytes_per_second);
  return out;
}

/// As long as the last time, for an archive of that size.
StageForecast growing_forecast(const std::vector<RunRecord>& runs, const std::string& stage, const Work& work) {
  StageForecast out{stage, 0, 0, 0, 0};
  const RunRecord* latest = nullptr;
  for (const RunRecord& run : runs) {
    if (measured(run, stage) == nullptr) continue;
    ++out.runs;
    if (latest == nullptr || latest->number < run.number) latest = &run;
  }
  if (latest == nullptr) return out;
  const double grown = latest->counts->entries == 0
                           ? 1
                           : static_cast<double>(work.entries) / static_cast<double>(latest->counts->entries);
  out.seconds = measured(*latest, stage)->seconds * std::max(grown, 1.0);
  return out;
}

}  // namespace

Forecast forecast(const std::vector<RunRecord>& runs, const Work& work) {
  Forecast out;
  const auto add = [&](StageForecast stage) {
    if (stage.runs == 0) return;
    out.measured = true;
    out.seconds += stage.seconds;
    out.stages.push_back(std::move(stage));
  };
  add(scan_forecast(runs, work));
  for (const char* stage : {"reconcile", "select"}) add(growing_forecast(runs, stage, work));
  for (const char* stage : {"transcode", "load", "verify"}) add(moving_forecast(runs, stage, work));
  for (const char* stage : {"corrections", "standing", "report"}) add(growing_forecast(runs, stage, work));
  return out;
}

std::string spoken_time(double seconds) {
  char text[64];
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 120) {
    std::snprintf(text, sizeof text, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  } else if (whole < 7200) {
    std::snprintf(text, sizeof text, "%lld min %lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld h %lld min", whole / 3600, whole / 60 % 60);
  }
  return text;
}

std::string spoken_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, std::string(kUnits[unit]).c_str());
  return text;
}

}  // namespace waybill::sync
