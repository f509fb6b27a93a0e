// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/site_rules.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The ladder of rules that decides which exam a study belongs to (docs/matching.md). Deterministic and independent of
/// the order of studies and exams; the same inputs always give the same decisions.
namespace waybill::match {

enum class Verdict { matched, review, unmatched };  ///< "auto", "review", "unmatched" in manifests
[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;

/// An exam that is put to a person, best first.
struct Proposal {
  std::size_t exam = 0;
  double score = 0;
  Interned rule;         ///< under which it is proposed
  Interned explanation;  ///< the evidence, without any patient's data
};

/// What was decided about one study, and why.
struct Decision {
  Interned rule;  ///< "R0" … "R10"; R0, R1, R2 and an approved R5 may decide alone
  Verdict verdict = Verdict::unmatched;
  std::vector<Interned> vetoes;         ///< what kept a rule from deciding, sorted
  std::vector<Interned> discrepancies;  ///< "D03" …, sorted
  Interned explanation;                 ///< without any patient's data
  std::optional<std::size_t> exam;      ///< index of the exam the rule hit (also when vetoed)
  std::vector<Proposal> proposals;      ///< for a person: at most five, best first; empty when decided
  std::optional<double> score;          ///< of the best candidate
  bool by_person = false;               ///< decided by a person, not by a rule
};

/// What became of an exam.
enum class ExamFate { matched, review, no_images, cancelled, planned };

struct Outcome {
  std::vector<Decision> studies;  ///< in the order of the studies given
  std::vector<ExamFate> exams;    ///< in the order of the exams given
};

/// The rules in words; its SHA-256 stands in the manifest's header, so that a decision names the rules it was made by.
[[nodiscard]] std::string_view rule_set_text() noexcept;
/// Of the rules in words and of what the site settles about them.
[[nodiscard]] std::string rule_set_hash(const SiteRules& site = {});

/// Decides all studies against all exams. The site's normal forms must be in studies and exams already
/// (SiteRules::apply).
[[nodiscard]] Outcome decide(std::span<const StudyKeys> studies, std::span<const Exam> exams, const SiteRules& site);
[[nodiscard]] Outcome decide(std::span<const StudyFacts> studies, std::span<const Exam> exams, const SiteRules& site);

}  // namespace waybill::match
