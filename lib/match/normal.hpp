// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::match {

/// How two values of one attribute stand to each other. A missing or meaningless value is unknown, never a conflict.
enum class Same : std::uint8_t { unknown, equal, near, differs };

/// The key of an identifier: without outer blanks, upper case. Leading zeros count: "0012" and "12" are two patients.
[[nodiscard]] std::string id_key(std::string_view id);

/// The key of an accession number: like id_key, without blanks, `-`, `/`, `.` and `_`.
[[nodiscard]] std::string accession_key(std::string_view accession);
/// Whether the text can stand in an object: neither anything that could not be read on its way here (U+FFFD) nor the
/// backslash and control characters that DICOM separates values by.
[[nodiscard]] bool is_writable(std::string_view text) noexcept;
/// Whether the text is its own key, as nearly all are.
[[nodiscard]] bool is_id_key(std::string_view text) noexcept;
[[nodiscard]] bool is_accession_key(std::string_view text) noexcept;

/// YYYYMMDD from YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD or DD.MM.YYYY, a time behind it being left out. nullopt when it is
/// none of these or no day of the calendar; 03/04/1970 is nullopt as well, since nobody can tell day from month.
[[nodiscard]] std::optional<std::string> date_normal(std::string_view text);

/// HHMMSS from HHMMSS, HHMM, HH:MM:SS or HH:MM with an optional fraction.
[[nodiscard]] std::optional<std::string> time_normal(std::string_view text);

/// Days since 1970 of a YYYYMMDD text, nullopt when it is no day.
[[nodiscard]] std::optional<std::int64_t> day_number(std::string_view date);

/// Birth dates (YYYYMMDD). Near: day and month exchanged, one digit, two digits exchanged, another century, or the
/// first of January of the same year. Placeholders (1900-01-01, year 9999, incomplete) are unknown.
[[nodiscard]] Same compare_birth_dates(std::string_view a, std::string_view b);

/// Whether the text is a birth date that says something (a day of the calendar and no placeholder).
[[nodiscard]] bool is_birth_date(std::string_view date);

/// "M", "F", "O" or "" (unknown) from the words of exports.
[[nodiscard]] std::string sex_normal(std::string_view sex);

/// M against F differs; everything with O or nothing on a side is unknown unless the same.
[[nodiscard]] Same compare_sexes(std::string_view a, std::string_view b);

/// RIS classes of a modality text such as "PT/CT": CR, DX, RG are XR; EC is US; RF, AN are XA; OT, SC, SR … say
/// nothing. Sorted, without repetition.
[[nodiscard]] std::vector<std::string> modality_classes(std::string_view modality);

/// Equal when the sets share a class, unknown when either is empty.
[[nodiscard]] Same compare_classes(InternedList a, InternedList b);

/// Whether one insertion, deletion, exchange of a character or of two neighbours turns one text into the other.
[[nodiscard]] bool one_step_apart(std::string_view a, std::string_view b);

/// Whether a patient ID is none: "UNKNOWN", "TEST", only zeros or nines, "ANON…".
[[nodiscard]] bool is_placeholder_id(std::string_view id);

}  // namespace waybill::match
