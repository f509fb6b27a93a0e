// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/index.hpp"
#include "match/name.hpp"
#include "match/site_facts.hpp"
#include "match/site_rules.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace waybill::match {

/// Both numbers are one patient's.
[[nodiscard]] bool same_patient(const Exam& a, const Exam& b);
/// A patient's number is listed with the other's exam.
[[nodiscard]] bool linked(const Exam& a, const Exam& b);

/// Sorted, each once.
void tidy(std::vector<Interned>& words);

/// What is wrong between studies and exams, D01 to D29 (docs/matching.md), the same whether a rule or a person brings
/// them together. Unchanging: any thread may ask. What it is made of must outlive it.
class Discrepancies {
 public:
  /// The indexes are over the accession keys of `studies` and `exams`.
  Discrepancies(std::span<const StudyKeys> studies, std::span<const Exam> exams, const SiteRules& site,
                const HashIndex& studies_by_accession, const HashIndex& exams_by_accession);

  /// Another patient of the same numbering has an exam with this exam's accession number.
  [[nodiscard]] bool accession_reused(std::size_t exam) const;
  /// Other studies carry this study's accession number, too.
  [[nodiscard]] bool accession_on_several_studies(std::size_t study) const;

  /// Adds what the study shows by itself; `name` is what its patient's name says.
  void of_study(std::size_t study, const NameKind& name, std::vector<Interned>& to) const;
  /// Adds what the study shows when it has no exam; `sought` when nothing came near it or a person said that there is
  /// none.
  void of_unbound(std::size_t study, bool sought, std::vector<Interned>& to) const;

  struct Pair {
    std::size_t study = 0, exam = 0;
    Evidence evidence;
    bool shared_accession = false;  ///< accession_reused() or accession_on_several_studies()
    bool matched = false;           ///< the exam is the study's, not only the one that comes nearest
  };
  /// Adds how study and exam differ.
  void of_pair(const Pair& pair, std::vector<Interned>& to) const;

 private:
  std::span<const StudyKeys> studies_;
  std::span<const Exam> exams_;
  const SiteRules& site_;
  const HashIndex& studies_by_accession_;
  const HashIndex& exams_by_accession_;
  SiteFacts facts_;
};

}  // namespace waybill::match
