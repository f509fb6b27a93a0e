// SPDX-License-Identifier: Apache-2.0
#include "match/exam.hpp"

#include "core/flat_index.hpp"
#include "core/permute.hpp"
#include "core/text.hpp"
#include "match/normal.hpp"

#include <tbb/parallel_for.h>
#include <tbb/parallel_sort.h>
#include <algorithm>
#include <tuple>

namespace waybill::match {
namespace {

auto content(const Exam& e) {
  return std::tie(e.issuer, e.patient_id, e.accession, e.study_uid, e.last, e.first, e.middle, e.birth_date, e.sex,
                  e.study_date, e.study_time, e.description, e.classes, e.other_ids, e.state, e.images);
}

/// Equal for rows of one exam: same patient, accession and study.
struct ExamKey {
  Interned issuer, patient, accession, study;
  explicit ExamKey(const Exam& e)
      : issuer(id_key_of(e.issuer)),
        patient(id_key_of(e.patient_id)),
        accession(accession_key_of(e.accession)),
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
  tbb::parallel_for(std::uint32_t{0}, static_cast<std::uint32_t>(exams.size()), [&](std::uint32_t x) {
    places[x] = {exams[x].issuer.leading(), exams[x].patient_id.leading(), x};
  });
  tbb::parallel_sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.issuer != b.issuer) return a.issuer < b.issuer;
    if (a.patient != b.patient) return a.patient < b.patient;
    const Exam &x = exams[a.exam], &y = exams[b.exam];
    return by_content(x, y) || (!by_content(y, x) && a.exam < b.exam);
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

/// A key that is taken gets "#2" and so on behind it, and so does an accession number that looks like such a key.
void name_exams(std::vector<Exam>& exams) {
  FlatIndex by_key;
  std::vector<std::uint32_t> more(exams.size());  // that wanted the key of an exam
  for (std::uint32_t x = 0; x < exams.size(); ++x) {
    Exam& exam = exams[x];
    const Interned wanted = !exam.accession.empty()   ? exam.accession
                            : !exam.study_uid.empty() ? Interned("uid:" + exam.study_uid)
                                                      : Interned("order " + exam.study_date);
    std::uint32_t first = FlatIndex::kNone;
    for (exam.key = wanted;;) {
      const std::uint32_t holder = by_key.find_or_add(
          exam.key.number(), x, [&](std::uint32_t n) { return exams[n].key == exam.key; },
          [&](std::uint32_t n) { return exams[n].key.number(); });
      if (holder == x) break;
      if (first == FlatIndex::kNone) first = holder;
      exam.key = wanted.str() + "#" + std::to_string(++more[first] + 1);
    }
  }
}

}  // namespace

Interned id_key_of(Interned text) { return is_id_key(text) ? text : Interned(id_key(text)); }
Interned accession_key_of(Interned text) { return is_accession_key(text) ? text : Interned(accession_key(text)); }

Interned patient_key(const Exam& exam) { return exam.normal_id.empty() ? id_key_of(exam.patient_id) : exam.normal_id; }
Interned accession_key(const Exam& exam) {
  return exam.normal_accession.empty() ? accession_key_of(exam.accession) : exam.normal_accession;
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
