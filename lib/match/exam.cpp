// SPDX-License-Identifier: Apache-2.0
#include "match/exam.hpp"

#include "core/flat_index.hpp"
#include "core/permute.hpp"
#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace waybill::match {
namespace {

auto content(const Exam& e) {
  return std::tie(e.issuer, e.patient_id, e.accession, e.study_uid, e.last, e.first, e.middle, e.birth_date, e.sex,
                  e.study_date, e.study_time, e.description, e.classes, e.other_ids, e.state, e.images);
}

/// The key of a text, which nearly always is the text itself.
Interned key_of(Interned text, std::string (*key)(std::string_view)) {
  const std::string made = key(text);
  return made == text.view() ? text : Interned(made);
}

/// Equal for rows of one exam: same patient, accession and study.
struct ExamKey {
  Interned issuer, patient, accession, study;
  explicit ExamKey(const Exam& e)
      : issuer(key_of(e.issuer, id_key)),
        patient(key_of(e.patient_id, id_key)),
        accession(key_of(e.accession, accession_key)),
        study(e.study_uid) {}
  friend bool operator==(const ExamKey&, const ExamKey&) = default;
  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t hash = 0;
    for (const Interned text : {issuer, patient, accession, study})
      hash = (hash ^ text.number()) * 0x9E3779B97F4A7C15ULL;
    return hash;
  }
};

/// Takes what a further row adds to the exam: procedure, modality, other IDs; a cancelled procedure does not cancel the
/// others.
void merge(Exam& exam, const Exam& row) {
  const auto same = [](Interned a, Interned b) { return a.empty() || b.empty() || a == b; };
  if (!same(exam.birth_date, row.birth_date) || !same(exam.sex, row.sex) || !same(exam.last, row.last) ||
      !same(exam.first, row.first))
    exam.disputed = true;
  for (auto member :
       {&Exam::last, &Exam::first, &Exam::middle, &Exam::birth_date, &Exam::sex, &Exam::study_date, &Exam::study_time})
    if ((exam.*member).empty()) exam.*member = row.*member;
  if (!row.description.empty() && exam.description.view().find(row.description) == std::string_view::npos)
    exam.description = exam.description.str() + (exam.description.empty() ? "" : "; ") + row.description;
  const auto unite = [](InternedList& into, InternedList from) {
    if (from.empty() || into == from) return;
    auto texts = into.texts();
    texts.insert(texts.end(), from.begin(), from.end());
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    into = texts;
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

/// Exams of a patient are few, so nearly all of the work of sorting is done on these 24 bytes.
struct Place {
  std::uint64_t issuer, patient;
  std::uint32_t exam;
};

void sort_exams(std::vector<Exam>& exams) {
  std::vector<Place> places(exams.size());
  for (std::uint32_t x = 0; x < exams.size(); ++x)
    places[x] = {exams[x].issuer.leading(), exams[x].patient_id.leading(), x};
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.issuer != b.issuer) return a.issuer < b.issuer;
    return a.patient != b.patient ? a.patient < b.patient : by_content(exams[a.exam], exams[b.exam]);
  });
  permute(exams, places, [](Place& place) -> std::uint32_t& { return place.exam; });
}

/// Exams in the order of their content, rows of one exam brought together.
void merge_rows(ExamTable& table) {
  auto& exams = table.exams;
  sort_exams(exams);
  std::vector<ExamKey> keys;
  keys.reserve(exams.size());
  FlatIndex by_key;
  std::uint32_t kept = 0;
  for (const Exam& exam : exams) {
    const ExamKey key(exam);
    const std::uint32_t at = by_key.find_or_add(
        key.hash(), kept, [&](std::uint32_t n) { return keys[n] == key; },
        [&](std::uint32_t n) { return keys[n].hash(); });
    if (at != kept) {
      merge(exams[at], exam);
      ++table.repeated;
      continue;
    }
    keys.push_back(key);
    exams[kept++] = exam;
  }
  exams.resize(kept);
}

void name_exams(std::vector<Exam>& exams) {
  std::unordered_map<Interned, std::uint32_t> seen;
  seen.reserve(exams.size());
  for (auto& exam : exams) {
    exam.key = !exam.accession.empty()   ? exam.accession
               : !exam.study_uid.empty() ? Interned("uid:" + exam.study_uid)
                                         : Interned("order " + exam.study_date);
    const std::size_t n = ++seen[exam.key];
    if (n > 1) exam.key = exam.key.str() + "#" + std::to_string(n);
  }
}

}  // namespace

Interned patient_key(const Exam& exam) {
  return exam.normal_id.empty() ? key_of(exam.patient_id, id_key) : exam.normal_id;
}
Interned accession_key(const Exam& exam) {
  return exam.normal_accession.empty() ? key_of(exam.accession, accession_key) : exam.normal_accession;
}

void merge_repeated(ExamTable& table) {
  merge_rows(table);
  name_exams(table.exams);
}

bool by_content(const Exam& a, const Exam& b) { return content(a) < content(b); }

void order_and_name(std::vector<Exam>& exams) {
  sort_exams(exams);
  name_exams(exams);
}

}  // namespace waybill::match
