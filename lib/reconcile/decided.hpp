// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/ladder.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::reconcile {

/// What a person answered about one study: a row of exceptions.csv with DECISION filled.
struct Answer {
  std::string study;   ///< Study Instance UID
  std::string exam;    ///< key of the exam, "" for: no exam belongs to this study
  std::string by;      ///< who
  std::string second;  ///< second person, where one is demanded
  std::string remark;
  std::size_t line = 0;
  std::size_t proposal =
      0;  ///< 1, 2 or 3 when the answer names a proposal of its row, whose exam must then stand there
};

/// An answer that cannot be followed, and why.
struct Refusal {
  std::string study;
  std::size_t line = 0;
  std::string reason;
};

struct Answers {
  std::vector<Answer> answers;    ///< sorted by study
  std::vector<Refusal> refusals;  ///< rows that are no answers
  Digest digest;                  ///< SHA-256 of the file
};

/// Reads answers from a CSV with the columns STUDY_UID, DECISION and DECIDED_BY, and SECOND_PERSON and REMARK where
/// they are; others are ignored, as are rows without a DECISION. DECISION is an exam's key, 1, 2 or 3 for a proposal in
/// the same row, or NONE. Throws RunError(Exit::input) when the file cannot be read or a column is missing.
[[nodiscard]] Answers read_answers(const std::filesystem::path& path);

/// Whether giving the exam to the study may change whose images they are, which takes two people: neither an equal
/// number nor a merge or listing joins the patients, or the study holds two of them, or name and birth date both say
/// that they are two.
[[nodiscard]] bool takes_two(const match::StudyKeys& study, const match::Evidence& evidence);

/// Follows the answers: sets exam, verdict, discrepancies and `by_person` of the decisions. Refused are unknown studies
/// and exams, an exam that another study has, a proposal that is not the one of this run (the list is old, or a
/// spreadsheet changed the number), and an answer that takes_two() without a second person. What is refused stays for
/// review.
[[nodiscard]] std::vector<Refusal> follow(const Answers& answers, std::span<const match::StudyKeys> studies,
                                          std::span<const match::Exam> exams, const match::SiteRules& rules,
                                          match::Outcome& outcome);

/// The answer as a record of the manifest; `refused` says why it was not followed.
[[nodiscard]] std::string to_json(const Answer& answer, std::string_view refused = {});

}  // namespace waybill::reconcile
