// SPDX-License-Identifier: Apache-2.0
#include "match/site_facts.hpp"

#include "match/normal.hpp"

#include <algorithm>
#include <array>

namespace waybill::match {

SiteFacts::SiteFacts(std::span<const Exam> exams, std::span<const StudyKeys> studies, const SiteRules& rules)
    : has_default_(!rules.default_issuer.empty()) {
  if (has_default_) of_ris_.insert(rules.default_issuer);
  Interned last;  // nearly all exams have the issuer of the exam before
  for (const Exam& exam : exams) {
    if (exam.issuer != last && !exam.issuer.empty()) of_ris_.insert(id_key(exam.issuer));
    last = exam.issuer;
    reports_known_ = reports_known_ || exam.reported;
  }
  all_ = of_ris_;
  for (const StudyKeys& keys : studies)
    if (!keys.issuer.empty()) all_.insert(keys.issuer);
}

bool SiteFacts::from_outside(const StudyKeys& study) const {
  return !study.issuer.empty() && !of_ris_.empty() && !of_ris_.contains(study.issuer);
}

bool SiteFacts::issuer_missing(const StudyKeys& study) const {
  return study.issuer.empty() && !has_default_ && all_.size() > 1;
}

bool SiteFacts::report_missing(const Exam& exam) const {
  return reports_known_ && !exam.reported && exam.state == ExamState::performed;
}

void name_signs(std::uint32_t signs, std::vector<Interned>& names) {
  for (std::uint32_t number = 1; number < 30; ++number)
    if (((signs >> number) & 1U) != 0) names.emplace_back((number < 10 ? "D0" : "D") + std::to_string(number));
}

bool after_death(const StudyKeys& study, const Exam& exam) {
  const auto death = day_number(exam.death_date);
  if (!death) return false;
  const std::array dates = {day_number(study.date), day_number(exam.study_date)};
  return std::any_of(dates.begin(), dates.end(), [&](const auto& day) { return day && *death + 1 < *day; });
}

}  // namespace waybill::match
