// SPDX-License-Identifier: Apache-2.0
#include "match/near.hpp"

#include "match/index.hpp"
#include "match/name.hpp"

#include <algorithm>
#include <optional>

// Only studies that no rule decided come here, so the index is over their keys and the exams stream past it: a site
// with a million exams and a thousand open studies keeps a thousand keys, not a million.

namespace waybill::match {
namespace {

constexpr std::size_t kMostNear = 5;

/// The text without one character, for every character: two texts one step apart share one of these or the text itself.
std::vector<std::string> deletions(const std::string& text) {
  std::vector<std::string> out;
  if (text.size() < 4 || text.size() > 64) return out;
  for (std::size_t i = 0; i < text.size(); ++i) out.push_back(text.substr(0, i) + text.substr(i + 1));
  return out;
}

struct OpenIndex {
  HashIndex uid, patient, accession, accession_near, patient_near, birth;

  OpenIndex(std::span<const StudyFacts> studies, std::span<const StudyKeys> keys, std::span<const std::size_t> open) {
    for (std::uint32_t n = 0; n < open.size(); ++n) {
      const StudyKeys& k = keys[open[n]];
      uid.add(studies[open[n]].study.study, n);
      patient.add(k.patient, n);
      accession.add(k.accession, n);
      accession_near.add(k.accession, n);
      patient_near.add(k.patient, n);
      for (const auto& text : deletions(k.accession)) accession_near.add(text, n);
      for (const auto& text : deletions(k.patient)) patient_near.add(text, n);
      const bool no_patient = k.patient.empty() || is_placeholder_id(k.patient);  // all that R7 is for
      if (no_patient && is_birth_date(k.birth_date)) birth.add(k.birth_date, n);
    }
    for (auto* index : {&uid, &patient, &accession, &accession_near, &patient_near, &birth}) index->seal();
  }

  /// Numbers of the open studies that share a key or nearly share one with the exam.
  [[nodiscard]] std::vector<std::uint32_t> sharing(const Exam& exam) const {
    std::vector<std::uint32_t> found;
    const auto take = [&](const HashIndex& index, std::string_view text) {
      for (const auto& entry : index.find(text)) found.push_back(entry.second);
    };
    const std::string acc = accession_key(exam), pid = patient_key(exam);
    take(uid, exam.study_uid);
    take(patient, pid);
    for (const auto& other : exam.other_ids) take(patient, other);
    take(birth, exam.birth_date);
    take(accession_near, acc);
    for (const auto& text : deletions(acc)) take(accession_near, text);
    take(patient_near, pid);
    for (const auto& text : deletions(pid)) take(patient_near, text);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }
};

/// Cheap test before names are compared: numbers given in sequence are all one step apart from many others.
bool worth_comparing(const StudyFacts& facts, const StudyKeys& keys, const Exam& exam) {
  return (!keys.date.empty() && keys.date == exam.study_date) ||
         (!keys.birth_date.empty() && keys.birth_date == exam.birth_date) || facts.study.study == exam.study_uid ||
         keys.patient == patient_key(exam) ||
         std::binary_search(exam.other_ids.begin(), exam.other_ids.end(), keys.patient) ||
         keys.accession == accession_key(exam);
}

/// The rule under which a person sees the pair; nullopt when it is worth nobody's time.
std::optional<std::string> near_rule(const Evidence& e, const StudyKeys& keys, double review_score) {
  const bool person = e.name == Same::equal && e.birth_date == Same::equal;
  if (e.uid == Same::equal) return person || e.patient == Same::equal ? "R3" : "R4";
  if (e.accession == Same::equal) return person || e.patient == Same::equal ? "R8" : "R4";
  const bool cell = e.date == Same::equal || e.night;
  if (e.patient == Same::equal && keys.accession.empty() && cell && e.modality != Same::differs) return "R6";
  const bool no_patient = keys.patient.empty() || is_placeholder_id(keys.patient);
  if (no_patient && person && e.sex != Same::differs && cell && e.modality != Same::differs) return "R7";
  const bool near_key = e.accession == Same::near || e.patient == Same::near;
  const bool same_person = e.patient == Same::equal || e.linked || person;
  if (e.accession == Same::near && same_person) return "R8";
  if (near_key && cell && (person || e.name == Same::near || e.name == Same::equal)) return "R8";
  if (score(e) >= review_score) return "R8";
  const bool known = (e.patient == Same::equal || e.linked) && e.name != Same::differs;
  return known ? std::optional<std::string>("R9") : std::nullopt;
}

bool better(const NearExam& a, const NearExam& b) {
  if ((a.rule == "R9") != (b.rule == "R9")) return b.rule == "R9";
  return a.score != b.score ? a.score > b.score : a.exam < b.exam;
}

void keep_best(std::vector<NearExam>& near, NearExam candidate) {
  near.insert(std::upper_bound(near.begin(), near.end(), candidate, better), std::move(candidate));
  if (near.size() > kMostNear) near.pop_back();
}

}  // namespace

std::vector<std::vector<NearExam>> find_near(std::span<const StudyFacts> studies, std::span<const StudyKeys> keys,
                                             std::span<const Exam> exams, std::span<const std::size_t> open,
                                             double review_score) {
  std::vector<std::vector<NearExam>> near(open.size());
  if (open.empty()) return near;
  const OpenIndex index(studies, keys, open);
  for (std::size_t x = 0; x < exams.size(); ++x) {
    for (const std::uint32_t n : index.sharing(exams[x])) {
      const StudyKeys& k = keys[open[n]];
      if (!worth_comparing(studies[open[n]], k, exams[x])) continue;
      const Evidence evidence = compare(studies[open[n]], k, exams[x]);
      if (auto rule = near_rule(evidence, k, review_score))
        keep_best(near[n], {x, score(evidence), std::move(*rule), evidence});
    }
  }
  return near;
}

}  // namespace waybill::match
