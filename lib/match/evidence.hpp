// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "match/exam.hpp"
#include "match/normal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::match {

/// What is wrong with a study by its objects alone.
struct StudyMarks {
  std::uint32_t signs = 0;          ///< discrepancies that its objects show by themselves: bit 23 is D23
  bool two_patients = false;        ///< two patient keys, or names and birth dates that exclude each other
  bool several_accessions = false;  ///< the study's accession is then nobody's to choose

  void set_marks(const StudyMarks& marks) { *this = marks; }
};

/// One study of the archive as its objects describe it. Where objects disagree the smallest value stands in `study` and
/// a mark is set.
struct StudyFacts : StudyMarks {
  manifest::Study study;
  std::vector<std::string> mixed;           ///< tags whose value is not the same in all objects
  std::string current_id, current_issuer;   ///< the patient's number now, where it is no longer the one in the objects
  std::string normal_id, normal_accession;  ///< the keys by the site's rules, "" for the plain ones
  std::vector<std::string> vetoes;          ///< what the history of the number says against deciding by it
};

/// How one study and one exam stand to each other, attribute by attribute.
struct Evidence {
  Same uid = Same::unknown, accession = Same::unknown, patient = Same::unknown, name = Same::unknown,
       birth_date = Same::unknown;
  Same sex = Same::unknown, date = Same::unknown, modality = Same::unknown;
  bool normal_form = false;  ///< the patient IDs are equal in their issuer's normal form only
  bool former_name = false;  ///< the name is equal to one the patient had before
  bool linked = false;       ///< the study's patient ID is among the exam's OTHER_IDS
  bool night = false;        ///< days differ, but the times lie within four hours around midnight
  std::int32_t days = 0;     ///< between the study dates
  std::int32_t seconds = 0;  ///< between the times, when `night`
};

/// A study in the forms that are compared, made once per study.
struct StudyKeys : StudyMarks {
  Interned uid, patient, issuer, accession, name, birth_date, sex, date, time;
  Interned plain_patient;           ///< what `patient` would be without the site's rules
  Interned filed_id, filed_issuer;  ///< the patient's number as the objects have it
  InternedList classes, vetoes;
  bool by_rules = false;    ///< the site's rules made the patient's key
  bool renumbered = false;  ///< `patient` is the number of today, not that of the objects
  std::uint64_t instances = 0;
};
/// What the keys are made from: StudyFacts with texts that are kept once.
struct StudyTexts : StudyMarks {
  Interned uid, patient_id, issuer, name, birth_date, sex, accession, date, time;
  Interned current_id, current_issuer, normal_id, normal_accession;
  InternedList modalities, vetoes;
  std::uint64_t instances = 0;

  StudyTexts() = default;
  explicit StudyTexts(const StudyFacts& facts);
};
[[nodiscard]] StudyKeys keys_of(const StudyTexts& study);
[[nodiscard]] inline StudyKeys keys_of(const StudyFacts& facts) { return keys_of(StudyTexts(facts)); }

/// Issuers agree when equal or when a side names none.
[[nodiscard]] bool issuers_agree(Interned a, Interned b);

[[nodiscard]] Evidence compare(const StudyKeys& keys, const Exam& exam);

/// 0 to 100 for ranking what a person looks at; it never decides.
[[nodiscard]] double score(const Evidence& evidence);

/// "study UID equal, patient ID differs": the comparison in words, without any value.
[[nodiscard]] Interned describe(const Evidence& evidence);

/// HHMMSS as seconds of the day, nullopt when it is no time.
[[nodiscard]] std::optional<std::int64_t> second_of_day(std::string_view time);

}  // namespace waybill::match
