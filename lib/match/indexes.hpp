// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/index.hpp"

#include <span>

namespace waybill::match {

/// Where studies are found by what they have in common with an exam. Unchanging: any thread may look.
struct StudyIndexes {
  explicit StudyIndexes(std::span<const StudyKeys> studies);
  HashIndex uid, accession, patient;
};

/// Where exams are found by what they have in common with a study. Built on all cores; any thread may look.
struct ExamIndexes {
  explicit ExamIndexes(std::span<const Exam> exams);
  HashIndex uid, accession, patient;
  HashIndex twin;  ///< by birth date and either form of the family name
};

}  // namespace waybill::match
