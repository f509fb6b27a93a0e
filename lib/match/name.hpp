// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/normal.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::match {

/// The words of a person name in normal form: no accents, upper case, no titles or suffixes, particles joined to the
/// word behind them (O BRIEN, VAN DER BERG), MAC as MC. For matching only, never written back.
struct NameWords {
  std::vector<std::string> family;
  std::vector<std::string> given;  ///< given and middle names
  bool operator==(const NameWords&) const = default;
};

/// The normal form of a DICOM person name. Letters with two customary spellings give two forms: Müller is MUELLER and
/// MULLER.
struct NameNormal {
  std::vector<NameWords> spellings;  ///< one or two; the shorter spelling last
};

/// The alphabetic group of a DICOM person name, or the first group that is there (PS3.5 6.2.1.1).
[[nodiscard]] std::string_view name_group(std::string_view person_name) noexcept;

/// From a DICOM person name in UTF-8. Uses the alphabetic group, or the first group that is there.
[[nodiscard]] NameNormal name_normal(std::string_view person_name);

/// Equal: family and given names agree; a missing middle name, an initial or the old form without `^` is no difference.
/// Near: family and given exchanged, one of them missing, or spelled alike (Jaro-Winkler 0.92 and more).
[[nodiscard]] Same compare_names(std::string_view a, std::string_view b);

/// What a name says besides who it is.
struct NameKind {
  bool placeholder = false;  ///< TEST, UNKNOWN, DOE, TRAUMA 12, words of the phonetic alphabet … stand for no person
  bool test = false;         ///< TEST, PHANTOM, QC … are no patient at all (discrepancy D21)
  bool newborn = false;      ///< BABY, BB, BG, BOY, GIRL, NEWBORN, TWIN: it says nothing about which child
};
[[nodiscard]] NameKind name_kind(std::string_view person_name);

/// Family name alone agrees (for the twin pattern).
[[nodiscard]] bool same_family(std::string_view a, std::string_view b);
/// The family name in both spellings, to find names that same_family() brings together: equal when there is but one.
[[nodiscard]] std::array<std::string, 2> family_keys(std::string_view name);

/// "LAST^FIRST^MIDDLE" without empty components at its end.
[[nodiscard]] std::string person_name(std::string_view last, std::string_view first, std::string_view middle);

/// The text in upper case, accents kept, Latin, Greek and Cyrillic letters.
[[nodiscard]] std::string upper_text(std::string_view text);

/// Jaro-Winkler similarity of two texts, 0 to 1, compared byte by byte.
[[nodiscard]] double jaro_winkler(std::string_view a, std::string_view b);

}  // namespace waybill::match
