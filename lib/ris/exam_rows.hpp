// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/csv.hpp"
#include "match/exam.hpp"
#include "ris/mapping.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::ris {

/// Takes the rows of a table, one by one, and gives exams. A row that cannot be used, or that shows what spreadsheets
/// and broken exports do to one, is a bad row with a reason; reasons hold column names, never values. Not for sharing
/// between threads.
class ExamRows {
 public:
  /// The header. `ignored` names columns to skip. Throws RunError that names a column which is unknown (Exit::usage),
  /// repeated or missing (Exit::input). `mapping` must outlive the object.
  ExamRows(const std::vector<std::string>& header, const Mapping& mapping, const std::vector<std::string>& ignored);

  void add(match::CsvRow&& row);

  /// After the last row: sees whether that one is a trailer, compares with what the exporter promised, brings rows of
  /// one exam together. `sha256` is the file's digest in hex, "" where there is no file. Throws RunError(Exit::input)
  /// when a control total disagrees, is demanded and missing, or the table ends where a spreadsheet cuts.
  [[nodiscard]] match::ExamTable finish(const std::string& sha256);

 private:
  /// What the lengths and first signs of an identifier column say about it as a whole.
  struct Digits {
    std::uint64_t numbers = 0, with_zero = 0;
    std::array<std::uint64_t, 65> of_length{};
  };
  struct Widths {
    std::size_t longest = 0;  // characters
    std::array<std::uint64_t, 66> of_length{};
    std::set<std::string> texts;  // of that length, a few
  };

  void take(match::CsvRow& row);
  [[nodiscard]] std::optional<std::string> read(const match::CsvRow& row, match::Exam& exam);
  [[nodiscard]] std::string_view cell(Column column) const;
  [[nodiscard]] std::optional<std::string> check_width(const match::CsvRow& row) const;
  void read_name(match::Exam& exam) const;
  void read_texts(match::Exam& exam) const;
  [[nodiscard]] std::optional<std::string> read_dates(match::Exam& exam);
  [[nodiscard]] std::optional<std::string> read_date(Column column, std::string& into);
  [[nodiscard]] std::optional<std::string> check_ids(const match::Exam& exam) const;
  [[nodiscard]] std::optional<std::string> check_columns() const;
  [[nodiscard]] std::optional<std::uint64_t> trailer_count(const match::CsvRow& row) const;
  void watch(const match::Exam& exam);
  void remark_on_columns();
  void check_control(const std::string& sha256, std::optional<std::uint64_t> trailer);

  const Mapping& mapping_;
  std::vector<std::string> header_;
  std::array<std::size_t, kColumns> at_{};
  const match::CsvRow* row_ = nullptr;
  std::optional<match::CsvRow> held_;  // the row before: the last one may be a trailer
  match::ExamTable table_;
  std::uint64_t images_ = 0, repeated_headers_ = 0, turned_ = 0;
  std::string first_date_, last_date_;
  std::array<Digits, 2> digits_;  // PATIENT_ID, ACCESSION
  std::array<Widths, 3> widths_;  // LAST, FIRST, PROC_DESC
};

}  // namespace waybill::ris
