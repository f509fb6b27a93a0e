// SPDX-License-Identifier: Apache-2.0
#include "reconcile/exceptions.hpp"

#include "core/csv.hpp"
#include "io/atomic_file.hpp"
#include "match/name.hpp"
#include "reconcile/decided.hpp"
#include "reconcile/worklist.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace waybill::reconcile {
namespace {

const std::vector<std::string> kHeader = {"RANK",
                                          "KIND",
                                          "STUDY_UID",
                                          "RULE",
                                          "REASON",
                                          "VETOES",
                                          "DISCREPANCIES",
                                          "PATIENT_ID",
                                          "ISSUER",
                                          "NAME",
                                          "DOB",
                                          "SEX",
                                          "ACCESSION",
                                          "STUDY_DATE",
                                          "MODALITIES",
                                          "INSTANCES",
                                          "EXAM_ACCESSION",
                                          "EXAM_PATIENT_ID",
                                          "EXAM_NAME",
                                          "EXAM_DOB",
                                          "EXAM_STUDY_DATE",
                                          "PROPOSAL_1",
                                          "SCORE_1",
                                          "REASON_1",
                                          "PROPOSAL_2",
                                          "SCORE_2",
                                          "REASON_2",
                                          "PROPOSAL_3",
                                          "SCORE_3",
                                          "REASON_3",
                                          "DECISION",
                                          "DECIDED_BY",
                                          "SECOND_PERSON",
                                          "REMARK",
                                          "LINE"};
constexpr std::size_t kCells = 34;     // all but RANK
constexpr std::size_t kProposal = 20;  // its first cell
constexpr std::size_t kProposals = 3;

std::string join(const std::vector<std::string>& words, const char* separator) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : separator) + word;
  return out;
}

int rank_of(const manifest::Study& study, const match::Decision& decision) {
  static constexpr std::array<std::string_view, 4> kDanger = {"two-patients", "accession-reused", "study-already-bound",
                                                              "patient-scattered"};
  const auto dangerous = [](const std::string& veto) {
    return std::find(kDanger.begin(), kDanger.end(), veto) != kDanger.end();
  };
  if (decision.verdict == match::Verdict::matched) return 4;
  if (std::any_of(study.vetoes.begin(), study.vetoes.end(), dangerous) || study.rule == "R4") return 1;
  return decision.verdict == match::Verdict::review ? 2 : 3;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

void put_exam(std::vector<std::string>& cells, const match::Exam& exam) {
  cells[15] = exam.accession;
  cells[16] = exam.patient_id;
  cells[17] = match::person_name(exam.last, exam.first, exam.middle);
  cells[18] = exam.birth_date;
  cells[19] = exam.study_date;
}

}  // namespace

void Exceptions::add(int rank, double score, Interned order, const std::vector<std::string>& cells) {
  rows_.push_back({rank, score, order, {cells.begin(), cells.end()}, {}});
}

void Exceptions::add_study(const match::StudyFacts& facts, const match::Decision& decision,
                           std::span<const match::Exam> exams) {
  const manifest::Study& study = facts.study;
  const bool matched = decision.verdict == match::Verdict::matched;
  std::vector<std::string> cells(kCells);
  cells[0] = matched ? "conflict" : std::string(match::to_string(decision.verdict));
  cells[1] = study.study;
  cells[2] = study.rule.value_or("");
  cells[3] = study.explanation;
  cells[4] = join(study.vetoes, " ");
  cells[5] = join(study.discrepancies, " ");
  const std::array texts = {&study.patient_id, &study.issuer,    &study.patient_name, &study.birth_date,
                            &study.sex,        &study.accession, &study.study_date};
  for (std::size_t i = 0; i < texts.size(); ++i) cells[6 + i] = texts[i]->value_or("");
  cells[13] = join(study.modalities, " ");
  cells[14] = std::to_string(study.instances);
  if (decision.exam)
    put_exam(cells, exams[*decision.exam]);
  else if (!decision.proposals.empty())
    put_exam(cells, exams[decision.proposals.front().exam]);
  std::set<int> two_people;
  const auto keys = match::keys_of(facts);
  for (std::size_t n = 0; n < std::min(kProposals, decision.proposals.size()); ++n) {
    const auto& p = decision.proposals[n];
    if (takes_two(keys, match::compare(keys, exams[p.exam]))) two_people.insert(static_cast<int>(n) + 1);
    cells[kProposal + 3 * n] = exams[p.exam].key;
    cells[kProposal + 3 * n + 1] = number(p.score);
    cells[kProposal + 3 * n + 2] = p.rule.str() + ": " + p.explanation;
  }
  add(rank_of(study, decision), decision.score.value_or(0), study.study, cells);
  rows_.back().two_people = std::move(two_people);
}

