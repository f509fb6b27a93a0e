// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "ris/pattern.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Exams from the tables of a RIS: CSV as hospitals export it, and SQL.
namespace waybill::ris {

/// The columns a table of exams can have. NAME is a whole name ("LAST, FIRST" or LAST^FIRST), in place of LAST, FIRST
/// and MIDDLE.
enum Column : std::size_t {
  kPatientId,
  kIssuer,
  kName,
  kLast,
  kFirst,
  kMiddle,
  kDob,
  kSex,
  kAccession,
  kModality,
  kStudyUid,
  kStudyDate,
  kStudyTime,
  kStatus,
  kOtherIds,
  kProcDesc,
  kNumImages,
  kDeathDate,
  kVip,
  kReported,
  kColumns,
};
inline constexpr std::array<std::string_view, kColumns> kNames = {
    "PATIENT_ID", "ISSUER",    "NAME",       "LAST",       "FIRST",      "MIDDLE",     "DOB",
    "SEX",        "ACCESSION", "MODALITY",   "STUDY_UID",  "STUDY_DATE", "STUDY_TIME", "STATUS",
    "OTHER_IDS",  "PROC_DESC", "NUM_IMAGES", "DEATH_DATE", "VIP",        "REPORTED"};

/// "PATIENT_ID, ISSUER, …" for messages.
[[nodiscard]] std::string known_columns();

/// What the exporter promised about the table. Nothing given is nothing checked.
struct Control {
  std::optional<std::uint64_t> rows;    ///< below the header, without a trailer
  std::optional<std::uint64_t> images;  ///< sum of NUM_IMAGES
  std::string first_date, last_date;    ///< of STUDY_DATE, YYYYMMDD
  std::string sha256;                   ///< of the file, hex
  bool required = false;                ///< a table about which nothing was promised is refused

  [[nodiscard]] bool given() const {
    return rows || images || !first_date.empty() || !last_date.empty() || !sha256.empty();
  }
};

/// How a table's columns, dates, words and bytes are to be read.
struct Mapping {
  std::string code_page;  ///< iconv's name in upper case; "" for UTF-8, or CP1252 where the bytes are none
  char separator = 0;     ///< 0 for the one that the header holds most of
  std::map<std::string, Column> columns;                 ///< by id_key of the table's name; empty for our own names
  bool time_beside_date = false;                         ///< the column of STUDY_DATE holds STUDY_TIME as well
  std::array<std::optional<Pattern>, kColumns> formats;  ///< of DOB, STUDY_DATE and STUDY_TIME
  std::array<std::size_t, kColumns> digits{};      ///< of PATIENT_ID and ACCESSION: fewer digits have lost their zeros
  std::map<std::string, std::string> status, sex;  ///< by id_key of the table's word: performed …; M, F, O or ""
  Control control;
  Digest digest;  ///< of the file

  /// Reads a file; throws RunError(Exit::usage) that names line and reason for what is unknown or misspelt.
  [[nodiscard]] static Mapping read(const std::filesystem::path& file);
};

/// Reads a file that holds nothing but the members of a [control] table. Throws as Mapping::read does.
[[nodiscard]] Control read_control(const std::filesystem::path& file);

}  // namespace waybill::ris
