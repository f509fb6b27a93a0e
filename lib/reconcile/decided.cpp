// SPDX-License-Identifier: Apache-2.0
#include "reconcile/decided.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "match/csv.hpp"
#include "match/discrepancies.hpp"
#include "match/normal.hpp"
#include "ris/code_page.hpp"

#include <algorithm>
#include <map>
#include <set>
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

namespace {

/// Whether the proposal an answer names is the one of this run. A study that a rule has decided since has none.
bool stands(const Answer& a, const match::Decision& d, std::span<const match::Exam> exams) {
  if (a.proposal == 0) return true;
  if (d.verdict == match::Verdict::matched) return d.exam && exams[*d.exam].key == a.exam;
  return a.proposal <= d.proposals.size() && exams[d.proposals[a.proposal - 1].exam].key == a.exam;
}

}  // namespace

bool takes_two(const match::StudyKeys& study, const match::Evidence& e) {
  using match::Same;
  const bool joined = e.patient == Same::equal || e.linked;
  return !joined || study.two_patients || (e.name == Same::differs && e.birth_date == Same::differs);
}

Answers read_answers(const std::filesystem::path& path) {
  auto bytes = io::read_file(path);
  if (!bytes)
    throw RunError(Exit::input,
                   "the decisions " + path_to_text(path.string()) + " cannot be read: " + bytes.error().what);
  Answers out;
  out.digest = Sha256::of(*bytes);
  match::CsvReader reader{ris::table_text(std::string(as_text(*bytes)), {})};
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
      a.proposal = static_cast<std::size_t>(a.exam.front() - '0');
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

namespace {

/// Follows answers one by one and keeps account of who has which exam.
class Follower {
 public:
  Follower(std::span<const match::StudyKeys> studies, std::span<const match::Exam> exams, match::Outcome& outcome)
      : studies_(studies), exams_(exams), outcome_(outcome) {
    for (std::size_t i = 0; i < studies.size(); ++i) study_at_.emplace(studies[i].uid.view(), i);
    for (std::size_t x = 0; x < exams.size(); ++x) exam_at_.emplace(exams[x].key.view(), x);
    for (std::size_t i = 0; i < studies.size(); ++i)
      if (outcome.studies[i].verdict == match::Verdict::matched) study_of_.emplace(*outcome.studies[i].exam, i);
  }

  /// Why the answer cannot be followed, "" when it was. `taken` says that the exam may become free by another answer.
  const char* take(const Answer& a, bool& taken) {
    const auto study = study_at_.find(a.study);
    if (study == study_at_.end()) return "the scan has no such study";
    match::Decision& d = outcome_.studies[study->second];
    if (a.exam.empty()) {
      let_go(study->second);
      d.by_person = true;
      d.verdict = match::Verdict::unmatched;
      d.exam.reset();
      d.discrepancies.clear();
      answered_.push_back(study->second);
      return "";
    }
    const auto exam = exam_at_.find(a.exam);
    if (exam == exam_at_.end()) return "there is no exam of that key";
    if (!stands(a, d, exams_))
      return "the proposal is not the one of this run; the list is old, or a spreadsheet changed the exam's number";
    const auto evidence = match::compare(studies_[study->second], exams_[exam->second]);
    const bool two = !a.second.empty() && match::id_key(a.second) != match::id_key(a.by);
    if (takes_two(studies_[study->second], evidence) && !two)
      return "the images would change their patient; SECOND_PERSON must name another person who agrees";
    const auto holder = study_of_.find(exam->second);
    taken = holder != study_of_.end() && holder->second != study->second;
    if (taken) return "another study has this exam";
    const bool keeps_it = d.exam == exam->second;
    let_go(study->second);
    answered_.push_back(study->second);
    // Several studies laid claim to the exam; that they did is still so when one of them is given it.
    const bool split = keeps_it && holds(d.discrepancies, "D16");
    d.discrepancies.clear();
    if (split) d.discrepancies.emplace_back("D16");
    d.by_person = true;
    d.verdict = match::Verdict::matched;
    d.exam = exam->second;
    d.score = match::score(evidence);
    d.explanation = match::describe(evidence);
    study_of_.insert_or_assign(exam->second, study->second);
    return "";
  }

  /// What is wrong with the answered studies, now that people said where they belong.
  void examine(const match::SiteRules& rules) {
    match::HashIndex studies_by_accession, exams_by_accession;
    for (std::uint32_t i = 0; i < studies_.size(); ++i) studies_by_accession.add(studies_[i].accession, i);
    for (std::uint32_t x = 0; x < exams_.size(); ++x) exams_by_accession.add(match::accession_key(exams_[x]), x);
    studies_by_accession.seal();
    exams_by_accession.seal();
    const match::Discrepancies wrong(studies_, exams_, rules, studies_by_accession, exams_by_accession);
    for (const std::size_t i : answered_) {
      match::Decision& d = outcome_.studies[i];
      wrong.of_study(i, match::name_kind(studies_[i].name), d.discrepancies);
      if (d.exam) {
        const bool shared = wrong.accession_reused(*d.exam) || wrong.accession_on_several_studies(i);
        wrong.of_pair({i, *d.exam, match::compare(studies_[i], exams_[*d.exam]), shared, true}, d.discrepancies);
      } else {
        wrong.of_unbound(i, true, d.discrepancies);
      }
      match::tidy(d.discrepancies);
    }
  }

  /// What became of the exams that answered studies had or waited for, and of those they have now.
  void settle() {
    std::set<std::size_t> waited_for;
    for (const auto& d : outcome_.studies) {
      if (d.verdict != match::Verdict::review) continue;
      if (d.exam) waited_for.insert(*d.exam);
      for (const auto& p : d.proposals)
        if (p.rule != "R9") waited_for.insert(p.exam);
    }
    for (const std::size_t x : touched_) {
      using match::ExamFate;
      using match::ExamState;
      const auto state = exams_[x].state;
      outcome_.exams[x] = has_images(x)                   ? ExamFate::matched
                          : state == ExamState::cancelled ? ExamFate::cancelled
                          : waited_for.count(x) > 0       ? ExamFate::review
                          : state == ExamState::planned   ? ExamFate::planned
                                                          : ExamFate::no_images;
    }
    for (const auto& [x, study] : study_of_) outcome_.exams[x] = match::ExamFate::matched;
  }

 private:
  static bool holds(const std::vector<Interned>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  }

  void let_go(std::size_t study) {
    match::Decision& d = outcome_.studies[study];
    if (d.exam) {
      touched_.insert(*d.exam);
      const auto had = study_of_.find(*d.exam);
      if (had != study_of_.end() && had->second == study) study_of_.erase(had);
    }
    for (const auto& p : d.proposals) touched_.insert(p.exam);
    d.proposals.clear();
  }

  /// Some study has the exam, or was performed with it (several orders, one study).
  [[nodiscard]] bool has_images(std::size_t x) const {
    if (study_of_.count(x) > 0) return true;
    const auto named = study_at_.find(exams_[x].study_uid.view());
    return named != study_at_.end() && outcome_.studies[named->second].verdict == match::Verdict::matched;
  }

  std::span<const match::StudyKeys> studies_;
  std::span<const match::Exam> exams_;
  match::Outcome& outcome_;
  std::unordered_map<std::string_view, std::size_t> study_at_, exam_at_;
  std::unordered_map<std::size_t, std::size_t> study_of_;  // exam to the study that has it
  std::set<std::size_t> touched_;
  std::vector<std::size_t> answered_;
};

}  // namespace

std::vector<Refusal> follow(const Answers& answers, std::span<const match::StudyKeys> studies,
                            std::span<const match::Exam> exams, const match::SiteRules& rules,
                            match::Outcome& outcome) {
  std::vector<Refusal> refusals = answers.refusals;
  if (answers.answers.empty()) return refusals;
  Follower follower(studies, exams, outcome);
  // An exam may become free by an answer that stands further down, so what found its exam taken is tried again.
  std::vector<const Answer*> open, taken;
  for (const Answer& a : answers.answers) open.push_back(&a);
  for (bool last = false; !open.empty();) {
    taken.clear();
    for (const Answer* a : open) {
      bool is_taken = false;
      const std::string_view why = follower.take(*a, is_taken);
      if (is_taken && !last)
        taken.push_back(a);
      else if (!why.empty())
        refusals.push_back({a->study, a->line, std::string(why)});
    }
    last = taken.size() == open.size();
    std::swap(open, taken);
  }
  follower.examine(rules);
  follower.settle();
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
