// SPDX-License-Identifier: Apache-2.0
#include "match/exam.hpp"

#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace waybill::match {
namespace {

auto content(const Exam& e) {
  return std::tie(e.issuer, e.patient_id, e.accession, e.study_uid, e.last, e.first, e.middle, e.birth_date, e.sex,
                  e.study_date, e.study_time, e.description, e.classes, e.other_ids, e.state, e.images);
}

/// Equal for rows of one exam: same patient, accession and study.
std::string exam_key(const Exam& e) {
  return id_key(e.issuer) + '\x1F' + id_key(e.patient_id) + '\x1F' + accession_key(e.accession) + '\x1F' + e.study_uid;
}

/// Takes what a further row adds to the exam: procedure, modality, other IDs; a cancelled procedure does not cancel the
/// others.
void merge(Exam& exam, Exam& row) {
  const auto same = [](const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; };
  if (!same(exam.birth_date, row.birth_date) || !same(exam.sex, row.sex) || !same(exam.last, row.last) ||
      !same(exam.first, row.first))
    exam.disputed = true;
  const auto fill = [](std::string& into, std::string& from) {
    if (into.empty()) into = std::move(from);
  };
  for (auto member :
       {&Exam::last, &Exam::first, &Exam::middle, &Exam::birth_date, &Exam::sex, &Exam::study_date, &Exam::study_time})
    fill(exam.*member, row.*member);
  if (!row.description.empty() && exam.description.find(row.description) == std::string::npos)
    exam.description += (exam.description.empty() ? "" : "; ") + row.description;
  const auto unite = [](std::vector<std::string>& into, const std::vector<std::string>& from) {
    into.insert(into.end(), from.begin(), from.end());
    std::sort(into.begin(), into.end());
    into.erase(std::unique(into.begin(), into.end()), into.end());
  };
  unite(exam.classes, row.classes);
  unite(exam.other_ids, row.other_ids);
  exam.state = std::min(exam.state, row.state);
  exam.images = std::max(exam.images, row.images);
  if (exam.death_date.empty()) exam.death_date = row.death_date;
  exam.restricted = exam.restricted || row.restricted;
  exam.reported = exam.reported || row.reported;
  exam.line = std::min(exam.line, row.line);
}

/// Exams in the order of their content, rows of one exam brought together. Keys are made once: there may be millions of
/// rows.
void merge_rows(ExamTable& table) {
  std::vector<std::pair<std::string, std::size_t>> order;
  order.reserve(table.exams.size());
  for (std::size_t i = 0; i < table.exams.size(); ++i) order.emplace_back(exam_key(table.exams[i]), i);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : content(table.exams[a.second]) < content(table.exams[b.second]);
  });
  std::vector<Exam> exams;
  exams.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    Exam& exam = table.exams[order[i].second];
    if (i > 0 && order[i].first == order[i - 1].first) {
      merge(exams.back(), exam);
      ++table.repeated;
    } else {
      exams.push_back(std::move(exam));
    }
  }
  table.exams = std::move(exams);
}

void name_exams(std::vector<Exam>& exams) {
  std::map<std::string, std::size_t, std::less<>> seen;
  for (auto& exam : exams) {
    exam.key = !exam.accession.empty()   ? exam.accession
               : !exam.study_uid.empty() ? "uid:" + exam.study_uid
                                         : "order " + exam.study_date;
    const std::size_t n = ++seen[exam.key];
    if (n > 1) exam.key += "#" + std::to_string(n);
  }
}

}  // namespace

std::string patient_key(const Exam& exam) { return exam.normal_id.empty() ? id_key(exam.patient_id) : exam.normal_id; }
std::string accession_key(const Exam& exam) {
  return exam.normal_accession.empty() ? accession_key(exam.accession) : exam.normal_accession;
}

void merge_repeated(ExamTable& table) {
  merge_rows(table);
  name_exams(table.exams);
}

bool by_content(const Exam& a, const Exam& b) { return content(a) < content(b); }

void order_and_name(std::vector<Exam>& exams) {
  std::sort(exams.begin(), exams.end(), by_content);
  name_exams(exams);
}

}  // namespace waybill::match
