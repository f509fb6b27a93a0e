// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"
#include "match/exam.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::match {

/// How an issuer's patient numbers are brought to one form. The steps are taken in the order of the members, on the
/// number without outer blanks.
struct NumberForm {
  bool any_case = true;                   ///< letters in upper case
  std::string leave_out;                  ///< characters that mean nothing: "-/ "
  std::vector<std::string> strip_prefix;  ///< the first that fits is cut off, never the whole number
  std::vector<std::string> strip_suffix;  ///< the same at the end
  std::string check_digit;                ///< "M10" or "M11" (HL7 table 0061), "" for none
  std::size_t with_check_digit = 0;       ///< a number of so many digits whose last one proves right loses it
  std::size_t width = 0;                  ///< digits are filled up with zeros on the left to this many
  bool operator==(const NumberForm&) const = default;
};

/// What a site settles about matching. The defaults are those of `manifests/examples/rules.toml`. Nothing here lets a
/// machine decide what only people may: the rules that can be automatic are R0, R1, R2 and R5, and every tolerance that
/// an automatic decision rests on can only be narrowed.
struct SiteRules {
  std::set<std::string> automatic = {"R0", "R1", "R2"};
  std::int64_t night_hours = 4;       ///< R5: study and exam of two days are one night's when so far apart at most
  std::int64_t date_days = 1;         ///< D11: dates further apart than this
  std::int64_t margin = 15;           ///< points to the second best, or both are candidates
  std::int64_t review_score = 60;     ///< R8: a pair of this score is shown to a person
  bool accession_zeros_count = true;  ///< "0012" and "12" are two accession numbers
  std::map<std::string, NumberForm> issuers;  ///< by id_key of the issuer; "*" for all others
  std::string default_issuer;                 ///< id_key of the issuer of numbers that name none; no part of the file

  /// Reads a file; throws RunError(Exit::usage) that names line and reason for what is unknown, misspelt or too wide.
  [[nodiscard]] static SiteRules read(const std::filesystem::path& file);

  /// The settings in words, the same for the same settings; part of the rule set's hash.
  [[nodiscard]] std::string text() const;

  /// The key by which a patient number of this issuer is compared.
  [[nodiscard]] std::string number(std::string_view issuer, std::string_view id) const;
  /// The key by which an accession number is compared.
  [[nodiscard]] std::string accession(std::string_view accession) const;
  /// Whether any key differs from what id_key() and accession_key() give.
  [[nodiscard]] bool has_forms() const { return !issuers.empty() || !accession_zeros_count; }

  /// Fills the normal forms of an exam or a study where they differ from the plain keys.
  void apply(Exam& exam) const;
  void apply(StudyTexts& study) const;
  void apply(StudyFacts& facts) const;

  bool operator==(const SiteRules&) const = default;
};

}  // namespace waybill::match
