// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/intake.hpp"
#include "identity/graph.hpp"
#include "match/exam.hpp"
#include "match/ladder.hpp"
#include "reconcile/changes.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace waybill::reconcile {

/// How the studies that a rule hit were decided.
struct RuleCount {
  std::uint64_t matched = 0, review = 0, unmatched = 0, person = 0;
  Reach edited;                        ///< of those matched, by the rule or by a person
  std::map<std::string, Reach> edits;  ///< by tag
};

/// One attribute over all matched studies whose exam states a value for it.
struct AttributeCount {
  std::uint64_t before = 0;                           ///< studies that agreed with the RIS already
  std::uint64_t after = 0;                            ///< studies that agree once the edits are made
  std::uint64_t coerce = 0;                           ///< edits with reason COERCE
  std::uint64_t correct = 0;                          ///< edits with reason CORRECT
  std::uint64_t left = 0;                             ///< contradictions left to a person
  std::map<std::string, Reach, std::less<>> changes;  ///< edits by what they do to the value (change_of)
};

/// What was found about objects that are loaded already.
struct CorrectionCounts {
  std::uint64_t objects = 0;  ///< in the new archive
  std::uint64_t without_study = 0, studies = 0;
  std::uint64_t studies_changed = 0, objects_changed = 0;
  std::uint64_t studies_open = 0;  ///< wait for a person
};

/// The counts of a run; the ledgers of studies, instances and exams close or the run fails.
struct Summary {
  std::uint64_t objects = 0, instances = 0, other_objects = 0, instances_without_study = 0, instances_in_studies = 0,
                bytes = 0;
  std::uint64_t studies = 0, matched = 0, review = 0, unmatched = 0, person = 0, conflicts = 0, answers_refused = 0,
                alarms = 0;
  std::uint64_t rows = 0, bad_rows = 0, repeated_rows = 0, exams = 0;
  std::uint64_t exams_matched = 0, exams_review = 0, exams_no_images = 0, exams_cancelled = 0, exams_planned = 0;
  std::uint64_t exams_from_hl7 = 0, hl7_files = 0, hl7_messages = 0, hl7_duplicates = 0, hl7_problems = 0,
                hl7_orders = 0, patient_numbers = 0, identity_disputes = 0;
  std::vector<std::string> remarks;  ///< about the RIS table as a whole
  bool ris_control = false;          ///< it agrees with what its exporter promised
  bool ris_was_cp1252 = false, dry_run = false, already_complete = false;
  std::optional<CorrectionCounts> corrections;  ///< of a run with --loaded
  std::map<std::string, RuleCount> rules;
  std::map<std::string, std::uint64_t> vetoes, discrepancies;
  std::map<std::string, AttributeCount> attributes;  ///< by tag

  /// Studies not matched, matched ones with a contradiction left, bad rows, exams without images, objects without
  /// study, bad messages, disputes, answers refused, alarms.
  /// With --loaded only what stands in its way: the others are those of the run before.
  [[nodiscard]] std::uint64_t exceptions() const noexcept {
    if (corrections) return corrections->studies_open + corrections->without_study + hl7_problems + identity_disputes;
    return review + unmatched + conflicts + bad_rows + exams_no_images + instances_without_study + hl7_problems +
           identity_disputes + answers_refused + alarms;
  }
};

/// Adds one decided study (its record complete) to the counts.
void count_study(Summary& summary, const manifest::Study& study, const match::Exam* exam);
/// Adds what count_study() made of other studies.
void add_studies(Summary& summary, const Summary& more);
/// Adds the table and what became of its exams.
void count_exams(Summary& summary, const match::ExamTable& table, std::span<const match::ExamFate> fates);

/// Adds what was read of HL7.
void count_feed(Summary& summary, const hl7::IntakeCounts& counts, const std::vector<hl7::Problem>& problems,
                const identity::Graph& graph, std::uint64_t orders);

/// Throws RunError(Exit::integrity) that names the sum which does not close.
void check_ledger(const Summary& summary);

/// Whether a contradiction of birth date or sex was left to a person.
[[nodiscard]] bool conflict_left(const manifest::Study& study);

[[nodiscard]] std::string to_json(const Summary& summary);
[[nodiscard]] std::string to_text(const Summary& summary);

}  // namespace waybill::reconcile
