// SPDX-License-Identifier: Apache-2.0
#include "reconcile/alarms.hpp"

#include "match/name.hpp"
#include "match/normal.hpp"

#include <tbb/parallel_invoke.h>
#include <tbb/parallel_sort.h>
#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

namespace waybill::reconcile {
namespace {

constexpr std::size_t kMostStudies = 20;

/// An issuer and a patient's number as one; texts are kept once, so no two pairs have the same.
std::uint64_t key_of(Interned issuer, Interned number) {
  return std::uint64_t{issuer.number()} << 32U | number.number();
}

/// Things by their keys; 16 bytes a thing.
using Index = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

/// Calls `group` with the things of each key that several share, in ascending order.
template <typename Group>
void for_each_group(Index& index, const Group& group) {
  tbb::parallel_sort(index.begin(), index.end());
  std::vector<std::uint32_t> things;
  for (std::size_t first = 0; first < index.size(); first += things.size()) {
    things.clear();
    for (std::size_t i = first; i < index.size() && index[i].first == index[first].first; ++i)
      things.push_back(index[i].second);
    if (things.size() > 1) group(std::span<const std::uint32_t>(things));
  }
}

/// The patient of an exam, as the edits write it.
std::uint64_t patient_of(const match::Exam& exam) {
  return key_of(match::id_key_of(exam.issuer), match::patient_key(exam));
}

bool another_patient(const match::Exam& a, const match::Exam& b) {
  return match::patient_key(a) != match::patient_key(b) || !match::issuers_agree(a.issuer, b.issuer);
}

bool exclude_each_other(const match::Exam& a, const match::Exam& b) {
  if (a.birth_date == b.birth_date) return false;
  const auto name = [](const match::Exam& e) { return match::person_name(e.last, e.first, e.middle); };
  return match::compare_birth_dates(a.birth_date, b.birth_date) == match::Same::differs &&
         match::compare_names(name(a), name(b)) == match::Same::differs;
}

void find_scattered(std::span<const match::StudyKeys> studies, std::span<const match::Exam> exams,
                    const match::Outcome& outcome, std::vector<Alarm>& alarms) {
  const auto exam = [&](std::uint32_t i) -> const match::Exam& { return exams[*outcome.studies[i].exam]; };
  Index index;
  for (std::uint32_t i = 0; i < studies.size(); ++i) {
    if (outcome.studies[i].verdict != match::Verdict::matched) continue;
    const Interned id = match::id_key_of(studies[i].filed_id);
    if (!id.empty() && !match::is_placeholder_id(id))
      index.emplace_back(key_of(match::id_key_of(studies[i].filed_issuer), id), i);
  }
  for_each_group(index, [&](std::span<const std::uint32_t> group) {
    const auto scattered = [&](std::uint32_t i) { return another_patient(exam(group.front()), exam(i)); };
    if (std::none_of(group.begin(), group.end(), scattered)) return;
    std::vector<std::uint64_t> patients;
    Alarm alarm{"patient-scattered", {}, {}, {}, group.size(), {}};
    for (const std::uint32_t i : group) {
      patients.push_back(patient_of(exam(i)));
      alarm.studies.emplace_back(studies[i].uid);
    }
    std::sort(patients.begin(), patients.end());
    const auto different = std::unique(patients.begin(), patients.end()) - patients.begin();
    std::sort(alarm.studies.begin(), alarm.studies.end());
    alarm.studies.resize(std::min(alarm.studies.size(), kMostStudies));
    alarm.patient_id = studies[group.front()].filed_id;
    alarm.issuer = studies[group.front()].filed_issuer;
    alarm.reason = std::to_string(group.size()) + " studies that the archive files under one number go to " +
                   std::to_string(different) +
                   " patients; check their answers and the merges before anything is loaded";
    alarms.push_back(std::move(alarm));
  });
}

void find_two_people(std::span<const match::Exam> exams, std::vector<Alarm>& alarms) {
  Index index;
  for (std::uint32_t x = 0; x < exams.size(); ++x)
    if (!exams[x].patient_id.empty() && match::is_birth_date(exams[x].birth_date))
      index.emplace_back(patient_of(exams[x]), x);
  for_each_group(index, [&](std::span<const std::uint32_t> group) {
    const match::Exam& first = exams[group.front()];
    const bool two =
        std::any_of(group.begin(), group.end(), [&](std::uint32_t x) { return exclude_each_other(first, exams[x]); });
    if (!two) return;
    alarms.push_back(
        {"number-of-two-people",
         first.patient_id,
         first.issuer,
         {},
         group.size(),
         "names and birth dates of the " + std::to_string(group.size()) +
             " exams under this number exclude each other: the RIS gave it to two people, or two were merged "
             "by mistake"});
  });
}

}  // namespace

std::vector<Alarm> find_alarms(std::span<const match::StudyKeys> studies, std::span<const match::Exam> exams,
                               const match::Outcome& outcome) {
  std::vector<Alarm> alarms, more;
  tbb::parallel_invoke([&] { find_scattered(studies, exams, outcome, alarms); }, [&] { find_two_people(exams, more); });
  alarms.insert(alarms.end(), more.begin(), more.end());
  std::sort(alarms.begin(), alarms.end(), [](const Alarm& a, const Alarm& b) {
    return std::tie(a.kind, a.issuer, a.patient_id) < std::tie(b.kind, b.issuer, b.patient_id);
  });
  return alarms;
}

}  // namespace waybill::reconcile
