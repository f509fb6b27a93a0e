// SPDX-License-Identifier: Apache-2.0
// The rules in words. They change whenever a decision could change: a manifest names them by their digest.
#include "core/sha256.hpp"
#include "match/ladder.hpp"

namespace waybill::match {
namespace {

constexpr std::string_view kRuleSet =
    "waybill rules 4\n"
    "R0 study UID equal, patient ID equal\n"
    "R1 accession equal and unique on both sides, patient ID equal, modality not in conflict\n"
    "R2 accession equal and unique on both sides, patient ID among the exam's other IDs, name and birth date equal, "
    "modality not in conflict\n"
    "R5 no accession, patient ID equal, same day or within 4 h around midnight, modality class equal, one exam and one "
    "study there; needs approval\n"
    "for a person: R3 study UID equal, name and birth date or patient ID equal; R4 study UID or accession equal, "
    "another "
    "patient\n"
    "R6 as R5 with several exams or studies, assignment of least cost over score and hours; R7 no patient ID, name, "
    "birth "
    "date, sex, day and modality agree\n"
    "R8 near forms of accession or patient ID, or accession equal and one condition of R1 or R2 fails, or score 60; R9 "
    "patient known, no exam fits\n"
    "R10 none of these\n"
    "vetoes accession-on-several-studies accession-reused birth-date-and-name-conflict exam-already-bound "
    "exam-after-death exam-before-birth exam-cancelled\n"
    "exam-names-another-study legal-hold newborn-or-twin number-disputed number-not-writable number-reused "
    "patient-restricted patient-scattered "
    "visit-moved "
    "placeholder-id placeholder-name ris-rows-disagree "
    "sex-conflict study-already-bound\n"
    "two-candidates two-patients\n"
    "normal forms: ID trim and upper case, zeros kept; accession also without - / . _ and blanks; name folded, "
    "particles joined, Jaro-Winkler 0.92 is near; modality by class, services of HL7's table 0074 among them\n"
    "edits: 0008,0050 0010,0010 0010,0020 0010,0021 0010,0030 0010,0040 follow the RIS; contradicting birth dates and "
    "sexes stay, a damaged name is not written\n";

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::matched: return "auto";
    case Verdict::review: return "review";
    case Verdict::unmatched: return "unmatched";
  }
  return "unmatched";
}

std::string_view rule_set_text() noexcept { return kRuleSet; }
std::string rule_set_hash(const SiteRules& site) { return Sha256::of(std::string(kRuleSet) + site.text()).hex(); }

}  // namespace waybill::match
