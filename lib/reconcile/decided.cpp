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
    for (const char* name : {"STUDY_UID", "DECISION", "DECIDED_BY"}) {
      if (at_.count(name) == 0)
        throw RunError(Exit::input, std::string("the decisions have no column ") + name +
                                        "; take the list that --exceptions wrote and fill its columns");
    }
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
  struct Wish {
    const Answer* answer;
    std::size_t study;
    std::optional<std::size_t> exam;  ///< none: the study has no exam
    match::Evidence evidence;
  };

 public:
  Follower(std::span<const match::StudyKeys> studies, std::span<const match::Exam> exams, match::Outcome& outcome)
      : studies_(studies), exams_(exams), outcome_(outcome) {
    for (std::size_t i = 0; i < studies.size(); ++i) study_at_.emplace(studies[i].uid.view(), i);
    for (std::size_t x = 0; x < exams.size(); ++x) exam_at_.emplace(exams[x].key.view(), x);
    for (std::size_t i = 0; i < studies.size(); ++i)
      if (outcome.studies[i].verdict == match::Verdict::matched) study_of_.emplace(*outcome.studies[i].exam, i);
  }

  /// Why the answer cannot be followed, "" when only other answers can stand against it; those are then kept.
  const char* check(const Answer& a) {
    const auto study = study_at_.find(a.study);
    if (study == study_at_.end()) return "the scan has no such study";
    Wish wish{&a, study->second, {}, {}};
    if (!a.exam.empty()) {
      const auto exam = exam_at_.find(a.exam);
      if (exam == exam_at_.end()) return "there is no exam of that key";
      if (!stands(a, outcome_.studies[wish.study], exams_))
        return "the proposal is not the one of this run; the list is old, or a spreadsheet changed the exam's number";
      wish.exam = exam->second;
      wish.evidence = match::compare(studies_[wish.study], exams_[exam->second]);
      const bool two = !a.second.empty() && match::id_key(a.second) != match::id_key(a.by);
      if (takes_two(studies_[wish.study], wish.evidence) && !two)
        return "the images would change their patient; SECOND_PERSON must name another person who agrees";
    }
    wishes_.push_back(wish);
    return "";
  }

  /// Follows what check() kept. An exam may be given away when its study is given another one or none, whatever the
  /// order of the answers: two studies may exchange theirs. A study whose answer is refused keeps its exam, which may
  /// refuse another answer in its turn.
  void take_all(std::vector<Refusal>& refusals) {
    for (bool again = true; again;) {
      auto taken = study_of_;
      for (const Wish& wish : wishes_) release(wish.study, taken);
      const std::size_t before = wishes_.size();
      std::erase_if(wishes_, [&](const Wish& wish) {
        if (!wish.exam || taken.emplace(*wish.exam, wish.study).second) return false;
        refusals.push_back({wish.answer->study, wish.answer->line, "another study has this exam"});
        return true;
      });
      again = wishes_.size() != before;
    }
    for (const Wish& wish : wishes_) let_go(wish);
    for (const Wish& wish : wishes_) bind(wish);
  }

  /// What is wrong with the answered studies, now that people said where they belong.
  void examine(const match::SiteRules& rules) {
    match::HashIndex studies_by_accession, exams_by_accession;
    for (std::uint32_t i = 0; i < studies_.size(); ++i) studies_by_accession.add(studies_[i].accession, i);
    for (std::uint32_t x = 0; x < exams_.size(); ++x) exams_by_accession.add(match::accession_key(exams_[x]), x);
    studies_by_accession.seal();
    exams_by_accession.seal();
    const match::Discrepancies wrong(studies_, exams_, rules, studies_by_accession, exams_by_accession);
    for (const Wish& wish : wishes_) {
      const std::size_t i = wish.study;
      match::Decision& d = outcome_.studies[i];
      wrong.of_study(i, match::name_kind(studies_[i].name), d.discrepancies);
      if (d.exam) {
        const bool shared = wrong.accession_reused(*d.exam) || wrong.accession_on_several_studies(i);
        wrong.of_pair({i, *d.exam, wish.evidence, shared, true}, d.discrepancies);
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

  /// Takes away the exam that a rule gave to the study.
  void release(std::size_t study, std::unordered_map<std::size_t, std::size_t>& study_of) const {
    const auto& exam = outcome_.studies[study].exam;
    if (!exam) return;
    const auto had = study_of.find(*exam);
    if (had != study_of.end() && had->second == study) study_of.erase(had);
  }

  void let_go(const Wish& wish) {
    match::Decision& d = outcome_.studies[wish.study];
    release(wish.study, study_of_);
    if (d.exam) touched_.insert(*d.exam);
    for (const auto& p : d.proposals) touched_.insert(p.exam);
    d.proposals.clear();
    // Several studies laid claim to the exam; that they did is still so when one of them is given it.
    const bool split = wish.exam && d.exam == wish.exam && holds(d.discrepancies, "D16");
    d.discrepancies.clear();
    if (split) d.discrepancies.emplace_back("D16");
    d.exam.reset();
  }

  void bind(const Wish& wish) {
    match::Decision& d = outcome_.studies[wish.study];
    d.by_person = true;
    d.verdict = wish.exam ? match::Verdict::matched : match::Verdict::unmatched;
    if (!wish.exam) return;
    d.exam = wish.exam;
    d.score = match::score(wish.evidence);
    d.explanation = match::describe(wish.evidence);
    study_of_.insert_or_assign(*wish.exam, wish.study);
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
  std::vector<Wish> wishes_;  // the answers that are followed
};

}  // namespace

std::vector<Refusal> follow(const Answers& answers, std::span<const match::StudyKeys> studies,
                            std::span<const match::Exam> exams, const match::SiteRules& rules,
                            match::Outcome& outcome) {
  std::vector<Refusal> refusals = answers.refusals;
  if (answers.answers.empty()) return refusals;
  Follower follower(studies, exams, outcome);
  for (const Answer& a : answers.answers) {
    const std::string_view why = follower.check(a);
    if (!why.empty()) refusals.push_back({a.study, a.line, std::string(why)});
  }
  follower.take_all(refusals);
  follower.examine(rules);
  follower.settle();
  return refusals;
}

std::string to_json(const Answer& a, std::string_view refused) {
  JsonWriter w;
  w.begin_object().member("kind", "decision").member("study", a.study);
  w.member("decision", a.exam.empty() ? "none" : "exam");
  if (!a.exam.empty()) w.member("exam", a.exam);
  w.member("by", a.by);
  if (!a.second.empty()) w.member("second", a.second);
  if (!a.remark.empty()) w.member("remark", a.remark);
  if (!refused.empty()) w.member("refused", refused);
  w.end_object();
  return std::move(w).str();
}

}  // namespace waybill::reconcile
