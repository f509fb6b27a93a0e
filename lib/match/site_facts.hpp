// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/site_rules.hpp"

#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

namespace waybill::match {

/// What only all exams and studies together tell: who numbers patients here, and whether reports are known at all.
class SiteFacts {
 public:
  SiteFacts(std::span<const Exam> exams, std::span<const StudyKeys> studies, const SiteRules& rules);

  /// The study's patient is numbered by an issuer of whom the RIS knows nobody (D20 when nothing else explains it).
  [[nodiscard]] bool from_outside(const StudyKeys& study) const;
  /// The study names no issuer where there are several (D24).
  [[nodiscard]] bool issuer_missing(const StudyKeys& study) const;
  /// The exam was performed and has no report, where reports are known (D18).
  [[nodiscard]] bool report_missing(const Exam& exam) const;

 private:
  std::unordered_set<Interned> of_ris_, all_;
  bool has_default_ = false, reports_known_ = false;
};

/// The sign that is no discrepancy: somebody holds the study for a court (domain rule 7.4).
inline constexpr std::uint32_t kLegalHold = 1U << 30U;

/// Adds "D23" for bit 23.
void name_signs(std::uint32_t signs, std::vector<Interned>& names);

/// A study or exam date lies more than a day behind the patient's death.
[[nodiscard]] bool after_death(const StudyKeys& study, const Exam& exam);

}  // namespace waybill::match
