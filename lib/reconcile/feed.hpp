// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "hl7/intake.hpp"
#include "identity/graph.hpp"
#include "match/evidence.hpp"
#include "match/exam.hpp"
#include "match/site_rules.hpp"
#include "orders/book.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace waybill::reconcile {

/// What years of HL7 messages tell: who a patient number belongs to now, and which exams there were.
class Feed {
 public:
  /// Reads files and folders (hl7::Intake). `rules` give the authority of numbers that name none and the form in which
  /// numbers are compared, and must outlive the feed; events later than `as_of` are left out. Throws
  /// RunError(Exit::input) for a path that does not exist.
  Feed(const std::vector<std::string>& paths, const match::SiteRules& rules, hl7::Time as_of);

  /// Brings the study's patient number to what it is now, with what its history says against deciding by it.
  void apply(match::StudyTexts& study) const;
  void apply(match::StudyFacts& facts) const;
  /// Brings the exams' numbers to what they are now, adds what messages say of them and the exams that only messages
  /// tell of. The order of the exams changes; keys stay unique.
  void apply(match::ExamTable& table) const;

  /// What is known today of the study's patient, as an exam that says nothing else: present number, name, birth date,
  /// sex. nullopt when no message names the number.
  [[nodiscard]] std::optional<match::Exam> patient_of(const match::StudyFacts& facts) const;
  /// After the last apply(): gives back the memory of numbers and orders.
  void forget() {
    book_ = {};
    graph_.forget_numbers();
  }

  [[nodiscard]] const identity::Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] const hl7::IntakeCounts& counts() const noexcept { return counts_; }
  [[nodiscard]] const std::vector<hl7::Problem>& problems() const noexcept { return problems_; }
  [[nodiscard]] std::uint64_t orders() const noexcept { return book_.size(); }
  [[nodiscard]] const Digest& digest() const noexcept { return digest_; }

 private:
  [[nodiscard]] Interned issuer_or_default(Interned issuer) const;
  class Reading;
  class Places;
  struct Number;
  using Written = std::pair<hl7::Time, Interned>;  // a number as it was written at that time
  const Number& number_of(Interned issuer, Interned id, Number& last) const;
  void apply(match::Exam& exam, Number& last) const;
  [[nodiscard]] match::Exam exam_of(const orders::Order& order, Number& last) const;

  /// The number as the graph knows it.
  [[nodiscard]] Interned number(Interned issuer, Interned id) const {
    return rules_.issuers.empty() ? id : Interned(rules_.number(issuer, id));
  }
  [[nodiscard]] Interned as_written(const identity::PatientId& id) const;

  const match::SiteRules& rules_;
  std::unordered_map<std::uint64_t, Written> written_;  // by authority and normal form; what was said last
  identity::Graph graph_;
  orders::Book book_;
  hl7::IntakeCounts counts_;
  std::vector<hl7::Problem> problems_;
  Digest digest_;
};

}  // namespace waybill::reconcile
