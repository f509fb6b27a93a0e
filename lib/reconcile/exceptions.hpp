// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"
#include "hl7/intake.hpp"
#include "identity/event.hpp"
#include "manifest/record.hpp"
#include "match/exam.hpp"
#include "match/ladder.hpp"
#include "reconcile/alarms.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace waybill::reconcile {

/// Collects what people at the site must look at and writes it as a CSV for a spreadsheet. The file holds patients'
/// data (it is made for the people who may see them), so it is written with mode 0600. The values are safe to open in a
/// spreadsheet.
class Exceptions {
 public:
  /// A study for review, unmatched, or matched with a contradiction left (then `kind` is "conflict").
  void add_study(const match::StudyFacts& facts, const match::Decision& decision, std::span<const match::Exam> exams);
  void add_exam_without_images(const match::Exam& exam);
  void add_bad_row(const match::BadRow& row);
  /// What is wrong with the decisions or the RIS as a whole.
  void add_alarm(const Alarm& alarm);
  /// What the RIS table as a whole shows.
  void add_remark(const std::string& text);
  /// A person's answer that could not be followed.
  void add_refusal(const std::string& study, std::size_t line, const std::string& reason);
  void add_object_without_study(const std::string& object_id);
  /// A message or file that could not be read as it should.
  void add_hl7_problem(const hl7::Problem& problem);
  /// A merge or another event about patients that was not applied.
  void add_dispute(const identity::Event& event, const std::string& reason);

  /// Ranked text: possible wrong patients first, then reviews by score, unmatched studies, contradictions, exams, rows.
  [[nodiscard]] std::string csv() const;
  /// Takes over what was collected elsewhere.
  void add(const Exceptions& more) { rows_.insert(rows_.end(), more.rows_.begin(), more.rows_.end()); }

  /// The same rows as a page for people (Worklist).
  [[nodiscard]] std::string html() const;

  /// Replaces `path` with csv() in one step.
  void write(const std::filesystem::path& path) const;
  /// Replaces `path` with html() in one step.
  void write_worklist(const std::filesystem::path& path) const;

 private:
  struct Row {
    int rank = 0;
    double score = 0;
    Interned order;  // breaks ties
    std::vector<Interned> cells;
    std::set<int> two_people;  // proposals that would change whose images they are
  };
  [[nodiscard]] std::vector<const Row*> sorted() const;
  void add(int rank, double score, Interned order, const std::vector<std::string>& cells);

  std::vector<Row> rows_;
};

}  // namespace waybill::reconcile
