// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "core/json.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "report/look.hpp"

namespace waybill::report {
namespace {

void levels(JsonWriter& w, std::string_view key, const Levels& l) {
  w.key(key).begin_object().member("files", l.files).member("objects", l.objects).member("instances", l.instances);
  w.member("studies", l.studies).member("bytes", l.bytes).end_object();
}

void buckets(JsonWriter& w, const Buckets& all) {
  w.key("buckets").begin_object();
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (all[i].objects == 0) continue;
    w.key(to_string(static_cast<manifest::Bucket>(i))).begin_object();
    w.member("objects", all[i].objects).member("bytes", all[i].bytes).end_object();
  }
  w.end_object();
}

void counts(JsonWriter& w, std::string_view key, const std::map<std::string, std::uint64_t>& all) {
  w.key(key).begin_object();
  for (const auto& [name, n] : all) w.member(name, n);
  w.end_object();
}

void signers(JsonWriter& w, const ManifestSummary& m) {
  w.key("signers").begin_array();
  for (const Signer& signer : m.signers) {
    const char* state = signer.state == Signer::State::verified ? "verified"
                        : signer.state == Signer::State::bad    ? "bad"
                                                                : "not-tried";
    w.begin_object().member("key", signer.key).member("state", state).end_object();
  }
  w.end_array();
}

void manifests(JsonWriter& w, const Report& report) {
  w.key("manifests").begin_array();
  for (const auto& m : report.manifests) {
    w.begin_object()
        .member("name", m.name)
        .member("stage", m.header.stage)
        .member("run", m.header.run)
        .member("tool", m.header.tool);
    w.member("created", m.header.created)
        .member("head", m.head)
        .member("complete", m.complete)
        .member("study_records", m.study_records);
    if (!m.rule_set.empty()) w.member("rule_set", m.rule_set);
    signers(w, m);
    levels(w, "levels", m.levels);
    buckets(w, m.buckets);
    w.end_object();
  }
  w.end_array();
}

const char* word(Link::State state) {
  switch (state) {
    case Link::State::linked: return "linked";
    case Link::State::not_given: return "not-given";
    case Link::State::broken: return "broken";
    case Link::State::unknown: return "unknown";
  }
  return "broken";
}

void ledger(JsonWriter& w, const Report& report) {
  w.key("links").begin_array();
  for (const auto& l : report.links) {
    w.begin_object()
        .member("from", l.from)
        .member("to", l.to)
        .member("head", l.head)
        .member("state", word(l.state))
        .end_object();
  }
  w.end_array().key("ledger").begin_array();
  for (const auto& b : report.balances) {
    w.begin_object().member("input", b.input).member("output", b.output).member("closes", b.closes());
    w.member("missing", b.missing).member("extra", b.extra).member("repeated", b.repeated);
    if (b.increment) w.member("fresh", b.fresh).member("gone", b.gone);
    levels(w, "before", b.before);
    levels(w, "after", b.after);
    w.end_object();
  }
  w.end_array();
  levels(w, "scanned", report.scanned);
}

void sheet(JsonWriter& w, const Report& report) {
  w.key("sheet").begin_object();
  for (const SheetLine& line : sheet_lines()) {
    const Amounts sum = sum_of(report.sheet, line);
    w.key(line.name).begin_object().member("files", sum.files).member("objects", sum.objects);
    w.member("studies", sum.studies).member("bytes", sum.bytes).end_object();
  }
  w.end_object();
}

const char* word(ExtraAtTarget::Why why) {
  switch (why) {
    case ExtraAtTarget::Why::before_load: return "before-load";
    case ExtraAtTarget::Why::other_manifest: return "other-manifest";
    case ExtraAtTarget::Why::known: return "known";
    case ExtraAtTarget::Why::unexplained: return "unexplained";
  }
  return "unexplained";
}

void target(JsonWriter& w, const Target& t) {
  w.key("target").begin_object().member("asked", t.asked).member("found", t.found()).member("ours", t.ours);
  w.member("before_load", t.before_load).member("other_manifest", t.other_manifest).member("known", t.known);
  w.member("unexplained", t.unexplained).end_object();
}

/// When a run began, and the minutes in which it loaded, first and last, with what they sum up to.
void timeline(JsonWriter& w, const Report& report) {
  w.key("timeline").begin_array();
  for (const Activity& a : report.activities) {
    Tally sum;
    for (const auto& [minute, tally] : a.minutes) sum.objects += tally.objects, sum.bytes += tally.bytes;
    w.begin_object().member("manifest", a.manifest).member("stage", a.stage).member("began", a.began);
    if (!a.minutes.empty()) {
      w.member("first_loaded", minute_text(a.minutes.begin()->first));
      w.member("last_loaded", minute_text(a.minutes.rbegin()->first));
      w.member("objects", sum.objects).member("bytes", sum.bytes);
    }
    w.end_object();
  }
  w.end_array();
}

void evidence(JsonWriter& w, const Report& report) {
  w.key("grades").begin_object();
  for (std::size_t i = 0; i < kGrades; ++i) w.member("E" + std::to_string(i), report.grades[i]);
  w.member("none", report.ungraded).end_object();
  const Places& p = report.places;
  w.key("places").begin_object().member("verified", p.verified).member("loaded", p.loaded);
  w.member("waiting", p.waiting).member("no_transfer", p.no_transfer).member("exceptions", p.exceptions).end_object();
  w.key("groups").begin_array();
  for (const auto& g : report.groups) {
    w.begin_object()
        .member("modality", g.modality)
        .member("year", g.year)
        .member("site", g.site)
        .member("objects", g.objects)
        .member("verified", g.verified);
    w.member("loaded", g.loaded)
        .member("waiting", g.waiting)
        .member("no_transfer", g.no_transfer)
        .member("exceptions", g.exceptions);
    w.member("bytes", g.bytes).key("states").begin_object();
    for (const SheetLine& line : sheet_lines()) {
      if (line.states.size() != 1) continue;
      const std::uint64_t n = g.states[static_cast<std::size_t>(line.states.front())];
      if (n > 0) w.member(line.name, n);
    }
    w.end_object().end_object();
  }
  w.end_array().key("findings").begin_object();
  for (const auto& [code, n] : report.codes) {
    w.key(code).begin_object().member("objects", n.findings).member("severity", n.severity).end_object();
  }
  w.end_object();
}

void reconciliation(JsonWriter& w, const Report& report) {
  counts(w, "rules", report.rules);
  counts(w, "decisions", report.decisions);
  counts(w, "discrepancies", report.discrepancies);
  counts(w, "vetoes", report.vetoes);
  w.key("trends").begin_object();
  for (const auto& [code, years] : report.trends) counts(w, code, years);
  w.end_object();
  w.key("edits").begin_object();
  for (const auto& [tag, n] : report.edits)
    w.key(tag).begin_object().member("studies", n.studies).member("instances", n.instances).end_object();
  w.end_object().key("edits_used_by").begin_array();
  for (const auto& name : report.edits_used_by) w.value(name);
  w.end_array();
}

void exceptions(JsonWriter& w, const Report& report) {
  w.key("extras_at_target").begin_array();
  for (const ExtraAtTarget& e : report.target.extras) {
    w.begin_object().member("sop_instance", e.sop_instance).member("study", e.study).member("manifest", e.manifest);
    w.member("why", word(e.why)).member("reason", e.reason).end_object();
  }
  w.end_array();
  w.key("unexplained").begin_array();
  for (const auto& u : report.unexplained) {
    w.begin_object()
        .member("kind", u.kind)
        .member("subject", u.subject)
        .member("path", u.path)
        .member("manifest", u.manifest);
    w.member("sentence", u.sentence).end_object();
  }
  w.end_array().key("exceptions").begin_array();
  for (const auto& e : report.exceptions) {
    w.begin_object()
        .member("id", e.id)
        .member("path", e.path)
        .member("member", e.member)
        .member("offset", e.offset)
        .member("size", e.size);
    w.member("stage", e.stage).member("bucket", e.bucket).member("severity", e.severity).key("codes").begin_array();
    for (const auto code : split(e.codes, ' ')) {
      if (!code.empty()) w.value(code);
    }
    w.end_array()
        .member("reason", e.reason)
        .member("grade", e.grade)
        .member("verdict", e.verdict)
        .member("load_status", e.load_status);
    w.member("transcode_outcome", e.transcode_outcome)
        .member("sop_class", e.sop_class)
        .member("sop_instance", e.sop_instance);
    w.member("study", e.study)
        .member("series", e.series)
        .member("modality", e.modality)
        .member("study_date", e.study_date);
    w.member("patient", e.patient).end_object();
  }
  w.end_array();
}

void summary(JsonWriter& w, const Report& report) {
  w.member("format", "waybill-report/1")
      .member("created", report.created)
      .member("tool", kToolName)
      .member("exit", static_cast<int>(report.exit));
  w.member("phi_shown", report.phi_shown).key("statement").begin_array();
  for (const auto& sentence : report.statement) w.value(sentence);
  w.end_array().member("unexplained_total", report.unexplained_total);
  w.member("exceptions_total", static_cast<std::uint64_t>(report.exceptions.size()));
  w.key("samples").begin_array();
  for (const auto& sample : report.samples) {
    w.begin_object()
        .member("manifest", sample.manifest)
        .member("state", sample.state)
        .member("statement", sample.statement)
        .key("plan")
        .raw(sample.plan.empty() ? "null" : sample.plan)
        .end_object();
  }
  w.end_array();
  manifests(w, report);
  ledger(w, report);
  sheet(w, report);
  target(w, report.target);
  timeline(w, report);
  buckets(w, report.buckets);
  evidence(w, report);
  reconciliation(w, report);
}

}  // namespace

std::string to_json_summary(const Report& report) {
  JsonWriter w;
  w.begin_object();
  summary(w, report);
  return std::move(w.end_object()).str();
}

std::string to_json(const Report& report) {
  JsonWriter w;
  w.begin_object();
  summary(w, report);
  exceptions(w, report);
  return std::move(w.end_object()).str();
}

}  // namespace waybill::report
