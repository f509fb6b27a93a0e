// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace waybill::match {

/// An exam that comes near a study no rule decided, and the rule of the ladder it comes near to.
struct NearExam {
  std::size_t exam = 0;
  double score = 0;
  Interned rule;  ///< "R3" … "R9"
  Evidence evidence;
};

/// The near exams of each study in `open` (indexes into `keys`), best first, at most five a study.
[[nodiscard]] std::vector<std::vector<NearExam>> find_near(std::span<const StudyKeys> keys, std::span<const Exam> exams,
                                                           std::span<const std::size_t> open, double review_score = 60);

}  // namespace waybill::match
