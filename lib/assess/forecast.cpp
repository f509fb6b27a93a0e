// SPDX-License-Identifier: Apache-2.0
#include "assess/forecast.hpp"

namespace waybill::assess {
namespace {

/// Adds work to what was done so far; what is not known once is not known from there on.
void go_on(Outlook& outlook, const Calendar& calendar, const Amount& work, const transfer::Limit& rate) {
  const auto seconds = seconds_for(work, rate);
  if (!seconds) outlook.seconds.reset();
  if (outlook.seconds) *outlook.seconds += *seconds;
  if (outlook.end) outlook.end = calendar.end_of(*outlook.end, work, rate);
}

/// The modalities of `work` in proportion, where the work is of the source and the modalities of the target.
std::vector<Amount> parts_of(const Amount& work, const Plan& plan) {
  std::vector<Amount> parts;
  const double ratio =
      plan.target.bytes == 0 ? 1 : static_cast<double>(work.bytes) / static_cast<double>(plan.target.bytes);
  for (const auto& [modality, part] : plan.by_modality)
    parts.push_back({part.objects, static_cast<std::uint64_t>(static_cast<double>(part.bytes) * ratio)});
  return parts;
}

}  // namespace

Forecast forecast(const Plan& plan) {
  Forecast out;
  const Calendar calendar(plan.window), always{transfer::Schedule()};
  out.start = plan.start;
  out.always_open = calendar.always_open();
  out.open_share = out.always_open ? 1 : calendar.open_share();
  std::optional<double> best = plan.start, expected = plan.start, worst = plan.start;
  for (const std::string_view name : kStages) {
    const std::string stage(name);
    const auto pace = plan.paces.find(stage);
    if (pace == plan.paces.end()) {
      out.unknown.push_back(stage);
      continue;
    }
    const bool at_peer = stage != "transcode";
    const Calendar& when = at_peer ? calendar : always;
    StageForecast f{stage,         pace->second, at_peer ? plan.target : plan.source, 0, 0, {0, best},
                    {0, expected}, {0, worst}};
    const transfer::Limit& rate = f.pace.expected;
    if (rate.objects > 0) f.by_objects = static_cast<double>(f.work.objects) / rate.objects;
    if (rate.bytes > 0) f.by_bytes = static_cast<double>(f.work.bytes) / rate.bytes;
    go_on(f.best, when, f.work, f.pace.best);
    go_on(f.expected, when, f.work, rate);
    for (const Amount& part : parts_of(f.work, plan)) go_on(f.worst, when, part, f.pace.worst);
    best = f.best.end;
    expected = f.expected.end;
    worst = f.worst.end;
    out.stages.push_back(std::move(f));
  }
  return out;
}

}  // namespace waybill::assess
