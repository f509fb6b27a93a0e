// SPDX-License-Identifier: Apache-2.0
#include "match/near.hpp"

#include "match/index.hpp"
#include "match/name.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

// Only studies that no rule decided come here, so the index is over their keys and the exams stream past it: a site
// with a million exams and a thousand open studies keeps a thousand keys, not a million.

namespace waybill::match {
namespace {

constexpr std::size_t kMostNear = 5;
constexpr std::size_t kRange = 4096;  // exams a task

/// Calls `take` with the text without one character, for every character that differs from the one before it: two texts
/// one step apart share one of these or the text itself.
template <typename F>
void for_each_deletion(std::string_view text, const F& take) {
  if (text.size() < 4 || text.size() > 64) return;
  std::array<char, 64> rest{};
  std::copy(text.begin() + 1, text.end(), rest.begin());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || text[i] != text[i - 1]) take(std::string_view(rest.data(), text.size() - 1));
    rest[i] = text[i];
  }
}

struct OpenIndex {
  HashIndex uid, patient, accession_near, patient_near, birth;

  OpenIndex(std::span<const StudyKeys> keys, std::span<const std::size_t> open) {
    for (std::uint32_t n = 0; n < open.size(); ++n) {
      const StudyKeys& k = keys[open[n]];
      uid.add(k.uid, n);
      patient.add(k.patient, n);
      accession_near.add(k.accession.view(), n);
      patient_near.add(k.patient.view(), n);
      for_each_deletion(k.accession, [&](std::string_view text) { accession_near.add(text, n); });
      for_each_deletion(k.patient, [&](std::string_view text) { patient_near.add(text, n); });
      const bool no_patient = k.patient.empty() || is_placeholder_id(k.patient);  // all that R7 is for
      if (no_patient && is_birth_date(k.birth_date)) birth.add(k.birth_date, n);
    }
    for (auto* index : {&uid, &patient, &accession_near, &patient_near, &birth}) index->seal(HashIndex::Finds::seldom);
  }

  /// Numbers of the open studies that share a key or nearly share one with the exam, into `found`.
  void sharing(const Exam& exam, std::vector<std::uint32_t>& found) const {
    found.clear();
    const auto take = [&](const HashIndex& index, auto text) {
      for (const auto& entry : index.find(text)) found.push_back(entry.second);
    };
    const Interned acc = accession_key(exam), pid = patient_key(exam);
    take(uid, exam.study_uid);
    take(patient, pid);
    for (const Interned other : exam.other_ids) take(patient, other);
    take(birth, exam.birth_date);
    take(accession_near, acc.view());
    for_each_deletion(acc, [&](std::string_view text) { take(accession_near, text); });
    take(patient_near, pid.view());
    for_each_deletion(pid, [&](std::string_view text) { take(patient_near, text); });
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
};

/// Cheap test before names are compared: numbers given in sequence are all one step apart from many others.
bool worth_comparing(const StudyKeys& keys, const Exam& exam) {
  return (!keys.date.empty() && keys.date == exam.study_date) ||
         (!keys.birth_date.empty() && keys.birth_date == exam.birth_date) || keys.uid == exam.study_uid ||
         keys.patient == patient_key(exam) || exam.other_ids.contains(keys.patient) ||
         keys.accession == accession_key(exam);
}

/// The rule under which a person sees the pair; nullopt when it is worth nobody's time.
std::optional<Interned> near_rule(const Evidence& e, const StudyKeys& keys, double review_score) {
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
  return known ? std::optional<Interned>("R9") : std::nullopt;
}

bool better(const NearExam& a, const NearExam& b) {
  if ((a.rule == "R9") != (b.rule == "R9")) return b.rule == "R9";
  return a.score != b.score ? a.score > b.score : a.exam < b.exam;
}

void keep_best(std::vector<NearExam>& near, const NearExam& candidate) {
  near.insert(std::upper_bound(near.begin(), near.end(), candidate, better), candidate);
  if (near.size() > kMostNear) near.pop_back();
}

}  // namespace

std::vector<std::vector<NearExam>> find_near(std::span<const StudyKeys> keys, std::span<const Exam> exams,
                                             std::span<const std::size_t> open, double review_score) {
  std::vector<std::vector<NearExam>> near(open.size());
  if (open.empty()) return near;
  const OpenIndex index(keys, open);
  // Each range of exams has lists of its own; the best five of all are the best five of the ranges' best five.
  std::mutex lock;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, exams.size(), kRange), [&](const auto& range) {
    std::vector<std::pair<std::uint32_t, NearExam>> found;
    std::vector<std::uint32_t> sharing;
    for (std::size_t x = range.begin(); x < range.end(); ++x) {
      index.sharing(exams[x], sharing);
      for (const std::uint32_t n : sharing) {
        const StudyKeys& k = keys[open[n]];
        if (!worth_comparing(k, exams[x])) continue;
        const Evidence evidence = compare(k, exams[x]);
        if (const auto rule = near_rule(evidence, k, review_score))
          found.push_back({n, {x, score(evidence), *rule, evidence}});
      }
    }
    const std::lock_guard guard(lock);
    for (const auto& [n, candidate] : found) keep_best(near[n], candidate);
  });
  return near;
}

}  // namespace waybill::match
