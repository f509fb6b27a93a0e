// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/evidence.hpp"

#include <string>
#include <vector>

namespace waybill::match {

/// The attribute changes that make the objects of a matched study follow its exam, in order of their tags. Nothing is
/// changed to an empty value, and letter case alone is no reason to change a name. A birth date or a sex
/// that contradicts the RIS is left to a person: only placeholders, missing values and near forms of a birth date
/// change. Reason COERCE: identifiers, and values that were missing (fit to the RIS). CORRECT: a value that was wrong.
[[nodiscard]] std::vector<manifest::Edit> edits_for(const StudyFacts& facts, const Exam& exam);

}  // namespace waybill::match
