// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/ladder.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::reconcile {

/// What is wrong with the decisions or the RIS as a whole, though each study by itself looks right. An alarm decides
/// nothing; it goes to people, first of all.
struct Alarm {
  std::string_view kind;  ///< "patient-scattered" or "number-of-two-people"
  std::string patient_id, issuer;
  std::vector<std::string> studies;  ///< Study UIDs, sorted; at most 20
  std::size_t count = 0;             ///< of studies, or of exams of the RIS
  std::string reason;                ///< without any patient's data
};

/// After all decisions, those of people too:
/// - patient-scattered: studies that the archive files under one number go to exams of different patients;
/// - number-of-two-people: the RIS has exams of one number whose names and birth dates exclude each other.
/// Sorted by kind, issuer and number.
[[nodiscard]] std::vector<Alarm> find_alarms(std::span<const match::StudyKeys> studies,
                                             std::span<const match::Exam> exams, const match::Outcome& outcome);

}  // namespace waybill::reconcile
