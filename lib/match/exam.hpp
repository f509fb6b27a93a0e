// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"
#include "core/sha256.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::match {

/// What the RIS says became of an exam.
enum class ExamState : std::uint8_t { performed, planned, cancelled };

/// One exam of the RIS, about 100 bytes and texts shared with all others. Text is UTF-8; dates are YYYYMMDD, times
/// HHMMSS, sex "M", "F", "O" or "" (unknown). Empty is unknown.
struct Exam {
  Interned key;  ///< accession, or "uid:" and the study UID; "#n" behind it where two exams would share it
  Interned patient_id, issuer, last, first, middle, birth_date, sex;
  Interned accession, study_uid, study_date, study_time, description;
  Interned normal_id, normal_accession;  ///< the keys by the site's rules, where they are not the plain ones
  InternedList classes;                  ///< modality classes, sorted
  InternedList other_ids;                ///< keys (id_key) of the patient's other IDs, sorted
  InternedList other_names;              ///< former, maiden and alias names, DICOM form
  InternedList vetoes;                   ///< what the history of the patient's number says against deciding by it
  ExamState state = ExamState::performed;
  std::size_t line = 0;  ///< of its first row in the file
  std::optional<std::uint64_t> images;
  bool from_hl7 = false;    ///< no row of the table: only messages tell of it
  bool restricted = false;  ///< a VIP, or under another special protection
  bool reported = false;    ///< there is a report
  bool disputed = false;    ///< rows of this exam contradict each other about the patient
  Interned death_date;      ///< YYYYMMDD, "" when not known to be dead
};

/// A row that is no exam, and why; the reason holds column names, never values.
struct BadRow {
  std::size_t line = 0;
  std::string reason;
};

/// All that was read of one RIS table. rows + from_hl7 == exams.size() + repeated + bad.size().
struct ExamTable {
  std::vector<Exam> exams;  ///< sorted by content, so that the order of the rows does not matter
  std::vector<BadRow> bad;
  std::uint64_t rows = 0;            ///< rows below the header
  std::uint64_t repeated = 0;        ///< further rows of an exam that is there already (one per procedure code)
  std::uint64_t from_hl7 = 0;        ///< exams that no row but messages tell of
  std::vector<std::string> remarks;  ///< what whole columns show, without values
  bool control = false;              ///< agrees with what its exporter promised; false when nothing was promised
  bool cp1252 = false;               ///< the file was no UTF-8
  char separator = ',';
  Digest digest;  ///< SHA-256 of the file
};

/// Brings rows of one exam together and gives each exam its key.
void merge_repeated(ExamTable& table);

/// id_key() of a text that is kept once, as nearly all its keys are the text itself.
[[nodiscard]] Interned id_key_of(Interned text);
/// The same of accession_key().
[[nodiscard]] Interned accession_key_of(Interned text);

/// The keys by which an exam's patient and accession number are compared.
[[nodiscard]] Interned patient_key(const Exam& exam);
[[nodiscard]] Interned accession_key(const Exam& exam);

/// The order of exams in a table: by content, so that the order in which they were read does not matter.
[[nodiscard]] bool by_content(const Exam& a, const Exam& b);
/// Sorts by content and gives each exam its key.
void order_and_name(std::vector<Exam>& exams);

}  // namespace waybill::match
