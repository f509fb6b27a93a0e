// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The ladder of rules that decides which exam a study belongs to (docs/matching.md). Deterministic and independent of
/// the order of studies and exams; the same inputs always give the same decisions.
namespace waybill::match {

enum class Verdict { matched, review, unmatched };  ///< "auto", "review", "unmatched" in manifests
[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;

/// What was decided about one study, and why.
struct Decision {
  std::string rule;  ///< "R0", "R1", "R2", "R5", or "R10" when none of them holds
  Verdict verdict = Verdict::unmatched;
  std::vector<std::string> vetoes;         ///< what kept a rule from deciding, sorted
  std::vector<std::string> discrepancies;  ///< "D03" …, sorted
  std::string explanation;                 ///< without any patient's data
  std::optional<std::size_t> exam;         ///< index of the exam the rule hit (also when vetoed)
  std::vector<std::size_t> near;           ///< further candidates for a person, best first
  std::optional<double> score;             ///< of the best candidate
};

/// What became of an exam.
enum class ExamFate { matched, review, no_images, cancelled, planned };

struct Outcome {
  std::vector<Decision> studies;  ///< in the order of the studies given
  std::vector<ExamFate> exams;    ///< in the order of the exams given
};

/// The rules in words; its SHA-256 stands in the manifest's header, so that a decision names the rules it was made by.
[[nodiscard]] std::string_view rule_set_text() noexcept;
[[nodiscard]] std::string rule_set_hash();

/// Decides all studies against all exams. `approved` names rules the site lets decide alone beyond R0, R1 and R2: "R5".
[[nodiscard]] Outcome decide(std::span<const StudyFacts> studies, std::span<const Exam> exams,
                             const std::set<std::string>& approved);

}  // namespace waybill::match
