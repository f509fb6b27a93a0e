// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Bringing RIS exams and studies together: reading exports, normal forms, the ladder of rules, the edits.
namespace waybill::match {

/// One row of a table. When `error` is not empty the row could not be read: `cells` are then worthless, `line` still
/// says where it begins, and the reader goes on behind it.
struct CsvRow {
  std::size_t line = 0;  ///< 1-based, of the first character of the row
  std::vector<std::string> cells;
  std::string error;
};

/// Reads comma separated text (RFC 4180) as hospitals export it: quotes, line breaks inside quotes, LF, CRLF or CR,
/// byte order mark, a first line "sep=;", and `,` `;` or TAB as separator, whichever the first line holds most of.
/// Text that is not UTF-8 is read as CP1252 as a whole. A damaged row is one row with an error, never the end of the
/// run: reading goes on with the line after the one where the damaged row began. Not for sharing between threads.
class CsvReader {
 public:
  /// Takes the bytes of a whole file; the separator is found in the first line unless it is given. Throws
  /// RunError(Exit::input) for UTF-16.
  explicit CsvReader(std::string bytes, char separator = 0);

  /// Fills `row` with the next row that is not blank; false at the end.
  bool next(CsvRow& row);

  [[nodiscard]] char separator() const noexcept { return separator_; }
  [[nodiscard]] bool was_cp1252() const noexcept { return cp1252_; }

 private:
  bool read_cell(CsvRow& row);
  bool read_quoted(CsvRow& row, std::string& cell);
  bool at_line_end() const noexcept;
  void skip_line_end() noexcept;
  void give_up(CsvRow& row, std::size_t start, std::string reason);

  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  char separator_ = ',';
  bool cp1252_ = false;
};

}  // namespace waybill::match
