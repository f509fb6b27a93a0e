// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What spreadsheets and exports do to values.
namespace waybill::ris {

[[nodiscard]] bool all_digits(std::string_view text);
[[nodiscard]] bool holds_digit(std::string_view text);

/// "1.2E+11", "1,2e+11": the digits of an identifier are gone.
[[nodiscard]] bool shortened_by_spreadsheet(std::string_view id);
/// "12-Jan", "Jan-12", "3. Mrz": an identifier such as 1-12 was taken for a date.
[[nodiscard]] bool turned_into_date(std::string_view id);
/// "43831", "43831.5": a date as the number of its day.
[[nodiscard]] bool is_day_number(std::string_view text);
/// "2020-03-04" and the other forms of a date that nothing else has: eight digits alone are no proof.
[[nodiscard]] bool is_whole_date(std::string_view text);
/// A character that was lost on the way, or in a name a sign that no name has and that letters of DOS code pages become
/// when they are read as CP1252: „ ” ‚ ™ † › ƒ ˆ ‰ beside a letter. Nicknames between “ and ” are names.
[[nodiscard]] bool was_misread(std::string_view text, bool name);
/// Long, of digits and dots, at least four of them.
[[nodiscard]] bool looks_like_uid(std::string_view text);
/// "TRAILER;1234", "1,234 rows selected", "Summe: 17 Zeilen": the number of rows that the last line of an export names;
/// nullopt when the cells are a row like others.
[[nodiscard]] std::optional<std::uint64_t> count_of_trailer(const std::vector<std::string>& cells);

}  // namespace waybill::ris
