// SPDX-License-Identifier: Apache-2.0
#include "reconcile/alarms.hpp"

#include "match/name.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>

namespace waybill::reconcile {
namespace {

constexpr std::size_t kMostStudies = 20;

/// Numbers of the things that share a key, by the key's hash; 16 bytes a thing.
using Index = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

std::string key_of(std::string_view issuer, std::string_view number) {
  return match::id_key(issuer) + '\x1F' + std::string(number);
}

/// Calls `group` with the things of each key that several share. Keys of one hash are told apart.
template <typename Key, typename Group>
void for_each_group(Index& index, const Key& key, const Group& group) {
  std::sort(index.begin(), index.end());
  for (std::size_t first = 0; first < index.size();) {
    std::size_t last = first;
    while (last < index.size() && index[last].first == index[first].first) ++last;
    std::vector<std::uint32_t> rest;
    for (std::size_t i = first; i < last; ++i) rest.push_back(index[i].second);
    while (rest.size() > 1) {
      const std::string wanted = key(rest.front());
      const auto others =
          std::stable_partition(rest.begin(), rest.end(), [&](std::uint32_t n) { return key(n) == wanted; });
      if (others - rest.begin() > 1) group(std::span<const std::uint32_t>(rest.begin(), others));
      rest.erase(rest.begin(), others);
    }
    first = last;
  }
}

/// The patient of an exam, as the edits write it.
std::string patient_of(const match::Exam& exam) { return key_of(exam.issuer, match::patient_key(exam)); }

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
  const auto number = [&](std::uint32_t i) {
    return key_of(studies[i].filed_issuer, match::id_key(studies[i].filed_id));
  };
  const auto exam = [&](std::uint32_t i) -> const match::Exam& { return exams[*outcome.studies[i].exam]; };
  Index index;
  for (std::uint32_t i = 0; i < studies.size(); ++i) {
    if (outcome.studies[i].verdict != match::Verdict::matched) continue;
    const std::string id = match::id_key(studies[i].filed_id);
    if (!id.empty() && !match::is_placeholder_id(id)) index.emplace_back(std::hash<std::string>{}(number(i)), i);
  }
  for_each_group(index, number, [&](std::span<const std::uint32_t> group) {
    const auto scattered = [&](std::uint32_t i) { return another_patient(exam(group.front()), exam(i)); };
    if (std::none_of(group.begin(), group.end(), scattered)) return;
    std::vector<std::string> patients;
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
  const auto number = [&](std::uint32_t x) { return patient_of(exams[x]); };
  Index index;
  for (std::uint32_t x = 0; x < exams.size(); ++x)
    if (!exams[x].patient_id.empty() && match::is_birth_date(exams[x].birth_date))
      index.emplace_back(std::hash<std::string>{}(number(x)), x);
  for_each_group(index, number, [&](std::span<const std::uint32_t> group) {
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
  std::vector<Alarm> alarms;
  find_scattered(studies, exams, outcome, alarms);
  find_two_people(exams, alarms);
  std::sort(alarms.begin(), alarms.end(), [](const Alarm& a, const Alarm& b) {
    return std::tie(a.kind, a.issuer, a.patient_id) < std::tie(b.kind, b.issuer, b.patient_id);
  });
  return alarms;
}

}  // namespace waybill::reconcile
