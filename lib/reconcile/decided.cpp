// SPDX-License-Identifier: Apache-2.0
#include "reconcile/decided.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "match/csv.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace waybill::reconcile {
namespace {

/// The cells of a row by the header's names; an apostrophe that guards against formulas is taken off.
class Columns {
 public:
  explicit Columns(const match::CsvRow& header) {
    for (std::size_t i = 0; i < header.cells.size(); ++i) at_.try_emplace(match::id_key(header.cells[i]), i);
    for (const char* name : {"STUDY_UID", "DECISION", "DECIDED_BY"})
      if (at_.count(name) == 0)
        throw RunError(Exit::input, std::string("the decisions have no column ") + name +
                                        "; take the list that --exceptions wrote and fill its columns");
  }
  [[nodiscard]] std::string operator()(const match::CsvRow& row, const std::string& name) const {
    const auto found = at_.find(name);
    if (found == at_.end() || found->second >= row.cells.size()) return {};
    std::string_view text = trim(row.cells[found->second]);
    if (text.size() > 1 && text[0] == '\'') text.remove_prefix(1);
    return std::string(text);
  }

 private:
  std::map<std::string, std::size_t> at_;
};

}  // namespace

bool joined(const match::Evidence& e) { return e.patient == match::Same::equal || e.linked; }

Answers read_answers(const std::filesystem::path& path) {
  auto bytes = io::read_file(path);
  if (!bytes)
    throw RunError(Exit::input,
                   "the decisions " + path_to_text(path.string()) + " cannot be read: " + bytes.error().what);
  Answers out;
  out.digest = Sha256::of(*bytes);
  match::CsvReader reader{std::string(as_text(*bytes))};
  match::CsvRow row;
  if (!reader.next(row) || !row.error.empty())
    throw RunError(Exit::input, "the decisions have no header line; take the list that --exceptions wrote");
  const Columns cell(row);
  while (reader.next(row)) {
    if (!row.error.empty()) {
      out.refusals.push_back({{}, row.line, row.error});
      continue;
    }
    Answer a{cell(row, "STUDY_UID"),     cell(row, "DECISION"), cell(row, "DECIDED_BY"),
             cell(row, "SECOND_PERSON"), cell(row, "REMARK"),   row.line};
    if (a.exam.empty()) continue;
    if (a.study.empty() || a.by.empty()) {
      out.refusals.push_back({a.study, a.line, a.by.empty() ? "DECIDED_BY is empty" : "STUDY_UID is empty"});
      continue;
    }
    if (a.exam == "1" || a.exam == "2" || a.exam == "3") {
      a.exam = cell(row, "PROPOSAL_" + a.exam);
      if (a.exam.empty()) {
        out.refusals.push_back({a.study, a.line, "DECISION names a proposal that the row does not have"});
        continue;
      }
    } else if (match::id_key(a.exam) == "NONE") {
      a.exam.clear();
    }
    out.answers.push_back(std::move(a));
  }
  std::stable_sort(out.answers.begin(), out.answers.end(),
                   [](const auto& a, const auto& b) { return a.study < b.study; });
  for (std::size_t i = 1; i < out.answers.size();) {
    if (out.answers[i].study != out.answers[i - 1].study) {
      ++i;
      continue;
    }
    out.refusals.push_back(
        {out.answers[i].study, out.answers[i].line, "the study is decided twice; the first row counts"});
    out.answers.erase(out.answers.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return out;
}

std::vector<Refusal> follow(const Answers& answers, std::span<const match::StudyKeys> studies,
                            std::span<const match::Exam> exams, match::Outcome& outcome) {
  std::vector<Refusal> refusals = answers.refusals;
  if (answers.answers.empty()) return refusals;
  std::unordered_map<std::string_view, std::size_t> study_at, exam_at;
  for (std::size_t i = 0; i < studies.size(); ++i) study_at.emplace(studies[i].uid.view(), i);
  for (std::size_t x = 0; x < exams.size(); ++x) exam_at.emplace(exams[x].key.view(), x);
  std::unordered_map<std::size_t, std::size_t> study_of;  // exam to the study that has it
  for (std::size_t i = 0; i < studies.size(); ++i)
    if (outcome.studies[i].verdict == match::Verdict::matched) study_of.emplace(*outcome.studies[i].exam, i);
  for (const Answer& a : answers.answers) {
    const auto refuse = [&](const char* why) { refusals.push_back({a.study, a.line, why}); };
    const auto study = study_at.find(a.study);
    if (study == study_at.end()) {
      refuse("the scan has no such study");
      continue;
    }
    match::Decision& d = outcome.studies[study->second];
    if (a.exam.empty()) {
      d.by_person = true;
      d.verdict = match::Verdict::unmatched;
      d.exam.reset();
      d.proposals.clear();
      continue;
    }
    const auto exam = exam_at.find(a.exam);
    if (exam == exam_at.end()) {
      refuse("there is no exam of that key");
      continue;
    }
    const auto taken = study_of.find(exam->second);
    if (taken != study_of.end() && taken->second != study->second) {
      refuse("another study has this exam");
      continue;
    }
    const auto evidence = match::compare(studies[study->second], exams[exam->second]);
    const bool two = !a.second.empty() && match::id_key(a.second) != match::id_key(a.by);
    if (!joined(evidence) && !two) {
      refuse("the images would change their patient; SECOND_PERSON must name another person who agrees");
      continue;
    }
    d.by_person = true;
    d.verdict = match::Verdict::matched;
    d.exam = exam->second;
    d.score = match::score(evidence);
    d.explanation = match::describe(evidence);
    d.proposals.clear();
    study_of.insert_or_assign(exam->second, study->second);
    outcome.exams[exam->second] = match::ExamFate::matched;
  }
  return refusals;
}

std::string to_json(const Answer& a) {
  JsonWriter w;
  w.begin_object().member("kind", "decision").member("study", a.study);
  w.member("decision", a.exam.empty() ? "none" : "exam");
  if (!a.exam.empty()) w.member("exam", a.exam);
  w.member("by", a.by);
  if (!a.second.empty()) w.member("second", a.second);
  if (!a.remark.empty()) w.member("remark", a.remark);
  w.end_object();
  return std::move(w).str();
}

}  // namespace waybill::reconcile