void Exceptions::add_exam_without_images(const match::Exam& exam) {
  std::vector<std::string> cells(kCells);
  cells[0] = "exam-without-images";
  cells[1] = exam.study_uid;
  cells[3] = "the exam was performed, the archive has no study for it";
  cells[5] = exam.reported ? "D01 D17" : "D01";
  put_exam(cells, exam);
  if (exam.line > 0) cells[kCells - 1] = std::to_string(exam.line);
  add(5, 0, exam.key, cells);
}

void Exceptions::add_bad_row(const match::BadRow& row) {
  std::vector<std::string> cells(kCells);
  cells[0] = "bad-row";
  cells[3] = row.reason;
  cells[kCells - 1] = std::to_string(row.line);
  char order[24];
  std::snprintf(order, sizeof order, "%020zu", row.line);
  add(6, 0, order, cells);
}

void Exceptions::add_alarm(const Alarm& alarm) {
  std::vector<std::string> cells(kCells);
  cells[0] = alarm.kind;
  cells[1] = join(alarm.studies, " ");
  cells[3] = alarm.reason;
  cells[6] = alarm.patient_id;
  cells[7] = alarm.issuer;
  add(1, 0, std::string(alarm.kind) + alarm.issuer + alarm.patient_id, cells);
}

void Exceptions::add_remark(const std::string& text) {
  std::vector<std::string> cells(kCells);
  cells[0] = "remark";
  cells[3] = text;
  add(8, 0, text, cells);
}

void Exceptions::add_refusal(const std::string& study, std::size_t line, const std::string& reason) {
  std::vector<std::string> cells(kCells);
  cells[0] = "decision-refused";
  cells[1] = study;
  cells[3] = reason;
  cells[kCells - 1] = std::to_string(line);
  add(1, 0, study, cells);
}

void Exceptions::add_object_without_study(const std::string& object_id) {
  std::vector<std::string> cells(kCells);
  cells[0] = "object-without-study";
  cells[3] = "object " + object_id + " has no Study Instance UID";
  add(7, 0, object_id, cells);
}

void Exceptions::add_hl7_problem(const hl7::Problem& problem) {
  std::vector<std::string> cells(kCells);
  cells[0] = problem.lost ? "bad-message" : "remark";
  cells[3] = problem.file + " byte " + std::to_string(problem.offset) + ": " + problem.reason;
  if (problem.times > 1) cells[3] += " (" + std::to_string(problem.times) + " times in this file)";
  char order[24];
  std::snprintf(order, sizeof order, "%020llu", static_cast<unsigned long long>(problem.offset));
  add(problem.lost ? 6 : 8, 0, problem.file + order, cells);
}

void Exceptions::add_dispute(const identity::Event& event, const std::string& reason) {
  std::vector<std::string> cells(kCells);
  cells[0] = "identity-dispute";
  cells[3] = hl7::show_time(event.time) + " " + event.trigger + ": " + reason + "; control ID " + event.control_id +
             ", " + event.file + " byte " + std::to_string(event.offset);
  for (const auto& id : event.prior) cells[6] += (cells[6].empty() ? "" : " ") + id.id;
  for (const auto& id : event.ids) cells[16] += (cells[16].empty() ? "" : " ") + id.id;
  add(1, 0, cells[3], cells);
}

std::vector<const Exceptions::Row*> Exceptions::sorted() const {
  std::vector<const Row*> order;
  for (const Row& row : rows_) order.push_back(&row);
  std::sort(order.begin(), order.end(), [](const Row* a, const Row* b) {
    if (a->rank != b->rank) return a->rank < b->rank;
    return a->score != b->score ? a->score > b->score : a->order < b->order;
  });
  return order;
}

std::string Exceptions::html() const {
  Worklist list({kHeader.begin(), kHeader.end()});
  for (const Row* row : sorted()) {
    std::vector<std::string> cells{std::to_string(row->rank)};
    cells.insert(cells.end(), row->cells.begin(), row->cells.end());
    list.add(cells, row->two_people);
  }
  return list.html();
}

std::string Exceptions::csv() const {
  std::string out = csv_row(kHeader);
  for (const Row* row : sorted()) {
    std::vector<std::string> cells{std::to_string(row->rank)};
    cells.insert(cells.end(), row->cells.begin(), row->cells.end());
    out += csv_row(cells);
  }
  return out;
}

namespace {
void replace(const std::filesystem::path& path, const std::string& text) {
  io::AtomicFile file(path, 0600);
  file.write(as_bytes(text));
  file.commit();
}
}  // namespace

void Exceptions::write(const std::filesystem::path& path) const { replace(path, csv()); }
void Exceptions::write_worklist(const std::filesystem::path& path) const { replace(path, html()); }

}  // namespace waybill::reconcile
