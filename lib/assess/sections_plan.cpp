// SPDX-License-Identifier: Apache-2.0
#include "assess/sections.hpp"

#include "dicom/sop_class.hpp"
#include "page/escape.hpp"

#include <cmath>
#include <cstdio>

namespace waybill::assess {
namespace {

using page::grouped;
using page::percent;
using page::size_text;

std::string number_text(double number, const char* form = "%.1f") {
  char text[32];
  std::snprintf(text, sizeof text, form, number);
  return text;
}

std::string rate_text(const transfer::Limit& rate) {
  std::string out;
  if (rate.objects > 0) out = number_text(rate.objects, "%.4g") + " obj/s";
  if (rate.bytes > 0) out += (out.empty() ? "" : ", ") + number_text(rate.bytes / 1e6, "%.4g") + " MB/s";
  return out;
}

std::string end_text(const Outlook& outlook) { return outlook.end ? local_text(*outlook.end) : "not within 50 years"; }

/// What counts, and what the other bound would allow.
std::string bound_text(const StageForecast& stage) {
  if (stage.by_bytes <= 0) return "objects/s (no MB/s is known)";
  if (stage.by_objects <= 0) return "MB/s (no objects/s is known)";
  const bool objects = stage.by_objects >= stage.by_bytes;
  return std::string(objects ? "objects/s" : "MB/s") +
         " (the other alone: " + time_text(objects ? stage.by_bytes : stage.by_objects) + ")";
}

/// What passes in a day without a closed window, at the archive's mixture of sizes.
std::string a_day_text(const StageForecast& stage) {
  constexpr double kDay = 86400;
  if (!stage.expected.seconds || *stage.expected.seconds <= 0) return "";
  return size_text(static_cast<std::uint64_t>(static_cast<double>(stage.work.bytes) / *stage.expected.seconds * kDay));
}

std::string days_text(double days) { return number_text(days, days < 10 ? "%.1f" : "%.0f") + " person-days"; }

}  // namespace

std::string time_text(const std::optional<double>& seconds) {
  if (!seconds) return "unknown";
  const auto whole = static_cast<std::uint64_t>(std::llround(*seconds));
  const auto two = [](std::uint64_t a, const char* unit, std::uint64_t b, const char* smaller) {
    return grouped(a) + " " + unit + (b > 0 ? " " + std::to_string(b) + " " + smaller : "");
  };
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return two(whole / 60, "min", whole % 60, "s");
  if (whole < 86400) return two(whole / 3600, "h", whole / 60 % 60, "min");
  return two(whole / 86400, "d", whole / 3600 % 24, "h");
}

Section count_section(const Assessment& a) {
  Section out{"counts", "Who counts what", {}, {}};
  if (a.counts.empty()) return out;
  Table table{"Counts of others beside the scan's",
              {{"by"}, {"level"}, {"counted", Shape::number}, {"scan", Shape::number}, {"difference", Shape::number}},
              {}};
  std::size_t different = 0;
  for (const ControlCount& control : a.counts) {
    for (const auto& [level, counted] : control.counts) {
      const std::uint64_t scanned = a.scanned.at(level);
      different += counted == scanned ? 0 : 1;
      table.rows.push_back({control.name, level, grouped(counted), grouped(scanned),
                            counted == scanned  ? "0"
                            : scanned > counted ? "+" + grouped(scanned - counted)
                                                : "-" + grouped(counted - scanned)});
    }
  }
  out.sentences.push_back(different == 0
                              ? "All counts agree."
                              : grouped(different) + " counts differ; find out why before anything is moved.");
  out.sentences.emplace_back(
      "The scan's studies, series and patients are those of any object, its objects and bytes those to be moved.");
  out.tables.push_back(std::move(table));
  return out;
}

Section forecast_section(const Assessment& a) {
  const Forecast& f = a.forecast;
  Section out{"forecast", "How long it takes", {}, {}};
  for (const std::string& stage : f.unknown)
    out.sentences.push_back("Of " + stage + " no rate is known: measure it in a pilot, or give --rate " + stage +
                            "=200obj/s,50MB/s.");
  if (f.stages.empty()) return out;
  out.sentences.push_back("Begins " + local_text(f.start) + "; each stage follows the one before.");
  if (!f.always_open)
    out.sentences.push_back("The window is open " + number_text(f.open_share * 100) +
                            " % of a week; load and verify keep to it, transcode does not.");
  Table work{"Work with the window open",
             {{"stage"},
              {"rate"},
              {"what counts"},
              {"in 24 h", Shape::number},
              {"best", Shape::number},
              {"expected", Shape::number},
              {"worst", Shape::number}},
             {}};
  Table dates{"When it is done", {{"stage"}, {"best"}, {"expected"}, {"worst"}}, {}};
  for (const StageForecast& stage : f.stages) {
    work.rows.push_back({stage.stage, rate_text(stage.pace.expected), bound_text(stage), a_day_text(stage),
                         time_text(stage.best.seconds), time_text(stage.expected.seconds),
                         time_text(stage.worst.seconds)});
    dates.rows.push_back({stage.stage, end_text(stage.best), end_text(stage.expected), end_text(stage.worst)});
    out.sentences.push_back(stage.stage + ": " + stage.pace.basis + ".");
  }
  if (const Outlook& last = f.stages.back().expected; last.end)
    out.sentences.push_back("Expected from beginning to end: " + time_text(*last.end - f.start) + " on the calendar.");
  out.sentences.emplace_back(
      "Best and expected take the archive as one mixture; worst moves one modality after the other, each bound by its "
      "own "
      "slower rate.");
  out.tables = {std::move(work), std::move(dates)};
  return out;
}

Section space_section(const Assessment& a) {
  Section out{"space", "What the target will hold", {}, {}};
  if (!a.space) return out;
  const Space& s = *a.space;
  std::string syntaxes;
  for (const auto& uid : a.space_targets) {
    const std::string name = dicom::uid_name(uid);
    syntaxes += (syntaxes.empty() ? "" : ", ") + (name.empty() ? uid : name);
  }
  out.sentences.push_back(size_text(s.source_bytes) + " become " + size_text(s.target_bytes) +
                          (syntaxes.empty() ? "" : " in " + syntaxes) + ", as far as the transcoded sample tells.");
  out.sentences.push_back("Measured are kinds with " + percent(s.measured_bytes, s.source_bytes) +
                          " of the bytes; the others are taken to stay as large as they are." +
                          (s.thinly_measured_bytes > 0
                               ? " Kinds with " + percent(s.thinly_measured_bytes, s.source_bytes) +
                                     " of the bytes have fewer than 30 objects in the sample."
                               : ""));
  Table table{"By kind",
              {{"SOP class"},
               {"transfer syntax"},
               {"now", Shape::number},
               {"sampled", Shape::number},
               {"becomes", Shape::number},
               {"at the target", Shape::number}},
              {}};
  for (const Space::Row& row : s.rows) {
    const std::string sop = dicom::uid_name(row.kind.sop_class), syntax = dicom::uid_name(row.kind.transfer_syntax);
    table.rows.push_back({sop.empty() ? row.kind.sop_class : sop, syntax.empty() ? row.kind.transfer_syntax : syntax,
                          size_text(row.source.bytes), grouped(row.sample.objects),
                          row.sample.objects == 0 ? "not measured"
                                                  : number_text(100 * static_cast<double>(row.sample.bytes_out) /
                                                                static_cast<double>(row.sample.bytes_in)) +
                                                        " %",
                          size_text(row.target_bytes)});
  }
  out.tables.push_back(std::move(table));
  return out;
}

Section matching_section(const Assessment& a) {
  Section out{"matching", "What people must decide", {}, {}};
  if (!a.matching) return out;
  const Matching& m = *a.matching;
  const Matching::Decided all = m.all();
  out.sentences.push_back(percent(all.automatic + all.person, all.studies()) + " of " + grouped(all.studies()) +
                          " studies are decided (" + grouped(all.automatic) + " by rules, " + grouped(all.person) +
                          " by people); " + grouped(all.review) + " wait for a person, " + grouped(all.unmatched) +
                          " have no exam.");
  out.sentences.push_back("At " + number_text(m.minutes_a_study, "%g") + " minutes a study and " +
                          number_text(kHoursADay, "%g") + " hours a day, both assumed, that is " +
                          days_text(m.days(all.review)) + ", and " + days_text(m.days(all.review + all.unmatched)) +
                          " when those without an exam are looked at one by one, too.");
  std::uint64_t hard = 0;
  for (const char* rule : {"R4", "R6", "R7"})
    if (const auto at = m.rules.find(rule); at != m.rules.end()) hard += at->second.review;
  out.sentences.push_back("Of these R4, R6 and R7, where patients or exams may be confused: " + grouped(hard) +
                          " studies, " + days_text(m.days(hard)) + ".");
  if (m.exams_without_images > 0)
    out.sentences.push_back(grouped(m.exams_without_images) +
                            " performed exams of the RIS have no study in the archive.");
  Table rules{"Match rates by rule",
              {{"rule"},
               {"studies", Shape::number},
               {"share", Shape::number},
               {"decided by rule", Shape::number},
               {"by people", Shape::number},
               {"to review", Shape::number},
               {"no exam", Shape::number},
               {"person-days", Shape::number}},
              {}};
  for (const auto& [rule, d] : m.rules)
    rules.rows.push_back({rule, grouped(d.studies()), percent(d.studies(), all.studies()), grouped(d.automatic),
                          grouped(d.person), grouped(d.review), grouped(d.unmatched), number_text(m.days(d.review))});
  Table causes{"Vetoes and discrepancies", {{"code"}, {"studies", Shape::number}}, {}};
  for (const auto* counts : {&m.vetoes, &m.discrepancies})
    for (const auto& [code, studies] : *counts) causes.rows.push_back({code, grouped(studies)});
  out.tables = {std::move(rules), std::move(causes)};
  return out;
}

Section pilot_section(const Assessment& a) {
  Section out{"pilot", "The pilot", {}, {}};
  if (!a.pilot) return out;
  const Pilot& p = *a.pilot;
  out.sentences.push_back(
      grouped(p.studies.size()) + " studies with " + grouped(p.instances) + " objects to be moved, " +
      size_text(p.bytes) + ": " + grouped(p.for_features) + " for the sake of " + grouped(p.features) +
      " features (at least three studies of each, or all), the others drawn with seed " + std::to_string(p.seed) + ".");
  if (p.for_features > p.wanted)
    out.sentences.push_back("Asked for were " + grouped(p.wanted) + "; to have every feature it takes more.");
  std::map<Trait, std::uint64_t> counts;
  for (const auto& [feature, studies] : a.features) counts[feature.trait] += studies > 0 ? 1 : 0;
  Table table{"Features", {{"of"}, {"different ones", Shape::number}}, {}};
  for (const auto& [trait, count] : counts) table.rows.push_back({std::string(to_string(trait)), grouped(count)});
  out.tables.push_back(std::move(table));
  return out;
}

}  // namespace waybill::assess
