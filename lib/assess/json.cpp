// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "assess/assess.hpp"
#include "core/clock.hpp"
#include "dicom/sop_class.hpp"

#include <cmath>

namespace waybill::assess {
namespace {

void put(JsonWriter& w, const char* name, const Amount& amount) {
  w.key(name).begin_object().member("objects", amount.objects).member("bytes", amount.bytes).end_object();
}

void put(JsonWriter& w, const char* name, const std::map<std::string, std::uint64_t>& counts) {
  w.key(name).begin_object();
  for (const auto& [key, n] : counts) w.member(key, n);
  w.end_object();
}

void put(JsonWriter& w, const char* name, const Sizes& sizes) {
  w.key(name).begin_object().member("count", sizes.count());
  w.member("median", sizes.quantile(0.5)).member("p90", sizes.quantile(0.9)).member("p99", sizes.quantile(0.99));
  w.member("largest", sizes.largest()).end_object();
}

void put_manifests(JsonWriter& w, const Assessment& a) {
  w.key("manifests").begin_array();
  for (const Source& m : a.manifests) {
    w.begin_object().member("name", m.name).member("stage", m.stage).member("run", m.run).member("created", m.created);
    w.member("head", m.head).member("records", m.records).member("complete", m.complete).end_object();
  }
  w.end_array();
}

void put_kind(JsonWriter& w, const Kind& kind) {
  w.member("sop_class", kind.sop_class).member("sop_class_name", dicom::uid_name(kind.sop_class));
  w.member("transfer_syntax", kind.transfer_syntax);
  w.member("transfer_syntax_name", dicom::uid_name(kind.transfer_syntax));
}

void put_volumes(JsonWriter& w, const Assessment& a) {
  const Volumes& v = a.volumes;
  w.key("volumes").begin_object();
  put(w, "scanned", v.all);
  put(w, "to_move", v.instances);
  put(w, "multi_frame", v.multi_frame);
  put(w, "without_study", v.without_study);
  w.member("patients", a.studies.patients).member("studies", a.studies.studies).member("series", a.studies.series);
  w.member("studies_without_instances", a.studies.without_instances);
  w.key("buckets").begin_object();
  for (const auto& [name, amount] : v.buckets) put(w, name.c_str(), amount);
  w.end_object().key("fidelity").begin_object();
  for (const auto& [name, amount] : v.fidelity) put(w, name.c_str(), amount);
  w.end_object();
  put(w, "object_bytes", v.sizes);
  put(w, "study_objects", a.studies.objects);
  put(w, "study_bytes", a.studies.bytes);
  w.key("groups").begin_array();
  for (const auto& [group, amount] : v.groups) {
    w.begin_object().member("modality", group.modality).member("year", group.year).member("site", group.site);
    w.member("objects", amount.objects).member("bytes", amount.bytes).end_object();
  }
  w.end_array().key("kinds").begin_array();
  for (const auto& [kind, amount] : v.kinds) {
    put_kind(w.begin_object(), kind);
    w.member("objects", amount.objects).member("bytes", amount.bytes).end_object();
  }
  w.end_array().key("features").begin_array();
  for (const auto& [feature, studies] : a.features) {
    w.begin_object().member("of", to_string(feature.trait)).member("value", feature.value);
    w.member("studies", studies).end_object();
  }
  w.end_array().end_object();
}

void put_findings(JsonWriter& w, const Assessment& a) {
  w.key("findings").begin_array();
  for (const auto& [name, code] : a.volumes.codes) {
    w.begin_object().member("code", name).member("severity", to_string(code.severity));
    w.member("objects", code.amount.objects).member("bytes", code.amount.bytes);
    w.member("studies", a.studies_having(Trait::finding, name)).end_object();
  }
  w.end_array();
}

void put_counts(JsonWriter& w, const Assessment& a) {
  w.key("counts").begin_array();
  for (const ControlCount& control : a.counts) {
    w.begin_object().member("by", control.name);
    put(w, "counted", control.counts);
    w.key("scanned").begin_object();
    for (const auto& [level, n] : control.counts) w.member(level, a.scanned.at(level));
    w.end_object().member("agrees", !differs(control, a.scanned)).end_object();
  }
  w.end_array();
}

void put_rate(JsonWriter& w, const char* name, const transfer::Limit& rate) {
  w.key(name).begin_object().member("objects", rate.objects).member("bytes", rate.bytes).end_object();
}

void put_outlook(JsonWriter& w, const char* name, const Outlook& outlook) {
  w.key(name).begin_object();
  if (outlook.seconds) w.member("seconds", *outlook.seconds);
  if (outlook.end) w.member("end", utc_from(static_cast<std::int64_t>(std::floor(*outlook.end)), 0));
  w.end_object();
}

void put_forecast(JsonWriter& w, const Forecast& f) {
  w.key("forecast").begin_object().member("start", utc_from(static_cast<std::int64_t>(std::floor(f.start)), 0));
  w.member("window_open", f.open_share).key("stages").begin_array();
  for (const StageForecast& stage : f.stages) {
    w.begin_object().member("stage", stage.stage).member("basis", stage.pace.basis);
    put(w, "work", stage.work);
    put_rate(w, "rate_best", stage.pace.best);
    put_rate(w, "rate_expected", stage.pace.expected);
    put_rate(w, "rate_worst", stage.pace.worst);
    w.member("seconds_by_objects", stage.by_objects).member("seconds_by_bytes", stage.by_bytes);
    put_outlook(w, "best", stage.best);
    put_outlook(w, "expected", stage.expected);
    put_outlook(w, "worst", stage.worst);
    w.end_object();
  }
  w.end_array().key("unknown").begin_array();
  for (const auto& stage : f.unknown) w.value(stage);
  w.end_array().end_object();
}

void put_space(JsonWriter& w, const Assessment& a) {
  if (!a.space) return;
  const Space& s = *a.space;
  w.key("space").begin_object().member("source_bytes", s.source_bytes).member("target_bytes", s.target_bytes);
  w.member("measured_bytes", s.measured_bytes).member("thinly_measured_bytes", s.thinly_measured_bytes);
  w.key("transfer_syntaxes").begin_array();
  for (const auto& uid : a.space_targets) w.value(uid);
  w.end_array().key("kinds").begin_array();
  for (const Space::Row& row : s.rows) {
    put_kind(w.begin_object(), row.kind);
    put(w, "source", row.source);
    w.member("sampled", row.sample.objects).member("bytes_in", row.sample.bytes_in);
    w.member("bytes_out", row.sample.bytes_out).member("target_bytes", row.target_bytes).end_object();
  }
  w.end_array().end_object();
}

void put_matching(JsonWriter& w, const Assessment& a) {
  if (!a.matching) return;
  const Matching& m = *a.matching;
  const Matching::Decided all = m.all();
  w.key("matching").begin_object().member("studies", all.studies()).member("minutes_a_study", m.minutes_a_study);
  w.member("hours_a_day", kHoursADay).member("person_days_review", m.days(all.review));
  w.member("person_days_all", m.days(all.review + all.unmatched));
  w.member("exams_without_images", m.exams_without_images).key("rules").begin_object();
  for (const auto& [rule, d] : m.rules) {
    w.key(rule).begin_object().member("auto", d.automatic).member("person", d.person).member("review", d.review);
    w.member("unmatched", d.unmatched).member("person_days_review", m.days(d.review)).end_object();
  }
  w.end_object();
  put(w, "vetoes", m.vetoes);
  put(w, "discrepancies", m.discrepancies);
  w.end_object();
}

void put_pilot(JsonWriter& w, const Assessment& a) {
  if (!a.pilot) return;
  const Pilot& p = *a.pilot;
  w.key("pilot").begin_object().member("wanted", p.wanted).member("seed", p.seed).member("objects", p.instances);
  w.member("bytes", p.bytes).member("for_features", p.for_features).member("features", p.features);
  w.key("studies").begin_array();
  for (const Chosen& study : p.studies) {
    w.begin_object().member("study", study.study).member("objects", study.instances).member("bytes", study.bytes);
    w.key("why").begin_array();
    for (const Feature& feature : study.why)
      w.begin_object().member("of", to_string(feature.trait)).member("value", feature.value).end_object();
    w.end_array().end_object();
  }
  w.end_array().end_object();
}

}  // namespace

std::string to_json(const Assessment& a) {
  JsonWriter w;
  w.begin_object();
  put_manifests(w, a);
  put_volumes(w, a);
  put_findings(w, a);
  put_counts(w, a);
  put_forecast(w, a.forecast);
  put_space(w, a);
  put_matching(w, a);
  put_pilot(w, a);
  w.key("remarks").begin_array();
  for (const auto& remark : a.remarks) w.value(remark);
  w.end_array().member("exit", static_cast<int>(a.exit)).end_object();
  return std::move(w).str();
}

}  // namespace waybill::assess
