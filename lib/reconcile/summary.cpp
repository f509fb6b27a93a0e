// SPDX-License-Identifier: Apache-2.0
#include "reconcile/summary.hpp"

#include "core/json.hpp"
#include "core/result.hpp"

#include <algorithm>
#include <array>

namespace waybill::reconcile {
namespace {

constexpr std::array<const char*, 6> kTags = {"0008,0050", "0010,0010", "0010,0020",
                                              "0010,0021", "0010,0030", "0010,0040"};

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

const manifest::Edit* edit_of(const manifest::Study& study, std::string_view tag) {
  const auto at = std::find_if(study.edits.begin(), study.edits.end(), [&](const auto& e) { return e.tag == tag; });
  return at == study.edits.end() ? nullptr : &*at;
}

bool states(const match::Exam& exam, std::string_view tag) {
  if (tag == "0008,0050") return !exam.accession.empty();
  if (tag == "0010,0010") return !exam.last.empty();
  if (tag == "0010,0020") return !exam.patient_id.empty();
  if (tag == "0010,0021") return !exam.issuer.empty();
  if (tag == "0010,0030") return !exam.birth_date.empty();
  return !exam.sex.empty();
}

/// A discrepancy of this attribute that no edit takes away.
bool left_over(const manifest::Study& study, std::string_view tag) {
  if (edit_of(study, tag) != nullptr) return false;
  if (tag == "0010,0030") return has(study.discrepancies, "D05");
  if (tag == "0010,0040") return has(study.discrepancies, "D06");
  return false;
}

void count_attributes(Summary& summary, const manifest::Study& study, const match::Exam& exam) {
  RuleCount& rule = summary.rules[study.rule.value_or("R10")];
  if (!study.edits.empty()) rule.edited.add(study.instances);
  for (const char* tag : kTags) {
    if (!states(exam, tag)) continue;
    AttributeCount& count = summary.attributes[tag];
    const manifest::Edit* edit = edit_of(study, tag);
    if (edit != nullptr) {
      ++(edit->reason == "COERCE" ? count.coerce : count.correct);
      ++count.after;
      count.changes[std::string(change_of(*edit))].add(study.instances);
      rule.edits[tag].add(study.instances);
    } else if (left_over(study, tag)) {
      ++count.left;
    } else {
      ++count.before;
      ++count.after;
    }
  }
}

void must_equal(std::uint64_t in, std::uint64_t out, const char* what) {
  if (in == out) return;
  throw RunError(Exit::integrity, std::string("the ledger of ") + what + " does not close: " + std::to_string(in) +
                                      " in, " + std::to_string(out) +
                                      " accounted for; nothing may be loaded by these decisions");
}

void put_reaches(JsonWriter& w, const char* name, const auto& reaches) {
  w.key(name).begin_object();
  for (const auto& [key, reach] : reaches)
    w.key(key).begin_object().member("studies", reach.studies).member("objects", reach.objects).end_object();
  w.end_object();
}

void put_map(JsonWriter& w, const char* name, const std::map<std::string, std::uint64_t>& counts) {
  w.key(name).begin_object();
  for (const auto& [key, n] : counts) w.member(key, n);
  w.end_object();
}

}  // namespace

bool conflict_left(const manifest::Study& study) {
  return left_over(study, "0010,0030") || left_over(study, "0010,0040");
}

void count_study(Summary& s, const manifest::Study& study, const match::Exam* exam) {
  RuleCount& rule = s.rules[study.rule.value_or("R10")];
  ++s.studies;
  s.instances_in_studies += study.instances;
  s.bytes += study.bytes;
  if (study.decision == "auto") {
    ++s.matched;
    ++rule.matched;
    if (conflict_left(study)) ++s.conflicts;
    if (exam != nullptr) count_attributes(s, study, *exam);
  } else if (study.decision == "person") {
    ++s.person;
    ++rule.person;
    if (conflict_left(study)) ++s.conflicts;
    if (exam != nullptr) count_attributes(s, study, *exam);
  } else if (study.decision == "review") {
    ++s.review;
    ++rule.review;
  } else {
    ++s.unmatched;
    ++rule.unmatched;
  }
  for (const auto& veto : study.vetoes) ++s.vetoes[veto];
  for (const auto& code : study.discrepancies) ++s.discrepancies[code];
}

void add_studies(Summary& s, const Summary& more) {
  for (auto member : {&Summary::studies, &Summary::instances_in_studies, &Summary::bytes, &Summary::matched,
                      &Summary::review, &Summary::unmatched, &Summary::person, &Summary::conflicts})
    s.*member += more.*member;
  for (const auto& [rule, n] : more.rules) {
    RuleCount& into = s.rules[rule];
    for (auto member : {&RuleCount::matched, &RuleCount::review, &RuleCount::unmatched, &RuleCount::person})
      into.*member += n.*member;
    into.edited.add(n.edited);
    for (const auto& [tag, edits] : n.edits) into.edits[tag].add(edits);
  }
  for (const auto& [veto, n] : more.vetoes) s.vetoes[veto] += n;
  for (const auto& [code, n] : more.discrepancies) s.discrepancies[code] += n;
  for (const auto& [tag, n] : more.attributes) {
    auto& into = s.attributes[tag];
    for (auto member : {&AttributeCount::before, &AttributeCount::after, &AttributeCount::coerce,
                        &AttributeCount::correct, &AttributeCount::left})
      into.*member += n.*member;
    for (const auto& [change, reach] : n.changes) into.changes[change].add(reach);
  }
}

void count_exams(Summary& s, const match::ExamTable& table, std::span<const match::ExamFate> fates) {
  s.rows = table.rows;
  s.bad_rows = table.bad.size();
  s.repeated_rows = table.repeated;
  s.exams = table.exams.size();
  s.exams_from_hl7 = table.from_hl7;
  s.ris_was_cp1252 = table.cp1252;
  s.ris_control = table.control;
  s.remarks = table.remarks;
  for (const auto fate : fates) {
    switch (fate) {
      case match::ExamFate::matched: ++s.exams_matched; break;
      case match::ExamFate::review: ++s.exams_review; break;
      case match::ExamFate::no_images: ++s.exams_no_images; break;
      case match::ExamFate::cancelled: ++s.exams_cancelled; break;
      case match::ExamFate::planned: ++s.exams_planned; break;
    }
  }
  if (s.exams_no_images > 0) s.discrepancies["D01"] = s.exams_no_images;
  for (std::size_t x = 0; x < fates.size(); ++x)
    if (fates[x] == match::ExamFate::no_images && table.exams[x].reported) ++s.discrepancies["D17"];
}

void count_feed(Summary& s, const hl7::IntakeCounts& counts, const std::vector<hl7::Problem>& problems,
                const identity::Graph& graph, std::uint64_t orders) {
  s.hl7_files = counts.files;
  s.hl7_messages = counts.messages;
  s.hl7_duplicates = counts.duplicates;
  s.hl7_problems =
      static_cast<std::uint64_t>(std::count_if(problems.begin(), problems.end(), [](const auto& p) { return p.lost; }));
  s.hl7_orders = orders;
  s.patient_numbers = graph.size();
  s.identity_disputes = graph.disputes().size();
}

void check_ledger(const Summary& s) {
  must_equal(s.objects, s.instances + s.other_objects, "objects");
  must_equal(s.instances, s.instances_in_studies + s.instances_without_study, "instances");
  must_equal(s.studies, s.matched + s.review + s.unmatched + s.person, "studies");
  must_equal(s.rows + s.exams_from_hl7, s.exams + s.repeated_rows + s.bad_rows, "RIS rows");
  must_equal(s.exams, s.exams_matched + s.exams_review + s.exams_no_images + s.exams_cancelled + s.exams_planned,
             "exams");
}

namespace {

void put_rules(JsonWriter& w, const Summary& s) {
  w.key("rules").begin_object();
  for (const auto& [rule, n] : s.rules) {
    w.key(rule)
        .begin_object()
        .member("auto", n.matched)
        .member("review", n.review)
        .member("unmatched", n.unmatched)
        .member("person", n.person)
        .member("edited_studies", n.edited.studies)
        .member("edited_objects", n.edited.objects);
    put_reaches(w, "edits", n.edits);
    w.end_object();
  }
  w.end_object();
}

void put_attributes(JsonWriter& w, const Summary& s) {
  w.key("attributes").begin_object();
  for (const auto& [tag, n] : s.attributes) {
    w.key(tag)
        .begin_object()
        .member("agree_before", n.before)
        .member("agree_after", n.after)
        .member("coerce", n.coerce);
    w.member("correct", n.correct).member("left", n.left);
    put_reaches(w, "changes", n.changes);
    w.end_object();
  }
  w.end_object();
}

}  // namespace

std::string to_json(const Summary& s) {
  JsonWriter w;
  w.begin_object()
      .member("stage", "reconcile")
      .member("dry_run", s.dry_run)
      .member("already_complete", s.already_complete);
  w.key("objects")
      .begin_object()
      .member("in", s.objects)
      .member("instances", s.instances)
      .member("other", s.other_objects);
  w.member("without_study", s.instances_without_study).end_object();
  w.key("studies").begin_object().member("in", s.studies).member("auto", s.matched).member("review", s.review);
  w.member("unmatched", s.unmatched)
      .member("person", s.person)
      .member("answers_refused", s.answers_refused)
      .member("alarms", s.alarms)
      .member("conflicts", s.conflicts)
      .member("bytes", s.bytes)
      .end_object();
  w.key("exams")
      .begin_object()
      .member("rows", s.rows)
      .member("bad_rows", s.bad_rows)
      .member("repeated_rows", s.repeated_rows);
  w.member("from_hl7", s.exams_from_hl7);
  w.member("in", s.exams)
      .member("matched", s.exams_matched)
      .member("review", s.exams_review)
      .member("no_images", s.exams_no_images);
  w.member("cancelled", s.exams_cancelled)
      .member("planned", s.exams_planned)
      .member("cp1252", s.ris_was_cp1252)
      .member("control_total", s.ris_control)
      .member("remarks", s.remarks.size())
      .end_object();
  w.key("hl7").begin_object().member("files", s.hl7_files).member("messages", s.hl7_messages);
  w.member("duplicates", s.hl7_duplicates).member("problems", s.hl7_problems).member("orders", s.hl7_orders);
  w.member("patient_numbers", s.patient_numbers).member("disputes", s.identity_disputes).end_object();
  if (s.corrections) {
    w.key("corrections").begin_object().member("objects", s.corrections->objects);
    w.member("without_study", s.corrections->without_study).member("studies", s.corrections->studies);
    w.member("studies_changed", s.corrections->studies_changed);
    w.member("objects_changed", s.corrections->objects_changed);
    w.member("studies_open", s.corrections->studies_open).end_object();
  }
  put_rules(w, s);
  put_map(w, "vetoes", s.vetoes);
  put_map(w, "discrepancies", s.discrepancies);
  put_attributes(w, s);
  w.member("exceptions", s.exceptions()).end_object();
  return std::move(w).str();
}

std::string to_text(const Summary& s) {
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  std::string out;
  if (s.dry_run) out += "dry run: nothing was written\n";
  if (s.already_complete) out += "the manifest was complete already; it is unchanged\n";
  out += "studies   " + n(s.studies) + " = " + n(s.matched) + " auto + " + n(s.review) + " review + " + n(s.unmatched) +
         " unmatched" + (s.person > 0 ? " + " + n(s.person) + " decided by people" : "") + "\n";
  if (s.answers_refused > 0) out += "decisions of people refused: " + n(s.answers_refused) + "\n";
  if (s.alarms > 0) out += "alarms about patients: " + n(s.alarms) + "\n";
  out += "instances " + n(s.instances) + " = " + n(s.instances_in_studies) + " in studies + " +
         n(s.instances_without_study) + " without study\n";
  out += "exams     " + n(s.exams) + " = " + n(s.exams_matched) + " matched + " + n(s.exams_review) + " review + " +
         n(s.exams_no_images) + " without images + " + n(s.exams_cancelled) + " cancelled + " + n(s.exams_planned) +
         " planned\n";
  out += "RIS rows  " + n(s.rows) + " = " + n(s.exams) + " exams + " + n(s.repeated_rows) + " repeated + " +
         n(s.bad_rows) + " bad" + (s.exams_from_hl7 > 0 ? " - " + n(s.exams_from_hl7) + " exams from HL7 alone" : "") +
         "\n";
  if (s.hl7_files > 0) {
    out += "HL7       " + n(s.hl7_messages) + " messages of " + n(s.hl7_files) + " files, " + n(s.hl7_duplicates) +
           " duplicates, " + n(s.hl7_problems) + " problems, " + n(s.patient_numbers) + " patient numbers, " +
           n(s.identity_disputes) + " disputes, " + n(s.hl7_orders) + " orders\n";
  }
  if (s.rows > 0 && !s.ris_control)
    out += "nobody has said how many rows the RIS table should have; ask its exporter and give --control\n";
  for (const auto& remark : s.remarks) out += "remark " + remark + "\n";
  if (s.ris_was_cp1252) out += "the RIS table is no UTF-8; it was read as CP1252\n";
  const auto reach = [&](const Reach& r) { return n(r.studies) + " studies (" + n(r.objects) + " objects)"; };
  for (const auto& [rule, c] : s.rules) {
    out += "rule " + rule + ": " + n(c.matched) + " auto, " + n(c.review) + " review, " + n(c.unmatched) +
           " unmatched" + (c.person > 0 ? ", " + n(c.person) + " by people" : "");
    if (c.edited.studies > 0) out += "; edits " + reach(c.edited);
    out += "\n";
    for (const auto& [tag, edits] : c.edits) out += "  (" + tag + ") of " + reach(edits) + "\n";
  }
  for (const auto& [veto, c] : s.vetoes) out += "veto " + veto + ": " + n(c) + "\n";
  for (const auto& [code, c] : s.discrepancies) out += "discrepancy " + code + ": " + n(c) + "\n";
  for (const auto& [tag, c] : s.attributes) {
    out += "(" + tag + "): " + n(c.before) + " agree before, " + n(c.after) + " after; " + n(c.coerce) + " COERCE, " +
           n(c.correct) + " CORRECT, " + n(c.left) + " left to a person\n";
    for (const auto& [change, touched] : c.changes) out += "  before " + change + ": " + reach(touched) + "\n";
  }
  if (s.corrections) {
    out += "loaded    " + n(s.corrections->objects) + " objects in " + n(s.corrections->studies) + " studies, " +
           n(s.corrections->objects_changed) + " objects in " + n(s.corrections->studies_changed) +
           " studies have another identity now, " + n(s.corrections->studies_open) + " studies wait for a person\n";
  }
  return out += "exceptions " + n(s.exceptions()) + "\n";
}

}  // namespace waybill::reconcile
